"""Into how many parts ordered work is cut, and which part a key belongs to: the same in every process and release."""

from __future__ import annotations

from typing import Final
from zlib import crc32

PARTITIONS: Final = 64
"""Fixed for ever: what is stored by partition would have to be moved if it changed."""


def partition_of(key: str) -> int:
    """0..63: CRC-32 (ISO 3309) of the key in UTF-8, modulo 64. ValueError for what is no UTF-8 (lone surrogates).

    Python's own `hash` differs from process to process.
    """
    return crc32(key.encode()) % PARTITIONS
