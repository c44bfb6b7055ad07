"""Feeds on real sockets: who connects to us, whom we call, who sends datagrams, and who is turned away."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from safecity.drivers.ais import link
from safecity.drivers.ais.link import Door, Feeds
from safecity.kit.clock import FakeClock
from safecity.protocols.ais.messages import ClassAPosition, StaticAndVoyage
from safecity.protocols.ais.sentences import Malformed
from safecity.protocols.ais.stream import Heard, Teller

FIX = ClassAPosition(type=1, mmsi=412345678, longitude=118.3, latitude=31.3)
LOCAL = "127.0.0.1"


async def is_cut(reader: asyncio.StreamReader) -> None:
    """Waits until the other side has ended it, however."""
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""


class Ears:
    """What was handed on; `until` waits for so many."""

    def __init__(self) -> None:
        self.found: list[tuple[Heard | Malformed, str, str]] = []
        self._more = asyncio.Event()

    def take(self, found: Sequence[Heard | Malformed], peer: str, transport: str) -> None:
        self.found += [(one, peer, transport) for one in found]
        self._more.set()

    async def until(self, count: int) -> list[Any]:
        while len(self.found) < count:
            self._more.clear()
            await self._more.wait()
        return [one.message if isinstance(one, Heard) else one.reason for one, _, _ in self.found]


class Ground:
    """Feeds with sockets of their own."""

    def __init__(self, door: Door | None = None) -> None:
        self.ears, self.clock = Ears(), FakeClock()
        self.feeds = Feeds(self.ears.take, self.clock.monotonic, door or Door())
        self.tcp = socket.create_server((LOCAL, 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((LOCAL, 0))
        self.udp.setblocking(False)
        self.tcp_port, self.udp_port = self.tcp.getsockname()[1], self.udp.getsockname()[1]

    async def open(self) -> Ground:
        await self.feeds.open(self.tcp, self.udp)
        return self


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    made = await Ground().open()
    yield made
    await made.feeds.close()


async def test_a_receiver_connects_and_its_sentences_are_read_however_they_are_cut(ground: Ground) -> None:
    _, writer = await asyncio.open_connection(LOCAL, ground.tcp_port)
    data = Teller().write(FIX)
    writer.write(data[:20])
    await writer.drain()
    writer.write(data[20:])
    assert await ground.ears.until(1) == [FIX]
    peer = ground.ears.found[0][1:]
    assert peer == (f"{LOCAL}:{writer.get_extra_info('sockname')[1]}", "tcp")
    writer.close()


async def test_a_message_may_come_in_two_datagrams_without_ends_of_lines(ground: Ground) -> None:
    voyage = StaticAndVoyage(type=5, mmsi=1, name="A")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for line in Teller().write(voyage).splitlines():
        sender.sendto(line, (LOCAL, ground.udp_port))
    assert await ground.ears.until(1) == [voyage]
    assert ground.ears.found[0][2] == "udp"
    sender.close()


async def test_a_receiver_that_waits_is_called_and_called_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(link, "LONGEST_WAIT", 0.0)
    called = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal called
        called += 1
        writer.write(Teller().write(FIX))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, LOCAL, 0)
    port = server.sockets[0].getsockname()[1]
    ground = Ground(Door(senders=("10.0.0.0/8",)))
    await ground.feeds.open(called=[(LOCAL, port)])
    assert (await ground.ears.until(3))[:3] == [FIX] * 3
    assert ground.ears.found[0][1] == f"{LOCAL}:{port}"
    assert called >= 3
    await ground.feeds.close()
    server.close()
    ground.tcp.close()
    ground.udp.close()


async def test_who_may_not_send_is_not_heard() -> None:
    ground = await Ground(Door(senders=("10.0.0.0/8", "192.168.1.7"))).open()
    _, writer = await asyncio.open_connection(LOCAL, ground.tcp_port)
    writer.write(Teller().write(FIX))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(Teller().write(FIX), (LOCAL, ground.udp_port))
    while ground.feeds.turned_away + len(ground.ears.found) < 2:
        await asyncio.sleep(0)
    assert ground.ears.found == []
    sender.close()
    writer.close()
    await ground.feeds.close()


@pytest.mark.parametrize(
    ("senders", "address", "is_let_in"),
    [
        ((), "203.0.113.9", True),
        (("10.0.0.0/8",), "10.9.9.9", True),
        (("10.0.0.0/8",), "::ffff:10.9.9.9", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "10.0.0.1", False),
        (("10.0.0.0/8",), "nonsense", False),
    ],
)
def test_senders_are_known_by_their_network(senders: tuple[str, ...], address: str, is_let_in: bool) -> None:
    assert Door(senders=senders).lets_in(address) is is_let_in


async def test_a_line_without_end_ends_its_connection_and_no_other(ground: Ground) -> None:
    reader, writer = await asyncio.open_connection(LOCAL, ground.tcp_port)
    _, other = await asyncio.open_connection(LOCAL, ground.tcp_port)
    writer.write(b"A" * (link.MAX_ENDLESS + 1))
    await is_cut(reader)
    other.write(Teller().write(FIX))
    assert await ground.ears.until(2) == ["ais_endless_line", FIX]
    writer.close()
    other.close()


async def test_one_address_has_so_many_connections() -> None:
    ground = await Ground(Door(per_address=1)).open()
    _, first = await asyncio.open_connection(LOCAL, ground.tcp_port)
    first.write(Teller().write(FIX))
    await ground.ears.until(1)
    reader, second = await asyncio.open_connection(LOCAL, ground.tcp_port)
    await is_cut(reader)
    assert ground.feeds.turned_away == 1
    first.close()
    second.close()
    await ground.feeds.close()


async def test_a_connection_that_says_nothing_gives_its_place_back(ground: Ground) -> None:
    reader, writer = await asyncio.open_connection(LOCAL, ground.tcp_port)
    writer.write(Teller().write(FIX))
    await ground.ears.until(1)
    ground.clock.advance(link.IDLE_SECONDS + 1)
    ground.feeds.tick()
    await is_cut(reader)
    assert ground.feeds.links == set()
    writer.close()


async def test_a_sender_that_floods_is_cut_short_and_another_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    ears, clock = Ears(), FakeClock()
    monkeypatch.setattr(link, "SENTENCES_AT_ONCE", 10.0)
    feeds = Feeds(ears.take, clock.monotonic, Door())
    for port in range(30):
        feeds.hand_on([Heard(FIX)], f"10.6.6.6:{port}", "udp")
    feeds.hand_on([Heard(FIX)], "10.1.1.1:1", "udp")
    told = [one.reason if isinstance(one, Malformed) else "heard" for one, _, _ in ears.found]
    assert told == ["heard"] * 10 + ["ais_feed_flood"] * 20 + ["heard"]
