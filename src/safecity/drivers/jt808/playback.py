"""What a terminal has recorded itself (JT/T 1078): asked for, played through the media plane, steered.

A terminal is steered by the number of a channel and nothing else: it can play a channel to one viewer at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from safecity.drivers.jt808.channels import Directory
from safecity.drivers.jt808.live import ANSWER_SECONDS, SLOT_SECONDS, away, prepare, tell_closed
from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.playing import control_of, is_over, started, tidy
from safecity.drivers.jt808.roll import Vehicle
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError, Param, SafecityError
from safecity.model.facts.media_calls import ConfirmStream, StreamState
from safecity.model.facts.signal_calls import (
    AskDevicePlayback,
    AskRecordings,
    DevicePlayback,
    DeviceRecordings,
    JtChannel,
    StartDevicePlayback,
    SteerDevicePlayback,
)
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.gb28181.progress import Progress
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.video import AskResources, PlaybackControl, Resources

logger = logging.getLogger(__name__)

PER_TERMINAL: Final = 2
"""Its line carries no more beside what is watched live."""
MAX_HOURS: Final = 48
UNWATCHED_SECONDS: Final = 20.0
"""A session that nobody watches is ended: its place at the terminal is wanted, and it costs the line."""
LIST_SECONDS: Final = 40.0
END: Final = 2
"""Of 0x9202."""


@dataclass(slots=True)
class _Session:
    name: str
    channel: JtChannel
    progress: Progress
    unwatched_at: float
    speed: int = 0
    watched: bool = False
    left: bool = False
    """It was watched and is no more."""


class Playback:
    """Sessions by name. `tick` about once a second."""

    def __init__(
        self,
        directory: Directory,
        orders: Orders,
        calls: Calls,
        clock: Clock,
        media_host: Callable[[Vehicle], str],
        spawn: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        self._directory = directory
        self._orders = orders
        self._calls = calls
        self._clock = clock
        self._media_host = media_host
        self._spawn = spawn
        self._sessions: dict[str, _Session] = {}
        self._starting: dict[str, JtChannel] = {}

    def knows(self, session: str) -> bool:
        """Whether it is one of a terminal's."""
        return session in self._sessions or session in self._starting

    async def recordings(self, wish: AskRecordings) -> DeviceRecordings:
        """What the terminal has of a channel; InvalidError (`gb_bad_window`) for a time that is none."""
        channel, vehicle = self._directory.channel(wish.channel)
        if not wish.start < wish.end:
            raise InvalidError("recordings of no time", code="gb_bad_window", params={"hours": 0})
        question = AskResources(
            channel=channel.number, begins=time_text(wish.start), ends=time_text(wish.end + SECOND_US - 1)
        )
        link = vehicle.link
        if link is None:
            raise away(vehicle)
        answered = await self._orders.ask(link, question, within=LIST_SECONDS)
        told = answered.body.resources if isinstance(answered.body, Resources) else ()
        found = tidy(told, channel.number, wish)
        return DeviceRecordings(found, received=len(found), total=len(found))

    async def start(self, request: StartDevicePlayback) -> None:
        """Have the terminal send [start, end). Raises the failed step; ConflictError (`gb_busy`) at our own limit."""
        if not request.start < request.end or request.end - request.start > MAX_HOURS * 3600 * SECOND_US:
            raise InvalidError("playback window", code="gb_bad_window", params={"hours": MAX_HOURS})
        channel, vehicle = self._directory.channel(request.channel)
        if request.session in self._sessions:
            await self.stop(request.session, "closed")
        await self._make_room(channel)
        key = StreamKey(request.session, Quality.MAIN)
        self._starting[request.session] = channel
        try:
            port = await prepare(self._calls, key, channel, vehicle)
            wish = started(request, channel.number, self._media_host(vehicle), port)
            scale = float(request.download_speed or 1)
            progress = Progress(request.start, request.end, scale=scale)
            # Before the terminal is asked: it may have sent and hung up before its answer is here.
            self._sessions[request.session] = _Session(
                request.session, channel, progress, self._clock.monotonic(), request.download_speed
            )
            await self._ask(channel, wish)
            await self._calls.call(channel.slot, ConfirmStream(*key, 0), timeout=SLOT_SECONDS)
        except SafecityError as error:
            self._sessions.pop(request.session, None)
            await tell_closed(self._calls, channel.slot, key, error.code, error.params)
            raise
        finally:
            del self._starting[request.session]

    async def _make_room(self, channel: JtChannel) -> None:
        """Sessions whose viewers have left stand in nobody's way; of a channel there is one."""
        while True:
            same = [one for one in self._sessions.values() if one.channel.channel == channel.channel]
            held = [one for one in self._sessions.values() if one.channel.device == channel.device]
            starting = [one for one in self._starting.values() if one.device == channel.device]
            if not same and channel not in starting and len(held) + len(starting) < PER_TERMINAL:
                return
            left = [one for one in same or held if one.left]
            if not left:
                params: dict[str, Param] = {"limit": PER_TERMINAL}
                raise ConflictError(f"{channel.device}: no more playback sessions", code="gb_busy", params=params)
            await self.stop(min(left, key=lambda one: one.unwatched_at).name, "not_wanted")

    async def steer(self, request: SteerDevicePlayback) -> None:
        """Pause, resume, seek, scale or stop. NotFoundError (`gb_no_session`), and what the terminal answers."""
        session = self._session(request.session)
        if request.action == "stop":
            await self.stop(request.session, "closed")
            return
        progress, now = session.progress, self._clock.monotonic()
        control, scale = control_of(request, session.channel.number, progress)
        await self._ask(session.channel, control)
        match request.action:
            case "pause":
                progress.pause(now)
            case "resume":
                progress.resume(now)
                progress.play_at(scale, now)
            case "seek":
                progress.seek(request.value, now)
            case _:
                progress.play_at(scale, now)

    def look(self, request: AskDevicePlayback) -> DevicePlayback:
        """How far a session is. NotFoundError (`gb_no_session`)."""
        session = self._session(request.session)
        progress = session.progress
        return DevicePlayback(
            session.name, session.channel.channel, progress.start, progress.end, progress.at(self._clock.monotonic()),
            progress.scale, progress.paused, session.speed,
        )  # fmt: skip

    def _session(self, name: str) -> _Session:
        session = self._sessions.get(name)
        if session is None:
            raise NotFoundError("no such playback session", code="gb_no_session")
        return session

    async def _ask(self, channel: JtChannel, body: AnyBody) -> None:
        vehicle = self._directory.find(channel.device)
        link = vehicle.link if vehicle is not None else None
        if vehicle is None or link is None:
            raise ConflictError("the terminal is not connected", code="device_offline")
        await self._orders.ask(link, body, within=ANSWER_SECONDS)

    # --- what slots say ---------------------------------------------------------------------------------------

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a session's stream. False where it is none of ours."""
        session = self._sessions.get(state.channel)
        if session is None or session.channel.slot != slot:
            return False
        now = self._clock.monotonic()
        if session.watched and not state.wanted:
            session.unwatched_at = now
        session.left = not state.wanted and (session.watched or session.left)
        session.watched = state.wanted
        if state.state == "running":
            session.progress.begun(now)
        elif state.state == "lost" and state.step == "jt_connection_closed":
            # A terminal hangs up when it has sent all; it says so in no other way.
            reason = "end" if is_over(session.progress, now, fetched=bool(session.speed)) else state.step
            self._spawn(self.stop(session.name, reason))
        elif state.state == "lost" and not session.progress.paused:
            self._spawn(self.stop(session.name, state.step or "jt_packets_stopped"))
        return True

    def tick(self) -> None:
        """End what nobody watches."""
        now = self._clock.monotonic()
        for session in list(self._sessions.values()):
            if not session.watched and now - session.unwatched_at > UNWATCHED_SECONDS:
                session.unwatched_at = now
                self._spawn(self.stop(session.name, "not_wanted"))

    async def stop(self, name: str, reason: str) -> None:
        """End it at the terminal and in its slot."""
        session = self._sessions.pop(name, None)
        if session is None:
            return
        if reason not in ("end", "jt_connection_closed"):
            try:
                await self._ask(session.channel, PlaybackControl(channel=session.channel.number, command=END))
            except SafecityError as error:
                logger.info("terminal did not end a playback session=%s why=%s", name, error.code)
        await tell_closed(self._calls, session.channel.slot, StreamKey(name, Quality.MAIN), reason, {})
