"""Media packets (JT/T 1078-2016, table 19): `30 31 63 64`, a header of 30, 26 or 18 bytes, up to 950 bytes of a frame.

Terminals of 2019 may write the phone number in ten bytes instead of six, and nothing says which: both are tried, and
the one that leads to the next packet is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from safecity.kit.errors import InvalidError

MAGIC: Final = b"01cd"
MAX_PAYLOAD: Final = 950
TOLERATED_PAYLOAD: Final = 1400
"""Some terminals put more than the standard allows into a packet; nothing that fits a network packet is refused."""
MAX_HUNT: Final = 256 * 1024
"""After so many bytes without a packet the connection is none of this protocol."""


class Kind(IntEnum):
    """What a packet is of."""

    I_FRAME = 0
    P_FRAME = 1
    B_FRAME = 2
    AUDIO = 3
    TRANSPARENT = 4


class Piece(IntEnum):
    """Which piece of its frame."""

    WHOLE = 0
    FIRST = 1
    LAST = 2
    MIDDLE = 3


class PayloadType(IntEnum):
    """Codecs (table 12) that are met."""

    G711A = 6
    G711U = 7
    G726 = 8
    AAC = 19
    MP3 = 25
    ADPCM = 26
    H264 = 98
    H265 = 99
    AVS = 100
    SVAC = 101


class HuntError(ValueError):
    """No packet was found for too long: close the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPacket:
    """`phone` without zeros in front; `timestamp_ms` None for transparent data; `since_key_ms` and `since_frame_ms`
    (video alone) are distances to the last I frame and the last frame. `long_phone`: written in ten bytes."""

    phone: str
    channel: int
    kind: int
    piece: int
    payload_type: int
    sequence: int
    payload: bytes
    marker: bool = False
    timestamp_ms: int | None = None
    since_key_ms: int = 0
    since_frame_ms: int = 0
    long_phone: bool = False

    @property
    def is_video(self) -> bool:
        """An I, P or B frame."""
        return self.kind <= Kind.B_FRAME


def write_packet(packet: MediaPacket) -> bytes:
    """Its bytes. InvalidError for a value that does not fit."""
    size = 10 if packet.long_phone else 6
    if not (packet.phone.isascii() and packet.phone.isdigit() and len(packet.phone) <= size * 2):
        raise InvalidError(f"not a phone number: {packet.phone[:32]!r}")
    if len(packet.payload) > TOLERATED_PAYLOAD:
        raise InvalidError(f"{len(packet.payload)} bytes are too many for a packet")
    try:
        head = bytes((0x81, packet.payload_type | packet.marker << 7)) + packet.sequence.to_bytes(2, "big")
        head += bytes.fromhex(packet.phone.zfill(size * 2)) + bytes((packet.channel, packet.kind << 4 | packet.piece))
        if packet.kind != Kind.TRANSPARENT:
            head += (packet.timestamp_ms or 0).to_bytes(8, "big")
        if packet.is_video:
            head += packet.since_key_ms.to_bytes(2, "big") + packet.since_frame_ms.to_bytes(2, "big")
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"a media packet cannot be written: {error}") from error
    return MAGIC + head + len(packet.payload).to_bytes(2, "big") + packet.payload


_SHORT: Final = 6
_LONG: Final = 10
_FIRST_VIDEO: Final = 98
"""Payload types (table 12) below it are of sound and of data."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Bytes of the header and of the whole packet."""

    head: int
    size: int


def _measure(data: bytes, at: int, phone: int) -> _Span | None:
    """The packet there, if its phone number has so many bytes; None where it is no header. Size 0: bytes are missing
    to tell."""
    if len(data) >= at + 5 and data[at + 4] >> 6 != 2:
        return None
    for byte in data[at + 8 : at + 8 + phone]:
        if byte >> 4 > 9 or byte & 15 > 9:
            return None
    mark = at + 8 + phone + 1
    if len(data) <= mark:
        return _Span(0, 0)
    kind, piece = data[mark] >> 4, data[mark] & 15
    if kind > Kind.TRANSPARENT or piece > Piece.MIDDLE:
        return None
    head = phone + (24 if kind <= Kind.B_FRAME else 20 if kind == Kind.AUDIO else 12)
    if len(data) < at + head:
        return _Span(head, 0)
    size = data[at + head - 2] << 8 | data[at + head - 1]
    return _Span(head, head + size) if size <= TOLERATED_PAYLOAD else None


