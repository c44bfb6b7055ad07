"""The phone of an officer on duty. A shift begins with a session; from then on the phone speaks by its own token."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header, Request, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.upper.fleet.api import LONGEST_HOURS, Call
from safecity.kit.errors import UnauthenticatedError
from safecity.web.guard import PUBLIC, Here, Routes, Who, client_address
from safecity.web.routes.positions import BEARER
from safecity.web.shapes import Answer, Ask, Moment, ThingId

routes = Routes("positions")
Token = Annotated[str, Header(alias="authorization", max_length=300)]


class ShiftAsk(Ask):
    """`consent`: the officer was told what for, and agrees: `true` or nothing begins. `hours`: after which it ends by
    itself. `area`: whose people see the phone; without it that of the officer's right."""

    consent: Literal[True]
    hours: Annotated[int, Field(ge=1, le=LONGEST_HOURS)] = 12
    area: ThingId | None = None


class ShiftOut(Answer):
    """On duty. `token` proves the phone to `/positions` and `/phone`; it is not shown again."""

    device: str
    name: str
    token: str
    since: Moment
    until: Moment
    area: str | None


class SosAsk(Ask):
    """A call for help, from where the phone is, as far as it knows. `key`: the phone's own name for it; sent again it
    is the same call."""

    key: Annotated[str, Field(min_length=8, max_length=60)]
    at: Moment
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None


@routes.post("/phone/shift", Action.PHONE_CARRY, status_code=201, once=False, fails=(404,))
async def begin_shift(ask: ShiftAsk, who: Who, here: Here) -> ShiftOut:
    """Go on duty: positions that this phone tells are the officer's until the shift ends. One on another phone ends."""
    shift = await here.phones.begin(who, hours=ask.hours, area=ask.area)
    here.hub.changed([("device", shift.device)])
    return ShiftOut(**{name: getattr(shift, name) for name in ShiftOut.model_fields})


@routes.delete("/phone/shift", PUBLIC, status_code=204, fails=(401,))
async def end_shift(request: Request, here: Here, authorization: Token = "") -> Response:
    """Go off duty, by the phone's token: it ends with the shift."""
    await here.phones.end(_token(authorization), client_address(request))
    return Response(status_code=204)


@routes.post("/phone/sos", PUBLIC, status_code=204, fails=(401,))
async def call_for_help(ask: SosAsk, request: Request, here: Here, authorization: Token = "") -> Response:
    """An alarm of priority 1, by the phone's token: also when the session is over."""
    call = Call(key=ask.key, at=ask.at, longitude=ask.longitude, latitude=ask.latitude)
    await here.phones.call(_token(authorization), client_address(request), call)
    return Response(status_code=204)


def _token(authorization: str) -> str:
    if not authorization.lower().startswith(BEARER):
        raise UnauthenticatedError("no token", code="beacon_token")
    return authorization[len(BEARER) :].strip()
