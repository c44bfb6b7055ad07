"""What is counted beside a road, on the edge that it lies on: its speed is one more observation of the edge, and its
flow is told with it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from safecity.kit.clock import SECOND_US
from safecity.model.facts.traffic_calls import Point, RoadCount
from safecity.roads.compiled import F64
from safecity.roads.network.arrays import METRES_PER_DEGREE, RoadNetwork
from safecity.roads.network.grid import edges_near

REACH_METRES: Final = 30.0
"""So far from a road a detector may be drawn."""
TURN_DEGREES: Final = 60.0
"""So far may the bearing that is told of it be from that of the road: people tell one of eight."""
SPEAKS_METRES: Final = 300.0
"""A speed at a place says nothing of a road much longer than this."""
WEIGHT: Final = 0.5
"""Of a vehicle that is counted, against one that was followed over the road: where it was measured it may have braked
for a light, or driven between two of them."""
KEPT_US: Final = 15 * 60 * SECOND_US


class Observed(NamedTuple):
    """At an edge: until when, how many vehicles, at what speed (m/s)."""

    edge: int
    until: int
    vehicles: int
    speed: float


class CountedRoads:
    """On one network. Not for several threads at once."""

    def __init__(self, network: RoadNetwork) -> None:
        self._network = network
        self._edges: dict[tuple[Point, float | None], int | None] = {}
        self._known: dict[tuple[str, int], tuple[int, RoadCount]] = {}

    def take(self, counts: Iterable[RoadCount], *, anew: bool) -> None:
        """With those that are known; `anew`: in their place."""
        if anew:
            self._known = {}
        for one in counts:
            edge = self._edge(one.place, one.bearing)
            if edge is not None:
                self._known[one.point, one.since] = edge, one

    def observed(self, at: int) -> list[Observed]:
        """Speeds of the last minutes; what is older is forgotten."""
        self._known = {key: each for key, each in self._known.items() if each[1].until > at - KEPT_US}
        return [
            Observed(edge, one.until, one.vehicles, one.speed_kmh / 3.6)
            for edge, one in self._known.values()
            if one.speed_kmh is not None and one.speed_kmh > 0 and one.vehicles > 0
        ]

    def flows(self) -> dict[int, tuple[float, int]]:
        """By edge: vehicles an hour, and how many were counted. The lanes of a site are summed; of several sites, or
        sources, the one that counted most speaks for the edge: the others see the same vehicles."""
        by_point: defaultdict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for edge, one in self._known.values():
            sums = by_point[edge, one.site, one.point]
            sums[0] += one.vehicles
            sums[1] += one.until - one.since
        by_site: defaultdict[tuple[int, str], list[float]] = defaultdict(lambda: [0.0, 0])
        for (edge, site, _), (vehicles, micros) in by_point.items():
            by_site[edge, site][0] += vehicles * 3600 * SECOND_US / max(micros, 1)
            by_site[edge, site][1] += vehicles
        found: dict[int, tuple[float, int]] = {}
        for (edge, _), (flow, vehicles) in by_site.items():
            found[edge] = max(found.get(edge, (0.0, 0)), (flow, int(vehicles)))
        return found

    def _edge(self, place: Point, bearing: float | None) -> int | None:
        key = place, bearing
        if key not in self._edges:
            self._edges[key] = edge_at(self._network, place, bearing)
        return self._edges[key]


def edge_at(network: RoadNetwork, place: Point, bearing: float | None) -> int | None:
    """The nearest edge that runs like that; of a road with two directions none where no bearing is known."""
    edges, gaps, _ = edges_near(network.arrays, *place, REACH_METRES, most=8)
    fitting = [
        (float(gap), int(edge))
        for edge, gap in zip(edges, gaps, strict=True)
        if (network.arrays.edge_twin[edge] < 0 if bearing is None else _turn(network, int(edge), place, bearing))
    ]
    if not fitting:
        return None
    nearest = min(fitting)
    # Without a bearing a one-way street must be the nearest road of all.
    return nearest[1] if bearing is not None or nearest[0] <= float(gaps[0]) else None


def along_edge(network: RoadNetwork, edge: int, place: Point) -> float:
    """Metres from the beginning of an edge to where it is nearest to a place."""
    steps, along, nearest = _projected(network, edge, place)
    metres = np.hypot(*steps.T)
    return float(metres[:nearest].sum() + metres[nearest] * along[nearest])


def _turn(network: RoadNetwork, edge: int, place: Point, bearing: float) -> bool:
    """Whether the edge runs within TURN_DEGREES of the bearing where it is nearest to the place."""
    steps, _, nearest = _projected(network, edge, place)
    east, north = steps[nearest]
    course = math.degrees(math.atan2(float(east), float(north)))
    return abs((course - bearing + 180) % 360 - 180) <= TURN_DEGREES


def _projected(network: RoadNetwork, edge: int, place: Point) -> tuple[F64, F64, int]:
    """Of the pieces of an edge: their ways in metres [n, 2], what share of each leads to where it is nearest to the
    place [n], and which piece is the nearest one."""
    scale = np.array((math.cos(math.radians(place[1])) * METRES_PER_DEGREE, METRES_PER_DEGREE))
    points = (network.line(edge) - np.array(place)) * scale
    starts, steps = points[:-1], np.diff(points, axis=0)
    along = np.clip(-(starts * steps).sum(axis=1) / np.maximum((steps**2).sum(axis=1), 1e-9), 0, 1)
    gaps = np.hypot(*(starts + steps * along[:, None]).T)
    return steps, along, int(np.argmin(gaps))


def rows_of(observed: Sequence[Observed], lengths: np.ndarray, bucket_us: int) -> np.ndarray:
    """As rows of `Sum`: each vehicle as a part of one that was followed, over as much of the edge as it speaks for."""
    rows = np.zeros((len(observed), 7), np.int64)
    for row, one in zip(rows, observed, strict=True):
        metres = WEIGHT * one.vehicles * min(float(lengths[one.edge]), SPEAKS_METRES)
        row[:3] = one.until - bucket_us, one.edge, round(metres * 1000)
        row[3] = round(metres / one.speed * SECOND_US)
        row[5] = max(1, round(WEIGHT * one.vehicles))
    return rows
