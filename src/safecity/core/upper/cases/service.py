"""Cases for people: opened, looked at, changed, closed, opened again, forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, authorize, find_user
from safecity.core.ground.audit.api import Record, append, note
from safecity.core.ground.audit.decide import tidy
from safecity.core.ground.exports.api import Hold, Holds, holds_of_case, let_go
from safecity.core.ground.loose.api import Loose
from safecity.core.ground.passages.api import check_purpose, seeking
from safecity.core.ground.places.api import find_area, find_organisation
from safecity.core.upper.cases import store
from safecity.core.upper.cases.decide import (
    DAY_US,
    Case,
    CaseSettings,
    CaseState,
    Loss,
    Result,
    ResultKind,
    check,
    check_open,
    move_to,
)
from safecity.core.upper.cases.rights import check_may, standing, thing_of
from safecity.core.upper.violations.api import kept_violations
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, NotFoundError, SafecityError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

CHANGED: Final = ("title", "ground", "readers", "writers")


class Cases:
    """Each step and each look is in the audit, in the transaction that does it."""

    def __init__(self, database: Database, holds: Holds, loose: Loose, clock: Clock, settings: CaseSettings) -> None:
        self._database = database
        self._holds = holds
        self._loose = loose
        self._clock = clock
        self.settings = settings

    async def page(
        self, who: Actor, *, before: str = "", limit: int = 100, state: str = "", text: str = ""
    ) -> tuple[list[Case], dict[str, int]]:
        """Newest first, with how many entries each has."""

        def work(tx: Tx) -> tuple[list[Case], dict[str, int]]:
            found = store.page(
                tx, standing(tx, who), before=before, limit=limit, state=state, text=text, now=who.at
            )  # fmt: skip
            asked = {name: value for name, value in (("state", state), ("text", text)) if value}
            note(tx, who, Action.CASE_SEE, Thing("case"), found=len(found), **asked)
            return found, store.entry_counts(tx, [one.id for one in found])

        return await self._database.write(work)

    async def see(self, who: Actor, case: str) -> tuple[Case, int]:
        """One, with how many entries it has. The look is written down."""

        def work(tx: Tx) -> tuple[Case, int]:
            found = find(tx, who, Action.CASE_SEE, case)
            note(tx, who, Action.CASE_SEE, thing_of(found), found.number, purpose=found.purpose)
            return found, store.entry_counts(tx, [case]).get(case, 0)

        return await self._database.write(work)

    async def entry_count(self, case: str) -> int:
        """Of a case that is shown already."""
        return (await self._database.read(lambda tx: store.entry_counts(tx, [case]))).get(case, 0)

    async def writable(self, who: Actor, case: str) -> bool:
        """Whether `who` may put something into it now."""

        def work(tx: Tx) -> bool:
            one = find(tx, who, Action.CASE_SEE, case)
            try:
                check_may(tx, who, Action.CASE_WRITE, one)
                check_open(one)
            except SafecityError:
                return False
            return True

        return await self._database.read(work)

    async def open(self, who: Actor, values: dict[str, Any]) -> Case:
        """InvalidError `case_invalid`, `purpose_needed`; NotFoundError for places and members that are not there."""
        check_purpose(values["purpose"])

        def work(tx: Tx) -> Case:
            area, organisation = values.get("area"), values.get("organisation")
            one = check(Case(
                id=fresh("ca"), owner=who.user, owner_name=who.name, opened_at=who.at,
                area_path=find_area(tx, area).path if area else ROOT,
                organisation_path=find_organisation(tx, organisation).path if organisation else ROOT, **values,
            ))  # fmt: skip
            authorize(who, Action.CASE_OPEN, thing_of(one))
            _check_members(tx, one)
            store.add(tx, one)
            note(tx, who, Action.CASE_OPEN, thing_of(one), one.number, reason=one.ground, **_said(one))
            return one

        return await self._database.write(work)

    async def change(self, who: Actor, case: str, changes: dict[str, Any], *, revision: int | None) -> Case:
        """Its title, ground and members. What it was looked at for never changes."""

        def work(tx: Tx) -> Case:
            old = find(tx, who, Action.CASE_MANAGE, case)
            _same(revision, old)
            new = check(replace(old, **{name: changes[name] for name in CHANGED if name in changes},
                                revision=old.revision + 1))  # fmt: skip
            _check_members(tx, new)
            store.save(tx, new)
            note(
                tx, who, Action.CASE_MANAGE, thing_of(new), new.number, changed=" ".join(sorted(changes)), **_said(new)
            )
            return new

        return await self._database.write(work)

    async def close(self, who: Actor, case: str, *, revision: int | None, words: str = "") -> Case:
        """Nothing is put into it any more, and the footage it refers to is held no longer."""

        def work(tx: Tx) -> tuple[Case, list[Hold]]:
            old = find(tx, who, Action.CASE_MANAGE, case)
            _same(revision, old)
            new = replace(
                move_to(old, CaseState.CLOSED), closed_at=who.at, closed_name=who.name, closing=tidy(words, 1000),
                keep_until=who.at + self.settings.closed_days * DAY_US,
            )  # fmt: skip
            store.save(tx, new)
            gone = holds_of_case(tx, case)
            let_go(tx, who, gone, case=new.number)
            store.unhold(tx, case)
            note(tx, who, "case.close", thing_of(new), new.number, reason=words, holds=len(gone))
            return new, gone

        new, gone = await self._database.write(work)
        await self._holds.tell(gone)
        return new

    async def reopen(self, who: Actor, case: str, *, revision: int | None, words: str = "") -> Case:
        """What there still is of its footage is held again; what is gone stays gone."""

        def work(tx: Tx) -> tuple[Case, list[Result]]:
            old = find(tx, who, Action.CASE_MANAGE, case)
            _same(revision, old)
            new = replace(move_to(old, CaseState.OPEN), closed_at=None, closed_name="", closing="", keep_until=None)
            store.save(tx, new)
            note(tx, who, "case.reopen", thing_of(new), new.number, reason=words)
            kept = [one for one in store.results_of_case(tx, case) if one.channel and one.until is not None]
            return new, kept

        new, stretches = await self._database.write(work)
        for one in stretches:
            await self._hold_again(who, new, one)
        return new

    async def _hold_again(self, who: Actor, case: Case, one: Result) -> None:
        assert one.channel is not None
        assert one.until is not None
        try:
            hold = await self._holds.place(who, one.channel, one.at, one.until, case.number, case=case.id)
        except SafecityError:  # a channel that is gone, or away: the entry says that nothing holds it
            return
        await self._database.write(lambda tx: store.set_hold(tx, one.id, hold.id))

    async def loss(self, who: Actor, case: str) -> Loss:
        """What would go with it."""

        def work(tx: Tx) -> Loss:
            return _loss(tx, find(tx, who, Action.CASE_DELETE, case))

        return await self._database.read(work)

    async def delete(self, who: Actor, case: str, *, revision: int | None, words: str = "") -> Loss:
        """Forget it with all that it kept. ConflictError `case_open`: first it is closed."""

        def work(tx: Tx) -> Loss:
            one = find(tx, who, Action.CASE_DELETE, case)
            _same(revision, one)
            if one.state is not CaseState.CLOSED:
                raise ConflictError("close it first", code="case_open", params={"number": one.number})
            lost = _loss(tx, one)
            store.remove(tx, case, who.at)
            note(tx, who, Action.CASE_DELETE, thing_of(one), one.number, reason=words, **_counted(lost))
            return lost

        lost = await self._database.write(work)
        await self._loose.sweep()
        return lost

    async def sweep(self) -> int:
        """Forget closed cases whose time is over; how many."""
        now, gone = self._clock.now_us(), 0

        def work(tx: Tx) -> int:
            one = store.expired(tx, now)
            if one is None:
                return 0
            lost = _loss(tx, one)
            store.remove(tx, one.id, now)
            append(tx, Record(
                at=now, actor="", actor_name="", action="case.expire", kind="case", thing=one.id,
                thing_name=one.number, area=one.area_path, organisation=one.organisation_path, details=_counted(lost),
            ))  # fmt: skip
            return 1

        while await self._database.write(work):
            gone += 1
        if gone:
            await self._loose.sweep()
        return gone


def find(tx: Tx, who: Actor, action: Action, case: str) -> Case:
    """NotFoundError for what is not there, or not for `who`; ForbiddenError for what they may not do to it."""
    found = store.find(tx, case)
    over = found is not None and found.keep_until is not None and found.keep_until <= who.at
    if found is None or over or not standing(tx, who).reads(found):
        raise NotFoundError("no such case", code="not_found", params={"kind": "case"})
    check_may(tx, who, action, found)
    return found


def loss_of(tx: Tx, many: list[Result], entries: int) -> Loss:
    """Of these results."""
    passages = [one.source for one in many if one.kind is ResultKind.PASSAGE]
    violations = [one.source for one in many if one.kind is ResultKind.VIOLATION]
    there = seeking.kept(tx, passages) | kept_violations(tx, violations).keys()
    pictures = [picture for one in many for picture in one.pictures]
    held = [(one.until or one.at) - one.at for one in many if one.hold is not None]
    return Loss(
        entries=entries, results=len(many), pictures=len(pictures), picture_bytes=sum(each.size for each in pictures),
        only_here=sum(name not in there for name in [*passages, *violations]), held_seconds=sum(held) // SECOND_US,
    )  # fmt: skip


def _loss(tx: Tx, one: Case) -> Loss:
    return loss_of(tx, store.results_of_case(tx, one.id), store.entry_counts(tx, [one.id]).get(one.id, 0))


def _counted(lost: Loss) -> dict[str, Any]:
    return {name: getattr(lost, name) for name in Loss.__dataclass_fields__}


def _same(revision: int | None, one: Case) -> None:
    if revision is not None and revision != one.revision:
        raise ConflictError("changed meanwhile", code="changed_meanwhile")


def _check_members(tx: Tx, one: Case) -> None:
    for seat in sorted(one.readers | one.writers):
        kind, _, name = seat.partition(":")
        if kind == "organisation":
            find_organisation(tx, name)
        elif find_user(tx, name) is None:
            raise NotFoundError("no such user", code="not_found", params={"kind": "user"})


def _said(one: Case) -> dict[str, Any]:
    return {
        "title": one.title, "purpose": one.purpose, "readers": " ".join(sorted(one.readers)),
        "writers": " ".join(sorted(one.writers)),
    }  # fmt: skip
