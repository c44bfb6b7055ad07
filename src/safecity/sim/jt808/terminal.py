"""A simulated terminal on the network: drives, reports, obeys, gets lost in blind areas and catches up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from safecity.kit.clock import Clock, SystemClock
from safecity.protocols.jt808.active_safety import UploadAttachments
from safecity.protocols.jt808.alarms import Alarm, rising
from safecity.protocols.jt808.commands import HEARTBEAT_SECONDS, REPORT_SECONDS
from safecity.protocols.jt808.positions import Location, Track
from safecity.protocols.jt808.records import MediaData, PictureAnswer, TakePicture, TransparentUp
from safecity.protocols.jt808.registration import Unregister
from safecity.protocols.jt808.terminal import Commanded, Identity, Online, Output, Over, Phase, Send, TerminalSession
from safecity.sim.jt808.drive import Drive
from safecity.sim.jt808.recorded import FILM, PICTURE, Recorded, SafetyAlarms
from safecity.sim.jt808.vehicle import PROFILES, Profile, Vehicle

if TYPE_CHECKING:
    from safecity.sim.jt808.cameras import Cameras  # needs PyAV, which most terminals can do without

logger = logging.getLogger(__name__)

_ORDERED, _ROBBERY, _COLLISION = 0, 2, 3
PICTURED: Final = {Alarm.SOS: _ROBBERY, Alarm.COLLISION: _COLLISION, Alarm.ROLL_OVER: _COLLISION}
"""Alarms that a terminal with cameras takes a picture of by itself, and what it gives as their cause."""
MAX_PICTURES: Final = 10
"""Of one order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSpec:
    """Who it is, where its platform listens, and how often it reports. `code`: of an earlier registration.

    `started_seconds`: how long it has been driving when it starts, so that many do not drive in a heap.
    `profile` None: that of its version. `alarm_seconds`: so often somebody falls asleep (it needs cameras); 0: never.
    """

    identity: Identity
    host: str
    port: int
    code: str = ""
    report_seconds: float = 10.0
    heartbeat_seconds: float = 60.0
    retry_seconds: float = 5.0
    started_seconds: float = 0.0
    profile: Profile | None = None
    alarm_seconds: float = 0.0


