"""Follows the passages that are told on the bus, and counts them by checkpoint, lane and minute.

A minute is counted anew from its passages whenever one of them comes, changes or goes: so it makes no difference in
which order they come, whether they come twice, or between which two of them this died.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safecity.core.ground.following import Follower
from safecity.core.ground.passages.api import RECORDED, WITHDRAWN, Passage, near
from safecity.core.ground.tollgates.api import Purpose, find_many
from safecity.core.upper.counts import tables
from safecity.core.upper.counts.decide import MINUTE_US, Counted, one_vehicle
from safecity.core.upper.counts.placing import at_gate
from safecity.kit.clock import Clock
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

CONSUMER: Final = "counts"
ORIGIN: Final = "passages"
PULL: Final = 200
LATE_US: Final = 23 * 3600 * 1_000_000
"""A checkpoint may keep its passages for one day only: what is older cannot be counted anew."""


class CountFollower(Follower):
    """The only one who counts passages."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        super().__init__(bus, CONSUMER, (RECORDED, WITHDRAWN), PULL)
        self._database = database
        self._clock = clock

    async def take(self, events: Sequence[Event]) -> None:
        """The minutes that they touch, anew."""
        now = self._clock.now_us()
        touched: defaultdict[str, set[int]] = defaultdict(set)
        for event in events:
            gate = event.body.get("tollgate")
            for at in (event.at, event.body.get("was_at")):
                if isinstance(gate, str) and isinstance(at, int) and at > now - LATE_US:
                    touched[gate].add(at - at % MINUTE_US)
        if touched:
            await self._database.write(lambda tx: _count(tx, touched))


def _count(tx: Tx, touched: dict[str, set[int]]) -> None:
    gates = find_many(tx, list(touched))
    for gate, minutes in touched.items():
        seen = {minute: _passed(tx, gate, minute) for minute in minutes}
        points = {one.lane: one for one in tables.at_gate(tx, ORIGIN, gate)}
        lanes = {one.lane for some in seen.values() for one in some}
        if any(seen.values()) and gate in gates:
            wanted = {lane: at_gate(gates[gate], lane, origin=ORIGIN, source=ORIGIN) for lane in {None, *lanes}}
            points |= {lane: tables.known(tx, one) for lane, one in wanted.items()}
        for lane, point in points.items():
            tables.put(tx, point.id, [(minute, _sum(some, lane)) for minute, some in seen.items()])


def _passed(tx: Tx, gate: str, minute: int) -> list[Passage]:
    """Those of a minute that may be counted: kept for traffic, not for administrators alone, at a time that is known.
    A vehicle whose plate nobody read is a vehicle."""
    found = near(tx, gate, [(minute, minute + MINUTE_US - 1)])
    return [
        one for one in found if Purpose.TRAFFIC in one.purposes and not one.restricted and not one.clock_doubtful
    ]  # fmt: skip


def _sum(passages: Sequence[Passage], lane: int | None) -> Counted | None:
    mine = [one for one in passages if lane is None or one.lane == lane]
    if not mine:
        return None
    counted = sum((one_vehicle(one.vehicle_class, one.speed_kmh) for one in mine), Counted())
    return replace(counted, seconds=MINUTE_US // 1_000_000)
