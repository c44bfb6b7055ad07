"""Tollgates and their lanes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.tollgates.api import MAX_CORNERS, Tollgate
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Page,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("tollgates")
PurposeWord = Literal["traffic", "security", "maintenance"]
Direction = Literal[
    "west_east", "east_west", "north_south", "south_north", "southwest_northeast", "northeast_southwest",
    "northwest_southeast", "southeast_northwest", "other",
]  # fmt: skip
CityPass = Literal["in", "out", "both", "neither"]
Corner = Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=2, max_length=2)]
Degrees = Annotated[float, Field(ge=-180, le=180)]
_EMPTIED = ("area", "organisation", "longitude", "latitude")


class LaneAsk(Ask):
    """A lane, counted from the left in the direction of travel. `channel` is the camera that looks at it; with
    `read_plates` the platform reads the plates itself, for cameras that do not. `zone`: where the lane lies in the
    camera's picture, 3 to 12 corners as shares of its width and height from the upper left, edges that do not cross;
    where lanes share a camera, a vehicle belongs to the lane in whose zone it was seen most, and to none outside.
    `unread`: cars and larger vehicles that drive through the zone and whose plate is not read are passages, too,
    without a plate; it needs `zone` and `read_plates`."""

    number: Annotated[int, Field(ge=1, le=99)]
    name: Annotated[str, Field(max_length=100)] = ""
    direction: Direction = "other"
    max_speed_kmh: Annotated[int, Field(ge=5, le=200)] | None = None
    city: CityPass = "neither"
    channel: ThingId | None = None
    read_plates: bool = False
    zone: Annotated[list[Corner], Field(max_length=MAX_CORNERS)] = Field(default_factory=list[list[float]])
    unread: bool = False


class LaneOut(Answer):
    """A lane of a tollgate."""

    number: int
    name: str
    direction: Direction
    max_speed_kmh: int | None
    city: CityPass
    channel: str | None
    read_plates: bool
    zone: list[list[float]]
    unread: bool


class TollgateOut(Answer):
    """A place that records every passing vehicle. Degrees are WGS-84. `simulated`: it belongs to the demo city.

    Passages are kept for `retention_days`, looked at for one of `purposes` only, and where `restricted` by
    administrators alone. `reporters` are devices that report for it without naming it.
    """

    id: str
    code: str
    name: str
    area: str | None
    organisation: str | None
    longitude: float | None
    latitude: float | None
    lanes: list[LaneOut]
    purposes: list[PurposeWord]
    retention_days: int
    restricted: bool
    fuse_seconds: int
    reporters: list[str]
    enabled: bool
    simulated: bool
    revision: int


class TollgateAsk(Ask):
    """A new tollgate. `code`: its 20 digits (GA/T 1400), if it has any. What is seen of one vehicle within
    `fuse_seconds` is one passage."""

    name: Text
    code: Annotated[str, Field(max_length=20)] = ""
    area: ThingId | None = None
    organisation: ThingId | None = None
    longitude: Degrees | None = None
    latitude: Degrees | None = None
    lanes: Annotated[list[LaneAsk], Field(max_length=20)] = Field(default_factory=list[LaneAsk])
    purposes: Annotated[list[PurposeWord], Field(min_length=1, max_length=3)] = Field(
        default_factory=lambda: list[PurposeWord](["traffic", "security"])
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    restricted: bool = False
    fuse_seconds: Annotated[int, Field(ge=1, le=60)] = 4
    reporters: Annotated[list[ThingId], Field(max_length=50)] = Field(default_factory=list[str])
    enabled: bool = True


class TollgatePatch(Ask):
    """What is to change; lanes, purposes and reporters are replaced whole."""

    name: Text | None = None
    code: Annotated[str, Field(max_length=20)] | None = None
    area: ThingId | None = None
    organisation: ThingId | None = None
    longitude: Degrees | None = None
    latitude: Degrees | None = None
    lanes: Annotated[list[LaneAsk], Field(max_length=20)] | None = None
    purposes: Annotated[list[PurposeWord], Field(min_length=1, max_length=3)] | None = None
    retention_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    restricted: bool | None = None
    fuse_seconds: Annotated[int, Field(ge=1, le=60)] | None = None
    reporters: Annotated[list[ThingId], Field(max_length=50)] | None = None
    enabled: bool | None = None


@routes.get("/tollgates", Action.TOLLGATE_SEE)
async def list_tollgates(
    who: Who,
    here: Here,
    area: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    cursor: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[TollgateOut]:
    """Tollgates, by name."""
    place = read_cursor(cursor, str, str)
    after = None if place is None else (place[0], place[1])
    found, more = await here.tollgates.page(who, after=after, limit=limit, area=area, q=q)
    return Page(items=[_tollgate(gate) for gate in found], next=write_cursor(*more) if more else None)


@routes.post("/tollgates", Action.TOLLGATE_CHANGE, status_code=201)
async def add_tollgate(ask: TollgateAsk, who: Who, here: Here, response: Response) -> TollgateOut:
    """A new tollgate."""
    gate = await here.tollgates.add(who, ask.model_dump())
    here.hub.changed([("tollgate", gate.id)])
    return tag(response, _tollgate(gate))


@routes.get("/tollgates/{tollgate}", Action.TOLLGATE_SEE)
async def see_tollgate(tollgate: str, who: Who, here: Here, response: Response) -> TollgateOut:
    """One tollgate."""
    return tag(response, _tollgate(await here.tollgates.see(who, tollgate)))


@routes.patch("/tollgates/{tollgate}", Action.TOLLGATE_CHANGE)
async def change_tollgate(
    tollgate: str, ask: TollgatePatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> TollgateOut:
    """Change a tollgate; what it recorded keeps the retention and purposes it was born with."""
    given = {name: value for name, value in ask.given().items() if value is not None or name in _EMPTIED}
    gate = await here.tollgates.change(who, tollgate, read_revision(if_match), given)
    here.hub.changed([("tollgate", gate.id)])
    return tag(response, _tollgate(gate))


@routes.delete("/tollgates/{tollgate}", Action.TOLLGATE_CHANGE, status_code=204)
async def delete_tollgate(tollgate: str, who: Who, here: Here) -> None:
    """Remove a tollgate; its passages stay until their time is over."""
    await here.tollgates.remove(who, tollgate)
    here.hub.changed([("tollgate", tollgate)])


def _tollgate(gate: Tollgate) -> TollgateOut:
    values = {name: getattr(gate, name) for name in TollgateOut.model_fields if name not in ("simulated", "lanes")}
    values |= {"purposes": sorted(gate.purposes), "reporters": list(gate.reporters), "simulated": gate.demo}
    return TollgateOut(**values, lanes=[LaneOut.model_validate(lane) for lane in gate.lanes])
