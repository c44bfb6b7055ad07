"""Which signs stand before a trouble on the road. Pure.

Along straight lines: a sign that stands within 3 km and looks towards it. A person decides whether it is the road that
the sign stands at; nothing is shown by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from safecity.core.ground.signs.decide import GuidanceSign
from safecity.kit.earth import plane

AHEAD_METRES: Final = 3_000.0
WITHIN_DEGREES: Final = 50.0
"""Left or right of where the drivers look who read the sign."""
AGAINST_DEGREES: Final = 100.0
"""A road that leads farther away from their direction is the other carriageway, or one that they do not take."""
Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A jam or a closure. Lines of longitude and latitude; `directed`: only who drives along them meets it."""

    id: str
    kind: str
    lines: tuple[Line, ...]
    directed: bool = True
    end: int | None = None


def metres_ahead(sign: GuidanceSign, trouble: Trouble) -> float | None:
    """To its nearest point, None where it does not lie before the drivers who read the sign."""
    best: float | None = None
    for line in trouble.lines:
        points = [plane((sign.longitude, sign.latitude), point) for point in line]
        if (
            trouble.directed
            and len(points) > 1
            and _turn(_bearing(points[0], points[-1]), sign.direction) > AGAINST_DEGREES
        ):
            continue
        for x, y in _stretched(points):
            metres = math.hypot(x, y)
            if metres > AHEAD_METRES or (best is not None and metres >= best):
                continue
            if metres < 1.0 or _turn(_bearing((0.0, 0.0), (x, y)), sign.direction) <= WITHIN_DEGREES:
                best = metres
    return best


def standing_before(signs: Iterable[GuidanceSign], trouble: Trouble, most: int = 3) -> list[tuple[GuidanceSign, float]]:
    """The nearest of them, with metres."""
    found = [(sign, metres) for sign in signs if (metres := metres_ahead(sign, trouble)) is not None]
    return sorted(found, key=lambda one: (one[1], one[0].id))[:most]


def _bearing(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360


def _turn(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def _stretched(points: list[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """The points, and of each stretch the one next to the sign: roads are drawn with few points."""
    yield from points[:1]
    for (ax, ay), (bx, by) in pairwise(points):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        share = 0.0 if length == 0 else min(1.0, max(0.0, -(ax * (bx - ax) + ay * (by - ay)) / length))
        yield ax + share * (bx - ax), ay + share * (by - ay)
        yield bx, by
