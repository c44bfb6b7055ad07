"""How long to wait before the next try: longer each time, never the same for two cameras, never for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 1.0
LAST_SECONDS: Final = 60.0
LOCKOUT_SECONDS: Final = 60.0
"""Cameras lock an account after a few wrong passwords: those are asked rarely from the start."""
STEADY_SECONDS: Final = 10.0


class Backoff:
    """Doubling from 1 s to 60 s with +-25 % of chance. `chance` gives numbers in 0..1."""

    def __init__(
        self, chance: Callable[[], float], *, first: float = FIRST_SECONDS, last: float = LAST_SECONDS
    ) -> None:
        self._chance = chance
        self._first = first
        self._last = last
        self._next = first

    def progressed(self, seconds: float) -> None:
        """Pictures came. A session that held for a while begins anew; one that broke at once does not."""
        if seconds >= STEADY_SECONDS:
            self._next = self._first

    def next(self, step: str) -> float:
        """Seconds to wait after a failure at this step."""
        wait = self._next
        self._next = min(self._last, self._next * 2)
        if step == "rtsp_unauthorized":
            wait = max(wait, min(LOCKOUT_SECONDS, self._last))
        return wait * (0.75 + self._chance() / 2)
