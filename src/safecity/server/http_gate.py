"""Stands between the sockets of the API's port and its HTTP server: how many may be open, and how long each may dawdle.

A caller that sends its request byte by byte, takes no answer or just holds sockets open costs nobody but itself: it is
told and closed, and of an address that holds too many the one that idles longest makes room. The HTTP server behind is
any that speaks asyncio's protocols and ASGI; it does not know that there is a gate.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the port of the API.

    connections       open at once
    per_address       of one address (IPv6: of one /64, which is what one customer has)
    head_seconds      from connecting, or from the first byte of a further request, to its whole head; TLS the same
    body_seconds      from there to the whole body
    stalled_seconds   an answer of which nothing is taken for so long is broken off
    """

    connections: int = 4000
    per_address: int = 500
    head_seconds: float = 10.0
    body_seconds: float = 60.0
    stalled_seconds: float = 60.0


class Phase(Enum):
    """What a connection does."""

    FRESH = auto()  # nothing came yet
    IDLE = auto()  # between two requests; the server itself ends it after a while
    HEAD = auto()
    BODY = auto()
    ANSWERING = auto()
    SOCKET = auto()  # a WebSocket, which has its own pings


class Gate:
    """All connections of the port. `sweep` is called often and ends what is late."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self.now = now
        self.counters: Counter[str] = Counter()
        self._limits = limits
        self._peers: dict[tuple[str, int], _Peer] = {}
        self._by_network: dict[str, dict[_Peer, None]] = {}

    @property
    def connections(self) -> int:
        """Open now."""
        return len(self._peers)

    @property
    def stalled(self) -> int:
        """Those whose answer waits for them to take it."""
        return sum(peer.stalled_since is not None for peer in self._peers.values())

    def phases(self) -> Counter[str]:
        """How many are in each phase."""
        return Counter(peer.phase.name for peer in self._peers.values())

    def protocol(self, inner: asyncio.Protocol) -> asyncio.Protocol:
        """The protocol of a new connection, in front of the server's own."""
        return _Peer(self, inner)

    def app(self, app: ASGIApp) -> ASGIApp:
        """The application, watched so that the gate knows how far a request has come."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            host, port = (scope.get("client") or ("", 0))[:2]
            peer = self._peers.get((host, port))
            if peer is None:
                await app(scope, receive, send)
            elif scope["type"] == "websocket":
                peer.turn(Phase.SOCKET)
                await app(scope, receive, send)
            else:
                await _watch(app, peer, scope, receive, send)

        return watched

    def sweep(self) -> None:
        """End what is late."""
        now, limits = self.now(), self._limits
        for peer in list(self._peers.values()):
            waited = now - peer.since
            if peer.stalled_since is not None and now - peer.stalled_since >= limits.stalled_seconds:
                self.counters["stalled"] += 1
                peer.end(b"")
            elif peer.phase in (Phase.FRESH, Phase.HEAD) and waited >= limits.head_seconds:
                self.counters["head_late"] += 1
                peer.end(_TOO_SLOW if peer.phase is Phase.HEAD else b"")
            elif peer.phase is Phase.BODY and waited >= limits.body_seconds:
                self.counters["body_late"] += 1
                peer.end(_TOO_SLOW)

    async def keep_sweeping(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()

    def entered(self, peer: _Peer) -> None:
        """A connection was made; it or a less useful one may have to leave again."""
        self._peers[peer.address] = peer
        crowd = self._by_network.setdefault(peer.network, {})
        crowd[peer] = None
        if len(crowd) > self._limits.per_address:
            self._make_room(peer, crowd, "address_full")
        elif len(self._peers) > self._limits.connections:
            self._make_room(peer, max(self._by_network.values(), key=len), "full")

    def left(self, peer: _Peer) -> None:
        """A connection is gone."""
        if self._peers.get(peer.address) is peer:
            del self._peers[peer.address]
        crowd = self._by_network.get(peer.network, {})
        crowd.pop(peer, None)
        if not crowd:
            self._by_network.pop(peer.network, None)

    def _make_room(self, newest: _Peer, crowd: dict[_Peer, None], why: str) -> None:
        """The oldest of the crowd that nobody waits for leaves, else the newest."""
        self.counters[why] += 1
        others = [one for one in crowd if one is not newest]
        waiting = [one for one in others if one.phase in (Phase.FRESH, Phase.IDLE, Phase.HEAD)]
        victim = next(iter(waiting or [one for one in others if one.phase is Phase.BODY]), newest)
        if victim is newest and self.counters[f"{why}_refused"] % 1000 == 0:  # the first, and then not every one
            logger.warning("connections refused why=%s network=%s open=%s", why, newest.network, len(crowd))
        self.counters[f"{why}_refused"] += victim is newest
        victim.end(_TOO_MANY if victim is newest else b"")
        # Its place is free at once: whoever comes next must not find it taken until the loop has turned.
        self.left(victim)


async def _watch(app: ASGIApp, peer: _Peer, scope: Scope, receive: Receive, send: Send) -> None:
    peer.turn(Phase.BODY)

    async def received() -> Message:
        message = await receive()
        if peer.phase is Phase.BODY and not message.get("more_body", False):
            peer.turn(Phase.ANSWERING)
        return message

    async def sent(message: Message) -> None:
        if peer.phase is Phase.BODY:
            peer.turn(Phase.ANSWERING)  # answered without reading to the end
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            peer.turn(Phase.IDLE)

    await app(scope, received, sent)


def network_of(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


class _Peer(asyncio.Protocol):
    """One connection, whoever serves it: the HTTP protocol first, a WebSocket's after an upgrade."""

    def __init__(self, gate: Gate, inner: asyncio.Protocol) -> None:
        self._gate = gate
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self.address = ("", 0)
        self.network = ""
        self.phase = Phase.FRESH
        self.since = gate.now()
        self.stalled_since: float | None = None

    def turn(self, phase: Phase) -> None:
        """It does something else from now on."""
        self.phase, self.since = phase, self._gate.now()

    def end(self, words: bytes) -> None:
        """Say why, if anything, and go; whoever takes nothing is not waited for."""
        transport = self._transport
        if transport is None:
            return
        if words and self.stalled_since is None and not transport.is_closing():
            transport.write(words)
            transport.close()
        else:
            transport.abort()

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self.address, self.network = (str(host), int(port)), network_of(str(host))
        self._inner.connection_made(cast("asyncio.Transport", _Passing(self._transport, self)))
        self._gate.entered(self)

    def data_received(self, data: bytes) -> None:
        if self.phase in (Phase.FRESH, Phase.IDLE):
            # The time of a first request runs from connecting, not from its first byte.
            if self.phase is Phase.IDLE:
                self.since = self._gate.now()
            self.phase = Phase.HEAD
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.left(self)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.stalled_since = self._gate.now()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self.stalled_since = None
        self._inner.resume_writing()

    def passes_to(self, inner: asyncio.Protocol) -> None:
        """After an upgrade."""
        self._inner = inner


class _Passing:
    """The transport as the server sees it: a protocol it sets takes the place behind the gate."""

    def __init__(self, transport: asyncio.Transport, peer: _Peer) -> None:
        self._transport = transport
        self._peer = peer

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._peer.passes_to(cast("asyncio.Protocol", protocol))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
