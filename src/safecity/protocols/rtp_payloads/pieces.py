"""What every depacketiser gives out, and the promise it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

MAX_UNIT_BYTES: Final = 8 * 1024 * 1024
MAX_NALS: Final = 1024


class Piece(NamedTuple):
    """One access unit. `parts` are its NAL units without start code, or the one audio frame.

    `timestamp` counts in the track's own clock and wraps at 2^32; `damaged`: something of it is missing.
    """

    timestamp: int
    parts: Sequence[bytes]
    damaged: bool


class Depacketiser(Protocol):
    """Takes the packets of one track in order and never raises; `dropped` counts payloads that make no sense."""

    dropped: int

    def push(self, timestamp: int, marker: bool, payload: bytes, gap: bool = False) -> list[Piece]:
        """One packet's payload; `gap` tells that packets before it are missing. The units that are whole now."""
        ...

    def flush(self) -> list[Piece]:
        """What is left when the stream ends."""
        ...
