"""Counts for people and programs: what a source says is checked and kept, and what is kept is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, allowed, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places.api import area_at, find_area
from safecity.core.ground.tollgates.api import Tollgate
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.ground.tollgates.api import find_by_code as find_gate_by_code
from safecity.core.ground.tollgates.api import thing_of as thing_of_gate
from safecity.core.upper.counts import tables
from safecity.core.upper.counts.decide import (
    BUCKET_US,
    MINUTE_US,
    Counted,
    CountPoint,
    CountReport,
    CountSettings,
    check,
)
from safecity.core.upper.counts.following import ORIGIN
from safecity.core.upper.counts.placing import at_gate
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError
from safecity.ports.database import Database, Tx

NOW_US: Final = 3 * BUCKET_US
RECENT_US: Final = 72 * BUCKET_US
"""What a list shows of the past: six hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a source tells, and where: at a checkpoint by id or code (and lane), or at a place beside a road."""

    source: str
    report: CountReport
    tollgate: str = ""
    lane: int | None = None
    place: str = ""
    name: str = ""
    longitude: float | None = None
    latitude: float | None = None
    bearing: float | None = None
    lanes: int = 1
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """`new`, `known` (said before in the same words), `corrected`, or `refused` with the reason."""

    outcome: str
    point: str = ""
    refused: InvalidError | ExhaustedError | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What was counted in the time from `at` on."""

    at: int
    counted: Counted


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """A place with the last quarter of an hour and the last six hours, as far as enough vehicles passed."""

    point: CountPoint
    now: Step | None
    recent: Sequence[Step]


