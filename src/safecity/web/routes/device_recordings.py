"""What a device has recorded itself: searched, played through the media plane, steered, fetched fast."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.channels.api import Channel
from safecity.core.ground.exports.api import check_range
from safecity.kit.errors import NotFoundError, RefusedError, SafecityError, UnavailableError
from safecity.kit.ids import fresh, parse
from safecity.model.facts.signal_calls import (
    DEVICE_PLAYBACK,
    AskDevicePlayback,
    AskRecordings,
    DevicePlayback,
    DeviceRecordings,
    StartDevicePlayback,
    SteerDevicePlayback,
)
from safecity.model.values.media import Quality
from safecity.web.guard import Here, Routes, Who
from safecity.web.media import make_ticket, media_url, note_watching
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, Moment

routes = Routes("device recordings")
When = Annotated[Moment, Query()]
SEARCH_US = 32 * 86_400_000_000
PLAY_US = 48 * 3_600_000_000
SEARCH_SECONDS = 60.0
START_SECONDS = 20.0


class RecordingOut(Answer):
    """A file in the device, by the device's clock. `kind` and `path` are its own words."""

    start: Moment
    end: Moment
    name: str
    kind: str
    path: str
    bytes: int


class RecordingsOut(Answer):
    """In order of time. `complete` false: the device spoke of `total` files and told `received`."""

    items: list[RecordingOut]
    complete: bool
    received: int
    total: int


class DevicePlaybackAsk(Ask):
    """A stretch of the device's recordings. `speed` 0 plays it; 1 to 16 fetches it as fast (Download)."""

    start: Moment
    end: Moment
    speed: Annotated[int, Field(ge=0, le=16)] = 0


class PlaybackStarted(Answer):
    """The session, and an address that opens once within a minute; what comes there is as with live pictures."""

    session: str
    url: str
    expires: Moment


class SteerPlaybackAsk(Ask):
    """`seek` needs `at`, `speed` needs `speed` (0.1 to 16; below 0 backwards, devices of 2022)."""

    action: Literal["pause", "resume", "seek", "speed"]
    at: Moment = 0
    speed: Annotated[float, Field(ge=-16, le=16)] = 1.0


class PlaybackOut(Answer):
    """`position` is reckoned from what was asked of the device: its pictures carry no time of day."""

    session: str
    channel: str
    start: Moment
    end: Moment
    position: Moment
    speed: float
    paused: bool
    fetching: int


@routes.get("/channels/{channel}/device-recordings", Action.PLAYBACK_WATCH)
async def list_device_recordings(
    channel: str, start: When, end: When, who: Who, here: Here,
    kind: Literal["all", "time", "alarm", "manual"] = "all",
) -> RecordingsOut:  # fmt: skip
    """Ask the device what it has of [start, end), 32 days at most."""
    found = await _pushed(here, who, channel)
    check_range(start, end, SEARCH_US)
    answer = await here.calls.call("signal", AskRecordings(channel, start, end, kind), timeout=SEARCH_SECONDS)
    if not isinstance(answer, DeviceRecordings):
        raise UnavailableError(f"{found.name}: no recordings told", code="answer_unexpected")
    items = [RecordingOut.model_validate(one) for one in answer.recordings]
    return RecordingsOut(items=items, complete=answer.complete, received=answer.received, total=answer.total)


@routes.post("/channels/{channel}/device-playback", Action.PLAYBACK_WATCH, status_code=201)
async def start_device_playback(
    channel: str, ask: DevicePlaybackAsk, who: Who, here: Here, request: Request
) -> PlaybackStarted:
    """Have the device send it; the failed step in words when it does not."""
    found = await _pushed(here, who, channel)
    check_range(ask.start, ask.end, PLAY_US)
    if not found.slot:
        raise UnavailableError("the channel has no slot", code="channel_not_placed")
    await note_watching(here, who, Action.PLAYBACK_WATCH, found, start=ask.start, end=ask.end, from_device=True)
    session = fresh(DEVICE_PLAYBACK)
    wish = StartDevicePlayback(session, channel, ask.start, ask.end, ask.speed)
    await here.calls.call("signal", wish, timeout=START_SECONDS)
    return _started(here, who, request, found, session)


@routes.get("/device-playbacks/{session}", Action.PLAYBACK_WATCH)
async def see_device_playback(session: str, who: Who, here: Here) -> PlaybackOut:
    """How far it is."""
    known, _ = await _session(here, who, session)
    return PlaybackOut(
        session=session, channel=known.channel, start=known.start, end=known.end, position=known.position,
        speed=known.scale, paused=known.paused, fetching=known.download_speed,
    )  # fmt: skip


@routes.post("/device-playbacks/{session}", Action.PLAYBACK_WATCH)
async def steer_device_playback(session: str, ask: SteerPlaybackAsk, who: Who, here: Here) -> PlaybackOut:
    """Pause, go on, go elsewhere, or at another speed."""
    known, _ = await _session(here, who, session)
    value = {"seek": max(0.0, (ask.at - known.start) / 1e6), "speed": ask.speed}.get(ask.action, 0.0)
    action = "scale" if ask.action == "speed" else ask.action
    await here.calls.call("signal", SteerDevicePlayback(session, action, value), timeout=START_SECONDS)
    return await see_device_playback(session, who, here)


@routes.post("/device-playbacks/{session}/address", Action.PLAYBACK_WATCH)
async def open_device_playback(session: str, who: Who, here: Here, request: Request) -> PlaybackStarted:
    """Another address for a session that still runs: a connection broke, or somebody else shall look too."""
    known, found = await _session(here, who, session)
    await note_watching(here, who, Action.PLAYBACK_WATCH, found, start=known.start, end=known.end, from_device=True)
    return _started(here, who, request, found, session)


@routes.delete("/device-playbacks/{session}", Action.PLAYBACK_WATCH, status_code=204)
async def stop_device_playback(session: str, who: Who, here: Here) -> None:
    """End it; 404 (`gb_no_session`) where it has ended by itself."""
    await _session(here, who, session)
    await here.calls.call("signal", SteerDevicePlayback(session, "stop"), timeout=START_SECONDS)


async def _pushed(here: Services, who: Actor, channel: str) -> Channel:
    found = await here.channels.find(who, Action.PLAYBACK_WATCH, channel)
    if found.sources:
        raise RefusedError(
            "RTSP alone offers no recordings", code="recordings_not_offered", params={"name": found.name}
        )
    return found


async def _session(here: Services, who: Actor, session: str) -> tuple[DevicePlayback, Channel]:
    """The session, for those who may see its channel; its name is told to whoever began it, and cannot be guessed."""
    gone = NotFoundError("no such playback session", code="gb_no_session")
    try:
        parse(DEVICE_PLAYBACK, session)
    except SafecityError as error:
        raise gone from error
    known = await here.calls.call("signal", AskDevicePlayback(session), timeout=5)
    if not isinstance(known, DevicePlayback):
        raise gone
    return known, await here.channels.find(who, Action.PLAYBACK_WATCH, known.channel)


def _started(here: Services, who: Actor, request: Request, found: Channel, session: str) -> PlaybackStarted:
    # The stream is named after the session; its slot is the channel's.
    ticket, expires = make_ticket(here, who, replace(found, id=session), "live", Quality.MAIN)
    return PlaybackStarted(session=session, url=media_url(here, request, "live", ticket), expires=expires)
