"""A vehicle that stands in the way and is to be taken away. Pure.

called -> on_site -> done, or cancelled before: a truck was called, it is there, the vehicle is away (`taken_to`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from safecity.core.ground.access.api import Thing
from safecity.kit.errors import ConflictError, InvalidError

MAX_TOWS: Final = 2_000
"""That are not over: more nobody drives to."""
MAX_PLATE: Final = 20
MAX_WORDS: Final = 500


class TowReason(StrEnum):
    """Why it is taken away."""

    OBSTRUCTION = "obstruction"
    PARKED = "parked"
    BREAKDOWN = "breakdown"
    ACCIDENT = "accident"
    OTHER = "other"


class TowState(StrEnum):
    """How far it is."""

    CALLED = "called"
    ON_SITE = "on_site"
    DONE = "done"
    CANCELLED = "cancelled"


ALLOWED: Final = {
    TowState.CALLED: {TowState.ON_SITE, TowState.DONE, TowState.CANCELLED},
    TowState.ON_SITE: {TowState.DONE, TowState.CANCELLED},
    TowState.DONE: set[TowState](),
    TowState.CANCELLED: set[TowState](),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tow:
    """`plate` may be empty: nobody could read it. `ended_at`: when it was done or cancelled."""

    id: str
    reason: TowReason
    plate: str
    words: str
    longitude: float
    latitude: float
    state: TowState = TowState.CALLED
    taken_to: str = ""
    area: str | None = None
    area_path: str = "/"
    created_by: str
    created_at: int
    changed_by: str = ""
    changed_at: int = 0
    ended_at: int | None = None
    revision: int = 1

    def __post_init__(self) -> None:
        _need(len(self.plate) <= MAX_PLATE, "plate")
        _need(len(self.words) <= MAX_WORDS, "words")
        _need(len(self.taken_to) <= MAX_WORDS, "taken_to")
        _need(math.isfinite(self.longitude) and abs(self.longitude) <= 180, "longitude")
        _need(math.isfinite(self.latitude) and abs(self.latitude) <= 85, "latitude")

    @property
    def place(self) -> tuple[float, float]:
        """Longitude and latitude."""
        return self.longitude, self.latitude

    def move_to(self, state: TowState, *, by: str, at: int, taken_to: str = "") -> Tow:
        """ConflictError `tow_state` where it cannot become that."""
        if state not in ALLOWED[self.state]:
            params = {"state": str(self.state), "wanted": str(state)}
            raise ConflictError(f"it is {self.state}, and cannot become {state}", code="tow_state", params=params)
        over = not ALLOWED[state]
        return replace(
            self, state=state, changed_by=by, changed_at=at, ended_at=at if over else None,
            taken_to=taken_to.strip() or self.taken_to, revision=self.revision + 1,
        )  # fmt: skip


def thing_of(tow: Tow) -> Thing:
    """What decisions about it need."""
    return Thing("tow", tow.area_path, id=tow.id)


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="tow_invalid", params={"field": name})
