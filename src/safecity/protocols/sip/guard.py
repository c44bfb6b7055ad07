"""Keeps one noisy source from being heard by everybody else: token buckets by source address."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """`per_second` messages in the long run, `burst` at once; then silence until the bucket fills again."""

    per_second: float = 200.0
    burst: float = 2000.0


class SourceGuard:
    """A bucket for each source. The table is bounded: the source heard longest ago is forgotten first.

    An NVR or a lower platform speaks for thousands of channels, so the allowance is wide; `block` is for what
    misbehaves in other ways (wrong passwords), decided above.
    """

    def __init__(self, allowance: Allowance | None = None, *, max_sources: int = 50_000) -> None:
        self._allowance = allowance or Allowance()
        self._max = max_sources
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._blocked: OrderedDict[str, float] = OrderedDict()
        self.dropped = 0

    def admit(self, source: str, now: float, cost: float = 1.0) -> bool:
        """False where the message is to be dropped unread; counts it."""
        if self._blocked and self._is_blocked(source, now):
            self.dropped += 1
            return False
        allowance = self._allowance
        bucket = self._buckets.get(source)
        if bucket is None:
            left = allowance.burst
            if len(self._buckets) >= self._max:
                self._buckets.popitem(last=False)
        else:
            left = min(allowance.burst, bucket[0] + (now - bucket[1]) * allowance.per_second)
            self._buckets.move_to_end(source)
        if left < cost:
            self._buckets[source] = (left, now)
            self.dropped += 1
            return False
        self._buckets[source] = (left - cost, now)
        return True

    def block(self, source: str, until: float) -> None:
        """Hear nothing from this source until then."""
        self._blocked[source] = until
        if len(self._blocked) > self._max:
            self._blocked.popitem(last=False)

    def _is_blocked(self, source: str, now: float) -> bool:
        until = self._blocked.get(source)
        if until is None:
            return False
        if now >= until:
            del self._blocked[source]
            return False
        return True
