"""The media port: who may enter, how many, and who has to leave.

Every slot listens on the same inherited socket; whoever accepts a connection checks its ticket and serves it. The
ticket is the authentication; the check of Origin only keeps a foreign page from using a ticket it has seen.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ForbiddenError, InvalidError
from safecity.media.door.connection import Connection, Handler
from safecity.media.door.used import UsedTickets
from safecity.model.values.ticket import MAX_LIFE_SECONDS, Ticket, verify
from safecity.protocols.websocket import GOING_AWAY, POLICY, Request

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 0.25

Serve = Callable[[Connection, Ticket], Handler]
"""Begins to serve a connection whose ticket is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the media port of one slot.

    connections          open at once, viewers and others
    unopened             connections that have not shown a ticket yet; the oldest leaves when one more comes
    per_session          connections of one signed-in session
    opening_seconds      from connecting to a whole request
    ping_seconds         so often each connection is asked, and told that we are alive (scripts do not see pings)
    silence_seconds      a viewer that says and answers nothing for so long is dropped
    ending_seconds       how long a closing connection may take to be told so
    """

    connections: int = 4000
    unopened: int = 256
    per_session: int = 64
    opening_seconds: float = 5.0
    ping_seconds: float = 10.0
    silence_seconds: float = 60.0
    ending_seconds: float = 0.5


@dataclass(slots=True)
class Access:
    """What control tells a slot: keys that sign tickets, newest first, and pages that may connect."""

    keys: Sequence[bytes] = ()
    origins: Collection[str] = field(default_factory=frozenset[str])


class Door:
    """Accepts viewers. `routes` maps `live` and `playback` (the path `/v1/<name>/<ticket>`) to who serves them.

    `watched` hears of each viewer that left, and for how many seconds it was there.
    """

    def __init__(
        self,
        clock: Clock,
        routes: dict[str, Serve],
        access: Access,
        limits: Limits | None = None,
        watched: Callable[[Ticket, float], None] | None = None,
        used: UsedTickets | None = None,
    ) -> None:
        self._clock = clock
        self._watched = watched
        self._routes = routes
        self._access = access
        self._limits = limits or Limits()
        self._connections: dict[Connection, float] = {}  # the value is when it was last pinged
        self._unopened: dict[Connection, None] = {}
        self._sessions: Counter[str] = Counter()
        self._used = used or UsedTickets()
        self._ended: dict[str, int] = {}  # sessions, until when tickets of theirs may still be about
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.Task[None] | None = None
        self.counters: Counter[str] = Counter()

    async def listen(self, listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept on an inherited, listening socket, with TLS if a context is given."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self),
            sock=listening,
            ssl=tls,
            backlog=512,
            ssl_handshake_timeout=None if tls is None else self._limits.opening_seconds,
        )
        self._servers.append(server)
        if self._sweeper is None:
            self._sweeper = loop.create_task(self._keep_sweeping())

    async def close(self) -> None:
        """Stop accepting and end every connection with `going_away`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            if connection.opened:
                connection.end("going_away", GOING_AWAY)
        await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.abort()
        self._servers.clear()

    def end_sessions(self, sessions: Collection[str], code: str = "session_ended") -> int:
        """End every connection of these sessions; what waits unsent is dropped within a second. The number ended."""
        until = self._clock.now_us() // SECOND_US + 2 * MAX_LIFE_SECONDS
        self._ended.update(dict.fromkeys(sessions, until))
        found = [one for one in self._connections if one.ticket is not None and one.ticket.session in sessions]
        for connection in found:
            connection.end(code, POLICY)
        return len(found)

    @property
    def viewers(self) -> int:
        """Connections that are served now."""
        return sum(self._sessions.values())

    def sweep(self) -> None:
        """Called often: end what is late, ask what is silent."""
        now, limits = self.now(), self._limits
        for connection, pinged in list(self._connections.items()):
            if connection.ending_since is not None:
                if now - connection.ending_since >= limits.ending_seconds:
                    connection.abort()
            elif not connection.opened:
                if now - connection.since >= limits.opening_seconds:
                    self.count("opening_timeout")
                    connection.abort()
            elif now - connection.heard >= limits.silence_seconds:
                self.count("silent")
                connection.abort()
            elif now - (pinged or connection.since) >= limits.ping_seconds:
                self._connections[connection] = now
                connection.ping()
        # A clock that is set back a little must not make a ticket new again.
        self._used.forget(self._clock.now_us() // SECOND_US - MAX_LIFE_SECONDS)
        if self._ended:
            seconds = self._clock.now_us() // SECOND_US
            self._ended = {session: until for session, until in self._ended.items() if until >= seconds}

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()

    # --- Owner of connections ---

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    def count(self, what: str) -> None:
        """One more of `what`."""
        self.counters[what] += 1

    def opened(self, connection: Connection) -> None:
        """Somebody connected."""
        self.count("connections")
        self._connections[connection] = 0.0
        self._unopened[connection] = None
        if len(self._connections) > self._limits.connections:
            self.count("refused_full")
            connection.abort()
        elif len(self._unopened) > self._limits.unopened:
            self.count("refused_unopened")
            next(iter(self._unopened)).abort()

    def gone(self, connection: Connection) -> None:
        """It left."""
        self._connections.pop(connection, None)
        self._unopened.pop(connection, None)
        if connection.ticket is not None:
            session = connection.ticket.session
            if self._watched is not None:
                self._watched(connection.ticket, self.now() - connection.since)
            self._sessions[session] -= 1
            if self._sessions[session] <= 0:
                del self._sessions[session]

    def request(self, connection: Connection, request: Request) -> None:
        """A whole request head came."""
        self._unopened.pop(connection, None)
        if request.path == "/healthz" and request.method in ("GET", "HEAD"):
            connection.answer(200, "OK", "ok\n")
            return
        version, _, rest = request.path.removeprefix("/").partition("/")
        action, _, text = rest.partition("/")
        serve = self._routes.get(action) if version == "v1" else None
        if serve is None:
            self.count("not_found")
            connection.answer(404, "Not Found", "not found\n")
            return
        if not self._origin_allowed(request):
            self.count("origin_refused")
            connection.answer(403, "Forbidden", "origin\n")
            return
        self._enter(connection, request, serve, action, text)

    def _enter(self, connection: Connection, request: Request, serve: Serve, action: str, text: str) -> None:
        try:
            connection.accept(request)
        except InvalidError:
            self.count("bad_websocket")
            connection.answer(426, "Upgrade Required", "this is a WebSocket\n")
            return
        # The socket is opened before a ticket is refused, because a browser shows its script only that way why.
        try:
            ticket = self._check(action, text)
        except ForbiddenError as error:
            self.count(error.code)
            connection.end(error.code, POLICY)
            return
        if self._sessions[ticket.session] >= self._limits.per_session:
            self.count("too_many_viewers")
            connection.end("too_many_viewers", POLICY)
            return
        self._sessions[ticket.session] += 1
        self.count(f"opened_{action}")
        connection.serve(ticket, lambda opened: serve(opened, ticket), request.rest)

    def _check(self, action: str, text: str) -> Ticket:
        seconds = self._clock.now_us() / SECOND_US
        ticket = verify(text, self._access.keys, seconds)
        if ticket.action != action:
            raise ForbiddenError("ticket of another action", code="ticket_forged")
        if ticket.session in self._ended:
            raise ForbiddenError("signed out since", code="session_ended")
        if ticket.nonce and not self._used.use(ticket.nonce, ticket.not_after):
            raise ForbiddenError("ticket used before", code="ticket_used")
        return ticket

    def _origin_allowed(self, request: Request) -> bool:
        """Programs send no Origin; a page must come from the host it connects to, or be listed."""
        origin = request.headers.get("origin")
        if origin is None or origin in self._access.origins:
            return True
        try:
            return urlsplit(origin).hostname == urlsplit(f"//{request.headers.get('host', '')}").hostname is not None
        except ValueError:
            return False
