"""Speed over a section of road: two checkpoints, a length, and how much each of them may be wrong. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError

FASTEST_KMH: Final = 260.0
"""Whoever seems faster was read wrong, has a double, or passed a clock that is."""
SLOWEST_KMH: Final = 10.0
"""Who is slower has stopped somewhere, and is no case for anybody."""
MAX_ENTRY_US: Final = 4 * 3600 * SECOND_US


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """From one checkpoint to another, in the direction of travel.

    length_m, length_error_m       the shortest way from line to line, and how far that measure may be off
    limit_kmh, tolerance_kmh       what is allowed, and what is added to it before anybody is proposed
    clock_error_ms                 the largest error of the clocks at entry and exit, each
    """

    id: str
    name: str
    entry: str
    exit: str
    length_m: float
    length_error_m: float = 0.0
    limit_kmh: float
    tolerance_kmh: float = 0.0
    entry_clock_error_ms: int
    exit_clock_error_ms: int
    certificate: str = ""
    area_path: str = "/"
    organisation_path: str = "/"
    enabled: bool = True
    revision: int = 1

    def __post_init__(self) -> None:
        _need(bool(self.name.strip()) and len(self.name) <= 200, "name")
        _need(self.entry != self.exit, "exit")
        _need(100 <= self.length_m <= 200_000, "length_m")
        _need(0 <= self.length_error_m < self.length_m / 2, "length_error_m")
        _need(5 <= self.limit_kmh <= 200, "limit_kmh")
        _need(0 <= self.tolerance_kmh <= 100, "tolerance_kmh")
        _need(0 <= self.entry_clock_error_ms <= 60_000, "entry_clock_error_ms")
        _need(0 <= self.exit_clock_error_ms <= 60_000, "exit_clock_error_ms")

    @property
    def longest_us(self) -> int:
        """So long before the exit an entry may lie."""
        return min(round(self.length_m / (SLOWEST_KMH / 3.6) * SECOND_US), MAX_ENTRY_US)

    @property
    def clock_error_ms(self) -> int:
        """Of the moment that stands on the evidence: the worse of the two."""
        return max(self.entry_clock_error_ms, self.exit_clock_error_ms)


@dataclass(frozen=True, slots=True)
class Speed:
    """A mean speed and between what it surely lies, in km/h."""

    kmh: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """The larger side."""
        return max(self.kmh - self.low, self.high - self.kmh)


def speed(section: Section, entered: int, left: int) -> Speed | None:
    """None where the exit is not surely after the entry. Both clocks err against the driver in `high`, and for them in
    `low`; so does the length."""
    seconds = (left - entered) / SECOND_US
    error = (section.entry_clock_error_ms + section.exit_clock_error_ms) / 1000
    if seconds <= error:
        return None
    return Speed(
        3.6 * section.length_m / seconds,
        3.6 * (section.length_m - section.length_error_m) / (seconds + error),
        3.6 * (section.length_m + section.length_error_m) / (seconds - error),
    )


def too_fast(section: Section, found: Speed) -> bool:
    """Whether even the lower end lies above what is allowed, and it is a speed that a vehicle has at all."""
    return found.low > section.limit_kmh + section.tolerance_kmh and found.kmh <= FASTEST_KMH


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="section_invalid", params={"field": name})
