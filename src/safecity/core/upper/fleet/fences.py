"""A fence: a place, what is a matter there, for which vehicles, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from safecity.core.ground.access.api import Thing
from safecity.core.ground.alarms.api import check_seats
from safecity.core.upper.fleet.shapes import Shape, ShapeKind
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError

DAY_MINUTES: Final = 24 * 60
EVERY_DAY: Final = (1, 2, 3, 4, 5, 6, 7)
MAX_VEHICLES: Final = 500
MAX_FENCES: Final = 1_000
"""Each position is held against each fence of its area."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """For the vehicles of its area and organisation and those below; with `vehicles` only for these of them.

    on_enter, on_leave     entering, and being outside, raise an alarm
    speed_kmh, speed_seconds   faster than that inside for so long raises one, 0: no limit
    days, from_minute, until_minute   when it counts: days of the week (1 Monday), local minutes of the day; until
                           earlier than from goes over midnight and belongs to the day it begins on; both 0: all day
    valid_from, valid_until   microseconds UTC, None: without end
    priority, seats        of its alarms; no seats: whoever may see alarms where the vehicle is
    to_terminals           it is written down to the terminals as well, by its `number`: they judge without a network
    since                  when it became what it is: older positions are not judged by it
    """

    id: str
    name: str
    kind: ShapeKind
    points: tuple[tuple[float, float], ...]
    metres: float = 0.0
    on_enter: bool = False
    on_leave: bool = False
    speed_kmh: int = 0
    speed_seconds: int = 10
    days: tuple[int, ...] = EVERY_DAY
    from_minute: int = 0
    until_minute: int = 0
    valid_from: int = 0
    valid_until: int | None = None
    vehicles: tuple[str, ...] = ()
    area: str | None = None
    area_path: str = "/"
    organisation: str | None = None
    organisation_path: str = "/"
    priority: int = 2
    seats: frozenset[str] = frozenset()
    reason: str = ""
    enabled: bool = True
    to_terminals: bool = False
    number: int = 0
    since: int = 0
    created_by: str = ""
    created_at: int = 0
    revision: int = 1

    @property
    def shape(self) -> Shape:
        """InvalidError `shape_invalid`."""
        return Shape(self.kind, self.points, self.metres)

    def is_for(self, device: str, area_path: str, organisation_path: str) -> bool:
        """Whether a vehicle is held against it."""
        return (
            area_path.startswith(self.area_path)
            and organisation_path.startswith(self.organisation_path)
            and (not self.vehicles or device in self.vehicles)
        )

    def counts(self, at: int, zone: tzinfo) -> bool:
        """Whether it is in force at a time."""
        if not self.enabled or at < self.valid_from or (self.valid_until is not None and at >= self.valid_until):
            return False
        local = datetime.fromtimestamp(at / SECOND_US, UTC).astimezone(zone)
        minute, today = local.hour * 60 + local.minute, local.isoweekday()
        if self.from_minute == self.until_minute:
            return today in self.days
        if self.from_minute < self.until_minute:
            return today in self.days and self.from_minute <= minute < self.until_minute
        yesterday = (today - 2) % 7 + 1
        late, early = minute >= self.from_minute, minute < self.until_minute
        return (late and today in self.days) or (early and yesterday in self.days)


def thing_of(fence: Fence) -> Thing:
    """What decisions about it need."""
    return Thing("fence", fence.area_path, id=fence.id, organisation=fence.organisation_path)


def check_fence(fence: Fence) -> Fence:
    """InvalidError `shape_invalid`, `seat_invalid`, or `fence_invalid` with the field that is wrong."""
    assert fence.shape
    check_seats(fence.seats)
    _need(bool(fence.name.strip()) and len(fence.name) <= 100, "name")
    _need(fence.on_enter or fence.on_leave or fence.speed_kmh > 0, "rules")
    _need(0 <= fence.speed_kmh <= 200, "speed_kmh")
    _need(0 <= fence.speed_seconds <= 600, "speed_seconds")
    _need(bool(fence.days) and set(fence.days) <= set(EVERY_DAY), "days")
    _need(0 <= fence.from_minute < DAY_MINUTES and 0 <= fence.until_minute <= DAY_MINUTES, "hours")
    _need(fence.valid_until is None or fence.valid_until > fence.valid_from, "valid_until")
    _need(len(fence.vehicles) <= MAX_VEHICLES, "vehicles")
    _need(1 <= fence.priority <= 4, "priority")
    return fence


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="fence_invalid", params={"field": name})
