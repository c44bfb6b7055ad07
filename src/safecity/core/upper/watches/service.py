"""Watches for people: proposed by one, approved by another, withdrawn; and what they met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, allowed, authorize, find_user, scope
from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.alarms.api import Alarm, AlarmState
from safecity.core.ground.audit.api import note
from safecity.core.ground.images.api import Answering, answering
from safecity.core.ground.passages.api import may_see_restricted, seeking
from safecity.core.ground.places.api import find_area, find_organisation
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import (
    DAY_US,
    NOT_IT,
    Hit,
    HitState,
    Watch,
    WatchSettings,
    WatchState,
    check_plate,
    check_watch,
    move_to,
)
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, ForbiddenError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

SWEEP: Final = 200
Told = Callable[[Sequence[str]], None]
"""Hears of alarms that changed, once that is durable."""


@dataclass(frozen=True, slots=True)
class HitSeen:
    """A hit with the alarm it raised, and the watch. `yours`: it is for the seats of who looks. `pictures`: how many
    there are of the passage, as long as that is kept."""

    hit: Hit
    alarm: Alarm
    watch: Watch
    yours: bool
    pictures: int


def thing_of(watch: Watch) -> Thing:
    """A watch lies where it counts, and is its proposer's."""
    return Thing("watch", watch.area_path, owner=watch.proposed_by, id=watch.id, organisation=watch.organisation_path)


