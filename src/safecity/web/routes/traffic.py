"""Traffic: the road network, speeds of now, jams, closures, and ways from one place to another."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import PLATFORM, ROOT, Action, Actor, Thing, allowed
from safecity.core.ground.closures.api import Closure, ClosureKind
from safecity.core.ground.places.api import Area
from safecity.core.ground.tolls.api import VehicleClass
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError, SafecityError, UnavailableError
from safecity.model.facts.media_calls import Message
from safecity.model.facts.traffic_calls import (
    AskConditions,
    AskJams,
    AskNetwork,
    AskRoutes,
    ConditionsFound,
    EdgeCondition,
    Jam,
    JamsFound,
    Line,
    NetworkDescribed,
    Point,
    RouteFound,
    RoutesFound,
)
from safecity.web.guard import Here, Routes, Who
from safecity.web.lying import lying, told_to
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, Moment, OptionalMoment, Page, ThingId, read_cursor, write_cursor

routes = Routes("traffic")
ADDRESS = "traffic"
TIMEOUT = 10.0
LEAST_VEHICLES = 3
"""Fewer say more about a driver than about a road: they are shown only to those who may see all vehicles anyway."""
DAY_US = 86_400 * SECOND_US
AHEAD_US = 14 * DAY_US
T = TypeVar("T", bound=Message)
Place = Annotated[str, Query(max_length=60, description="Longitude and latitude, `118.37,31.33` (WGS-84).")]
Box = Annotated[str, Query(max_length=120, description="West, south, east and north, in degrees.")]
Degrees = Annotated[float, Field(ge=-180, le=180)]
Position = Annotated[list[Degrees], Field(min_length=2, max_length=2)]


class LineShape(Answer):
    """GeoJSON (RFC 7946): positions are longitude and latitude."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[list[float]]


class RouteProperties(Answer):
    """A way. `arrival_low` and `arrival_high`: between them lies the real arrival in 80 of 100 cases. `free_seconds`:
    on empty roads. `measured_metres`: so much of it is known from vehicles that drive there now. `share`: of many
    drivers who ask, so many had better be sent over it, that not all jump onto the best one; where none gains more over
    the usual way than is known of the difference, all go on as usual. `toll`: what it costs to
    drive it then, in minor units of `currency` (empty: nobody says what roads cost); it was weighed against time."""

    metres: float
    seconds: float
    free_seconds: float
    departure: Moment
    arrival: Moment
    arrival_low: Moment
    arrival_high: Moment
    measured_metres: float
    share: float
    toll: int
    currency: str


class RouteFeature(Answer):
    """One way as a feature of GeoJSON."""

    type: Literal["Feature"] = "Feature"
    geometry: LineShape
    properties: RouteProperties


class RouteCollection(Answer):
    """The best way first."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[RouteFeature]


class ConditionProperties(Answer):
    """One direction of a road. `speed_kmh` and `level` (A free to F, empty: nothing is known) of the vehicles of the
    last minutes, at least `vehicles` of them; `age_seconds` since the last one. `flow`: vehicles an
    hour, where they are counted. `road_class` 1 motorway to 9 service
    road, 0 not known."""

    edge: int
    road_class: int
    free_kmh: float
    speed_kmh: float | None
    level: str
    vehicles: int
    age_seconds: float | None
    closed: bool
    flow: float | None


class ConditionFeature(Answer):
    """One direction of a road as a feature of GeoJSON, in the direction of travel."""

    type: Literal["Feature"] = "Feature"
    geometry: LineShape
    properties: ConditionProperties


class ConditionCollection(Answer):
    """Edges in the box, the important ones first. `left_out`: how many did not fit; ask for a smaller box. `least`:
    speeds of fewer vehicles than that are not told to the reader."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[ConditionFeature]
    left_out: int
    least: int
    at: Moment


class JamOut(Answer):
    """Roads below two fifths of their free speed that hang together, until they are above half of it again. `area`: the
    one whose border its middle lies in, null where none was drawn."""

    id: str
    began_at: Moment
    longitude: float
    latitude: float
    metres: float
    speed_kmh: float
    lines: list[LineShape]
    area: str | None
    area_name: str


class JamsOut(Answer):
    """The longest way first."""

    items: list[JamOut]


class RoadNetworkOut(Answer):
    """The road network in force. `bounds`: west, south, east, north. `dropped`: what was left out of the import, by
    reason. `islands`: directions of roads that lead nowhere. `unplaced`: closures that fit no road of it."""

    version: str
    label: str
    credit: str
    imported_at: Moment
    sources: list[str]
    nodes: int
    edges: int
    islands: int
    kilometres: float
    bounds: list[float]
    dropped: dict[str, int]
    unplaced: list[str]


