"""Which rate G.726 has: packets do not say, but how long they are against how far they are apart does."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

USUAL: Final = 4
"""Bits of a sample that most terminals send (32 kbit/s)."""
_ENOUGH: Final = 4
_LOOKED_AT: Final = 16
_OVERRULES: Final = 12
_UNTOLD: Final = 25
"""After so many packets whose time stamps tell nothing the times of arrival do."""
_LONGEST_MS: Final = 500
_OFF: Final = 0.3
"""So far from a whole number of bits the distance of two packets is no measure: one was lost, or the clock slipped."""


class RateWatch:
    """`bits` of a sample, None as long as too few packets came to tell. At 8,000 samples/s it is bytes by millisecond.

    A loss or a late clock is outvoted; a rate that changes for good is followed.
    """

    def __init__(self) -> None:
        self.bits: int | None = None
        self._votes: deque[int] = deque(maxlen=_LOOKED_AT)
        self._size = 0
        self._stamp: int | None = None
        self._since_us = 0
        self._bytes = self._packets = 0

    def add(self, size: int, stamp_ms: int | None, arrived_us: int) -> None:
        """A packet of `size` bytes."""
        step = stamp_ms - self._stamp if stamp_ms is not None and self._stamp is not None else 0
        if 0 < step <= _LONGEST_MS:
            self._vote(self._size / step)
        self._size, self._stamp = size, stamp_ms
        if self._packets == 0:
            self._since_us = arrived_us
        elif self._packets >= _UNTOLD:
            if not self._votes:
                passed = max(1, arrived_us - self._since_us)
                told = round(self._bytes * 1000 / passed)
                self.bits = told if 2 <= told <= 5 else self.bits or USUAL
            self._since_us, self._bytes, self._packets = arrived_us, 0, 0
        self._bytes += size
        self._packets += 1

    def _vote(self, measured: float) -> None:
        bits = round(measured)
        if not 2 <= bits <= 5 or abs(measured - bits) > _OFF:
            return
        self._votes.append(bits)
        found, count = Counter(self._votes).most_common(1)[0]
        if (self.bits is None and len(self._votes) >= _ENOUGH and count * 2 > len(self._votes)) or (
            count >= _OVERRULES
        ):  # fmt: skip
            self.bits = found
