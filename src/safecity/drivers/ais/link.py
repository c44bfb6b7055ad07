"""Feeds of receivers: who connects to us, whom we call, who sends datagrams. Bytes in; decides nothing about ships."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
import socket
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from safecity.kit.retry import Backoff
from safecity.protocols.ais.sentences import Malformed
from safecity.protocols.ais.stream import Feed, Heard
from safecity.protocols.gb28181.limits import Buckets

logger = logging.getLogger(__name__)

SENTENCES_A_SECOND: Final = 500.0
SENTENCES_AT_ONCE: Final = 10_000.0
"""Of one sender; both channels together carry 75 messages a second where one receiver hears them all."""
MAX_ENDLESS: Final = 64 * 1024
"""Bytes without an end of line: this hands on no sentences."""
MAX_SENDERS: Final = 256
"""Senders of datagrams whose half messages are kept."""
IDLE_SECONDS: Final = 900.0
"""A connection that says nothing for so long gives its place to others, and one that we made is made anew."""
LOOK_SECONDS: Final = 15.0
CONNECT_SECONDS: Final = 10.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds until a feed is called again; twice as long each time, and by chance up to half less."""
FLOOD: Final = "ais_feed_flood"
ENDLESS: Final = "ais_endless_line"

Take = Callable[[Sequence[Heard | Malformed], str, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Connections at once from one address and altogether; `senders`: networks that may send, none: all."""

    per_address: int = 16
    altogether: int = 256
    senders: tuple[str, ...] = ()

    def lets_in(self, address: str) -> bool:
        if not self.senders:
            return True
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return any((mapped or ip) in ipaddress.ip_network(one, strict=False) for one in self.senders)


class FeedLink(asyncio.Protocol):
    """One connection, made by us or to us. Nothing is ever said on it."""

    def __init__(self, feeds: Feeds, name: str = "") -> None:
        self._feeds = feeds
        self._feed = Feed()
        self._transport: asyncio.Transport | None = None
        self.peer = name
        self.address = ""
        self.called = bool(name)
        self.heard_at = feeds.now()
        self.over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own is none by its class.
        self._transport = opened = cast("asyncio.Transport", transport)
        host, port = (opened.get_extra_info("peername") or ("", 0))[:2]
        self.address = str(host)
        self.peer = self.peer or f"{host}:{port}"
        if not self._feeds.admits(self):
            opened.abort()

    def data_received(self, data: bytes) -> None:
        now = self._feeds.now()
        self.heard_at = now
        found = self._feed.feed(data, now)
        if self._feed.waiting > MAX_ENDLESS:
            found.append(Malformed(b"", ENDLESS))
            self.abort()
        self._feeds.hand_on(found, self.peer, "tcp")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.over.set()
        self._feeds.left(self)

    def abort(self) -> None:
        """At once."""
        if self._transport is not None:
            self._transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    """Each holds whole sentences; those of one message may come in several."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self._by_sender: OrderedDict[str, Feed] = OrderedDict()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        address = str(addr[0])
        if not self._feeds.door.lets_in(address):
            self._feeds.turn_away(address)
            return
        feed = self._by_sender.pop(address, None) or Feed()
        self._by_sender[address] = feed
        if len(self._by_sender) > MAX_SENDERS:
            self._by_sender.popitem(last=False)
        # A sender that leaves the end of line out means it.
        self._feeds.hand_on(feed.feed(data + b"\n", self._feeds.now()), f"{address}:{addr[1]}", "udp")


class Feeds:
    """All of them. `take` gets what they say."""

    def __init__(self, take: Take, now: Callable[[], float], door: Door) -> None:
        self._take = take
        self.now = now
        self.door = door
        self.links: set[FeedLink] = set()
        self.turned_away = 0
        self._by_address: Counter[str] = Counter()
        self._paced = Buckets(rate=SENTENCES_A_SECOND, burst=SENTENCES_AT_ONCE)
        self._server: asyncio.Server | None = None
        self._datagrams: asyncio.DatagramTransport | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(
        self, tcp: socket.socket | None = None, udp: socket.socket | None = None, called: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Listen on sockets that the supervisor opened, and call those that wait for it."""
        loop = asyncio.get_running_loop()
        if tcp is not None:
            self._server = await loop.create_server(lambda: FeedLink(self), sock=tcp, backlog=64)
        if udp is not None:
            self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=udp)
        self._tasks = [loop.create_task(self._call(host, port)) for host, port in called]
        self._tasks.append(loop.create_task(self._watch()))

    async def close(self) -> None:
        """Cut all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        if self._datagrams is not None:
            self._datagrams.close()
        for link in list(self.links):
            link.abort()

    def admits(self, link: FeedLink) -> bool:
        """Whether there is room for one more from there. Those we called ourselves are welcome."""
        full = len(self.links) >= self.door.altogether or self._by_address[link.address] >= self.door.per_address
        if not link.called and (full or not self.door.lets_in(link.address)):
            self.turn_away(link.address)
            return False
        self.links.add(link)
        self._by_address[link.address] += 1
        return True

    def turn_away(self, address: str) -> None:
        """Say so at 1, 2, 4, ...: a flood must not fill the log."""
        self.turned_away += 1
        if self.turned_away & (self.turned_away - 1) == 0:
            logger.warning("receiver of ships turned away address=%s so_far=%s", address, self.turned_away)

    def left(self, link: FeedLink) -> None:
        """A connection is gone."""
        if link in self.links:
            self.links.discard(link)
            self._by_address[link.address] -= 1
            if not self._by_address[link.address]:
                del self._by_address[link.address]

    def hand_on(self, found: Sequence[Heard | Malformed], peer: str, transport: str) -> None:
        """As much as one sender may say. What is over it is dropped: it would be told again in seconds anyhow."""
        if not found:
            return
        # Datagrams come from a port each: what counts is where they come from.
        who = peer.rpartition(":")[0]
        if self._paced.take(who, self.now(), len(found)):
            self._take(found, peer, transport)
        else:
            self._take([Malformed(b"", FLOOD)], peer, transport)

    def tick(self) -> None:
        """Now and then: end connections that say nothing."""
        now = self.now()
        for link in [one for one in self.links if now - one.heard_at > IDLE_SECONDS]:
            link.abort()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.tick()

    async def _call(self, host: str, port: int) -> None:
        name, reachable, backoff = f"{host}:{port}", True, Backoff(FIRST_WAIT, LONGEST_WAIT)
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    _, link = await loop.create_connection(lambda: FeedLink(self, name), host, port)
            except OSError as error:
                if reachable:
                    logger.warning("receiver of ships unreachable feed=%s why=%s", name, error or "no answer")
                reachable = False
            else:
                if not reachable:
                    logger.info("receiver of ships reachable again feed=%s", name)
                reachable, began = True, self.now()
                await link.over.wait()
                if self.now() - began > LONGEST_WAIT:
                    backoff.succeeded()
            await asyncio.sleep(backoff.failed(random.random()))