class ClosureAsk(Ask):
    """Works, an accident, an order. One point closes the nearest road, several the roads along them: both directions,
    or the one in which the line runs. Without `start` from now on, without `end` until it is taken away."""

    kind: ClosureKind
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    line: Annotated[list[Position], Field(min_length=1, max_length=200)]
    both_ways: bool = True
    start: OptionalMoment = None
    end: OptionalMoment = None
    area: ThingId | None = None


class ClosureOut(Answer):
    """A closure that has not ended."""

    id: str
    kind: ClosureKind
    reason: str
    line: LineShape
    both_ways: bool
    start: Moment
    end: OptionalMoment
    area: str | None
    created_by: str
    created_at: Moment


class ClosureMade(ClosureOut):
    """With what it closes."""

    roads: list[LineShape]
    metres: float


@routes.get("/routes", Action.TRAFFIC_SEE, fails=(404, 503))
async def find_routes(
    who: Who, here: Here, start: Annotated[Place, Query(alias="from")], end: Annotated[Place, Query(alias="to")],
    depart: Annotated[OptionalMoment, Query()] = None, alternatives: Annotated[int, Query(ge=1, le=5)] = 3,
    vehicle: VehicleClass = VehicleClass.CAR,
    avoid: Annotated[Literal["", "tolls"], Query(description="`tolls`: none of them, as far as any way is.")] = "",
) -> RouteCollection:  # fmt: skip
    """Ways between two places, with the traffic of now and what is closed, setting out now or at `depart`. Tolls are
    those of the class of `vehicle`."""
    now = here.clock.now_us()
    at = max(depart or now, now)
    if at > now + AHEAD_US:
        raise InvalidError("too far ahead", code="route_depart", params={"days": AHEAD_US // DAY_US})
    wish = AskRoutes(
        _place(start, "from"), _place(end, "to"), at, alternatives, least_vehicles(who), str(vehicle), avoid == "tolls"
    )
    found = await asked(here, wish, RoutesFound)
    return RouteCollection(features=[_route(one, at, found.currency) for one in found.routes])


@routes.get("/traffic/conditions", Action.TRAFFIC_SEE, fails=(503,))
async def see_conditions(
    who: Who, here: Here, box: Box,
    everything: Annotated[bool, Query(description="Also roads without speeds.")] = False,
    limit: Annotated[int, Query(ge=1, le=3_000)] = 2_000,
) -> ConditionCollection:  # fmt: skip
    """How the roads in a box are now."""
    west, south, east, north = _numbers(box, "box", 4)
    if west > east or south > north:
        raise InvalidError("not a box", code="place_invalid", params={"field": "box"})
    least = least_vehicles(who)
    wish = AskConditions(west, south, east, north, least, limit, everything)
    found = await asked(here, wish, ConditionsFound)
    features = [_condition(one) for one in found.edges]
    return ConditionCollection(features=features, left_out=found.left_out, least=least, at=found.at)


@routes.get("/traffic/jams", Action.TRAFFIC_SEE, fails=(404, 503))
async def list_jams(who: Who, here: Here, area: Annotated[str, Query(max_length=40)] = "") -> JamsOut:
    """Jams that last: in areas of the reader, and where no border was drawn."""
    inside = (await here.places.area(who, area)).path if area else ROOT
    every = await jams_now(who, here)
    places = await lying(here, [one.place for one in every])
    return JamsOut(
        items=[
            _jam(one, places.area(one.place))
            for one in every
            if places.path(one.place).startswith(inside)
            and told_to(who, Thing("jam", places.path(one.place), id=one.id))
        ]
    )


@routes.get("/traffic/network", Action.TRAFFIC_SEE, fails=(503,))
async def see_network(who: Who, here: Here) -> RoadNetworkOut:
    """Which network is in force, and what was left out when it was imported."""
    found = await asked(here, AskNetwork(), NetworkDescribed)
    figures = here.closures.figures
    told: dict[str, Any] = {name: getattr(found, name) for name in NetworkDescribed.__struct_fields__}
    told |= {"sources": [*found.sources], "bounds": [*found.bounds]}
    unplaced = [*figures.unplaced] if figures is not None else []
    return RoadNetworkOut(**told, unplaced=unplaced)


@routes.get("/traffic/closures", Action.TRAFFIC_SEE)
async def list_closures(
    who: Who, here: Here, after: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[ClosureOut]:  # fmt: skip
    """Those in force and those to come, the newest first."""
    place = read_cursor(after, str)
    found = await here.closures.page(who, before=place[0] if place else "", limit=limit + 1)
    more = len(found) > limit
    shown = found[:limit]
    return Page(items=[_closure(one) for one in shown], next=write_cursor(shown[-1].id) if more else None)


@routes.post("/traffic/closures", Action.TRAFFIC_CHANGE, status_code=201, fails=(404, 503))
async def add_closure(who: Who, here: Here, ask: ClosureAsk) -> ClosureMade:
    """Close roads. When it is answered no way leads over them any more."""
    closure, roads = await here.closures.add(
        who, kind=ask.kind, reason=ask.reason, line=tuple((x, y) for x, y in ask.line), both_ways=ask.both_ways,
        start=ask.start, end=ask.end, area=ask.area,
    )  # fmt: skip
    told = _closure(closure)
    lines = [_shape(line) for line in roads.lines]
    return ClosureMade(**{name: getattr(told, name) for name in ClosureOut.model_fields}, roads=lines,
                       metres=roads.metres)  # fmt: skip


@routes.delete("/traffic/closures/{closure}", Action.TRAFFIC_CHANGE, status_code=204)
async def remove_closure(who: Who, here: Here, closure: ThingId) -> Response:
    """Open them again."""
    await here.closures.remove(who, closure)
    return Response(status_code=204)


async def jams_now(who: Actor, here: Services) -> tuple[Jam, ...]:
    """Those that enough vehicles speak for. UnavailableError where there is no traffic to be asked about."""
    return (await asked(here, AskJams(least_vehicles(who)), JamsFound)).jams


async def asked(here: Services, message: Message, kind: type[T]) -> T:
    """UnavailableError with the reason where there is no traffic to be asked about."""
    if not here.web.roads:
        raise UnavailableError("switched off", code="traffic_off")
    try:
        answer = await here.calls.call(ADDRESS, message, timeout=TIMEOUT)
    except SafecityError as error:
        if error.code in ("duty_down", "duty_gone"):
            raise UnavailableError("it is started again", code="traffic_loading") from error
        raise
    if not isinstance(answer, kind):
        raise UnavailableError("an answer to something else", code="answer_unexpected")
    return answer


def last_day(now: int, since: int | None, until: int | None, step_us: int) -> tuple[int, int]:
    """From when to when is asked: to now with the step that has begun, and a day of it, where nothing is said."""
    end = now + step_us if until is None else until
    return max(end - DAY_US if since is None else since, 0), end


def least_vehicles(who: Actor) -> int:
    """What fewer vehicles than that did is not told to `who`."""
    return 1 if allowed(who, Action.DEVICE_SEE, PLATFORM) else LEAST_VEHICLES


def _numbers(text: str, name: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    good = len(numbers) == count and all(-180 <= one <= 180 for one in numbers)
    if not good or not all(abs(one) <= 90 for one in numbers[1::2]):
        raise InvalidError(f"{name}: no place", code="place_invalid", params={"field": name})
    return numbers


def _place(text: str, name: str) -> Point:
    longitude, latitude = _numbers(text, name, 2)
    return longitude, latitude


def _shape(line: Line) -> LineShape:
    return LineShape(coordinates=[[x, y] for x, y in line])


def _route(one: RouteFound, at: int, currency: str) -> RouteFeature:
    def after(seconds: float) -> int:
        return at + round(seconds * SECOND_US)

    properties = RouteProperties(
        metres=one.metres, seconds=one.seconds, free_seconds=one.free_seconds, departure=at,
        arrival=after(one.seconds), arrival_low=after(one.low), arrival_high=after(one.high),
        measured_metres=one.measured_metres, share=one.share, toll=one.toll, currency=currency,
    )  # fmt: skip
    return RouteFeature(geometry=_shape(one.line), properties=properties)


def _jam(one: Jam, area: Area | None) -> JamOut:
    return JamOut(
        id=one.id, began_at=one.began_at, longitude=one.place[0], latitude=one.place[1], metres=one.metres,
        speed_kmh=one.speed_kmh, lines=[_shape(line) for line in one.lines], area=area.id if area else None,
        area_name=area.name if area else "",
    )  # fmt: skip


def _condition(one: EdgeCondition) -> ConditionFeature:
    names = ConditionProperties.model_fields
    properties = ConditionProperties(**{name: getattr(one, name) for name in names})
    return ConditionFeature(geometry=_shape(one.line), properties=properties)


def _closure(one: Closure) -> ClosureOut:
    return ClosureOut(
        id=one.id, kind=one.kind, reason=one.reason, line=_shape(one.line), both_ways=one.both_ways, start=one.start,
        end=one.end, area=one.area, created_by=one.created_by, created_at=one.created_at,
    )  # fmt: skip
