"""Media time as a device writes it, made to run: wraps, jumps, doubles and wrong clocks.

Output is in 1/90,000 s and never wraps. As long as a device counts sensibly its differences are kept to the tick;
what cannot be true is replaced by the time of arrival.
"""

from __future__ import annotations

from typing import Final

JUMP_90K: Final = 10 * 90_000
"""A step larger than this is a new clock, not a long pause."""

CHECK_US: Final = 5_000_000
SLOWEST, FASTEST = 0.1, 40.0
"""Between these a device may play its own recordings slowly or download them fast; beyond, its clock is wrong."""


class Timeline:
    """One track. `origin` is what the first time stamp becomes; `bits` is the width of the device's counter."""

    __slots__ = (
        "_checked_raw",
        "_checked_us",
        "_last_raw",
        "_last_us",
        "_mask",
        "by_arrival",
        "jumps",
        "last",
        "origin",
    )

    def __init__(self, origin: int = 0, bits: int = 33) -> None:
        self.origin = origin
        self.last: int | None = None
        self.jumps = 0
        self.by_arrival = False
        self._mask = (1 << bits) - 1
        self._last_raw = 0
        self._last_us = 0
        self._checked_raw = 0
        self._checked_us = 0

    def delta(self, raw: int) -> int:
        """Ticks from the last raw value, negative when it lies before."""
        difference = (raw - self._last_raw) & self._mask
        return difference - self._mask - 1 if difference > self._mask >> 1 else difference

    def place(self, raw: int, arrived_us: int) -> int:
        """The running time of the next unit in decoding order."""
        last = self.last
        if last is None:
            self.last = self.origin
            self._last_raw = self._checked_raw = raw
            self._last_us = self._checked_us = arrived_us
            return self.origin
        difference = (raw - self._last_raw) & self._mask
        if difference > self._mask >> 1:
            difference -= self._mask + 1
        if arrived_us - self._checked_us > CHECK_US:
            self._check(raw, arrived_us)
        if self.by_arrival or difference == 0 or not -JUMP_90K < difference < JUMP_90K:
            if difference and not self.by_arrival:
                self.jumps += 1
                self._checked_raw, self._checked_us = raw, arrived_us
            difference = min(JUMP_90K, max(90, (arrived_us - self._last_us) * 9 // 100))
            if raw == self._last_raw and not self.by_arrival:
                difference = min(difference, 3600)  # a double: half a frame or so, the next true stamp catches up
                self._last_raw = (raw + difference) & self._mask
                self._last_us = arrived_us
                self.last = last + difference
                return self.last
        self._last_raw = raw
        self._last_us = arrived_us
        self.last = last + difference
        return self.last

    def _check(self, raw: int, arrived_us: int) -> None:
        ticks = (raw - self._checked_raw) & self._mask
        if ticks > self._mask >> 1:
            ticks -= self._mask + 1
        ratio = ticks / ((arrived_us - self._checked_us) * 0.09)
        self.by_arrival = not SLOWEST < ratio < FASTEST
        self._checked_raw, self._checked_us = raw, arrived_us
