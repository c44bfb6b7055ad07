"""How many vehicles pass: told by loops, radars and other systems, counted from passages, shown and exported."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field, model_validator

from safecity.core.ground.access.api import Action
from safecity.core.upper.counts.api import (
    BUCKET_US,
    ORIGIN,
    Counted,
    CountPoint,
    CountReport,
    Filed,
    ShownPoint,
    Step,
    Told,
    VehicleKind,
)
from safecity.kit.clock import SECOND_US
from safecity.protocols.ngsild.flow import MEDIA_TYPE, Flow, flow_observed
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.traffic import last_day, least_vehicles
from safecity.web.shapes import (
    Answer,
    Ask,
    Moment,
    OptionalMoment,
    Page,
    Params,
    Text,
    ThingId,
    read_cursor,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("traffic")
EXPORTED = 1_000
"""Places, or times five minutes, in one file."""
_ENTITIES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Entities of the type TrafficFlowObserved.",
        "content": {MEDIA_TYPE: {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}
Number = Annotated[int, Field(ge=0, le=100_000)]
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^/\x00-\x1f]+$")]
Lane = Annotated[int | None, Field(ge=1, le=99)]


class CountAsk(Ask):
    """What passed in [since, until), 10 s to an hour: at a checkpoint by id or code (and lane), or at a place beside a
    road that the source names and places (`place`, longitude, latitude, and `bearing`: degrees from north in the
    direction of travel). `kinds`: of some or all of the vehicles. `speed_kmh`: their mean. `occupancy`: 0 to 1, of the
    time that a detector was covered. Source, place, lane and period name it: told again it is the same, told otherwise
    it replaces what was told."""

    source: Label
    tollgate: ThingId = ""
    place: Annotated[str, Field(max_length=60, pattern=r"^[^/\x00-\x1f]*$")] = ""
    name: Text = ""
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    bearing: Annotated[float | None, Field(ge=0, lt=360)] = None
    lane: Lane = None
    lanes: Annotated[int, Field(ge=1, le=20)] = 1
    area: ThingId | None = None
    since: Moment
    until: Moment
    count: Number
    kinds: dict[VehicleKind, Number] = Field(default_factory=dict[VehicleKind, int])
    speed_kmh: Annotated[float | None, Field(ge=0, le=1_000)] = None
    occupancy: Annotated[float | None, Field(ge=0, le=1)] = None

    @model_validator(mode="after")
    def _somewhere(self) -> CountAsk:
        """One of the two places, and whole; and nobody speaks in the platform's name."""
        if bool(self.tollgate) == bool(self.place):
            raise ValueError("either a tollgate or a place")
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("longitude and latitude go together")
        if self.source == ORIGIN:
            raise ValueError("that is what the platform calls itself")
        return self


class CountsAsk(Ask):
    """A batch."""

    items: Annotated[list[CountAsk], Field(min_length=1, max_length=500)]


class CountFiled(Answer):
    """`refused` with its reason (`code`, `params`, `sentence`), or kept at `point`."""

    outcome: Literal["new", "known", "corrected", "refused"]
    point: str
    code: str
    params: Params
    sentence: str


class CountsFiled(Answer):
    """One for each that was sent, in their order."""

    items: list[CountFiled]


class CountOut(Answer):
    """What passed in the `seconds` from `at` on that were counted. `flow`: vehicles an hour. `kinds`: where they are
    known, without those of which there were too few. `speed_kmh`: the mean at the place, of the `timed` vehicles whose
    speed is known. `occupancy`: 0 to 1."""

    at: Moment
    seconds: int
    vehicles: int
    flow: float
    kinds: dict[str, int]
    timed: int
    speed_kmh: float | None
    occupancy: float | None


class CountPointOut(Answer):
    """A place where one source counts. `source`: `passages` where the platform counts itself. `lane`: empty stands for
    all `lanes` together. `now`: the last 15 minutes; `recent`: by five minutes, of the last six hours. Fewer vehicles
    than `least` are not told."""

    id: str
    source: str
    place: str
    name: str
    tollgate: str | None
    lane: int | None
    lanes: int
    longitude: float | None
    latitude: float | None
    bearing: float | None
    now: CountOut | None
    recent: list[CountOut]
    least: int


class CountsOut(Answer):
    """Oldest first; times in which fewer than `least` vehicles passed are left out. `next`: ask for what follows with
    it as `since`."""

    items: list[CountOut]
    next: OptionalMoment
    least: int


@routes.post("/traffic/counts", Action.PASSAGE_REPORT, fails=(404,))
async def report_counts(ask: CountsAsk, who: Who, here: Here) -> CountsFiled:
    """What other systems counted. What cannot be true is refused with the reason, item by item."""
    filed = await here.counts.report(who, [_told(one) for one in ask.items])
    return CountsFiled(items=[_filed(one, who.language) for one in filed])


