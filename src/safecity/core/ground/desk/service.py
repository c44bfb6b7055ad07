"""What an operator keeps on the desk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, Under, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels.api import find_channel, thing_of
from safecity.core.ground.desk import store
from safecity.core.ground.desk.cruises import Cruise, told
from safecity.core.ground.desk.decide import HOLD_US, STEER_US, held, take
from safecity.core.ground.desk.store import PtzLock, Saved
from safecity.core.ground.places.api import check_name
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, ExhaustedError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

MAX_BODY = 64 * 1024
MAX_SAVED = 500


class Desk:
    """`kind` is `vw` (view) or `tr` (tour)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, who: Actor, kind: str) -> list[Saved]:
        """Own ones, and those shared in areas that `who` sees."""
        allowed = scope(who, Action.VIEW_SEE)
        return await self._database.read(lambda tx: store.page(tx, kind, allowed))

    async def see(self, who: Actor, kind: str, saved: str) -> Saved:
        """One of them."""
        return await self._database.read(lambda tx: _find(tx, who, kind, saved))

    async def add(self, who: Actor, kind: str, name: str, body: dict[str, Any], *, shared: bool) -> Saved:
        name, body = check_name(name), _check_body(body)

        def work(tx: Tx) -> Saved:
            area, organisation = _shared_where(who) if shared else ("", ROOT)
            saved = Saved(
                id=fresh(kind), owner=who.user, name=name, area_path=area, organisation_path=organisation, body=body
            )
            authorize(who, Action.VIEW_CHANGE, _thing(saved))
            if len(store.page(tx, kind, scope(who, Action.VIEW_CHANGE))) >= MAX_SAVED:
                raise ExhaustedError("too many saved", code="too_many", params={"limit": MAX_SAVED})
            store.add(tx, kind, saved)
            return saved

        return await self._database.write(work)

    async def change(
        self, who: Actor, kind: str, saved: str, revision: int | None, name: str, body: dict[str, Any], *, shared: bool
    ) -> Saved:
        name, body = check_name(name), _check_body(body)

        def work(tx: Tx) -> Saved:
            old = _find(tx, who, kind, saved)
            authorize(who, Action.VIEW_CHANGE, _thing(old))
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            area, organisation = (old.area_path, old.organisation_path) if old.area_path else _shared_where(who)
            if not shared:
                area, organisation = "", ROOT
            new = replace(
                old, name=name, body=body, area_path=area, organisation_path=organisation, revision=old.revision + 1
            )
            store.save(tx, kind, new)
            return new

        return await self._database.write(work)

    async def remove(self, who: Actor, kind: str, saved: str) -> None:
        def work(tx: Tx) -> None:
            old = _find(tx, who, kind, saved)
            authorize(who, Action.VIEW_CHANGE, _thing(old))
            store.remove(tx, kind, saved)

        await self._database.write(work)

    # --- PTZ ------------------------------------------------------------------------------------------------

    async def lock(self, who: Actor, channel: str) -> PtzLock | None:
        """Who holds it now."""

        def work(tx: Tx) -> PtzLock | None:
            find_channel(tx, who, Action.CHANNEL_SEE, channel)
            lock = store.lock_of(tx, channel)
            return lock if held(lock, who.at) else None

        return await self._database.read(work)

    async def take(self, who: Actor, channel: str, *, on_purpose: bool) -> tuple[PtzLock, bool]:
        """Take or keep the lock; the second part is true when its owner changed (and then it is audited)."""

        def work(tx: Tx) -> tuple[PtzLock, bool]:
            found = find_channel(tx, who, Action.PTZ_STEER, channel)
            old = store.lock_of(tx, channel)
            new = take(old, who, thing_of(found), HOLD_US if on_purpose else STEER_US)
            store.put_lock(tx, new)
            fresh_owner = old is None or old.session != new.session or not held(old, who.at)
            if fresh_owner:
                note(tx, who, Action.PTZ_STEER, thing_of(found), found.name)
            return new, fresh_owner

        return await self._database.write(work)

    async def release(self, who: Actor, channel: str) -> None:
        """Give it back; releasing what one does not hold changes nothing."""

        def work(tx: Tx) -> None:
            find_channel(tx, who, Action.PTZ_STEER, channel)
            lock = store.lock_of(tx, channel)
            if lock is not None and (lock.session == who.session or lock.owner == who.user):
                store.drop_lock(tx, channel)

        await self._database.write(work)

    async def cruises(self, who: Actor, channel: str) -> list[Cruise]:
        """What we set ourselves, for devices that cannot list theirs."""

        def work(tx: Tx) -> list[Cruise]:
            find_channel(tx, who, Action.CHANNEL_SEE, channel)
            return store.cruises_of(tx, channel)

        return await self._database.read(work)

    async def note_cruise(self, channel: str, action: str, number: int, point: int, value: int) -> None:
        """The device took it: keep what is now known of the cruise."""

        def work(tx: Tx) -> None:
            old = store.cruise_of(tx, channel, number) or Cruise(channel=channel, number=number)
            store.put_cruise(tx, channel, number, told(old, action, point, value))

        await self._database.write(work)


def _thing(saved: Saved) -> Thing:
    return Thing("view", saved.area_path, owner=saved.owner, id=saved.id, organisation=saved.organisation_path)


def _shared_where(who: Actor) -> tuple[str, str]:
    """The area and organisation in which others see what somebody shares: those of the first grant to see views."""
    allowed = scope(who, Action.VIEW_SEE)
    return next(((term.area, term.organisation) for term in allowed.allow if isinstance(term, Under)), (ROOT, ROOT))


def _find(tx: Tx, who: Actor, kind: str, saved: str) -> Saved:
    found = store.find(tx, kind, saved)
    if found is None or not scope(who, Action.VIEW_SEE).allows(_thing(found)):
        raise NotFoundError("no such view", code="not_found", params={"kind": "view"})
    return found


def _check_body(body: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(body)) > MAX_BODY:
        raise InvalidError("too long", code="too_long", params={"field": "body", "limit": MAX_BODY})
    return body
