"""What a terminal has recorded itself (JT/T 1078): asked for, played through the media plane, steered.

A terminal is steered by the number of a channel and nothing else: it can play a channel to one viewer at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from safecity.drivers.jt808.channels import Directory
from safecity.drivers.jt808.live import ANSWER_SECONDS, away, expect, told_ports
from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.playing import control_of, is_over, started, tidy
from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.played import Played, PlayedSessions, Starting, check_window
from safecity.drivers.progress import progress_of
from safecity.drivers.slots import SLOT_SECONDS, tell_closed
from safecity.drivers.wanted import Spawn
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, InvalidError, SafecityError
from safecity.model.facts.media_calls import ConfirmStream
from safecity.model.facts.signal_calls import AskRecordings, DeviceRecordings, StartDevicePlayback, SteerDevicePlayback
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.video import AskResources, PlaybackControl, Resources

logger = logging.getLogger(__name__)

PER_TERMINAL: Final = 2
"""Its line carries no more beside what is watched live."""
LIST_SECONDS: Final = 40.0
_HUNG_UP: Final = "jt_connection_closed"
_SILENCES: Final = (_HUNG_UP, "jt_packets_stopped")
END: Final = 2
"""Of 0x9202."""


@dataclass(slots=True, kw_only=True)
class _Session(Played):
    """`number`: what the terminal calls the channel."""

    number: int


class Playback(PlayedSessions[_Session]):
    """Sessions by name. `tick` about once a second."""

    per_device = PER_TERMINAL
    stopped = "jt_packets_stopped"

    def __init__(
        self,
        directory: Directory,
        orders: Orders,
        calls: Calls,
        clock: Clock,
        media_host: Callable[[Vehicle], str],
        spawn: Spawn,
    ) -> None:
        super().__init__(calls, clock, spawn)
        self._directory = directory
        self._orders = orders
        self._media_host = media_host

    def knows(self, session: str) -> bool:
        """Whether it is one of a terminal's."""
        return session in self._sessions or any(one.name == session for one in self._starting)

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
        check_window(request)
        channel, vehicle = self._directory.channel(request.channel)
        key = StreamKey(request.session, Quality.MAIN)
        async with self._place(request.session, channel.channel, channel.device):
            try:
                port = await expect(self._calls, key, channel, vehicle, self._directory)
                wish = started(request, channel.number, self._media_host(vehicle), told_ports(vehicle, port))
                # Before the terminal is asked: it may have sent and hung up before its answer is here.
                self._sessions[request.session] = _Session(
                    request.session, channel.channel, channel.device, channel.slot, progress_of(request),
                    self._clock.monotonic(), request.download_speed, number=channel.number,
                )  # fmt: skip
                await self._ask(channel.device, wish)
                await self._calls.call(channel.slot, ConfirmStream(*key, 0), timeout=SLOT_SECONDS)
            except SafecityError as error:
                self._sessions.pop(request.session, None)
                await tell_closed(self._calls, channel.slot, key, error.code, error.params)
                raise

    def _in_the_way(self, place: Starting) -> Sequence[_Session] | None:
        """Of a channel there is one."""
        same = [one for one in self._sessions.values() if one.channel == place.channel]
        if same or any(one.channel == place.channel for one in self._starting):
            return same or self._held(place.device)
        return super()._in_the_way(place)

    async def steer(self, request: SteerDevicePlayback) -> None:
        """Pause, resume, seek, scale or stop. NotFoundError (`gb_no_session`), and what the terminal answers."""
        session = self._session(request.session)
        if request.action == "stop":
            await self.stop(request.session, "closed")
            return
        now = self._clock.monotonic()
        control, scale = control_of(request, session.number, session.progress)
        await self._ask(session.device, control)
        session.progress.steered(request, scale, now)

    async def _ask(self, device: str, body: AnyBody) -> None:
        vehicle = self._directory.find(device)
        link = vehicle.link if vehicle is not None else None
        if vehicle is None or link is None:
            raise ConflictError("the terminal is not connected", code="device_offline")
        await self._orders.ask(link, body, within=ANSWER_SECONDS)

    def _why_over(self, session: _Session, step: str) -> str:
        """A terminal hangs up when it has sent all, and one that sends datagrams is silent; it says so in no other
        way."""
        going_on = super()._why_over(session, step)
        if step not in _SILENCES or (step != _HUNG_UP and not going_on):
            return going_on
        return "end" if is_over(session.progress, self._clock.monotonic(), fetched=bool(session.speed)) else step

    async def _end(self, session: _Session, reason: str) -> None:
        if reason in ("end", "jt_connection_closed"):
            return
        try:
            await self._ask(session.device, PlaybackControl(channel=session.number, command=END))
        except SafecityError as error:
            logger.info("terminal did not end a playback session=%s why=%s", session.name, error.code)