class Watches:
    """Each step and each look is in the audit, in the transaction that does it."""

    def __init__(self, database: Database, clock: Clock, settings: WatchSettings, told: Told = lambda _: None) -> None:
        self._database = database
        self._clock = clock
        self._told = told
        self.settings = settings

    async def page(
        self, who: Actor, *, before: str = "", limit: int = 100, state: str = "", area: str = "", text: str = ""
    ) -> tuple[list[Watch], dict[str, int]]:
        """Newest first, with how many hits each has."""
        may = scope(who, Action.WATCH_SEE)

        def work(tx: Tx) -> tuple[list[Watch], dict[str, int]]:
            path = find_area(tx, area).path if area else ""
            found = store.page(tx, may, before=before, limit=limit, state=state, area=path, text=text)
            # Each page: the place in the list proves no look before, for anybody can write one down.
            asked = {"state": state, "area": area, "text": text}
            said = {name: value for name, value in asked.items() if value}
            note(tx, who, Action.WATCH_SEE, Thing("watch"), found=len(found), **said)
            return found, store.hit_counts(tx, [one.id for one in found])

        return await self._database.write(work)

    async def see(self, who: Actor, watch: str) -> tuple[Watch, int]:
        """One, with how many hits it has."""

        def work(tx: Tx) -> tuple[Watch, int]:
            found = _find(tx, who, Action.WATCH_SEE, watch)
            note(tx, who, Action.WATCH_SEE, thing_of(found), found.plate, purpose=found.purpose)
            return found, store.hit_counts(tx, [watch]).get(watch, 0)

        return await self._database.write(work)

    async def propose(self, who: Actor, values: dict[str, Any]) -> Watch:
        """InvalidError as `check_watch`; NotFoundError for places and seats that are not there."""

        def work(tx: Tx) -> Watch:
            wanted: dict[str, Any] = {**values, "plate": check_plate(values["plate"]).text}
            watch = _placed(tx, Watch(
                id=fresh("wa"), proposed_by=who.user, proposed_name=who.name, proposed_at=who.at,
                changed=store.next_change(tx), **wanted,
            ))  # fmt: skip
            authorize(who, Action.WATCH_PROPOSE, thing_of(watch))
            self.add(tx, who, watch)
            return watch

        return await self._database.write(work)

    def add(self, tx: Tx, who: Actor, watch: Watch) -> None:
        """Keep a proposal of whoever may make one, and write it down."""
        check_watch(watch, who.at, self.settings)
        _check_seats(tx, watch)
        store.add(tx, watch)
        note(tx, who, Action.WATCH_PROPOSE, thing_of(watch), watch.plate, reason=watch.reason, **_said(watch))

    async def decide(
        self, who: Actor, watch: str, *, approve: bool, revision: int | None = None, words: str = ""
    ) -> Watch:
        """ForbiddenError `watch_own` for who proposed it, whatever else they may; ConflictError `watch_state`,
        `watch_over` where its time is over."""

        def work(tx: Tx) -> Watch:
            old = _find(tx, who, Action.WATCH_APPROVE, watch)
            if who.user == old.proposed_by:
                raise ForbiddenError("nobody approves their own", code="watch_own")
            _same(revision, old)
            new = replace(
                move_to(old, WatchState.APPROVED if approve else WatchState.REFUSED),
                decided_by=who.user, decided_name=who.name, decided_at=who.at, decision=words,
                restricted=approve and may_see_restricted(who), changed=store.next_change(tx),
                keep_until=None if approve else who.at + self.settings.keep_days * DAY_US,
            )  # fmt: skip
            if approve and who.at >= old.valid_until:
                raise ConflictError("its time is over", code="watch_over")
            store.save(tx, new)
            said = {"proposed_by": new.proposed_name}
            if not approve:
                answering.refuse(tx, watch, who.name)
            elif address := answering.allow(tx, watch, who.name):
                said["told"] = address
            note(
                tx, who, Action.WATCH_APPROVE, thing_of(new), new.plate, reason=words,
                outcome="done" if approve else "refused", **said,
            )  # fmt: skip
            return new

        return await self._database.write(work)

    async def withdraw(self, who: Actor, watch: str, *, revision: int | None = None, words: str = "") -> Watch:
        """Silent from this moment on; what it met and nobody has reported on is called off."""

        def work(tx: Tx) -> tuple[Watch, list[str]]:
            old = _find(tx, who, Action.WATCH_WITHDRAW, watch)
            _same(revision, old)
            return self.end(tx, who, old, words)

        new, touched = await self._database.write(work)
        self._told(touched)
        return new

    def end(self, tx: Tx, who: Actor, old: Watch, words: str) -> tuple[Watch, list[str]]:
        """Withdraw it; the alarms that changed."""
        new = replace(
            move_to(old, WatchState.WITHDRAWN), ended_by=who.user, ended_name=who.name, ended_at=who.at, ending=words,
            keep_until=who.at + self.settings.keep_days * DAY_US, changed=store.next_change(tx),
        )  # fmt: skip
        store.save(tx, new)
        answering.stop(tx, old.id, over=False)
        touched = [silence(tx, hit, HitState.CALLED_OFF, who.at) for hit in store.live_hits(tx, old.id)]
        note(tx, who, Action.WATCH_WITHDRAW, thing_of(new), new.plate, reason=words)
        return new, [alarm for alarm in touched if alarm]

    async def hit_count(self, watch: str) -> int:
        """Of a watch that is shown already."""
        return (await self._database.read(lambda tx: store.hit_counts(tx, [watch]))).get(watch, 0)

    async def answering(self, watches: Sequence[str]) -> dict[str, Answering]:
        """How the libraries are told that asked for watches which are shown already."""
        return await self._database.read(lambda tx: answering.answering(tx, watches))

    async def hits(
        self, who: Actor, *, before: str = "", limit: int = 100, watch: str = "", kind: str = "",
        duty: Sequence[AlarmState] = (),
    ) -> list[HitSeen]:  # fmt: skip
        """Newest first: those for the seats of `who`, those of their own watches, and where they approve watches."""

        def work(tx: Tx) -> list[HitSeen]:
            found = store.hit_page(
                tx, alarms.hearing(tx, who), scope(who, Action.WATCH_APPROVE), who.user, may_see_restricted(who),
                before=before, limit=limit, watch=watch, kind=kind, duty=duty,
            )  # fmt: skip
            said = {name: value for name, value in (("watch", watch), ("hit_kind", kind)) if value}
            note(tx, who, Action.WATCH_SEE, Thing("hit"), found=len(found), **said)
            return _whole(tx, who, found)

        return await self._database.write(work)

    async def hit(self, who: Actor, hit: str) -> HitSeen:
        """One; also by the id of its alarm."""

        def work(tx: Tx) -> HitSeen:
            found = _find_hit(tx, who, hit)
            note(tx, who, Action.WATCH_SEE, thing_of_hit(found), found.plate)
            return _whole(tx, who, [found])[0]

        return await self._database.write(work)

    async def alarm_of(self, who: Actor, hit: str) -> str:
        """The alarm that a hit raised, for who signs for it or reports on it."""
        return (await self._database.read(lambda tx: _find_hit(tx, who, hit))).alarm

    async def report(self, who: Actor, hit: str, result: str, words: str = "") -> str:
        """Say what came of it, as of its alarm; the alarm. A library that was told of what was `not_it` is asked to
        forget it."""

        def work(tx: Tx) -> str:
            found = _find_hit(tx, who, hit)
            alarms.report_on(tx, who, found.alarm, result, words)
            if result == NOT_IT:
                answering.untell(tx, found.id, who.at)
            return found.alarm

        return await self._database.write(work)

    async def shown(self, who: Actor, hit: str) -> HitSeen:
        """For an answer to what `who` just did to it."""
        return await self._database.read(lambda tx: _whole(tx, who, [_find_hit(tx, who, hit)])[0])

    async def sweep(self) -> int:
        """Forget watches that ended long ago, with their hits and alarms; how many."""
        now, gone = self._clock.now_us(), 0

        def work(tx: Tx) -> int:
            ids = store.past(tx, now, SWEEP)
            answering.forget(tx, ids)
            alarms.remove(tx, store.remove(tx, ids))
            return len(ids)

        while some := await self._database.write(work):
            gone += some
        return gone


