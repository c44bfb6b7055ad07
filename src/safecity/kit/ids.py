"""UUIDv7 identifiers (RFC 9562, 5.7), shown as a kind prefix and 26 base32 characters.

Stored as 16 bytes; `ch_01j...` is only how people and other processes see them. Crockford's alphabet in lower
case sorts like the bytes do.
"""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

from safecity.kit.errors import InvalidError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7, strictly growing within this process."""
    global _last
    milliseconds = time.time_ns() // 1_000_000
    with _lock:
        # 12 bits of rand_a count within a millisecond, so that ids of one burst keep their order.
        stamp = max((milliseconds << 12) | (int.from_bytes(os.urandom(1), "big")), _last + 1)
        _last = stamp
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = ((stamp >> 12) << 80) | (0x7 << 76) | ((stamp & 0xFFF) << 64) | (0b10 << 62) | random
    return UUID(int=value)


def show(kind: str, value: UUID) -> str:
    """`show("ch", id)` -> `ch_` and 26 characters."""
    number = value.int
    letters = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{kind}_{''.join(letters)}"


def parse(kind: str, text: str) -> UUID:
    """The id behind what `show` made; InvalidError for anything else."""
    prefix, _, body = text.partition("_")
    if prefix != kind or len(body) != 26 or body[0] > "7":
        raise InvalidError(f"not an id of kind {kind}: {text[:64]!r}", code="invalid_id", params={"kind": kind})
    number = 0
    for letter in body:
        value = _VALUES.get(letter)
        if value is None:
            raise InvalidError(f"not an id of kind {kind}: {text[:64]!r}", code="invalid_id", params={"kind": kind})
        number = number << 5 | value
    return UUID(int=number)


def fresh(kind: str) -> str:
    """A new id, shown."""
    return show(kind, new_id())
