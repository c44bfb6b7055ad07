"""UUIDv7 identifiers (RFC 9562, 5.7), shown as a kind prefix and 26 base32 characters.

Stored as 16 bytes; `ch_01j...` is only how people and other processes see them. Crockford's alphabet in lower
case sorts like the bytes do.
"""

from __future__ import annotations

import os
import re
import threading
import time
from functools import lru_cache
from uuid import UUID

from safecity.kit.errors import InvalidError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_AS_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_BODY = re.compile(f"[0-7][{_ALPHABET}]{{25}}")
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
"""Ids are made and read for every row: two letters at a time, and by the interpreter's own reading of base 32."""
_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7, strictly growing within this process."""
    global _last
    milliseconds, chance = time.time_ns() // 1_000_000, os.urandom(9)
    with _lock:
        # 12 bits of rand_a count within a millisecond, so that ids of one burst keep their order.
        stamp = max((milliseconds << 12) | chance[0], _last + 1)
        _last = stamp
    random = int.from_bytes(chance[1:]) & ((1 << 62) - 1)
    value = ((stamp >> 12) << 80) | (0x7 << 76) | ((stamp & 0xFFF) << 64) | (0b10 << 62) | random
    return UUID(int=value)


def show(kind: str, value: UUID) -> str:
    """`show("ch", id)` -> `ch_` and 26 characters."""
    number = value.int
    return f"{kind}_{''.join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])}"


def parse(kind: str, text: str) -> UUID:
    """The id behind what `show` made; InvalidError for anything else."""
    return UUID(int=_number(kind, text))


@lru_cache(maxsize=1024)
def packed(kind: str, text: str) -> bytes:
    """The same as 16 bytes. Rows of one change name the same few things again and again."""
    return _number(kind, text).to_bytes(16)


def _number(kind: str, text: str) -> int:
    prefix, _, body = text.partition("_")
    if prefix != kind or _BODY.fullmatch(body) is None:
        raise InvalidError(f"not an id of kind {kind}: {text[:64]!r}", code="invalid_id", params={"kind": kind})
    return int(body.translate(_AS_DIGITS), 32)


def fresh(kind: str) -> str:
    """A new id, shown."""
    return show(kind, new_id())
