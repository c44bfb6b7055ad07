"""Trying again for ever, later each time, never all at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Delays of `first` seconds doubling up to `most`, each taken between half and the whole of it by `luck`."""

    first: float
    most: float
    failures: int = 0

    def failed(self, luck: float) -> float:
        """Seconds to wait now; `luck` is a random number in [0, 1)."""
        delay = min(self.most, self.first * 2 ** min(self.failures, 30))
        self.failures += 1
        return delay * (0.5 + luck / 2)

    def succeeded(self) -> None:
        """Real progress was seen."""
        self.failures = 0
