"""What goes over a connection for attachments (T/JSATL 12-2017, chapter 4): messages of JT/T 808 and, between them, the
bytes of files in pieces of their own form: `30 31 63 64`, the file's name in 50 bytes, offset and length (4 bytes
each), data."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.framing import MAX_FRAME
from safecity.protocols.jt808.wire import decode_text, encode_text

MAX_PIECE: Final = 65_536
"""Bytes of a file in one piece."""
NAME_BYTES: Final = 50
MAX_SPANS: Final = 2_048
"""Stretches of one file that lie apart; who scatters more of them sends no file."""
_MAGIC: Final = b"01cd"
_HEAD: Final = len(_MAGIC) + NAME_BYTES + 8
_FLAG: Final = 0x7E


class Piece(NamedTuple):
    """Bytes of a file, from `offset` on."""

    name: str
    offset: int
    data: bytes


def write_piece(piece: Piece) -> bytes:
    """As it goes over the connection. InvalidError for what does not fit."""
    name = encode_text(piece.name)
    if len(name) > NAME_BYTES or len(piece.data) > MAX_PIECE or not 0 <= piece.offset < 1 << 32:
        raise InvalidError(f"no piece of a file: {piece.name[:40]!r} at {piece.offset}")
    head = _MAGIC + name.ljust(NAME_BYTES, b"\0") + piece.offset.to_bytes(4, "big")
    return head + len(piece.data).to_bytes(4, "big") + piece.data


class PieceReader:
    """Bytes in; whole frames (with their flags) and pieces out, at any split.

    `noise` counts bytes that were neither. A piece that says it is longer than `MAX_PIECE` sets `lost`: where the next
    one begins nobody knows, and nothing is read any more.
    """

    def __init__(self) -> None:
        self.noise = 0
        self.lost = False
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes | Piece]:
        """What is whole now."""
        found: list[bytes | Piece] = []
        if self.lost:
            return found
        self._buffer += data
        at = 0
        while step := self._step(at, found):
            at += step
        del self._buffer[:at]
        if self.lost:
            self._buffer.clear()
        return found

    def _step(self, at: int, found: list[bytes | Piece]) -> int:
        """How far it goes on, 0: more is needed."""
        buffer = self._buffer
        if at >= len(buffer) or self.lost:
            return 0
        if buffer[at] == _FLAG:
            return self._frame(at, found)
        start = bytes(buffer[at : at + len(_MAGIC)])
        if start == _MAGIC:
            return self._piece(at, found)
        if _MAGIC.startswith(start):
            return 0
        self.noise += 1
        return 1

    def _frame(self, at: int, found: list[bytes | Piece]) -> int:
        end = self._buffer.find(_FLAG, at + 1, at + MAX_FRAME + 2)
        if end < 0 and len(self._buffer) - at < MAX_FRAME + 2:
            return 0
        if end <= at + 1:  # flags without anything between them, or none where one had to be
            self.noise += end < 0
            return 1
        found.append(bytes(self._buffer[at : end + 1]))
        return end + 1 - at

    def _piece(self, at: int, found: list[bytes | Piece]) -> int:
        buffer = self._buffer
        if len(buffer) - at < _HEAD:
            return 0
        length = int.from_bytes(buffer[at + _HEAD - 4 : at + _HEAD], "big")
        if length > MAX_PIECE:
            self.lost = True
            return 0
        end = at + _HEAD + length
        if len(buffer) < end:
            return 0
        name = bytes(buffer[at + 4 : at + 4 + NAME_BYTES]).rstrip(b"\0")
        offset = int.from_bytes(buffer[at + 4 + NAME_BYTES : at + _HEAD - 4], "big")
        found.append(Piece(decode_text(name), offset, bytes(buffer[at + _HEAD : end])))
        return end - at


class Spans:
    """Which bytes of a file of `size` have come."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, start: int, end: int) -> None:
        """[start, end) has come, once more perhaps."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def missing(self) -> list[tuple[int, int]]:
        """(offset, length) of what has not come, in order."""
        at, found = 0, list[tuple[int, int]]()
        for start, end in zip(self._starts, self._ends, strict=True):
            if start > at:
                found.append((at, start - at))
            at = end
        if at < self.size:
            found.append((at, self.size - at))
        return found
