"""One task of a slot: a stream by the unit link, a child that decodes it, and a look at what it shows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import cv2

from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.kit.ids import fresh
from safecity.model.facts.vision_calls import (
    MomentShown,
    NetworkUsed,
    OffenceSeen,
    PlateTask,
    ShownPicture,
    SpeedEstimated,
    TaskFigure,
    VehicleRead,
)
from safecity.model.values.media import VIDEO, StreamKey, Unit
from safecity.ports.inference import NetworkInfo
from safecity.vision.enforcement.speed import Speed
from safecity.vision.enforcement.watching import Caught
from safecity.vision.live.decoder import COMMAND, LiveDecoder, Shown
from safecity.vision.plates.recognise import SURE
from safecity.vision.plates.watching import MAX_PLATE_BYTES, Passed, PassedUnread, PlateWatch, jpeg
from safecity.vision.vehicles.colour import Doubt

logger = logging.getLogger(__name__)

Follow = Callable[[str, StreamKey, Callable[[Unit], None], Callable[[str], None]], Coroutine[Any, Any, None]]
"""(media slot, stream, unit, lost): gives the units of a stream until cancelled, and says when it has lost it."""
MOST_BYTES = 1_000_000
"""Pictures of one message; a call takes 1 MiB."""
IDLE_SECONDS = 1.0
LOST_SECONDS = 5.0
"""Without a unit of the stream for so long it is lost, whether its link says so or not."""
_MEMORY = 0.8  # of the costs measured before, at each new measure


class PlateCamera:
    """Reads plates before one camera for as long as `run` runs. `tell` gets every vehicle that passed, `died` the
    status of every decoder that died."""

    def __init__(
        self, task: PlateTask, watch: PlateWatch, follow: Follow, workers: Executor,
        tell: Callable[[VehicleRead | OffenceSeen], None], died: Callable[[str], None], clock: Clock,
        command: Sequence[str] | None = None, *, clock_error_ms: int,
    ) -> None:  # fmt: skip
        self.task = task
        self.decode = 0.05
        """Share of a core for decoding all of the stream, as measured; a guess at first."""
        self.look = 0.03
        """Seconds of a core for one picture, as measured; a guess at first."""
        self.granted = task.fps
        self.vehicles = 0
        self._watch = watch
        self._follow = follow
        self._workers = workers
        self._tell = tell
        self._decoder = LiveDecoder(task.channel, task.fps, command or COMMAND, died)
        self._under_way: asyncio.Future[list[Passed]] | None = None
        self._lost_why = ""
        self._clock = clock
        self._heard = clock.monotonic()
        self._stumbled = False
        self._clock_error_ms = clock_error_ms
        self._looked = 0
        self._mark = (self._heard, 0.0, 0, 0, 0)
        self._all_decoded = task.fps > 0
        self._fps = 0.0

    def grant(self, fps: float) -> None:
        """So many pictures a second from now on; 0 where the budget has nothing left: key frames."""
        self.granted = fps
        self._all_decoded = self._all_decoded and fps > 0
        self._decoder.rate(fps)

    def keep(self, pictures: int, frames: int) -> None:
        """So much memory from now on, see `PlateWatch.keep`."""
        self._watch.keep(pictures, frames)

    async def run(self) -> None:
        """Until cancelled; the look that is under way is waited for, and whatever is in sight then is told."""
        key = StreamKey(self.task.channel, self.task.quality)
        link = self._follow(self.task.slot, key, self._offer, self._lost)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link)
                group.create_task(self._decoder.run())
                group.create_task(self._look())
        finally:
            if self._under_way is not None:
                for passed in await asyncio.gather(self._under_way, return_exceptions=True):
                    self._report(passed if isinstance(passed, list) else [])
            self._report(await self._in_worker(self._watch.end))

    def _offer(self, unit: Unit) -> None:
        if unit.track == VIDEO:
            self._heard, self._lost_why = self._clock.monotonic(), ""
        self._decoder.offer(unit)

    def _lost(self, reason: str) -> None:
        self._lost_why = reason

    async def _look(self) -> None:
        while True:
            work = partial(self._watch.idle, self._decoder.figures.at)
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    work = partial(self._work, await self._decoder.picture())
            except TimeoutError:
                # Who was in sight when the stream broke off is not waited for: hours later it would be told, or taken
                # for whoever stands there then.
                if self._clock.monotonic() - self._heard > LOST_SECONDS:
                    work = self._watch.end
            self._report(await self._in_worker(work))

    async def _in_worker(self, work: Callable[[], list[Passed]]) -> list[Passed]:
        """One at a time for each camera. Who is cancelled meanwhile finds what comes of it in `_under_way`."""
        self._under_way = asyncio.wrap_future(self._workers.submit(work))
        passed = await asyncio.shield(self._under_way)
        self._under_way = None
        return passed

    def _work(self, shown: Shown) -> list[Passed]:
        """In a worker."""
        before = time.thread_time()
        try:
            passed = self._watch.look(shown.at, shown.picture)
        except (SafecityError, ValueError, ArithmeticError, cv2.error) as error:
            # A picture that no network was taught and no geometry foresaw; the next one may be another.
            if not self._stumbled:
                logger.warning("picture not looked at channel=%s why=%r", self.task.channel, error)
            self._stumbled = True
            return []
        self._stumbled = False
        self._looked += 1
        self.look = _MEMORY * self.look + (1 - _MEMORY) * (time.thread_time() - before)
        return passed

    def _report(self, passed: list[Passed]) -> None:
        for caught in self._watch.caught():
            try:
                self._tell(offence(self.task, caught, self._clock_error_ms, self._watch))
            except SafecityError as error:
                logger.error("offence not kept channel=%s code=%s why=%s", self.task.channel, error.code, error)
        told = [vehicle(self.task, one, self._watch) for one in passed]
        told += [without_plate(self.task, one) for one in self._watch.unread()]
        for reading in told:
            self.vehicles += 1
            try:
                self._tell(reading)
            except SafecityError as error:
                logger.error("reading not kept channel=%s code=%s why=%s", self.task.channel, error.code, error)

    def measure(self) -> TaskFigure:
        """How it goes since the last measure."""
        figures, now = self._decoder.figures, self._clock.monotonic()
        at, cpu, looked, decoded, still = self._mark
        passed = max(now - at, 1e-3)
        self._mark = (now, figures.cpu_seconds, self._looked, figures.decoded, figures.still)
        spent = max(figures.cpu_seconds - cpu, 0.0) / passed
        # What key frames alone cost says nothing of the rest: taken for it, all would be granted again at once.
        if figures.decoded > decoded and self._all_decoded:
            self.decode = _MEMORY * self.decode + (1 - _MEMORY) * spent
        self._all_decoded = self.granted > 0
        self._fps = (self._looked - looked + figures.still - still) / passed
        due = max(self._looked - looked + figures.still - still, 1)
        return TaskFigure(
            channel=self.task.channel, state=self._state(now, idle=figures.decoded == decoded),
            wanted_fps=self.task.fps, granted_fps=round(self.granted, 2), fps=round(self._fps, 2),
            decode_ms=round(1000 * self.decode, 1), look_ms=round(1000 * self.look, 1),
            still=round((figures.still - still) / due, 3), vehicles=self.vehicles, crashes=figures.crashes,
            no_vehicle=self._watch.left_out, unpictured=self._watch.unpictured,
            not_read=self._watch.not_read,
        )  # fmt: skip

    def _state(self, now: float, *, idle: bool) -> str:
        state = self._decoder.figures.state
        nothing_comes = now - self._heard > LOST_SECONDS or (idle and bool(self._lost_why))
        return "no_stream" if nothing_comes and state != "not_installed" else state


def vehicle(task: PlateTask, passed: Passed, watch: PlateWatch) -> VehicleRead:
    """A vehicle that passed, as control is told of it."""
    seen, best = passed.seen, passed.seen.best.read
    width, height = max(passed.size[0], 1), max(passed.size[1], 1)
    return VehicleRead(
        id=fresh("si"),
        channel=task.channel,
        tollgate=task.tollgate,
        lane=passed.lane if task.zones else task.lane,
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
        networks=tuple(NetworkUsed(one.name, one.digest) for one in _networks(watch, passed)),
        pictures=_pictures(passed),
        **_kind_of(watch, passed),
        **_proposal(passed),
        **_body(passed),
        speed=_speed(passed.speed),
    )  # fmt: skip


def without_plate(task: PlateTask, passed: PassedUnread) -> VehicleRead:
    """A vehicle that nobody could read, as control is told of it."""
    shown = (("14", passed.scene), ("09", passed.close))
    return VehicleRead(
        id=fresh("si"), channel=task.channel, tollgate=task.tollgate, lane=passed.lane, at=passed.at, plate="",
        confidence=0.0, doubtful=False, threshold=SURE, signs=(), others=(), country="", plate_colour="", plate_kind="",
        corners=(), sights=passed.looks, first=passed.first, last=passed.last, networks=(),
        pictures=tuple(ShownPicture(kind, data) for kind, data in shown if data),
        body=_rounded(passed.body.box), body_from=passed.body.found_by, colour_doubt=str(Doubt.HIDDEN),
    )  # fmt: skip


def _pictures(passed: Passed) -> tuple[ShownPicture, ...]:
    """The scene and the plate, and what else there is room for."""
    told, room = list[ShownPicture](), MOST_BYTES
    kinds = (("14", passed.scene), ("02", passed.plate), ("09", passed.close), ("restored", _beside(passed)))
    for kind, data in kinds:
        if data and len(data) <= room:
            told.append(ShownPicture(kind, data))
            room -= len(data)
    return tuple(told)


def _body(passed: Passed) -> dict[str, Any]:
    """All of the vehicle, and the colour of its body."""
    found: dict[str, Any] = {}
    if passed.body is not None:
        found |= {"body": _rounded(passed.body.box), "body_from": passed.body.found_by}
    if passed.colour is not None:
        one = passed.colour
        found |= {"colour": one.colour, "colour_confidence": one.sure, "colour_doubt": str(one.doubt)}
    return found


def _speed(one: Speed | None) -> SpeedEstimated | None:
    return None if one is None else SpeedEstimated(one.kmh, one.uncertainty_kmh, one.looks, one.metres)


def _networks(watch: PlateWatch, passed: Passed) -> list[NetworkInfo]:
    """Those that had a part in it."""
    found = _readers(watch, second=passed.seen.second)
    if watch.detector is not None and passed.vehicle is not None:
        found.append(watch.detector.info)
    return found


def _readers(watch: PlateWatch, *, second: bool) -> list[NetworkInfo]:
    """Those of a plate. `second`: the second reader had a say."""
    named = watch.recogniser.second_named if second else None
    return [*watch.recogniser.networks, *([] if named is None else [named])]


def _beside(passed: Passed) -> bytes:
    return b"" if passed.restored is None else jpeg(passed.restored.beside, MAX_PLATE_BYTES)


def _proposal(passed: Passed) -> dict[str, Any]:
    """What a doubtful plate could be without its blur."""
    one = passed.restored
    if one is None:
        return {}
    return {
        "restored": one.text,
        "restored_confidence": round(one.confidence, 4),
        "restored_blur": round(one.blur, 4),
        "restored_angle": one.angle,
    }


def _kind_of(watch: PlateWatch, passed: Passed) -> dict[str, Any]:
    """What the user's own detector says of it."""
    seen, detector = passed.vehicle, watch.detector
    if seen is None or detector is None:
        return {}
    sides = max(passed.size[0], 1), max(passed.size[1], 1)
    return {
        "vehicle_label": seen.label,
        "vehicle_class": detector.vehicle_class(seen),
        "vehicle_score": round(seen.score, 4),
        "vehicle_box": tuple(round(at / side, 5) for at, side in zip(seen.box, sides * 2, strict=True)),
    }


def offence(task: PlateTask, caught: Caught, clock_error_ms: int, watch: PlateWatch) -> OffenceSeen:
    """A candidate, as control is told of it."""
    of = caught.offence
    readers = _readers(watch, second=caught.second)
    shown = [MomentShown("14", sight.at, data, _rounded(sight.box), of.light) for sight, data in caught.shown]
    if caught.crop and sum(len(one.data) for one in shown) + len(caught.crop) <= MOST_BYTES:
        shown.append(MomentShown("02", caught.crop_at, caught.crop))
    return OffenceSeen(
        id=fresh("si"), channel=task.channel, tollgate=task.tollgate, lane=of.lane, kind=of.kind, at=of.at,
        plate=caught.plate, confidence=min(max(caught.confidence, 0.0), 1.0), plate_colour=caught.plate_colour,
        words=of.words, light=of.light, light_source=of.light_source, signal=of.signal,
        clock_error_ms=clock_error_ms, pictures=tuple(shown),
        networks=tuple(NetworkUsed(one.name, one.digest) for one in readers), threshold=SURE,
        speed=_speed(caught.speed),
    )  # fmt: skip


def _rounded(box: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(edge, 5) for edge in box)
