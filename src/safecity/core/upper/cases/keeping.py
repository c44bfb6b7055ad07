"""The one way into a case: pictures copied and footage held before the entry is written, let go where it cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.alarms.api import Alarm
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels.api import Channel, find_channel
from safecity.core.ground.channels.api import thing_of as thing_of_channel
from safecity.core.ground.exports.api import Hold, Holds, check_range, let_go
from safecity.core.ground.loose.api import Loose, named
from safecity.core.ground.passages.api import KeptPicture, picture_key
from safecity.core.upper.cases import store
from safecity.core.upper.cases.decide import (
    LONGEST_US,
    MOST_BYTES,
    MOST_ENTRIES,
    MOST_STRETCHES,
    Case,
    CasePicture,
    Entry,
    EntryKind,
    Result,
    check_open,
)
from safecity.core.upper.cases.rights import spot, thing_of
from safecity.core.upper.cases.service import find
from safecity.core.upper.cases.things import of_hold
from safecity.core.upper.violations.api import Evidence
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ExhaustedError, NotFoundError, SafecityError
from safecity.kit.ids import fresh
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx

FOLDER: Final = "cases"
BEFORE_US, AFTER_US = 10 * SECOND_US, 60 * SECOND_US
"""Footage around an alarm."""
Original = KeptPicture | Evidence
Copies = list[tuple[CasePicture, bytes]]


class Keeping:
    """Everything needs a case that is open and that `who` writes."""

    def __init__(self, database: Database, blobs: Blobs, loose: Loose, holds: Holds) -> None:
        self._database = database
        self._blobs = blobs
        self._loose = loose
        self._holds = holds

    async def open(self, who: Actor, case: str) -> Case:
        """One that `who` may put something into. ConflictError `case_closed`, ForbiddenError `case_reader`."""
        return await self._database.read(lambda tx: writable(tx, who, case))

    async def stretches(
        self, who: Actor, case: str, channel: str, spans: Sequence[tuple[int, int]], entry: Entry
    ) -> Entry:
        """Footage of one channel, held for the case; the entry of a search names the channel."""
        check_count(spans, MOST_STRETCHES)
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
        return await self.keep(who, case, entry, kept, held=held)

    async def around(self, who: Actor, case: str, alarm: Alarm) -> Hold | None:
        """The footage around an alarm, held where there is any."""
        if alarm.channel is None:
            return None
        one = await self._database.read(lambda tx: writable(tx, who, case))
        span = alarm.at - BEFORE_US, alarm.at + AFTER_US
        try:
            return await self._holds.place(who, alarm.channel, *span, one.number, case=case)
        except SafecityError:  # not a channel of ours, not for `who`, or away: the alarm itself is kept all the same
            return None

    async def with_pictures(
        self, who: Actor, case: str, entry: Entry, shown: Sequence[tuple[Result, Sequence[Original]]]
    ) -> Entry:
        """What a search found, each with copies of its pictures. ExhaustedError `case_too_much`."""
        copies = await self._copies([pictures for _, pictures in shown], who.at)
        kept = [
            replace(one, pictures=tuple(picture for picture, _ in copied))
            for (one, _), copied in zip(shown, copies, strict=True)
        ]
        async with self._loose.bringing([(picture.key, data) for copied in copies for picture, data in copied]):
            return await self.keep(who, case, entry, kept)

    async def keep(
        self, who: Actor, case: str, entry: Entry, results: Sequence[Result] = (), held: Sequence[Hold] = ()
    ) -> Entry:
        """Write it down. ExhaustedError `case_full`."""

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

    async def _let_go(self, who: Actor, case: str, held: Sequence[Hold]) -> None:
        if held:
            await self._database.write(lambda tx: let_go(tx, who, held, case=case))
            await self._holds.tell(held)


def writable(tx: Tx, who: Actor, case: str) -> Case:
    """One that `who` may put something into. ConflictError `case_closed`, ForbiddenError `case_reader`."""
    one = find(tx, who, Action.CASE_WRITE, case)
    check_open(one)
    return one


def check_count(many: Sequence[Any], most: int) -> None:
    """ExhaustedError `too_many`."""
    if len(many) > most:
        raise ExhaustedError("too many at once", code="too_many", params={"limit": most})


def new_entry(who: Actor, case: str, kind: EntryKind, words: str) -> Entry:
    """One that `who` puts in now."""
    return Entry(id=fresh("ce"), case=case, kind=kind, words=words, by=who.user, by_name=who.name, at=who.at)
