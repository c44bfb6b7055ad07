"""Media out of a device: RTP over UDP, TCP that it opens, TCP that it waits for, each with faults on request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
from collections import deque
from random import Random

from safecity.model.values.media import Codec
from safecity.protocols.rtp.framing import frame
from safecity.protocols.rtp.packets import HEADER, packetise
from safecity.sim.encode import Coded
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.muxing import Muxer

logger = logging.getLogger(__name__)

_BURST, _PAUSE_SECONDS = 24, 0.002
"""A key frame is spread: so many packets, then a pause, as the small buffers of access switches need."""
_TCP_BUFFER = 2 * 1024 * 1024
_CONNECT_TRIES = 3
_UDP_SEGMENT, _SEGMENTS = 103, 40


class Sender:
    """Where one session's packets go. Open it, offer units, close it."""

    def __init__(self, video: Codec, sound: Codec | None, ssrc: int, faults: Faults, *, seed: int = 0) -> None:
        self.ssrc = ssrc
        self.sequence = secrets.randbelow(1 << 16)
        self.timestamp = 0
        self.packets = 0
        self.bytes = 0
        self.dropped_units = 0
        self.not_sent = 0
        self._faults = faults
        self._muxer = Muxer(video, sound, faults)
        self._dice = Random(seed)
        self._swapped: bytes | None = None
        self._datagrams: asyncio.DatagramTransport | None = None
        self._stream: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._queue: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._skipping = False
        self._segmenting = True
        self._raw: socket.socket | None = None
        self._on_wire = 0
        self._wire_at = 0.0
        self._connected = asyncio.Event()
        self.reports = 0
        """RTCP packets that came back (UDP)."""

    # --- opening --------------------------------------------------------------------------------------------

    def bind_udp(self, local_host: str) -> socket.socket:
        """A free port of ours, to be named in the answer; `open_udp` takes it over."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        bound.bind((local_host, 0))
        return bound

    async def open_udp(self, bound: socket.socket, host: str, port: int) -> None:
        """Send to this address."""
        loop = asyncio.get_running_loop()
        try:
            bound.connect((host, port))
            self._raw = bound
            self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Reports(self), sock=bound)
        except BaseException:
            bound.close()
            raise
        self._connected.set()

    async def open_tcp(self, host: str, port: int, local_host: str) -> None:
        """Connect to a listening receiver: three tries a second apart (annex D). OSError when all failed."""
        for attempt in range(_CONNECT_TRIES):
            try:
                async with asyncio.timeout(5):
                    _, self._stream = await asyncio.open_connection(host, port, local_addr=(local_host, 0))
                self._connected.set()
                return
            except (OSError, TimeoutError):
                if attempt == _CONNECT_TRIES - 1:
                    raise
                await asyncio.sleep(1.0)

    async def listen_tcp(self, local_host: str) -> int:
        """Wait for the receiver to connect; answers the port."""

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._stream is not None:
                writer.close()
                return
            self._stream = writer
            self._connected.set()

        self._server = await asyncio.start_server(accept, local_host, 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def connected(self, seconds: float = 10.0) -> None:
        """Wait for the way to be open. TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._connected.wait()

    @property
    def is_broken(self) -> bool:
        """The receiver closed the connection (TCP)."""
        return self._stream is not None and self._stream.is_closing()

    def local_port(self) -> int:
        """Of the open TCP connection or UDP socket, 0 where there is none."""
        transport = self._datagrams or (self._stream.transport if self._stream else None)
        name = transport.get_extra_info("sockname") if transport else None
        return int(name[1]) if name else 0

    async def close(self) -> None:
        """Drop what waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()
        self._raw = None
        if self._datagrams is not None:
            self._datagrams.close()
        if self._server is not None:
            self._server.close()
        if self._stream is not None:
            self._stream.close()
            with contextlib.suppress(OSError):
                await self._stream.wait_closed()

    # --- sending --------------------------------------------------------------------------------------------

    def offer(self, unit: Coded) -> None:
        """Send one unit now; a TCP receiver that does not read loses units up to the next key frame."""
        faults = self._faults
        if faults.frozen or faults.silent or faults.no_media or (faults.no_sound and not unit.is_video):
            return
        if self._stream is not None:
            full = self._stream.transport.get_write_buffer_size() > _TCP_BUFFER
            if full or (self._skipping and not (unit.is_video and unit.is_key)):
                self._skipping = True
                self.dropped_units += 1
                return
            self._skipping = False
        if faults.ssrc == "changing" and self._dice.random() < 1 / 75:
            self.ssrc ^= 1 + self._dice.randrange(1 << 16)
        body = self._muxer.write(unit)
        self.timestamp = unit.pts & 0xFFFFFFFF
        ssrc = self.ssrc ^ 0x5A5A if faults.ssrc == "wrong" else self.ssrc
        for packet in packetise(body, sequence=self.sequence, timestamp=self.timestamp, ssrc=ssrc):
            self.sequence = (self.sequence + 1) & 0xFFFF
            self._packet(packet)
        if self._datagrams is not None and self._timer is None:
            self._pump()

    def offer_payloads(self, payloads: list[bytes], timestamp: int) -> None:
        """Send what was muxed and cut already; the shortest way, without faults of packets."""
        self.timestamp = timestamp & 0xFFFFFFFF
        last = len(payloads) - 1
        parts: list[bytes] = []
        for number, payload in enumerate(payloads):
            second = 0xE0 if number == last else 0x60  # marker, payload type 96
            parts.append(HEADER.pack(0x80, second, self.sequence, self.timestamp, self.ssrc))
            parts.append(payload)
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.bytes += len(payload) + 12
        self.packets += len(payloads)
        if self._raw is not None:
            for at in range(0, len(parts), 2 * _SEGMENTS):
                self._segments(self._raw, parts[at : at + 2 * _SEGMENTS])
        elif self._stream is not None:
            for at in range(0, len(parts), 2):
                self._stream.write(frame(parts[at] + parts[at + 1]))

    def _segments(self, raw: socket.socket, parts: list[bytes]) -> None:
        """Heads and payloads in turn. The kernel cuts one write into datagrams (UDP_SEGMENT): a tenth of the calls."""
        try:
            if self._segmenting and len(parts) > 2:
                size = len(parts[0]) + len(parts[1])
                raw.sendmsg(parts, [(socket.IPPROTO_UDP, _UDP_SEGMENT, size.to_bytes(2, sys.byteorder))])
                return
        except BlockingIOError:
            self.not_sent += len(parts) // 2
            return
        except OSError:
            self._segmenting = False  # an old kernel, or a path that cannot
        for at in range(0, len(parts), 2):
            try:
                raw.sendmsg(parts[at : at + 2])
            except OSError:
                self.not_sent += 1

    def _packet(self, packet: bytes) -> None:
        self.packets += 1
        self.bytes += len(packet)
        if self._stream is not None:
            self._stream.write(frame(packet))
            return
        faults, dice = self._faults, self._dice
        if faults.loss and dice.random() < faults.loss:
            return
        if faults.swap and self._swapped is None and dice.random() < faults.swap:
            self._swapped = packet
            return
        self._put(packet)
        if self._swapped is not None:
            swapped, self._swapped = self._swapped, None
            self._put(swapped)
        if faults.double and dice.random() < faults.double:
            self._put(packet)

    def _put(self, packet: bytes) -> None:
        """Into the queue, or first onto a long wire: a line that delays keeps the order, as queues of routers do."""
        faults = self._faults
        if not faults.delay_ms and not faults.jitter_ms and not self._on_wire:
            self._queue.append(packet)
            return
        now = asyncio.get_running_loop().time()
        due = now + (faults.delay_ms + self._dice.random() * faults.jitter_ms) / 1000
        self._wire_at = max(due, self._wire_at + 1e-5)  # equal times would be let go in any order
        self._on_wire += 1
        asyncio.get_running_loop().call_at(self._wire_at, self._arrive, packet)

    def _arrive(self, packet: bytes) -> None:
        self._on_wire -= 1
        if self._datagrams is not None and not self._datagrams.is_closing():
            self._datagrams.sendto(packet)

    def _pump(self) -> None:
        self._timer = None
        if self._datagrams is None:
            return
        for _ in range(min(_BURST, len(self._queue))):
            self._datagrams.sendto(self._queue.popleft())
        if self._queue:
            self._timer = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._pump)


class _Reports(asyncio.DatagramProtocol):
    """What comes back on a media port: receiver reports, and the refusal of a port that nobody reads any more."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._sender.reports += 1

    def error_received(self, exc: Exception) -> None:
        logger.debug("media port refused: %s", exc)
