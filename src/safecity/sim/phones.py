"""People with phones who tell a broker where they are (MQTT), each over a connection of its own.

safecity sim phones --broker mqtt://HOST:PORT --count 20
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from random import Random
from typing import Final

from safecity.kit.brokerurl import BrokerUrl
from safecity.kit.clock import rfc3339
from safecity.kit.retry import Backoff
from safecity.protocols.mqtt.packets import Connect, PubAck, Publish
from safecity.protocols.mqtt.session import Ended, Listening, Session
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.load import walk
from safecity.sim.manifest import Manifest, ManifestDevice

Figures = dict[str, float | int]
WALKS: Final = 50
"""Different ways through the town."""
IN_FLIGHT: Final = 20
MAX_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLoad:
    """Who tells whom. `tokens`: one of each phone; none: the broker says who it is, by the topic."""

    broker: BrokerUrl
    count: int = 20
    first: int = 0
    topic: str = "safecity/positions"
    report_seconds: float = 10.0
    tokens: tuple[str, ...] = ()
    ca: str = ""
    seed: int = 1

    def code(self, number: int) -> str:
        """What the phone with that number is called."""
        return self.tokens[number].rpartition(".")[0] if self.tokens else f"sim-phone-{self.first + number:04d}"


def phone_manifest(options: PhoneLoad) -> Manifest:
    """For a platform that believes the topic."""
    devices = [
        ManifestDevice(kind="http", name=code, name_en=code, area="340202", password="", code=code, transport="tcp")
        for code in map(options.code, range(options.count))
    ]
    return Manifest(version=1, platform_code="", devices=devices)


def position(place: tuple[float, float], speed: float, direction: float, at_us: int, token: str = "") -> bytes:
    """A position as it is sent; `place`: (longitude, latitude), `speed`: metres per second."""
    properties = {"time": rfc3339(at_us), "speed_kmh": round(speed * 3.6, 1), "direction": round(direction, 1)}
    document: dict[str, object] = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(place[0], 6), round(place[1], 6)]},
        "properties": properties,
    }
    return json.dumps(document | ({"token": token} if token else {})).encode()


@dataclass(slots=True)
class SimPhone:
    """One phone. What it told stays in `untold` until the broker has it, however often the line breaks."""

    options: PhoneLoad
    number: int
    untold: OrderedDict[int, bytes] = field(default_factory=OrderedDict[int, bytes])
    acknowledged: list[int] = field(default_factory=list[int])
    """Times (microseconds UTC) of the positions that the broker took."""
    sent: int = 0
    connections: int = 0
    _in_flight: dict[int, int] = field(default_factory=dict[int, int])
    _packet: int = 0
    _due: float = 0.0
    _drive: Drive = field(init=False)
    _ahead: float = field(init=False)

    def __post_init__(self) -> None:
        dice = Random(self.options.seed * 100_003 + self.number)
        self._drive = Drive(Plan(walk(self.options.seed * 1009 + self.number % WALKS), dice.uniform(4, 12)))
        self._ahead = dice.uniform(0, self._drive.lap_seconds)

    @property
    def code(self) -> str:
        return self.options.code(self.number)

    @property
    def topic(self) -> str:
        return f"{self.options.topic}/{self.code}"

    def tell(self, seconds: float, at_us: int) -> None:
        """Where it is now, seconds after its start."""
        place = self._drive.place(self._ahead + seconds)
        token = self.options.tokens[self.number] if self.options.tokens else ""
        where = place.longitude, place.latitude
        self.untold[at_us] = position(where, place.speed, place.direction, at_us, token)
        self.sent += 1

    def hand_over(self, session: Session) -> None:
        """As much as the broker is asked to take at once."""
        under_way = set(self._in_flight.values())
        for at_us, payload in self.untold.items():
            if len(self._in_flight) >= IN_FLIGHT:
                return
            if at_us not in under_way:
                self._packet = self._packet % 0xFFFF + 1
                self._in_flight[self._packet] = at_us
                session.publish(Publish(self.topic, payload, qos=1, packet_id=self._packet))

    def heard(self, one: PubAck) -> None:
        """The broker has it, or will not have it; either way it is not told again."""
        at_us = self._in_flight.pop(one.packet_id, None)
        if at_us is not None and self.untold.pop(at_us, None) is not None and one.code < 0x80:
            self.acknowledged.append(at_us)

    async def live(self) -> None:
        """Until cancelled: walk, tell, and call the broker again where it goes away."""
        began, backoff = time.monotonic(), Backoff(0.2, 15.0)
        dice = Random(self.number)
        self._due = began + self.options.report_seconds * dice.random()
        while True:
            with contextlib.suppress(OSError):
                await self._connected(began)
                backoff.succeeded()
            self._in_flight.clear()
            await asyncio.sleep(backoff.failed(dice.random()))

    async def _connected(self, began: float) -> None:
        url, options = self.options.broker, self.options
        tls = ssl.create_default_context(cafile=options.ca or None) if url.tls else None
        reader, writer = await asyncio.open_connection(url.host, url.port, ssl=tls)
        self.connections += 1
        name = url.username.replace("{code}", self.code)
        wish = Connect(client_id=self.code, username=name, password=url.password, clean=True)
        session, welcome = Session(wish, "", MAX_BYTES, time.monotonic()), False
        try:
            while not session.over:
                writer.write(session.output(time.monotonic()))
                wait = min(session.next_deadline(), self._due) - time.monotonic()
                data = None
                with contextlib.suppress(TimeoutError):
                    # Not `wait_for`: that of 3.11 swallows a cancellation that comes together with bytes.
                    async with asyncio.timeout(max(0.01, wait)):
                        data = await reader.read(4096)
                if data == b"":
                    break
                now = time.monotonic()
                for one in [*session.feed(data or b"", now), *session.expire(now)]:
                    welcome = welcome or isinstance(one, Listening)
                    if isinstance(one, PubAck):
                        self.heard(one)
                    elif isinstance(one, Ended):
                        break
                while self._due <= now:
                    # Also what it would have told while there was nobody to tell it to, at its own time.
                    self.tell(self._due - began, time.time_ns() // 1000 - round((now - self._due) * 1e6))
                    self._due += options.report_seconds
                if welcome:
                    self.hand_over(session)
        finally:
            writer.close()


async def phones(options: PhoneLoad, seconds: float | None = None, crowd: list[SimPhone] | None = None) -> Figures:
    """Walk for so long (None: until cancelled); the figures at the end. `crowd`: where the phones are put, to look at
    afterwards."""
    people = [SimPhone(options, number) for number in range(options.count)]
    if crowd is not None:
        crowd += people
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for one in people:
                group.create_task(one.live())
    return {
        "phones": options.count, "sent": sum(one.sent for one in people),
        "acknowledged": sum(len(one.acknowledged) for one in people),
        "connections": sum(one.connections for one in people),
    }  # fmt: skip
