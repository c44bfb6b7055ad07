"""The API's port under people who dawdle: they are ended, and whoever behaves is answered meanwhile.

A real server on a real socket; only its clock is turned by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import websockets

from safecity.kit.clock import FakeClock
from safecity.server.http_gate import Limits, network_of
from safecity.server.http_server import HttpServer
from safecity.server.tls import ensure_certificate

LIMITS = Limits(connections=40, per_address=20, head_seconds=10, body_seconds=60, stalled_seconds=60)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BIG, PIECE = 64 << 20, 1 << 16


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads a whole body and says how much it was; `/big` answers with more than any buffer holds."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    pieces = [bytes(PIECE)] * (BIG // PIECE) if scope["path"] == "/big" else [str(size).encode()]
    length = [(b"content-length", str(sum(map(len, pieces))).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})


class Port:
    """The server, its clock, and somebody who connects from wherever on this machine."""

    def __init__(self, server: HttpServer, clock: FakeClock, port: int, tls: ssl.SSLContext | None) -> None:
        self.server, self.clock, self.number = server, clock, port
        self._tls = tls
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def gate(self) -> Any:
        return self.server.gate

    async def connect(self, source: str = "127.0.0.1") -> Caller:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.number, local_addr=(source, 0), ssl=self._tls, limit=1 << 16
        )
        self._writers.append(writer)
        return Caller(reader, writer)

    async def until(self, true: Callable[[], bool]) -> None:
        """Let the loop turn until the server has seen it."""
        while not true():
            await asyncio.sleep(0)

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.gate.sweep()

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        return head.split(b"\r\n")[0] + b" " + await self.reader.readexactly(length)

    async def to_the_end(self) -> bytes:
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@contextlib.asynccontextmanager
async def running(pair: tuple[Path, Path] | None = None) -> AsyncIterator[Port]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    clock = FakeClock()
    server = HttpServer(app, LIMITS, clock, certificate=pair)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    tls = None
    if pair is not None:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    port = Port(server, clock, listening.getsockname()[1], tls)
    await port.until(lambda: server.started)
    yield port
    await port.close()
    server.should_exit = True
    await task
    listening.close()


@pytest.fixture(params=["plain", "tls"])
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Port]:
    pair = (
        ensure_certificate(tmp_path, ["127.0.0.1"], datetime.datetime.now(datetime.UTC))
        if request.param == "tls"
        else None
    )
    async with running(pair) as made:
        yield made


async def test_a_head_that_comes_byte_by_byte_is_ended_after_ten_seconds_and_others_are_answered(port: Port) -> None:
    slow = [await port.connect() for _ in range(15)]
    good = await port.connect()
    for number in range(5):  # a byte every two seconds keeps nothing open
        for one in slow:
            await one.say(GET[number : number + 1])
        await good.say(GET)
        assert await good.answer() == b"HTTP/1.1 200 OK 0"
        port.later(2.0)
    for one in slow:
        assert (await one.to_the_end()).startswith(b"HTTP/1.1 408 ")
    await good.say(GET)
    assert await good.answer() == b"HTTP/1.1 200 OK 0"


async def test_who_connects_and_says_nothing_is_closed(port: Port) -> None:
    silent = await port.connect()
    await port.until(lambda: port.gate.connections == 1)
    port.later(9.0)
    assert port.gate.connections == 1
    port.later(1.0)
    assert await silent.to_the_end() == b""
    await port.until(lambda: port.gate.connections == 0)


async def test_a_body_that_drips_is_ended_after_a_minute_and_one_that_takes_its_time_is_not(port: Port) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    drips, late = await port.connect(), await port.connect()
    for one in (drips, late):
        await one.say(head)
    await port.until(lambda: port.gate.phases()["BODY"] == 2)
    for _ in range(5):
        await drips.say(b"x")
        port.later(10.0)
    await late.say(b"x" * 10)
    assert await late.answer() == b"HTTP/1.1 200 OK 10"
    port.later(10.0)
    assert (await drips.to_the_end()).startswith(b"HTTP/1.1 408 ")
    assert port.gate.counters["body_late"] == 1


async def test_who_takes_no_answer_is_dropped(port: Port) -> None:
    stuck = await port.connect()
    await stuck.say(GET.replace(b"/ ", b"/big "))
    await port.until(lambda: port.gate.stalled == 1)
    port.later(59.0)
    assert port.gate.connections == 1
    port.later(1.0)
    await port.until(lambda: port.gate.connections == 0)
    assert port.gate.counters["stalled"] == 1
    assert len(await stuck.to_the_end()) < BIG


async def test_an_address_that_holds_too_many_loses_its_oldest_idle_one_and_others_lose_nothing(port: Port) -> None:
    neighbour = await port.connect("127.0.0.2")
    await neighbour.say(GET)
    await neighbour.answer()
    crowd = [await port.connect() for _ in range(LIMITS.per_address)]
    await port.until(lambda: port.gate.connections == LIMITS.per_address + 1)
    for _ in range(30):
        crowd.append(await port.connect())
        assert await crowd.pop(0).to_the_end() == b""
    newest = crowd[-1]
    await newest.say(GET)
    assert await newest.answer() == b"HTTP/1.1 200 OK 0"
    await neighbour.say(GET)
    assert await neighbour.answer() == b"HTTP/1.1 200 OK 0"


async def test_many_addresses_together_cannot_shut_out_one(port: Port) -> None:
    for number in range(LIMITS.connections):
        await port.connect(f"127.0.1.{1 + number % 2}")
    await port.until(lambda: port.gate.connections == LIMITS.connections)
    late = await port.connect("127.0.0.9")
    await late.say(GET)
    assert await late.answer() == b"HTTP/1.1 200 OK 0"
    await port.until(lambda: port.gate.connections == LIMITS.connections)


async def test_a_websocket_goes_through_and_counts(tmp_path: Path) -> None:
    async with running() as port:
        async with websockets.connect(f"ws://127.0.0.1:{port.number}/") as one:
            await one.send("hello")
            assert await one.recv() == "hello"
            port.later(3600.0)  # it has pings of its own
            await one.send("still here")
            assert await one.recv() == "still here"
            assert port.gate.connections == 1
        await port.until(lambda: port.gate.connections == 0)


async def test_an_address_that_has_only_busy_ones_is_told_to_come_back() -> None:
    async with running() as port, contextlib.AsyncExitStack() as stack:
        for _ in range(LIMITS.per_address):
            await stack.enter_async_context(websockets.connect(f"ws://127.0.0.1:{port.number}/"))
        late = await port.connect()
        assert (await late.to_the_end()).startswith(b"HTTP/1.1 503 ")
        elsewhere = await port.connect("127.0.0.2")
        await elsewhere.say(GET)
        assert await elsewhere.answer() == b"HTTP/1.1 200 OK 0"


async def test_a_head_without_end_is_refused() -> None:
    async with running() as port:
        endless = await port.connect()
        with contextlib.suppress(ConnectionError):
            await endless.say(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 200_000)
        assert b" 200 " not in await endless.to_the_end()
        await port.until(lambda: port.gate.connections == 0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_one_customer_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