class _Link(asyncio.Protocol):
    def __init__(self, terminal: SimTerminal) -> None:
        self._terminal = terminal

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._terminal.on_connected(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        self._terminal.on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._terminal.on_lost()


class SimTerminal:
    """Counters are plain attributes: `reports` made, `connections` opened; `session.acknowledged` were received."""

    def __init__(
        self, spec: TerminalSpec, drive: Drive, clock: Clock | None = None, cameras: Cameras | None = None
    ) -> None:
        self.spec = spec
        self.drive = drive
        self.cameras = cameras
        profile = spec.profile or PROFILES[spec.identity.version]
        self.vehicle = Vehicle(spec.identity, profile, channels=cameras.numbers if cameras else ())
        if cameras is not None and cameras.sound is not None:
            self.vehicle.sound = int(cameras.sound.payload_type), len(cameras.sound.frame(0))
        self.safety = SafetyAlarms(spec.identity, retry_seconds=spec.retry_seconds)
        self.session = TerminalSession(spec.identity, code=spec.code, heartbeat_seconds=spec.heartbeat_seconds)
        self.reports = 0
        self.connections = 0
        self.refused = ""
        self.online = asyncio.Event()
        self._clock = clock or SystemClock()
        self._begun = self._clock.monotonic() - spec.started_seconds
        self._transport: asyncio.Transport | None = None
        self._report_seconds = spec.report_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._report_timer: asyncio.TimerHandle | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._track_until = 0.0
        self._blind = False
        self._stopped = False
        self._alarms = 0
        self._pictures = 0
        self._working: set[asyncio.Task[None]] = set()

    def start(self, first_report_seconds: float = 0.0) -> None:
        """Connect, and go on connecting; report from then on."""
        loop = asyncio.get_running_loop()
        self._connect_in(0.0)
        self._report_timer = loop.call_later(first_report_seconds, self._report)
        if self.spec.alarm_seconds and self.cameras is not None:
            self._begin(self._tire())

    async def stop(self) -> None:
        """Sign off and close."""
        self._stopped = True
        for timer in (self._timer, self._report_timer):
            if timer is not None:
                timer.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        photographing = list(self._working)
        for task in photographing:
            task.cancel()
        await asyncio.gather(*photographing, return_exceptions=True)
        if self.cameras is not None:
            await self.cameras.close()
        transport = self._transport
        if transport is not None:
            if self.session.phase is Phase.ONLINE:
                self._carry_out([self.session.send(Unregister(), self._now())])
            transport.close()

    # --- what tests and the city do to it ---------------------------------------------------------------------

    def go_blind(self) -> None:
        """Into a tunnel: the connection breaks, reports are kept."""
        self._blind = True
        if self._transport is not None:
            self._transport.abort()

    def come_back(self) -> None:
        """Out again: connect, and send what was kept."""
        self._blind = False
        if self._transport is None:
            self._connect_in(0.0)

    def here(self) -> Location:
        """Where it is now, as it would report."""
        driven = self._clock.monotonic() - self._begun
        return self.vehicle.location(self.drive.place(driven), self._clock.now_us(), self.drive.metres(driven))

    def report_now(self) -> Location:
        """Report out of turn (an alarm does)."""
        location = self.here()
        self.reports += 1
        self._carry_out(self.session.report(location, self._now()))
        causes = {PICTURED[Alarm(bit)] for bit in rising(self._alarms, location.alarm) if bit in PICTURED}
        self._alarms = location.alarm
        if self.cameras is not None and self.cameras.numbers:
            for cause in sorted(causes):
                self._begin(self._photograph(self.cameras.numbers[0], cause, 1))
        return location

    def alarm(self, files: Sequence[Recorded], kind: int = 1) -> Location:
        """An alarm of the driver's state, with what was recorded of it; `kind` as of item 65. The platform may ask for
        the files."""
        here = self.here()
        location = replace(here, items=(*here.items, self.safety.raised(here, kind, files)))
        self.reports += 1
        self._carry_out(self.session.report(location, self._now()))
        return location

    def pass_up(self, kind: int, data: bytes) -> None:
        """Something behind it has something to say (0x0900)."""
        self._carry_out([self.session.send(TransparentUp(kind=kind, data=data), self._now())])

    async def nod(self) -> None:
        """Somebody falls asleep: two pictures and a short film of the first camera."""
        assert self.cameras is not None
        channel = self.cameras.numbers[0]
        pictures = [await self.cameras.photograph(channel) for _ in range(2)]
        film = await self.cameras.film(channel)
        files = [Recorded(PICTURE, one, channel) for one in pictures if one]
        self.alarm([*files, Recorded(FILM, film or b"", channel)])

    async def _tire(self) -> None:
        while True:
            await asyncio.sleep(self.spec.alarm_seconds)
            await self.nod()

    # --- connection -------------------------------------------------------------------------------------------

    def on_connected(self, transport: asyncio.Transport) -> None:
        """Of the protocol."""
        self._transport = transport
        self.connections += 1
        self._carry_out(self.session.connected(self._now()))

    def on_data(self, data: bytes) -> None:
        """Of the protocol."""
        self._carry_out(self.session.receive(data, self._now()))

    def on_lost(self) -> None:
        """Of the protocol."""
        self._transport = None
        self.online.clear()
        self.session.lost()
        if not self._stopped and not self._blind:
            self._connect_in(self.spec.retry_seconds)

    def _connect_in(self, seconds: float) -> None:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.get_running_loop().create_task(self._connect(seconds))

    async def _connect(self, seconds: float) -> None:
        while not self._stopped and not self._blind:
            if seconds:
                await asyncio.sleep(seconds)
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: _Link(self), self.spec.host, self.spec.port
                )  # fmt: skip
                return
            except OSError:
                seconds = self.spec.retry_seconds

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _carry_out(self, outputs: list[Output]) -> None:
        for one in outputs:
            match one:
                case Send(data=data):
                    if self._transport is not None:
                        self._transport.write(data)
                case Online():
                    self.refused = ""
                    self.online.set()
                case Commanded():
                    self._obey(one)
                case Over(reason=reason):
                    self.refused = reason
                    if self._transport is not None:
                        self._transport.close()
        self._arm()

    def _arm(self) -> None:
        """The session is to be asked again at its next deadline; an earlier timer does no harm."""
        deadline = self.session.next_deadline() if self._transport is not None else None
        timer = self._timer
        if deadline is None or self._stopped:
            return
        if timer is not None and not timer.cancelled() and self._now() < timer.when() <= deadline:
            return
        if timer is not None:
            timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._carry_out(self.session.expire(self._now()))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _photograph(self, channel: int, cause: int, count: int, serial: int | None = None) -> None:
        """Take so many pictures and send them; `serial`: of the order that is answered first."""
        assert self.cameras is not None
        taken: list[MediaData] = []
        for _ in range(count):
            data = await self.cameras.photograph(channel)
            if data is None:
                break
            self._pictures += 1
            location = replace(self.here(), items=(), tail=b"")
            taken.append(
                MediaData(
                    media_id=self._pictures, kind=0, format=0, event=cause, channel=channel, location=location,
                    data=data,
                )
            )  # fmt: skip
        if serial is not None:
            result = 0 if taken else 2
            answer = PictureAnswer(serial=serial, result=result, media_ids=tuple(one.media_id for one in taken))
            self._carry_out([self.session.send(answer, self._now())])
        for one in taken:
            self._carry_out(self.session.bring(one, self._now()))

    def _obey(self, commanded: Commanded) -> None:
        body = commanded.body
        if isinstance(body, TakePicture) and self.cameras is not None:
            count = 0 if body.command == 0xFFFF else min(body.command, MAX_PICTURES)
            self._begin(self._photograph(body.channel, _ORDERED, count, commanded.serial))
            return
        if isinstance(body, UploadAttachments) and self.safety.hears(body):
            self._carry_out([self.session.answer(commanded, self._now())])
            if self.safety.willing:
                self._begin(self.safety.bring(body))
            return
        reply = self.cameras.obey(commanded) if self.cameras is not None else None
        result, bodies = reply or self.vehicle.obey(commanded, self.here())
        outputs: list[Output] = [] if result is None else [self.session.answer(commanded, self._now(), result)]
        outputs += [self.session.send(body, self._now()) for body in bodies]
        if commanded.body.ID == 0x8103:
            self._report_seconds = self.vehicle.number(REPORT_SECONDS) or self._report_seconds
            self.session.heartbeat_seconds = self.vehicle.number(HEARTBEAT_SECONDS) or 60
        self._carry_out(outputs)
        if isinstance(commanded.body, Track):
            self._follow(commanded.body)

    def _follow(self, track: Track) -> None:
        """At its new pace from now on, for as long as was asked."""
        self._track_until = self._clock.monotonic() + track.seconds
        if self._report_timer is not None:
            self._report_timer.cancel()
        self._report()

    def _report(self) -> None:
        if self._stopped:
            return
        self.report_now()
        if self._clock.monotonic() >= self._track_until:
            self.vehicle.track_seconds = None
        seconds = self.vehicle.track_seconds or self._report_seconds
        self._report_timer = asyncio.get_running_loop().call_later(seconds, self._report)
