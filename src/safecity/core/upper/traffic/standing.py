"""Which vehicles stand on a road that others drive on. Pure.

A vehicle stands when it has reported one place four times running (Linear Road, `flows.standing`), for as long as four
of that benchmark's reports take, however often it reports. It must have come there by driving: who is heard of first
where it stands was parked there. Silence is no standing: a terminal that goes dead says nothing from then on.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from msgspec import Struct

from safecity.core.upper.flows.api import STOPPED_AFTER, reports_here
from safecity.kit.clock import SECOND_US
from safecity.kit.earth import plane

SAME_METRES: Final = 15.0
"""Positions wander by so much while a vehicle stands."""
DROVE_METRES: Final = 50.0
"""Who came from nearer may have wandered only."""
LEAST_US: Final = 90 * SECOND_US
SILENT_US: Final = 90 * SECOND_US
"""A longer gap between two reports is no evidence of what was between them."""
CAME_US: Final = 300 * SECOND_US
FASTEST_MPS: Final = 70.0
STANDS_MPS: Final = 1.5
"""Who says a higher speed from one place lies about one of them."""
TELL_US: Final = 15 * SECOND_US


class Still(Struct, frozen=True, array_like=True, gc=False):
    """Where a vehicle is and since when, and what of it can be believed.

    reports     running from this place, up to four
    course      degrees from north in which it came; None: it did not come by driving
    told        the last time that it was said to stand, 0: it was not
    """

    longitude: float
    latitude: float
    since: int
    last: int
    reports: int = 1
    course: float | None = None
    told: int = 0


class Standing(NamedTuple):
    """A vehicle stands, or (`left`) stands no more. `vehicle`: a keyed hash of it, put in by the
    operator."""

    vehicle: str
    longitude: float
    latitude: float
    course: float
    since: int
    last: int
    left: bool = False


def seen(
    before: Still | None, at: int, longitude: float, latitude: float, speed: float | None
) -> tuple[Still, Standing | None]:
    """After one more position (degrees, m/s as the terminal says it): what is known now, and what is to be told."""
    fresh = Still(longitude, latitude, at, at)
    if before is None:
        return fresh, None
    if at <= before.last:  # late: what came after it is known
        return before, None
    metres, course = _way(before, longitude, latitude)
    gap = at - before.last
    if metres > SAME_METRES:
        drove = metres >= DROVE_METRES and gap <= CAME_US and metres <= FASTEST_MPS * gap / SECOND_US
        kept = course if drove else before.course if metres < DROVE_METRES and gap <= SILENT_US else None
        return Still(longitude, latitude, at, at, course=kept), _left(before, at)
    if speed is not None and speed > STANDS_MPS:
        return Still(before.longitude, before.latitude, at, at), _left(before, at)
    if gap > SILENT_US:  # it begins to stand anew; and it has not left
        kept = before.course if before.told and gap <= CAME_US else None
        return Still(before.longitude, before.latitude, at, at, course=kept, told=before.told), None
    reports = reports_here(before.reports, same_place=True)
    now = Still(before.longitude, before.latitude, before.since, at, reports, before.course, before.told)
    stands = reports >= STOPPED_AFTER and at - now.since >= LEAST_US and now.course is not None
    if not stands or now.course is None or at - now.told < TELL_US:
        return now, None
    told = Standing("", now.longitude, now.latitude, now.course, now.since, at)
    return Still(now.longitude, now.latitude, now.since, at, reports, now.course, at), told


def _left(before: Still, at: int) -> Standing | None:
    if not before.told:
        return None
    return Standing("", before.longitude, before.latitude, before.course or 0.0, before.since, at, left=True)


def _way(before: Still, longitude: float, latitude: float) -> tuple[float, float]:
    """Metres, and degrees from north."""
    east, north = plane((before.longitude, before.latitude), (longitude, latitude))
    return math.hypot(east, north), math.degrees(math.atan2(east, north)) % 360
