"""Pictures, sounds and films that a vehicle took by itself or when asked."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from fastapi.responses import Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.upper.fleet.api import VehicleMedium
from safecity.model.facts.vehicle_calls import PhotographFrom
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import Purposed
from safecity.web.routes.tollgates import PurposeWord
from safecity.web.shapes import Answer, Ask, Moment, Page, Words, binary, read_cursor, write_cursor

routes = Routes("fleet")
Reason = Annotated[Words, Query()]
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": binary("image/jpeg", "application/octet-stream")}
}
_ENDINGS: Final = {"jpeg": "jpg", "tif": "tif", "mp3": "mp3", "wav": "wav", "wmv": "wmv"}


class VehicleMediumOut(Answer):
    """A picture, sound or film that a vehicle took.

    `number` is the terminal's own, `channel` the logical number of the camera or microphone. `kind` is `picture`,
    `sound` or `video`; `format` `jpeg`, `tif`, `mp3`, `wav` or `wmv` as the terminal says; `cause` `ordered`, `timer`,
    `robbery`, `collision`, `door_opens`, `door_closes`, `moves_off` or `distance`; else each is the standard's number.
    `at`: when it was taken, as far as that can be believed, `seen`: when it came. `shown`: the bytes are a JPEG that a
    browser may show; all else is only downloaded.
    """

    id: str
    number: int
    channel: int
    kind: str
    format: str
    cause: str
    at: Moment
    seen: Moment
    longitude: float | None
    latitude: float | None
    bytes: int
    sha256: str
    shown: bool


class VehiclePictureAsk(Ask):
    """One picture by the camera of that logical number."""

    channel: Annotated[int, Field(ge=1, le=255)] = 1
    purpose: PurposeWord
    reason: Words = ""


class VehiclePictureOut(Answer):
    """The terminal took it. `numbers`: what it calls the pictures that now come; some terminals do not tell."""

    numbers: list[int]


@routes.get("/devices/{device}/media", Action.VEHICLE_REPLAY, fails=(404,))
async def list_vehicle_media(
    device: str, who: Who, here: Here, purpose: Purposed, reason: Reason = "",
    cursor: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Page[VehicleMediumOut]:  # fmt: skip
    """What a vehicle took, newest first. Each look is written down with its purpose."""
    place = read_cursor(cursor, int, str)
    found = await here.vehicle_media.page(
        who, device, purpose=purpose, reason=reason, before=None if place is None else (place[0], place[1]),
        limit=limit,
    )  # fmt: skip
    more = write_cursor(found[limit - 1].at, found[limit - 1].id) if len(found) > limit else None
    return Page[VehicleMediumOut](items=[_out(one) for one in found[:limit]], next=more)


@routes.get(
    "/devices/{device}/media/{media}", Action.VEHICLE_REPLAY, fails=(404,), response_class=Response, responses=_BYTES
)  # fmt: skip
async def see_vehicle_medium(
    device: str, media: str, who: Who, here: Here, purpose: Purposed, reason: Reason = ""
) -> Response:
    """Its bytes as they came. Each look is written down with its purpose."""
    one, data = await here.vehicle_media.see(who, device, media, purpose=purpose, reason=reason)
    ending = _ENDINGS.get(one.format, "bin")
    how = "inline" if one.proven else "attachment"
    heads = {
        "Content-Disposition": f'{how}; filename="{one.id}.{ending}"',
        "Cache-Control": "private, max-age=600",
    }
    return Response(data, media_type="image/jpeg" if one.proven else "application/octet-stream", headers=heads)


@routes.post("/devices/{device}/picture", Action.VEHICLE_REPLAY, fails=(404, 409, 502))
async def take_vehicle_picture(device: str, ask: VehiclePictureAsk, who: Who, here: Here) -> VehiclePictureOut:
    """Have it take a picture now; it stands in the list as soon as it has come. Written down with its purpose."""
    order = PhotographFrom(device, ask.channel)
    did = await here.vehicle_orders.give(who, order, reason=ask.reason, purpose=ask.purpose)
    return VehiclePictureOut(numbers=list(did.media))


def _out(one: VehicleMedium) -> VehicleMediumOut:
    return VehicleMediumOut(
        id=one.id, number=one.number, channel=one.channel, kind=one.kind, format=one.format, cause=one.cause, at=one.at,
        seen=one.seen, longitude=one.longitude, latitude=one.latitude, bytes=one.size, sha256=one.digest.hex(),
        shown=one.proven,
    )  # fmt: skip
