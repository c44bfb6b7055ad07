"""What of a position may be believed: told the time of receipt, it says when, whether it moves the ship, why not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.kit.earth import EARTH_METRES
from safecity.protocols.ais.messages import (
    FASTEST_KNOTS,
    AidToNavigation,
    BaseStation,
    ClassAPosition,
    ClassBExtended,
    ClassBPosition,
    LongRange,
    Position,
)

NO_PLACE: Final = "ais_no_place"
NULL_ISLAND: Final = "ais_null_island"
OUT_OF_ORDER: Final = "ais_out_of_order"
LATE: Final = "ais_late"
AHEAD_SECONDS: Final = 5
"""A ship's second may be ahead of our receipt by so much: clocks."""
FASTEST_MS: Final = FASTEST_KNOTS * 1852 / 3600
SLACK_METRES: Final = 1_000.0
"""Fixes to a tenth of a minute (message 27) lie apart by that without anything having moved."""
_NOT_WORKING: Final = 63


@dataclass(frozen=True, slots=True)
class Judged:
    """`moves`: the place may move the marker. `reasons` says what was not believed."""

    moves: bool
    at_us: int
    reasons: tuple[str, ...] = ()


def judge(message: Position, received_us: int) -> Judged:
    """Every reason that applies."""
    reasons = list(message.doubts)
    longitude, latitude = message.longitude, message.latitude
    if longitude is None or latitude is None:
        if not reasons:
            reasons.append(NO_PLACE)
        return Judged(False, received_us, tuple(reasons))
    moves = True
    if longitude == 0 and latitude == 0:
        moves = False
        reasons.append(NULL_ISLAND)
    second = None if isinstance(message, LongRange | BaseStation) else message.second
    if second == _NOT_WORKING:
        moves = False
        reasons.append(OUT_OF_ORDER)
    if isinstance(message, LongRange) and message.late:
        reasons.append(LATE)
    return Judged(moves, when(second, received_us), tuple(reasons))


def when(second: int | None, received_us: int) -> int:
    """The moment with that second of the minute that is nearest before receipt; receipt where no second is told."""
    if second is None or second > 59:
        return received_us
    now = received_us // SECOND_US
    ago = (now - second) % 60
    if ago > 60 - AHEAD_SECONDS:
        ago -= 60
    return (now - ago) * SECOND_US


def speed_ms(message: Position) -> float | None:
    """Metres a second; what stands still by its nature has none."""
    match message:
        case BaseStation() | AidToNavigation():
            return None
        case ClassAPosition() | ClassBPosition() | ClassBExtended() | LongRange():
            return None if message.speed is None else round(message.speed * 1852 / 3600, 3)


def course(message: Position) -> float | None:
    """Degrees from north over ground."""
    if isinstance(message, BaseStation | AidToNavigation) or message.course is None:
        return None
    return float(message.course)


def can_reach(start: tuple[float, float], end: tuple[float, float], seconds: float) -> bool:
    """Whether anything that floats comes from one (longitude, latitude) to the other in that time."""
    return metres(start, end) <= SLACK_METRES + FASTEST_MS * max(0.0, seconds)


def metres(start: tuple[float, float], end: tuple[float, float]) -> float:
    """On the sphere, between (longitude, latitude) in degrees."""
    (west, south), (east, north) = start, end
    across, along = math.radians(north - south), math.radians(east - west)
    part = math.sin(across / 2) ** 2 + math.cos(math.radians(south)) * math.cos(math.radians(north)) * (
        math.sin(along / 2) ** 2
    )
    return 2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(part)))
