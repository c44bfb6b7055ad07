"""One simulated camera: a street, a lens, sound, and the streams that whoever asks gets from it.

A stream is painted and coded only while somebody takes it, in one worker thread for all cameras of the process, so
that signalling stays quick. All takers of one live stream share the same coded bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from safecity.kit.clock import SECOND_US, Clock, SystemClock
from safecity.model.values.media import Codec, Quality
from safecity.sim.encode import Coded, SoundLoop, VideoEncoder, VideoSpec, still
from safecity.sim.scene.lens import Lens, Pose
from safecity.sim.scene.street import Street

logger = logging.getLogger(__name__)

Sink = Callable[[Coded], None]

MAIN_VIDEO = VideoSpec()
SUB_VIDEO = VideoSpec(width=352, height=288, fps=10, kbps=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSpec:
    """What a camera is. `number` (0..255) stands in the strip of its pictures; `title` is Latin text in the picture."""

    number: int
    title: str
    main: VideoSpec = MAIN_VIDEO
    sub: VideoSpec | None = SUB_VIDEO
    sound: Codec | None = None
    fixed: bool = True
    light: float | None = None
    seed: int = 1


class Camera:
    """See the module. `painter` runs the drawing and coding; one thread serves a city."""

    def __init__(self, spec: CameraSpec, painter: Executor, *, clock: Clock | None = None) -> None:
        self.spec = spec
        self.lens = Lens(fixed=spec.fixed)
        self.clock = clock or SystemClock()
        self.shown_offset_us = 0
        """How wrong the camera's own clock is; seen in the written clock, not in the strip."""
        self.painter = painter
        self.street = Street(seed=spec.seed, channel=spec.number, title=spec.title, light=spec.light)
        self._past: Street | None = None
        self._live: dict[Quality, LiveStream] = {}

    def video(self, quality: Quality) -> VideoSpec:
        """The sub stream's where there is one and it is asked for, else the main stream's."""
        return self.spec.sub if quality is Quality.SUB and self.spec.sub is not None else self.spec.main

    def live(self, quality: Quality) -> LiveStream:
        """The shared live stream; a camera without a sub stream gives its main one."""
        quality = quality if self.spec.sub is not None else Quality.MAIN
        stream = self._live.get(quality)
        if stream is None:
            stream = self._live[quality] = LiveStream(self, self.video(quality))
        return stream

    def warm(self) -> None:
        """Paint the street already (in the painter's thread), so that the first picture comes at once."""
        video = self.spec.main
        self.street.render(self.clock.now_us(), video.width, video.height, self.pose())

    def pose(self, now: float | None = None) -> Pose | None:
        """Where the lens looks, at `now` (monotonic seconds) where it is told; None where it cannot be moved."""
        pose = self.lens.pose if now is None else self.lens.advance(now)
        return None if self.lens.fixed else pose

    async def still(self) -> bytes:
        """What it sees now, as JPEG."""
        return await asyncio.get_running_loop().run_in_executor(self.painter, self._still)

    def _still(self) -> bytes:
        video, at_us = self.spec.main, self.clock.now_us()
        shown = at_us + self.shown_offset_us
        return still(self.street.render(at_us, video.width, video.height, self.pose(), shown_us=shown))

    def past(self) -> Street:
        """The same street for recordings: its views must not push the live ones out of the cache."""
        if self._past is None:
            spec = self.spec
            self._past = Street(seed=spec.seed, channel=spec.number, title=spec.title, light=spec.light)
        return self._past

    async def close(self) -> None:
        """Stop every live stream."""
        for stream in self._live.values():
            await stream.close()


