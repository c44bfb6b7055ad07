"""Commands and queries about closures, and keeping the duty `traffic` at them."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.closures import store
from safecity.core.ground.closures.decide import MAX_CLOSURES, Closure, ClosureKind
from safecity.core.ground.places.api import claimed_by, find_area
from safecity.core.ground.settings.api import Settings, get, put
from safecity.kit.clock import Clock
from safecity.kit.errors import ExhaustedError, NotFoundError, SafecityError
from safecity.kit.ids import fresh
from safecity.model.facts.traffic_calls import (
    ApplyTraffic,
    AskTraffic,
    FindRoads,
    Line,
    RoadsFound,
    TrafficClosure,
    TrafficFigures,
)
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
ADDRESS: Final = "traffic"
REVISION: Final = "closures"
LOOK_SECONDS: Final = 2.0
TIMEOUT: Final = 10.0
KEPT_US: Final = 30 * 86_400 * 1_000_000
"""A closure that ended is forgotten after so long."""


def thing_of(closure: Closure) -> Thing:
    """What decisions about it need."""
    return Thing("closure", closure.area_path, id=closure.id)


class Closures:
    """Of roads. What is added or taken away is in force before the answer, where the duty answers at all; it hears of
    it within seconds where it does not."""

    def __init__(self, database: Database, calls: Calls, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._calls = calls
        self._settings = settings
        self._clock = clock
        self._pushing = asyncio.Lock()
        self.figures: TrafficFigures | None = None
        """What the duty said last; None while it does not answer."""

    async def run(self) -> None:
        """Until cancelled: a duty that began anew knows nothing, and is told it all again."""
        while True:
            try:
                await self.look()
            except SafecityError:
                self.figures = None
            await asyncio.sleep(LOOK_SECONDS)

    async def page(self, who: Actor, *, before: str, limit: int) -> list[Closure]:
        """Those in force and those to come, the newest first."""
        allowed, now = scope(who, Action.TRAFFIC_SEE), self._clock.now_us()
        return await self._database.read(lambda tx: store.page(tx, allowed, now, before=before, limit=limit))

    async def add(
        self, who: Actor, *, kind: ClosureKind, reason: str, line: Line, both_ways: bool, start: int | None,
        end: int | None, area: str | None,
    ) -> tuple[Closure, RoadsFound]:  # fmt: skip
        """The closure and the roads that it closes.

        Without an `area` it belongs to the one that it lies in, as far as borders are drawn there.

        InvalidError `closure_invalid`, ForbiddenError where the line runs through an area of others, NotFoundError
        `no_road_near`, UnavailableError where the duty cannot say.
        """
        now = self._clock.now_us()

        def made(tx: Tx) -> Closure:
            # Whoever names an area of their own closes roads in it, and not those of their neighbours.
            lies_in = claimed_by(tx, who, Action.TRAFFIC_CHANGE, "closure", line)
            found = find_area(tx, area) if area else lies_in
            closure = Closure(
                id=fresh("cl"), kind=kind, reason=reason.strip(), line=line, both_ways=both_ways,
                start=now if start is None else start, end=end, area=found.id if found else None,
                area_path=found.path if found else ROOT, created_by=who.name, created_at=now,
            )  # fmt: skip
            authorize(who, Action.TRAFFIC_CHANGE, thing_of(closure))
            if store.count(tx, now) >= MAX_CLOSURES:
                raise ExhaustedError("too many closures", code="too_many", params={"limit": MAX_CLOSURES})
            return closure

        closure = await self._database.read(made)
        roads = await self._calls.call(ADDRESS, FindRoads(line=line, both_ways=both_ways), timeout=TIMEOUT)
        if not isinstance(roads, RoadsFound):
            roads = RoadsFound((), 0.0)

        def work(tx: Tx) -> None:
            store.add(tx, closure)
            _touch(tx)
            note(
                tx, who, Action.TRAFFIC_CHANGE, thing_of(closure), str(kind), reason=closure.reason, added=True,
                start=closure.start, end=closure.end, metres=round(roads.metres),
            )  # fmt: skip

        await self._database.write(work)
        await self._push_if_there()
        return closure, roads

    async def remove(self, who: Actor, closure: str) -> None:
        """The road is open again."""

        def work(tx: Tx) -> None:
            found = store.find(tx, closure)
            if found is None or not scope(who, Action.TRAFFIC_SEE).allows(thing_of(found)):
                raise NotFoundError("no such closure", code="not_found", params={"kind": "closure"})
            authorize(who, Action.TRAFFIC_CHANGE, thing_of(found))
            store.remove(tx, closure)
            _touch(tx)
            note(tx, who, Action.TRAFFIC_CHANGE, thing_of(found), str(found.kind), reason=found.reason, removed=True)

        await self._database.write(work)
        await self._push_if_there()

    async def sweep(self) -> int:
        """Forget what ended long ago."""
        now = self._clock.now_us()
        return await self._database.write(lambda tx: store.sweep(tx, now - KEPT_US))

    async def push(self) -> None:
        """Tell the duty all closures."""
        async with self._pushing:  # who comes second tells the later state last
            now = self._clock.now_us()

            def work(tx: Tx) -> ApplyTraffic:
                every = tuple(_told(one) for one in store.lasting(tx, now))
                platform = self._settings.platform(tx)
                return ApplyTraffic(self._revision(tx), every, platform.zone, platform.day_kinds)

            wanted = await self._database.read(work)
            await self._calls.call(ADDRESS, wanted, timeout=TIMEOUT)

    def _revision(self, tx: Tx) -> int:
        """Of all that the duty is told: closures, the local time and its holidays."""
        return int(get(tx, REVISION, 0)) + self._settings.platform(tx).revision + 1

    async def _push_if_there(self) -> None:
        try:
            await self.push()
        except SafecityError as error:  # it hears of it when it is back
            logger.warning("closures not told yet code=%s why=%s", error.code, error)

    async def look(self) -> None:
        """See that the duty has heard of the newest."""
        answer = await self._calls.call(ADDRESS, AskTraffic(), timeout=TIMEOUT)
        if isinstance(answer, TrafficFigures):
            self.figures = answer
            if answer.revision != await self._database.read(self._revision):
                await self.push()


def _touch(tx: Tx) -> None:
    put(tx, REVISION, int(get(tx, REVISION, 0)) + 1)


def _told(closure: Closure) -> TrafficClosure:
    return TrafficClosure(closure.id, closure.line, closure.both_ways, closure.start, closure.end)
