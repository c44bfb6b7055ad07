"""RTP over TCP: listening, dialling, and one connection. Which source a connection feeds the receiver decides."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final

from safecity.media.receive.feed import JT1078
from safecity.media.receive.source import RtpSource
from safecity.protocols.jt1078.packets import MAGIC, HuntError, MediaPacket, MediaReader
from safecity.protocols.rtp.framing import FramingError, TcpDeframer

logger = logging.getLogger(__name__)

CHUNK: Final = 128 * 1024
READS: Final = 4
"""Reads from one connection before the others have their turn."""
DIALS: Final = 5
DIAL_PAUSE_SECONDS: Final = 1.2
DIAL_TIMEOUT_SECONDS: Final = 5.0
UNCLAIMED_SECONDS: Final = 10.0
ACCEPT_PAUSE_SECONDS: Final = 1.0
"""Before the next try where no connection can be taken (no file descriptor is left)."""
MAX_PENDING_PER_HOST: Final = 64
MAX_CONNECTIONS: Final = 4096

_buffer = bytearray(CHUNK)
_view = memoryview(_buffer)


class MediaConnection:
    """A connection that carries packets: of RTP, or of a vehicle terminal, which its first bytes tell.

    `source` (RTP) or `terminal` is set once it is known whose they are.
    """

    transport: Final = JT1078
    """Where it is a terminal's."""

    def __init__(
        self,
        sock: socket.socket,
        peer: tuple[str, int],
        port: int,
        packets: Callable[[MediaConnection, list[bytes]], None],
        vehicle: Callable[[MediaConnection, list[MediaPacket]], None],
        gone: Callable[[MediaConnection, str], None],
    ) -> None:
        self.sock = sock
        self.peer = peer
        self.port = port
        self.source: RtpSource | None = None
        self.terminal = ""
        self.opened = asyncio.get_running_loop().time()
        self.bytes = 0
        self._first = b""
        self._rtp: TcpDeframer | None = None
        self._terminal: MediaReader | None = None
        self._packets = packets
        self._vehicle = vehicle
        self._gone = gone
        self._open = True
        sock.setblocking(False)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable)

    def _readable(self) -> None:
        for _ in range(READS):
            try:
                size = self.sock.recv_into(_view)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self.close(f"{error.__class__.__name__}")
                return
            if size == 0:
                self.close("closed_by_device")
                return
            self.bytes += size
            try:
                self._take(_view[:size])
            except (FramingError, HuntError):
                self.close("no_rtp_found")
                return
            if size < CHUNK or not self._open:
                return

    def _take(self, data: memoryview) -> None:
        if self._rtp is None and self._terminal is None:
            data = memoryview(self._first + data)
            self._first = b""
            # As a length of RTP behind it there would be a packet of another version: it cannot be both.
            if bytes(data[: len(MAGIC)]) == MAGIC:
                self._terminal = MediaReader()
            elif MAGIC.startswith(bytes(data)):
                self._first = bytes(data)
                return
            else:
                self._rtp = TcpDeframer()
        if self._terminal is not None:
            found = self._terminal.feed(bytes(data))
            if found:
                self._vehicle(self, found)
        elif self._rtp is not None:
            packets = self._rtp.feed(data)
            if packets:
                self._packets(self, packets)

    @property
    def is_open(self) -> bool:
        """Not closed yet, by either end."""
        return self._open

    @property
    def is_claimed(self) -> bool:
        """It is known whose it is."""
        return self.source is not None or bool(self.terminal)

    def close(self, reason: str) -> None:
        """Close it; the owner is told once."""
        if not self._open:
            return
        self._open = False
        asyncio.get_running_loop().remove_reader(self.sock.fileno())
        self.sock.close()
        self._gone(self, reason)


class TcpListener:
    """Accepts on one inherited listening socket. Where the process may open no more files it pauses: the connection
    that cannot be taken stays readable, and asking for it again and again would cost the loop every other stream."""

    def __init__(
        self, number: int, sock: socket.socket, accepted: Callable[[int, socket.socket, tuple[str, int]], None]
    ) -> None:
        self.number = number
        self.sock = sock
        self.failures = 0
        """How often a connection could not be taken."""
        self._accepted = accepted
        self._starved = False
        self._pause: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable)

    def _readable(self) -> None:
        for _ in range(16):
            try:
                connection, address = self.sock.accept()
            except ConnectionAbortedError:
                continue
            except (BlockingIOError, InterruptedError):
                self._report(True)
                return
            except OSError as error:
                self.failures += 1
                self._report(False, str(error))
                self._rest()
                return
            self._report(True)
            self._accepted(self.number, connection, (address[0], address[1]))

    def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.sock.fileno())
        self._pause = loop.call_later(ACCEPT_PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self.sock.fileno(), self._readable)

    def _report(self, good: bool, why: str = "") -> None:
        if good is not self._starved:
            return
        self._starved = not good
        if good:
            logger.info("connections are taken again port=%d", self.number)
        else:
            logger.warning("connections cannot be taken port=%d why=%s", self.number, why)

    def close(self) -> None:
        """Stop accepting; the socket itself belongs to whoever handed it over."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        else:
            asyncio.get_running_loop().remove_reader(self.sock.fileno())


async def dial(host: str, port: int, failed: Callable[[str], None]) -> socket.socket | None:
    """Connect, with retries at least a second apart (GB/T 28181-2022 annex D); None when all failed."""
    loop = asyncio.get_running_loop()
    try:
        socket.inet_aton(host)
    except OSError:
        failed("not an IPv4 address")  # names are not looked up for a device
        return None
    for attempt in range(DIALS):
        if attempt:
            await asyncio.sleep(DIAL_PAUSE_SECONDS)
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_SECONDS):
                await loop.sock_connect(sock, (host, port))
        except (OSError, TimeoutError) as error:
            sock.close()
            failed(str(error) or error.__class__.__name__)
            continue
        except asyncio.CancelledError:
            sock.close()
            raise
        return sock
    return None
