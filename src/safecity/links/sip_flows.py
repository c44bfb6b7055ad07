"""The sockets under a SIP endpoint: one UDP socket, a TCP listener, connections in both directions.

Bytes in, messages out: limits, framing and counters; who speaks what to whom is decided in `links.sip`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

from safecity.protocols.sip.message import Malformed, Request, Response
from safecity.protocols.sip.parse import StreamDecoder, parse_message

PONG = b"\r\n"
MAX_OUTGOING_BYTES = 1024 * 1024
"""A TCP peer that lets so much lie unread is cut off."""


class Flow(NamedTuple):
    """Where messages come from and go to: an address over UDP, or one TCP connection. Equal flows are the same way."""

    transport: str
    host: str
    port: int
    connection: StreamLink | None = None

    @property
    def reliable(self) -> bool:
        """True for TCP."""
        return self.connection is not None

    def __str__(self) -> str:
        return f"{self.transport}:{self.host}:{self.port}"


@dataclass(slots=True)
class SipCounters:
    """Since the endpoint opened."""

    messages_in: int = 0
    messages_out: int = 0
    malformed: int = 0
    dropped: int = 0
    strays: int = 0
    timeouts: int = 0
    handler_errors: int = 0
    socket_errors: int = 0
    connections: int = 0
    connections_refused: int = 0


@dataclass(frozen=True, slots=True)
class SipLimits:
    """Of one endpoint. Seconds and counts."""

    transactions: int = 50_000
    connections: int = 20_000
    connections_per_host: int = 5_000
    idle_seconds: float = 900.0
    message_seconds: float = 15.0
    answer_malformed: bool = True


Heard = Callable[[Request | Response | Malformed, Flow], None]
Admit = Callable[[str, float], bool]
"""(source host, now) -> False where the message is to be dropped unread; `protocols.sip.guard.SourceGuard.admit`."""
Useless = Callable[[Flow], None]
"""Something came this way that was good for nothing."""


class DatagramLink(asyncio.DatagramProtocol):
    """The UDP socket."""

    def __init__(self, heard: Heard, admit: Admit | None, counters: SipCounters, useless: Useless) -> None:
        self._heard = heard
        self._admit = admit
        self._counters = counters
        self._useless = useless
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # a check by class would refuse uvloop's

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        host = str(addr[0])
        if self._admit is not None and not self._admit(host, self._loop.time()):
            self._counters.dropped += 1
            self._useless(Flow("udp", host, int(addr[1])))
            return
        if len(data) < 16 and not data.strip(b"\r\n\0 "):
            return  # keep-alive of a NAT binding
        self._heard(parse_message(data), Flow("udp", host, int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        del exc
        self._counters.socket_errors += 1  # an ICMP answer to what we sent: the transaction will time out

    def send(self, data: bytes, host: str, port: int) -> None:
        """Never raises: what cannot be sent is lost, as UDP is."""
        if self.transport is None or self.transport.is_closing():
            return
        try:
            self.transport.sendto(data, (host, port))
        except (OSError, ValueError, TypeError):
            self._counters.socket_errors += 1


class StreamLink(asyncio.Protocol):
    """One TCP connection, whoever opened it."""

    def __init__(self, owner: StreamOwner, *, dialled: bool) -> None:
        self._owner = owner
        self._decoder = StreamDecoder()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._incomplete_since = 0.0
        self._heard_at = self._loop.time()
        self.dialled = dialled
        self.flow = Flow("tcp", "", 0, self)
        self.local: tuple[str, int] = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)  # a check by class would refuse uvloop's
        self._transport = stream
        peer = transport.get_extra_info("peername") or ("", 0)
        local = transport.get_extra_info("sockname") or ("", 0)
        self.flow = Flow("tcp", str(peer[0]), int(peer[1]), self)
        self.local = (str(local[0]), int(local[1]))
        if not self._owner.opened(self):
            stream.abort()

    def data_received(self, data: bytes) -> None:
        self._heard_at = now = self._loop.time()
        messages = self._decoder.feed(data)
        if messages or not self._decoder.waiting:
            self._incomplete_since = 0.0
        if self._decoder.waiting and not self._incomplete_since:
            self._incomplete_since = now
        for message in messages:
            if self._owner.admit is not None and not self._owner.admit(self.flow.host, now):
                self._owner.counters.dropped += 1
                continue
            self._owner.heard(message, self.flow)
        if self._decoder.take_pings():
            self.send(PONG)
        if self._decoder.broken:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._owner.lost(self)

    def is_stale(self, now: float, limits: SipLimits) -> bool:
        """True where it hangs inside a message, or nothing came for long."""
        slow = self._incomplete_since and now - self._incomplete_since > limits.message_seconds
        return bool(slow) or now - self._heard_at > limits.idle_seconds

    @property
    def is_open(self) -> bool:
        """False once the connection is gone."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Never raises: a connection that is gone has told its owner so."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_OUTGOING_BYTES:
            self._transport.abort()

    def close(self) -> None:
        """Let go; `lost` follows."""
        if self._transport is not None:
            self._transport.close()


class StreamOwner:
    """What connections tell: kept apart from the endpoint so that its public face stays small."""

    def __init__(self, heard: Heard, admit: Admit | None, counters: SipCounters, limits: SipLimits) -> None:
        self.heard = heard
        self.admit = admit
        self.counters = counters
        self.links: set[StreamLink] = set()
        self.on_lost: Callable[[Flow], None] | None = None
        self._limits = limits
        self._by_host: dict[str, int] = {}

    def opened(self, link: StreamLink) -> bool:
        """False where there are too many already."""
        host = link.flow.host
        held = self._by_host.get(host, 0)
        full = len(self.links) >= self._limits.connections or held >= self._limits.connections_per_host
        if full and not link.dialled:
            self.counters.connections_refused += 1
            return False
        self._by_host[host] = held + 1
        self.links.add(link)
        self.counters.connections = len(self.links)
        return True

    def lost(self, link: StreamLink) -> None:
        """Forget the connection and tell."""
        if link not in self.links:
            return
        self.links.discard(link)
        self.counters.connections = len(self.links)
        host = link.flow.host
        left = self._by_host.get(host, 1) - 1
        if left > 0:
            self._by_host[host] = left
        else:
            self._by_host.pop(host, None)
        if self.on_lost is not None:
            self.on_lost(link.flow)

    def sweep(self, now: float) -> None:
        """Close what hangs."""
        for link in list(self.links):
            if link.is_stale(now, self._limits):
                link.close()


def bind_address(address: tuple[str, int], kind: socket.SocketKind) -> socket.socket:
    """A socket bound there; OSError."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def host_towards(host: str, port: int) -> str:
    """Which of our addresses the kernel would send from; no packet is sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port or 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
