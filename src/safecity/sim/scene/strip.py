"""The machine-readable clock at the bottom edge of every simulated picture, and where its lens points.

Geometry, in fractions of the picture, so that it survives any scaling: the strip is the lowest 1/15 of the height,
two rows of 32 equal cells over the whole width, the upper row first, the left cell first. A white cell is 1, a black
cell 0. Read a cell by the mean luma of its middle half, 1 above 128; a mean between 90 and 165 is no strip.

    bits 0-47   wall clock, milliseconds since 1970 UTC, most significant bit first
    bits 48-55  channel number
    bits 56-63  CRC-8 of the seven bytes before (polynomial 0x07, initial value 0xA5)

A camera that can be steered writes a third row of the same cells right above these two, so that a test sees that a
picture has moved whatever drives through it:

    bits 0-8    pan, eighths of a degree above -32
    bits 9-17   tilt, the same
    bits 18-23  zoom, twentieths of a doubling
    bits 24-31  CRC-8 of the three bytes before

In a browser: draw the video on a canvas of at least 320 x 180, `getImageData`, and do the same with
`0.299 r + 0.587 g + 0.114 b`. At 352 x 288 a cell is 11 x 9 pixels, which H.264 at surveillance rates keeps apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safecity.sim.scene.lens import Pose

Picture = NDArray[np.uint8]

COLUMNS = 32
ROWS = 2
HEIGHT_PARTS = 30
"""One row of cells is 1/30 of the picture's height."""
BLACK, WHITE = 16, 235
_DEGREE, _LEAST, _DOUBLING = 8, 32, 20
_EARLIEST_MS, _LATEST_MS = 946_684_800_000, 7_258_118_400_000  # years 2000 and 2200: else it was chance


@dataclass(frozen=True, slots=True)
class Reading:
    """What a strip says: microseconds UTC (whole milliseconds), the channel number, and the pose where it is told.

    The pose is rounded to what the row can say, without focus and iris.
    """

    at_us: int
    channel: int
    pose: Pose | None = None


def crc8(data: bytes) -> int:
    """CRC-8, polynomial 0x07, initial value 0xA5 (zeros must not pass for a reading)."""
    crc = 0xA5
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def strip_height(height: int, *, lens: bool = False) -> int:
    """Pixels that the strip takes off a picture of this height, with or without the row of the lens."""
    return height - _edge(height, ROWS + lens)


def strip_bits(at_us: int, channel: int) -> list[bool]:
    """The 64 cells."""
    body = (at_us // 1000).to_bytes(6, "big") + bytes([channel & 0xFF])
    value = int.from_bytes(body + bytes([crc8(body)]), "big")
    return [bool(value >> (63 - bit) & 1) for bit in range(64)]


def lens_bits(pose: Pose) -> list[bool]:
    """The 32 cells of the row above."""
    pan, tilt = (round((degrees + _LEAST) * _DEGREE) & 0x1FF for degrees in (pose.pan, pose.tilt))
    body = (pan << 15 | tilt << 6 | round(math.log2(pose.zoom) * _DOUBLING) & 0x3F).to_bytes(3, "big")
    value = int.from_bytes(body + bytes([crc8(body)]), "big")
    return [bool(value >> (31 - bit) & 1) for bit in range(32)]


def draw_strip(luma: Picture, at_us: int, channel: int, pose: Pose | None = None) -> None:
    """Write the strip into a luma plane (height x width, video range)."""
    height, width = luma.shape[:2]
    bits = strip_bits(at_us, channel) if pose is None else lens_bits(pose) + strip_bits(at_us, channel)
    cells = np.array(bits, dtype=np.uint8).reshape(-1, COLUMNS) * (WHITE - BLACK) + BLACK
    # Every column of pixels belongs to the cell that holds its middle: works for widths that 32 does not divide.
    columns = (np.arange(width, dtype=np.int64) * 2 + 1) * COLUMNS // (2 * width)
    for row, line in enumerate(cells):
        left = len(cells) - row
        luma[_edge(height, left) : _edge(height, left - 1)] = line[columns]


def read_strip(luma: Picture) -> Reading | None:
    """What the strip in a luma plane says; None where there is none."""
    height, width = luma.shape[:2]
    if width < 4 * COLUMNS or height < 4 * HEIGHT_PARTS // 2:
        return None
    rows = [_read_row(luma, row) for row in (2, 1)]
    if rows[0] is None or rows[1] is None:
        return None
    raw = rows[0] + rows[1]
    milliseconds = int.from_bytes(raw[:6], "big")
    if crc8(raw[:7]) != raw[7] or not _EARLIEST_MS <= milliseconds < _LATEST_MS:
        return None
    return Reading(milliseconds * 1000, raw[6], _read_pose(luma))


def read_clock(rgb: Picture) -> int | None:
    """Microseconds UTC read from an RGB picture (height x width x 3 or 4), None where no clock is to be seen."""
    luma = rgb[..., 0] * np.float32(0.299) + rgb[..., 1] * np.float32(0.587) + rgb[..., 2] * np.float32(0.114)
    reading = read_strip(luma.astype(np.uint8))
    return None if reading is None else reading.at_us


def _read_pose(luma: Picture) -> Pose | None:
    raw = _read_row(luma, 3)
    if raw is None or crc8(raw[:3]) != raw[3]:
        return None
    value = int.from_bytes(raw[:3], "big")
    pan, tilt = (part / _DEGREE - _LEAST for part in (value >> 15, value >> 6 & 0x1FF))
    return Pose(pan, tilt, 2.0 ** ((value & 0x3F) / _DOUBLING))


def _read_row(luma: Picture, above: int) -> bytes | None:
    """The four bytes of the row that begins `above` rows over the lower edge."""
    height, width = luma.shape[:2]
    top, bottom = (height * (HEIGHT_PARTS - above + part) / HEIGHT_PARTS for part in (0.25, 0.75))
    band = luma[round(top) : max(round(bottom), round(top) + 1)].mean(axis=0)
    value = 0
    for column in range(COLUMNS):
        left, right = (width * (column + part) / COLUMNS for part in (0.25, 0.75))
        mean = float(band[round(left) : max(round(right), round(left) + 1)].mean())
        if 90 < mean < 165:
            return None
        value = value << 1 | (mean > 128)
    return value.to_bytes(4, "big")


def _edge(height: int, above: int) -> int:
    """Where the row begins that lies so many rows over the lower edge."""
    return round(height * (HEIGHT_PARTS - above) / HEIGHT_PARTS)
