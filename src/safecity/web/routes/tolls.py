"""What roads cost: gantries and cordons, and their prices by the class of vehicle, the time and the kind of day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.settings.api import Platform
from safecity.core.ground.tolls.api import Crossing, Gantry, Price, Toll, VehicleClass, price
from safecity.kit.clock import SECOND_US
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.traffic import LineShape
from safecity.web.services import Services
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    Page,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("tolls")
Name = Annotated[str, Field(min_length=1, max_length=100)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-85, le=85)]
Bearing = Annotated[float, Field(ge=0, lt=360)]
Clock = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):(00|15|30|45)|24:00)$")]
Amount = Annotated[int, Field(ge=0, le=100_000_000)]
DayKind = Literal["working", "saturday", "sunday"]
Day = Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Corner = Annotated[list[Annotated[float, Field(ge=-180, le=180)]], Field(min_length=2, max_length=2)]


class GantryPlace(Ask):
    """A place beside a road where it is charged. `bearing`: of the traffic that pays, degrees from north; null: both
    directions."""

    longitude: Longitude
    latitude: Latitude
    bearing: Bearing | None = None


class TollPrice(Ask):
    """`amount` (minor units) from `since` until `until`, local time at quarters of an hour (`06:30`, `24:00`).
    `vehicles` and `days`: for whom and when, empty: for all. Two prices may not speak of the same."""

    since: Clock
    until: Clock
    amount: Amount
    vehicles: Annotated[list[VehicleClass], Field(max_length=10)] = Field(default_factory=list[VehicleClass])
    days: Annotated[list[DayKind], Field(max_length=3)] = Field(default_factory=list[DayKind])


Gantries = Annotated[list[GantryPlace], Field(max_length=200)]
Border = Annotated[list[Corner], Field(max_length=500)]
Prices = Annotated[list[TollPrice], Field(min_length=1, max_length=200)]


class TollAsk(Ask):
    """A new toll: either `gantries`, of which each that is passed is paid for, or a `border` (longitude and latitude of
    its corners), which is paid for by whoever crosses it in the way of `crossing`. `begins` and `ends`: the first and
    last local day on which it is paid, empty: ever."""

    name: Name
    gantries: Gantries = Field(default_factory=list[GantryPlace])
    border: Border = Field(default_factory=list[Corner])
    crossing: Crossing = Crossing.BOTH
    prices: Prices
    begins: Day = ""
    ends: Day = ""
    enabled: bool = True
    area: ThingId | None = None


class TollPatch(Ask):
    """What is to change."""

    name: Name | None = None
    gantries: Gantries | None = None
    border: Border | None = None
    crossing: Crossing | None = None
    prices: Prices | None = None
    begins: Day | None = None
    ends: Day | None = None
    enabled: bool | None = None
    area: ThingId | None = None


class GantryOut(Answer):
    """See `GantryPlace`."""

    longitude: float
    latitude: float
    bearing: float | None


class TollPriceOut(Answer):
    """See `TollPrice`."""

    since: str
    until: str
    amount: int
    vehicles: list[VehicleClass]
    days: list[DayKind]


class TollOut(Answer):
    """A toll. `now`: what one passage costs at this moment, by the class of vehicle, minor units of `currency`.
    `placed` false: in part at least it lies beside no road of the network in force."""

    id: str
    name: str
    gantries: list[GantryOut]
    border: list[list[float]]
    crossing: Crossing
    prices: list[TollPriceOut]
    begins: str
    ends: str
    enabled: bool
    area: str | None
    created_by: str
    created_at: Moment
    revision: int
    now: dict[str, int]
    currency: str
    placed: bool


class TollPage(Page[TollOut]):
    """A part of the list; `currency`: of all of them, and of those to come."""

    currency: str


class TollMade(TollOut):
    """With the roads that pay it."""

    roads: list[LineShape]
    metres: float


@routes.get("/traffic/tolls", Action.TRAFFIC_SEE)
async def list_tolls(
    who: Who, here: Here, cursor: Annotated[str, Query(max_length=400)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> TollPage:  # fmt: skip
    """By name."""
    place = read_cursor(cursor, str, str)
    found = await here.tolls.page(who, after=(place[0], place[1]) if place else None, limit=limit + 1)
    platform = await here.settings.read()
    last = found[limit - 1] if len(found) > limit else None
    more = write_cursor(last.name, last.id) if last is not None else None
    return TollPage(items=[_out(here, one, platform) for one in found[:limit]], next=more, currency=platform.currency)


@routes.post("/traffic/tolls", Action.TOLL_CHANGE, status_code=201, fails=(404, 503))
async def add_toll(ask: TollAsk, who: Who, here: Here, response: Response) -> TollMade:
    """Ask money for driving past a place or over a border. Ways heed it from then on."""
    toll, roads = await here.tolls.add(who, _values({name: getattr(ask, name) for name in TollAsk.model_fields}))
    await here.toll_teller.tell_if_there()
    told = _out(here, toll, await here.settings.read())
    lines = [LineShape(coordinates=[[x, y] for x, y in line]) for line in roads.lines]
    values = {name: getattr(told, name) for name in TollOut.model_fields}
    return tag(response, TollMade(**values, roads=lines, metres=roads.metres))


@routes.get("/traffic/tolls/{toll}", Action.TRAFFIC_SEE)
async def see_toll(toll: str, who: Who, here: Here, response: Response) -> TollOut:
    """One toll."""
    found = await here.tolls.see(who, toll)
    return tag(response, _out(here, found, await here.settings.read()))


@routes.patch("/traffic/tolls/{toll}", Action.TOLL_CHANGE, fails=(404, 503))
async def change_toll(
    toll: str, ask: TollPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> TollOut:
    """Change one, in force from then on: prices of another year are another toll, with its own days."""
    given = {name: getattr(ask, name) for name in ask.model_fields_set}
    values = _values({name: value for name, value in given.items() if value is not None or name == "area"})
    changed, _ = await here.tolls.change(who, toll, values, read_revision(if_match))
    await here.toll_teller.tell_if_there()
    return tag(response, _out(here, changed, await here.settings.read()))


@routes.delete("/traffic/tolls/{toll}", Action.TOLL_CHANGE, status_code=204)
async def delete_toll(toll: str, who: Who, here: Here) -> Response:
    """Nobody pays it any more."""
    await here.tolls.remove(who, toll)
    await here.toll_teller.tell_if_there()
    return Response(status_code=204)


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """As the core has them."""
    told = dict(given)
    if "gantries" in told:
        told["gantries"] = tuple(Gantry(one.longitude, one.latitude, one.bearing) for one in told["gantries"])
    if "border" in told:
        told["border"] = tuple((x, y) for x, y in told["border"])
    if "prices" in told:
        told["prices"] = tuple(
            Price(one.since, one.until, one.amount, tuple(map(str, one.vehicles)), tuple(one.days))
            for one in told["prices"]
        )
    return told


def _out(here: Services, toll: Toll, platform: Platform) -> TollOut:
    local = datetime.fromtimestamp(here.clock.now_us() / SECOND_US, ZoneInfo(platform.zone))
    figures = here.closures.figures
    own = ("id", "name", "crossing", "begins", "ends", "enabled", "area", "created_by", "created_at", "revision")
    values: dict[str, Any] = {name: getattr(toll, name) for name in own}
    return TollOut(
        **values,
        gantries=[GantryOut.model_validate(one) for one in toll.gantries],
        border=[[x, y] for x, y in toll.border],
        prices=[TollPriceOut.model_validate(one) for one in toll.prices],
        now={str(vehicle): price(toll, vehicle, local, platform.day_kinds) for vehicle in VehicleClass},
        currency=platform.currency,
        placed=figures is None or toll.id not in figures.unplaced_tolls,
    )
