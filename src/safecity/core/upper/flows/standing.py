"""Vehicles that stand, and what it means when two stand at one place.

The rules are those of Linear Road (Arasu et al., VLDB 2004): a vehicle has stopped when it reports one position four
times running; an accident is two vehicles stopped at one position, until one of them moves.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

STOPPED_AFTER: Final = 4
"""Equal reports running."""
TOGETHER: Final = 2
"""Stopped vehicles that make an accident."""


def reports_here(before: int, *, same_place: bool) -> int:
    """How many reports running a vehicle has given from where it is, this one counted; `before`: at the last one."""
    return min(before + 1, STOPPED_AFTER) if same_place else 1


class Stand(Struct, frozen=True, array_like=True, gc=False):
    """The vehicles stopped at one place, in the order they stopped, and since when they make an accident."""

    vehicles: tuple[int, ...] = ()
    since: int | None = None

    def stopped(self, vehicle: int, at: int) -> Stand:
        """One more, or one that is there already. Times are whatever the caller counts in."""
        if vehicle in self.vehicles:
            return self
        vehicles = (*self.vehicles, vehicle)
        since = at if self.since is None and len(vehicles) >= TOGETHER else self.since
        return Stand(vehicles, since)

    def left(self, vehicle: int) -> Stand:
        """One moved on. Fewer than two are no accident any more."""
        vehicles = tuple(one for one in self.vehicles if one != vehicle)
        return Stand(vehicles, self.since if len(vehicles) >= TOGETHER else None)


class Accident(Struct, frozen=True, array_like=True, gc=False):
    """Where traffic is held up. It counts from the minute after it was found to the minute in which it was cleared."""

    direction: int
    segment: int
    found: int
    cleared: int | None = None

    def counts(self, minute: int) -> bool:
        return self.found < minute and (self.cleared is None or minute <= self.cleared)

    def ahead_of(self, direction: int, segment: int, reach: int) -> bool:
        """Whether it lies 0 to `reach` segments downstream: segments grow along direction 0, fall along the other."""
        if direction != self.direction:
            return False
        away = self.segment - segment if direction == 0 else segment - self.segment
        return 0 <= away <= reach
