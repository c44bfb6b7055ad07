"""Violations for people: looked at, reviewed by one, confirmed by another, void with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safecity.core.ground.access.api import Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.loose.api import Loose
from safecity.core.ground.passages.api import PAST_US, may_see_restricted
from safecity.core.ground.places.api import find_area
from safecity.core.upper.violations import store, tables
from safecity.core.upper.violations.decide import (
    SECOND_US,
    Evidence,
    State,
    Violation,
    ViolationSettings,
    Void,
    check_fit,
    check_void,
    lacking,
    move_to,
)
from safecity.core.upper.violations.store import Wanted
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, ForbiddenError, NotFoundError
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.vehicles import clean_plate

SWEEP: Final = 200
MOST_HELD: Final = 50
FIRST, SECOND = "first", "second"
QUEUES: Final = {FIRST: State.PROPOSED, SECOND: State.REVIEWED}


def thing_of(one: Violation) -> Thing:
    """A violation lies where it happened."""
    return Thing("violation", one.area_path, id=one.id, organisation=one.organisation_path)


class Violations:
    """Each step and each look is in the audit, in the transaction that does it."""

    def __init__(
        self, database: Database, blobs: Blobs, loose: Loose, clock: Clock, settings: ViolationSettings
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._loose = loose
        self._clock = clock
        self.settings = settings

    async def page(
        self, who: Actor, wanted: Wanted, *, area: str = "", before: str = "", limit: int = 100
    ) -> tuple[list[Violation], dict[str, int]]:
        """Newest first, and how many there are by state, whatever state is asked for (with the first part only)."""
        may = scope(who, Action.VIOLATION_SEE)

        def within(tx: Tx) -> Wanted:
            path = find_area(tx, area).path if area else ""
            return replace(wanted, area=path, now=who.at, restricted=may_see_restricted(who))

        def work(tx: Tx) -> list[Violation]:
            asked = within(tx)
            found = store.page(tx, may, asked, before=before, limit=limit)
            said = {"kind": asked.kind, "plate": asked.plate, "states": " ".join(asked.states)}
            kept = {f"asked_{name}": value for name, value in said.items() if value}
            note(tx, who, Action.VIOLATION_SEE, Thing("violation"), found=len(found), **kept)
            # Each page: the place in the list proves no look before, for anybody can write one down.
            return found

        found = await self._database.write(work)
        if before:
            return found, {}
        # Counting goes through all that is kept: nobody who writes has to wait for it.
        return found, await self._database.read(lambda tx: store.counts(tx, may, replace(within(tx), states=())))

    async def take(
        self, who: Actor, queue: str, count: int, *, kind: str = "", keep: Sequence[str] = ()
    ) -> list[Violation]:
        """The oldest that wait for a review, held for who judges; what they held before is free again but for `keep`.
        Two who judge at once are never shown the same. What is shown is written down."""
        action = Action.VIOLATION_REVIEW if queue == FIRST else Action.VIOLATION_CONFIRM
        may, until = scope(who, action), who.at + self.settings.hold_minutes * 60 * SECOND_US

        def look(tx: Tx) -> tuple[list[Violation], list[str]]:
            """Candidates, and what this one held."""
            wanted = Wanted(
                states=(str(QUEUES[queue]),), kind=kind, now=who.at, free_for=who.user,
                not_first_by=who.user if queue == SECOND else "", restricted=may_see_restricted(who),
            )  # fmt: skip
            found = store.page(tx, may, wanted, oldest_first=True, limit=min(count, MOST_HELD) + len(keep))
            return [one for one in found if one.id not in keep][: min(count, MOST_HELD)], store.held(
                tx, who.user, who.at
            )

        def work(tx: Tx) -> list[Violation]:
            found, held = look(tx)
            store.let_go(tx, [name for name in held if name not in keep])
            store.hold(tx, [*(name for name in held if name in keep), *(one.id for one in found)], who.user, until)
            if found:
                note(tx, who, Action.VIOLATION_SEE, Thing("violation"), queue=queue, found=len(found))
            return found

        # A desk with nothing on it asks every few seconds: that costs a read, and no record.
        found, held = await self._database.read(look)
        return await self._database.write(work) if found or held else []

    async def see(self, who: Actor, violation: str) -> Violation:
        """One. The look is written down."""

        def work(tx: Tx) -> Violation:
            found = find(tx, who, Action.VIOLATION_SEE, violation)
            note(tx, who, Action.VIOLATION_SEE, thing_of(found), found.plate)
            return found

        return await self._database.write(work)

    async def picture(self, who: Actor, violation: str, number: int) -> tuple[Evidence, bytes]:
        """As it came. NotFoundError `no_picture`."""
        found = await self._database.read(lambda tx: find(tx, who, Action.VIOLATION_SEE, violation))
        if not 0 <= number < len(found.pictures):
            raise NotFoundError("no such picture", code="no_picture")
        wanted = found.pictures[number]
        return wanted, b"".join([piece async for piece in self._blobs.read(wanted.key)])

    async def review(
        self, who: Actor, violation: str, *, revision: int | None, plate: str = "", code: str = "", words: str = ""
    ) -> Violation:
        """The first review passes it, with the plate and the code as they are read in the pictures where those were
        wrong. ConflictError `violation_state`, `violation_unfit`, `violation_exempt`."""

        def work(tx: Tx) -> Violation:
            old = find(tx, who, Action.VIOLATION_REVIEW, violation)
            _same(revision, old)
            read = replace(old, plate=clean_plate(plate) or old.plate, code=code or old.code)
            one = replace(read, unfit=lacking(read))
            check_fit(one)
            _not_exempt(tx, one)
            new = replace(
                move_to(one, State.REVIEWED), first_by=who.user, first_name=who.name, first_at=who.at,
                keep_until=self.settings.keep_until(State.REVIEWED, who.at),
            )  # fmt: skip
            corrected = {"plate_was": old.plate} if new.plate != old.plate else {}
            recoded = {"code_was": old.code} if new.code != old.code else {}
            return self._done(tx, who, Action.VIOLATION_REVIEW, new, words, **corrected, **recoded)

        return await self._database.write(work)

    async def confirm(self, who: Actor, violation: str, *, revision: int | None, words: str = "") -> Violation:
        """The second review makes it a record. ForbiddenError `violation_own` for who did the first, whatever else
        they may; ConflictError as `review`."""

        def work(tx: Tx) -> Violation:
            old = find(tx, who, Action.VIOLATION_CONFIRM, violation)
            if who.user == old.first_by:
                raise ForbiddenError("nobody confirms their own review", code="violation_own")
            _same(revision, old)
            new = move_to(old, State.CONFIRMED)
            check_fit(new)
            _not_exempt(tx, new)
            new = replace(
                new, second_by=who.user, second_name=who.name, second_at=who.at,
                keep_until=self.settings.keep_until(State.CONFIRMED, who.at),
            )  # fmt: skip
            return self._done(tx, who, Action.VIOLATION_CONFIRM, new, words)

        return await self._database.write(work)

    async def void(
        self, who: Actor, violation: str, *, revision: int | None, reason: Void, words: str = ""
    ) -> Violation:
        """It counts for nothing from now on, and never leaves. Who reviews may void what was proposed; what was
        reviewed or confirmed, who confirms."""

        def work(tx: Tx) -> Violation:
            old = find(tx, who, Action.VIOLATION_SEE, violation)
            action = Action.VIOLATION_REVIEW if old.state is State.PROPOSED else Action.VIOLATION_CONFIRM
            authorize(who, action, thing_of(old))
            _same(revision, old)
            check_void(reason, words)
            new = replace(
                move_to(old, State.VOID), void_reason=str(reason), void_words=words, void_by=who.user,
                void_name=who.name, void_at=who.at, keep_until=self.settings.keep_until(State.VOID, who.at),
            )  # fmt: skip
            return self._done(tx, who, "violation.void", new, words, was=str(old.state), void_reason=str(reason))

        return await self._database.write(work)

    @staticmethod
    def _done(tx: Tx, who: Actor, action: Action | str, new: Violation, words: str, **details: str) -> Violation:
        store.save(tx, new)
        note(tx, who, action, thing_of(new), new.plate, reason=words, offence=str(new.kind), **details)
        return new

    async def sweep(self) -> int:
        """Forget what is past its time, and exemptions that can excuse nothing any more; how many."""
        now, gone = self._clock.now_us(), 0
        while some := await self._database.write(lambda tx: store.forget(tx, now, SWEEP)):
            gone += some
        if gone:
            await self._loose.sweep()
        while some := await self._database.write(lambda tx: self._forget_exemptions(tx, now)):
            gone += some
        return gone

    def _forget_exemptions(self, tx: Tx, now: int) -> int:
        """Ended so long ago that nothing of that time is reported any more, and before all that waits happened: a
        review asks again whether its vehicle was exempt then."""
        waits = store.oldest_open(tx)
        return tables.forget_exemptions(tx, min(now - PAST_US, now if waits is None else waits), SWEEP)


def find(tx: Tx, who: Actor, action: Action, violation: str) -> Violation:
    """NotFoundError for what is not there, or not for `who`."""
    found = store.find(tx, violation)
    if (
        found is None or not scope(who, Action.VIOLATION_SEE).allows(thing_of(found)) or found.keep_until <= who.at
        or (found.restricted and not may_see_restricted(who))
    ):  # fmt: skip
        raise NotFoundError("no such violation", code="not_found", params={"kind": "violation"})
    authorize(who, action, thing_of(found))
    return found


def _not_exempt(tx: Tx, one: Violation) -> None:
    """Somebody may have been put on the list since it was proposed, or the plate was corrected to one that is on it."""
    on = tables.exempt(tx, one.plate, one.at, one.area_path, one.organisation_path)
    if on is not None:
        raise ConflictError("an exempt vehicle", code="violation_exempt", params={"duty": on.duty})


def _same(revision: int | None, one: Violation) -> None:
    if revision is not None and revision != one.revision:
        raise ConflictError("changed meanwhile", code="changed_meanwhile")
