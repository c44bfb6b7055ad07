"""A place where vehicles are counted, what was counted in a time, and whether it can be true. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError

MINUTE_US: Final = 60 * SECOND_US
BUCKET_US: Final = 300 * SECOND_US
DAY_US: Final = 86_400 * SECOND_US
SHORTEST_US: Final = 10 * SECOND_US
LONGEST_US: Final = 3_600 * SECOND_US
AHEAD_US: Final = 60 * SECOND_US
"""So far the clock of a source may be ahead."""
LANE_PER_HOUR: Final = 3_000
"""Nobody has seen more motor vehicles on one lane for an hour; the capacity of a motorway lane is some 2,400 (Highway
Capacity Manual), of minutes up to 3,000 are known."""
CLOSE_VEHICLES: Final = 2
"""In a short time a platoon may exceed what an hour can carry."""
MAX_PLACES: Final = 5_000
"""Beside roads, with all their lanes, of one user: what a source calls a place is up to it, and one that makes up a new
name each time is to fill no disk."""
FASTEST_KMH: Final = 250.0
SLOWEST_KMH: Final = 0.1
"""Who is slower stands; the time that a kilometre takes them is a number that no sum holds."""
COMPASS: Final = {
    "south_north": 0, "southwest_northeast": 45, "west_east": 90, "northwest_southeast": 135, "north_south": 180,
    "northeast_southwest": 225, "east_west": 270, "southeast_northwest": 315,
}  # fmt: skip
"""Degrees from north, of the directions of lanes."""


class VehicleKind(StrEnum):
    """What is told apart, as far as detectors do."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    OTHER = "other"


