"""RTCP as a receiver needs it: sender reports read, receiver reports and BYE written (RFC 3550 6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

SENDER, RECEIVER, SDES, BYE = 200, 201, 202, 203
_BLOCK: Final = struct.Struct("!IIIIII")
NTP_EPOCH: Final = 2_208_988_800


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`ntp` is the 64-bit NTP time of the device at `rtp`."""

    ssrc: int
    ntp: int
    rtp: int
    packets: int
    octets: int

    @property
    def wall_us(self) -> int:
        """The device's clock, microseconds since 1970; meaningless when it never set one."""
        return ((self.ntp >> 32) - NTP_EPOCH) * 1_000_000 + ((self.ntp & 0xFFFFFFFF) * 1_000_000 >> 32)

    @property
    def middle(self) -> int:
        """The middle 32 bits, echoed in receiver reports."""
        return self.ntp >> 16 & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The sender stops."""

    ssrc: int


def is_rtcp(second_byte: int) -> bool:
    """Told apart from RTP by the second byte (RFC 5761 4)."""
    return 192 <= second_byte <= 223


def parse(data: bytes) -> list[SenderReport | Goodbye]:
    """What matters to us in a compound packet; the rest, and what is damaged, is left out."""
    found: list[SenderReport | Goodbye] = []
    at = 0
    while at + 8 <= len(data) and data[at] & 0xC0 == 0x80:
        kind = data[at + 1]
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            break
        if kind == SENDER and end - at >= 28:
            ssrc, ntp, rtp, packets, octets = struct.unpack_from("!IQIII", data, at + 4)
            found.append(SenderReport(ssrc, ntp, rtp, packets, octets))
        elif kind == BYE and data[at] & 31 and end - at >= 8:
            found.append(Goodbye(int.from_bytes(data[at + 4 : at + 8], "big")))
        at = end
    return found


def receiver_report(
    own_ssrc: int,
    ssrc: int,
    *,
    fraction_lost: int,
    lost: int,
    highest: int,
    jitter: int,
    last_report: int,
    delay: int,
    cname: str,
) -> bytes:
    """RR and SDES. `fraction_lost` in 1/256, `highest` extended, `delay` since the last SR in 1/65,536 s."""
    lost = max(-0x800000, min(0x7FFFFF, lost)) & 0xFFFFFF
    head = struct.pack("!BBHI", 0x81, RECEIVER, 7, own_ssrc)
    block = _BLOCK.pack(
        ssrc,
        (fraction_lost & 255) << 24 | lost,
        highest & 0xFFFFFFFF,
        jitter & 0xFFFFFFFF,
        last_report & 0xFFFFFFFF,
        min(0xFFFFFFFF, delay),
    )
    name = cname.encode()[:64]
    item = struct.pack("!IBB", own_ssrc, 1, len(name)) + name
    item += b"\0" * (4 - len(item) % 4)
    return head + block + struct.pack("!BBH", 0x81, SDES, len(item) // 4) + item


def sender_report(ssrc: int, ntp: int, rtp: int, packets: int, octets: int) -> bytes:
    """What our senders write."""
    return struct.pack(
        "!BBHIQIII", 0x80, SENDER, 6, ssrc, ntp, rtp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )


def goodbye(ssrc: int) -> bytes:
    """BYE of one source."""
    return struct.pack("!BBHI", 0x81, BYE, 1, ssrc)
