"""Steering a camera, and who may now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.channels.api import Channel
from safecity.core.ground.desk.api import PtzLock
from safecity.core.ground.duties.api import forget_demand, keep_demand
from safecity.kit.errors import RefusedError, UnavailableError
from safecity.model.facts.media_calls import StartRecording, StopRecording
from safecity.model.facts.signal_calls import Steer
from safecity.ports.database import Tx
from safecity.web.guard import Here, Routes, Who
from safecity.web.media import note_watching
from safecity.web.pushes import PushedLock
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, OptionalMoment

logger = logging.getLogger(__name__)
routes = Routes("steering")
Part = Annotated[float, Field(ge=-1, le=1)]
Act = Literal[
    "move", "stop", "iris", "focus", "preset_set", "preset_call", "preset_delete", "cruise_add", "cruise_delete",
    "cruise_speed", "cruise_dwell", "cruise_start", "cruise_stop", "scan_start", "scan_left", "scan_right",
    "scan_speed", "scan_stop", "aux_on", "aux_off", "home_on", "home_off", "drag_in", "drag_out", "precise", "track",
    "guard_on", "guard_off", "alarm_reset", "lens",
]  # fmt: skip
_CRUISES = ("cruise_add", "cruise_delete", "cruise_speed", "cruise_dwell")
_FORGET = ("preset_set", "preset_delete", "cruise_add", "cruise_delete", "home_on", "home_off")


class Drag(Ask):
    """A rectangle on the picture: width and height of the window, middle and size of the rectangle, in pixels."""

    width: Annotated[float, Field(ge=0, le=16_384)]
    height: Annotated[float, Field(ge=0, le=16_384)]
    x: Annotated[float, Field(ge=0, le=16_384)]
    y: Annotated[float, Field(ge=0, le=16_384)]
    w: Annotated[float, Field(ge=0, le=16_384)]
    h: Annotated[float, Field(ge=0, le=16_384)]


class SteerAsk(Ask):
    """See `Steer` of the reference: pan, tilt, zoom in -1..1, `number` of a preset, cruise or switch.

    `mode` is of `track`.
    """

    action: Act
    pan: Part = 0.0
    tilt: Part = 0.0
    zoom: Annotated[float, Field(ge=-1000, le=1000)] = 0.0
    iris: Part = 0.0
    focus: Part = 0.0
    number: Annotated[int, Field(ge=0, le=255)] = 0
    second: Annotated[int, Field(ge=0, le=4095)] = 0
    value: Annotated[float, Field(ge=-1e6, le=1e6)] = 0.0
    name: Annotated[str, Field(max_length=32)] = ""
    drag: Drag | None = None
    mode: Literal["Auto", "Manual", "Stop"] | None = None


class LockOut(Answer):
    """`owner` is null when nobody holds it."""

    owner: str | None
    owner_name: str | None
    mine: bool
    priority: int
    until: OptionalMoment


class RecordAsk(Ask):
    """How long, 0: until stopped."""

    seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    pre_roll_seconds: Annotated[int, Field(ge=0, le=60)] = 10


@routes.post("/channels/{channel}/ptz", Action.PTZ_STEER)
async def steer(channel: str, ask: SteerAsk, who: Who, here: Here) -> LockOut:
    """One act; it takes the lock for a short while, or says who has it."""
    found = await here.channels.find(who, Action.PTZ_STEER, channel)
    _pushed_only(found)
    lock, fresh = await here.desk.take(who, channel, on_purpose=False)
    extra: dict[str, str | int | float | bool | None] = ask.drag.model_dump() if ask.drag else {}
    if ask.name:
        extra["name"] = ask.name
    if ask.mode:
        extra["mode"] = ask.mode
    message = Steer(
        channel, ask.action, ask.pan, ask.tilt, ask.zoom, ask.iris, ask.focus, ask.number, ask.second, ask.value, extra
    )
    if fresh:
        _tell(here, channel, lock)
    await here.calls.call("signal", message, timeout=8)
    if ask.action in _CRUISES:
        await here.desk.note_cruise(channel, ask.action, ask.number, ask.second, round(ask.value))
    if ask.action in _FORGET:
        await note_watching(here, who, Action.PTZ_STEER, found, act=ask.action, number=ask.number)
    return _lock(lock, who)


@routes.get("/channels/{channel}/ptz/lock", Action.CHANNEL_SEE)
async def see_lock(channel: str, who: Who, here: Here) -> LockOut:
    """Who steers it."""
    return _lock(await here.desk.lock(who, channel), who)


@routes.put("/channels/{channel}/ptz/lock", Action.PTZ_STEER)
async def take_lock(channel: str, who: Who, here: Here) -> LockOut:
    """Keep it for half a minute, and longer as often as it is asked again; a higher priority may still take it."""
    lock, _ = await here.desk.take(who, channel, on_purpose=True)
    _tell(here, channel, lock)
    return _lock(lock, who)


@routes.delete("/channels/{channel}/ptz/lock", Action.PTZ_STEER, status_code=204)
async def release_lock(channel: str, who: Who, here: Here) -> None:
    """Give it back."""
    await here.desk.release(who, channel)
    _tell(here, channel, await here.desk.lock(who, channel))


@routes.post("/channels/{channel}/recording", Action.RECORDING_START, status_code=204)
async def start_recording(channel: str, ask: RecordAsk, who: Who, here: Here) -> None:
    """Record now, beginning some seconds ago."""
    found = await here.channels.find(who, Action.RECORDING_START, channel)
    until = who.at + ask.seconds * 1_000_000 if ask.seconds else 0
    await note_watching(here, who, Action.RECORDING_START, found)
    demand = StartRecording(channel, until, ask.pre_roll_seconds)
    await here.calls.call(found.slot, demand, timeout=10)
    await _remember(here, lambda tx: keep_demand(tx, demand, who.at))


@routes.delete("/channels/{channel}/recording", Action.RECORDING_START, status_code=204)
async def stop_recording(channel: str, who: Who, here: Here) -> None:
    """End what was started by hand."""
    found = await here.channels.find(who, Action.RECORDING_START, channel)
    await _remember(here, lambda tx: forget_demand(tx, channel, who.at))
    await here.calls.call(found.slot, StopRecording(channel), timeout=10)


async def _remember(here: Services, work: Callable[[Tx], None]) -> None:
    """So that it follows the channel to another slot. The slot it is on does not wait for a disk of control's."""
    try:
        await here.database.write(work)
    except UnavailableError as error:
        logger.error("recording by hand not written down why=%s", error)
    here.duties.look_again()


def _pushed_only(channel: Channel) -> None:
    if channel.sources:
        raise RefusedError("RTSP alone cannot steer", code="ptz_not_offered", params={"channel": channel.name})


def _lock(lock: PtzLock | None, who: Actor) -> LockOut:
    if lock is None:
        return LockOut(owner=None, owner_name=None, mine=False, priority=0, until=None)
    return LockOut(
        owner=lock.owner, owner_name=lock.owner_name, mine=lock.session == who.session, priority=lock.priority,
        until=lock.expires_at,
    )  # fmt: skip


def _tell(here: Services, channel: str, lock: PtzLock | None) -> None:
    here.hub.push(
        PushedLock(
            channel=channel,
            owner=lock.owner if lock else None,
            owner_name=lock.owner_name if lock else None,
            until_us=lock.expires_at if lock else None,
        ).model_dump()
    )
