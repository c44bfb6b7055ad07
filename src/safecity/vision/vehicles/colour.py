"""The colour of a vehicle's body, out of the picture around its plate, in the words of GA/T 1400. Pure, on arrays.

Looked at is what lies beside the plate and a little above it: bumper, boot lid or bonnet, in whatever size the plate
has. Points are taken to CIE L*a*b*, where distances are about those that people see, after the light's own cast is
taken out by what is common to the whole picture (asphalt and houses are grey). A body that has a hue is told by hue;
one that has none by how bright it is beside the white of its own plate, which stands in the same light.

Nothing is guessed: in the dark, in glare, in a picture without colours and between two colours the answer is empty,
with the reason. Bounds were set on rendered streets (`benchmarks.body_colours`) and measured on others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]


class Doubt(StrEnum):
    """Why no colour is told."""

    DARK = "dark"  # too little light falls on it
    GLARE = "glare"  # the sensor saw white only
    COLOURLESS = "colourless"  # a picture by infrared light
    TINTED = "tinted"  # the light has one colour itself
    BETWEEN = "between"  # as near to one colour as to another
    HIDDEN = "hidden"  # too little of it is in the picture


@dataclass(frozen=True, slots=True)
class BodyColour:
    """`colour` as `protocols.gat1400.vehicles.COLOURS` words it, empty where it is not told; `sure` from 0 to 1."""

    colour: str
    sure: float
    doubt: str = ""


LEAST_PLATE: Final = 24.0
"""Pixels of a plate's width: around a smaller one there is too little of the body."""
LEAST_SURE: Final = 0.35
_SAMPLES: Final = (28, 96)
"""Rows and columns that are looked at."""
_ACROSS: Final = (-0.45, 1.45)
_UP: Final = (-0.02, 0.42)
"""Plate widths: from left of the plate to right of it, from its lower edge to above it."""
_DARK: Final = 34.0
"""Median lightness of a picture by night."""
_LIT: Final = 9.0
"""A body that is darker by night is not seen."""
_MOST_VEIL: Final = 90.0
_TINTED: Final = 6.0
"""So many times more of one colour than of another is light in which nobody tells colours (sodium lamps)."""
_BELIEVED: Final = 0.7
"""How much of a cast is taken out: streets are grey, but not only."""
_REFLECTS: Final = {"yellow": 0.55, "green": 0.7, "black": 0.9}
"""Share of the light that the brightest of a plate gives back, by its colour."""
_WEIGHTS: Final = np.array([0.0722, 0.7152, 0.2126], np.float32)
_HUED: Final = 16.0
"""Chroma of a body that has a hue."""
_HUES: Final = (
    (0.0, 12.0, "pink"), (12.0, 48.0, "red"), (48.0, 66.0, "orange"), (66.0, 108.0, "yellow"), (108.0, 185.0, "green"),
    (185.0, 238.0, "cyan"), (238.0, 304.0, "blue"), (304.0, 338.0, "purple"), (338.0, 360.0, "pink"),
)  # fmt: skip
"""Degrees in the plane of a* and b*."""
_BIN: Final = 7.5
_WHITE, _BLACK = 84.0, 33.0
"""Lightness from which on a body without hue is white, and up to which it is black."""


@dataclass(frozen=True, slots=True)
class Light:
    """What a whole picture says of its light: median L*, the colour of it (BGR, what grey is multiplied by), how
    colourful it is, and what rain and haze lay over everything (0 to 255)."""

    lightness: float
    cast: tuple[float, float, float]
    colourful: float
    veil: float

    @property
    def night(self) -> bool:
        """Whether it is dark."""
        return self.lightness < _DARK


