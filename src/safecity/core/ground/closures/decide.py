"""What a closure is. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from safecity.kit.errors import InvalidError

MAX_POINTS: Final = 200
"""Of the line of one closure."""
MAX_CLOSURES: Final = 2_000
"""That have not ended: each is placed on the roads again when the network changes."""
MAX_REASON: Final = 500


class ClosureKind(StrEnum):
    """Why a road is closed."""

    WORKS = "works"
    ACCIDENT = "accident"
    EVENT = "event"
    WEATHER = "weather"
    ORDER = "order"


@dataclass(frozen=True, kw_only=True, slots=True)
class Closure:
    """From `start` to `end` (microseconds UTC; None: until somebody opens it). `line`: longitude, latitude; one point
    closes the nearest road, several the roads along them, in their direction or (`both_ways`) in both."""

    id: str
    kind: ClosureKind
    reason: str
    line: tuple[tuple[float, float], ...]
    both_ways: bool
    start: int
    end: int | None = None
    area: str | None = None
    area_path: str = "/"
    created_by: str = ""
    created_at: int = 0

    def __post_init__(self) -> None:
        _need(0 < len(self.line) <= MAX_POINTS, "line")
        for longitude, latitude in self.line:
            _need(math.isfinite(longitude) and -180 <= longitude <= 180, "line")
            _need(math.isfinite(latitude) and -85 <= latitude <= 85, "line")
        _need(bool(self.reason.strip()) and len(self.reason) <= MAX_REASON, "reason")
        _need(self.end is None or self.end > self.start, "end")


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="closure_invalid", params={"field": name})
