"""How often somebody may try: a bucket per key, with the number of keys bounded."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

OF_NETWORK: Final = (20, 6)
"""Guesses at once, and seconds to the next: of whoever is behind one address, whatever is guessed at."""
OF_NAME_THERE: Final = (6, 20)
"""At one name from one network."""


class Buckets:
    """Token buckets: `burst` tries at once, then one each `seconds`. The caller tells the time (monotonic)."""

    def __init__(self, burst: int, seconds: float, keys: int = 10_000) -> None:
        self._burst = burst
        self._seconds = seconds
        self._keys = keys
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """0 when this try is allowed, else the seconds to wait."""
        wait = self.wait(key, now)
        if wait > 0:
            return wait
        self._empty_at[key] = max(self._empty_at.get(key, 0.0), now) + self._seconds
        self._empty_at.move_to_end(key)
        while len(self._empty_at) > self._keys:
            self._empty_at.popitem(last=False)
        return 0.0

    def wait(self, key: str, now: float) -> float:
        """What `take` would answer, without a try."""
        ready = max(self._empty_at.get(key, 0.0), now)
        wait = ready + self._seconds - (now + self._burst * self._seconds)
        return wait if wait > 1e-9 else 0.0

    def forgive(self, key: str) -> None:
        """Forget the tries of a key, after a success."""
        self._empty_at.pop(key, None)
