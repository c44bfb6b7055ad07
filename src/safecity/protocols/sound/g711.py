"""Samples of 16 bits to G.711 A-law (ITU-T G.711)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final


def _coded(value: int) -> int:
    """Of 12 bits with their sign: A-law knows no finer steps."""
    size = value if value >= 0 else ~value
    exponent = max(0, size.bit_length() - 4)
    mantissa = size if exponent < 2 else size >> exponent - 1
    return (exponent << 4 | mantissa & 15) ^ (0xD5 if value >= 0 else 0x55)


_ALAW: Final = bytes(_coded(number if number < 2048 else number - 4096) for number in range(4096))


def alaw(samples: Iterable[int]) -> bytes:
    """A byte for each."""
    return bytes([_ALAW[one >> 4 & 0xFFF] for one in samples])
