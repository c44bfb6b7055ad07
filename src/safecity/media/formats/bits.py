"""Reading the few bits of parameter sets that an MP4 sample entry must repeat."""

from __future__ import annotations

from safecity.kit.errors import InvalidError


class BitReader:
    """Bits of a raw byte sequence payload, most significant first; running out is an InvalidError."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def u(self, count: int) -> int:
        """`count` bits as an unsigned number."""
        if count > self._left:
            raise InvalidError("parameter set ends early", code="bad_parameter_set")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """An Exp-Golomb number (ITU-T H.264, 9.1), at most 32 bits."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 32:
                raise InvalidError("Exp-Golomb number too long", code="bad_parameter_set")
        return (1 << zeros) - 1 + self.u(zeros)


def unescape(nal: bytes) -> bytes:
    """Take the emulation prevention bytes out (ITU-T H.264, 7.4.1.1): 00 00 03 becomes 00 00."""
    if b"\x00\x00\x03" not in nal:
        return nal
    parts: list[bytes] = []
    start = 0
    while (found := nal.find(b"\x00\x00\x03", start)) >= 0:
        parts.append(nal[start : found + 2])
        start = found + 3
    parts.append(nal[start:])
    return b"".join(parts)
