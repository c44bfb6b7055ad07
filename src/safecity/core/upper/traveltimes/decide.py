"""A measured section, and which passages of a vehicle are a drive over it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError

PERIOD_US: Final = 2 * 3600 * SECOND_US
"""So long one key makes the pseudonyms of the passages that happen in it."""
LONGEST_US: Final = 2 * 3600 * SECOND_US
"""The longest drive that is believed; so long a key outlives its period, to know at the exit who entered in it."""
BUCKET_US: Final = 300 * SECOND_US
"""A period is a whole number of them: who arrives in one bucket has one pseudonym in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TravelSection:
    """From one checkpoint to another, in the direction of travel.

    entry_lanes, exit_lanes     lanes that count there; none named: all
    length_m                    the way that most take
    slowest_kmh, fastest_kmh    whoever seems slower stopped or went elsewhere; whoever seems faster was read wrong
    """

    id: str
    name: str
    entry: str
    exit: str
    entry_lanes: tuple[int, ...] = ()
    exit_lanes: tuple[int, ...] = ()
    length_m: float
    slowest_kmh: float = 5.0
    fastest_kmh: float = 160.0
    area_path: str = "/"
    organisation_path: str = "/"
    enabled: bool = True
    revision: int = 1

    def __post_init__(self) -> None:
        _need(bool(self.name.strip()) and len(self.name) <= 200, "name")
        _need(self.entry != self.exit, "exit")
        for field in ("entry_lanes", "exit_lanes"):
            lanes = getattr(self, field)
            _need(len(set(lanes)) == len(lanes) <= 20 and all(1 <= lane <= 99 for lane in lanes), field)
        _need(100 <= self.length_m <= 100_000, "length_m")
        _need(1 <= self.slowest_kmh <= 60, "slowest_kmh")
        _need(60 <= self.fastest_kmh <= 260 and self.fastest_kmh > self.slowest_kmh, "fastest_kmh")

    @property
    def longest_us(self) -> int:
        """Who takes longer did not only drive."""
        return min(round(self.length_m / (self.slowest_kmh / 3.6) * SECOND_US), LONGEST_US)

    @property
    def shortest_us(self) -> int:
        """Nobody drives it in less."""
        return round(self.length_m / (self.fastest_kmh / 3.6) * SECOND_US)

    def enters(self, mark: Mark) -> bool:
        """Whether a passage is one over the beginning of the section."""
        return mark.gate == self.entry and (not self.entry_lanes or mark.lane in self.entry_lanes)

    def leaves(self, mark: Mark) -> bool:
        """Whether a passage is one over the end of the section."""
        return mark.gate == self.exit and (not self.exit_lanes or mark.lane in self.exit_lanes)


@dataclass(frozen=True, slots=True)
class Mark:
    """A passage without its vehicle: `name` and `vehicle` are pseudonyms of the passage and of the plate, made with the
    key of the period that `at` lies in."""

    name: bytes
    vehicle: bytes
    gate: str
    lane: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Trip:
    """A drive over a section that can be believed; it counts for the time at which it ended."""

    entry: bytes
    exit: bytes
    vehicle: bytes
    at: int
    travel_us: int


def trips(section: TravelSection, marks: Iterable[Mark]) -> list[Trip]:
    """Of one vehicle: each entry that is followed by an exit, with neither between them. Who passes the entry twice
    drove from the second time on; who passes the exit twice arrived at the first."""
    found: list[Trip] = []
    entered: Mark | None = None
    for mark in sorted(marks, key=lambda one: (one.at, one.name)):
        if section.enters(mark):
            entered = mark
        elif section.leaves(mark):
            if entered is not None and section.shortest_us <= mark.at - entered.at <= section.longest_us:
                found.append(Trip(entered.name, mark.name, mark.vehicle, mark.at, mark.at - entered.at))
            entered = None
    return found


def bucket_of(at: int) -> int:
    """The beginning of the five minutes that a moment lies in."""
    return at - at % BUCKET_US


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="travel_section_invalid", params={"field": name})
