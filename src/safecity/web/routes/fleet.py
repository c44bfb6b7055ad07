"""Vehicles: what they are told to do. Each is answered once the terminal itself has answered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field, model_validator

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import find_device, thing_of
from safecity.kit.errors import NotFoundError
from safecity.model.facts.vehicle_calls import (
    AskTerminalPicture,
    AskTerminalPictures,
    LocateVehicle,
    LockVehicle,
    RestartTerminal,
    SayTerminal,
    TellDriver,
    TerminalDid,
    TerminalPictureData,
    TerminalPictures,
    TrackVehicle,
)
from safecity.ports.database import Tx
from safecity.web.guard import Here, Routes, Who
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, Moment, Page, Words, binary, read_cursor, write_cursor

routes = Routes("fleet")
FAILS = (404, 409, 502)


class TerminalOut(Answer):
    """The terminal did it. `locked`: what it says of its doors; where it is, if the answer told (WGS-84 degrees)."""

    locked: bool | None
    longitude: float | None
    latitude: float | None


class VehicleTextAsk(Ask):
    """Words for the driver; shown, spoken, or on the advertisement screen, at least one of these."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    urgent: bool = False
    display: bool = True
    spoken: bool = False
    screen: bool = False
    reason: Words = ""

    @model_validator(mode="after")
    def _somewhere(self) -> VehicleTextAsk:
        if not (self.display or self.spoken or self.screen):
            raise ValueError("nobody would see or hear it")
        return self


class VehicleTrackAsk(Ask):
    """Report every so many seconds, for so long; `every_seconds` 0 ends it."""

    every_seconds: Annotated[int, Field(ge=0, le=3600)]
    seconds: Annotated[int, Field(ge=0, le=86_400)] = 600
    reason: Words = ""


class VehicleLocateAsk(Ask):
    """Why."""

    reason: Words = ""


class VehicleRestartAsk(Ask):
    """`confirm`: the name of the vehicle as it stands in the list."""

    confirm: Annotated[str, Field(max_length=200)]
    reason: Words = ""


class VehicleDoorsAsk(Ask):
    """Lock or unlock. `confirm`: the name of the vehicle as it stands in the list."""

    locked: bool
    confirm: Annotated[str, Field(max_length=200)]
    reason: Words = ""


class TerminalMessageAsk(Ask):
    """A message of JT/T 808 or JT/T 1078 by its id (`8104`) and its fields, by the names that `TerminalMessageOut` has
    them in; bytes are hexadecimal digits. `confirm`: the name of the vehicle as it stands in the list."""

    message: Annotated[str, Field(pattern="^[0-9a-fA-F]{4}$")]
    fields: Annotated[dict[str, Any], Field(max_length=40, default_factory=dict)]
    confirm: Annotated[str, Field(max_length=200)]
    reason: Words = ""


class TerminalMessageOut(Answer):
    """What it answered: the id of the message, null where it only said yes, and its fields."""

    message: str | None
    fields: dict[str, Any]


@routes.post("/devices/{device}/text", Action.VEHICLE_MESSAGE, fails=FAILS)
async def tell_driver(device: str, ask: VehicleTextAsk, who: Who, here: Here) -> TerminalOut:
    """Words for the driver. Every one of them is in the audit log."""
    order = TellDriver(device, ask.text, ask.urgent, ask.display, ask.spoken, ask.screen)
    return _out(await here.vehicle_orders.give(who, order, reason=ask.reason))


@routes.post("/devices/{device}/track", Action.VEHICLE_TRACK, fails=FAILS)
async def track_vehicle(device: str, ask: VehicleTrackAsk, who: Who, here: Here) -> TerminalOut:
    """Have it report more often for a while."""
    order = TrackVehicle(device, ask.every_seconds, ask.seconds)
    return _out(await here.vehicle_orders.give(who, order, reason=ask.reason))


@routes.post("/devices/{device}/locate", Action.VEHICLE_TRACK, fails=FAILS)
async def locate_vehicle(device: str, who: Who, here: Here, ask: VehicleLocateAsk | None = None) -> TerminalOut:
    """Ask it where it is now."""
    reason = ask.reason if ask else ""
    return _out(await here.vehicle_orders.give(who, LocateVehicle(device), reason=reason))


@routes.post("/devices/{device}/restart", Action.VEHICLE_CONTROL, fails=FAILS)
async def restart_terminal(device: str, ask: VehicleRestartAsk, who: Who, here: Here) -> TerminalOut:
    """Start its terminal anew; it comes again by itself."""
    return _out(
        await here.vehicle_orders.give(who, RestartTerminal(device), confirm=ask.confirm, reason=ask.reason)
    )  # fmt: skip


