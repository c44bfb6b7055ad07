"""Bytes of a connection to packets. A message that is too long is passed over without being kept, so that whoever may
publish can cost the line, and never the memory."""

from __future__ import annotations

from typing import Final

from safecity.protocols.mqtt.packets import PUBLISH, Malformed, Packet, TooLong, read_packet, read_start
from safecity.protocols.mqtt.wire import BadPacketError, Cursor

_LONGEST_START: Final = 2 + 0xFFFF + 2
"""Of a message: its topic with its length, and its number."""


class PacketReader:
    """One connection. `max_bytes`: of what follows a packet's length."""

    def __init__(self, version: int, max_bytes: int) -> None:
        self._version = version
        self._max = max(max_bytes, _LONGEST_START)
        self._buffer = bytearray()
        self._skip = 0
        self._skipped: TooLong | None = None
        self._dead = False

    @property
    def kept(self) -> int:
        """Bytes that wait for the rest of their packet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Packet | TooLong | Malformed]:
        """What is whole now. After a Malformed nothing comes any more."""
        found: list[Packet | TooLong | Malformed] = []
        if self._dead:
            return found
        self._buffer += data
        at = 0
        try:
            while True:
                one, used = self._next(at)
                at += used
                if one is not None:
                    found.append(one)
                elif not used:
                    break
        except BadPacketError as error:
            self._dead = True
            found.append(Malformed(str(error)))
        del self._buffer[: len(self._buffer) if self._dead else at]
        return found

    def _next(self, at: int) -> tuple[Packet | TooLong | None, int]:
        """(a packet, bytes that are done with)."""
        have = len(self._buffer) - at
        if self._skip:
            used = min(self._skip, have)
            self._skip -= used
            return (self._skipped if used and not self._skip else None), used
        size, digits = self._length(at + 1)
        if not digits:
            return None, 0
        head, start = self._buffer[at], at + 1 + digits
        there = len(self._buffer) - start
        if size <= self._max:
            if there < size:
                return None, 0
            return read_packet(head, bytes(self._buffer[start : start + size]), self._version), 1 + digits + size
        if head >> 4 != PUBLISH:
            raise BadPacketError("too long for its kind")
        if there < _LONGEST_START:
            return None, 0
        begun = bytes(self._buffer[start : start + _LONGEST_START])
        self._skipped = TooLong(*read_start(head & 0x0F, Cursor(begun)), size)
        self._skip = size
        return None, 1 + digits

    def _length(self, at: int) -> tuple[int, int]:
        """(bytes that follow, digits of the length); no digits where it is not whole yet."""
        value = 0
        for index, digit in enumerate(self._buffer[at : at + 4]):
            value |= (digit & 0x7F) << 7 * index
            if digit < 0x80:
                return value, index + 1
        if len(self._buffer) - at >= 4:
            raise BadPacketError("a length of more than four digits")
        return 0, 0
