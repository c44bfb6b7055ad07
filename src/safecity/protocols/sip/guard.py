"""Keeps one noisy source from being heard by everybody else: token buckets by source address."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from safecity.kit.terms import Terms


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


class Way(NamedTuple):
    """Where datagrams come from; `port` 0 stands for all of the host."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Forbearance:
    """How much that is good for nothing is put up with, from one way and from all ways of a host, and for how long
    who overdid it is not heard (twice as long each time it goes on at once, up to `longest_seconds`)."""

    of_way: Allowance = Allowance(per_second=200.0, burst=2_000.0)
    of_host: Allowance = Allowance(per_second=500.0, burst=10_000.0)
    seconds: float = 10.0
    longest_seconds: float = 160.0
    ways: int = 64


class Patience:
    """Who sends so much that is good for nothing (broken, refused, more than it may) that it is not heard for a while.

    By way, so that one mad device does not silence its neighbours behind the same address; the whole host only where
    it keeps changing its ports. What is of use costs no patience: a lower platform may speak for ten thousand devices.
    """

    def __init__(self, limits: Forbearance | None = None) -> None:
        self._limits = limits or Forbearance()
        self._ways = SourceGuard(self._limits.of_way)
        self._hosts = SourceGuard(self._limits.of_host)
        self._until: OrderedDict[Way, float] = OrderedDict()
        self._terms = Terms[Way](self._limits.seconds, self._limits.longest_seconds)

    def try_it(self, host: str, port: int, now: float) -> Way | None:
        """One more that was good for nothing; the way that is to be cut off for it, if any."""
        way = Way(host, port)
        if self._ways.admit(f"{host} {port}", now):
            if self._hosts.admit(host, now):
                return None
            way = Way(host, 0)
        if way in self._until:
            return None  # what was in the buffer already
        self._until[way] = now + self._terms.following(way, now)
        if len(self._until) > self._limits.ways:
            self._until.popitem(last=False)
        return way

    def expire(self, now: float) -> bool:
        """Hear those again whose time is over; whether there were any."""
        over = [way for way, until in self._until.items() if until <= now]
        for way in over:
            del self._until[way]
        return bool(over)

    @property
    def cut_off(self) -> tuple[Way, ...]:
        """Who is not heard now."""
        return tuple(self._until)
