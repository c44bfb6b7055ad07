"""RTP over TCP: a 2-byte length before each packet (RFC 4571), with the habits of real devices.

Understood beside it: `$`, channel and length (RTSP interleaving), a 256-byte preamble that some devices send first,
and streams that slip: then the next plausible packet is looked for.
"""

from __future__ import annotations

from typing import Final

MAX_HUNT: Final = 256 * 1024
"""After so many bytes without a packet the connection is no RTP."""

MIN_LENGTH: Final = 8
ORDINARY: Final = 1_600


class FramingError(ValueError):
    """No packet was found for too long: close the connection."""


class TcpDeframer:
    """Bytes in, packets (RTP and RTCP) out, at any split. `resyncs` counts how often it had to search."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._sure = False
        self._ssrc: bytes | None = None
        self._hunted = 0
        self.resyncs = 0
        self.interleaved = False

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """The packets that are whole now. FramingError when the connection should be closed."""
        buffer = self._buffer
        buffer += data
        packets: list[bytes] = []
        at = 0
        size = len(buffer)
        while True:
            step = self._one(buffer, at, size, packets)
            if step < 0:
                break
            at = step
        if at:
            del buffer[:at]
        return packets

    def _one(self, buffer: bytearray, at: int, size: int, packets: list[bytes]) -> int:
        """Take one packet off; where the next begins, or -1 when bytes are missing."""
        if size - at < 4:
            return -1
        head = 2
        if buffer[at] == 0x24 and buffer[at + 1] < 8 and (self.interleaved or not self._sure):
            head = 4
        length = buffer[at + head - 2] << 8 | buffer[at + head - 1]
        body = at + head
        if size < body + 2:
            return -1
        if not self._plausible(buffer, body, length, size):
            return self._hunt(buffer, at, size)
        if size < body + length:
            return -1
        if head == 4:
            self.interleaved = True
        packet = bytes(buffer[body : body + length])
        if not 192 <= packet[1] <= 223:  # RTCP says nothing about the media's SSRC
            self._ssrc = packet[8:12]
            self._sure = True
        self._hunted = 0
        packets.append(packet)
        return body + length

    def _plausible(self, buffer: bytearray, body: int, length: int, size: int) -> bool:
        if length < MIN_LENGTH or buffer[body] & 0xC0 != 0x80:
            return False
        if 192 <= buffer[body + 1] <= 223:
            return True
        if length < 12:
            return False
        # Once the SSRC is known a packet with another one is taken for a slip, unless it looks like an ordinary one.
        if self._ssrc is not None and size >= body + 12 and bytes(buffer[body + 8 : body + 12]) != self._ssrc:
            return length <= ORDINARY and buffer[body] == 0x80 and buffer[body + 1] & 0x7F in (*range(96, 103), 0, 8)
        return True

    def _hunt(self, buffer: bytearray, at: int, size: int) -> int:
        """Search for `80 60`/`80 E0` or the known SSRC behind a length that makes sense."""
        if self._hunted == 0:
            self.resyncs += 1
        here = at + 1
        while here + 16 <= size:
            found = buffer.find(b"\x80", here + 2)
            if found < 0 or found + 14 > size:
                break
            length = buffer[found - 2] << 8 | buffer[found - 1]
            known = self._ssrc is not None and bytes(buffer[found + 8 : found + 12]) == self._ssrc
            if length > 12 and (known or (self._ssrc is None and buffer[found + 1] in (0x60, 0xE0))):
                self._count(found - 2 - at)
                return found - 2
            here = found - 1
        keep = max(at + 1, size - 16)
        self._count(keep - at)
        return keep if keep > at and keep < size - 3 else -1 if size - at < 20 else keep

    def _count(self, passed: int) -> None:
        self._hunted += passed
        if self._hunted > MAX_HUNT:
            raise FramingError("no RTP packet found in this connection")


def frame(packet: bytes) -> bytes:
    """A packet behind its length."""
    return len(packet).to_bytes(2, "big") + packet
