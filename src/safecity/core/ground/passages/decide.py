"""What one vehicle left at one place becomes one passage. Pure.

A camera, a transponder reader and our own reader see the same vehicle within seconds, disagree about a character and
may each say it twice. Two vehicles that drive close behind one another must stay two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from safecity.core.ground.passages.confusion import ALIKE, cost
from safecity.kit.clock import SECOND_US

MAX_SIGHTINGS: Final = 50
"""Of one passage; what comes after that begins a new one, so that a mad device cannot make one row grow for ever."""
ECHO_US: Final = SECOND_US // 2
"""Sights without a plate, of one source on one lane, closer than this are one vehicle said twice."""
CLOSE_US: Final = 1_500_000
"""Sights without a plate and lane, of two sources, closer than this are one vehicle."""
PAST_US: Final = 400 * 86_400 * SECOND_US
"""So late something may be reported with the time that its source says."""
AHEAD_US: Final = 600 * SECOND_US


class Source(StrEnum):
    """What saw it."""

    CAMERA = "camera"  # reads plates itself
    READER = "reader"  # our own, on video
    TRANSPONDER = "transponder"
    LASER = "laser"
    OTHER = "other"


_TRUST: Final = {Source.TRANSPONDER: 0.95, Source.CAMERA: 0.6, Source.READER: 0.6, Source.LASER: 0.3, Source.OTHER: 0.3}
"""How far a plate counts whose source gives no confidence."""


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture in `Blobs`. `kind` as GA/T 1400 numbers them (01 vehicle, 02 plate, 14 scene)."""

    key: str
    kind: str
    format: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """What one source said. `origin` and `reference` together name it: said again it is the same one.

    `clock_doubtful`: the source's time made no sense, and `at` is when we heard of it. `details`: what a reading rests
    on, as its source tells it.
    """

    id: str
    source: Source
    origin: str
    reference: str
    at: int
    seen: int
    lane: int | None = None
    plate: str = ""
    plate_colour: str = ""
    plate_class: str = ""
    confidence: float | None = None
    colour: str = ""
    vehicle_class: str = ""
    brand: str = ""
    speed_kmh: float | None = None
    direction: str = ""
    transponder: str = ""
    clock_doubtful: bool = False
    pictures: tuple[KeptPicture, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def weight(self) -> float:
        """How much its plate counts."""
        return _TRUST[self.source] if self.confidence is None else max(self.confidence, 0.01)


def dated(at: int | None, seen: int) -> tuple[int, bool]:
    """The time to file it under, and whether the source's own was of no use: a clock that is wrong by years must not
    hide a passage, or keep it for ever."""
    if at is None or not seen - PAST_US <= at <= seen + AHEAD_US:
        return seen, True
    return at, False


def same_plate(one: str, other: str) -> bool:
    """Whether two readings can be of one plate: one confusable character, or up to two that were not read."""
    if one == other:
        return True
    if len(one) != len(other):
        return False
    unread = confused = 0
    for a, b in zip(one, other, strict=True):
        if a == b:
            continue
        if "?" in (a, b):
            unread += 1
        elif cost(a, b) <= ALIKE:
            confused += 1
        else:
            return False
    return confused + unread <= 2 and confused <= 1


def belongs(new: Sighting, known: Sequence[Sighting], window_us: int) -> bool:
    """Whether `new` is of the vehicle that `known` are of, at the same place."""
    if not known or len(known) >= MAX_SIGHTINGS:
        return False
    nearest = min(abs(new.at - one.at) for one in known)
    # Not more than two windows together: what is told every few seconds of who stands in a jam would else be one
    # passage of minutes when it comes at once, and several when it comes one by one.
    moments = [new.at, *(one.at for one in known)]
    if nearest > window_us or max(moments) - min(moments) > 2 * window_us:
        return False
    if new.transponder and any(new.transponder == one.transponder for one in known):
        return True
    read = [one.plate for one in known if one.plate]
    if new.plate and read:
        return all(same_plate(new.plate, plate) for plate in read)
    lanes = {one.lane for one in known} - {None}
    if new.lane is not None and lanes and new.lane not in lanes:
        return False
    own = [one for one in known if one.origin == new.origin]
    if own:
        return bool(lanes) and min(abs(new.at - one.at) for one in own) <= ECHO_US
    return nearest <= (window_us if new.lane is not None and lanes else CLOSE_US)


def nearest(new: Sighting, groups: Iterable[tuple[str, Sequence[Sighting]]], window_us: int) -> str | None:
    """The passage that `new` is of, by id: the one closest in time, one that agrees in the plate before others."""
    fitting = [
        (
            not any(one.plate == new.plate and new.plate for one in known),
            min(abs(new.at - one.at) for one in known),
            name,
        )
        for name, known in groups
        if belongs(new, known, window_us)
    ]
    return min(fitting)[2] if fitting else None


_OF_VEHICLES = ("colour", "vehicle_class", "brand", "direction", "transponder")


def _first(among: Sequence[Sighting], name: str) -> Any:
    """What the first that says it says; None where nobody does."""
    for one in among:
        said = getattr(one, name)
        if said is not None and said != "":
            return said
    return None


def merged(sightings: Sequence[Sighting]) -> dict[str, Any]:
    """What the passage says, out of all that was seen: the plate by vote, the rest from who is surest of it."""
    ordered = sorted(sightings, key=lambda one: (-one.weight, one.id))
    votes: dict[str, float] = defaultdict(float)
    for one in ordered:
        if one.plate:
            votes[one.plate] += one.weight * (0.5 if "?" in one.plate else 1.0)
    plate = max(votes, key=lambda text: (votes[text], text)) if votes else ""
    supporters = [one for one in ordered if one.plate == plate] if plate else []

    of_plate = [*supporters, *ordered]
    said = [one.confidence for one in supporters if one.confidence is not None]
    certain = [one for one in sightings if not one.clock_doubtful] or list(sightings)
    return {
        "at": min(one.at for one in certain),
        "seen": min(one.seen for one in sightings),
        "lane": _first(ordered, "lane"),
        "plate": plate,
        "confidence": max(said) if said else None,
        "speed_kmh": _first(ordered, "speed_kmh"),
        **{name: _first(of_plate, name) or "" for name in ("plate_colour", "plate_class")},
        **{name: _first(ordered, name) or "" for name in _OF_VEHICLES},
        "sources": frozenset(str(one.source) for one in sightings),
        "sightings": len(sightings),
        "pictures": sum(len(one.pictures) for one in sightings),
        "clock_doubtful": all(one.clock_doubtful for one in sightings),
    }
