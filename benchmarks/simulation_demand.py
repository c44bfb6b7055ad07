"""Who drives where and when on simulated days, over which ways, and where something stands in the way.

Most are commuters, the same every day: between the same places over the way that habit chose, at nearly the same time.
Habit is learnt by loading the city's roads in portions, each of which takes the fastest ways among what was loaded
before (incremental assignment with the travel times of the Bureau of Public Roads): so the usual jams are already in
it, and what is left for advice is what differs from day to day.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.simulation_net import SimulatedCity
from safecity.kit.errors import NotFoundError
from safecity.roads.network.arrays import RoadClass, free_speeds
from safecity.roads.routing.router import Place, Router
from safecity.roads.routing.times import RoadTimes

MORNING, EVENING = 8.0, 17.0
"""Hours of the peaks."""
LEAST_METRES = 1_200.0
PORTIONS = 8
VEHICLES_PER_LANE_HOUR = 700.0
"""What a lane of a street with signals lets through."""
CLOSED_SECONDS = (900, 2_400)


@dataclass(frozen=True)
class Trip:
    """`way` edges from the beginning of the first to the end of the last; `depart` seconds since midnight."""

    name: str
    depart: int
    way: tuple[int, ...]
    probe: bool
    follows: bool


@dataclass(frozen=True)
class Obstacle:
    """A vehicle that stands on the right lane of a road."""

    edge: int
    begin: int
    seconds: int


@dataclass(frozen=True)
class Day:
    """Trips in the order of time."""

    number: int
    trips: tuple[Trip, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True)
class Habit:
    """A commuter, who drives at about `depart`."""

    depart: float
    way: tuple[int, ...]
    probe: bool
    follows: bool


@dataclass(frozen=True)
class Wishes:
    """hours: from and to, of each part of the day; commuters who want to drive in them, `comes` of whom do on a day;
    `others` for each commuter; shares of probes and of those who follow advice; obstacles on a day."""

    hours: tuple[tuple[float, float], ...]
    commuters: int
    probes: float = 0.05
    following: float = 0.10
    comes: float = 0.85
    others: float = 0.15
    obstacles: int = 3


def hourly(hour: float) -> float:
    """How much is driven at that hour, of the worst."""
    morning, evening = (math.exp(-(((hour - peak) / 1.0) ** 2)) for peak in (MORNING, EVENING))
    return 0.35 + 0.65 * max(morning, evening)


class Demand:
    """Of one city and one seed."""

    def __init__(self, city: SimulatedCity, wishes: Wishes, seed: int) -> None:
        self._city, self._wishes, self._seed = city, wishes, seed
        self._chance = random.Random(seed)
        self._weights()
        a = city.network.arrays
        self._free = (a.edge_length / free_speeds(city.network)).astype(np.float64)
        self._times = RoadTimes.of(city.network)
        self._router = Router(self._times)
        self.habits = self._learn([self._wish() for _ in range(wishes.commuters)])
        load = np.bincount(np.concatenate([np.array(one.way) for one in self.habits]), minlength=city.network.edges)
        self._busy = np.argsort(-load * (city.lanes >= 2) * (a.edge_length > 60), kind="stable")[:60].tolist()

    def day(self, number: int) -> Day:
        """The habits of whoever comes, others who drive once, and obstacles; different on every day."""
        chance, wishes = random.Random(self._seed * 1_000 + number), self._wishes
        much = chance.uniform(0.93, 1.07)
        trips = list[tuple[float, Habit]]()
        for one in self.habits:
            if chance.random() < wishes.comes * much:
                trips.append((one.depart + chance.gauss(0, 240), one))
        for _ in range(int(len(self.habits) * wishes.others)):
            one = chance.choice(self.habits)  # a way of somebody's, at any time
            hour = self._hour(chance)
            stranger = Habit(0, one.way, chance.random() < wishes.probes, chance.random() < wishes.following)
            trips.append((hour * 3600, stranger))
        inside = ((int(at), one) for at, one in trips if any(a <= at / 3600 < b for a, b in wishes.hours))
        kept = sorted(inside, key=lambda each: each[0])
        obstacles = [
            Obstacle(chance.choice(self._busy), int(self._hour(chance) * 3600), chance.randint(*CLOSED_SECONDS))
            for _ in range(wishes.obstacles)
        ]
        return Day(
            number,
            tuple(Trip(f"t{n}", at, one.way, one.probe, one.follows) for n, (at, one) in enumerate(kept)),
            tuple(sorted(obstacles, key=lambda each: each.begin)),
        )

    def _weights(self) -> None:
        """Where ways begin and end: by length of road, at the border by what comes in, the centre drawing people."""
        city, a = self._city, self._city.network.arrays
        edges = city.driven
        lon, lat = a.node_lon[a.edge_from[edges]], a.node_lat[a.edge_from[edges]]
        x, y = city.plane.metres(lon, lat)  # type: ignore[arg-type]
        self._x, self._y = dict(zip(edges.tolist(), x, strict=True)), dict(zip(edges.tolist(), y, strict=True))
        centre = np.exp(-((np.hypot(x, y) / 1_200.0) ** 2))
        near = 0.88 * np.array([np.abs(x).max(), np.abs(y).max()])
        outer = (np.abs(x) > near[0]) | (np.abs(y) > near[1])
        large = a.edge_class[edges] <= RoadClass.TERTIARY
        length = np.clip(a.edge_length[edges], 0, 200) * (a.edge_length[edges] > 15)
        self._outside = (length * np.where(outer & large, 12.0, 1.0)).cumsum()
        self._inside = (length * (0.3 + 3.0 * centre)).cumsum()

    def _hour(self, chance: random.Random) -> float:
        parts = self._wishes.hours
        while True:
            begin, end = chance.choices(parts, [b - a for a, b in parts])[0]
            hour = chance.uniform(begin, end)
            if chance.random() < hourly(hour):
                return hour

    def _wish(self) -> tuple[float, int, int]:
        """Seconds since midnight, first and last edge."""
        chance, edges = self._chance, self._city.driven
        hour = self._hour(chance)
        inwards = chance.random() < (0.8 if hour < 12 else 0.2)
        while True:
            outer, inner = (
                int(edges[np.searchsorted(table, chance.random() * table[-1])])
                for table in (self._outside, self._inside)
            )
            start, end = (outer, inner) if inwards else (inner, outer)
            if np.hypot(self._x[start] - self._x[end], self._y[start] - self._y[end]) >= LEAST_METRES:
                return hour * 3600, start, end

    def _learn(self, wishes: list[tuple[float, int, int]]) -> list[Habit]:
        """Hour by hour, in portions."""
        city, found = self._city, list[Habit]()
        a, edges = city.network.arrays, np.arange(city.network.edges)
        capacity = VEHICLES_PER_LANE_HOUR * city.lanes
        by_hour: dict[int, list[tuple[float, int, int]]] = {}
        for one in wishes:
            by_hour.setdefault(int(one[0] // 3600), []).append(one)
        for hour in sorted(by_hour):
            load = np.zeros(city.network.edges)
            for portion in range(PORTIONS):
                at = hour * 3600.0 + portion
                taste = np.array([self._chance.lognormvariate(0, 0.15) for _ in range(len(edges))])
                seconds = self._free * (1 + 0.6 * (load / capacity) ** 3) * np.maximum(taste, 0.8) + 2.0
                self._times.forget(edges)
                self._times.measured(edges, a.edge_length / seconds, at)
                for depart, start, end in by_hour[hour][portion::PORTIONS]:
                    way = self._way(start, end, at)
                    if way is not None:
                        load[list(way)] += 1
                        probe = self._chance.random() < self._wishes.probes
                        found.append(Habit(depart, way, probe, self._chance.random() < self._wishes.following))
        return found

    def _way(self, start: int, end: int, at: float) -> tuple[int, ...] | None:
        length = float(self._city.network.arrays.edge_length[end])
        try:
            route = self._router.route([Place(start, 0.0)], [Place(end, length)], round(at * 1e6))
        except NotFoundError:
            return None
        way = tuple(int(one) for one in route.edges)
        twins = self._city.network.arrays.edge_twin
        turned = any(twins[one] == other for one, other in pairwise(way))
        return None if turned else way
