"""A camera's own recording being played: painted for the past moment when it is asked for.

Media time (`pts`) grows by one frame per frame sent, whatever the speed: after a seek and backwards it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import Quality
from safecity.sim.camera import Camera, RecordedFile, Sink
from safecity.sim.encode import Coded, SoundLoop, VideoEncoder, pts_of

_KEYS_ONLY_ABOVE = 4.0


class History:
    """Plays [start, end) of a camera into a sink; `finished` is called once when the end is reached.

    `files` are what there is (true time, in order); stretches without a file are jumped over.
    """

    def __init__(
        self,
        camera: Camera,
        files: Sequence[RecordedFile],
        start_us: int,
        end_us: int,
        sink: Sink,
        finished: Callable[[], None],
        *,
        scale: float = 1.0,
    ) -> None:
        self.position_us = start_us
        self.scale = scale
        self._camera = camera
        self._files = files
        self._start_us, self._end_us = start_us, end_us
        self._sink = sink
        self._finished = finished
        self._video = camera.video(Quality.MAIN)
        self._encoder: VideoEncoder | None = None
        self._sound = SoundLoop(camera.spec.sound) if camera.spec.sound is not None else None
        self._media_us = start_us
        self._go = asyncio.Event()
        self._go.set()
        self._key = True
        self._backwards: list[int] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def begins_us(self) -> int:
        """Where the window begins."""
        return self._start_us

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def pause(self) -> None:
        """Send nothing until `resume`."""
        self._go.clear()

    def resume(self, *, scale: float | None = None, at_seconds: float | None = None) -> None:
        """Go on, at another speed (negative: backwards) or from seconds after the start."""
        if scale is not None and scale != self.scale:
            self.scale, self._key, self._backwards = scale, True, []
        if at_seconds is not None:
            self.position_us = self._start_us + round(at_seconds * SECOND_US)
            self._key, self._backwards = True, []
        self._go.set()

    async def close(self) -> None:
        """Stop."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        frame_us = SECOND_US // self._video.fps
        due = loop.time()
        while True:
            if not self._go.is_set():
                await self._go.wait()
                due = loop.time()
            at_us = self._next(frame_us)
            if at_us is None:
                break
            # With the moment, before any waiting: a seek meanwhile asks for a key frame of its own place.
            key, self._key = self._key, False
            pause = due - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            elif pause < -1.0:
                due = loop.time()
            keys_only = abs(self.scale) > _KEYS_ONLY_ABOVE
            stride = self._video.gop_seconds if keys_only else 1 / self._video.fps
            due += stride / max(abs(self.scale), 0.1)
            media_us = self._media_us
            self._media_us += round(stride * SECOND_US)
            coded = await loop.run_in_executor(self._camera.painter, self._paint, at_us, media_us, key or keys_only)
            if coded is not None:
                self._sink(coded)
            if self._sound is not None and self.scale == 1.0:
                for piece in self._sound.until(media_us):
                    self._sink(piece)
        self._finished()

    def _next(self, frame_us: int) -> int | None:
        """The moment of the next picture, None at the end."""
        if self.scale < 0:
            return self._before(frame_us)
        at_us = self._in_a_file(self.position_us)
        if at_us is None or at_us >= self._end_us:
            return None
        keys_only = self.scale > _KEYS_ONLY_ABOVE
        self.position_us = at_us + (round(self._video.gop_seconds * SECOND_US) if keys_only else frame_us)
        return at_us

    def _before(self, frame_us: int) -> int | None:
        """Backwards: groups of pictures in reverse order, the pictures inside a group forward (annex B of 2022)."""
        if not self._backwards:
            if self.position_us <= self._start_us:
                return None
            group_us = round(self._video.gop_seconds * SECOND_US)
            first = max(self._start_us, self.position_us - group_us)
            self._backwards = list(range(first, self.position_us, frame_us))
            self.position_us, self._key = first, True
        return self._backwards.pop(0)

    def _in_a_file(self, at_us: int) -> int | None:
        for file in self._files:
            if at_us < file.end_us:
                return max(at_us, file.start_us)
        return None

    def _paint(self, at_us: int, media_us: int, key: bool) -> Coded | None:
        if self._encoder is None:
            self._encoder = VideoEncoder(self._video)
        frame = self._camera.past().render(
            at_us, self._video.width, self._video.height, shown_us=at_us + self._camera.shown_offset_us
        )
        coded = self._encoder.encode(frame, at_us, key=key)
        return None if coded is None else coded._replace(pts=pts_of(media_us))
