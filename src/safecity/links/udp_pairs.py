"""Pairs of UDP ports for RTP and RTCP: an even one and the next (RFC 3550, 11)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable
from typing import Final

TRIES: Final = 40
LOW, HIGH = 20_000, 60_000
RECEIVE_BUFFER: Final = 4 * 1024 * 1024

Heard = Callable[[bool, bytes], None]
"""(control, packet)."""


class PairProtocol(asyncio.DatagramProtocol):
    """One of the two; packets of anybody but the peer are dropped and counted."""

    def __init__(self, peer: str, control: bool, heard: Heard) -> None:
        self._peer = peer
        self._control = control
        self._heard = heard
        self.foreign = 0

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if addr[0] != self._peer:
            self.foreign += 1
            return
        self._heard(self._control, data)

    def error_received(self, exc: Exception) -> None:
        """ICMP about what we sent: the other side is not there (yet)."""


class UdpPair:
    """Two open ports, `port` and `port + 1`."""

    def __init__(self, port: int, media: asyncio.DatagramTransport, control: asyncio.DatagramTransport) -> None:
        self.port = port
        self._media = media
        self._control = control
        self._peer: tuple[str, tuple[int, int]] | None = None

    def aim(self, host: str, ports: tuple[int, int]) -> None:
        """Where the other side sends from; a packet to each of its ports opens a NAT on our side."""
        self._peer = (host, ports)
        empty = b"\x80\x00" + bytes(10)
        with contextlib.suppress(OSError, ValueError):
            self._media.sendto(empty, (host, ports[0]))

    def send_control(self, packet: bytes) -> None:
        """RTCP to the other side; never raises."""
        if self._peer is not None and not self._control.is_closing():
            host, ports = self._peer
            with contextlib.suppress(OSError, ValueError):
                self._control.sendto(packet, (host, ports[1]))

    def close(self) -> None:
        """Close both."""
        self._media.close()
        self._control.close()


async def open_pair(host: str, make: Callable[[bool], asyncio.DatagramProtocol]) -> UdpPair:
    """A free pair on this local address; OSError when none is found. `make(control)` makes each protocol."""
    loop = asyncio.get_running_loop()
    media, control = bind_pair(host)
    port = int(media.getsockname()[1])
    transports: list[asyncio.DatagramTransport] = []
    for is_control, sock in ((False, media), (True, control)):
        transport, _ = await loop.create_datagram_endpoint(lambda kind=is_control: make(kind), sock=sock)
        transports.append(transport)
    return UdpPair(port, transports[0], transports[1])


def bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Two bound sockets, the first on an even port; OSError when none is found."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(TRIES):
        port = random.randrange(LOW, HIGH, 2)
        media = socket.socket(family, socket.SOCK_DGRAM)
        control = socket.socket(family, socket.SOCK_DGRAM)
        try:
            media.bind((host, port))
            control.bind((host, port + 1))
        except OSError:
            media.close()
            control.close()
            continue
        for sock in (media, control):
            sock.setblocking(False)
        media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return media, control
    raise OSError("no pair of UDP ports is free")
