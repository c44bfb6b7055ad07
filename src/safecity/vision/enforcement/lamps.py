"""The state of a signal out of its lamps in the picture: a region for each lamp, judged by how bright it is and which
hue it has; a change counts once it was seen for a while. Pure, on arrays.

A lamp that is lit is much brighter than the dark ones beside it, and of its own colour. Sun on the lenses brightens all
of them, a headlight in one of them has no hue: both are `unknown`, never a colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safecity.kit.clock import SECOND_US
from safecity.vision.enforcement.lights import DARK, GREEN, RED, UNKNOWN, YELLOW

Region = tuple[float, float, float, float]
LIT: Final = 90.0
"""Of 255: what a lit lamp reaches at least, over the brightest quarter of its region."""
CONTRAST: Final = 1.6
"""So many times brighter than the other lamps it must be."""
SETTLED_US: Final = 2 * SECOND_US // 5
"""A change that was not seen for so long is a flicker."""
SURE: Final = 0.3
"""A look that is less sure says nothing."""
_HUES: Final = {RED: ((0, 15), (165, 180)), YELLOW: ((16, 38),), GREEN: ((40, 100),)}
"""Half degrees, as OpenCV counts them; green signals are bluish."""


@dataclass(frozen=True, slots=True)
class Lamps:
    """`colour` is one of lights.py; `sure` from 0 to 1."""

    colour: str
    sure: float


def read_lamps(picture: NDArray[np.uint8], lamps: Mapping[str, Region]) -> Lamps:
    """`picture`: height x width x 3, BGR; `lamps`: a region in shares for each colour that the signal has."""
    shown = {colour: _lamp(picture, region, colour) for colour, region in lamps.items()}
    if not shown:
        return Lamps(UNKNOWN, 0.0)
    order = sorted(shown, key=lambda colour: shown[colour][0], reverse=True)
    best = order[0]
    brightness, share = shown[best]
    others = max((shown[colour][0] for colour in order[1:]), default=0.0)
    if brightness < LIT:
        return Lamps(DARK, 1 - brightness / LIT)
    ratio = brightness / max(others, 1.0)
    if ratio < CONTRAST or share < 0.3:
        return Lamps(UNKNOWN, 0.0)
    return Lamps(best, float(min(1.0, (ratio - 1) / 2) * min(1.0, share / 0.6)))


def _lamp(picture: NDArray[np.uint8], region: Region, colour: str) -> tuple[float, float]:
    """How bright the brightest quarter of the region is, and how much of it has the lamp's own hue."""
    height, width = picture.shape[:2]
    left, right = round(region[0] * width), max(round(region[2] * width), round(region[0] * width) + 1)
    top, bottom = round(region[1] * height), max(round(region[3] * height), round(region[1] * height) + 1)
    piece = picture[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
    if piece.size == 0:
        return 0.0, 0.0
    value = piece.max(1)
    bright = piece[value >= np.quantile(value, 0.75)]
    hue, saturation = _hue(bright)
    within = np.zeros(len(bright), bool)
    for low, high in _HUES.get(colour, ()):
        within |= (hue >= low) & (hue <= high)
    return float(bright.max(1).mean()), float((within & (saturation > 0.25)).mean())


def _hue(bgr: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hue in half degrees and saturation from 0 to 1, of points as rows."""
    high, low = bgr.max(1), bgr.min(1)
    span = np.maximum(high - low, 1e-6)
    blue, green, red = bgr[:, 0], bgr[:, 1], bgr[:, 2]
    sixth = np.select(
        [high == red, high == green], [((green - blue) / span) % 6, (blue - red) / span + 2], (red - green) / span + 4
    )
    return (30 * sixth).astype(np.float32), ((high - low) / np.maximum(high, 1e-6)).astype(np.float32)


class LampWatch:
    """Looks of one signal in order of time; answers with the changes that have settled, each dated to when it was seen
    first."""

    def __init__(self) -> None:
        self._colour = UNKNOWN
        self._coming = ""
        self._since = 0

    def look(self, at: int, seen: Lamps) -> tuple[int, str] | None:
        """(since, colour) of a change that is settled now, else None."""
        colour = seen.colour if seen.sure >= SURE else UNKNOWN
        if colour == self._colour:
            self._coming = ""
            return None
        if colour != self._coming:
            self._coming, self._since = colour, at
            return None
        if at - self._since < SETTLED_US:
            return None
        self._colour, self._coming = colour, ""
        return self._since, colour
