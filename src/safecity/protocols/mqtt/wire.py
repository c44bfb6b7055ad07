"""The parts packets are made of: numbers, texts, lengths, and the properties of MQTT 5 (1.5, 2.2.2)."""

from __future__ import annotations

from typing import Final

PROTOCOL_311: Final = 4
PROTOCOL_5: Final = 5
MAX_LENGTH: Final = 268_435_455
"""Bytes that a length of four digits can say."""

_BYTES: Final = frozenset((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A))
_U16: Final = frozenset((0x13, 0x21, 0x22, 0x23))
_U32: Final = frozenset((0x02, 0x11, 0x18, 0x27))
_TEXTS: Final = frozenset((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F))
_BINARY: Final = frozenset((0x09, 0x16))
_SUBSCRIPTION: Final = 0x0B
_PAIR: Final = 0x26

SESSION_EXPIRY: Final = 0x11
SERVER_KEEP_ALIVE: Final = 0x13
RECEIVE_MAXIMUM: Final = 0x21
MAXIMUM_PACKET: Final = 0x27


class BadPacketError(Exception):
    """What came is not MQTT."""


def write_length(value: int) -> bytes:
    """A variable byte integer. ValueError beyond 256 MiB."""
    if not 0 <= value <= MAX_LENGTH:
        raise ValueError(f"no length: {value}")
    out = bytearray()
    while True:
        value, digit = value >> 7, value & 0x7F
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def write_text(text: str) -> bytes:
    """With its length in front. ValueError beyond 65,535 bytes."""
    return write_binary(text.encode("utf-8"))


def write_binary(data: bytes) -> bytes:
    """With its length in front. ValueError beyond 65,535 bytes."""
    if len(data) > 0xFFFF:
        raise ValueError("too long for a text of MQTT")
    return len(data).to_bytes(2, "big") + data


class Cursor:
    """Reads a packet from its front. BadPacketError where it ends too early or says what cannot be."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise BadPacketError("cut off")
        part = self._data[self._at : self._at + count]
        self._at += count
        return part

    def rest(self) -> bytes:
        return self.take(self.left)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def length(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            digit = self.number(1)
            value |= (digit & 0x7F) << shift
            if digit < 0x80:
                return value
        raise BadPacketError("a length of more than four digits")

    def text(self) -> str:
        """UTF-8 without the sign of number 0 and without halves of pairs (1.5.4)."""
        try:
            text = self.take(self.number(2)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadPacketError("not UTF-8") from error
        if "\0" in text:
            raise BadPacketError("a zero in a text")
        return text

    def properties(self) -> dict[int, int]:
        """Those that are numbers, by their identifier; the others are checked and passed over."""
        part = Cursor(self.take(self.length()))
        found: dict[int, int] = {}
        while part.left:
            kind = part.length()
            if kind in _BYTES:
                found[kind] = part.number(1)
            elif kind in _U16:
                found[kind] = part.number(2)
            elif kind in _U32:
                found[kind] = part.number(4)
            elif kind in _TEXTS:
                part.text()
            elif kind in _BINARY:
                part.take(part.number(2))
            elif kind == _SUBSCRIPTION:
                part.length()
            elif kind == _PAIR:
                part.text()
                part.text()
            else:
                raise BadPacketError(f"no such property: {kind}")
        return found


def write_properties(values: dict[int, int]) -> bytes:
    """Numbers alone; with their length in front."""
    body = bytearray()
    for kind, value in values.items():
        size = 1 if kind in _BYTES else 2 if kind in _U16 else 4
        body += write_length(kind) + value.to_bytes(size, "big")
    return write_length(len(body)) + bytes(body)
