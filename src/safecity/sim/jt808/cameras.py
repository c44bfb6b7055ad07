"""The cameras of a simulated vehicle: sent where its platform says (JT/T 1078), live or out of its own recorder."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from safecity.kit.clock import SECOND_US, Clock, SystemClock
from safecity.model.values.media import Codec, Quality
from safecity.protocols.jt808.checks import parse_time, time_text
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.registration import Result
from safecity.protocols.jt808.terminal import Commanded, Identity
from safecity.protocols.jt808.video import (
    AskResources,
    Focus,
    Infrared,
    Iris,
    LiveCommand,
    LiveControl,
    PlaybackControl,
    Resource,
    Resources,
    StartLive,
    StartPlayback,
    Turn,
    Wiper,
    Zoom,
)
from safecity.protocols.jt1078.frames import packetise
from safecity.protocols.jt1078.packets import Kind, PayloadType, write_packet
from safecity.sim.camera import Camera, RecordedFile, recorded_files
from safecity.sim.encode import Coded
from safecity.sim.history import History
from safecity.sim.jt808.sounds import VehicleSound

logger = logging.getLogger(__name__)

Reply = tuple[Result | None, list[AnyBody]]
"""(result of the general answer, None: there is none; what else to send)."""

KEPT_HOURS: Final = 24
_BUFFER: Final = 2_000_000
"""Bytes that wait for a receiver that does not read; then pictures are left out up to the next key frame."""
_TYPES: Final = {
    Codec.H264: PayloadType.H264,
    Codec.H265: PayloadType.H265,
    Codec.PCMA: PayloadType.G711A,
    Codec.PCMU: PayloadType.G711U,
    Codec.AAC: PayloadType.AAC,
}
_SPEEDS: Final = {0: 1.0, 1: 1.0, 2: 2.0, 3: 4.0, 4: 8.0, 5: 16.0}


class Media(asyncio.Protocol, asyncio.DatagramProtocol):
    """What pictures go out on: a connection, or datagrams. `over` is set once the other end is gone."""

    def __init__(self, *, datagrams: bool) -> None:
        self.over = asyncio.Event()
        self._datagrams = datagrams
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    def eof_received(self) -> bool:
        self.over.set()
        return False

    def send(self, data: bytes) -> None:
        """One packet."""
        if self._datagrams:
            self._transport.sendto(data)
        else:
            self._transport.write(data)

    def waiting(self) -> int:
        """Bytes that were not taken yet; datagrams wait for nobody."""
        return 0 if self._datagrams else self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Nothing more."""
        self._transport.close()


@dataclass(slots=True, eq=False)
class Line:
    """A media connection of one channel. `sent` counts packets; `sound`: how what the camera hears is coded anew."""

    identity: Identity
    channel: int
    camera: Camera
    video: Codec
    media: Media
    live: bool
    sound: VehicleSound | None = None
    sent: int = 0
    _skipping: bool = False

    def offer(self, coded: Coded) -> None:
        """Send one unit."""
        full = self.media.waiting() > _BUFFER
        if full or (self._skipping and not (coded.is_video and coded.is_key)):
            self._skipping = True
            return
        self._skipping = False
        codec = self.video if coded.is_video else self.camera.spec.sound
        if codec is None:
            return
        data, payload_type = coded.data, int(_TYPES[codec])
        if self.sound is not None and not coded.is_video:
            data, payload_type = self.sound.frame(coded.at_us), self.sound.payload_type
        kind = Kind.AUDIO if not coded.is_video else Kind.I_FRAME if coded.is_key else Kind.P_FRAME
        packets = packetise(
            data, phone=self.identity.phone, channel=self.channel, kind=kind, payload_type=payload_type,
            sequence=self.sent & 0xFFFF, timestamp_ms=coded.at_us // 1000 if self.live else coded.pts // 90,
            long_phone=self.identity.version is Version.V2019,
        )  # fmt: skip
        self.sent += len(packets)
        for data in map(write_packet, packets):
            self.media.send(data)


