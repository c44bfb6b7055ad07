"""Points, lines and areas on a plane: in a picture as shares of its width and height, on the ground in metres. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]


def inside(area: Sequence[Point], point: Point) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    x, y = point
    found = False
    for (ax, ay), (bx, by) in pairwise([*area, area[0]]):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            found = not found
    return found


def side(a: Point, b: Point, point: Point) -> float:
    """Positive to the right of the way from `a` to `b` as one looks at the picture (its y grows downwards), negative to
    the left; in shares times the length of the way."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


def met(a: Point, b: Point, start: Point, end: Point) -> float | None:
    """Where on the way from `start` to `end` (0 to 1) the line from `a` to `b` is crossed; None where it is not."""
    before, after = side(a, b, start), side(a, b, end)
    if before == after or (before > 0) == (after > 0):
        return None
    if (side(start, end, a) > 0) == (side(start, end, b) > 0):
        return None
    return before / (before - after)


def off(line: Sequence[Point], point: Point) -> float:
    """How far a point lies off the nearest piece of a line; negative to its left."""
    best = 0.0
    least = float("inf")
    for a, b in pairwise(line):
        dx, dy = b[0] - a[0], b[1] - a[1]
        length = dx * dx + dy * dy
        share = 0.0 if length == 0 else max(0.0, min(1.0, ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length))
        way = ((point[0] - a[0] - share * dx) ** 2 + (point[1] - a[1] - share * dy) ** 2) ** 0.5
        if way < least:
            least, best = way, way if side(a, b, point) >= 0 else -way
    return best
