"""Connections of terminals: bytes in and out, and how many there may be. Decides nothing about the protocol."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.jt808.outputs import Output
from safecity.protocols.jt808.platform import Host, PlatformSession

logger = logging.getLogger(__name__)

MAX_UNSENT: Final = 256 * 1024
"""Bytes that wait for a terminal that does not read; then it is cut off."""
FRAMES_PER_SECOND: Final = 100.0
FRAMES_AHEAD_SECONDS: Final = 20.0
"""What a connection may send ahead of that pace. Then it is not read for a while: nothing is lost, nobody waits."""
LINGER_SECONDS: Final = 10.0
"""So long what was said last may take to go out, when a connection is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Connections at once from one address and altogether, and new ones of one address a second."""

    per_address: int = 5000
    altogether: int = 50_000
    per_second: float = 200.0


class Gate:
    """Counts connections, of each address and altogether."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inside = 0
        self._by_address: Counter[str] = Counter()
        self._arrivals = Buckets(rate=limits.per_second, burst=limits.per_second * 10)
        self.turned_away = 0

    def admits(self, address: str, now: float) -> bool:
        """Whether there is room for one more from there; whoever came in is to be told of by `left`."""
        full = self._inside >= self._limits.altogether or self._by_address[address] >= self._limits.per_address
        if full or not self._arrivals.take(address, now):
            self.turned_away += 1
            if self.turned_away & (self.turned_away - 1) == 0:  # at 1, 2, 4, ...: a flood must not fill the log
                logger.warning("connection turned away address=%s so_far=%s", address, self.turned_away)
            return False
        self._inside += 1
        self._by_address[address] += 1
        return True

    def left(self, address: str) -> None:
        """One of those that came in is gone."""
        self._inside -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class TerminalLink(asyncio.Protocol):
    """One connection. `deadline`: when its session is to be told the time, or (when that is over) it is cut;
    `paused_until`: when it is read again."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._transport: asyncio.Transport | None = None
        self.session = PlatformSession(hall.host, hall.now(), heartbeat_seconds=hall.heartbeat_seconds)
        self.address = ""
        self.peer = ""
        self.local_host = ""
        self.deadline: float | None = None
        self.paused_until: float | None = None
        self._paced = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own is none by its class.
        self._transport = opened = cast("asyncio.Transport", transport)
        host, port = (opened.get_extra_info("peername") or ("", 0))[:2]
        self.address, self.peer = str(host), f"{host}:{port}"
        self.local_host = str((opened.get_extra_info("sockname") or ("",))[0])
        if self._hall.admits(self):
            self.deadline = self.session.next_deadline()
        else:
            opened.abort()

    def data_received(self, data: bytes) -> None:
        if self.session.over:
            return
        now = self._hall.now()
        self._hall.take(self, self.session.receive(data, now))
        self.look_ahead(now)
        self._pace(data.count(0x7E) / 2, now)

    def look_ahead(self, now: float) -> None:
        """Set `deadline`."""
        self.deadline = now + LINGER_SECONDS if self.session.over else self.session.next_deadline()

    def _pace(self, frames: float, now: float) -> None:
        self._paced = max(self._paced, now) + frames / FRAMES_PER_SECOND
        ahead = self._paced - now - FRAMES_AHEAD_SECONDS
        transport = self._transport
        if ahead > 0 and self.paused_until is None and transport is not None and not transport.is_closing():
            # Never so long that it would be taken for silent.
            self.paused_until = now + min(ahead, self._hall.heartbeat_seconds / 2)
            transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self.paused_until = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._hall.left(self)

    def send(self, data: bytes) -> None:
        """Nothing, once the connection is gone."""
        transport = self._transport
        if transport is None or transport.is_closing() or not data:
            return
        if transport.get_write_buffer_size() > MAX_UNSENT:
            transport.abort()
            return
        transport.write(data)

    def close(self) -> None:
        """After what was written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """At once: whoever does not read must not keep the place."""
        if self._transport is not None:
            self._transport.abort()


class Hall:
    """All connections. `take` gets what their sessions say; `now` is the clock of all of them."""

    def __init__(
        self,
        host: Host,
        take: Callable[[TerminalLink, list[Output]], None],
        gone: Callable[[TerminalLink], None],
        now: Callable[[], float],
        *,
        heartbeat_seconds: float,
        limits: Limits,
    ) -> None:
        self.host = host
        self.take = take
        self.heartbeat_seconds = heartbeat_seconds
        self.links: set[TerminalLink] = set()
        self.now = now
        self._gone = gone
        self.gate = Gate(limits)
        self._server: asyncio.Server | None = None

    async def open(self, listening: socket.socket) -> None:
        """Accept on a socket that the supervisor opened."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TerminalLink(self), sock=listening, backlog=1024)

    async def close(self) -> None:
        """Cut all connections; terminals come again."""
        if self._server is not None:
            self._server.close()
        for link in list(self.links):
            link.close()

    def admits(self, link: TerminalLink) -> bool:
        """Whether there is room for one more from there."""
        if not self.gate.admits(link.address, self.now()):
            return False
        self.links.add(link)
        return True

    def left(self, link: TerminalLink) -> None:
        """A connection is gone."""
        if link in self.links:
            self.links.discard(link)
            self.gate.left(link.address)
            self._gone(link)

    def tick(self) -> None:
        """Once a second or so: tell the time to those who wait for it."""
        now = self.now()
        for link in [one for one in self.links if one.deadline is not None and one.deadline <= now]:
            if link.session.over:
                link.deadline = None
                link.abort()
                continue
            self.take(link, link.session.expire(now))
            link.look_ahead(now)
        for link in [one for one in self.links if one.paused_until is not None and one.paused_until <= now]:
            link.resume()
