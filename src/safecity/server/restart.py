"""When a dead duty is started again: at once the first time, later and later while it keeps dying."""

from __future__ import annotations

from dataclasses import dataclass, field

QUICK_SECONDS = 0.02
MAX_SECONDS = 10.0
WINDOW_SECONDS = 60.0


@dataclass
class RestartPolicy:
    """One per duty. Three deaths within a minute are too many: others may then take its work."""

    deaths: list[float] = field(default_factory=list[float])

    def died(self, now: float) -> float:
        """When to start again, on the same monotonic clock."""
        self.deaths = [at for at in self.deaths if now - at < WINDOW_SECONDS]
        self.deaths.append(now)
        count = len(self.deaths)
        if count <= 3:
            return now + QUICK_SECONDS
        return now + min(MAX_SECONDS, 0.25 * 2.0 ** min(count - 3, 10))

    def failing(self, now: float) -> bool:
        """Whether it died three times within the last minute."""
        return sum(now - at < WINDOW_SECONDS for at in self.deaths) >= 3
