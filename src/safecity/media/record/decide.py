"""Whether a stream is to be recorded now, and if not, why not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from safecity.kit.clock import BEIJING
from safecity.model.facts.media_calls import RecordPolicy, Span


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody asked for a recording besides the policy; `until` microseconds UTC, 0: until told otherwise."""

    until: int = 0
    reason: str = "manual"


class Decision(NamedTuple):
    """`absence` is the cause of the gap that not recording makes; None where no footage is expected."""

    recording: bool
    absence: str | None


def decide(policy: RecordPolicy, demand: Demand | None, now_us: int) -> Decision:
    """Demand wins over the schedule, the schedule over nothing."""
    if policy.mode == "continuous" or (demand is not None and (demand.until == 0 or now_us < demand.until)):
        return Decision(True, "network")
    if policy.mode == "schedule":
        inside = in_schedule(policy.schedule, local_time(now_us, policy.zone))
        return Decision(inside, "network" if inside else "schedule")
    return Decision(False, None)


def in_schedule(spans: Sequence[Span], local: datetime) -> bool:
    """Whether the local time lies in one of the weekly spans."""
    minute = local.hour * 60 + local.minute
    return any(one.weekday == local.weekday() and one.start_minute <= minute < one.end_minute for one in spans)


def local_time(now_us: int, zone: str) -> datetime:
    """What the clock on the wall shows; an unknown zone is taken for China's."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)).astimezone(_zone(zone))


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return BEIJING


class Window(NamedTuple):
    """Where the RAM window of a recorder begins to shed each priority (1 most important): bytes."""

    limits: tuple[int, ...]

    @classmethod
    def of(cls, size: int) -> Window:
        """Priority 5 and above go first at 80 %, priority 1 only when nothing fits any more."""
        return cls(tuple(size * share // 100 for share in (100, 100, 95, 90, 85, 80)))

    def limit(self, priority: int) -> int:
        return self.limits[min(max(priority, 0), len(self.limits) - 1)]
