"""Heat maps: where points changed between one key frame and the next, cell by cell. Pure.

A map says how many of the nine points of each of 32 x 18 cells moved: enough to search in, too coarse to show anybody.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from safecity.vision.gate import HEIGHT, WIDTH

COLUMNS, ROWS = 32, 18
_ACROSS, _DOWN = WIDTH // COLUMNS, HEIGHT // ROWS
POINTS: Final = _ACROSS * _DOWN
"""Of a cell."""
STEP, LARGEST_STEP = 14, 40
"""Grey levels that a point must differ by: as in `vision.gate`, and more where the sensor is noisy."""
NOISE: Final = 6.0
"""Times the median change, about four standard deviations of the noise of a picture that is mostly still."""
FIRST, COMPARED, UNREADABLE = range(3)
APART_US: Final = 60_000_000
"""Key frames farther apart are not compared: what lies between was not recorded, or light and camera are others."""
_ENTRY: Final = struct.Struct("<qB")
_BEFORE: Final = struct.Struct("<q")
_MOST_BYTES: Final = 1 << 20
"""Of the maps of one block, unpacked: what claims more is damaged."""

Heat = NDArray[np.uint8]
"""Shape (ROWS, COLUMNS): points of each cell that moved, 0 to POINTS."""


class Moment(NamedTuple):
    """A key frame (microseconds UTC) and what moved since the one before it at `before`; `state` FIRST: there is none
    to compare it with, UNREADABLE: nobody could decode it."""

    at: int
    state: int
    before: int = 0
    heat: Heat | None = None


def compare(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Heat:
    """Two grey pictures of shape (HEIGHT, WIDTH), the later one second."""
    change = now.astype(np.int16) - before
    # A cloud before the sun or a camera that opens its iris moves all points alike: that is no motion.
    change = np.abs(change - int(np.median(change)))
    moved = change > min(max(STEP, NOISE * float(np.median(change))), LARGEST_STEP)
    return cast("Heat", moved.reshape(ROWS, _DOWN, COLUMNS, _ACROSS).sum(axis=(1, 3), dtype=np.uint8))


def pack(moments: Sequence[Moment]) -> bytes:
    """What is kept of a block: compressed, and mostly nought."""
    parts: list[bytes] = [_BEFORE.pack(next((one.before for one in moments if one.state == COMPARED), 0))]
    for one in moments:
        parts.append(_ENTRY.pack(one.at, one.state))
        if one.heat is not None:
            flat = one.heat.reshape(-1)
            parts.append((flat[0::2] << 4 | flat[1::2]).astype(np.uint8).tobytes())
    return zlib.compress(b"".join(parts), 6)


def unpack(body: bytes) -> list[Moment]:
    """ValueError for what `pack` did not make."""
    try:
        whole = zlib.decompressobj().decompress(body, _MOST_BYTES)
        (before,) = _BEFORE.unpack_from(whole)
        at, found, half = _BEFORE.size, list[Moment](), ROWS * COLUMNS // 2
        while at < len(whole):
            when, state = _ENTRY.unpack_from(whole, at)
            at += _ENTRY.size
            if state != COMPARED:
                found.append(Moment(when, state))
                before = when if state == FIRST else before
                continue
            flat = np.empty(2 * half, np.uint8)
            pairs = np.frombuffer(whole, np.uint8, half, at)
            flat[0::2], flat[1::2] = pairs >> 4, pairs & 15
            found.append(Moment(when, state, before, flat.reshape(ROWS, COLUMNS)))
            before, at = when, at + half
    except (struct.error, zlib.error) as error:
        raise ValueError("not the heat maps of a block") from error
    return found


class Region(NamedTuple):
    """A rectangle, in shares of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float


def cells_of(regions: Sequence[Region]) -> NDArray[np.bool_]:
    """Shape (ROWS, COLUMNS): cells whose middle lies in one of the rectangles, and of a rectangle that is smaller than
    that, those which it touches."""
    found = np.zeros((ROWS, COLUMNS), np.bool_)
    across, down = (np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS
    for one in regions:
        columns = (across >= one.left) & (across <= one.right)
        rows = (down >= one.top) & (down <= one.bottom)
        if not columns.any():
            columns[_first(one.left, COLUMNS) : _first(one.right, COLUMNS) + 1] = True
        if not rows.any():
            rows[_first(one.top, ROWS) : _first(one.bottom, ROWS) + 1] = True
        found |= np.outer(rows, columns)
    return found


def _first(share: float, count: int) -> int:
    return min(max(int(share * count), 0), count - 1)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """`cell`: points of a cell that must have moved for it to count (sensor noise moves single ones); `points`: of the
    cells that count, together, in all of the searched part."""

    cell: int
    points: int


SENSITIVITIES: Final = {"low": Sensitivity(4, 18), "normal": Sensitivity(2, 5), "high": Sensitivity(1, 2)}
EVERYWHERE: Final = 0.6
"""Of all cells: where so many changed, the camera turned or the light was switched; that is told with the find."""