class Counts:
    """A look at counts needs no record: they name no vehicle."""

    def __init__(self, database: Database, clock: Clock, settings: CountSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    async def report(self, who: Actor, told: Sequence[Told]) -> list[Filed]:
        """One by one, in one transaction: what is refused keeps back nothing else. NotFoundError `sighting_nowhere`
        where one names a checkpoint or an area that `who` may not report for, and then none is kept."""
        now = self._clock.now_us()

        def work(tx: Tx) -> list[Filed]:
            placed = [_placed(tx, who, one) for one in told]
            return [self._file(tx, point, one, now) for point, one in zip(placed, told, strict=True)]

        return await self._database.write(work)

    def _file(self, tx: Tx, wanted: CountPoint, told: Told, now: int) -> Filed:
        report = told.report
        try:
            check(report, wanted.lanes, now, self._settings)
        except InvalidError as error:
            return Filed("refused", refused=error)
        try:
            point = tables.known(tx, wanted)
        except ExhaustedError as error:
            return Filed("refused", refused=error)
        if tables.overlaps(tx, point.id, report.since, report.until):
            return Filed("refused", point.id, InvalidError("counted before", code="count_overlaps"))
        before, counted = tables.period(tx, point.id, report.since), report.counted
        if before == counted:
            return Filed("known", point.id)
        tables.put(tx, point.id, [(report.since, counted)])
        return Filed("new" if before is None else "corrected", point.id)

    async def page(
        self, who: Actor, *, least: int, before: str, limit: int, area: str = "", tollgate: str = "",
        every_lane: bool = False,
    ) -> list[ShownPoint]:  # fmt: skip
        """Newest first. `least`: what fewer vehicles than that did is not told."""
        may = scope(who, Action.TRAFFIC_SEE)

        def work(tx: Tx) -> list[ShownPoint]:
            path = find_area(tx, area).path if area else ""
            found = tables.page(
                tx, may, before=before, limit=limit, area=path, tollgate=tollgate, every_lane=every_lane
            )  # fmt: skip
            return self._shown(tx, found, least)

        return await self._database.read(work)

    async def see(self, who: Actor, point: str, *, least: int) -> ShownPoint:
        """One."""
        return await self._database.read(
            lambda tx: self._shown(tx, [_visible(tx, who, Action.TRAFFIC_SEE, point)], least)[0]
        )

    async def history(
        self, who: Actor, point: str, *, least: int, since: int, until: int, step_us: int, limit: int
    ) -> tuple[CountPoint, list[Step], int | None]:
        """In steps, oldest first, and where the next part begins."""

        def work(tx: Tx) -> tuple[CountPoint, list[tuple[int, Counted]]]:
            one = _visible(tx, who, Action.TRAFFIC_SEE, point)
            found = tables.sums(tx, [point], since - since % step_us, until, step_us, limit=limit + 1)
            return one, found[point]

        one, found = await self._database.read(work)
        now = self._clock.now_us()
        steps = [Step(at, _whole(one, at, counted, step_us, now)) for at, counted in found[:limit]]
        return one, told_of(steps, least), found[limit][0] if len(found) > limit else None

    async def remove(self, who: Actor, point: str) -> None:
        """With all that was counted there. Where vehicles go on being counted it comes again, empty."""

        def work(tx: Tx) -> None:
            old = _visible(tx, who, Action.TRAFFIC_CHANGE, point)
            tables.remove(tx, point)
            note(tx, who, Action.TRAFFIC_CHANGE, thing_of(old), old.name, removed=True, source=old.source)

        await self._database.write(work)

    async def sweep(self) -> int:
        """Forget sums that are past their time; how many."""
        now, gone = self._clock.now_us(), 0
        minutes, whole = now - self._settings.minute_us, now - self._settings.kept_us
        while some := await self._database.write(lambda tx: tables.forget(tx, minutes, whole)):
            gone += some
        return gone

    def _shown(self, tx: Tx, points: Sequence[CountPoint], least: int) -> list[ShownPoint]:
        now, ids = self._clock.now_us(), [one.id for one in points]
        begin = now - now % MINUTE_US - NOW_US
        last = tables.sums(tx, ids, begin, now, MINUTE_US)
        recent = tables.sums(tx, ids, now - now % BUCKET_US + BUCKET_US - RECENT_US, now, BUCKET_US)
        shown: list[ShownPoint] = []
        for one in points:
            steps = [Step(at, _whole(one, at, counted, BUCKET_US, now)) for at, counted in recent[one.id]]
            together = sum((counted for _, counted in last[one.id]), Counted())
            if one.origin == ORIGIN:
                together = replace(together, seconds=(now - begin) // SECOND_US)
            latest = told_of([Step(begin, together)] if last[one.id] else [], least)
            shown.append(ShownPoint(one, latest[0] if latest else None, told_of(steps, least)))
        return shown


def thing_of(point: CountPoint) -> Thing:
    """What decisions about it need."""
    return Thing("count_point", point.area_path, id=point.id, organisation=point.organisation_path)


def told_of(steps: Sequence[Step], least: int) -> list[Step]:
    """Those that enough vehicles passed in, without kinds and speeds of too few."""
    return [Step(one.at, _told(one.counted, least)) for one in steps if one.counted.vehicles >= least]


def _told(counted: Counted, least: int) -> Counted:
    few = {kind: 0 for kind, number in counted.kinds.items() if number < least}
    if counted.timed < least:
        few |= {"timed": 0, "speed": 0, "pace": 0}
    return replace(counted, **few)


def _whole(point: CountPoint, at: int, counted: Counted, step_us: int, now: int) -> Counted:
    """Passages are counted all the time: minutes without any have no row."""
    if point.origin != ORIGIN:
        return counted
    return replace(counted, seconds=max(1, min(step_us, now - at) // SECOND_US))


def _visible(tx: Tx, who: Actor, action: Action, point: str) -> CountPoint:
    found = tables.find(tx, point)
    if found is None or not scope(who, Action.TRAFFIC_SEE).allows(thing_of(found)):
        raise NotFoundError("no such place", code="not_found", params={"kind": "count_point"})
    authorize(who, action, thing_of(found))
    return found


def _placed(tx: Tx, who: Actor, told: Told) -> CountPoint:
    """Where it is, without an id."""
    common: dict[str, Any] = {"id": "", "origin": f"{who.user}/{told.source}", "source": told.source}
    if told.tollgate:
        gate = _gate(tx, who, told.tollgate)
        if told.lane is not None and gate.lane(told.lane) is None:
            raise NotFoundError("no such lane", code="count_lane", params={"lane": told.lane})
        return at_gate(gate, told.lane, origin=common["origin"], source=told.source)
    area = find_area(tx, told.area) if told.area else area_at(tx, told.longitude, told.latitude)
    point = CountPoint(
        **common, place=told.place, lane=told.lane, name=told.name or told.place, tollgate=None,
        longitude=told.longitude, latitude=told.latitude, bearing=told.bearing,
        lanes=1 if told.lane is not None else told.lanes, area_path=area.path if area else ROOT,
    )  # fmt: skip
    if not allowed(who, Action.PASSAGE_REPORT, thing_of(point)):
        raise NotFoundError("nowhere that you report for", code="sighting_nowhere")
    return point


def _gate(tx: Tx, who: Actor, named: str) -> Tollgate:
    gate = find_gate(tx, named) if named.startswith("tg_") else find_gate_by_code(tx, named)
    if gate is None or not gate.enabled or not allowed(who, Action.PASSAGE_REPORT, thing_of_gate(gate)):
        raise NotFoundError("no such tollgate for you", code="sighting_nowhere")
    return gate
