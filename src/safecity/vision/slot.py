"""A vision slot: does what control asks of it, within what the node leaves to analysis."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.control_calls import Publish
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.vision_calls import (
    ApplyVision,
    AskVision,
    LightsSaid,
    PlateTask,
    SearchMovement,
    TaskFigure,
    VisionFigures,
)
from safecity.model.values.media import Quality
from safecity.ports.calls import Calls, Handler
from safecity.vision.budget import Need, grants
from safecity.vision.enforcement.lights import Lights
from safecity.vision.enforcement.scene import Scene, read_scene
from safecity.vision.spool import Spool, deliver

if TYPE_CHECKING:  # loaded with the first task: numbers and pictures are heavy, and may not be installed
    from safecity.vision.camera import Follow, PlateCamera
    from safecity.vision.movement.search import MovementSearch
    from safecity.vision.objects.detector import Detector
    from safecity.vision.plates.recognise import PlateRecogniser

logger = logging.getLogger(__name__)
OpenSearch = Callable[[Callable[[str, Quality, str], None]], "MovementSearch"]
MEASURE_SECONDS = 5.0
MAX_TASKS = 256
KEPT_BYTES = 1 << 30
"""Pictures of vehicles in sight, of all cameras together; each has the same share of it."""
FRAMES_BYTES = 1 << 30
"""Likewise those by which offences are proven, of the cameras that look for some."""


class VisionSlot:
    """`open_recogniser` loads the networks, at the first task: a slot with nothing to do costs next to nothing.
    `open_detector` that of the user, where there is one, `open_search` what a search of recordings needs; it is given
    who is to be told of decoders that died."""

    def __init__(
        self, address: str, calls: Calls, spool: Spool, follow: Follow, open_recogniser: Callable[[], PlateRecogniser],
        *, cores: float, clock: Clock, command: Sequence[str] = (),
        open_detector: Callable[[], Detector | None] = lambda: None, open_search: OpenSearch | None = None,
    ) -> None:  # fmt: skip
        self._address = address
        self._clock = clock
        self._calls = calls
        self._spool = spool
        self._follow = follow
        self._open = open_recogniser
        self._open_detector = open_detector
        self._detector: Detector | None = None
        self._cores = cores
        self._command = command
        self._open_search = open_search
        self._search: tuple[MovementSearch, asyncio.Task[None]] | None = None
        self._recogniser: PlateRecogniser | None = None
        self._cameras: dict[str, tuple[PlateCamera, asyncio.Task[None]]] = {}
        self._figures: dict[str, TaskFigure] = {}
        self._lights = Lights()
        self._revision = 0
        self._idle: dict[str, TaskFigure] = {}
        """Tasks that are not worked on, and why."""
        self._ending: set[asyncio.Task[None]] = set()
        self._applying = asyncio.Lock()
        self._workers = ThreadPoolExecutor(max_workers=max(1, round(cores)), thread_name_prefix="look")

    def handlers(self) -> Mapping[type[Message], Handler]:
        """One for each request of `model.facts.vision_calls`."""
        return {ApplyVision: self.apply, AskVision: self.figures, LightsSaid: self.lights, SearchMovement: self.search}

    async def lights(self, message: LightsSaid) -> Message:
        """What a controller said of its signals."""
        for change in message.changes:
            self._lights.say(change.signal, change.at, change.colour)
        return Done()

    async def apply(self, message: ApplyVision) -> Message:
        """Begin what is new, end what is gone, leave the rest alone. Who ends finishes the look that is under way."""
        async with self._applying:
            ordered = sorted(message.plates, key=lambda task: (task.priority, task.channel))
            wanted = {task.channel: task for task in ordered[:MAX_TASKS]}
            gone = [name for name, (camera, _) in self._cameras.items() if wanted.get(name) != camera.task]
            await self._end(gone)
            left_out = [task for task in ordered[MAX_TASKS:] if task.channel not in wanted]
            self._idle = {task.channel: _idle(task, "left_out") for task in left_out}
            if left_out:
                logger.error(
                    "more cameras than one slot looks at, the least important are left out n=%d", len(left_out)
                )
            for channel, task in wanted.items():
                if channel not in self._cameras:
                    self._begin(task)
            self._revision = message.revision
            self._share()
        return Done()

    async def figures(self, _: AskVision) -> Message:
        """How all tasks go."""
        running = {name: self._figures.get(name) or camera.measure() for name, (camera, _) in self._cameras.items()}
        found = {**self._idle, **running}
        tasks = tuple(found[name] for name in sorted(found))
        return VisionFigures(tasks, self._revision, self._spool.waiting, self._spool.lost, self._second_reader())

    def _second_reader(self) -> str:
        if self._recogniser is None:
            return ""
        return "absent" if self._recogniser.second is None else "used"

    async def search(self, message: SearchMovement) -> Message:
        """A page of a search in recordings; UnavailableError `vision_not_installed` without what it needs."""
        return await self.searching().answer(message)

    def searching(self) -> MovementSearch:
        """The search of this slot, from now on: it lets heat maps that were kept go with their footage."""
        if self._search is None:
            try:
                if self._open_search is None:
                    raise ImportError("no search")
                found = self._open_search(self._tell_died)
            except ImportError as error:
                logger.error("recordings cannot be searched here why=%s", error)
                raise UnavailableError("analysis is not installed", code="vision_not_installed") from error
            self._search = found, asyncio.get_running_loop().create_task(found.run(), name="heat maps")
        return self._search[0]

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(deliver(self._spool, self._calls))
                group.create_task(self._measure())
        finally:
            if self._search is not None:
                self._search[1].cancel()
            await self._end(list(self._cameras))
            self._workers.shutdown(wait=False, cancel_futures=True)

    def _begin(self, task: PlateTask) -> None:
        try:
            from safecity.vision.camera import PlateCamera
            from safecity.vision.enforcement.watching import SceneWatch
            from safecity.vision.plates.watching import PlateWatch, jpeg

            if self._recogniser is None:
                self._recogniser = self._open()
                self._detector = self._own_detector()
        except (SafecityError, ImportError) as error:
            logger.error("plates cannot be read here channel=%s why=%s", task.channel, error)
            self._idle[task.channel] = _idle(task, "not_installed")
            return
        scene = _scene(task)
        judge = SceneWatch(scene, self._lights, partial(jpeg, qualities=(75, 55, 35))) if scene is not None else None
        watch = PlateWatch(self._recogniser, self._detector, judge, task.zones)
        camera = PlateCamera(
            task, watch, self._follow, self._workers, self._spool.add, partial(self._died, task), self._clock,
            self._command or None,
            clock_error_ms=scene.clock_error_ms if scene is not None else 0,
        )  # fmt: skip
        running = asyncio.get_running_loop().create_task(camera.run(), name=f"plates {task.channel}")
        self._cameras[task.channel] = camera, running
        logger.info("reading plates channel=%s slot=%s fps=%s", task.channel, task.slot, task.fps)

    def _own_detector(self) -> Detector | None:
        """Without it, or where it cannot be loaded, plates are read all the same."""
        try:
            detector = self._open_detector()
        except SafecityError as error:
            logger.error("own detector left out code=%s why=%s", error.code, error)
            return None
        if detector is not None:
            logger.info("own detector model=%s digest=%s", detector.info.name, detector.info.digest)
        return detector

    async def _end(self, channels: Sequence[str]) -> None:
        """Wait for those and whoever is still ending. Who is cancelled meanwhile leaves them to end by themselves."""
        for channel in channels:
            _, running = self._cameras.pop(channel)
            self._figures.pop(channel, None)
            self._ending.add(running)
            running.add_done_callback(self._ended)
            running.cancel()
        if self._ending:
            await asyncio.wait(self._ending)

    def _ended(self, running: asyncio.Task[None]) -> None:
        self._ending.discard(running)
        if not running.cancelled() and (why := running.exception()) is not None:
            logger.error("task ended badly task=%s", running.get_name(), exc_info=why)

    def _died(self, task: PlateTask, status: str) -> None:
        self._tell_died(task.channel, task.quality, status)

    def _tell_died(self, channel: str, quality: Quality, status: str) -> None:
        event = decoder_died(f"/{self._address}", channel, quality, status, self._clock.now_us())
        try:
            self._spool.add(Publish((event,)))
        except SafecityError as error:
            logger.error("event not kept channel=%s code=%s why=%s", channel, error.code, error)

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
        judging = sum(bool(one.task.scene) for one in cameras)
        for one in cameras:
            one.grant(round(granted[one.task.channel], 2))
            one.keep(KEPT_BYTES // len(cameras), FRAMES_BYTES // max(judging, 1))


def _scene(task: PlateTask) -> Scene | None:
    """What is drawn on its picture. Of a scene that a newer control drew, and that is not understood here, nothing is
    judged; plates are read all the same."""
    try:
        return read_scene(json.loads(task.scene)) if task.scene else None
    except (SafecityError, ValueError) as error:
        logger.error("scene not understood channel=%s why=%s", task.channel, error)
        return None


def _idle(task: PlateTask, state: str) -> TaskFigure:
    return TaskFigure(task.channel, state, task.fps, 0, 0, 0, 0, 0, 0, 0)


def decoder_died(origin: str, channel: str, quality: Quality, status: str, now: int) -> Event:
    """`decoder.died`; `status` is that of the process, `-N` for signal N."""
    body = {"quality": str(quality), "status": status}
    return Event(kind="decoder.died", subject=channel, at=now, seen=now, origin=origin, body=body)
