"""Vehicles that are to be taken away, for the duty of the traffic police."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor, allowed
from safecity.core.ground.tows.api import Tow, TowReason, TowState, thing_of
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
    write_cursor,
)

routes = Routes("traffic")


class TowAsk(Ask):
    """A vehicle that is to be taken away. Without an `area` it belongs to the one that it stands in."""

    reason: TowReason
    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-85, le=85)]
    plate: Annotated[str, Field(max_length=20)] = ""
    words: Annotated[str, Field(max_length=500)] = ""
    area: ThingId | None = None


class TowStateAsk(Ask):
    """How far it is; `taken_to`: where the vehicle was brought."""

    state: TowState
    taken_to: Annotated[str, Field(max_length=500)] = ""


class TowOut(Answer):
    """A vehicle that is to be taken away, or was. `plate` is empty for who may not change traffic there. `state`:
    `called`, `on_site`, `done` or `cancelled`."""

    id: str
    reason: TowReason
    plate: str
    words: str
    longitude: float
    latitude: float
    state: TowState
    taken_to: str
    area: str | None
    created_by: str
    created_at: Moment
    changed_by: str
    changed_at: Moment
    ended_at: OptionalMoment
    changeable: bool
    revision: int


@routes.get("/traffic/tows", Action.TRAFFIC_SEE)
async def list_tows(
    who: Who, here: Here, over: Annotated[bool, Query()] = False, after: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[TowOut]:  # fmt: skip
    """Those that are not over, or (`over`) those of the last 30 days that are; the newest first."""
    place = read_cursor(after, str)
    found = await here.tows.page(who, over=over, before=place[0] if place else "", limit=limit + 1)
    shown = found[:limit]
    more = write_cursor(shown[-1].id) if len(found) > limit else None
    return Page(items=[_tow(who, one) for one in shown], next=more)


@routes.post("/traffic/tows", Action.TRAFFIC_CHANGE, status_code=201, fails=(404, 409))
async def call_tow(who: Who, here: Here, ask: TowAsk) -> TowOut:
    """Have a vehicle taken away."""
    place = ask.longitude, ask.latitude
    tow = await here.tows.call(
        who, reason=ask.reason, plate=ask.plate, words=ask.words, place=place, area=ask.area
    )  # fmt: skip
    return _tow(who, tow)


@routes.post("/traffic/tows/{tow}/state", Action.TRAFFIC_CHANGE, fails=(404, 409))
async def move_tow(tow: ThingId, ask: TowStateAsk, who: Who, here: Here, if_match: IfMatch = None) -> TowOut:
    """The truck is there, the vehicle is away, or it drove off by itself."""
    revision = read_revision(if_match)
    return _tow(who, await here.tows.move(who, tow, ask.state, taken_to=ask.taken_to, revision=revision))


def _tow(who: Actor, tow: Tow) -> TowOut:
    changeable = allowed(who, Action.TRAFFIC_CHANGE, thing_of(tow))
    names = (
        "id", "reason", "words", "longitude", "latitude", "state", "taken_to", "area", "created_by", "created_at",
        "changed_by", "changed_at", "ended_at", "revision",
    )  # fmt: skip
    told = {name: getattr(tow, name) for name in names}
    return TowOut(**told, plate=tow.plate if changeable else "", changeable=changeable)
