"""Commands and queries about tows."""

from __future__ import annotations

from typing import Final

from safecity.core.ground.access.api import ROOT, Action, Actor, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places.api import claimed_by, find_area
from safecity.core.ground.tows import store
from safecity.core.ground.tows.decide import MAX_TOWS, Tow, TowReason, TowState, thing_of
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, ExhaustedError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

KEPT_US: Final = 30 * 86_400 * 1_000_000
"""One that is over is forgotten after so long, its plate with it; so is one that nobody said anything of for so long,
or those that were left open would keep their plates for ever, and in the end the room of the others."""


class Tows:
    """Called by whoever may change traffic where the vehicle stands."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, who: Actor, *, over: bool, before: str, limit: int) -> list[Tow]:
        """The newest first."""
        allowed = scope(who, Action.TRAFFIC_SEE)
        return await self._database.read(lambda tx: store.page(tx, allowed, over=over, before=before, limit=limit))

    async def call(
        self, who: Actor, *, reason: TowReason, plate: str, words: str, place: tuple[float, float], area: str | None
    ) -> Tow:
        """A truck is called. Without an `area` it belongs to the one that the place lies in.

        InvalidError `tow_invalid`, ForbiddenError where it stands in an area of others, ExhaustedError `too_many`.
        """
        now = self._clock.now_us()

        def work(tx: Tx) -> Tow:
            lies_in = claimed_by(tx, who, Action.TRAFFIC_CHANGE, "tow", [place])
            found = find_area(tx, area) if area else lies_in
            tow = Tow(
                id=fresh("tw"), reason=reason, plate=plate.strip().upper(), words=words.strip(), longitude=place[0],
                latitude=place[1], area=found.id if found else None, area_path=found.path if found else ROOT,
                created_by=who.name, created_at=now, changed_by=who.name, changed_at=now,
            )  # fmt: skip
            authorize(who, Action.TRAFFIC_CHANGE, thing_of(tow))
            if store.count(tx) >= MAX_TOWS:
                raise ExhaustedError("too many tows", code="too_many", params={"limit": MAX_TOWS})
            store.add(tx, tow)
            # Neither its plate nor what people wrote of it: the log is kept for longer than they may be.
            note(tx, who, Action.TRAFFIC_CHANGE, thing_of(tow), str(reason), added=True)
            return tow

        return await self._database.write(work)

    async def move(self, who: Actor, tow: str, state: TowState, *, taken_to: str, revision: int | None) -> Tow:
        """How far it is now. ConflictError `changed_meanwhile`, `tow_state`."""
        now = self._clock.now_us()

        def work(tx: Tx) -> Tow:
            old = store.find(tx, tow)
            if old is None or not scope(who, Action.TRAFFIC_SEE).allows(thing_of(old)):
                raise NotFoundError("no such tow", code="not_found", params={"kind": "tow"})
            authorize(who, Action.TRAFFIC_CHANGE, thing_of(old))
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = old.move_to(state, by=who.name, at=now, taken_to=taken_to)
            store.save(tx, new)
            note(tx, who, Action.TRAFFIC_CHANGE, thing_of(new), str(new.reason), state=str(state))
            return new

        return await self._database.write(work)

    async def sweep(self) -> int:
        """Forget what was over, or left alone, long ago."""
        now = self._clock.now_us()
        return await self._database.write(lambda tx: store.sweep(tx, now - KEPT_US))
