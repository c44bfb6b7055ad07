"""A vision slot: does what control asks of it, within what the node leaves to analysis."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from safecity.kit.errors import SafecityError
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.vision_calls import ApplyVision, AskVision, PlateTask, TaskFigure, VisionFigures
from safecity.ports.calls import Calls, Handler
from safecity.vision.budget import Need, grants
from safecity.vision.spool import Spool, deliver

if TYPE_CHECKING:  # loaded with the first task: numbers and pictures are heavy, and may not be installed
    from safecity.vision.camera import Follow, PlateCamera
    from safecity.vision.plates.recognise import PlateRecogniser

logger = logging.getLogger(__name__)
MEASURE_SECONDS = 5.0
MAX_TASKS = 256


class VisionSlot:
    """`open_recogniser` loads the networks, at the first task: a slot with nothing to do costs next to nothing."""

    def __init__(
        self, calls: Calls, spool: Spool, follow: Follow, open_recogniser: Callable[[], PlateRecogniser], *,
        cores: float, command: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._calls = calls
        self._spool = spool
        self._follow = follow
        self._open = open_recogniser
        self._cores = cores
        self._command = command
        self._recogniser: PlateRecogniser | None = None
        self._cameras: dict[str, tuple[PlateCamera, asyncio.Task[None]]] = {}
        self._figures: dict[str, TaskFigure] = {}
        self._revision = 0
        self._failed: dict[str, TaskFigure] = {}
        self._workers = ThreadPoolExecutor(max_workers=max(1, round(cores)), thread_name_prefix="look")

    def handlers(self) -> Mapping[type[Message], Handler]:
        """One for each request of `model.facts.vision_calls`."""
        return {ApplyVision: self.apply, AskVision: self.figures}

    async def apply(self, message: ApplyVision) -> Message:
        """Begin what is new, end what is gone, leave the rest alone."""
        wanted = {task.channel: task for task in message.plates[:MAX_TASKS]}
        for channel in [name for name, (camera, _) in self._cameras.items() if wanted.get(name) != camera.task]:
            await self._end(channel)
        self._failed = {channel: one for channel, one in self._failed.items() if channel in wanted}
        for channel, task in wanted.items():
            if channel not in self._cameras:
                self._begin(task)
        self._revision = message.revision
        self._share()
        return Done()

    async def figures(self, _: AskVision) -> Message:
        """How all tasks go."""
        running = {name: self._figures.get(name) or camera.measure() for name, (camera, _) in self._cameras.items()}
        found = {**self._failed, **running}
        tasks = tuple(found[name] for name in sorted(found))
        return VisionFigures(tasks, self._revision, self._spool.waiting, self._spool.lost)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(deliver(self._spool, self._calls))
                group.create_task(self._measure())
        finally:
            for channel in list(self._cameras):
                await self._end(channel)
            self._workers.shutdown(wait=False, cancel_futures=True)

    def _begin(self, task: PlateTask) -> None:
        try:
            from safecity.vision.camera import PlateCamera
            from safecity.vision.plates.watching import PlateWatch

            self._recogniser = self._recogniser or self._open()
        except (SafecityError, ImportError) as error:
            logger.error("plates cannot be read here channel=%s why=%s", task.channel, error)
            self._failed[task.channel] = TaskFigure(task.channel, "not_installed", task.fps, 0, 0, 0, 0, 0, 0, 0)
            return
        watch = PlateWatch(self._recogniser)
        camera = PlateCamera(task, watch, self._follow, self._workers, self._spool.add, self._command or None)
        running = asyncio.get_running_loop().create_task(camera.run(), name=f"plates {task.channel}")
        self._cameras[task.channel] = camera, running
        logger.info("reading plates channel=%s slot=%s fps=%s", task.channel, task.slot, task.fps)

    async def _end(self, channel: str) -> None:
        _, running = self._cameras.pop(channel)
        self._figures.pop(channel, None)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(MEASURE_SECONDS)
            for channel, (camera, running) in list(self._cameras.items()):
                self._figures[channel] = camera.measure()
                if running.done() and not running.cancelled():
                    logger.error("task ended, it is begun again channel=%s", channel, exc_info=running.exception())
                    self._cameras.pop(channel)
                    self._begin(camera.task)
            self._share()

    def _share(self) -> None:
        cameras = [camera for camera, _ in self._cameras.values()]
        needs = [
            Need(name=one.task.channel, priority=one.task.priority, fps=one.task.fps, decode=one.decode, look=one.look)
            for one in cameras
        ]
        granted = grants(needs, self._cores)
        for one in cameras:
            one.grant(round(granted[one.task.channel], 2))
