"""Ships on a river, as the receiver of a harbour would hear them: sentences over TCP or UDP.

safecity sim ships --feed HOST:PORT --count 20
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from safecity.protocols.ais.messages import AnyMessage, ClassAPosition, ClassBName, ClassBPosition, StaticAndVoyage
from safecity.protocols.ais.stream import Teller
from safecity.sim.jt808.drive import Drive, Plan

Figures = dict[str, float | int]
RIVER: Final = ((31.180, 118.180), (31.260, 118.270), (31.330, 118.345), (31.400, 118.365), (31.470, 118.420))
"""(latitude, longitude) along the middle of the fairway."""
FIRST_MMSI: Final = 412_900_000
STATIC_SECONDS: Final = 360.0
"""Name and voyage are told so often (ITU-R M.1371-5, annex 2, 4.2.1)."""
KNOT: Final = 1852 / 3600
_SMALL: Final = 4
"""Each fourth is a small craft of class B."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipLoad:
    """Who sends whereto. `first`: number of the first ship; MMSI are 412900000 and following."""

    host: str
    port: int
    udp: bool = False
    count: int = 20
    first: int = 0
    report_seconds: float = 10.0
    seed: int = 1


@dataclass(slots=True)
class SimShip:
    """A ship that goes up and down the river. Told the seconds since its start, it says what it would say."""

    number: int
    seed: int
    drive: Drive = field(init=False)
    ahead: float = field(init=False)

    def __post_init__(self) -> None:
        dice = Random(self.seed * 100_003 + self.number)
        aside = dice.uniform(-0.003, 0.003)
        cruise = dice.uniform(6, 16) * KNOT
        self.drive = Drive(Plan([(latitude, longitude + aside) for latitude, longitude in RIVER], cruise))
        self.ahead = dice.uniform(0, self.drive.lap_seconds)

    @property
    def mmsi(self) -> int:
        return FIRST_MMSI + self.number

    @property
    def name(self) -> str:
        return f"SIM {self.number:04d}"

    @property
    def is_small(self) -> bool:
        return self.number % _SMALL == _SMALL - 1

    def position(self, seconds: float, second: int) -> AnyMessage:
        """Where it is; `second` of UTC."""
        place = self.drive.place(self.ahead + seconds)
        speed, course = round(place.speed / KNOT, 1), round(place.direction * 10) % 3600 / 10
        if self.is_small:
            return ClassBPosition(
                mmsi=self.mmsi, longitude=place.longitude, latitude=place.latitude, speed=speed, course=course,
                heading=int(course), second=second,
            )  # fmt: skip
        return ClassAPosition(
            mmsi=self.mmsi, longitude=place.longitude, latitude=place.latitude, speed=speed, course=course,
            heading=int(course), second=second, status=0,
        )  # fmt: skip

    def said(self) -> AnyMessage:
        """Who it is."""
        if self.is_small:
            return ClassBName(mmsi=self.mmsi, name=self.name)
        return StaticAndVoyage(
            mmsi=self.mmsi, name=self.name, call_sign=f"BS{self.number:04d}", imo=9_000_000 + self.number, ship_type=70,
            bow=60, stern=15, port=6, starboard=6, draught=4.5, destination="WUHU",
        )  # fmt: skip


class Harbour:
    """A receiver that hears them all; `due` gives the lines that are due, in order."""

    def __init__(self, options: ShipLoad) -> None:
        self.ships = [SimShip(options.first + number, options.seed) for number in range(options.count)]
        self._every = options.report_seconds
        self._teller = Teller()
        self._next = [self._every * number / max(1, options.count) for number in range(options.count)]
        self._static = [-STATIC_SECONDS] * options.count
        self.sentences = 0

    def due(self, seconds: float, second: int) -> Iterator[bytes]:
        """What is said until now: seconds since the start, and the second of UTC."""
        for number, ship in enumerate(self.ships):
            if seconds < self._next[number]:
                continue
            self._next[number] += self._every
            lines = self._teller.write(ship.position(seconds, second))
            if seconds - self._static[number] >= STATIC_SECONDS:
                self._static[number] = seconds
                lines += self._teller.write(ship.said())
            self.sentences += lines.count(b"\n")
            yield lines


async def ships(options: ShipLoad, seconds: float | None = None) -> Figures:
    """Sail for so long (None: until cancelled). Connects again where the platform goes away. The figures at the end."""
    harbour, began, connections = Harbour(options), time.monotonic(), 0
    sender = socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET, socket.SOCK_DGRAM)
    writer: asyncio.StreamWriter | None = None
    try:
        while seconds is None or time.monotonic() - began < seconds:
            if not options.udp and (writer is None or writer.is_closing()):
                try:
                    _, writer = await asyncio.open_connection(options.host, options.port)
                    connections += 1
                except OSError:
                    writer = None
            for lines in harbour.due(time.monotonic() - began, int(time.time()) % 60):
                if options.udp:
                    sender.sendto(lines, (options.host, options.port))
                elif writer is not None:
                    writer.write(lines)
            await asyncio.sleep(0.1)
    finally:
        sender.close()
        if writer is not None:
            writer.close()
    return {"ships": options.count, "sentences": harbour.sentences, "connections": connections}
