"""The globe, as a ball."""

from __future__ import annotations

import math
from typing import Final

EARTH_METRES: Final = 6_371_008.8
"""Mean radius (IUGG)."""
METRES_OF_DEGREE: Final = EARTH_METRES * math.pi / 180
"""Of latitude; of longitude at the equator."""


def plane(middle: tuple[float, float], place: tuple[float, float]) -> tuple[float, float]:
    """Metres east and north of `middle` (longitude, latitude), the shorter way round the globe; right for what is
    near."""
    shrink = math.cos(math.radians((middle[1] + place[1]) / 2))
    return METRES_OF_DEGREE * shrink * degrees_east(middle[0], place[0]), METRES_OF_DEGREE * (place[1] - middle[1])


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the ground; right for what is near."""
    return math.hypot(*plane(one, other))


def degrees_east(start: float, end: float) -> float:
    """Degrees of longitude from one to the other, the shorter way round the globe."""
    return (end - start + 540) % 360 - 180
