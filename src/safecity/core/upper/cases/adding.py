"""What is put into a case beside searches of lists: notes, footage, finds of movement, single alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.alarms.api import Alarms
from safecity.core.ground.audit.api import note
from safecity.core.ground.exports.api import Hold, Holds, holds_of_case, let_go
from safecity.core.ground.loose.api import Loose
from safecity.core.upper.cases import store
from safecity.core.upper.cases.decide import Entry, EntryKind, Loss
from safecity.core.upper.cases.keeping import Keeping, new_entry, writable
from safecity.core.upper.cases.rights import thing_of
from safecity.core.upper.cases.service import find, loss_of
from safecity.core.upper.cases.things import of_alarm, of_hold
from safecity.kit.errors import NotFoundError
from safecity.ports.database import Database, Tx


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search for movement looked at, as its answer said: key frames of [start, until); `step_us` the longest
    time between two that were compared; `missing_us` how long there is no footage; `dismissed` finds in which
    no picture shows movement."""

    until: int
    frames: int
    unreadable: int
    step_us: int
    missing_us: int
    dismissed: int = 0


class Adding:
    """Everything needs a case that is open and that `who` writes, and the right to what is put in."""

    def __init__(self, database: Database, keeping: Keeping, holds: Holds, loose: Loose, alarms: Alarms) -> None:
        self._database = database
        self._keeping = keeping
        self._holds = holds
        self._loose = loose
        self._alarms = alarms

    async def note(self, who: Actor, case: str, words: str) -> Entry:
        """What somebody has to say."""
        return await self._keeping.keep(who, case, new_entry(who, case, EntryKind.NOTE, words))

    async def footage(self, who: Actor, case: str, channel: str, start: int, end: int, words: str) -> Entry:
        """A stretch of what a channel recorded, held while the case is open."""
        return await self._keeping.stretches(
            who, case, channel, [(start, end)], new_entry(who, case, EntryKind.FOOTAGE, words)
        )

    async def movement(
        self, who: Actor, case: str, channel: str, question: dict[str, Any], looked: Looked,
        finds: Sequence[tuple[int, int]], words: str,
    ) -> Entry:  # fmt: skip
        """A search for movement, with finds that were chosen. It is not done again: what it looked at is what its
        answer said, and the entry says so."""
        seen = {name: getattr(looked, name) for name in Looked.__dataclass_fields__}
        entry = replace(
            new_entry(who, case, EntryKind.SEARCH, words), stock="recordings", question=question,
            looked={**seen, "since": question["start"], "places": 1, "reported": True},
        )  # fmt: skip
        return await self._keeping.stretches(who, case, channel, finds, entry)

    async def alarm(self, who: Actor, case: str, alarm: str, words: str) -> Entry:
        """An alarm as it stands now, with the footage around it held where there is any."""
        await self._keeping.open(who, case)
        seen = await self._alarms.see(who, alarm)
        entry = new_entry(who, case, EntryKind.ALARM, words)
        hold = await self._keeping.around(who, case, seen)
        held = [] if hold is None else [hold]
        footage = [of_hold(each, entry, seen.longitude, seen.latitude) for each in held]
        return await self._keeping.keep(who, case, entry, [of_alarm(seen, entry), *footage], held=held)

    async def remove(self, who: Actor, case: str, entry: str) -> Loss:
        """Take one out again, by who put it in or who manages the case; what went with it."""

        def work(tx: Tx) -> tuple[Loss, list[Hold]]:
            one = writable(tx, who, case)
            found = store.find_entry(tx, case, entry)
            if found is None:
                raise NotFoundError("no such entry", code="not_found", params={"kind": "entry"})
            if found.by != who.user:
                find(tx, who, Action.CASE_MANAGE, case)
            results = store.results_of(tx, [entry])[entry]
            lost = loss_of(tx, results, 1)
            wanted = {each.hold for each in results}
            gone = [hold for hold in holds_of_case(tx, case) if hold.id in wanted]
            let_go(tx, who, gone, case=one.number)
            store.remove_entry(tx, entry, who.at)
            note(
                tx, who, "case.take_out", thing_of(one), one.number, entry=str(found.kind), results=lost.results,
                pictures=lost.pictures,
            )  # fmt: skip
            return lost, gone

        lost, gone = await self._database.write(work)
        await self._holds.tell(gone)
        await self._loose.sweep()
        return lost
