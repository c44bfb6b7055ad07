"""A rectangle on the road whose size is known, as it is drawn on a camera's picture: what it takes to measure there.
Data that checks itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from safecity.kit.errors import InvalidError
from safecity.vision.enforcement.geometry import Point, side, size

SIDES: Final = (1.0, 200.0)
"""Metres of a rectangle's side, least and most."""
CAMERA_HEIGHTS: Final = (2.0, 50.0)
"""Metres. A camera must hang well above the plates."""
LEAST_SIZE: Final = 0.005
"""Of the picture: 80 x 58 pixels of 1280 x 720."""
LEAST_SIDE: Final = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """A rectangle on the road.

    corners         in the picture, one after another around it; the first two lie across the road
    width_m         metres from the first to the second, across the road
    length_m        metres from the second to the third, along it
    camera_height_m   metres of the camera above the road: a plate is not on the road, and seems to be further away and
                    faster than it is, the more the lower the camera hangs

    InvalidError `scene_invalid` for numbers out of range, `calibration_shape` where the corners are not those of a
    rectangle seen from above, `calibration_small` where it is too small in the picture to measure by.
    """

    corners: tuple[Point, ...]
    width_m: float
    length_m: float
    camera_height_m: float

    def __post_init__(self) -> None:
        for name, (least, most) in {"width_m": SIDES, "length_m": SIDES, "camera_height_m": CAMERA_HEIGHTS}.items():
            if not least <= getattr(self, name) <= most:
                _refuse("scene_invalid", f"{name}: not within {least} to {most}", name)
        if len(self.corners) != 4 or not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in self.corners):
            _refuse("scene_invalid", "corners: four within the picture", "corners")
        if not _convex(self.corners):
            _refuse("calibration_shape", "corners: not those of a rectangle, one after another around it", "corners")
        edges = pairwise((*self.corners, self.corners[0]))
        if size(self.corners) < LEAST_SIZE or min(max(abs(a - c), abs(b - d)) for (a, b), (c, d) in edges) < LEAST_SIDE:
            _refuse("calibration_small", "corners: too close to measure by", "corners")

    @property
    def on_road(self) -> tuple[Point, ...]:
        """Where the corners are on the road, metres."""
        return ((0.0, 0.0), (self.width_m, 0.0), (self.width_m, self.length_m), (0.0, self.length_m))


def read_calibration(said: Mapping[str, Any]) -> Calibration:
    """Out of plain JSON."""
    corners = tuple((float(x), float(y)) for x, y in said["corners"])
    sizes = {name: float(said[name]) for name in ("width_m", "length_m", "camera_height_m")}
    return Calibration(corners=corners, **sizes)


def write_calibration(one: Calibration) -> dict[str, Any]:
    """The other way round."""
    sizes = {name: getattr(one, name) for name in ("width_m", "length_m", "camera_height_m")}
    return {"corners": [list(corner) for corner in one.corners], **sizes}


def _convex(corners: Sequence[Point]) -> bool:
    """Whether all turns go the same way: a rectangle that is seen from above the road has no corner that points
    inwards, and of four edges that turn the same way none crosses another."""
    around = [*corners, *corners[:2]]
    turns = [side(a, b, c) for a, b, c in zip(around, around[1:], around[2:], strict=False)]
    return all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)


def _refuse(code: str, words: str, field: str) -> None:
    raise InvalidError(words, code=code, params={"field": field})
