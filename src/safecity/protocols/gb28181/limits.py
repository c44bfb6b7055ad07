"""Token buckets and bans: who asks too much is not answered, and nobody else notices."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """A token bucket per key. The memory is bounded: the key that was quiet longest is forgotten first."""

    def __init__(self, rate: float, burst: float, *, max_keys: int = 20_000) -> None:
        self._rate = rate
        self._burst = burst
        self._max_keys = max_keys
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def take(self, key: Hashable, now: float, tokens: float = 1.0) -> bool:
        """True while the key stays within its rate (per second) and burst."""
        bucket = self._buckets.get(key)
        if bucket is None:
            self._buckets[key] = _Bucket(self._burst - tokens, now)
            if len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
            return True
        filled = bucket.tokens + (now - bucket.at) * self._rate
        bucket.at = now
        bucket.tokens = min(self._burst, filled)
        self._buckets.move_to_end(key)
        if bucket.tokens < tokens:
            return False
        bucket.tokens -= tokens
        return True


class Bans:
    """Keys that failed too often within a window are left without answer for a while."""

    def __init__(self, *, failures: int, window: float, seconds: float, max_keys: int = 20_000) -> None:
        self._limit = failures
        self._window = window
        self._seconds = seconds
        self._max_keys = max_keys
        self._failures: OrderedDict[Hashable, list[float]] = OrderedDict()
        self._until: OrderedDict[Hashable, float] = OrderedDict()

    def is_banned(self, key: Hashable, now: float) -> bool:
        until = self._until.get(key)
        if until is None:
            return False
        if now < until:
            return True
        del self._until[key]
        return False

    def failed(self, key: Hashable, now: float) -> bool:
        """Count a failure. True when the key is banned by it."""
        times = [at for at in self._failures.pop(key, []) if now - at < self._window]
        times.append(now)
        if len(times) < self._limit:
            self._failures[key] = times
            if len(self._failures) > self._max_keys:
                self._failures.popitem(last=False)
            return False
        self._until[key] = now + self._seconds
        if len(self._until) > self._max_keys:
            self._until.popitem(last=False)
        return True

    def succeeded(self, key: Hashable) -> None:
        self._failures.pop(key, None)
        self._until.pop(key, None)
