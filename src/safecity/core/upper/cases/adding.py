"""What is put into a case: notes, footage, alarms, and searches with what was chosen of their results.

A search is asked again here, with the rights of who adds it and for the case's purpose: what the entry says it looked
at is what the platform looked at, whatever a browser showed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, scope
from safecity.core.ground.alarms.api import Alarm, Alarms
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels.api import Channel, find_channel
from safecity.core.ground.channels.api import thing_of as thing_of_channel
from safecity.core.ground.exports.api import Hold, Holds, check_range, holds_of_case, let_go
from safecity.core.ground.loose.api import Loose, named
from safecity.core.ground.passages.api import KeptPicture, Passage, picture_key, readable, seeking, sightings_of
from safecity.core.ground.tollgates.api import Tollgate, some_under
from safecity.core.ground.tollgates.api import find_many as find_gates
from safecity.core.ground.tollgates.api import thing_of as thing_of_gate
from safecity.core.ground.vehicles.api import Vehicles, Wish, asked_of
from safecity.core.upper.cases import store
from safecity.core.upper.cases.decide import (
    LONGEST_US,
    MOST_BYTES,
    MOST_ENTRIES,
    MOST_RESULTS,
    MOST_STRETCHES,
    Case,
    CasePicture,
    Entry,
    EntryKind,
    Loss,
    Result,
    check_open,
)
from safecity.core.upper.cases.rights import spot, thing_of
from safecity.core.upper.cases.service import find, loss_of
from safecity.core.upper.cases.things import of_alarm, of_hold, of_passage, of_violation
from safecity.core.upper.violations.api import Evidence, Violations, Wanted, find_violation
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ExhaustedError, NotFoundError, SafecityError
from safecity.kit.ids import fresh
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx

FOLDER: Final = "cases"
MOST_FOUND: Final = 500
"""Rows of the search that is asked again; the entry says where there were more."""
MOST_STOCK: Final = 100_000
MOST_NAMES: Final = 1_000
NAMED: Final = 50
BEFORE_US, AFTER_US = 10 * SECOND_US, 60 * SECOND_US
"""Footage around an alarm."""
Original = KeptPicture | Evidence
Copies = list[tuple[CasePicture, bytes]]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search for movement looked at, as its answer said: key frames of [start, until); `step_us` the longest
    time between two that were compared; `missing_us` how long there is no footage."""

    until: int
    frames: int
    unreadable: int
    step_us: int
    missing_us: int


