"""A checkpoint camera: sees vehicles drive towards it, reads their plates as well as such cameras do, and reports."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.clock import Clock, SystemClock
from safecity.kit.errors import InvalidError, RefusedError, UnavailableError
from safecity.protocols.gat1400.codes import basic_id, semantic_id
from safecity.protocols.gat1400.envelope import write_list
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.times import local_text
from safecity.protocols.gat1400.vehicles import Vehicle, write_vehicle
from safecity.sim.gat1400.client import Login, ViidClient
from safecity.sim.scene import sprites
from safecity.sim.scene.street import LANES, Street, TruthObject

logger = logging.getLogger(__name__)

WIDTH, HEIGHT = 960, 540
LINE: Final = 0.82
"""Part of the picture's height at which a vehicle's lower edge is taken."""
LOOK_SECONDS = 0.25
MAX_KEPT: Final = 500
"""Passages kept while the platform is away; then the oldest go."""
AT_ONCE: Final = 20
_KINDS = {sprites.CAR: "K33", sprites.VAN: "K31", sprites.BUS: "K11"}
_MISTAKEN = {"0": "D", "D": "0", "8": "B", "B": "8", "5": "S", "S": "5", "2": "Z", "Z": "2", "1": "L", "L": "1"}


@dataclass(frozen=True, slots=True)
class Passed:
    """A vehicle on the line: what it really is, and how it was read."""

    key: str
    at_us: int
    lane: int
    plate: str
    read: str
    confidence: float
    kind: str
    box: tuple[int, int, int, int]
    plate_box: tuple[int, int, int, int] | None


def read_plate(plate: str, dice: Random) -> tuple[str, float]:
    """How such a camera reads: mostly right, now and then one character wrong or missing, seldom nothing."""
    luck = dice.random()
    if luck < 0.90:
        return plate, round(dice.uniform(0.85, 0.99), 2)
    place = dice.randrange(1, len(plate))
    if luck < 0.95:
        letter = _MISTAKEN.get(plate[place], plate[place])
        return plate[:place] + letter + plate[place + 1 :], round(dice.uniform(0.4, 0.8), 2)
    if luck < 0.98:
        return f"{plate[:place]}?{plate[place + 1 :]}", round(dice.uniform(0.3, 0.6), 2)
    return "", 0.0


class Watcher:
    """Finds vehicles on the line; a pure function of street and time, so a test knows what must come."""

    def __init__(self, street: Street, seed: int) -> None:
        self._street = street
        self._seed = seed
        self._behind: dict[str, int] = {}

    def look(self, at_us: int) -> Iterator[Passed]:
        """Those that crossed since the last look."""
        truth = self._street.truth(at_us, WIDTH, HEIGHT)
        seen: dict[str, int] = {}
        for one in truth.objects:
            if one.kind not in _KINDS or not one.plate:
                continue
            lane = int(one.id.partition("-")[0])
            if not LANES[lane].towards:  # such a camera is mounted to see fronts
                continue
            bottom = one.box[1] + one.box[3]
            seen[one.id] = bottom
            before = self._behind.get(one.id)
            if before is not None and before < LINE * HEIGHT <= bottom:
                yield self._passed(one, at_us, lane)
        self._behind = seen

    def _passed(self, one: TruthObject, at_us: int, lane: int) -> Passed:
        read, confidence = read_plate(one.plate, Random(f"{self._seed} {one.id}"))
        return Passed(one.id, at_us, lane + 1, one.plate, read, confidence, one.kind, one.box, one.plate_box)


class TollgateCamera:
    """Registers until it is let in, keeps alive, and reports each passage until somebody has it."""

    def __init__(
        self, login: Login, tollgate: str, *, seed: int, title: str, painter: Executor, clock: Clock | None = None,
        keepalive_seconds: float = 30.0, retry_seconds: float = 2.0,
    ) -> None:  # fmt: skip
        self.client = ViidClient(login)
        self.tollgate = tollgate
        # One looks in the loop, one paints in the thread: a street is not for both at once.
        self._watcher = Watcher(Street(seed=seed, channel=seed % 256), seed)
        self._painted = Street(seed=seed, channel=seed % 256, title=title)
        self._painter = painter
        self._clock = clock or SystemClock()
        self._keepalive = keepalive_seconds
        self._retry = retry_seconds
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self._serial = 0
        self._task: asyncio.Task[None] | None = None
        self.registered = False
        self.reported = 0

    async def start(self) -> None:
        """Play until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self._play())

    async def stop(self) -> None:
        """Sign off and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.registered:
            try:
                await self.client.register("UnRegister")
            except (UnavailableError, RefusedError):
                logger.info("checkpoint camera left without a word code=%s", self.client.login.code)
        await self.client.close()

    async def _play(self) -> None:
        heard = float("-inf")
        tried = float("-inf")
        while True:
            await self.look()
            now = self._clock.monotonic()
            try:
                if not self.registered and now - tried >= self._retry:
                    tried = now
                    await self.client.register()
                    self.registered, heard = True, now
                if self.registered and now - heard >= self._keepalive:
                    self.registered, heard = await self.client.keepalive(), now
                await self.report()
            except (UnavailableError, RefusedError, InvalidError) as error:
                if self.registered:
                    logger.info("checkpoint camera is not heard code=%s why=%s", self.client.login.code, error)
                self.registered = False
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """See what crossed the line now; how many."""
        loop = asyncio.get_running_loop()
        at_us = self._clock.now_us()
        passed = list(self._watcher.look(at_us))
        for one in passed:
            self._waiting.append(await loop.run_in_executor(self._painter, self._describe, one))
        return len(passed)

    async def report(self) -> None:
        """Send what waits; what is not acknowledged stays."""
        while self.registered and self._waiting:
            part = [self._waiting[index] for index in range(min(AT_ONCE, len(self._waiting)))]
            await self.client.send("MotorVehicles", write_list(BY_NAME["MotorVehicle"], part))
            for _ in part:
                self._waiting.popleft()
            self.reported += len(part)

    def _describe(self, one: Passed) -> dict[str, Any]:
        """In the painter's thread: two pictures, and the object around them."""
        self._serial += 1
        code = self.client.login.code
        painted = self._painted.render(one.at_us, WIDTH, HEIGHT).rgb()
        bgr: NDArray[np.uint8] = np.asarray(cv2.cvtColor(painted, cv2.COLOR_RGB2BGR), np.uint8)
        image = basic_id(code, "image", one.at_us, self._serial)
        pictures = [_entry(image, "14", bgr, one.at_us, code)]
        if one.plate_box is not None:
            left, top, width, height = one.plate_box
            close = bgr[max(0, top) : top + height, max(0, left) : left + width]
            if close.size:
                pictures.append(_entry(image, "02", close, one.at_us, code))
        dice = Random(one.key)
        vehicle = Vehicle(
            id=semantic_id(code, "motor_vehicle", one.at_us, self._serial), device=code, tollgate=self.tollgate,
            lane=one.lane, at=one.at_us, plate=one.read, plate_colour="green" if len(one.plate) == 8 else "blue",
            plate_class="52" if len(one.plate) == 8 else "02", confidence=one.confidence if one.read else None,
            speed_kmh=round(dice.uniform(28, 66), 1), direction="north_south", vehicle_class=_KINDS[one.kind],
            colour=_colour(bgr, one.box), brand="",
        )  # fmt: skip
        left, top, width, height = one.box
        return write_vehicle(
            vehicle, source=image, box=(left, top, left + width, top + height),
            SubImageList={"SubImageInfoObject": pictures},
        )  # fmt: skip


def _entry(image: str, kind: str, bgr: Any, at_us: int, code: str) -> dict[str, Any]:
    _, coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return {
        "ImageID": image, "EventSort": 4, "DeviceID": code, "StoragePath": "", "Type": kind, "FileFormat": "Jpeg",
        "ShotTime": local_text(at_us), "Width": int(bgr.shape[1]), "Height": int(bgr.shape[0]),
        "Data": base64.b64encode(coded.tobytes()).decode(),
    }  # fmt: skip


def _colour(bgr: Any, box: tuple[int, int, int, int]) -> str:
    """By the paint at the bonnet, as the nearest of the paints there are."""
    left, top, width, height = box
    y, x = min(HEIGHT - 1, max(0, top + height // 2)), min(WIDTH - 1, max(0, left + width // 8))
    blue, green, red = (int(part) for part in bgr[y, x])

    def distance(paint: tuple[int, int, int]) -> float:
        return sum((a - b) ** 2 for a, b in zip(paint, (blue, green, red), strict=True))

    return sprites.PAINT_NAMES[min(sprites.PAINTS, key=distance)]
