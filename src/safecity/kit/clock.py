"""Time as the platform keeps it: integer microseconds UTC, durations from the monotonic clock.

Code that decides takes the time as an argument; code at the edge takes a `Clock`, so that a test can live a day
in a millisecond.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

SECOND_US = 1_000_000
BEIJING = timezone(timedelta(hours=8), "UTC+8")
"""GB/T 28181 and JT/T 808 write local time of China without a zone."""


class Clock(Protocol):
    """Both clocks of a machine."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970 UTC; may step."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; for durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


class FakeClock:
    """A clock that a test turns by hand."""

    def __init__(self, now_us: int = 1_700_000_000_000_000, monotonic: float = 1000.0) -> None:
        self._now_us = now_us
        self._monotonic = monotonic

    def now_us(self) -> int:
        return self._now_us

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._now_us += round(seconds * SECOND_US)
        self._monotonic += seconds

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock as an operator or NTP would; the monotonic clock does not notice."""
        self._now_us += round(seconds * SECOND_US)


def rfc3339(us: int) -> str:
    """`2026-01-02T03:04:05.678901Z`."""
    moment = datetime.fromtimestamp(us // SECOND_US, UTC).replace(microsecond=us % SECOND_US)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> int:
    """Microseconds UTC; the zone is required. ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no zone in {text[:40]!r}")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_US + delta.microseconds
