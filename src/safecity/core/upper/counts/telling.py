"""Keeps the duty `traffic` at what is counted beside roads: it forgets it when it begins anew."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from safecity.core.upper.counts import tables
from safecity.core.upper.counts.decide import BUCKET_US, Counted, CountPoint
from safecity.core.upper.counts.following import ORIGIN
from safecity.core.upper.counts.placing import moved
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError
from safecity.model.facts.traffic_calls import ApplyCounts, RoadCount
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

ADDRESS: Final = "traffic"
TELL_SECONDS: Final = 20.0
TIMEOUT: Final = 10.0
AT_ONCE: Final = 1_000
PAST_US: Final = 3 * BUCKET_US
POINTS: Final = 400
"""In one query."""


class CountTeller:
    """Tells all of the last quarter of an hour, again and again: a duty that was not there misses nothing."""

    def __init__(self, database: Database, calls: Calls, clock: Clock) -> None:
        self._database = database
        self._calls = calls
        self._clock = clock
        self._silent = True

    async def run(self) -> None:
        """Until cancelled. Where the duty is not there, or not yet, the next turn tells it."""
        while True:
            with contextlib.suppress(SafecityError):
                await self.tell()
            await asyncio.sleep(TELL_SECONDS)

    async def tell(self) -> int:
        """Once; how many counts there were."""
        await self._follow_gates()
        now = self._clock.now_us()
        counts = await self._database.read(lambda tx: _counts(tx, now))
        if not counts and self._silent:
            return 0
        for begin in range(0, max(len(counts), 1), AT_ONCE):
            part = tuple(counts[begin : begin + AT_ONCE])
            await self._calls.call(ADDRESS, ApplyCounts(part, anew=begin == 0), timeout=TIMEOUT)
        self._silent = not counts
        return len(counts)

    async def _follow_gates(self) -> None:
        """A checkpoint that was moved, or given to another district, takes along what is counted there, also where
        nobody passes it any more."""
        if await self._database.read(moved):
            await self._database.write(lambda tx: [tables.known(tx, one) for one in moved(tx)])


def _counts(tx: Tx, now: int) -> list[RoadCount]:
    points, found = _speaking(tables.placed(tx)), list[RoadCount]()
    since = now - now % BUCKET_US + BUCKET_US - PAST_US
    for begin in range(0, len(points), POINTS):
        part = points[begin : begin + POINTS]
        sums = tables.sums(tx, [one.id for one in part], since, now, BUCKET_US)
        found += [_count(one, at, counted, now) for one in part for at, counted in sums[one.id]]
    return found


def _speaking(points: Sequence[CountPoint]) -> list[CountPoint]:
    """A place as a whole where it is counted as a whole, else its lanes. A checkpoint stands beside a road with two
    directions: of it, or of its lanes, the way must be known."""
    clear = [one for one in points if one.tollgate is None or one.bearing is not None]
    whole = {(one.origin, one.place) for one in clear if one.lane is None}
    return [one for one in clear if one.lane is None or (one.origin, one.place) not in whole]


def _count(point: CountPoint, at: int, counted: Counted, now: int) -> RoadCount:
    assert point.longitude is not None
    assert point.latitude is not None
    seconds = BUCKET_US // SECOND_US if point.origin == ORIGIN else counted.seconds
    return RoadCount(
        point=point.id, site=f"{point.origin}/{point.place}", place=(point.longitude, point.latitude),
        bearing=point.bearing, since=at, until=min(at + seconds * SECOND_US, max(now, at + SECOND_US)),
        vehicles=counted.vehicles, speed_kmh=counted.road_kmh,
    )  # fmt: skip
