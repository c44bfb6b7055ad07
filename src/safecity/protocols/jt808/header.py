"""Message headers of the three versions (JT/T 808-2011 and -2013 4.4.3, -2019 4.4.3) and the packets behind them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.framing import Malformed

MAX_BODY: Final = 1023
"""Bytes of one packet's body: what ten bits can say."""
_LENGTH, _CIPHER, _PARTS, _NEW = 0x03FF, 0x1C00, 0x2000, 0x4000


class Version(IntEnum):
    """Of the standard. The header tells 2019 from the older two; the registration tells those from each other."""

    V2011 = 2011
    V2013 = 2013
    V2019 = 2019

    @property
    def phone_digits(self) -> int:
        """Digits of the phone number on the wire, zeros in front."""
        return 20 if self is Version.V2019 else 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One frame's content. `phone` without leading zeros, so that one terminal has one name in all versions.

    `total` and `index` (from 1) are those of a sub-packaged message, 0 of a whole one; `cipher` 0 is none, 1 RSA;
    `protocol` is the 2019 header's version byte. A joined message has the serial of its first part, and in
    `completed_by` that of the part which made it whole: this is the one to answer.
    """

    id: int
    phone: str
    serial: int
    body: bytes
    version: Version = Version.V2013
    total: int = 0
    index: int = 0
    cipher: int = 0
    protocol: int = 1
    completed_by: int = -1

    @property
    def answer_serial(self) -> int:
        """What an answer to it has to name."""
        return self.serial if self.completed_by < 0 else self.completed_by

    @property
    def first_serial(self) -> int:
        """The serial number of the first part of this message."""
        return (self.serial - max(0, self.index - 1)) & 0xFFFF


def clean_phone(digits: str) -> str:
    """A phone number as this platform names a terminal by it: without the zeros in front."""
    return digits.lstrip("0") or "0"


def read_packet(raw: bytes) -> Packet | Malformed:
    """A message without check byte.

    Bit 14 stands for the long header of 2019, but in 2013 it was reserved and some terminals have set it: where the
    length fits the short header alone, it is the short one.
    """
    if len(raw) < 12:
        return Malformed(raw, "jt_header_too_short")
    props = raw[2] << 8 | raw[3]
    return (_read(raw, props, Version.V2019) if props & _NEW else None) or (
        _read(raw, props, Version.V2013) or Malformed(raw[:64], "jt_length_mismatch")
    )


def _read(raw: bytes, props: int, version: Version) -> Packet | Malformed | None:
    """None where the length is not what the header says: no frame is as long as both headers would have it."""
    phone_at, phone_end = (5, 15) if version is Version.V2019 else (4, 10)
    body_at = phone_end + 2 + (4 if props & _PARTS else 0)
    if len(raw) != body_at + (props & _LENGTH):
        return None
    phone = raw[phone_at:phone_end].hex()
    total = index = 0
    if props & _PARTS:
        total = raw[body_at - 4] << 8 | raw[body_at - 3]
        index = raw[body_at - 2] << 8 | raw[body_at - 1]
        if not 1 <= index <= total:
            return Malformed(raw[:64], "jt_bad_part")
    if not phone.isdigit():
        return Malformed(raw[:64], "jt_bad_phone")
    return Packet(
        id=raw[0] << 8 | raw[1],
        phone=clean_phone(phone),
        serial=raw[phone_end] << 8 | raw[phone_end + 1],
        body=raw[body_at:],
        version=version,
        total=total,
        index=index,
        cipher=(props & _CIPHER) >> 10,
        protocol=raw[4] if version is Version.V2019 else 1,
    )


def write_packet(packet: Packet) -> bytes:
    """The message without check byte. InvalidError for what does not fit on the wire."""
    digits = packet.version.phone_digits
    if len(packet.body) > MAX_BODY:
        raise InvalidError(f"a body of {len(packet.body)} bytes does not fit into one packet")
    if not (packet.phone.isascii() and packet.phone.isdigit() and len(packet.phone) <= digits):
        raise InvalidError(f"not a phone number of at most {digits} digits: {packet.phone[:32]!r}")
    if not (0 <= packet.id <= 0xFFFF and 0 <= packet.serial <= 0xFFFF and 0 <= packet.cipher <= 7):
        raise InvalidError("id, serial or cipher out of range")
    new = packet.version is Version.V2019
    props = len(packet.body) | packet.cipher << 10 | (_PARTS if packet.total else 0) | (_NEW if new else 0)
    head = packet.id.to_bytes(2, "big") + props.to_bytes(2, "big")
    if new:
        head += bytes((packet.protocol & 0xFF,))
    head += bytes.fromhex(packet.phone.zfill(digits)) + packet.serial.to_bytes(2, "big")
    if packet.total:
        if not 1 <= packet.index <= packet.total <= 0xFFFF:
            raise InvalidError(f"part {packet.index} of {packet.total}")
        head += packet.total.to_bytes(2, "big") + packet.index.to_bytes(2, "big")
    return head + packet.body