def _read(data: bytes, at: int, span: _Span, phone: int) -> MediaPacket:
    here = at + 8 + phone
    kind = data[here + 1] >> 4
    video = kind <= Kind.B_FRAME
    return MediaPacket(
        phone=data[at + 8 : here].hex().lstrip("0") or "0",
        channel=data[here],
        kind=kind,
        piece=data[here + 1] & 15,
        payload_type=data[at + 5] & 0x7F,
        marker=bool(data[at + 5] & 0x80),
        sequence=data[at + 6] << 8 | data[at + 7],
        timestamp_ms=int.from_bytes(data[here + 2 : here + 10], "big") if kind != Kind.TRANSPARENT else None,
        since_key_ms=int.from_bytes(data[here + 10 : here + 12], "big") if video else 0,
        since_frame_ms=int.from_bytes(data[here + 12 : here + 14], "big") if video else 0,
        payload=data[at + span.head : at + span.size],
        long_phone=phone == _LONG,
    )


def _likelier(data: bytes, at: int, lengths: list[int]) -> int:
    """Of lengths of the phone number that all make a packet of the same size. Sound with ten bytes has its length where
    a picture with six has it: then the payload type tells, and where it is none of either, that the time and the number
    are no parts of other fields.
    """
    payload_type = data[at + 5] & 0x7F

    def doubts(phone: int) -> tuple[bool, bool, bool]:
        here = at + 8 + phone
        kind = data[here + 1] >> 4
        is_other = kind != Kind.TRANSPARENT and (kind <= Kind.B_FRAME) != (payload_type >= _FIRST_VIDEO)
        is_late = kind != Kind.TRANSPARENT and data[here + 2 : here + 4] != b"\0\0"
        return is_other, is_late, not any(data[at + 8 : here - 2])

    return min(lengths, key=doubts)


def read_datagram(data: bytes) -> MediaPacket | None:
    """One packet that is all of a datagram, None where it is none."""
    if not data.startswith(MAGIC):
        return None
    spans = {phone: span for phone in (_SHORT, _LONG) if (span := _measure(data, 0, phone)) is not None}
    fitting = [phone for phone, span in spans.items() if span.size == len(data)]
    if not fitting:
        return None
    phone = _likelier(data, 0, fitting)
    return _read(data, 0, spans[phone], phone)


class MediaReader:
    """Bytes of a connection in, packets out, at any split; `resyncs` counts how often a packet had to be searched."""

    def __init__(self) -> None:
        self._buffer = b""
        self._phone = 0
        self._hunted = 0
        self.resyncs = 0

    def feed(self, data: bytes) -> list[MediaPacket]:
        """The packets that are whole now. HuntError when the connection should be closed."""
        buffer = self._buffer + data
        found: list[MediaPacket] = []
        at = 0
        while True:
            start = buffer.find(MAGIC, at)
            if start < 0:
                start = max(at, len(buffer) - len(MAGIC) + 1)
                self._pass_over(buffer, at, start)
                at = start
                break
            self._pass_over(buffer, at, start)
            at = start
            phone = self._phone or self._choose(buffer, at)
            if phone is None:
                break
            span = _measure(buffer, at, phone) if phone else None
            if span is None:
                self._phone = 0
                if self._choose(buffer, at) == 0:  # the magic was chance, or the packet is damaged
                    self._pass_over(buffer, at, at + 1)
                    at += 1
                continue
            if not span.size or at + span.size > len(buffer):
                break
            self._phone = phone
            self._hunted = 0
            found.append(_read(buffer, at, span, phone))
            at += span.size
        self._buffer = buffer[at:]
        return found

    def _pass_over(self, buffer: bytes, start: int, end: int) -> None:
        """Bytes that belong to no packet."""
        count = end - start
        if count <= 0 or (not self._hunted and MAGIC.startswith(buffer[start:end])):
            return
        self.resyncs += self._hunted == 0
        self._hunted += count
        if self._hunted > MAX_HUNT:
            raise HuntError("no media packet found in this connection")

    @staticmethod
    def _choose(buffer: bytes, at: int) -> int | None:
        """How many bytes the phone number of the packet there has: None, wait for more bytes; 0, it is no packet.

        Where both lengths make a header, the one counts behind which the next packet begins; where that is the same
        place for both, the likelier.
        """
        spans = {phone: span for phone in (_SHORT, _LONG) if (span := _measure(buffer, at, phone)) is not None}
        if len(spans) < 2:
            return next(iter(spans), 0)
        if len({span.size for span in spans.values()}) == 1 and spans[_SHORT].size:
            return _likelier(buffer, at, list(spans)) if at + spans[_SHORT].size <= len(buffer) else None
        for phone, span in spans.items():
            end = at + span.size
            if not span.size or len(buffer) < end + len(MAGIC):
                return None
            if buffer[end : end + len(MAGIC)] == MAGIC:
                return phone
        return 0
