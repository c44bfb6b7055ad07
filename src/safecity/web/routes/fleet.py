"""Vehicles: what they are told to do. Each is answered once the terminal itself has answered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field, model_validator

from safecity.core.ground.access.api import Action
from safecity.model.facts.vehicle_calls import (
    LocateVehicle,
    LockVehicle,
    RestartTerminal,
    SayTerminal,
    TellDriver,
    TerminalDid,
    TrackVehicle,
)
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.tollgates import PurposeWord
from safecity.web.shapes import Answer, Ask, Moment, Words

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
    them in; bytes are hexadecimal digits. `confirm`: the name of the vehicle as it stands in the list. `purpose`: what
    for, of a picture (8801)."""

    message: Annotated[str, Field(pattern="^[0-9a-fA-F]{4}$")]
    fields: Annotated[dict[str, Any], Field(max_length=40, default_factory=dict)]
    confirm: Annotated[str, Field(max_length=200)]
    purpose: PurposeWord | None = None
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
    8106), properties (8107, 9003), alarms confirmed (8203), the driver's card (8702), pictures taken (8801, for a
    `purpose` and by who may see them), transparent data (8900), a running stream switched, held and gone on with
    (9102), losses (9105), its recordings (9205), uploads to an FTP server (9206, 9207), attachments of alarms (9208).
    Uploads need the right to export; that one is done is told as event `video.uploaded`. What takes a terminal out of
    reach, or lets a telephone listen in the vehicle, is refused."""
    order = SayTerminal(device, int(ask.message, 16), ask.fields)
    said = await here.vehicle_orders.say(
        who, order, confirm=ask.confirm, reason=ask.reason, purpose=ask.purpose or ""
    )  # fmt: skip
    return TerminalMessageOut(message=f"{said.message:04x}" if said.message else None, fields=said.fields)


class PassedOut(Answer):
    """What came through the terminal (0900). `kind` as the standard numbers it: 0 GNSS, 11 card, 65 and 66 serial
    ports, from 240 the maker's own. `data`: hexadecimal digits; of more than 1,024 `bytes` the first."""

    at: Moment
    kind: int
    bytes: int
    data: str


class TerminalKeyOut(Answer):
    """The terminal's public RSA key (0A00), its modulus as hexadecimal digits."""

    at: Moment
    e: int
    n: str


class TransparentOut(Answer):
    """The last 16, newest first; `key` null: it told none."""

    items: list[PassedOut]
    key: TerminalKeyOut | None


@routes.get("/devices/{device}/transparent", Action.VEHICLE_CONTROL, fails=(404, 503))
async def see_transparent(device: str, who: Who, here: Here, reason: Annotated[Words, Query()] = "") -> TransparentOut:
    """What came through its terminal last from whatever stands behind it. Each look is written down."""
    told = await here.vehicle_orders.through(who, device, reason=reason)
    items = [PassedOut(at=one.at, kind=one.kind, bytes=one.size, data=one.data.hex()) for one in told.items]
    key = TerminalKeyOut(at=told.key_at, e=told.e, n=told.n.hex()) if told.key_at else None
    return TransparentOut(items=items, key=key)


def _out(did: TerminalDid) -> TerminalOut:
    place = did.place or (None, None)
    return TerminalOut(locked=did.locked, longitude=place[0], latitude=place[1])
