"""All TCP connections of a receiver: those devices made to us, and those we make to devices."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping

from safecity.kit.errors import Param
from safecity.media.receive.feed import Feed
from safecity.media.receive.router import Router
from safecity.media.receive.tcp import (
    MAX_CONNECTIONS,
    MAX_PENDING_PER_HOST,
    UNCLAIMED_SECONDS,
    MediaConnection,
    TcpListener,
    dial,
)
from safecity.media.receive.vehicles import Vehicles

logger = logging.getLogger(__name__)

Lost = Callable[[Feed, str, dict[str, Param]], None]
"""(feed, step, params): a connection ended or could not be made."""


class Connections:
    """Listens on inherited sockets, dials for `tcp_active`, closes what nobody claims."""

    def __init__(self, listening: Mapping[int, socket.socket], router: Router, vehicles: Vehicles, lost: Lost) -> None:
        self._listening = dict(listening)
        self._router = router
        self._vehicles = vehicles
        self._lost = lost
        self._listeners: list[TcpListener] = []
        self._connections: set[MediaConnection] = set()
        self._dials: dict[Feed, asyncio.Task[None]] = {}

    @property
    def numbers(self) -> tuple[int, ...]:
        """The ports listened on."""
        return tuple(self._listening)

    @property
    def accepts_failed(self) -> int:
        """How often a connection could not be taken."""
        return sum(listener.failures for listener in self._listeners)

    def start(self) -> None:
        """Accept, in the running loop."""
        self._listeners = [TcpListener(number, sock, self._accepted) for number, sock in self._listening.items()]

    def stop(self) -> None:
        """Close every connection; the listening sockets belong to whoever handed them over."""
        for task in self._dials.values():
            task.cancel()
        self._dials.clear()
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        for connection in tuple(self._connections):
            connection.close("receiver_stopped")

    def forget(self, feed: Feed) -> None:
        """The feed is over: so are its connection and its dialling."""
        task = self._dials.pop(feed, None)
        if task is not None:
            task.cancel()
        for connection in tuple(self._connections):
            if connection.source is feed.source:
                connection.source = None
                connection.close("stream_closed")

    def close_unclaimed(self) -> None:
        """Connections on which nothing came that anybody expects; called about once a second."""
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._connections):
            if not connection.is_claimed and now - connection.opened > UNCLAIMED_SECONDS:
                connection.close("nobody_expects_it")

    def _accepted(self, number: int, sock: socket.socket, address: tuple[str, int]) -> None:
        full = len(self._connections) >= MAX_CONNECTIONS
        if full or not self._may_connect(number, address[0]):
            sock.close()
            return
        self._connections.add(self._connection(sock, address, number))

    def _connection(self, sock: socket.socket, peer: tuple[str, int], port: int) -> MediaConnection:
        return MediaConnection(sock, peer, port, self._router.packets, self._vehicles.packets, self._gone)

    def _may_connect(self, number: int, host: str) -> bool:
        """Somebody is expected on this port, and this host has not too many connections that nobody claimed."""
        if not (self._router.expects(number) or self._vehicles.expects(number)):
            return False
        unclaimed = sum(1 for one in self._connections if not one.is_claimed and one.peer[0] == host)
        return unclaimed < MAX_PENDING_PER_HOST

    def _gone(self, connection: MediaConnection, reason: str) -> None:
        self._connections.discard(connection)
        self._vehicles.gone(connection, reason)
        feed = self._router.feed_of(connection.source) if connection.source is not None else None
        if feed is None:
            return
        feed.connected = False
        logger.info("media connection ended channel=%s reason=%s", feed.key.channel, reason)
        self._lost(feed, "gb_connection_closed", {"reason": reason})

    def dial(self, feed: Feed) -> None:
        """Connect to the device, in the background; nothing happens while that is under way."""
        if feed not in self._dials:
            name = f"dial {feed.key.channel}"
            self._dials[feed] = asyncio.get_running_loop().create_task(self._dialled(feed), name=name)

    async def _dialled(self, feed: Feed) -> None:
        def failed(why: str) -> None:
            feed.dial_error = why[:120]

        sock = await dial(feed.remote_host, feed.remote_port, failed)
        self._dials.pop(feed, None)
        if sock is None:
            self._lost(feed, *feed.diagnosis())
            return
        feed.connected = True
        peer = (feed.remote_host, feed.remote_port)
        connection = self._connection(sock, peer, 0)
        connection.source = feed.source
        self._connections.add(connection)
