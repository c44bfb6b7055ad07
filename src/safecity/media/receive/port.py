"""One UDP port: datagrams in, to the source that waits for their SSRC. The innermost loop of the media plane."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from safecity.kit.clock import Clock
from safecity.media.receive.batch import Batch
from safecity.media.receive.shield import Shield
from safecity.media.receive.source import LOOK, RtpSource

ROUNDS: Final = 8
"""Batches taken from one port before the others have their turn."""

_SO_MEMINFO: Final = 55
_DROPS: Final = 8
_SO_RCVBUFFORCE: Final = 33

Odd = Callable[["UdpPort", int, int, bytes, float, int], None]
"""(port, peer, SSRC as if it were RTP, the datagram, monotonic, wall us): whatever the fast path does not know."""


def widen(sock: socket.socket, size: int) -> int:
    """Ask for a receive buffer; what the kernel granted, in bytes as asked for (it doubles what it keeps)."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


@dataclass(frozen=True, slots=True)
class PortFigure:
    """One port's counters."""

    number: int
    streams: int
    datagrams: int
    unknown: int
    junk: int
    oversize: int
    dropped: int
    blocked: int
    buffer_bytes: int


class UdpPort:
    """A socket, the sources expected on it and its shield. Counters: `datagrams`, `unknown`, `junk`, `oversize`."""

    def __init__(
        self, number: int, sock: socket.socket, batch: Batch, odd: Odd, clock: Clock, buffer_bytes: int
    ) -> None:
        self.number = number
        self.sock = sock
        self.batch = batch
        self.sources: dict[int, RtpSource] = {}
        self.marks: set[int] = set()
        """Of vehicle terminals, what their datagrams have where others have an SSRC."""
        self.shield = Shield(sock)
        self.datagrams = self.unknown = self.junk = self.oversize = 0
        self._odd = odd
        self._clock = clock
        sock.setblocking(False)
        self.buffer_bytes = widen(sock, buffer_bytes)

    @property
    def expected(self) -> tuple[int, ...]:
        """The SSRCs of all that is expected here."""
        return *self.sources, *self.marks

    @property
    def drops(self) -> int:
        """Datagrams the kernel threw away because we were too slow."""
        try:
            info = self.sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
        except OSError:
            return 0
        return struct.unpack_from("=I", info, _DROPS * 4)[0] if len(info) >= 36 else 0

    def figure(self) -> PortFigure:
        """What the health page shows."""
        return PortFigure(
            self.number,
            len(self.sources),
            self.datagrams,
            self.unknown,
            self.junk,
            self.oversize,
            self.drops,
            len(self.shield.blocked),
            self.buffer_bytes,
        )

    def drain(self) -> int:
        """Take what is there, at most `ROUNDS` batches; how many datagrams. OSError for a broken socket."""
        batch = self.batch
        sources = self.sources
        buffer = batch.buffer
        slot = batch.slot
        clock = self._clock
        total = 0
        for _ in range(ROUNDS):
            count = batch.receive(self.sock)
            if not count:
                break
            total += count
            us = clock.now_us()
            at = 0
            for (head, sequence, stamp, ssrc), size, peer in zip(
                batch.heads(count), batch.sizes, batch.peers, strict=True
            ):
                source = sources.get(ssrc)
                if (
                    source is not None
                    and source.next == sequence
                    and source.peer == peer
                    and head & 0xFF7F == source.head
                    and 12 < size < slot
                ):
                    source.next = (sequence + 1) & 0xFFFF
                    if stamp != source.timestamp:
                        source.turn(stamp, us)
                    source.parts.append(buffer[at + 12 : at + size])
                    if head & 0x80 or not sequence & LOOK:
                        source.marked(head & 0x80 != 0, us)
                else:
                    self._odd(
                        self, peer, ssrc if size >= 12 else 0, bytes(buffer[at : at + size]), clock.monotonic(), us
                    )
                at += slot
            if count < batch.count:
                break
        self.datagrams += total
        return total
