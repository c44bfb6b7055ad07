"""RTP headers (RFC 3550 5.1): read with every option, written without any."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

HEADER: Final = struct.Struct("!BBHII")
MIN_PACKET: Final = 12


class RtpPacket(NamedTuple):
    """One packet; `payload` without CSRC list, extension and padding."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def payload_span(data: bytes | bytearray | memoryview, start: int, end: int) -> tuple[int, int] | None:
    """Where the payload lies of the packet in data[start:end]; None when it is no RTP or its lengths do not fit."""
    if end - start < MIN_PACKET or data[start] & 0xC0 != 0x80:
        return None
    first = data[start]
    at = start + 12 + 4 * (first & 15)
    if first & 0x10:
        if at + 4 > end:
            return None
        at += 4 + 4 * (data[at + 2] << 8 | data[at + 3])
    if first & 0x20:
        if end <= start:
            return None
        padding = data[end - 1]
        if padding == 0:
            return None
        end -= padding
    return (at, end) if at <= end else None


def parse(data: bytes) -> RtpPacket | None:
    """The packet, or None for what is no RTP packet."""
    span = payload_span(data, 0, len(data))
    if span is None:
        return None
    _, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    return RtpPacket(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, data[span[0] : span[1]])


def write(packet: RtpPacket) -> bytes:
    """The packet with a 12-byte header."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    return (
        HEADER.pack(0x80, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc) + packet.payload
    )


def packetise(
    data: bytes, *, sequence: int, timestamp: int, ssrc: int, payload_type: int = 96, size: int = 1400
) -> list[bytes]:
    """A picture as RTP packets of at most `size` payload bytes, marker on the last (GB/T 28181 annex C)."""
    packets: list[bytes] = []
    timestamp &= 0xFFFFFFFF
    last = len(data) - size
    for number, at in enumerate(range(0, len(data), size)):
        second = payload_type | (0x80 if at >= last else 0)
        head = HEADER.pack(0x80, second, (sequence + number) & 0xFFFF, timestamp, ssrc)
        packets.append(head + data[at : at + size])
    return packets
