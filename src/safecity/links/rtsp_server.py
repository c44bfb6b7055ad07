"""An RTSP server on asyncio: connections, one shared pair of UDP ports, and mounts that media comes from.

The simulated cameras stand on it. A mount is told of its viewers and gives each of them packets of RTP; a viewer who
does not keep up loses packets, nobody waits for it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Final, Protocol, cast

from safecity.links.sip_flows import bind_address
from safecity.links.udp_pairs import bind_pair
from safecity.protocols.rtsp.server import FromPeer, Output, Over, Pause, Play, Send, ServerAuth, ServerSession
from safecity.protocols.rtsp.transport import Transport
from safecity.protocols.sdp import SessionDescription

MAX_BUFFER: Final = 4 * 1024 * 1024
MAX_CONNECTIONS: Final = 1000


class Mount(Protocol):
    """Something that can be played."""

    def describe(self) -> SessionDescription:
        """Its SDP; the controls of its media are `trackID=0`, `trackID=1` and so on."""
        ...

    def attach(self, viewer: Viewer) -> None:
        """Begin to call `viewer.send`."""
        ...

    def detach(self, viewer: Viewer) -> None:
        """Stop. Nothing happens where it was not attached."""
        ...


Mounts = Callable[[str], Mount | None]
"""The mount of a path (beginning with `/`, with query), None where there is none."""


class Viewer:
    """One playing client, as its mount sees it. `dropped` counts packets it was too slow for."""

    def __init__(self, connection: _Connection, tracks: dict[int, Transport]) -> None:
        self._connection = connection
        self._tracks = tracks
        self.dropped = 0

    def wants(self, track: int) -> bool:
        """True where the client has set this track up."""
        return track in self._tracks

    def send(self, track: int, packet: bytes, *, control: bool = False) -> None:
        """One packet of RTP (or, with `control`, RTCP); never blocks, never raises."""
        if not self._connection.send_packet(track, packet, control):
            self.dropped += 1


class RtspServer:
    """`await start(...)`, then `port` is what clients connect to."""

    def __init__(self, mounts: Mounts, *, auth: ServerAuth | None = None, timeout_seconds: int = 60) -> None:
        self._mounts = mounts
        self._auth = auth
        self._timeout = timeout_seconds
        self._server: asyncio.Server | None = None
        self._udp: list[asyncio.DatagramTransport] = []
        self._udp_port = 0
        self._connections: set[_Connection] = set()
        self._by_source: dict[tuple[str, int], _Connection] = {}
        self.port = 0

    async def start(self, listen: socket.socket | tuple[str, int], *, udp: bool = True) -> None:
        """Listen; OSError where that fails."""
        loop = asyncio.get_running_loop()
        bound = listen if isinstance(listen, socket.socket) else bind_address(listen, socket.SOCK_STREAM)
        bound.setblocking(False)
        host, self.port = str(bound.getsockname()[0]), int(bound.getsockname()[1])
        if udp:
            pair = bind_pair(host)
            self._udp_port = int(pair[0].getsockname()[1])
            for sock in pair:
                transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self.heard_from), sock=sock)
                self._udp.append(transport)
        self._server = await loop.create_server(lambda: _Connection(self), sock=bound)

    async def close(self) -> None:
        """Close the listener, the connections and the UDP ports."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        for transport in self._udp:
            transport.close()
        await asyncio.sleep(0)

    # --- for connections ---------------------------------------------------------------------------------------

    def open_session(self, connection: _Connection) -> ServerSession | None:
        """A session for a new connection; None when there are too many."""
        if len(self._connections) >= MAX_CONNECTIONS:
            return None
        self._connections.add(connection)

        def describe(path: str) -> SessionDescription | None:
            mount = self._mounts(path)
            return None if mount is None else mount.describe()

        return ServerSession(
            describe,
            session=secrets.token_hex(8),
            nonce=secrets.token_hex(16),
            auth=self._auth,
            server_ports=(self._udp_port, self._udp_port + 1) if self._udp else None,
            timeout_seconds=self._timeout,
        )

    def mount(self, path: str) -> Mount | None:
        """The mount of a path."""
        return self._mounts(path)

    def gone(self, connection: _Connection) -> None:
        """Forget it."""
        self._connections.discard(connection)
        for source in [source for source, one in self._by_source.items() if one is connection]:
            del self._by_source[source]

    def expect(self, source: tuple[str, int], connection: _Connection) -> None:
        """RTCP of this address belongs to that connection."""
        self._by_source[source] = connection

    def heard_from(self, source: tuple[str, int]) -> None:
        """Something came over UDP: its client is alive."""
        connection = self._by_source.get(source)
        if connection is not None:
            connection.alive()

    def send_udp(self, control: bool, packet: bytes, host: str, port: int) -> bool:
        """False where it cannot be sent."""
        if not self._udp:
            return False
        try:
            self._udp[1 if control else 0].sendto(packet, (host, port))
        except (OSError, ValueError):
            return False
        return True


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[tuple[str, int]], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        del data
        self._heard((str(addr[0]), int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        """A client that is gone: its time-out will tell."""


class _Connection(asyncio.Protocol):
    def __init__(self, owner: RtspServer) -> None:
        self._owner = owner
        self._session: ServerSession | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._mount: Mount | None = None
        self._viewer: Viewer | None = None
        self._tracks: dict[int, Transport] = {}
        self._host = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._host = str((transport.get_extra_info("peername") or ("",))[0])
        self._session = self._owner.open_session(self)
        if self._session is None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._run(self._session.receive(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._stop()
        if self._timer is not None:
            self._timer.cancel()
        self._owner.gone(self)

    def alive(self) -> None:
        if self._session is not None:
            self._session.alive(self._loop.time())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def send_packet(self, track: int, packet: bytes, control: bool) -> bool:
        transport = self._tracks.get(track)
        if transport is None or self._session is None or self._transport is None:
            return False
        if not transport.tcp:
            port = (transport.client_ports or (0, 0))[1 if control else 0]
            return self._owner.send_udp(control, packet, self._host, port)
        wire = self._session.packet(track, packet, control=control)
        if wire is None or self._transport.get_write_buffer_size() > MAX_BUFFER:
            return False
        self._transport.write(wire)
        return True

    def _run(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(data):
                    if self._transport is not None:
                        self._transport.write(data)
                case Play(path, tracks):
                    self._play(path, tracks)
                case Pause():
                    self._stop()
                case Over():
                    self._stop()
                    self.close()
                case FromPeer():
                    self.alive()
        self._arm()

    def _play(self, path: str, tracks: dict[int, Transport]) -> None:
        self._stop()
        self._tracks = tracks
        for transport in tracks.values():
            for port in transport.client_ports or ():
                self._owner.expect((self._host, port), self)
        self._mount = self._owner.mount(path)
        if self._mount is not None:
            self._viewer = Viewer(self, tracks)
            self._mount.attach(self._viewer)

    def _stop(self) -> None:
        if self._mount is not None and self._viewer is not None:
            self._mount.detach(self._viewer)
        self._mount = self._viewer = None

    def _arm(self) -> None:
        at = self._session.next_deadline() if self._session is not None else None
        if at is not None and self._timer is None and self._transport is not None:
            # Deadlines only move away: a timer that comes too early finds nothing to do and is set anew.
            self._timer = self._loop.call_at(at, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._session is not None:
            self._run(self._session.expire(self._loop.time()))
