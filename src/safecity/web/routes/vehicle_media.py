"""Pictures, sounds, films and files that a vehicle took by itself or when asked, or recorded of an alarm."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.alarms.api import Alarm
from safecity.core.upper.fleet.api import VehicleMedium
from safecity.model.facts.vehicle_calls import PhotographFrom
from safecity.web.blobs import download
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import Purposed
from safecity.web.routes.tollgates import PurposeWord
from safecity.web.shapes import Answer, Ask, Moment, Page, Words, binary, read_cursor, write_cursor
from safecity.web.texts.alarm_kinds import alarm_kind

routes = Routes("fleet")
Reason = Annotated[Words, Query()]
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": binary("image/jpeg", "application/octet-stream")}
}
_ENDINGS: Final = {"jpeg": "jpg"}
_FORMATS: Final = frozenset(
    ("jpeg", "tif", "png", "mp3", "wav", "aac", "wmv", "mp4", "h264", "h265", "avi", "txt", "bin")
)


class VehicleMediumOut(Answer):
    """A picture, sound, film or file that a vehicle took.

    `number` is the terminal's own (of an attachment: of its alarm), `channel` the logical number of the camera or
    microphone (0: not told). `kind` is `picture`, `sound`, `video` or `file`; `format` `jpeg`, `tif`, `mp3`, `wav` or
    `wmv` as the terminal says, of an attachment after the ending of its name; `cause` `ordered`, `timer`, `robbery`,
    `collision`, `door_opens`, `door_closes`, `moves_off`, `distance`, or `alarm` for an attachment of an alarm of
    active safety; else each is the standard's number. `name`: what the terminal calls an attachment; `alarm`: the alarm
    that it belongs to, null where there is none that you may see, and `alarm_kind` what that is, in words.
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
    name: str
    alarm: str | None
    alarm_kind: str


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
    shown = found[:limit]
    alarms = await here.vehicle_media.alarms_of(who, shown)
    items = [_out(one, alarms.get(one.event) if one.event else None, who.language) for one in shown]
    return Page[VehicleMediumOut](items=items, next=more)


@routes.get(
    "/devices/{device}/media/{media}", Action.VEHICLE_REPLAY, fails=(404,), response_class=Response, responses=_BYTES
)  # fmt: skip
async def see_vehicle_medium(
    device: str, media: str, who: Who, here: Here, purpose: Purposed, request: Request, reason: Reason = ""
) -> Response:
    """Its bytes as they came, or a range of them. Each look is written down with its purpose."""
    one, blob = await here.vehicle_media.see(who, device, media, purpose=purpose, reason=reason)
    name = f"{one.id}.{_ENDINGS.get(one.format, one.format if one.format in _FORMATS else 'bin')}"
    if not one.proven:
        return download(here.blobs, blob, name, request)
    heads = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "private, max-age=600",
        "Content-Length": str(blob.size),
    }
    return StreamingResponse(here.blobs.read(blob.key), media_type="image/jpeg", headers=heads)


@routes.post("/devices/{device}/picture", Action.VEHICLE_REPLAY, fails=(404, 409, 502))
async def take_vehicle_picture(device: str, ask: VehiclePictureAsk, who: Who, here: Here) -> VehiclePictureOut:
    """Have it take a picture now; it stands in the list as soon as it has come. Written down with its purpose."""
    order = PhotographFrom(device, ask.channel)
    did = await here.vehicle_orders.give(who, order, reason=ask.reason, purpose=ask.purpose)
    return VehiclePictureOut(numbers=list(did.media))


def _out(one: VehicleMedium, alarm: Alarm | None, language: str) -> VehicleMediumOut:
    return VehicleMediumOut(
        id=one.id, number=one.number, channel=one.channel, kind=one.kind, format=one.format, cause=one.cause, at=one.at,
        seen=one.seen, longitude=one.longitude, latitude=one.latitude, bytes=one.size, sha256=one.digest.hex(),
        shown=one.proven, name=one.name, alarm=alarm.id if alarm else None,
        alarm_kind=alarm_kind(alarm.method, alarm.type, "", language) if alarm else "",
    )  # fmt: skip
