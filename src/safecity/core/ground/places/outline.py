"""Where an area lies: its border on the map, and which area a place lies in. Pure.

Rights follow what is found here, so whatever is doubtful leads upwards: a place that two areas claim lies in what is
above both, and an area reaches no farther than the borders of those above it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from posixpath import commonpath
from typing import Final

from safecity.kit.errors import InvalidError

MAX_POINTS: Final = 20_000
"""Of one border: that of a province, told to 100 m."""
MAX_RINGS: Final = 500
LINE_POINTS: Final = 200
"""A line is looked at so often."""
Point = tuple[float, float]
Ring = tuple[Point, ...]
Polygons = tuple[tuple[Ring, ...], ...]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Outline:
    """A border as the MultiPolygon of GeoJSON has it (RFC 7946): rings of longitude and latitude whose last point is
    their first; what lies within an even number of them lies outside. InvalidError `outline_invalid`."""

    polygons: Polygons
    _edges: tuple[tuple[Box, Ring], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rings = [ring for polygon in self.polygons for ring in polygon]
        _need(all(self.polygons) and 0 < len(rings) <= MAX_RINGS, "rings")
        _need(sum(map(len, rings)) <= MAX_POINTS, "points")
        for ring in rings:
            _need(len(ring) >= 4 and ring[0] == ring[-1], "open")
            _need(len(set(ring)) >= 3, "flat")
            for longitude, latitude in ring:
                _need(math.isfinite(longitude) and abs(longitude) <= 180, "place")
                _need(math.isfinite(latitude) and abs(latitude) <= 85, "place")
        object.__setattr__(self, "_edges", tuple((_box(ring), ring) for ring in rings))

    def holds(self, longitude: float, latitude: float) -> bool:
        """Whether a place lies inside."""
        inside = False
        for (west, south, east, north), ring in self._edges:
            if west <= longitude <= east and south <= latitude <= north:
                inside ^= _within(ring, longitude, latitude)
        return inside


@dataclass(frozen=True, slots=True)
class Borders:
    """All outlines there are, by the paths of their areas."""

    drawn: tuple[tuple[str, Outline], ...] = ()

    def area_at(self, longitude: float, latitude: float) -> str | None:
        """The path of the area that a place lies in, `/` where several claim it that have nothing above them; None
        where no border was drawn."""
        holding = {path for path, outline in self.drawn if outline.holds(longitude, latitude)}
        # An area whose superior has a border, and does not hold the place, claims what is not its own.
        outside = [path for path, _ in self.drawn if path not in holding]
        good = [path for path in holding if not any(path.startswith(above) for above in outside)]
        deepest = [path for path in good if not any(other != path and other.startswith(path) for other in good)]
        return above_all(deepest) if deepest else None

    def areas_of(self, line: Sequence[Point]) -> list[str]:
        """Those that a line of places runs through, as far as borders were drawn there."""
        found = {self.area_at(*place) for place in along(line)} if self.drawn else set[str | None]()
        return sorted(one for one in found if one is not None)


def above_all(paths: Iterable[str]) -> str:
    """The path of what lies above all of them."""
    return commonpath(list(paths)).rstrip("/") + "/"


def along(line: Sequence[Point]) -> list[Point]:
    """Its points, and places between them, the longest parts first to be divided."""
    places = list(line)
    lengths = [math.dist(*pair) for pair in pairwise(line)]
    room, whole = LINE_POINTS - len(line), sum(lengths)
    if room > 0 and whole > 0:
        for ((x, y), (u, v)), length in zip(pairwise(line), lengths, strict=True):
            steps = 1 + int(room * length / whole)
            places += [(x + (u - x) * n / steps, y + (v - y) * n / steps) for n in range(1, steps)]
    return places


def _within(ring: Ring, longitude: float, latitude: float) -> bool:
    """Whether a line from the place to the east crosses the ring an odd number of times."""
    inside = False
    for (x, y), (u, v) in pairwise(ring):
        if (y > latitude) != (v > latitude) and longitude < x + (latitude - y) * (u - x) / (v - y):
            inside = not inside
    return inside


def _box(ring: Ring) -> Box:
    longitudes, latitudes = zip(*ring, strict=True)
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def _need(good: bool, why: str) -> None:
    if not good:
        raise InvalidError(f"not a border: {why}", code=f"outline_{why}", params=_BOUNDS.get(why, {}))


_BOUNDS = {"points": {"limit": MAX_POINTS}, "rings": {"limit": MAX_RINGS}}
