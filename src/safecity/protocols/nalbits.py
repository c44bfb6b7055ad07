"""Bits of a NAL unit: emulation prevention taken out, Exp-Golomb codes read (H.264 7.2 and 9.1, H.265 9.2)."""

from __future__ import annotations

START_CODE = b"\x00\x00\x01"


class BitsExhausted(ValueError):
    """The data ended before the syntax did."""


def unescape(nal: bytes) -> bytes:
    """The RBSP: every 00 00 03 becomes 00 00."""
    if b"\x00\x00\x03" not in nal:
        return nal
    # Scanning goes on right behind the removed byte, as the standard's own loop does: 00 00 03 00 00 03 loses both.
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")


class BitReader:
    """Reads big-endian bits; ValueError past the end, so a truncated parameter set is a plain bad value."""

    __slots__ = ("_end", "_position", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._end = len(data) * 8
        self._position = 0

    @property
    def left(self) -> int:
        """Bits not yet read."""
        return self._end - self._position

    def bits(self, count: int) -> int:
        """u(n)."""
        position = self._position + count
        if position > self._end:
            raise BitsExhausted("bits exhausted")
        self._position = position
        return (self._value >> (self._end - position)) & ((1 << count) - 1)

    def flag(self) -> bool:
        """u(1)."""
        return self.bits(1) == 1

    def skip(self, count: int) -> None:
        """Pass over bits."""
        self.bits(count)

    def ue(self) -> int:
        """ue(v), at most 32 leading zeros."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise BitsExhausted("no Exp-Golomb code")
        return (1 << zeros) - 1 + self.bits(zeros)

    def se(self) -> int:
        """se(v)."""
        code = self.ue()
        return (code + 1) >> 1 if code & 1 else -(code >> 1)


def nal_spans(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """(first byte, past the last byte) of each NAL unit of an Annex B stretch; bytes before a start code are left out.

    The search begins from the back: most pictures are one slice behind small NAL units, so one pass over the bytes
    is all it takes.
    """
    last = data.rfind(START_CODE, start, end)
    if last < 0:
        return []
    spans: list[tuple[int, int]] = []
    here = data.find(START_CODE, start, last + 3) + 3
    while here <= last:
        following = data.find(START_CODE, here, last + 3)
        stop = following
        while stop > here and not data[stop - 1]:  # trailing_zero_8bits, or the first byte of a 4-byte start code
            stop -= 1
        if stop > here:
            spans.append((here, stop))
        here = following + 3
    stop = end
    while stop > here and not data[stop - 1]:
        stop -= 1
    if stop > here:
        spans.append((here, stop))
    return spans


def split_annex_b(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream."""
    return [data[a:b] for a, b in nal_spans(data, 0, len(data))]


def with_lengths(nals: list[bytes]) -> bytes:
    """NAL units each behind a 4-byte big-endian length (ISO/IEC 14496-15)."""
    parts: list[bytes] = []
    for nal in nals:
        parts.append(len(nal).to_bytes(4, "big"))
        parts.append(nal)
    return b"".join(parts)


def split_lengths(data: bytes) -> list[bytes]:
    """The NAL units of the 4-byte length form; ValueError where a length leaves the data."""
    nals: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if size > len(data) - at:
            raise ValueError("a NAL length leaves its unit")
        nals.append(data[at : at + size])
        at += size
    return nals


def annex_b(data: bytes, parameter_sets: tuple[bytes, ...] = ()) -> bytes:
    """The 4-byte length form as Annex B, behind the given parameter sets."""
    parts: list[bytes] = []
    for nal in (*parameter_sets, *split_lengths(data)):
        parts.append(b"\x00\x00\x00\x01")
        parts.append(nal)
    return b"".join(parts)