def thing_of_hit(hit: Hit) -> Thing:
    """A hit lies where the vehicle passed."""
    return Thing("hit", hit.area_path, id=hit.id, organisation=hit.organisation_path)


def silence(tx: Tx, hit: Hit, state: HitState, now: int) -> str:
    """Nobody has to do anything about a hit any more; its alarm where that changed. What was reported stays."""
    alarm = alarms.find(tx, hit.alarm)
    if alarm is not None and alarm.reported_at is not None and state is HitState.CALLED_OFF:
        return ""
    store.save_hit(tx, replace(hit, state=state))
    if state is HitState.TAKEN_BACK:
        answering.untell(tx, hit.id, now)
    else:
        answering.silence(tx, hit.id)
    if alarm is None:
        return ""
    if alarm.state is not AlarmState.CLEARED:
        alarms.save(tx, replace(alarms.move_to(alarm, AlarmState.CLEARED), due=None))
    return alarm.id


def _find(tx: Tx, who: Actor, action: Action, watch: str) -> Watch:
    found = store.find(tx, watch)
    if found is None or not scope(who, Action.WATCH_SEE).allows(thing_of(found)):
        raise NotFoundError("no such watch", code="not_found", params={"kind": "watch"})
    authorize(who, action, thing_of(found))
    return found


def _find_hit(tx: Tx, who: Actor, hit: str) -> Hit:
    found = store.hit_of_alarm(tx, hit) if hit.startswith("al_") else store.find_hit(tx, hit)
    mine = found is not None and (
        alarms.hearing(tx, who).hears(found.audience, thing_of_hit(found))
        or allowed(who, Action.WATCH_APPROVE, thing_of_hit(found))
        or _proposed(tx, who, found)
    )
    if found is None or not mine or (found.restricted and not may_see_restricted(who)):
        raise NotFoundError("no such hit", code="not_found", params={"kind": "hit"})
    authorize(who, Action.WATCH_SEE, thing_of_hit(found))
    return found


def _proposed(tx: Tx, who: Actor, hit: Hit) -> bool:
    watch = store.find(tx, hit.watch)
    return watch is not None and watch.proposed_by == who.user


def _whole(tx: Tx, who: Actor, found: Sequence[Hit]) -> list[HitSeen]:
    hears = alarms.hearing(tx, who)
    raised = alarms.find_many(tx, [hit.alarm for hit in found])
    watched = store.find_many(tx, list({hit.watch for hit in found}))
    kept = {one.id: one for one in seeking.whole(tx, [hit.passage for hit in found]) if one.keep_until > who.at}
    return [
        HitSeen(
            hit,
            raised[hit.alarm],
            watched[hit.watch],
            hears.hears(hit.audience, thing_of_hit(hit)),
            kept[hit.passage].pictures if hit.passage in kept else 0,
        )
        for hit in found
        if hit.alarm in raised
    ]


def _same(revision: int | None, watch: Watch) -> None:
    if revision is not None and revision != watch.revision:
        raise ConflictError("changed meanwhile", code="changed_meanwhile")


def _placed(tx: Tx, watch: Watch) -> Watch:
    return replace(
        watch,
        area_path=find_area(tx, watch.area).path if watch.area else ROOT,
        organisation_path=find_organisation(tx, watch.organisation).path if watch.organisation else ROOT,
    )


def _check_seats(tx: Tx, watch: Watch) -> None:
    for seat in sorted(watch.seats | watch.further):
        kind, _, name = seat.partition(":")
        if kind == "organisation":
            find_organisation(tx, name)
        elif kind == "user" and find_user(tx, name) is None:
            raise NotFoundError("no such user", code="not_found", params={"kind": "user"})


def _said(watch: Watch) -> dict[str, Any]:
    """For the audit: what exactly was proposed."""
    names = ("plate_colour", "colour", "vehicle_class", "case_number", "purpose", "priority", "origin")
    said = {name: value for name in names if (value := getattr(watch, name)) not in ("", None)}
    seats = {"seats": " ".join(sorted(watch.seats)), "further": " ".join(sorted(watch.further))}
    return {**said, **seats, "near": watch.near, "from_us": watch.valid_from, "until_us": watch.valid_until}
