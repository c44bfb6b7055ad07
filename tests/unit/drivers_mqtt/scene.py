"""A broker of a test's own, that says what the test wants, and a box that remembers its letters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from safecity.drivers.mqtt.broker import Broker
from safecity.drivers.mqtt.driver import PositionFeed
from safecity.kit.brokerurl import BrokerUrl
from safecity.kit.clock import FakeClock
from safecity.ports.positions import Letter, Receipt
from safecity.protocols.mqtt.packets import PROTOCOL_311, Publish, write_publish

WELCOME, KNOWN, GRANTED, PONG = (bytes.fromhex(one) for one in ("20020000", "20020100", "9003000101", "d000"))


class Box:
    """Takes letters, unless told to fail."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.fails: Exception | None = None
        self.poison = b""
        self.asked = 0
        self.news = asyncio.Event()

    async def take(self, letters: Sequence[Letter]) -> Receipt:
        self.asked += 1
        self.news.set()
        if self.fails is not None:
            raise self.fails
        if self.poison and any(one.payload == self.poison for one in letters):
            raise ZeroDivisionError("a letter that breaks us")
        self.letters += letters
        return Receipt(taken=len(letters))


@dataclass
class Visit:
    """One connection that came."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    acknowledged: list[int] = field(default_factory=list[int])

    async def packet(self) -> tuple[int, bytes]:
        """(first byte, body) of the next packet that is no ping."""
        while True:
            head = (await self.reader.readexactly(1))[0]
            size, shift = 0, 0
            while True:
                digit = (await self.reader.readexactly(1))[0]
                size |= (digit & 0x7F) << shift
                shift += 7
                if digit < 0x80:
                    break
            body = await self.reader.readexactly(size)
            if head == 0xC0:
                self.writer.write(PONG)
            else:
                return head, body

    async def welcome(self, answer: bytes = WELCOME) -> bytes:
        """Let it in; what it said of itself."""
        head, body = await self.packet()
        assert head == 0x10
        self.writer.write(answer)
        head, _ = await self.packet()
        assert head == 0x82
        self.writer.write(GRANTED)
        return body

    def say(self, number: int, payload: bytes = b"", *, topic: str = "p/a", **more: Any) -> None:
        """A message with that number; 0: at most once."""
        message = Publish(topic, payload or f"{number}".encode(), int(number > 0), number, **more)
        self.writer.write(write_publish(message, PROTOCOL_311))

    async def until(self, *numbers: int) -> None:
        """Until these were acknowledged."""
        missing = set(numbers) - set(self.acknowledged)
        while missing:
            head, body = await self.packet()
            assert head == 0x40
            self.acknowledged.append(number := int.from_bytes(body, "big"))
            missing.discard(number)

    def hang_up(self) -> None:
        self.writer.transport.abort()


class Scene:
    """A broker, the feed that listens there, and the box."""

    def __init__(self) -> None:
        self.box = Box()
        self.visits: asyncio.Queue[Visit] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        url = BrokerUrl(False, "127.0.0.1", self.server.sockets[0].getsockname()[1], "platform", "its-password")
        broker = Broker(url=url, topic="p", client_id="sc", version=PROTOCOL_311)
        self.feed = PositionFeed(broker, self.box, FakeClock())
        self._tasks.append(asyncio.create_task(self.feed.run()))

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        await self.visits.put(Visit(reader, writer))

    async def visit(self) -> Visit:
        """The next one who comes."""
        return await self.visits.get()

    async def let_in(self, answer: bytes = WELCOME) -> Visit:
        visit = await self.visit()
        await visit.welcome(answer)
        return visit

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)