@routes.post("/devices/{device}/doors", Action.VEHICLE_CONTROL, fails=FAILS)
async def lock_vehicle(device: str, ask: VehicleDoorsAsk, who: Who, here: Here) -> TerminalOut:
    """Lock or unlock its doors. They are not unlocked while it is known to drive: of a vehicle that told no position
    for two minutes nobody knows."""
    order = LockVehicle(device, ask.locked)
    return _out(await here.vehicle_orders.give(who, order, confirm=ask.confirm, reason=ask.reason))


@routes.post("/devices/{device}/message", Action.VEHICLE_CONTROL, fails=FAILS)
async def say_to_terminal(device: str, ask: TerminalMessageAsk, who: Who, here: Here) -> TerminalMessageOut:
    """A message of the standard as it stands there, and the terminal's answer: parameters set and read (8103, 8104,
    8106), properties (8107, 9003), alarms confirmed (8203), the driver's card (8702), pictures taken
    (8801),
    transparent data (8900), a running stream switched, held and gone on with (9102), losses (9105), its recordings
    (9205), uploads to an FTP server (9206, 9207), attachments of alarms (9208). Uploads need the right to export; that
    one is done is told as event `video.uploaded`. What takes a terminal out of reach is refused."""
    order = SayTerminal(device, int(ask.message, 16), ask.fields)
    said = await here.vehicle_orders.say(who, order, confirm=ask.confirm, reason=ask.reason)
    return TerminalMessageOut(message=f"{said.message:04x}" if said.message else None, fields=said.fields)


class TerminalPictureOut(Answer):
    """What a terminal took and sent. `media`: `picture`, `sound` or `video`; `format`: `jpeg`, `tif`, `mp3`, `wav` or
    `wmv`; `cause`: `ordered`, `timer`, `robbery`, `collision`, `door_opens`, `door_closes` or `distance`; a number
    where the standard has no word. `channel` is the logical number of its camera."""

    name: str
    at: Moment
    media: str
    format: str
    cause: str
    channel: int
    bytes: int


_TYPES = {
    "jpeg": "image/jpeg", "tif": "image/tiff", "mp3": "audio/mpeg", "wav": "audio/wav", "wmv": "video/x-ms-wmv"
}  # fmt: skip
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "As the terminal sent it.", "content": binary("application/octet-stream")}
}


@routes.get("/devices/{device}/pictures", Action.PLAYBACK_WATCH, fails=(404, 503))
async def list_terminal_pictures(
    device: str, who: Who, here: Here, after: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[TerminalPictureOut]:  # fmt: skip
    """Pictures, sounds and clips that a vehicle terminal took itself (JT/T 808, 0801), the newest first."""
    await _watched(here, who, device)
    place = read_cursor(after, str)
    wish = AskTerminalPictures(device, place[0] if place else "", limit + 1)
    told = await here.calls.call("signal", wish, timeout=8)
    found = told.items if isinstance(told, TerminalPictures) else ()
    names = tuple(TerminalPictureOut.model_fields)
    items = [TerminalPictureOut(**{name: getattr(one, name) for name in names}) for one in found[:limit]]
    return Page(items=items, next=write_cursor(items[-1].name) if len(found) > limit else None)


@routes.get(
    "/devices/{device}/pictures/{picture}", Action.PLAYBACK_WATCH, fails=(404, 503), response_class=Response,
    responses=_FILE,
)  # fmt: skip
async def see_terminal_picture(
    device: str, picture: Annotated[str, Path(max_length=80)], who: Who, here: Here
) -> Response:
    """One of them, as the terminal sent it. Who looked is written down."""
    await _watched(here, who, device)
    told = await here.calls.call("signal", AskTerminalPicture(device, picture), timeout=8)
    if not isinstance(told, TerminalPictureData):
        raise NotFoundError("no such picture", code="not_found", params={"kind": "picture"})
    await _watched(here, who, device, picture)
    kind = _TYPES.get(told.picture.format, "application/octet-stream")
    shown = "inline" if kind == "image/jpeg" else "attachment"
    headers = {"Content-Disposition": f'{shown}; filename="{told.picture.name}.{told.picture.format}"'}
    return Response(told.data, media_type=kind, headers=headers | {"X-Content-Type-Options": "nosniff"})


async def _watched(here: Services, who: Actor, device: str, picture: str = "") -> None:
    """Whether they may; what they look at is written down."""

    def work(tx: Tx) -> None:
        found = find_device(tx, who, Action.PLAYBACK_WATCH, device)
        if picture:
            note(tx, who, Action.PLAYBACK_WATCH, thing_of(found), found.name, picture=picture)

    await (here.database.write(work) if picture else here.database.read(work))


def _out(did: TerminalDid) -> TerminalOut:
    place = did.place or (None, None)
    return TerminalOut(locked=did.locked, longitude=place[0], latitude=place[1])
