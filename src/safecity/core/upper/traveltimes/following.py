"""Follows the passages that are told on the bus, and keeps what they say of travel times.

All that is kept is computed from the marks, and the marks from the passages: so it makes no difference in which order
passages come, whether they come twice, or between which two of them this died.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from safecity.core.ground.following import Follower
from safecity.core.ground.passages.api import RECORDED, WITHDRAWN, Passage, read
from safecity.core.ground.tollgates.api import Purpose
from safecity.core.upper.traveltimes import marks, tables
from safecity.core.upper.traveltimes.decide import BUCKET_US, PERIOD_US, Mark, TravelSection, bucket_of, trips
from safecity.core.upper.traveltimes.filtering import times
from safecity.core.upper.traveltimes.keys import Keys, first_living, pseudonym
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
CONSUMER: Final = "travel"
PULL: Final = 200
BEFORE_US: Final = 3 * BUCKET_US
"""Where few arrive, those who arrived so long before say what is usual."""
SUREST: Final = 0.5
"""Readings that their source believes less than this are of nobody."""
TEND_SECONDS: Final = 60.0


class TravelFollower(Follower):
    """The only one who measures."""

    def __init__(self, database: Database, bus: Bus, keys: Keys, clock: Clock) -> None:
        super().__init__(bus, CONSUMER, (RECORDED, WITHDRAWN), PULL)
        self._database = database
        self._keys = keys
        self._clock = clock
        self._forgotten = 0

    async def take(self, events: Sequence[Event]) -> None:
        """Count the passages that were told; what is told again is the same."""
        gates = {str(event.body.get("tollgate") or "") for event in events} - {""}
        if not await self._database.read(lambda tx: tables.sections_at(tx, gates)):
            return  # of most passages nothing more is read
        keys, now = await self._turn(), self._clock.now_us()
        await self._database.write(lambda tx: self._take(tx, events, keys, now))

    async def tend(self) -> None:
        """Until cancelled: keys end when their time is over, whether vehicles come or not."""
        while True:
            try:
                await self.forget()
            except SafecityError as error:  # a full disk: the next turn does it
                logger.warning("pseudonyms of plates not forgotten yet why=%s", error)
            await asyncio.sleep(TEND_SECONDS)

    async def forget(self) -> int:
        """The keys whose time is over, and then what was made with them; how many marks and drives went."""
        await self._turn()
        first = first_living(self._clock.now_us())
        if first == self._forgotten:
            return 0
        gone = await self._database.write(lambda tx: marks.forget(tx, first * PERIOD_US))
        self._forgotten = first
        return gone

    async def _turn(self) -> Mapping[int, bytes]:
        now = self._clock.now_us()
        try:
            return await asyncio.to_thread(self._keys.turn, now)
        except OSError as error:
            raise UnavailableError(f"keys of travel times: {error}", code="disk_full") from error

    def _take(self, tx: Tx, events: Sequence[Event], keys: Mapping[int, bytes], now: int) -> None:
        moved: dict[tuple[str, int], TravelSection] = {}
        at_gate: dict[str, list[TravelSection]] = {"": []}
        for event in events:
            gate = str(event.body.get("tollgate") or "")
            if gate not in at_gate:
                at_gate[gate] = tables.sections_at(tx, {gate})
            if at_gate[gate]:
                for section, at in _counted(tx, event, at_gate[gate], keys, now):
                    first = bucket_of(at)
                    touched = range(first, first + BEFORE_US + BUCKET_US, BUCKET_US)  # those after it look back at it
                    moved |= {(section.id, bucket): section for bucket in touched}
        for (name, bucket), section in moved.items():
            found = marks.trips_between(tx, name, bucket - BEFORE_US, bucket + BUCKET_US)
            own = [one for one in found if one.at >= bucket]
            tables.put_times(tx, section, bucket, times(own, [one for one in found if one.at < bucket]))


def _counted(
    tx: Tx, event: Event, sections: Sequence[TravelSection], keys: Mapping[int, bytes], now: int
) -> list[tuple[TravelSection, int]]:
    """Sections and moments at which drives came or went with it."""
    name = str(event.body.get("passage", ""))
    old = marks.named(tx, [pseudonym(key, "passage", name) for key in keys.values()])
    passage = read(tx, event) if event.kind == RECORDED else None
    if passage is not None and not _usable(passage, keys, now):
        passage = None
    new = None if passage is None else _mark(passage, keys[passage.at // PERIOD_US])
    if new == old:
        return []
    marks.put(tx, old, new)
    moved: list[tuple[TravelSection, int]] = []
    for section in sections:
        if old is not None:
            moved += [(section, one.at) for one in marks.drop_trips_of(tx, section.id, old.name)]
            moved += _driven(tx, section, old, [old.vehicle])
        if new is not None and passage is not None:
            known = [pseudonym(key, "plate", passage.plate) for key in keys.values()]
            moved += _driven(tx, section, new, known)
    return moved


def _driven(tx: Tx, section: TravelSection, mark: Mark, vehicle: Collection[bytes]) -> list[tuple[TravelSection, int]]:
    """The drives that end with this passage or after it, anew: it can begin one, end one, or part another."""
    if not (section.enters(mark) or section.leaves(mark)):
        return []
    reach = section.longest_us
    around = marks.of_vehicle(tx, vehicle, section, mark.at - reach, mark.at + reach)
    exits = {one.name for one in around if one.at >= mark.at and section.leaves(one)}
    now = [one for one in trips(section, around) if one.exit in exits]
    return [(section, one.at) for one in marks.put_trips(tx, section.id, exits, now)]


def _mark(passage: Passage, key: bytes) -> Mark:
    name, vehicle = pseudonym(key, "passage", passage.id), pseudonym(key, "plate", passage.plate)
    return Mark(name, vehicle, passage.tollgate or "", passage.lane, passage.at)


def _usable(passage: Passage, keys: Mapping[int, bytes], now: int) -> bool:
    """Whether its plate and time can be believed, and it was kept for traffic, and not for administrators alone."""
    sure = bool(passage.plate) and "?" not in passage.plate
    sure = sure and (passage.confidence is None or passage.confidence >= SUREST) and not passage.clock_doubtful
    kept = Purpose.TRAFFIC in passage.purposes and not passage.restricted and passage.keep_until > now
    return sure and kept and passage.at // PERIOD_US in keys