@routes.get("/traffic/counts", Action.TRAFFIC_SEE)
async def list_count_points(
    who: Who, here: Here, area: Annotated[str, Query(max_length=40)] = "",
    tollgate: Annotated[str, Query(max_length=40)] = "",
    every_lane: Annotated[bool, Query(description="Also single lanes of checkpoints.")] = False,
    cursor: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[CountPointOut]:  # fmt: skip
    """Newest place first, with the flow of now."""
    place, least = read_cursor(cursor, str), least_vehicles(who)
    found = await here.counts.page(
        who, least=least, before=place[0] if place else "", limit=limit + 1, area=area, tollgate=tollgate,
        every_lane=every_lane,
    )  # fmt: skip
    more = write_cursor(found[limit - 1].point.id) if len(found) > limit else None
    return Page(items=[_point(one, least) for one in found[:limit]], next=more)


@routes.get("/traffic/counts.jsonld", Action.TRAFFIC_SEE, response_class=Response, responses=_ENTITIES)
async def save_counts(
    who: Who, here: Here, area: Annotated[str, Query(max_length=40)] = "",
    point: Annotated[str, Query(max_length=40)] = "", since: Annotated[OptionalMoment, Query()] = None,
    until: Annotated[OptionalMoment, Query()] = None,
) -> Response:  # fmt: skip
    """In the shape of NGSI-LD's `TrafficFlowObserved`: the last 15 minutes of every place, or with `point` its five
    minutes of the last day, or of the time that is named; at most 1,000."""
    least = least_vehicles(who)
    if point:
        start, end = last_day(here.clock.now_us(), since, until, BUCKET_US)
        one, found, _ = await here.counts.history(
            who, point, least=least, since=start, until=end, step_us=BUCKET_US, limit=EXPORTED
        )  # fmt: skip
        flows = [flow for step in found for flow in _flows(one, step)]
    else:
        every = await here.counts.page(who, least=least, before="", limit=EXPORTED, area=area)
        flows = [flow for shown in every if shown.now is not None for flow in _flows(shown.point, shown.now)]
    body = json.dumps([flow_observed(one) for one in flows], ensure_ascii=False)
    return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


@routes.get("/traffic/counts/{count_point}", Action.TRAFFIC_SEE)
async def see_count_point(count_point: str, who: Who, here: Here) -> CountPointOut:
    """One place."""
    least = least_vehicles(who)
    return _point(await here.counts.see(who, count_point, least=least), least)


@routes.delete("/traffic/counts/{count_point}", Action.TRAFFIC_CHANGE, status_code=204)
async def delete_count_point(count_point: str, who: Who, here: Here) -> None:
    """With all that was counted there."""
    await here.counts.remove(who, count_point)


@routes.get("/traffic/counts/{count_point}/history", Action.TRAFFIC_SEE)
async def list_counts(
    count_point: str, who: Who, here: Here, since: Annotated[OptionalMoment, Query()] = None,
    until: Annotated[OptionalMoment, Query()] = None,
    step: Annotated[Literal["60", "300", "900", "3600"], Query(description="Seconds.")] = "300",
    limit: Annotated[int, Query(ge=1, le=2016)] = 288,
) -> CountsOut:  # fmt: skip
    """Of the last day, or of the time that is named. By the minute for a week, and as far as the source told it so
    finely; by five minutes and longer for 400 days (settings `[counts]`)."""
    start, end = last_day(here.clock.now_us(), since, until, BUCKET_US)
    least = least_vehicles(who)
    _, found, more = await here.counts.history(
        who, count_point, least=least, since=start, until=end, step_us=int(step) * SECOND_US, limit=limit
    )  # fmt: skip
    return CountsOut(items=[_count(one) for one in found], next=more, least=least)


def _told(ask: CountAsk) -> Told:
    report = CountReport(
        since=ask.since, until=ask.until, vehicles=ask.count, speed_kmh=ask.speed_kmh, occupancy=ask.occupancy,
        kinds={str(kind): number for kind, number in ask.kinds.items() if number},
    )  # fmt: skip
    names = ("source", "tollgate", "lane", "place", "name", "longitude", "latitude", "bearing", "lanes", "area")
    return Told(report=report, **{name: getattr(ask, name) for name in names})


def _filed(one: Filed, language: str) -> CountFiled:
    if one.refused is None:
        return CountFiled(outcome=one.outcome, point=one.point, code="", params={}, sentence="")  # pyright: ignore[reportArgumentType]
    code, params = one.refused.code, one.refused.params
    return CountFiled(
        outcome="refused", point=one.point, code=code, params=params, sentence=sentence(code, params, language)
    )  # fmt: skip


def _point(shown: ShownPoint, least: int) -> CountPointOut:
    point = shown.point
    names = ("id", "source", "place", "name", "tollgate", "lane", "lanes", "longitude", "latitude", "bearing")
    now = _count(shown.now) if shown.now is not None else None
    values: dict[str, Any] = {name: getattr(point, name) for name in names}
    return CountPointOut(**values, now=now, recent=[_count(one) for one in shown.recent], least=least)


def _count(step: Step) -> CountOut:
    one = step.counted
    return CountOut(
        at=step.at, seconds=one.seconds, vehicles=one.vehicles, flow=_flow(one), kinds=one.kinds, timed=one.timed,
        speed_kmh=_rounded(one.speed_kmh, 1), occupancy=_rounded(one.occupancy, 3),
    )  # fmt: skip


def _flow(one: Counted) -> float:
    return round(one.vehicles * 3600 / one.seconds, 1) if one.seconds else 0.0


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _flows(point: CountPoint, step: Step) -> list[Flow]:
    """Of all kinds together, and of each that is known."""
    one = step.counted
    common: dict[str, Any] = {
        "point": point.id, "name": point.name, "source": point.source, "lane": point.lane,
        "place": (point.longitude, point.latitude) if point.longitude is not None else None, "since": step.at,
        "until": step.at + one.seconds * SECOND_US,
    }  # fmt: skip
    every = Flow(
        **common, intensity=one.vehicles, speed_kmh=_rounded(one.speed_kmh, 1), occupancy=_rounded(one.occupancy, 3)
    )  # fmt: skip
    return [every, *(Flow(**common, intensity=number, vehicle_type=kind) for kind, number in one.kinds.items())]
