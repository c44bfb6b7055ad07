"""Positions over HTTP: GeoJSON from phones and other systems, each with a token of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Request
from pydantic import BaseModel, ConfigDict

from safecity.core.upper.fleet.api import features_of
from safecity.kit.errors import UnauthenticatedError
from safecity.web.guard import PUBLIC, Here, Routes, client_address
from safecity.web.problems import language_of
from safecity.web.shapes import Answer
from safecity.web.texts import sentence

routes = Routes("positions")
BEARER = "bearer "


class PositionsAsk(BaseModel):
    """A Feature with a Point (RFC 7946), or a FeatureCollection of at most 500. Of `properties` are read: `time` (RFC
    3339, needed), `speed_kmh`, and `direction` in degrees from north; others are left alone."""

    model_config = ConfigDict(extra="allow")

    type: Literal["Feature", "FeatureCollection"]
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    features: list[Any] | None = None


class PositionRefused(Answer):
    """The position with that number in what was sent, from 0, and why it was not taken."""

    index: int
    code: str
    sentence: str


class PositionsTaken(Answer):
    """How many were taken, and those that were not. What was taken is stored; sent again it changes nothing."""

    accepted: int
    refused: list[PositionRefused]


@routes.post("/positions", PUBLIC, fails=(401,))
async def tell_positions(
    ask: PositionsAsk, request: Request, here: Here, authorization: Annotated[str, Header(max_length=300)] = ""
) -> PositionsTaken:
    """Where the device is whose token comes as `Authorization: Bearer ...`. It is shown once, when a device of the kind
    `http` is added. 2,000 positions at once, then 20 a second."""
    if not authorization.lower().startswith(BEARER):
        raise UnauthenticatedError("no token", code="beacon_token")
    address = client_address(request)
    device = await here.beacons.identify(authorization[len(BEARER) :].strip(), address)
    accepted, refused = await here.beacons.take(device, features_of(ask.model_dump()), address)
    language = language_of(request)
    said = [
        PositionRefused(index=one.index, code=one.code, sentence=sentence(one.code, one.params, language))
        for one in refused
    ]
    return PositionsTaken(accepted=accepted, refused=said)
