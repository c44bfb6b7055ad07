"""AAC (RFC 3640, mode AAC-hbr; MPEG-4 LATM is told apart and refused) and G.711 (RFC 3551) from RTP."""

from __future__ import annotations

from typing import Final

from safecity.protocols.aac import SAMPLES_PER_FRAME
from safecity.protocols.rtp_payloads.pieces import Piece

MAX_FRAME: Final = 64 * 1024
MAX_FRAMES: Final = 64


class AacDepacketiser:
    """Several frames in a packet, or one frame over several. Lengths of the fields in bits are those of `a=fmtp`."""

    def __init__(self, *, size_length: int = 13, index_length: int = 3, delta_length: int = 3) -> None:
        if not (0 < size_length <= 16 and 0 <= index_length <= 8 and 0 <= delta_length <= 8):
            raise ValueError("AU header lengths out of range")
        self.dropped = 0
        self._size_length = size_length
        self._first = size_length + index_length
        self._next = size_length + delta_length
        self._partial: list[bytes] = []
        self._missing = 0
        self._partial_stamp = 0
        self._damaged = False

    def push(self, timestamp: int, marker: bool, payload: bytes, gap: bool = False) -> list[Piece]:
        """See `Depacketiser`."""
        del marker
        if gap:
            self._partial, self._missing, self._damaged = [], 0, True
        sizes = self._sizes(payload)
        if sizes is None:
            self.dropped += 1
            self._partial, self._missing = [], 0
            return []
        at = 2 + (int.from_bytes(payload[:2], "big") + 7) // 8
        if len(sizes) == 1 and sizes[0] > len(payload) - at:
            return self._fragment(timestamp, payload[at:], sizes[0])
        if self._missing:
            return self._fragment(timestamp, payload[at:], sizes[0])
        out: list[Piece] = []
        for number, size in enumerate(sizes):
            if at + size > len(payload) or size == 0:
                self.dropped += 1
                self._damaged = True
                break
            stamp = (timestamp + number * SAMPLES_PER_FRAME) & 0xFFFFFFFF
            out.append(Piece(stamp, [payload[at : at + size]], self._damaged))
            self._damaged = False
            at += size
        return out

    def flush(self) -> list[Piece]:
        """See `Depacketiser`."""
        self._partial, self._missing = [], 0
        return []

    def _sizes(self, payload: bytes) -> list[int] | None:
        if len(payload) < 3:
            return None
        bits = int.from_bytes(payload[:2], "big")
        end = 2 + (bits + 7) // 8
        if bits < self._first or end > len(payload) or bits > self._first + MAX_FRAMES * self._next:
            return None
        headers = int.from_bytes(payload[2:end], "big") >> (-bits % 8)
        left = bits
        sizes: list[int] = []
        width = self._first
        while left >= width > 0:
            left -= width
            sizes.append((headers >> left >> (width - self._size_length)) & ((1 << self._size_length) - 1))
            width = self._next
        return sizes or None

    def _fragment(self, timestamp: int, body: bytes, size: int) -> list[Piece]:
        if not self._missing:
            self._partial, self._missing, self._partial_stamp = [], size, timestamp
        elif timestamp != self._partial_stamp:
            self.dropped += 1
            self._partial, self._missing, self._damaged = [], 0, True
            return []
        self._partial.append(body[: self._missing])
        self._missing -= len(self._partial[-1])
        if self._missing or not body:
            return []
        frame, damaged = b"".join(self._partial), self._damaged
        self._partial, self._damaged = [], False
        return [Piece(timestamp, [frame], damaged)]


class PlainDepacketiser:
    """G.711: each payload is a piece of sound."""

    def __init__(self) -> None:
        self.dropped = 0

    def push(self, timestamp: int, marker: bool, payload: bytes, gap: bool = False) -> list[Piece]:
        """See `Depacketiser`."""
        del marker
        if not 0 < len(payload) <= MAX_FRAME:
            self.dropped += 1
            return []
        return [Piece(timestamp, [payload], gap)]

    def flush(self) -> list[Piece]:
        """See `Depacketiser`."""
        return []
