"""Plates that moved while the picture was taken: the blur is taken out in many ways, the reader says which one reads.

The blur of an even motion is a line, its length and direction unknown. Wiener's filter (N. Wiener, 1949; R. C. Gonzalez
and R. E. Woods, Digital Image Processing, 5.8) undoes each of a set of lines, for two ratios of noise to signal; what
is read of each result is gathered by text, and the text that the best of them agree on is proposed. Every other length
is tried first; then, for each of the texts that were read best, the lines beside the one that read it. It is a
proposal: the reading of the original stays what it was, and the restored picture is only ever shown beside the
original.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.vision.plates.locator import Found
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.plates.straighten import Corners, Picture

PLATE_WIDTH: Final = 120
"""Pixels of a plate in the part that is restored: what was learnt of lengths holds for every size."""
WIDTH, HEIGHT = 240, 144
LENGTHS: Final = (4, 6, 8, 10, 12, 14, 17, 20)
"""Of the blur, in those pixels: at 50 km/h past a camera and 1/100 s a plate moves a third of its width."""
ANGLES: Final = (0.0, 90.0, 20.0, -20.0)
NOISE: Final = (0.005, 0.02)
LIKELY: Final = 0.45
"""From this mean confidence of the best four on, 84 of 100 proposals are right for plates that moved
(`benchmarks.restoration`); for plates that are doubtful for another reason it is one in two."""
_BEST = 4
_CLOSELY, _NEAR_BEST = 6, 0.3
"""So many texts are looked at closely, and those alone whose mean is such a share of the best one's."""
_TAPER = 24
_SMALLEST = 24.0
"""Pixels of a plate's width: of less nothing can be restored."""


Way = tuple[float, float, float]
"""Direction (degrees), length (pixels of the part) and ratio of noise to signal."""


class Reads(Protocol):
    """What is needed of a `PlateRecogniser`."""

    def read(self, picture: Picture, found: Sequence[Found]) -> list[PlateRead]: ...


@dataclass(frozen=True, slots=True)
class Restored:
    """A proposal. `confidence` is the mean of the best four readings of that text (missing ones count nothing);
    `blur` the length of the motion as a share of the plate's width, `angle` its direction in degrees, clockwise from
    the right; `picture` (HEIGHT x WIDTH) and `original` show the same part of the scene."""

    text: str
    confidence: float
    blur: float
    angle: float
    picture: Picture
    original: Picture

    @property
    def beside(self) -> Picture:
        """The original above, the restored one below: it is never shown alone."""
        return np.concatenate([self.original, self.picture])

    @property
    def likely(self) -> bool:
        """Whether to propose it before all others."""
        return self.confidence >= LIKELY


def restore(recogniser: Reads, picture: Picture, corners: Corners) -> Restored | None:
    """What a plate in the picture says once its blur is taken out; None where no way leads to a text that is written
    as plates are. About a twentieth of a second of a core."""
    width = float(np.hypot(*(corners[1] - corners[0])))
    if not np.isfinite(corners).all() or width < _SMALLEST:
        return None
    part, there = _part(picture, corners, PLATE_WIDTH / width)
    found = _Read(recogniser, part, there)
    found.read([(angle, length, NOISE[-1]) for angle, length in product(ANGLES, LENGTHS[::2])])
    closely = found.shares()
    least = _NEAR_BEST * max(closely.values(), default=0.0)
    best = sorted(closely, key=lambda one: -closely[one])[:_CLOSELY]
    found.read([way for text in best if closely[text] >= least for way in _beside(found.best(text)[1])])
    shares = found.shares()
    if not shares:
        return None
    text = max(shares, key=lambda one: (shares[one], one))
    _, (angle, length, _), restored = found.best(text)
    return Restored(text, shares[text], length / PLATE_WIDTH, angle, restored, part)


