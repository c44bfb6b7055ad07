"""How long it takes to drive from one checkpoint to another: now, usually, and through the day."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.upper.traveltimes.api import BUCKET_US, Bucket, Shown, Times
from safecity.kit.clock import SECOND_US
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.traffic import last_day, least_vehicles
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("traffic")
Metres = Annotated[float, Field(ge=100, le=100_000)]
Slowest = Annotated[float, Field(ge=1, le=60)]
Fastest = Annotated[float, Field(ge=60, le=260)]
LaneNumbers = Annotated[list[Annotated[int, Field(ge=1, le=99)]], Field(max_length=20)]


class TravelTimeOut(Answer):
    """What a section took the vehicles that arrived from `at` on, in the minutes that are spoken of: the median, and
    between what the middle 80 of 100 lie. `vehicles`: so many different ones at least. `left_out`: drives that stopped
    on the way or took another one. `speed_kmh`: the length of the section over the median."""

    at: Moment
    seconds: float
    low_seconds: float
    high_seconds: float
    speed_kmh: float
    vehicles: int
    left_out: int


class TravelSectionOut(Answer):
    """From one checkpoint to another, in the direction of travel, with what it takes.

    `now`: of the last 15 minutes, `at` being the last arrival. `usual_seconds`: the median at this time on such a day
    (working day, Saturday, Sunday) of the last four weeks. `recent`: by five minutes, of the last six hours. Empty is
    what too few vehicles drove. Names of checkpoints that the reader may not see are empty. Plates are not kept for any
    of it.
    """

    id: str
    name: str
    entry: str
    exit: str
    entry_name: str
    exit_name: str
    entry_place: list[float]
    exit_place: list[float]
    entry_lanes: list[int]
    exit_lanes: list[int]
    length_m: float
    slowest_kmh: float
    fastest_kmh: float
    enabled: bool
    revision: int
    now: TravelTimeOut | None
    usual_seconds: float | None
    recent: list[TravelTimeOut]
    least: int


class TravelSectionAsk(Ask):
    """A new section. Lanes that are named at an end count alone there. Who is slower or faster than the bounds is left
    out."""

    name: Text
    entry: ThingId
    exit: ThingId
    entry_lanes: LaneNumbers = Field(default_factory=list[int])
    exit_lanes: LaneNumbers = Field(default_factory=list[int])
    length_m: Metres
    slowest_kmh: Slowest = 5
    fastest_kmh: Fastest = 160
    enabled: bool = True


class TravelSectionPatch(Ask):
    """What is to change."""

    name: Text | None = None
    entry: ThingId | None = None
    exit: ThingId | None = None
    entry_lanes: LaneNumbers | None = None
    exit_lanes: LaneNumbers | None = None
    length_m: Metres | None = None
    slowest_kmh: Slowest | None = None
    fastest_kmh: Fastest | None = None
    enabled: bool | None = None


class TravelTimesOut(Answer):
    """By five minutes, oldest first; minutes in which too few arrived are left out. `next`: ask for what follows with
    it as `since`."""

    items: list[TravelTimeOut]
    next: OptionalMoment
    least: int


@routes.get("/traffic/sections", Action.TRAFFIC_SEE)
async def list_travel_sections(
    who: Who, here: Here, area: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[TravelSectionOut]:  # fmt: skip
    """Newest first, with the times of now."""
    place, least = read_cursor(cursor, str), least_vehicles(who)
    before = place[0] if place else ""
    found = await here.travel_times.page(who, least=least, before=before, limit=limit + 1, area=area)
    more = write_cursor(found[limit - 1].section.id) if len(found) > limit else None
    return Page(items=[_section(one, least) for one in found[:limit]], next=more)


@routes.post("/traffic/sections", Action.TRAFFIC_CHANGE, status_code=201)
async def add_travel_section(ask: TravelSectionAsk, who: Who, here: Here, response: Response) -> TravelSectionOut:
    """A new section; passages that come from now on are measured."""
    one = await here.travel_times.add(who, ask.model_dump())
    return await _seen(one.id, who, here, response)


@routes.get("/traffic/sections/{travel_section}", Action.TRAFFIC_SEE)
async def see_travel_section(travel_section: str, who: Who, here: Here, response: Response) -> TravelSectionOut:
    """One section."""
    return await _seen(travel_section, who, here, response)


@routes.patch("/traffic/sections/{travel_section}", Action.TRAFFIC_CHANGE)
async def change_travel_section(
    travel_section: str, ask: TravelSectionPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> TravelSectionOut:
    """What was measured before stays as it was measured."""
    given = {name: value for name, value in ask.given().items() if value is not None}
    await here.travel_times.change(who, travel_section, given, read_revision(if_match))
    return await _seen(travel_section, who, here, response)


@routes.delete("/traffic/sections/{travel_section}", Action.TRAFFIC_CHANGE, status_code=204)
async def delete_travel_section(travel_section: str, who: Who, here: Here) -> None:
    """With all that was measured over it."""
    await here.travel_times.remove(who, travel_section)


@routes.get("/traffic/sections/{travel_section}/times", Action.TRAFFIC_SEE)
async def list_travel_times(
    travel_section: str, who: Who, here: Here, since: Annotated[OptionalMoment, Query()] = None,
    until: Annotated[OptionalMoment, Query()] = None, limit: Annotated[int, Query(ge=1, le=2016)] = 288,
) -> TravelTimesOut:  # fmt: skip
    """Of the last day, or of the time that is named; three months are kept."""
    (start, end), least = last_day(here.clock.now_us(), since, until, BUCKET_US), least_vehicles(who)
    found, more = await here.travel_times.history(who, travel_section, least=least, since=start, until=end, limit=limit)
    return TravelTimesOut(items=[_bucket(one) for one in found], next=more, least=least)


async def _seen(section: str, who: Actor, here: Any, response: Response) -> TravelSectionOut:
    least = least_vehicles(who)
    return tag(response, _section(await here.travel_times.see(who, section, least=least), least))


def _section(one: Shown, least: int) -> TravelSectionOut:
    section = one.section
    names = ("id", "name", "entry", "exit", "length_m", "slowest_kmh", "fastest_kmh", "enabled", "revision")
    ends = {
        f"{end}_place": [gate.longitude, gate.latitude] if gate and gate.longitude is not None else []
        for end, gate in (("entry", one.entry), ("exit", one.exit))
    }
    now = _time(one.newest, section.length_m, one.now) if one.now is not None and one.newest is not None else None
    return TravelSectionOut.model_validate(
        {name: getattr(section, name) for name in names} | ends | {
            "entry_name": one.entry.name if one.entry else "", "exit_name": one.exit.name if one.exit else "",
            "entry_lanes": [*section.entry_lanes], "exit_lanes": [*section.exit_lanes], "now": now,
            "usual_seconds": None if one.usual_us is None else one.usual_us / SECOND_US,
            "recent": [_bucket(each) for each in one.recent], "least": least,
        }
    )  # fmt: skip


def _bucket(one: Bucket) -> TravelTimeOut:
    return _time(one.at, one.length_m, one.times)


def _time(at: int, length_m: float, found: Times) -> TravelTimeOut:
    return TravelTimeOut(
        at=at, seconds=found.median_us / SECOND_US, low_seconds=found.low_us / SECOND_US,
        high_seconds=found.high_us / SECOND_US, speed_kmh=round(3.6 * length_m / (found.median_us / SECOND_US), 1),
        vehicles=found.vehicles, left_out=found.left_out,
    )  # fmt: skip
