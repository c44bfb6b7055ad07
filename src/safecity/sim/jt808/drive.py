"""Driving along a line of points: where a vehicle is at any time, how fast, and where it looks. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

METRES_PER_DEGREE: Final = 111_320.0
STEP_SECONDS: Final = 1.0
BRAKING: Final = 1.8
"""Metres per second squared, also for getting under way."""
SLOWEST: Final = 1.5
"""Metres per second, round the sharpest corner."""


class Place(NamedTuple):
    """Degrees (WGS-84), metres per second, degrees from north."""

    latitude: float
    longitude: float
    speed: float
    direction: float


class _Leg(NamedTuple):
    begins: float
    length: float
    start: tuple[float, float]
    end: tuple[float, float]
    direction: float
    leaving_speed: float


@dataclass(frozen=True, slots=True)
class Plan:
    """`points`: (latitude, longitude), at least two that differ. `cruise`: metres per second on a straight."""

    points: Sequence[tuple[float, float]]
    cruise: float = 13.9


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres; flat, which is good enough between two corners of a street."""
    north = (b[0] - a[0]) * METRES_PER_DEGREE
    east = (b[1] - a[1]) * METRES_PER_DEGREE * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(north, east)


def _direction(a: tuple[float, float], b: tuple[float, float]) -> float:
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.degrees(math.atan2(east, b[0] - a[0])) % 360


class Drive:
    """There and back again, for ever: the time table of one lap is made once."""

    def __init__(self, plan: Plan) -> None:
        there = [point for number, point in enumerate(plan.points) if not number or point != plan.points[number - 1]]
        if len(there) < 2 or plan.cruise < SLOWEST:
            raise ValueError("two points that differ and a speed are needed")
        closed = there[0] == there[-1]
        line = there if closed else [*there, *reversed(there[:-1])]
        self._legs = _legs(line, plan.cruise)
        self._begins = [leg.begins for leg in self._legs]
        self.length_metres = self._legs[-1].begins + self._legs[-1].length
        self._table = self._lap(plan.cruise)
        self.lap_seconds = (len(self._table) - 1) * STEP_SECONDS

    def _lap(self, cruise: float) -> list[tuple[float, float]]:
        """(metres from the start, speed) at each second."""
        table = [(0.0, SLOWEST)]
        at, speed = 0.0, SLOWEST
        while at < self.length_metres:
            allowed = cruise
            for leg in self._legs[self._leg_at(at) :]:
                left = leg.begins + leg.length - at
                allowed = min(allowed, math.sqrt(leg.leaving_speed**2 + 2 * BRAKING * max(0.0, left)))
                if left > cruise * cruise / BRAKING:
                    break
            speed = max(SLOWEST, min(allowed, speed + BRAKING * STEP_SECONDS))
            at = min(self.length_metres, at + speed * STEP_SECONDS)
            table.append((at, speed))
        return table

    def _leg_at(self, metres: float) -> int:
        return max(0, bisect_right(self._begins, metres) - 1)

    def metres(self, seconds: float) -> float:
        """Driven since the start."""
        laps, rest = divmod(max(0.0, seconds), self.lap_seconds)
        return laps * self.length_metres + self._at(rest)[0]

    def _at(self, rest: float) -> tuple[float, float]:
        step = min(int(rest / STEP_SECONDS), len(self._table) - 2)
        part = rest / STEP_SECONDS - step
        (here, slow), (there, fast) = self._table[step], self._table[step + 1]
        return here + (there - here) * part, slow + (fast - slow) * part

    def place(self, seconds: float) -> Place:
        """So many seconds after the start."""
        metres, speed = self._at(max(0.0, seconds) % self.lap_seconds)
        leg = self._legs[self._leg_at(min(metres, self.length_metres - 1e-6))]
        part = (metres - leg.begins) / leg.length
        latitude = leg.start[0] + (leg.end[0] - leg.start[0]) * part
        longitude = leg.start[1] + (leg.end[1] - leg.start[1]) * part
        return Place(latitude, longitude, speed, leg.direction)


def _legs(line: Sequence[tuple[float, float]], cruise: float) -> list[_Leg]:
    legs: list[_Leg] = []
    begins = 0.0
    directions = [_direction(a, b) for a, b in pairwise(line)]
    for number, direction in enumerate(directions):
        start, end = line[number], line[number + 1]
        length = _distance(start, end)
        turn = abs((directions[(number + 1) % len(directions)] - direction + 180) % 360 - 180)
        leaving = max(SLOWEST, cruise * (1 - turn / 120))
        legs.append(_Leg(begins, length, start, end, direction, leaving))
        begins += length
    return legs