class Adding:
    """Everything needs a case that is open and that `who` writes, and the right to what is put in."""

    def __init__(
        self, database: Database, blobs: Blobs, loose: Loose, holds: Holds, vehicles: Vehicles, violations: Violations,
        alarms: Alarms,
    ) -> None:  # fmt: skip
        self._database = database
        self._blobs = blobs
        self._loose = loose
        self._holds = holds
        self._vehicles = vehicles
        self._violations = violations
        self._alarms = alarms

    async def note(self, who: Actor, case: str, words: str) -> Entry:
        """What somebody has to say."""
        return await self._keep(who, case, _entry(who, case, EntryKind.NOTE, words))

    async def footage(self, who: Actor, case: str, channel: str, start: int, end: int, words: str) -> Entry:
        """A stretch of what a channel recorded, held while the case is open."""
        return await self._stretches(who, case, channel, [(start, end)], _entry(who, case, EntryKind.FOOTAGE, words))

    async def movement(
        self, who: Actor, case: str, channel: str, question: dict[str, Any], looked: Looked,
        finds: Sequence[tuple[int, int]], words: str,
    ) -> Entry:  # fmt: skip
        """A search for movement, with finds that were chosen. It is not done again: what it looked at is what its
        answer said, and the entry says so."""
        seen = {name: getattr(looked, name) for name in Looked.__dataclass_fields__}
        entry = replace(
            _entry(who, case, EntryKind.SEARCH, words), stock="recordings", question=question,
            looked={**seen, "since": question["start"], "places": 1, "reported": True},
        )  # fmt: skip
        return await self._stretches(who, case, channel, finds, entry)

    async def alarm(self, who: Actor, case: str, alarm: str, words: str) -> Entry:
        """An alarm as it stands now, with the footage around it held where there is any."""
        await self._database.read(lambda tx: writable(tx, who, case))
        seen = await self._alarms.see(who, alarm)
        entry = _entry(who, case, EntryKind.ALARM, words)
        hold = await self._around(who, case, seen)
        held = [] if hold is None else [hold]
        footage = [of_hold(each, entry, seen.longitude, seen.latitude) for each in held]
        return await self._keep(who, case, entry, [of_alarm(seen, entry), *footage], held=held)

    async def passages(self, who: Actor, case: str, wish: Wish, chosen: Sequence[str], words: str) -> Entry:
        """A search of passages with what was chosen of it, pictures and all. NotFoundError for a passage that is not
        there for `who` and the case's purpose; ExhaustedError `case_too_much`."""
        _check_count(chosen, MOST_RESULTS)
        one = await self._database.read(lambda tx: writable(tx, who, case))
        wish = replace(wish, purpose=one.purpose)
        found = await self._vehicles.find(who, wish, limit=MOST_FOUND, what="case")

        def look(tx: Tx) -> tuple[dict[str, Any], list[tuple[Passage, Tollgate | None, list[KeptPicture]]]]:
            may, asked = scope(who, Action.PASSAGE_SEE), asked_of(tx, who, wish)
            rows, oldest = seeking.stock(tx, may, asked, MOST_STOCK)
            there = [readable(tx, who, name, one.purpose) for name in dict.fromkeys(chosen)]
            gates = find_gates(tx, [each.tollgate for each in there if each.tollgate])
            named_one = find_gates(tx, [wish.tollgate]) if wish.tollgate.startswith("tg_") else {}
            places = [gate for gate in named_one.values() if may.allows(thing_of_gate(gate))]
            if not wish.tollgate:
                places = some_under(tx, may, asked.area, MOST_NAMES)
            seen = sightings_of(tx, [each.id for each in there])
            looked = {
                "since": wish.since, "until": wish.until if wish.until is not None else who.at, "oldest": oldest,
                "stock": rows, "stock_more": rows == MOST_STOCK, "places": len(places),
                "names": [spot(gate.name, thing_of_gate(gate)) for gate in places[:NAMED]],
                "plates": found.looked.plates, "rows": found.looked.passages,
                "found": len(found.passages), "more": found.after is not None, "back_to": found.looked.oldest,
            }  # fmt: skip
            pictures = {name: [each for said in many for each in said.pictures] for name, many in seen.items()}
            return looked, [(each, gates.get(each.tollgate or ""), pictures[each.id]) for each in there]

        looked, there = await self._database.read(look)
        entry = replace(
            _entry(who, case, EntryKind.SEARCH, words), stock="passages", question=wish.said(), looked=looked
        )  # fmt: skip
        copies = await self._copies([pictures for _, _, pictures in there], who.at)
        kept = [
            replace(of_passage(passage, gate, entry), pictures=tuple(each for each, _ in copied))
            for (passage, gate, _), copied in zip(there, copies, strict=True)
        ]
        return await self._with_copies(who, case, entry, kept, copies)

    async def violations(
        self, who: Actor, case: str, wanted: Wanted, area: str, chosen: Sequence[str], words: str
    ) -> Entry:
        """A list of violations with what was chosen of it, evidence and all; as `passages`."""
        _check_count(chosen, MOST_RESULTS)
        await self._database.read(lambda tx: writable(tx, who, case))
        found, counts = await self._violations.page(who, wanted, area=area, limit=MOST_FOUND + 1)
        there = await self._database.read(
            lambda tx: [find_violation(tx, who, Action.VIOLATION_SEE, name) for name in dict.fromkeys(chosen)]
        )
        asked = {"states": " ".join(wanted.states), "kind": wanted.kind, "plate": wanted.plate,
                 "tollgate": wanted.tollgate, "area": area, "since": wanted.since, "until": wanted.until}  # fmt: skip
        entry = replace(
            _entry(who, case, EntryKind.SEARCH, words), stock="violations",
            question={name: value for name, value in asked.items() if value not in ("", None)},
            looked={"since": wanted.since, "until": wanted.until if wanted.until is not None else who.at,
                    "stock": sum(counts.values()), "found": min(len(found), MOST_FOUND),
                    "more": len(found) > MOST_FOUND},
        )  # fmt: skip
        copies = await self._copies([one.pictures for one in there], who.at)
        kept = [
            replace(of_violation(one, entry), pictures=tuple(each for each, _ in copied))
            for one, copied in zip(there, copies, strict=True)
        ]
        return await self._with_copies(who, case, entry, kept, copies)

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

    # --- one way in -------------------------------------------------------------------------------------------

    async def _stretches(
        self, who: Actor, case: str, channel: str, spans: Sequence[tuple[int, int]], entry: Entry
    ) -> Entry:
        _check_count(spans, MOST_STRETCHES)
        for start, end in spans:
            check_range(start, end, LONGEST_US)

        def look(tx: Tx) -> tuple[Case, Channel]:
            return writable(tx, who, case), find_channel(tx, who, Action.PLAYBACK_WATCH, channel)

        one, where = await self._database.read(look)
        held: list[Hold] = []
        try:
            for start, end in spans:
                held.append(await self._holds.place(who, channel, start, end, one.number, case=case))
        except SafecityError:
            await self._let_go(who, case, held)
            raise
        if entry.stock:
            entry = replace(entry, looked={**entry.looked, "names": [spot(where.name, thing_of_channel(where))]})
        kept = [of_hold(hold, entry, where.longitude, where.latitude) for hold in held]
        return await self._keep(who, case, entry, kept, held=held)

    async def _around(self, who: Actor, case: str, alarm: Alarm) -> Hold | None:
        if alarm.channel is None:
            return None
        one = await self._database.read(lambda tx: writable(tx, who, case))
        span = alarm.at - BEFORE_US, alarm.at + AFTER_US
        try:
            return await self._holds.place(who, alarm.channel, *span, one.number, case=case)
        except SafecityError:  # not a channel of ours, not for `who`, or away: the alarm itself is kept all the same
            return None

    async def _copies(self, originals: Sequence[Sequence[Original]], at: int) -> list[Copies]:
        """For each thing its pictures, read and named anew."""
        found: list[Copies] = []
        total = 0
        for pictures in originals:
            copied: Copies = []
            for one in pictures:
                try:
                    data = b"".join([piece async for piece in self._blobs.read(one.key)])
                except NotFoundError:  # forgotten between the look and now
                    continue
                total += len(data)
                if total > MOST_BYTES:
                    limit = MOST_BYTES >> 20
                    raise ExhaustedError("too many pictures at once", code="case_too_much", params={"limit_mib": limit})
                digest = hashlib.sha256(data).hexdigest()
                key = picture_key(FOLDER, at, one.format)
                copied.append((CasePicture(key, digest, len(data), one.kind, one.format, one.width, one.height), data))
            found.append(copied)
        return found

    async def _with_copies(
        self, who: Actor, case: str, entry: Entry, kept: Sequence[Result], copies: Sequence[Copies]
    ) -> Entry:
        things = [(picture.key, data) for copied in copies for picture, data in copied]
        async with self._loose.bringing(things):
            return await self._keep(who, case, entry, kept)

    async def _keep(
        self, who: Actor, case: str, entry: Entry, results: Sequence[Result] = (), held: Sequence[Hold] = ()
    ) -> Entry:
        def work(tx: Tx) -> None:
            one = writable(tx, who, case)
            if store.entry_counts(tx, [case]).get(case, 0) >= MOST_ENTRIES:
                raise ExhaustedError("the case is full", code="case_full", params={"limit": MOST_ENTRIES})
            store.add_entry(tx, entry, results)
            named(tx, [picture.key for result in results for picture in result.pictures])
            note(
                tx, who, Action.CASE_WRITE, thing_of(one), one.number, entry=str(entry.kind), stock=entry.stock,
                results=len(results), pictures=sum(len(result.pictures) for result in results),
            )  # fmt: skip

        try:
            await self._database.write(work)
        except SafecityError:  # footage is not held for an entry that could not be written
            await self._let_go(who, case, held)
            raise
        return entry

    async def _let_go(self, who: Actor, case: str, held: Sequence[Hold]) -> None:
        if held:
            await self._database.write(lambda tx: let_go(tx, who, held, case=case))
            await self._holds.tell(held)


def writable(tx: Tx, who: Actor, case: str) -> Case:
    """One that `who` may put something into. ConflictError `case_closed`, ForbiddenError `case_reader`."""
    one = find(tx, who, Action.CASE_WRITE, case)
    check_open(one)
    return one


def _check_count(many: Sequence[Any], most: int) -> None:
    if len(many) > most:
        raise ExhaustedError("too many at once", code="too_many", params={"limit": most})


def _entry(who: Actor, case: str, kind: EntryKind, words: str) -> Entry:
    return Entry(id=fresh("ce"), case=case, kind=kind, words=words, by=who.user, by_name=who.name, at=who.at)