def light_of(picture: Picture) -> Light:
    """Once for each picture; a few thousand points of it are enough. Edges are left out: cameras write there."""
    height, width = picture.shape[:2]
    middle = picture[height // 10 : max(height - height // 10, 1)]
    few = middle[:: max(height // 54, 1), :: max(width // 96, 1)].reshape(-1, 3)
    # Something in every street is black; where nothing is, the air is bright (the dark channel of He, Sun and Tang).
    veil = min(float(np.percentile(few.min(1), 2)), _MOST_VEIL)
    linear = _linear(few, veil)
    grey = np.maximum(np.median(linear, axis=0), 1e-3)
    cast = grey / grey.mean()
    lab = _lab(linear)
    colourful = float(np.percentile(np.hypot(lab[:, 1], lab[:, 2]), 90))
    return Light(float(np.median(lab[:, 0])), (float(cast[0]), float(cast[1]), float(cast[2])), colourful, veil)


def body_colour(picture: Picture, corners: NDArray[np.float32], light: Light, plate_colour: str = "") -> BodyColour:
    """Of the vehicle whose plate has these corners (upper left first, clockwise), in pixels of the BGR picture."""
    width = float(np.hypot(*(corners[1] - corners[0])))
    if width < LEAST_PLATE:
        return BodyColour("", 0.0, Doubt.HIDDEN)
    if light.colourful < 1.5:
        return BodyColour("", 0.0, Doubt.COLOURLESS)
    if max(light.cast) > _TINTED * min(light.cast):
        return BodyColour("", 0.0, Doubt.TINTED)
    around = _around(picture, corners, width)
    if len(around) < 0.5 * _SAMPLES[0] * _SAMPLES[1]:
        return BodyColour("", 0.0, Doubt.HIDDEN)
    if float((around.min(1) >= 250).mean()) > 0.5:
        return BodyColour("", 0.0, Doubt.GLARE)
    neutral: Points = (np.array(light.cast, np.float32) ** np.float32(-_BELIEVED)).astype(np.float32)
    body: Points = _linear(around, light.veil) * neutral
    if light.night and float(np.percentile(_lab(body)[:, 0], 75)) < _LIT:
        return BodyColour("", 0.0, Doubt.DARK)
    white = _plate_white(picture, corners, light, neutral) / _REFLECTS.get(plate_colour, 0.9)
    gain = min(max(1 / max(white, 1e-3), 0.7), 12.0)
    return _judged(_lab(np.minimum(body * np.float32(gain), np.float32(1.0)).astype(np.float32)), light)


def _judged(lab: Points, light: Light) -> BodyColour:
    """Of points that are as bright as the plate's white is white."""
    keen = 0.75 if light.night else 1.0
    hued = np.hypot(lab[:, 1], lab[:, 2]) > _HUED * (0.5 + 0.5 * np.minimum(lab[:, 0] / 50, 1.0))
    share = float(hued.mean())
    if share >= 0.4:
        found = _by_hue(lab[hued], share, keen, night=light.night)
    elif share > 0.25:
        return BodyColour("", 0.0, Doubt.BETWEEN)
    else:
        found = _by_brightness(lab, share, keen)
    if light.night and found.colour in ("black", "brown"):
        return BodyColour("", 0.0, Doubt.DARK)  # plates throw light back, and beside them everything is dark
    return found if found.sure >= LEAST_SURE else BodyColour("", found.sure, Doubt.BETWEEN)


def _by_hue(lab: Points, share: float, keen: float, *, night: bool) -> BodyColour:
    """Of points that have one: where most of them lie, however vivid the lamps beside them are, and how far that is
    from the next name."""
    angles = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    counts = np.bincount((angles / _BIN).astype(int), minlength=round(360 / _BIN))
    around = sum(weight * np.roll(counts, by) for by, weight in ((-2, 1), (-1, 2), (0, 3), (1, 2), (2, 1)))
    peak = (int(np.argmax(around)) + 0.5) * _BIN
    off = (angles - peak + 180) % 360 - 180
    near = np.abs(off) <= 20
    together = float(near.mean())
    hue = (peak + float(off[near].mean())) % 360
    low, high, name = next(one for one in _HUES if one[0] <= hue < one[1])
    edge = min(hue - low, high - hue) if name != "pink" else 20.0
    chroma = np.hypot(lab[near, 1], lab[near, 2])
    name = _by_lightness(name, float(np.percentile(lab[near, 0], 60)), float(np.median(chroma)), night=night)
    sure = keen * together * min(share / 0.55, 1.0) * min(0.5 + edge / 12, 1.0)
    return BodyColour(name, round(sure, 3))


def _by_lightness(name: str, lightness: float, chroma: float, *, night: bool) -> str:
    """Brown is a dark orange or yellow, pink a light red or purple."""
    if name in ("red", "orange", "yellow") and lightness < 46 and chroma < 40:
        return "brown" if name != "red" else name
    if name == "pink" and lightness < 48 and not night:
        return "red"  # wine
    # A red that is washed out by the sun or by rain is as light as pink, until it is very light.
    return "pink" if lightness > (75 if name == "red" else 65) and chroma < 45 and name in ("red", "purple") else name


def _by_brightness(lab: Points, share: float, keen: float) -> BodyColour:
    """Black, grey or white: paint is brighter than the gaps, grilles and tyres beside it."""
    paint = max(float(np.percentile(lab[:, 0], 70)), 1.0)
    name = "white" if paint >= _WHITE else "black" if paint < _BLACK else "grey"
    apart = min(abs(paint - edge) for edge in (_WHITE, _BLACK))
    return BodyColour(name, round(keen * min(0.45 + apart / 20, 1.0) * (1 - share), 3))


def _around(picture: Picture, corners: NDArray[np.float32], width: float) -> Picture:
    """Points beside the plate and above it, without the plate and what lies outside of the picture."""
    rows, columns = _SAMPLES
    left_up, right_up, right_low, left_low = (corners[each].astype(np.float64) for each in range(4))
    across = (right_low - left_low) / max(float(np.hypot(*(right_low - left_low))), 1e-6)
    up = np.array([across[1], -across[0]])  # off the plate's lower edge, whatever its tilt
    tall = (float(np.hypot(*(left_up - left_low))) + float(np.hypot(*(right_up - right_low)))) / 2 / width
    u, v = np.meshgrid(np.linspace(*_ACROSS, columns), np.linspace(_UP[0], tall + _UP[1], rows))
    off_plate = (u < -0.08) | (u > 1.08) | (v > tall + 0.06)
    x, y = (_whole(left_low[each] + width * (u * across[each] + v * up[each])) for each in (0, 1))
    good = off_plate & (x >= 0) & (y >= 0) & (x < picture.shape[1]) & (y < picture.shape[0])
    return picture[y[good], x[good]]


def _whole(places: Any) -> NDArray[np.intp]:
    return np.rint(places).astype(np.intp)


def _plate_white(picture: Picture, corners: NDArray[np.float32], light: Light, neutral: Points) -> float:
    """Light of the brightest of a plate: its white signs, or its white or yellow ground."""
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(0)).astype(int)
    piece = np.ascontiguousarray(picture[top:bottom, left:right]).reshape(-1, 3)
    if len(piece) == 0:
        return 1.0
    return float(np.percentile((_linear(piece, light.veil) * neutral) @ _WEIGHTS, 95))


def _linear(coded: NDArray[np.uint8], veil: float) -> Points:
    """Points (rows of BGR) as light, 0 to 1, without what lies over them."""
    clear = np.maximum(coded.astype(np.float32) - np.float32(veil), 0) / np.float32(255 - veil)
    return (clear ** np.float32(2.2)).astype(np.float32)


def _lab(linear: Points) -> Points:
    """Light as L* 0 to 100, a* and b*."""
    whole = cv2.cvtColor(linear.astype(np.float32).reshape(1, -1, 3), cv2.COLOR_LBGR2LAB)
    return whole.reshape(-1, 3).astype(np.float32, copy=False)


def told_together(seen: Sequence[BodyColour]) -> BodyColour:
    """Several looks at one body vote, each as sure as it was; those that could not say count against all of it."""
    if not seen:
        return BodyColour("", 0.0, Doubt.HIDDEN)
    votes: dict[str, float] = defaultdict(float)
    doubts: dict[str, int] = defaultdict(int)
    for one in seen:
        if one.colour:
            votes[one.colour] += one.sure
        else:
            doubts[one.doubt] += 1
    if not votes:
        return BodyColour("", 0.0, max(doubts, key=lambda each: (doubts[each], each)))
    colour = max(votes, key=lambda each: (votes[each], each))
    told = [one.sure for one in seen if one.colour == colour]
    agree = votes[colour] / (sum(votes.values()) + 0.3 * sum(doubts.values()))
    sure = round(agree * max(told), 3)
    return BodyColour(colour, sure) if sure >= LEAST_SURE else BodyColour("", sure, Doubt.BETWEEN)
