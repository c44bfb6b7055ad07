"""What the passages of a vehicle mean together: its route, its stays, who was with it, whether its plate is on two.
Pure: passages in, findings out.

Each finding names the passages it stands on, so that a person can look at the pictures before anybody acts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from safecity.kit.clock import SECOND_US

EARTH_KM: Final = 6371.0
CLOCKS_SECONDS: Final = 2.0
"""Two checkpoints that keep their clocks to a second each (GA/T 832) may be so far apart."""
LEAST_KM: Final = 0.5
"""Nearer than this two checkpoints tell nothing of speed: their places are known to some hundred metres."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A passage as far as movement is concerned. Degrees are WGS-84, None where the place is on no map.

    `sure`: its time is the source's own, and each character of its plate was read.
    """

    passage: str
    place: str
    at: int
    plate: str
    longitude: float | None = None
    latitude: float | None = None
    sure: bool = True

    @property
    def mapped(self) -> bool:
        return self.longitude is not None and self.latitude is not None


@dataclass(frozen=True, slots=True)
class Leg:
    """From one passage to the next. `km` is the straight line, so that `kmh` is the least speed it can have had; None
    where a place is on no map, or no time passed."""

    start: Stop
    end: Stop
    seconds: float
    km: float | None
    kmh: float | None


@dataclass(frozen=True, slots=True)
class Clone:
    """One plate at two places, further apart than any vehicle drives in the time between: at least `kmh`."""

    plate: str
    start: Stop
    end: Stop
    km: float
    seconds: float
    kmh: float


@dataclass(frozen=True, slots=True)
class Stay:
    """Not seen between two passages: it stood somewhere, or went where nothing looks."""

    start: Stop
    end: Stop
    seconds: float


@dataclass(frozen=True, slots=True)
class Meeting:
    """The vehicle and another one at one place; `seconds` > 0: the other one came later."""

    own: Stop
    other: Stop
    seconds: float


@dataclass(frozen=True, slots=True)
class Companion:
    """A plate that was there again and again. `places` counts different ones: who only waits at one light every morning
    is no company."""

    plate: str
    meetings: tuple[Meeting, ...]
    places: int


def kilometres(one: Stop, other: Stop) -> float | None:
    """Great circle (haversine); None where one of them is on no map."""
    if one.longitude is None or one.latitude is None or other.longitude is None or other.latitude is None:
        return None
    south, north = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(across / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def route(stops: Iterable[Stop]) -> list[Leg]:
    """The way in order of time."""
    ordered = sorted(stops, key=lambda stop: (stop.at, stop.passage))
    legs: list[Leg] = []
    for start, end in pairwise(ordered):
        seconds, km = (end.at - start.at) / SECOND_US, kilometres(start, end)
        legs.append(Leg(start, end, seconds, km, km / seconds * 3600 if km is not None and seconds > 0 else None))
    return legs


def stays(stops: Iterable[Stop], least_seconds: float) -> list[Stay]:
    """Where it was not seen for at least so long, in order of time."""
    return [Stay(leg.start, leg.end, leg.seconds) for leg in route(stops) if leg.seconds >= least_seconds]


def clones(stops: Iterable[Stop], fastest_kmh: float) -> list[Clone]:
    """Neighbours in time that one vehicle cannot both have been, above `fastest_kmh` km/h. Only of passages that are
    sure: clocks may be wrong by `CLOCKS_SECONDS`, and places by half of `LEAST_KM`."""
    found: list[Clone] = []
    by_plate: dict[str, list[Stop]] = defaultdict(list)
    for stop in stops:
        if stop.sure and stop.plate and stop.mapped:
            by_plate[stop.plate].append(stop)
    for plate, own in by_plate.items():
        for leg in route(own):
            if leg.km is None or leg.km <= LEAST_KM:
                continue
            hours = (leg.seconds + CLOCKS_SECONDS) / 3600
            kmh = (leg.km - LEAST_KM / 2) / hours
            if kmh > fastest_kmh:
                found.append(Clone(plate, leg.start, leg.end, leg.km, leg.seconds, kmh))
    return sorted(found, key=lambda clone: (clone.start.at, clone.plate))


def companions(
    own: Sequence[Stop], others: Mapping[str, Sequence[Stop]], *, within_seconds: float, least: int, places: int = 2
) -> list[Companion]:
    """Who passed the same places within so many seconds at least `least` times, at `places` different ones; the most
    often met first. `others` by place. One passage meets another plate once, however often that was read."""
    met: dict[str, list[Meeting]] = defaultdict(list)
    itself = {stop.plate for stop in own}
    for stop in own:
        nearest: dict[str, Meeting] = {}
        for other in others.get(stop.place, ()):
            seconds = (other.at - stop.at) / SECOND_US
            if other.plate and other.plate not in itself and abs(seconds) <= within_seconds:
                known = nearest.get(other.plate)
                if known is None or abs(seconds) < abs(known.seconds):
                    nearest[other.plate] = Meeting(stop, other, seconds)
        for plate, meeting in nearest.items():
            met[plate].append(meeting)
    found = [
        Companion(plate, tuple(meetings), len({meeting.own.place for meeting in meetings}))
        for plate, meetings in met.items()
        if len(meetings) >= least
    ]
    kept = [one for one in found if one.places >= places]
    return sorted(kept, key=lambda one: (-len(one.meetings), -one.places, one.plate))
