"""What to delete, and why. Pure: it sees how much each channel has and answers a list of removals.

Order under pressure: expired, then channels over their quota, then the oldest that is not held and lies outside
everybody's guaranteed floor, then (when floors alone fill the volume) the oldest of whoever uses most. Held footage is
never touched; when nothing else is left, the volume is stuck and its streams go to a sibling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

DAY_MS: Final = 86_400_000

EXPIRED, QUOTA, PRESSURE, FLOOR, REQUEST = "expired", "quota", "pressure", "pressure_floor", "request"
"""Reasons that stand in the deletion rows."""


class Keep(NamedTuple):
    """How long a channel is kept; 0 means no limit of that kind."""

    days: int = 0
    max_bytes: int = 0
    floor_days: int = 1


class Use(NamedTuple):
    """One channel's part of one closed extent. Milliseconds UTC."""

    extent: int
    channel: int
    bytes: int
    start: int
    end: int


@dataclass(slots=True)
class ChannelUse:
    """What a channel has; `oldest` in order of time (as many as the caller cares to look at)."""

    channel: int
    bytes: int
    keep: Keep
    oldest: list[Use] = field(default_factory=list[Use])


class Held(NamedTuple):
    """A held range of a channel, milliseconds UTC, half-open."""

    channel: int
    start: int
    end: int


class Removal(NamedTuple):
    """Delete the channel's part of the extent, for this reason."""

    use: Use
    reason: str


class Plan(NamedTuple):
    """`stuck`: more is needed than may be deleted."""

    removals: list[Removal]
    stuck: bool


def plan(channels: Sequence[ChannelUse], holds: Iterable[Held], now: int, need_bytes: int) -> Plan:
    """Removals that enforce days and quotas, and free `need_bytes` on top of nothing at all (0: no pressure)."""
    held: dict[int, list[Held]] = {}
    for hold in holds:
        held.setdefault(hold.channel, []).append(hold)
    removals: list[Removal] = []
    gone: set[tuple[int, int]] = set()
    left = {one.channel: one.bytes for one in channels}
    freed = 0

    def remove(use: Use, reason: str) -> None:
        nonlocal freed
        removals.append(Removal(use, reason))
        gone.add((use.extent, use.channel))
        left[use.channel] -= use.bytes
        freed += use.bytes

    def candidates(one: ChannelUse) -> list[Use]:
        mine = held.get(one.channel, ())
        return [use for use in one.oldest if (use.extent, use.channel) not in gone and not is_held(use, mine)]

    for one in channels:
        if one.keep.days:
            horizon = now - one.keep.days * DAY_MS
            for use in candidates(one):
                if use.end <= horizon:
                    remove(use, EXPIRED)
    for one in channels:
        if one.keep.max_bytes:
            for use in candidates(one):
                if left[one.channel] <= one.keep.max_bytes:
                    break
                remove(use, QUOTA)
    if freed < need_bytes:
        free = [use for one in channels for use in candidates(one) if not _in_floor(use, one.keep, now)]
        for use in sorted(free, key=lambda use: use.end):
            if freed >= need_bytes:
                break
            remove(use, PRESSURE)
    _take_from_the_largest(channels, left, candidates, remove, lambda: freed < need_bytes)
    return Plan(removals, freed < need_bytes)


def is_held(use: Use, holds: Sequence[Held]) -> bool:
    """Whether any hold touches it."""
    return any(use.start < hold.end and hold.start < use.end for hold in holds)


def _in_floor(use: Use, keep: Keep, now: int) -> bool:
    return keep.floor_days > 0 and use.end > now - keep.floor_days * DAY_MS


def _take_from_the_largest(
    channels: Sequence[ChannelUse],
    left: Mapping[int, int],
    candidates: Callable[[ChannelUse], list[Use]],
    remove: Callable[[Use, str], None],
    needed: Callable[[], bool],
) -> None:
    """Floors promise more than the volume holds: whoever has most gives first, so that nobody starves another."""
    waiting = {one.channel: candidates(one) for one in channels} if needed() else {}
    while needed():
        rich = max((channel for channel, uses in waiting.items() if uses), key=lambda one: left[one], default=None)
        if rich is None:
            return
        remove(waiting[rich].pop(0), FLOOR)
