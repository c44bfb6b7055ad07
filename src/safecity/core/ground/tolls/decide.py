"""What a toll is, and what it costs whom and when. Pure.

A toll names places and prices and nobody: whoever charges for passages one day asks `price` for each of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from safecity.core.ground.access.api import Thing
from safecity.kit.daykinds import DAY_KINDS, kind_of
from safecity.kit.errors import InvalidError

MAX_TOLLS: Final = 100
MAX_PLACES: Final = 2_000
"""Gantries and corners of all of them: they are told in one piece."""
MAX_GANTRIES: Final = 200
"""Of one toll."""
MAX_CORNERS: Final = 500
MAX_PRICES: Final = 200
MAX_AMOUNT: Final = 100_000_000
PARTS: Final = 96
"""Of the local day: prices change at quarters of an hour."""
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):(00|15|30|45)|24:00")


class VehicleClass(StrEnum):
    """Of vehicles that pay differently; the same words as of counted vehicles."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    MOTORCYCLE = "motorcycle"


class Crossing(StrEnum):
    """Which way over a border is paid for."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Gantry:
    """A place beside a road where it is charged. `bearing`: degrees from north, of the traffic that pays; None: both
    directions."""

    longitude: float
    latitude: float
    bearing: float | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` (minor units) from `since` until `until` (`06:30`, `24:00`), local time, at quarters of an hour.
    `vehicles` and `days` (`kit.daykinds`): whom and when it is meant for, empty: all."""

    since: str
    until: str
    amount: int
    vehicles: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    @property
    def parts(self) -> range:
        """Quarters of the day."""
        return range(_part(self.since), _part(self.until))


@dataclass(frozen=True, kw_only=True, slots=True)
class Toll:
    """What it costs to drive past each of its `gantries`, or over its `border`: a ring of longitude and latitude whose
    last corner is joined to the first, paid for in the way of `crossing`. What no price speaks of is free. `begins`,
    `ends`: the first and last local day on which it is paid (`2026-01-01`), empty: ever."""

    id: str
    name: str
    gantries: tuple[Gantry, ...] = ()
    border: tuple[tuple[float, float], ...] = ()
    crossing: Crossing = Crossing.BOTH
    prices: tuple[Price, ...]
    begins: str = ""
    ends: str = ""
    enabled: bool = True
    area: str | None = None
    area_path: str = "/"
    created_by: str = ""
    created_at: int = 0
    revision: int = 1

    @property
    def places(self) -> tuple[tuple[float, float], ...]:
        """Where it lies: gantries, or the corners of the border, the first one again at the end."""
        return tuple((one.longitude, one.latitude) for one in self.gantries) or (*self.border, *self.border[:1])

    def paid_on(self, day: date) -> bool:
        return self.enabled and self.begins <= day.isoformat() and (not self.ends or day.isoformat() <= self.ends)


def thing_of(toll: Toll) -> Thing:
    """What decisions about it need."""
    return Thing("toll", toll.area_path, id=toll.id)


def amounts(toll: Toll, vehicle: str, day_kind: str) -> tuple[int, ...]:
    """What a vehicle of that class pays on such a day, by quarters of an hour, minor units."""
    table = [0] * PARTS
    for price in toll.prices:
        if (not price.vehicles or vehicle in price.vehicles) and (not price.days or day_kind in price.days):
            for part in price.parts:
                table[part] = price.amount
    return tuple(table)


def price(toll: Toll, vehicle: str, at: datetime, special: Mapping[str, str]) -> int:
    """What one passage at that local time costs, minor units. `special`: see `kit.daykinds`."""
    if not toll.paid_on(at.date()):
        return 0
    return amounts(toll, vehicle, DAY_KINDS[kind_of(at.date(), special)])[at.hour * 4 + at.minute // 15]


def check_toll(toll: Toll) -> Toll:
    """InvalidError `toll_invalid` with the field that is wrong, `toll_places` unless it has either gantries or a
    border, `toll_overlap` where two prices speak of the same vehicles at the same time."""
    _need(bool(toll.name.strip()) and len(toll.name) <= 100, "name")
    if bool(toll.gantries) == bool(toll.border):
        raise InvalidError("either gantries or a border", code="toll_places")
    _need(len(toll.gantries) <= MAX_GANTRIES, "gantries")
    for one in toll.gantries:
        _need(_on_earth(one.longitude, one.latitude), "gantries")
        _need(one.bearing is None or 0 <= one.bearing < 360, "gantries")
    _need(not toll.border or 3 <= len(set(toll.border)) <= len(toll.border) <= MAX_CORNERS, "border")
    _need(all(_on_earth(*place) for place in toll.border), "border")
    _need(0 < len(toll.prices) <= MAX_PRICES, "prices")
    for one in toll.prices:
        _need(bool(_CLOCK.fullmatch(one.since) and _CLOCK.fullmatch(one.until)) and len(one.parts) > 0, "prices")
        _need(0 <= one.amount <= MAX_AMOUNT, "prices")
        _need(set(one.vehicles) <= set(VehicleClass) and set(one.days) <= set(DAY_KINDS), "prices")
    _check_overlap(toll.prices)
    for name, day in (("begins", toll.begins), ("ends", toll.ends)):
        _need(not day or _is_day(day), name)
    _need(not toll.ends or toll.begins <= toll.ends, "ends")
    return toll


def _check_overlap(prices: tuple[Price, ...]) -> None:
    seen: set[tuple[str, str, int]] = set()
    for one in prices:
        speaks = {
            (vehicle, day, part)
            for vehicle in one.vehicles or VehicleClass
            for day in one.days or DAY_KINDS
            for part in one.parts
        }
        if seen & speaks:
            params = {"since": one.since, "until": one.until}
            raise InvalidError("two prices for one passage", code="toll_overlap", params=params)
        seen |= speaks


def _part(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 4 + int(minutes) // 15


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _on_earth(longitude: float, latitude: float) -> bool:
    return math.isfinite(longitude) and abs(longitude) <= 180 and math.isfinite(latitude) and abs(latitude) <= 85


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="toll_invalid", params={"field": name})
