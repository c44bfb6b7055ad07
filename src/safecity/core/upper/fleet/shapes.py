"""Shapes on the ground and how deep a place lies in them. Pure; WGS-84 degrees in, metres out.

Distances are measured on the plane that touches the globe at the place that is asked about: what is near to it is
right to a metre, and of what is far only that it is far matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Final

from safecity.kit.earth import METRES_OF_DEGREE, degrees_east
from safecity.kit.errors import InvalidError
from safecity.vision.enforcement.geometry import inside

Point = tuple[float, float]
"""Longitude and latitude."""
MAX_POINTS: Final = 200
MAX_DEGREES: Final = 20.0
"""A shape is a place in a country, not on both sides of the globe."""
_LEAST: Final = {"circle": (1, 1), "rectangle": (2, 2), "polygon": (3, MAX_POINTS), "route": (2, MAX_POINTS)}


class ShapeKind(StrEnum):
    """What the points of a shape are."""

    CIRCLE = "circle"
    RECTANGLE = "rectangle"
    POLYGON = "polygon"
    ROUTE = "route"


@dataclass(frozen=True)
class Shape:
    """`points`: the middle of a circle, two opposite corners of a rectangle, the corners of a polygon, the line of a
    route. `metres`: radius of a circle, whole width of a route, else 0. InvalidError `shape_invalid`."""

    kind: ShapeKind
    points: tuple[Point, ...]
    metres: float = 0.0

    def __post_init__(self) -> None:
        least, most = _LEAST[self.kind]
        _need(least <= len(self.points) <= most, "points")
        for longitude, latitude in self.points:
            _need(math.isfinite(longitude) and -180 <= longitude <= 180, "points")
            _need(math.isfinite(latitude) and -85 <= latitude <= 85, "points")
        west, south, east, north = self.bounds
        _need(east - west <= MAX_DEGREES and north - south <= MAX_DEGREES, "points")
        match self.kind:
            case ShapeKind.CIRCLE:
                _need(10 <= self.metres <= 200_000, "metres")
            case ShapeKind.ROUTE:
                _need(10 <= self.metres <= 2_000, "metres")
                _need(east > west or north > south, "points")
            case ShapeKind.RECTANGLE:
                _need(east > west and north > south, "points")
            case ShapeKind.POLYGON:
                _need(abs(_doubled_area(self.points)) > 1e-12, "points")

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of its points."""
        longitudes, latitudes = [x for x, _ in self.points], [y for _, y in self.points]
        return min(longitudes), min(latitudes), max(longitudes), max(latitudes)

    @cached_property
    def corners(self) -> tuple[Point, ...]:
        """Of a rectangle all four."""
        if self.kind is not ShapeKind.RECTANGLE:
            return self.points
        west, south, east, north = self.bounds
        return (west, south), (east, south), (east, north), (west, north)

    def depth(self, place: Point) -> float:
        """Metres from its edge: above 0 inside, below 0 outside."""
        shrink = math.cos(math.radians(place[1]))
        x0 = self.corners[0][0]
        away = degrees_east(place[0], x0)
        line = [
            ((away + x - x0) * METRES_OF_DEGREE * shrink, (y - place[1]) * METRES_OF_DEGREE) for x, y in self.corners
        ]
        match self.kind:
            case ShapeKind.CIRCLE:
                return self.metres - math.hypot(*line[0])
            case ShapeKind.ROUTE:
                return self.metres / 2 - _nearest(line)
            case ShapeKind.RECTANGLE | ShapeKind.POLYGON:
                edge = _nearest([*line, line[0]])
                return edge if inside(line, (0.0, 0.0)) else -edge

    def is_far(self, place: Point, metres: float) -> bool:
        """Whether a place is surely more than so far outside: what most are, and cheap to say."""
        reach = (self.metres + metres) / METRES_OF_DEGREE
        west, south, east, north = self.bounds
        if not south - reach <= place[1] <= north + reach:
            return True
        wide = reach / max(0.05, math.cos(math.radians(min(85.0, abs(place[1])))))
        return not -wide <= degrees_east(west, place[0]) <= east - west + wide


def _nearest(line: Sequence[Point]) -> float:
    """From the middle of the plane to a line on it."""
    best = math.inf
    for (ax, ay), (bx, by) in pairwise(line):
        dx, dy = bx - ax, by - ay
        long = dx * dx + dy * dy
        share = min(1.0, max(0.0, -(ax * dx + ay * dy) / long)) if long else 0.0
        best = min(best, math.hypot(ax + share * dx, ay + share * dy))
    return best


def _doubled_area(points: Sequence[Point]) -> float:
    x0, y0 = points[0]
    return sum(
        (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
        for (ax, ay), (bx, by) in pairwise(points)
    )  # fmt: skip


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a shape", code="shape_invalid", params={"field": name})
