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


def size(area: Sequence[Point]) -> float:
    """Of a polygon whose edges do not cross, as a share of the picture."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise([*area, area[0]]))) / 2


def simple(area: Sequence[Point]) -> bool:
    """Whether the edges of a polygon meet at its corners alone: one that crosses itself has no inside that whoever drew
    it would agree with."""
    edges = list(pairwise([*area, area[0]]))
    if any(a == b for a, b in edges):
        return False
    for place, (a, b) in enumerate(edges):
        for later in range(place + 1, len(edges)):
            c, d = edges[later]
            if later == place + 1 or (place == 0 and later == len(edges) - 1):
                shared, one, other = (b, a, d) if later == place + 1 else (a, b, c)
                if _back(shared, one, other):
                    return False
            elif _touch(a, b, c, d):
                return False
    return True


def _back(corner: Point, one: Point, other: Point) -> bool:
    """Whether two edges of a corner lie on one another."""
    along = (one[0] - corner[0]) * (other[0] - corner[0]) + (one[1] - corner[1]) * (other[1] - corner[1])
    return side(corner, one, other) == 0 and along > 0


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the ways from `a` to `b` and from `c` to `d` have a point in common."""
    sides = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn == 0 and _between(*end) for turn, end in zip(sides, ends, strict=True))


def _between(a: Point, b: Point, point: Point) -> bool:
    """Of a point on the line through `a` and `b`."""
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


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
