"""Libraries below us: where they are, and what we subscribe to there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.lowers.api import Lower, Order, OrderState, Standing
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.tollgates import Direction
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    Secret,
    Text,
    Words,
    read_revision,
    tag,
)

routes = Routes("lowers")
Detail = Literal[3, 4, 7, 9, 13]


class OrderOut(Answer):
    """A subscription of ours at a library below (GA/T 1400, Subscribe). `details`: 3 devices, 4 their status, 7
    checkpoints, 9 lanes, 13 motor vehicles. `until`: when it is over, none: when it is withdrawn. `placed_at`: when the
    library took it last, `waiting`: something is still to be said to it. `received`: objects that came."""

    id: str
    number: str
    title: str
    details: list[Detail]
    reason: str
    interval_seconds: int
    state: OrderState
    until: OptionalMoment
    placed_at: OptionalMoment
    waiting: bool
    last_error: str
    received: int
    heard_at: OptionalMoment
    created_by: str
    created_at: Moment
    ended_by: str
    ended_at: OptionalMoment
    ending: str


class LowerOut(Answer):
    """A library below us, without our password there (`proves`: there is one). `form`: of the bodies that it takes.
    `watches`: watches for public security go down to it, where they count in all of its area; `watches_wanted` do now,
    `watches_placed` it took. `leaving`: since when it is being removed."""

    device: str
    url: str
    username: str
    proves: bool
    form: Literal["json", "xml"]
    watches: bool
    watches_wanted: int
    watches_placed: int
    leaving: OptionalMoment
    last_error: str
    heard_at: OptionalMoment
    subscriptions: list[OrderOut]
    revision: int


class ToldLaneOut(Answer):
    """A lane as the library tells of it, `number` from the left."""

    number: int
    name: str
    direction: Direction
    max_speed_kmh: int | None


class ToldGateOut(Answer):
    """A checkpoint as the library tells of it. `tollgate`: the one here with its code, none: nobody has added it."""

    code: str
    name: str
    longitude: float | None
    latitude: float | None
    lanes: list[ToldLaneOut]
    tollgate: str | None


class LowerAsk(Ask):
    """Where it is: `http(s)://HOST[:PORT]`; what it says of itself counts for nothing. `username` and `password`: who
    we are there, where it asks for it; empty: our own code. No `password`: as it was, but never at another address."""

    url: Annotated[str, Field(min_length=1, max_length=500)]
    username: Secret = ""
    password: Secret | None = None
    form: Literal["json", "xml"] = "json"
    watches: bool = True


class OrderAsk(Ask):
    """What to subscribe to; see `OrderOut`. `interval_seconds`: how long it may gather before it tells."""

    details: Annotated[list[Detail], Field(min_length=1, max_length=5)]
    title: Text = ""
    reason: Words = ""
    until: Moment | None = None
    interval_seconds: Annotated[int, Field(ge=0, le=3600)] = 0


class EndAsk(Ask):
    """A word about it, for the audit and the library."""

    reason: Words = ""


@routes.get("/libraries/{library}", Action.SUBSCRIPTION_SEE)
async def see_lower(library: str, who: Who, here: Here, response: Response) -> LowerOut:
    """What we know of a library below us, by the id of its device, and what we subscribe to there."""
    return tag(response, _shown(await here.lowers.see(who, library)))


@routes.get("/libraries/{library}/checkpoints", Action.SUBSCRIPTION_SEE)
async def list_checkpoints_below(library: str, who: Who, here: Here) -> Page[ToldGateOut]:
    """Checkpoints that a library below told of, where it was subscribed to for them. Somebody has to add them here, or
    what passes there stands at the library itself."""
    found = await here.lowers.checkpoints(who, library)
    return Page(items=[ToldGateOut.model_validate(asdict(one)) for one in found])


@routes.put("/libraries/{library}", Action.SUBSCRIPTION_DECIDE)
async def set_lower(
    library: str, ask: LowerAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> LowerOut:
    """Say where a library is that registers here, so that it can be asked."""
    values: dict[str, Any] = ask.model_dump()
    await here.lowers.put(who, library, values, read_revision(if_match))
    here.hub.changed([("device", library)])
    return tag(response, _shown(await here.lowers.see(who, library)))


@routes.delete("/libraries/{library}", Action.SUBSCRIPTION_DECIDE, status_code=204)
async def delete_lower(library: str, who: Who, here: Here) -> None:
    """Ask it for nothing any more. What stands there is taken back first, as long as it answers within a day."""
    await here.lowers.remove(who, library)
    here.hub.changed([("device", library)])


@routes.post("/libraries/{library}/subscriptions", Action.SUBSCRIPTION_DECIDE, status_code=201)
async def subscribe_below(library: str, ask: OrderAsk, who: Who, here: Here) -> OrderOut:
    """Subscribe at a library below us. It is told at once, and again until it took it."""
    order = await here.lowers.subscribe(
        who, library, ask.details, title=ask.title, reason=ask.reason, until=ask.until,
        interval_seconds=ask.interval_seconds,
    )  # fmt: skip
    here.hub.changed([("device", library)])
    return _order(order)


@routes.post("/libraries/{library}/subscriptions/{order}/withdraw", Action.SUBSCRIPTION_DECIDE)
async def withdraw_below(library: str, order: str, who: Who, here: Here, ask: EndAsk | None = None) -> OrderOut:
    """Take nothing for it any more, and tell the library."""
    ended = await here.lowers.withdraw(who, library, order, reason=(ask or EndAsk()).reason)
    here.hub.changed([("device", library)])
    return _order(ended)


def _shown(one: Standing) -> LowerOut:
    library: Lower = one.library
    return LowerOut(
        device=library.device, url=library.url, username=library.username, proves=one.proves,
        form="xml" if library.form == "xml" else "json", watches=library.watches, watches_wanted=one.asked,
        watches_placed=one.placed, leaving=library.leaving, last_error=library.last_error, heard_at=library.heard_at,
        subscriptions=[_order(each) for each in one.subscriptions], revision=library.revision,
    )  # fmt: skip


def _order(one: Order) -> OrderOut:
    unsaid = one.placed_at is None or one.tries > 0 or one.state is not OrderState.ACTIVE
    return OrderOut(
        id=one.id, number=one.number, title=one.title, details=one.about["details"], reason=one.reason,
        interval_seconds=one.about["interval"], state=one.state, until=one.until, placed_at=one.placed_at,
        waiting=one.due_at is not None and unsaid,
        last_error=one.last_error, received=one.received, heard_at=one.heard_at, created_by=one.created_by,
        created_at=one.created_at, ended_by=one.ended_by, ended_at=one.ended_at, ending=one.ending,
    )  # fmt: skip
