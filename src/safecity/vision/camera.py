"""One task of a slot: a stream by the unit link, a child that decodes it, and a look at what it shows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from typing import Any

from safecity.kit.errors import SafecityError
from safecity.kit.ids import fresh
from safecity.model.facts.vision_calls import NetworkUsed, PlateTask, ShownPicture, TaskFigure, VehicleRead
from safecity.model.values.media import StreamKey, Unit
from safecity.vision.live.decoder import COMMAND, LiveDecoder, Shown
from safecity.vision.plates.recognise import SURE
from safecity.vision.plates.watching import Passed, PlateWatch

logger = logging.getLogger(__name__)

Follow = Callable[[str, StreamKey, Callable[[Unit], None], Callable[[str], None]], Coroutine[Any, Any, None]]
"""(media slot, stream, unit, lost): gives the units of a stream until cancelled, and says when it has lost it."""
IDLE_SECONDS = 1.0
_MEMORY = 0.8  # of the costs measured before, at each new measure


class PlateCamera:
    """Reads plates before one camera for as long as `run` runs. `tell` gets every vehicle that passed."""

    def __init__(
        self, task: PlateTask, watch: PlateWatch, follow: Follow, workers: Executor,
        tell: Callable[[VehicleRead], None], command: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.task = task
        self.decode = 0.05
        """Share of a core for decoding, as measured; a guess at first."""
        self.look = 0.03
        """Seconds of a core for one picture, as measured; a guess at first."""
        self.granted = task.fps
        self.vehicles = 0
        self._watch = watch
        self._follow = follow
        self._workers = workers
        self._tell = tell
        self._decoder = LiveDecoder(task.channel, task.fps, command or COMMAND)
        self._stream = ""
        self._looked = 0
        self._mark = (time.monotonic(), 0.0, 0, 0, 0)
        self._fps = 0.0

    def grant(self, fps: float) -> None:
        """So many pictures a second from now on; 0 where the budget has nothing left: key frames."""
        self.granted = fps
        self._decoder.rate(fps)

    async def run(self) -> None:
        """Until cancelled; whatever is in sight then is told."""
        key = StreamKey(self.task.channel, self.task.quality)
        link = self._follow(self.task.slot, key, self._decoder.offer, self._lost)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link)
                group.create_task(self._decoder.run())
                group.create_task(self._look())
        finally:
            self._report(self._watch.end())

    def _lost(self, reason: str) -> None:
        self._stream = reason

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    shown = await self._decoder.picture()
            except TimeoutError:
                self._report(self._watch.idle(self._decoder.figures.at))
                continue
            self._stream = ""
            try:
                passed, spent = await loop.run_in_executor(self._workers, self._work, shown)
            except SafecityError as error:  # a picture that is none: the next one may be
                logger.warning("picture not looked at channel=%s code=%s why=%s", self.task.channel, error.code, error)
                continue
            self._looked += 1
            self.look = _MEMORY * self.look + (1 - _MEMORY) * spent
            self._report(passed)

    def _work(self, shown: Shown) -> tuple[list[Passed], float]:
        """In a worker; one at a time for each camera."""
        before = time.thread_time()
        passed = self._watch.look(shown.at, shown.picture)
        return passed, time.thread_time() - before

    def _report(self, passed: list[Passed]) -> None:
        for one in passed:
            self.vehicles += 1
            try:
                self._tell(vehicle(self.task, one, self._watch))
            except SafecityError as error:
                logger.error("reading not kept channel=%s code=%s why=%s", self.task.channel, error.code, error)

    def measure(self) -> TaskFigure:
        """How it goes since the last measure."""
        figures, now = self._decoder.figures, time.monotonic()
        at, cpu, looked, decoded, still = self._mark
        passed = max(now - at, 1e-3)
        self._mark = (now, figures.cpu_seconds, self._looked, figures.decoded, figures.still)
        spent = max(figures.cpu_seconds - cpu, 0.0) / passed
        if figures.decoded > decoded:
            self.decode = _MEMORY * self.decode + (1 - _MEMORY) * spent
        self._fps = (self._looked - looked + figures.still - still) / passed
        due = max(self._looked - looked + figures.still - still, 1)
        state = "no_stream" if self._stream and figures.decoded == decoded else figures.state
        return TaskFigure(
            channel=self.task.channel, state=state, wanted_fps=self.task.fps, granted_fps=round(self.granted, 2),
            fps=round(self._fps, 2), decode_ms=round(1000 * self.decode, 1), look_ms=round(1000 * self.look, 1),
            still=round((figures.still - still) / due, 3), vehicles=self.vehicles, crashes=figures.crashes,
        )  # fmt: skip


def vehicle(task: PlateTask, passed: Passed, watch: PlateWatch) -> VehicleRead:
    """A vehicle that passed, as control is told of it."""
    seen, best = passed.seen, passed.seen.best.read
    width, height = max(passed.size[0], 1), max(passed.size[1], 1)
    return VehicleRead(
        id=fresh("si"),
        channel=task.channel,
        tollgate=task.tollgate,
        lane=task.lane,
        at=passed.at,
        plate=seen.text,
        confidence=min(max(float(seen.confidence), 0.0), 1.0),
        doubtful=seen.doubtful,
        threshold=SURE,
        signs=tuple(round(float(one.confidence), 4) for one in best.signs),
        others=best.others,
        country=best.kind.country if best.kind is not None else "",
        plate_colour=(best.kind.colour or "") if best.kind is not None else "",
        plate_kind=str(best.kind) if best.kind is not None else "",
        corners=tuple((round(float(x) / width, 5), round(float(y) / height, 5)) for x, y in best.corners),
        sights=seen.sights,
        first=passed.first,
        last=passed.last,
        networks=tuple(NetworkUsed(one.name, one.digest) for one in watch.recogniser.networks),
        pictures=tuple(
            ShownPicture(kind, data) for kind, data in (("14", passed.scene), ("02", passed.plate)) if data
        ),
    )  # fmt: skip