_BY_CLASS: Final = {
    "K1": VehicleKind.BUS, "K2": VehicleKind.BUS, "K": VehicleKind.CAR, "D": VehicleKind.BUS, "H": VehicleKind.TRUCK,
    "Q": VehicleKind.TRUCK, "B": VehicleKind.TRUCK, "G": VehicleKind.TRUCK, "M": VehicleKind.MOTORCYCLE,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class CountSettings:
    """How long sums are kept: by the minute, or as they came, and by five minutes."""

    minute_days: int = 7
    days: int = 400

    @property
    def minute_us(self) -> int:
        return self.minute_days * DAY_US

    @property
    def kept_us(self) -> int:
        return self.days * DAY_US


@dataclass(frozen=True, kw_only=True, slots=True)
class CountPoint:
    """Where one source counts: at a checkpoint, on one of its lanes, or at a place beside a road.

    origin      who tells it: `passages` for the platform itself, else the user and the source it names
    place       the checkpoint, or what the source calls the place; with the lane it names the point
    lane        None: all lanes together
    lanes       how many lanes are counted together
    bearing     degrees from north, in the direction of travel; None: not known, or several
    """

    id: str
    origin: str
    source: str
    place: str
    lane: int | None
    name: str
    tollgate: str | None
    longitude: float | None
    latitude: float | None
    bearing: float | None
    lanes: int
    area_path: str = "/"
    organisation_path: str = "/"

    @property
    def key(self) -> str:
        """Under which its origin names it."""
        return self.place if self.lane is None else f"{self.place}/{self.lane}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Sums over a time: whole numbers, so that it makes no difference how they are joined.

    seconds             that were counted
    vehicles            of all kinds and of none that is known
    timed               vehicles whose speed is known; `speed` km/h times ten summed over them, `pace` milliseconds per
                        kilometre: their mean is that of a stretch of road, where the mean of speeds at a place is not
    occupied, watched   thousandths of seconds that somebody stood over the detector, of the seconds it was looked at
    """

    seconds: int = 0
    vehicles: int = 0
    car: int = 0
    bus: int = 0
    truck: int = 0
    motorcycle: int = 0
    bicycle: int = 0
    other: int = 0
    timed: int = 0
    speed: int = 0
    pace: int = 0
    occupied: int = 0
    watched: int = 0

    def __add__(self, more: Counted) -> Counted:
        return Counted(**{one: getattr(self, one) + getattr(more, one) for one in SUMS})

    @property
    def speed_kmh(self) -> float | None:
        """The mean of the speeds at the place."""
        return self.speed / self.timed / 10 if self.timed else None

    @property
    def road_kmh(self) -> float | None:
        """The mean over a stretch of road: harmonic."""
        return 3_600_000 * self.timed / self.pace if self.pace else None

    @property
    def occupancy(self) -> float | None:
        """0 to 1."""
        return self.occupied / self.watched / 1000 if self.watched else None

    @property
    def kinds(self) -> dict[str, int]:
        """Those that there were."""
        return {str(kind): number for kind in VehicleKind if (number := int(getattr(self, kind)))}


SUMS: Final = tuple(one.name for one in fields(Counted))


@dataclass(frozen=True, kw_only=True, slots=True)
class CountReport:
    """What a source says of [since, until). `kinds`: of some or all of the vehicles."""

    since: int
    until: int
    vehicles: int
    kinds: Mapping[str, int] = field(default_factory=dict[str, int])
    speed_kmh: float | None = None
    occupancy: float | None = None

    @property
    def counted(self) -> Counted:
        """As sums. Of a mean speed alone the pace is that of vehicles which all drove it."""
        timed = self.vehicles if self.speed_kmh is not None else 0
        speed, seconds = self.speed_kmh or 0.0, round((self.until - self.since) / SECOND_US)
        return Counted(
            seconds=seconds, vehicles=self.vehicles, timed=timed, speed=round(timed * speed * 10),
            pace=round(timed * 3_600_000 / speed) if timed else 0, watched=seconds if self.occupancy is not None else 0,
            occupied=round((self.occupancy or 0.0) * 1000 * seconds),
            **{str(kind): self.kinds.get(kind, 0) for kind in VehicleKind},
        )  # fmt: skip


def check(report: CountReport, lanes: int, now: int, settings: CountSettings) -> None:
    """InvalidError with the reason where it cannot be true: `count_period`, `count_future`, `count_too_old`,
    `count_flow`, `count_kinds`, `count_speed`."""
    length = report.until - report.since
    if not SHORTEST_US <= length <= LONGEST_US or length % SECOND_US:
        bounds = {"shortest": SHORTEST_US // SECOND_US, "longest": LONGEST_US // SECOND_US}
        raise InvalidError("not a period", code="count_period", params=bounds)
    if report.until > now + AHEAD_US:
        raise InvalidError("it has not ended", code="count_future", params={"seconds": AHEAD_US // SECOND_US})
    if report.since < now - settings.minute_us + DAY_US:
        raise InvalidError("too old", code="count_too_old", params={"days": settings.minute_days - 1})
    driven = report.vehicles - report.kinds.get(VehicleKind.BICYCLE, 0)
    most = int(LANE_PER_HOUR * lanes * length / LONGEST_US) + CLOSE_VEHICLES * lanes
    if driven > most:
        raise InvalidError("more than a road carries", code="count_flow", params={"most": most, "lanes": lanes})
    if sum(report.kinds.values()) > report.vehicles:
        raise InvalidError("more by kinds than together", code="count_kinds")
    speed = report.speed_kmh
    if speed is not None and (not SLOWEST_KMH <= speed <= FASTEST_KMH or not report.vehicles):
        bounds = {"least": SLOWEST_KMH, "most": FASTEST_KMH}
        raise InvalidError("nobody drives like that", code="count_speed", params=bounds)


def kind_of(vehicle_class: str) -> VehicleKind | None:
    """Of a class of GA/T 16.4 (`K33`, `H11`); None where nothing is said."""
    if not vehicle_class:
        return None
    letters = vehicle_class.upper()
    return _BY_CLASS.get(letters[:2]) or _BY_CLASS.get(letters[:1]) or VehicleKind.OTHER


def one_vehicle(vehicle_class: str, speed_kmh: float | None) -> Counted:
    """A passage as sums, of no time."""
    kind = kind_of(vehicle_class)
    known = {str(kind): 1} if kind is not None else {}
    if speed_kmh is None or not SLOWEST_KMH <= speed_kmh <= FASTEST_KMH:
        return Counted(vehicles=1, **known)
    return Counted(vehicles=1, timed=1, speed=round(speed_kmh * 10), pace=round(3_600_000 / speed_kmh), **known)


def bearing_of(directions: set[str]) -> float | None:
    """Of the lanes that are counted together, where they agree."""
    found = {COMPASS[one] for one in directions if one in COMPASS}
    return float(found.pop()) if len(found) == 1 and directions <= COMPASS.keys() else None