class _Read:
    """What was read of one part so far, by text, each way once."""

    def __init__(self, recogniser: Reads, part: Picture, there: Corners) -> None:
        self._recogniser = recogniser
        self._part = part
        self._there = there
        self._tried: set[Way] = set()
        self._found: dict[str, list[tuple[float, Way, Picture]]] = defaultdict(list)

    def read(self, ways: Sequence[Way]) -> None:
        """Each way that was not tried before."""
        new = [way for way in dict.fromkeys(ways) if way not in self._tried]
        self._tried.update(new)
        for way, result in zip(new, _undone(self._part, new), strict=True):
            (read,) = self._recogniser.read(result, [Found(self._there, 1.0)])
            if read.written and read.text:
                self._found[read.text].append((read.confidence, way, result))

    def shares(self) -> dict[str, float]:
        """Of each text the mean of its best readings; missing ones count nothing."""
        return {text: sum(sorted(sure for sure, *_ in of)[-_BEST:]) / _BEST for text, of in self._found.items()}

    def best(self, text: str) -> tuple[float, Way, Picture]:
        """The surest reading of a text."""
        return max(self._found[text], key=lambda one: one[:2])


def _beside(way: Way) -> list[Way]:
    """Lines of the same direction that are as long, the next longer and the next shorter one."""
    angle, length, _ = way
    place = LENGTHS.index(length)
    return list(product((angle,), LENGTHS[max(place - 1, 0) : place + 2], NOISE))


def _part(picture: Picture, corners: Corners, scale: float) -> tuple[Picture, Corners]:
    """The plate in the middle, `PLATE_WIDTH` wide, and its corners there."""
    middle = corners.mean(0)
    shift = np.array([WIDTH / 2, HEIGHT / 2]) - middle * scale
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), flags=method, borderMode=cv2.BORDER_REPLICATE)
    return part.astype(np.uint8, copy=False), (corners * scale + shift).astype(np.float32)


def _undone(part: Picture, ways: Sequence[Way]) -> list[Picture]:
    """The part without the blur of each way. Brightness alone is restored: colours are coded too coarsely for it."""
    colours = cv2.cvtColor(part, cv2.COLOR_BGR2YCrCb)
    bright = colours[:, :, 0].astype(np.float32)
    mean = float(bright.mean())
    seen = np.fft.rfft2((bright - mean) * _taper())
    results: list[Picture] = []
    for way in ways:
        restored = np.fft.irfft2(seen * _inverse(*way), s=(HEIGHT, WIDTH)) + mean
        colours[:, :, 0] = np.clip(restored, 0, 255)
        results.append(cv2.cvtColor(colours, cv2.COLOR_YCrCb2BGR).astype(np.uint8, copy=False))
    return results


@lru_cache(maxsize=1)
def _taper() -> NDArray[np.float32]:
    """Down to nothing at the edges: else their jump would ring through the picture."""

    def ramp(count: int) -> NDArray[np.float64]:
        there = np.arange(count) + 1
        return np.clip(np.minimum(there, there[::-1]) / _TAPER, 0, 1)

    plain = ramp(HEIGHT)[:, None] * ramp(WIDTH)[None]
    return (plain * plain * (3 - 2 * plain)).astype(np.float32)


@lru_cache(maxsize=len(ANGLES) * len(LENGTHS) * len(NOISE))
def _inverse(angle: float, length: float, noise: float) -> NDArray[np.complex64]:
    """Wiener's filter against a line of this length (pixels) and direction (degrees)."""
    kernel = line(length, angle)
    size = kernel.shape[0]
    whole = np.zeros((HEIGHT, WIDTH), np.float32)
    whole[:size, :size] = kernel
    blur = np.fft.rfft2(np.roll(whole, (-(size // 2), -(size // 2)), (0, 1)))
    return (np.conj(blur) / (np.abs(blur) ** 2 + noise)).astype(np.complex64)


def line(length: float, angle: float) -> NDArray[np.float32]:
    """The kernel of an even motion: a line through the middle of a square of odd size, its sum 1."""
    size = (int(np.ceil(length)) | 1) + 2
    kernel: NDArray[np.float32] = np.zeros((size, size), np.float32)
    middle, turn = (size - 1) / 2, np.radians(angle)
    steps: Any = np.linspace(-length / 2, length / 2, int(length * 16) + 1)
    for step in steps:
        x, y = middle + step * np.cos(turn), middle + step * np.sin(turn)
        column, row = int(np.floor(x)), int(np.floor(y))
        right, down = x - column, y - row
        for at, other, share in (
            (row, column, (1 - right) * (1 - down)), (row, column + 1, right * (1 - down)),
            (row + 1, column, (1 - right) * down), (row + 1, column + 1, right * down),
        ):  # fmt: skip
            if at < size and other < size:
                kernel[at, other] += share
    return kernel / kernel.sum()
