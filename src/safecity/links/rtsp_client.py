"""An RTSP client on asyncio: one connection, and pairs of UDP ports where media goes that way.

`play` runs one session to its end and says how it ended; what comes meanwhile goes to a `Listener`, synchronously.
Names are resolved here, every address they lead to must pass the caller's `HostPolicy`, and exactly the address that
was judged is dialled.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol, cast

from safecity.kit.errors import Param
from safecity.links.udp_pairs import PairProtocol, UdpPair, open_pair
from safecity.protocols.rtsp.auth import ClientAuth
from safecity.protocols.rtsp.client import (
    ClientSession,
    Described,
    Failed,
    Media,
    NeedPorts,
    Output,
    Playing,
    Send,
)
from safecity.protocols.rtsp.transport import RtspUrl

CONNECT_SECONDS: Final = 5.0
SOCKET_BUFFER: Final = 1024 * 1024

HostPolicy = Callable[[str], bool]
"""Whether we may connect to this IP address."""


class Listener(Protocol):
    """What a session tells, in the loop's thread."""

    def described(self, described: Described) -> None:
        """The camera's offer is known."""
        ...

    def playing(self, playing: Playing) -> None:
        """PLAY was answered; media may have come before."""
        ...

    def media(self, track: int, control: bool, data: bytes) -> None:
        """A packet of RTP or (`control`) RTCP."""
        ...


class RtspLink(asyncio.Protocol):
    """The connection of one session. `ended` becomes the reason."""

    def __init__(self, session: ClientSession, listener: Listener) -> None:
        self._session = session
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at: float | None = None
        self._pairs: dict[int, UdpPair] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._peer = ""
        self._local = ""
        self.ended: asyncio.Future[Failed] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        self._local = str((transport.get_extra_info("sockname") or ("",))[0])
        self._run(self._session.start(self._loop.time()))

    def data_received(self, data: bytes) -> None:
        self._run(self._session.receive(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._finish(Failed("rtsp_closed", {}))

    def send_control(self, track: int, packet: bytes) -> None:
        """An RTCP packet of ours, on whichever way the track's media comes."""
        pair = self._pairs.get(track)
        if pair is not None:
            pair.send_control(packet)
            return
        wire = self._session.control_packet(track, packet)
        if wire is not None and self._transport is not None:
            self._transport.write(wire)

    def close(self) -> None:
        """Say goodbye and let go."""
        self._run(self._session.teardown())
        self._finish(Failed("rtsp_closed", {}))

    def _run(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Media(track, control, data):
                    self._listener.media(track, control, data)
                case Send(data):
                    if self._transport is not None:
                        self._transport.write(data)
                case NeedPorts(track):
                    self._spawn(track)
                case Described():
                    self._listener.described(output)
                case Playing():
                    self._punch(output)
                    self._listener.playing(output)
                case Failed():
                    self._finish(output)
        if self._session.over and not self.ended.done():
            self._finish(Failed("", {}))
        self._arm()

    def _spawn(self, track: int) -> None:
        task = self._loop.create_task(self._open(track))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, track: int) -> None:
        def heard(control: bool, data: bytes) -> None:
            self._listener.media(track, control, data)

        try:
            pair = await open_pair(self._local, lambda control: PairProtocol(self._peer, control, heard))
        except OSError:
            self._finish(Failed("rtsp_no_ports", {}))
            return
        if self.ended.done():
            pair.close()
            return
        self._pairs[track] = pair
        self._run(self._session.ports(pair.port, self._loop.time()))

    def _punch(self, playing: Playing) -> None:
        """Open the way through a NAT or firewall for packets from the camera's ports."""
        for track, ports in enumerate(playing.server_ports):
            pair = self._pairs.get(track)
            if pair is not None and ports is not None:
                pair.aim(self._peer, ports)

    def _arm(self) -> None:
        at = None if self.ended.done() else self._session.next_deadline()
        if at == self._armed_at:
            return
        self._armed_at = at
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at is None else self._loop.call_at(at, self._expire)

    def _expire(self) -> None:
        self._timer = self._armed_at = None
        self._run(self._session.expire(self._loop.time()))

    def _finish(self, failed: Failed) -> None:
        if self.ended.done():
            return
        self.ended.set_result(failed)
        if self._timer is not None:
            self._timer.cancel()
        for pair in self._pairs.values():
            pair.close()
        if self._transport is not None:
            self._transport.close()


class Player:
    """Plays one URL once: `run` to the end, `send_control` meanwhile."""

    def __init__(
        self,
        url: RtspUrl,
        username: str,
        password: str,
        listener: Listener,
        *,
        transport: str = "tcp",
        policy: HostPolicy | None = None,
        describe_only: bool = False,
    ) -> None:
        self._url = url
        auth = ClientAuth(username, password, secrets.token_hex(8))
        self._session = ClientSession(url, auth, transport=transport, describe_only=describe_only)
        self._listener = listener
        self._policy = policy
        self._link: RtspLink | None = None

    def send_control(self, track: int, packet: bytes) -> None:
        """RTCP of ours; nothing happens while there is no connection."""
        if self._link is not None:
            self._link.send_control(track, packet)

    async def run(self) -> Failed:
        """How it ended: a step of the catalogue, empty after `describe_only`. Cancelling says TEARDOWN."""
        address = await resolve(self._url.host, self._url.port, self._policy)
        if isinstance(address, Failed):
            return address
        where: dict[str, Param] = {"host": self._url.host, "port": self._url.port}
        link = RtspLink(self._session, self._listener)
        sock: socket.socket | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                sock = await _connect(*address)
                await asyncio.get_running_loop().create_connection(
                    lambda: link,
                    sock=sock,
                    ssl=_tls() if self._url.tls else None,
                    server_hostname="" if self._url.tls else None,
                )
        except (OSError, TimeoutError) as error:
            if sock is not None:
                sock.close()
            return Failed("rtsp_connect_failed", {**where, "reason": type(error).__name__})
        self._link = link
        try:
            return await asyncio.shield(link.ended)
        finally:
            self._link = None
            link.close()


async def resolve(host: str, port: int, policy: HostPolicy | None) -> tuple[socket.AddressFamily, str, int] | Failed:
    """The address to dial. With a policy every address of the name must pass: a name cannot be used to slip by."""
    loop = asyncio.get_running_loop()
    where: dict[str, Param] = {"host": host, "port": port}
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return Failed("rtsp_connect_failed", {**where, "reason": "name"})
    addresses = [(family, str(address[0])) for family, _, _, _, address in found]
    if not addresses:
        return Failed("rtsp_connect_failed", {**where, "reason": "name"})
    if policy is not None and not all(policy(address) for _, address in addresses):
        return Failed("rtsp_host_forbidden", where)
    family, address = addresses[0]
    return family, address, port


async def _connect(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _tls() -> ssl.SSLContext:
    # Cameras carry certificates of their own making; rtsps keeps listeners out, it does not tell who the camera is.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
