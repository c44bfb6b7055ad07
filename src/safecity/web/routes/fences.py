"""Fences: places that vehicles are held against."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.devices.api import Device
from safecity.core.upper.fleet.api import EVERY_DAY, Copy, Fence, ShapeKind
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("fences")
Degrees = Annotated[float, Field(ge=-180, le=180)]
Corner = Annotated[list[Degrees], Field(min_length=2, max_length=2)]
Corners = Annotated[list[Corner], Field(min_length=1, max_length=200)]
Metres = Annotated[float, Field(ge=0, le=200_000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Days = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
Minute = Annotated[int, Field(ge=0, le=1440)]
Speed = Annotated[int, Field(ge=0, le=200)]
Seconds = Annotated[int, Field(ge=0, le=600)]
Level = Annotated[int, Field(ge=1, le=4)]
Vehicles = Annotated[list[ThingId], Field(max_length=500)]
Seats = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=50)]
Why = Annotated[str, Field(max_length=500)]


class FenceOut(Answer):
    """A place and what is a matter there.

    `points` (longitude, latitude): the middle of a circle, two opposite corners of a rectangle, the corners of a
    polygon, the line of a route; `metres`: radius of a circle, whole width of a route. It is for the vehicles of its
    area and organisation, with `vehicles` only for these of them. `days` 1 is Monday; `from_minute` and `until_minute`
    are local minutes of the day, both the same: all day, over midnight where the second is the earlier. `seats` get
    its alarms, none: whoever may see alarms where the vehicle is. `since`: older positions are not judged by it.
    `to_terminals`: terminals have it too, by `number`, and judge without a network.
    """

    id: str
    name: str
    kind: ShapeKind
    points: list[list[float]]
    metres: float
    on_enter: bool
    on_leave: bool
    speed_kmh: int
    speed_seconds: int
    days: list[int]
    from_minute: int
    until_minute: int
    valid_from: Moment
    valid_until: OptionalMoment
    vehicles: list[str]
    area: str | None
    organisation: str | None
    priority: int
    seats: list[str]
    reason: str
    enabled: bool
    to_terminals: bool
    number: int
    since: Moment
    created_by: str
    created_at: Moment
    revision: int


class FenceAsk(Ask):
    """A new fence. At least one of `on_enter`, `on_leave` (being outside) and `speed_kmh` (0: no limit), which must be
    exceeded for `speed_seconds`."""

    name: Name
    kind: ShapeKind
    points: Corners
    metres: Metres = 0.0
    on_enter: bool = False
    on_leave: bool = False
    speed_kmh: Speed = 0
    speed_seconds: Seconds = 10
    days: Days = Field(default_factory=lambda: list(EVERY_DAY))
    from_minute: Minute = 0
    until_minute: Minute = 0
    valid_from: OptionalMoment = None
    valid_until: OptionalMoment = None
    vehicles: Vehicles = Field(default_factory=list[str])
    area: ThingId | None = None
    organisation: ThingId | None = None
    priority: Level = 2
    seats: Seats = Field(default_factory=list[str])
    reason: Why = ""
    enabled: bool = True
    to_terminals: bool = False


class FencePatch(Ask):
    """What is to change."""

    name: Name | None = None
    kind: ShapeKind | None = None
    points: Corners | None = None
    metres: Metres | None = None
    on_enter: bool | None = None
    on_leave: bool | None = None
    speed_kmh: Speed | None = None
    speed_seconds: Seconds | None = None
    days: Days | None = None
    from_minute: Minute | None = None
    until_minute: Minute | None = None
    valid_from: OptionalMoment = None
    valid_until: OptionalMoment = None
    vehicles: Vehicles | None = None
    area: ThingId | None = None
    organisation: ThingId | None = None
    priority: Level | None = None
    seats: Seats | None = None
    reason: Why | None = None
    enabled: bool | None = None
    to_terminals: bool | None = None


class FenceCopyOut(Answer):
    """Whether a terminal has the fence as it is now: `written`, `waiting` (it is told when it is here), or `failed`
    with the reason; then it is tried again every ten minutes."""

    device: str
    name: str
    state: Literal["written", "waiting", "failed"]
    code: str
    sentence: str
    at: OptionalMoment


_CAN_BE_NONE = ("area", "organisation", "valid_until")


@routes.get("/fences", Action.FENCE_SEE)
async def list_fences(
    who: Who,
    here: Here,
    area: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[FenceOut]:
    """Newest first."""
    place = read_cursor(cursor, str)
    found = await here.fences.page(who, before=place[0] if place else "", limit=limit + 1, area=area)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_out(one) for one in found[:limit]], next=more)


@routes.post("/fences", Action.FENCE_CHANGE, status_code=201, fails=(404,))
async def add_fence(ask: FenceAsk, who: Who, here: Here, response: Response) -> FenceOut:
    """A new one; it counts from the next position of each vehicle on."""
    values = _values({name: getattr(ask, name) for name in FenceAsk.model_fields})
    return tag(response, _out(await here.fences.add(who, {**values, "valid_from": values["valid_from"] or 0})))


@routes.get("/fences/{fence}", Action.FENCE_SEE)
async def see_fence(fence: str, who: Who, here: Here, response: Response) -> FenceOut:
    """One fence."""
    return tag(response, _out(await here.fences.see(who, fence)))


@routes.patch("/fences/{fence}", Action.FENCE_CHANGE)
async def change_fence(
    fence: str, ask: FencePatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> FenceOut:
    """Change one. Who changes where, when or for whom it counts begins it anew."""
    given = {name: getattr(ask, name) for name in ask.model_fields_set}
    values = _values({name: value for name, value in given.items() if value is not None or name in _CAN_BE_NONE})
    return tag(response, _out(await here.fences.change(who, fence, read_revision(if_match), values)))


@routes.delete("/fences/{fence}", Action.FENCE_CHANGE, status_code=204)
async def delete_fence(fence: str, who: Who, here: Here) -> None:
    """Take one away; alarms it raised stay."""
    await here.fences.remove(who, fence)


@routes.get("/fences/{fence}/terminals", Action.FENCE_SEE)
async def list_fence_terminals(fence: str, who: Who, here: Here) -> Page[FenceCopyOut]:
    """Which terminals have it; none where it is not written down."""
    found, wanted = await here.fence_writer.see(who, fence), await here.fences.see(who, fence)
    return Page(items=[_copied(device, copy, wanted.revision, who.language) for device, copy in found])


def _copied(device: Device, copy: Copy | None, revision: int, language: str) -> FenceCopyOut:
    state = "waiting" if copy is None or copy.revision != revision else "failed" if copy.code else "written"
    code = copy.code if copy is not None and state == "failed" else ""
    words = sentence(code, {"name": device.name}, language) if code else ""
    return FenceCopyOut(
        device=device.id, name=device.name, state=state, code=code, sentence=words,
        at=copy.at if copy is not None else None,
    )  # fmt: skip


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """As the core has them."""
    known = dict(given)
    if "points" in known:
        known["points"] = tuple((float(x), float(y)) for x, y in known["points"])
    for name in ("days", "vehicles"):
        if name in known:
            known[name] = tuple(dict.fromkeys(known[name]))
    if "seats" in known:
        known["seats"] = frozenset(known["seats"])
    return known


def _out(fence: Fence) -> FenceOut:
    values = {name: getattr(fence, name) for name in FenceOut.model_fields}
    lists = {
        "points": [list(point) for point in fence.points], "days": list(fence.days), "vehicles": list(fence.vehicles),
        "seats": sorted(fence.seats),
    }  # fmt: skip
    return FenceOut.model_validate({**values, **lists})
