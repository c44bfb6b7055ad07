"""What of a position may be believed: told the time of receipt, it says where and when, and why not.

A vehicle whose terminal has no fix must not jump to the coast of Africa (0/0), and a clock that stands in 2000 or years
ahead must not order its history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from safecity.kit.clock import BEIJING, SECOND_US
from safecity.protocols.jt808.alarms import Status, has
from safecity.protocols.jt808.positions import Location

AHEAD_US: Final = 24 * 3600 * SECOND_US
"""A time further ahead of receipt than this is a broken clock."""
NEWEST_OLD_YEAR: Final = 2004
"""No terminal of this standard was built before; clocks that lost their battery begin in 2000."""
OLD_US: Final = 7 * 86_400 * SECOND_US
"""What is said to be now and is further back is a broken clock too: receivers whose week counter has run over are out
by 1,024 weeks."""
FASTEST_TENTHS: Final = 4000
"""Tenths of km/h that no vehicle on a road drives; makers write 0xFFFF for a speed they do not know."""
HIGHEST_METRES: Final = 9000
"""No road lies higher; heights below the sea come as numbers near 65,536."""
_NO_TIME: Final = "0" * 12

NO_FIX: Final = "jt_no_fix"
ENCRYPTED: Final = "jt_encrypted"
NULL_ISLAND: Final = "jt_null_island"
OFF_EARTH: Final = "jt_off_earth"
NO_TIME: Final = "jt_no_time"
BAD_TIME: Final = "jt_bad_time"
TIME_AHEAD: Final = "jt_time_ahead"
TIME_OLD: Final = "jt_time_old"
TIME_LONG_AGO: Final = "jt_time_long_ago"
BAD_DIRECTION: Final = "jt_bad_direction"
BAD_SPEED: Final = "jt_bad_speed"
BAD_HEIGHT: Final = "jt_bad_height"
CUT_ITEMS: Final = "jt_cut_items"


@dataclass(frozen=True, slots=True)
class Judged:
    """`moves`: the position may move the marker. `at_us` is the terminal's time (`own_time`), or that of receipt where
    it cannot be true. `reasons` says what was not believed."""

    moves: bool
    at_us: int
    reasons: tuple[str, ...] = ()
    own_time: bool = True


def parse_time(digits: str) -> int | None:
    """Microseconds UTC of yyMMddHHmmss (UTC+8), or None for what is no time."""
    if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):
        return None
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    try:
        moment = datetime(2000 + year, month, day, hour, minute, second, tzinfo=BEIJING)
    except ValueError:
        return None
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_US


def time_text(us: int) -> str:
    """yyMMddHHmmss of UTC+8."""
    return datetime.fromtimestamp(us // SECOND_US, BEIJING).strftime("%y%m%d%H%M%S")


def _doubt_time(digits: str, received_us: int, catch_up: bool) -> tuple[int | None, str]:
    if digits == _NO_TIME:
        return None, NO_TIME
    at = parse_time(digits)
    if at is None:
        return None, BAD_TIME
    if at > received_us + AHEAD_US:
        return None, TIME_AHEAD
    old = at < received_us - OLD_US
    if 2000 + int(digits[:2]) < NEWEST_OLD_YEAR or (old and not catch_up):
        return None, TIME_OLD
    return at, TIME_LONG_AGO if old else ""


_PLACE_CHECKS: tuple[tuple[str, Callable[[Location], bool]], ...] = (
    (NO_FIX, lambda one: not has(one.status, Status.FIXED)),
    (ENCRYPTED, lambda one: has(one.status, Status.ENCRYPTED)),
    (NULL_ISLAND, lambda one: one.latitude_micro == 0 or one.longitude_micro == 0),
    (OFF_EARTH, lambda one: one.latitude_micro > 90_000_000 or one.longitude_micro > 180_000_000),
)


_NUMBER_CHECKS: tuple[tuple[str, Callable[[Location], bool]], ...] = (
    (BAD_DIRECTION, lambda one: one.direction > 360),
    (BAD_SPEED, lambda one: one.speed_tenths > FASTEST_TENTHS),
    (BAD_HEIGHT, lambda one: one.height > HIGHEST_METRES),
    (CUT_ITEMS, lambda one: bool(one.tail)),
)


def judge(location: Location, received_us: int, *, catch_up: bool = False) -> Judged:
    """Every reason that applies, the first of place, then of time. `catch_up`: it does not say that it is of now."""
    reasons = [reason for reason, applies in _PLACE_CHECKS if applies(location)]
    moves = not reasons
    at, doubt = _doubt_time(location.time, received_us, catch_up)
    if doubt:
        reasons.append(doubt)
    reasons += [reason for reason, applies in _NUMBER_CHECKS if applies(location)]
    return Judged(moves, received_us if at is None else at, tuple(reasons), at is not None)
