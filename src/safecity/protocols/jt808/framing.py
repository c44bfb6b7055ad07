"""Frames on the wire (JT/T 808-2019, 4.4.2): `7E`, the escaped message and its check byte, `7E`.

A damaged frame costs itself alone: the reader goes on at the next flag and never asks for the connection to be closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FLAG: Final = 0x7E
MAX_FRAME: Final = 4096
"""Bytes of one frame between its flags, as they come (escaped)."""
_FLAG: Final = b"\x7e"
_KEPT: Final = 64
"""So many bytes of what was dropped are kept, for the log."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What was no frame or no message: `reason` is one of the codes in docs/standards/jt808.md."""

    data: bytes
    reason: str


def check_byte(raw: bytes) -> int:
    """Exclusive or of all bytes."""
    check = 0
    for byte in raw:
        check ^= byte
    return check


def escape(raw: bytes) -> bytes:
    """`7D` becomes `7D 01`, then `7E` becomes `7D 02`."""
    return raw.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(wire: bytes) -> bytes | None:
    """The reverse; None where a `7D` is followed by neither `01` nor `02`."""
    if b"\x7d" not in wire:
        return wire
    first, *others = wire.split(b"\x7d")
    parts = [first]
    for part in others:
        match part[:1]:
            case b"\x01":
                parts.append(b"\x7d" + part[1:])
            case b"\x02":
                parts.append(b"\x7e" + part[1:])
            case _:
                return None
    return b"".join(parts)


def frame(raw: bytes) -> bytes:
    """A message (header and body) as it goes over the connection."""
    return _FLAG + escape(raw + bytes((check_byte(raw),))) + _FLAG


class FrameReader:
    """Bytes in, messages without check byte out, at any split.

    Two frames may share one flag or have several between them. What stands before the first flag is noise.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._tail = b""
        self._max_frame = max_frame
        self._inside = False

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        """What is whole now."""
        *parts, tail = (self._tail + data).split(_FLAG)
        self._tail = tail[: self._max_frame + 1]  # one byte over is enough to refuse it at its flag
        found: list[bytes | Malformed] = []
        for part in parts:
            if part:
                found.append(self._read(part) if self._inside else Malformed(part[:_KEPT], "jt_noise"))
            self._inside = True
        return found

    def _read(self, part: bytes) -> bytes | Malformed:
        if len(part) > self._max_frame:
            return Malformed(part[:_KEPT], "jt_frame_too_long")
        raw = unescape(part)
        if raw is None:
            return Malformed(part[:_KEPT], "jt_bad_escape")
        if len(raw) < 2 or check_byte(raw):
            return Malformed(part[:_KEPT], "jt_bad_check")
        return raw[:-1]