class Cameras:
    """By logical channel number. `lines` are the media connections that are open, `steered` what heads were told.
    `sound`: how the terminal codes what cameras hear as G.711; None: it does not."""

    def __init__(
        self, identity: Identity, cameras: Mapping[int, Camera], clock: Clock | None = None,
        sound: VehicleSound | None = None,
    ) -> None:  # fmt: skip
        self.cameras = dict(cameras)
        self.sound = sound
        self.lines: set[Line] = set()
        self.steered: deque[Turn | Focus | Iris | Wiper | Infrared | Zoom] = deque(maxlen=100)
        self._identity = identity
        self._clock = clock or SystemClock()
        self._tasks: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._histories: dict[int, History] = {}

    @property
    def numbers(self) -> tuple[int, ...]:
        """The channels there are."""
        return tuple(sorted(self.cameras))

    def obey(self, commanded: Commanded) -> Reply | None:
        """Carry out what is asked of the cameras; None where it is about something else."""
        body = commanded.body
        match body:
            case StartLive() | StartPlayback() | AskResources() if body.channel not in self.cameras:
                return Result.FAILED, []
            case Turn() | Focus() | Iris() | Wiper() | Infrared() | Zoom():
                if body.channel not in self.cameras:
                    return Result.FAILED, []
                self.steered.append(body)
            case StartLive():
                name = "sub" if body.stream == 1 else "main"
                self._begin(body.channel, name, self._show(body, Quality(name)))
            case LiveControl(command=LiveCommand.CLOSE):
                self._end(body.channel, "main", "sub")
            case LiveControl():
                pass
            case StartPlayback():
                self._begin(body.channel, "playback", self._play(body))
                return None, [self._resources(commanded.serial, body.channel, body.begins, body.ends)]
            case PlaybackControl():
                return self._steer(body), []
            case AskResources():
                return None, [self._resources(commanded.serial, body.channel, body.begins, body.ends)]
            case _:
                return None
        return Result.OK, []

    async def photograph(self, channel: int) -> bytes | None:
        """What the camera of that number sees now, as JPEG; None where there is none."""
        camera = self.cameras.get(channel)
        return None if camera is None else await camera.still()

    async def film(self, channel: int, pictures: int = 25) -> bytes | None:
        """What the camera of that number sees from now on, as H.264 or H.265; None where there is none."""
        camera = self.cameras.get(channel)
        if camera is None:
            return None
        stream, units, whole = camera.live(Quality.SUB), list[bytes](), asyncio.Event()

        def take(coded: Coded) -> None:
            if coded.is_video and (units or coded.is_key) and len(units) < pictures:
                units.append(coded.data)
                if len(units) == pictures:
                    whole.set()

        stream.attach(take)
        try:
            await whole.wait()
        finally:
            stream.detach(take)
        return b"".join(units)

    async def close(self) -> None:
        """Hang up."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for camera in self.cameras.values():
            await camera.close()

    def _begin(self, channel: int, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._end(channel, name)
        self._tasks[channel, name] = asyncio.get_running_loop().create_task(work)

    def _end(self, channel: int, *names: str) -> None:
        for name in names:
            task = self._tasks.pop((channel, name), None)
            if task is not None:
                task.cancel()

    async def _show(self, wish: StartLive, quality: Quality) -> None:
        camera = self.cameras[wish.channel]
        stream = camera.live(quality)

        def give(line: Line) -> Callable[[], None]:
            stream.attach(line.offer)
            return lambda: stream.detach(line.offer)

        await self._connected(wish, camera.video(quality).codec, True, give)

    async def _play(self, wish: StartPlayback) -> None:
        camera = self.cameras[wish.channel]
        start, end = parse_time(wish.begins) or 0, parse_time(wish.ends) or 0
        over = asyncio.Event()
        playing: list[History] = []

        def give(line: Line) -> Callable[[], None]:
            files = self._files(start, end)
            scale = _SPEEDS.get(wish.speed, 1.0)
            history = History(camera, files, start, end, line.offer, over.set, scale=scale)
            playing.append(history)
            self._histories[wish.channel] = history
            history.start()
            return over.set

        try:
            codec = camera.video(Quality.MAIN).codec
            await self._connected(wish, codec, False, give, over)
        finally:
            for history in playing:
                await history.close()

    async def _connected(
        self, wish: StartLive | StartPlayback, codec: Codec, live: bool,
        give: Callable[[Line], Callable[[], None]], over: asyncio.Event | None = None,
    ) -> None:  # fmt: skip
        """Until the other end hangs up, or there is no more; datagrams until they are stopped."""
        try:
            media = await _opened(wish)
        except OSError as error:
            logger.info("media not connected to=%s why=%s", wish.host, error)
            return
        line = Line(self._identity, wish.channel, self.cameras[wish.channel], codec, media, live, self.sound)
        self.lines.add(line)
        stop = give(line)
        waits = {asyncio.ensure_future(media.over.wait())}
        if over is not None:
            waits.add(asyncio.ensure_future(over.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop()
            for one in waits:
                one.cancel()
            self.lines.discard(line)
            media.close()

    def _steer(self, wish: PlaybackControl) -> Result:
        history = self._histories.get(wish.channel)
        if history is None or (wish.channel, "playback") not in self._tasks:
            return Result.FAILED
        speed = _SPEEDS.get(wish.speed, 1.0)
        match wish.command:
            case 0:
                history.resume(scale=1.0)
            case 1:
                history.pause()
            case 2:
                self._end(wish.channel, "playback")
            case 3 | 6:
                history.resume(scale=speed)
            case 4:
                history.resume(scale=-speed)
            case 5:
                history.resume(at_seconds=((parse_time(wish.position) or 0) - history.begins_us) / SECOND_US)
            case _:
                return Result.UNSUPPORTED
        return Result.OK

    def _files(self, start: int, end: int) -> list[RecordedFile]:
        now = self._clock.now_us()
        return recorded_files(start, end, now - KEPT_HOURS * 3600 * SECOND_US, now)

    def _resources(self, serial: int, channel: int, begins: str, ends: str) -> Resources:
        files = self._files(parse_time(begins) or 0, parse_time(ends) or 0)
        return Resources(
            serial=serial,
            resources=tuple(
                Resource(
                    channel=channel, begins=time_text(one.start_us), ends=time_text(one.end_us),
                    alarms=int(one.kind == "alarm"), medium=0, stream=1, storage=1,
                    size=(one.end_us - one.start_us) // SECOND_US * 75_000,
                )
                for one in files
            ),
        )  # fmt: skip


async def _opened(wish: StartLive | StartPlayback) -> Media:
    """Over TCP unless only a port of UDP was named."""
    loop, datagrams = asyncio.get_running_loop(), bool(wish.udp_port and not wish.tcp_port)
    media = Media(datagrams=datagrams)
    if datagrams:
        await loop.create_datagram_endpoint(lambda: media, remote_addr=(wish.host, wish.udp_port))
    else:
        await loop.create_connection(lambda: media, wish.host, wish.tcp_port)
    return media