class LiveStream:
    """Attach a sink to begin; the first picture it gets is a key frame."""

    def __init__(self, camera: Camera, video: VideoSpec) -> None:
        self.video = video
        self._camera = camera
        self._sinks: list[Sink] = []
        self._waiting: set[Sink] = set()
        self._task: asyncio.Task[None] | None = None
        self._encoder: VideoEncoder | None = None
        self._sound = SoundLoop(camera.spec.sound) if camera.spec.sound is not None else None
        self._key = False
        self.frames = 0
        self.longest_us = 0
        """The longest time between two of its pictures: beside a busy machine the camera itself leaves some out."""
        self._painted_us = 0

    def attach(self, sink: Sink) -> None:
        """From now on; a key frame comes first, also for those who take already."""
        self._sinks.append(sink)
        self._waiting.add(sink)
        self._key = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def detach(self, sink: Sink) -> None:
        """The stream stops by itself when nobody takes it."""
        with contextlib.suppress(ValueError):
            self._sinks.remove(sink)
        self._waiting.discard(sink)

    def want_key(self) -> None:
        """Make the next picture a key frame."""
        self._key = True

    async def close(self) -> None:
        """Drop all sinks and wait for the painter."""
        self._sinks.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop, camera = asyncio.get_running_loop(), self._camera
        interval = 1 / self.video.fps
        try:
            # Painting the world takes as long as many pictures: before the first one is dated, not between two.
            await loop.run_in_executor(camera.painter, self._warm)
            due = loop.time()
            while self._sinks:
                pause = due - loop.time()
                if pause > 0:
                    await asyncio.sleep(pause)
                elif pause < -2 * interval:  # too slow: leave pictures out, as cameras do, instead of falling behind
                    due = loop.time()
                due += interval
                key, self._key = self._key, False
                pose = camera.pose(loop.time())
                at_us, coded = await loop.run_in_executor(camera.painter, self._paint, pose, key)
                if coded is not None:
                    self._give(coded)
                for piece in self._sound.until(at_us) if self._sound is not None else ():
                    self._give(piece)
        finally:
            self._encoder = None
            self._painted_us = 0
            if self._task is asyncio.current_task():
                self._task = None

    def _warm(self) -> None:
        at_us = self._camera.clock.now_us()
        self._camera.street.render(at_us, self.video.width, self.video.height, self._camera.pose())
        if self._encoder is None:
            self._encoder = VideoEncoder(self.video)

    def _paint(self, pose: Pose | None, key: bool) -> tuple[int, Coded | None]:
        """The picture of now, when it is this camera's turn: one dated before would come late by all who were first."""
        if self._encoder is None:
            self._encoder = VideoEncoder(self.video)
        at_us = self._camera.clock.now_us()
        shown = at_us + self._camera.shown_offset_us
        frame = self._camera.street.render(at_us, self.video.width, self.video.height, pose, shown_us=shown)
        self.frames += 1
        if self._painted_us:
            self.longest_us = max(self.longest_us, at_us - self._painted_us)
        self._painted_us = at_us
        return at_us, self._encoder.encode(frame, at_us, key=key)

    def _give(self, coded: Coded) -> None:
        for sink in list(self._sinks):
            if sink in self._waiting:
                if not (coded.is_video and coded.is_key):
                    continue
                self._waiting.discard(sink)
            try:
                sink(coded)
            except Exception:
                logger.exception("sink failed and was dropped camera=%s", self._camera.spec.number)
                self.detach(sink)


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A piece of a device's own recording, microseconds UTC."""

    start_us: int
    end_us: int
    kind: str = "time"


_FILE_US = 1800 * SECOND_US
_DAY_US = 86_400 * SECOND_US
_GAP_FROM_US, _GAP_TO_US = 19 * 3600 * SECOND_US, 19 * 3600 * SECOND_US + 600 * SECOND_US
"""Every day between 3:00 and 3:10 in Beijing nothing was recorded."""


def recorded_stretch(back_us: int, length_us: int, now_us: int) -> int:
    """When a stretch of that length began, on a whole second, so long ago or some hours more, that has no gap in it."""
    start = (now_us - back_us) // SECOND_US * SECOND_US
    while any(
        start < day + _GAP_TO_US and day + _GAP_FROM_US < start + length_us
        for day in range(start // _DAY_US * _DAY_US, start + length_us, _DAY_US)
    ):
        start -= 3600 * SECOND_US
    return start


def recorded_files(start_us: int, end_us: int, oldest_us: int, now_us: int) -> list[RecordedFile]:
    """The files that touch [start, end): half an hour each, from `oldest_us` until now, with the nightly gap."""
    start_us, end_us = max(start_us, oldest_us), min(end_us, now_us)
    files: list[RecordedFile] = []
    begin = start_us // _FILE_US * _FILE_US
    while begin < end_us:
        end = min(begin // _FILE_US * _FILE_US + _FILE_US, now_us)
        day = begin // _DAY_US * _DAY_US
        if day + _GAP_FROM_US <= begin < day + _GAP_TO_US:
            begin = day + _GAP_TO_US
            continue
        first = max(begin, oldest_us)
        if first < end and end > start_us:
            files.append(RecordedFile(first, end, "alarm" if begin // _FILE_US % 6 == 5 else "time"))
        begin = begin // _FILE_US * _FILE_US + _FILE_US
    return files
