"""A lower library: registers at the platform, listens for what that wants, and tells what its checkpoints saw.

What it was asked lies in `Memory`, which outlives the process that it plays: a library that is started anew with
another memory has forgotten everything, as some products do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from safecity.kit.clock import Clock, SystemClock
from safecity.kit.errors import InvalidError, RefusedError, UnavailableError
from safecity.protocols.gat1400.codes import public_id, semantic_id
from safecity.protocols.gat1400.dispositions import Disposition, read_disposition, write_hit
from safecity.protocols.gat1400.envelope import write_list
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.subscriptions import Subscription, read_subscription, write_notification
from safecity.protocols.gat1400.vehicles import Vehicle, write_vehicle
from safecity.sim.gat1400.client import Login, ViidClient
from safecity.sim.gat1400.door import LowerDoor

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 0.1
PLATES: Final = ("皖A12B45", "皖B2C3D4", "皖AD12345")
NOBODY: Final = "0" * 20


@dataclass(slots=True)
class Memory:
    """What the library above asked for, and what it is still to be told: path and body, by number."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict[str, Subscription])
    dispositions: dict[str, Disposition] = field(default_factory=dict[str, Disposition])
    waiting: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict[str, tuple[str, dict[str, Any]]])
    told: list[str] = field(default_factory=list[str])
    """Numbers of notifications that were taken."""
    refused: list[str] = field(default_factory=list[str])
    """Numbers of those that were not."""


class LowerLibrary:
    """Registers until it is let in, keeps alive, and tells each thing until somebody has it."""

    def __init__(
        self, login: Login, *, memory: Memory | None = None, username: str = "", password: str = "",
        clock: Clock | None = None, keepalive_seconds: float = 30.0, retry_seconds: float = 0.5, port: int = 0,
    ) -> None:  # fmt: skip
        """`username`, `password`: what it asks the library above for."""
        self.memory = memory or Memory()
        self._clock = clock or SystemClock()
        self.code = login.code
        self.client = ViidClient(login)
        self.door = LowerDoor(self._clock, self._asked, username=username, password=password)
        self.door.port = port
        self._keepalive = keepalive_seconds
        self._retry = retry_seconds
        self._serial = 0
        self._task: asyncio.Task[None] | None = None
        self.registered = False

    async def start(self) -> None:
        """Listen, and play until `stop`."""
        await self.door.open()
        self._task = asyncio.get_running_loop().create_task(self._play())

    async def stop(self) -> None:
        """Gone without a word, as by a power cut; `start` again and it is back."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.registered = False
        await self.client.close()
        await self.door.close()

    def forget(self) -> None:
        """All that was asked of it, as some do when they are started anew."""
        self.memory.subscriptions.clear()
        self.memory.dispositions.clear()

    def passes(self, plate: str, *, tollgate: str, camera: str = NOBODY, lane: int = 1) -> str:
        """A vehicle drives by: whoever subscribed is told, and whoever watches for it. Its identifier."""
        self._serial += 1
        now = self._clock.now_us()
        seen = Vehicle(
            id=semantic_id(camera, "motor_vehicle", now, self._serial), device=camera, tollgate=tollgate, lane=lane,
            at=now, plate=plate, plate_colour="blue", plate_class="02", confidence=0.97, speed_kmh=42.0,
            direction="north_south", vehicle_class="K33", colour="white", brand="",
        )  # fmt: skip
        vehicle = write_vehicle(seen, source=camera, box=(0, 0, 0, 0))
        self.tell("MotorVehicle", vehicle, device=camera, tollgate=tollgate)
        for wish in self.memory.dispositions.values():
            if wish.plate == plate and wish.begin <= now < wish.end:
                number = self._number()
                notice = write_hit(identity=number, disposition=wish.id, title=wish.title, vehicle=vehicle, at=now)
                self._wait(wish.receive_addr, number, write_list(BY_NAME["DispositionNotification"], [notice]))
        return seen.id

    def tell(self, kind: str, fields: dict[str, Any], *, device: str = "", tollgate: str = "") -> int:
        """Queue an object for those subscriptions that want it; how many do."""
        now, wanted = self._clock.now_us(), 0
        for one in self.memory.subscriptions.values():
            if one.wants(kind, device=device, tollgate=tollgate, now=now):
                number = self._number()
                notice = write_notification(
                    identity=number, subscription=one.id, title=one.title, kind=kind, objects=[fields], now=now
                )
                self._wait(one.receive_addr, number, write_list(BY_NAME["SubscribeNotification"], [notice]))
                wanted += 1
        return wanted

    async def report(self) -> None:
        """Send what waits, in its order; what is not acknowledged stays."""
        while self.registered and self.memory.waiting:
            number, (path, body) = next(iter(self.memory.waiting.items()))
            answer = await self.client.send(path, body)
            self.memory.waiting.pop(number, None)
            good = all(code == 0 for _, code in answer)
            (self.memory.told if good else self.memory.refused).append(number)

    def _asked(self, one: ViidObject) -> None:
        """By the library above. `PUT` and `POST` look alike: what it is says the object."""
        with contextlib.suppress(InvalidError):
            if one.resource.name == "Subscribe":
                wish = read_subscription(one)
                self.memory.subscriptions.pop(wish.id, None)
                if not wish.cancels:
                    self.memory.subscriptions[wish.id] = wish
                return
            order = read_disposition(one)
            self.memory.dispositions.pop(order.id, None)
            if not order.withdraws:
                self.memory.dispositions[order.id] = order

    def _wait(self, receive_addr: str, number: str, body: dict[str, Any]) -> None:
        """It is sent to the platform that it registers at, whatever host that calls itself."""
        self.memory.waiting[number] = urlsplit(receive_addr).path.removeprefix("/VIID/"), body

    def _number(self) -> str:
        self._serial += 1
        return public_id(self.code, "notification", self._clock.now_us(), self._serial)

    async def _play(self) -> None:
        heard = tried = float("-inf")
        while True:
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
                    logger.info("lower library is not heard code=%s why=%s", self.code, error)
                self.registered = False
            await asyncio.sleep(LOOK_SECONDS)


async def play(library: LowerLibrary, interval: float, seconds: float | None) -> dict[str, int]:
    """A vehicle each `interval`, with plates of three that come again and again; what was told, refused and waits."""
    await library.start()
    number, begun = 0, asyncio.get_running_loop().time()
    try:
        while seconds is None or asyncio.get_running_loop().time() - begun < seconds:
            library.passes(PLATES[number % len(PLATES)], tollgate=f"{library.code[:10]}1210000001")
            number += 1
            await asyncio.sleep(interval)
    finally:
        await library.stop()
    memory = library.memory
    return {
        "passed": number, "told": len(memory.told), "refused": len(memory.refused), "waiting": len(memory.waiting),
        "subscriptions": len(memory.subscriptions), "dispositions": len(memory.dispositions),
    }  # fmt: skip
