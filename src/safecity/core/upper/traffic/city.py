"""A network with its times, its router and its speeds of now, and what is asked of them. Computes, and waits for
nobody; not for several threads at once."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from msgspec.structs import replace

from safecity.core.upper.flows.api import KeyState, Record, StateCodec
from safecity.core.upper.traffic.counted import CountedRoads
from safecity.core.upper.traffic.jams import KnownJam
from safecity.core.upper.traffic.live import Live
from safecity.core.upper.traffic.operator import SILENT_US, Sighted, TrafficOperator
from safecity.core.upper.traffic.tolled import TolledRoads, Tolling, tolled_edges
from safecity.core.upper.traffic.usual import Factors
from safecity.kit.clock import SECOND_US
from safecity.kit.daykinds import DAY_KINDS, kind_of, like_days
from safecity.kit.errors import NotFoundError
from safecity.model.facts.traffic_calls import (
    ApplyTolls,
    AskConditions,
    AskRoutes,
    ConditionsFound,
    EdgeCondition,
    FindTolled,
    Jam,
    Line,
    NetworkDescribed,
    Point,
    RoadsFound,
    RouteFound,
    RoutesFound,
    TrafficClosure,
)
from safecity.roads.compiled import F64, I32
from safecity.roads.conditions.levels import LEVELS
from safecity.roads.conditions.levels import jams as jams_of
from safecity.roads.network.arrays import METRES_PER_DEGREE, RoadNetwork
from safecity.roads.network.grid import edges_near
from safecity.roads.network.versions import Version
from safecity.roads.routing.advice import advised
from safecity.roads.routing.router import SNAP_METRES, Place, Route, Router
from safecity.roads.routing.times import RoadTimes

HEADROOM: Final = 1.05
"""No speed counts that is above the free one times this."""
CLOSURE_METRES: Final = 30.0
"""So far from a road may a closure be drawn."""
STEP_METRES: Final = 10.0
"""A drawn line is looked at so often."""
MAX_STEPS: Final = 2_000
MAX_TOLLED: Final = 500
"""Roads that are told of one toll: a cordon may cross more."""
MAX_POINTS: Final = 25_000
"""Of all lines in one answer: it must fit a frame of Calls."""


class City:
    """What there is on one network."""

    def __init__(self, network: RoadNetwork, described: Version, *, bucket_us: int = 60 * SECOND_US) -> None:
        self.network = network
        self.described = described
        self.times = RoadTimes.of(network, headroom=HEADROOM)
        self.router = Router(self.times)
        self.live = Live(self.times, bucket_us=bucket_us)
        self.counted = CountedRoads(network)
        self.zone: tzinfo = UTC
        self.days: dict[str, str] = {}
        self.tolls: Tolling | None = None
        self._placed: dict[TrafficClosure, I32] = {}
        self._closed = np.zeros(0, np.int32)
        self.unplaced: tuple[str, ...] = ()
        a = network.arrays
        west, south, east, north = (np.full(network.edges, np.nan) for _ in range(4))
        starts = a.shape_start[:-1].astype(np.int64)
        for box, points, least in (
            (west, a.point_lon, np.minimum), (south, a.point_lat, np.minimum),
            (east, a.point_lon, np.maximum), (north, a.point_lat, np.maximum),
        ):  # fmt: skip
            box[:] = least.reduceat(points, starts)[a.edge_shape]
        self._boxes = west, south, east, north

    def warm(self) -> None:
        """Compile what is compiled on the first call."""
        a = self.network.arrays
        start, end = ((float(a.node_lon[n]), float(a.node_lat[n])) for n in (a.edge_from[0], a.edge_to[-1]))
        with contextlib.suppress(NotFoundError):
            self.routes(AskRoutes(start, end, 0, 2))
        jams_of(a, np.zeros(1, np.int32))
        operator = TrafficOperator(self.network, "", b"warm")
        here = self.network.line(0)
        batch = [Record("g", n * SECOND_US, Sighted("v", float(x), float(y))) for n, (x, y) in enumerate(here, 1)]
        state = KeyState(StateCodec(operator))
        operator.process(batch, state)
        operator.on_watermark(SILENT_US * 2, state)

    def learn(self, factors: Factors | None) -> None:
        """What is usual from now on; what is measured and closed stays as it is."""
        if factors is None:
            return
        before = self.times.arrays
        times = RoadTimes.of(self.network, usual=factors.rows, slow=factors.slow, headroom=HEADROOM)
        for name in ("extra", "measured", "closed", "zone"):
            getattr(times.arrays, name)[:] = getattr(before, name)
        times.like.update(self.times.like)
        self.times, self.router = times, Router(times)
        self.live.learn(times)

    def charge(self, told: ApplyTolls) -> None:
        """What roads cost from now on. InvalidError `road_tolls`."""
        if self.tolls is None or self.tolls.told != told:
            self.tolls = Tolling(self.network, told) if told.tolls else None

    # --- closures -----------------------------------------------------------------------------------------------

    def set_zone(self, zone: str, at: int) -> None:
        """Local time, for the usual day."""
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):
            self.zone = ZoneInfo(zone)
        offset = datetime.fromtimestamp(at / SECOND_US, self.zone).utcoffset()
        self.times.arrays.zone[0] = offset.total_seconds() if offset is not None else 0.0

    def set_days(self, days: dict[str, str]) -> None:
        """Dates that are another kind of day than their day of the week says."""
        if days != self.days:
            self.days = days
            self.times.like.clear()
            self.times.like.update(like_days(days))

    def close(self, closures: Iterable[TrafficClosure], at: int) -> None:
        """Those that are in force at that moment, and no others."""
        every = tuple(closures)
        self._placed = {one: self._placed[one] for one in every if one in self._placed}
        unplaced: list[str] = []
        for one in every:
            if one not in self._placed:
                self._placed[one] = self._edges_of(one.line, both_ways=one.both_ways)
            if not len(self._placed[one]):
                unplaced.append(one.id)
        self.unplaced = tuple(unplaced)
        in_force = [one for one in every if one.start <= at and (one.end is None or at < one.end)]
        edges = [self._placed[one] for one in in_force]
        closed = np.unique(np.concatenate(edges)) if edges else np.zeros(0, np.int32)
        self.times.close(np.setdiff1d(self._closed, closed), False)
        self.times.close(closed)
        self._closed = closed

    def roads(self, line: Line, *, both_ways: bool) -> RoadsFound:
        """Which roads a closure would close. NotFoundError `no_road_near`."""
        edges = self._edges_of(line, both_ways=both_ways)
        if not len(edges):
            params = {"field": "line", "metres": CLOSURE_METRES}
            raise NotFoundError("no road there", code="no_road_near", params=params)
        metres = float(self.network.arrays.edge_length[edges].sum())
        return RoadsFound(self._lines(edges.tolist()), metres)

    def tolled(self, asked: FindTolled) -> RoadsFound:
        """Which roads pay. NotFoundError `no_road_near`, InvalidError `road_tolls`."""
        edges = tolled_edges(self.network, asked.tolls)
        metres = float(self.network.arrays.edge_length[edges].sum())
        return RoadsFound(self._lines(edges[:MAX_TOLLED]), metres)

    def _lines(self, edges: Sequence[int], room: int | None = None) -> tuple[Line, ...]:
        """Of edges, in their order, as many as there is room for points."""
        found, room = list[Line](), MAX_POINTS if room is None else room
        for edge in edges:
            line = _line(self.network, edge)
            room -= len(line)
            if room < 0:
                break
            found.append(line)
        return tuple(found)

    def _edges_of(self, line: Line, *, both_ways: bool) -> I32:
        a = self.network.arrays
        found: dict[int, int] = {}
        steps = list(_steps(line))
        for place, course in steps:
            edges, gaps, _ = edges_near(a, *place, CLOSURE_METRES, most=4)
            # One point names one road, also where several meet.
            width = 1.0 if course is not None else 1e-6
            nearest = [int(edge) for edge, gap in zip(edges, gaps, strict=True) if gap <= gaps[0] + width]
            fitting = [edge for edge in nearest if both_ways or course is None or self._runs(edge, course)]
            for edge in fitting:
                found[edge] = found.get(edge, 0) + 1
        # Of a street that is only crossed a step or two lie nearer to it than to the one that is meant.
        least = 1 if len(steps) < 4 else 3
        return np.array(sorted(edge for edge, times in found.items() if times >= least), np.int32)

    def _runs(self, edge: int, course: tuple[float, float]) -> bool:
        line = self.network.line(edge)
        east, north = line[-1] - line[0]
        return float(east * math.cos(math.radians(line[0, 1])) * course[0] + north * course[1]) > 0

    # --- questions ----------------------------------------------------------------------------------------------

    def routes(self, asked: AskRoutes) -> RoutesFound:
        """NotFoundError `no_road_near`, `only_islands_near`, `no_route`, `route_closed`, `route_island`."""
        start, end = self._near(asked.start, "from"), self._near(asked.end, "to")
        tolls = self._tolls_of(asked)
        charges = None if tolls is None else tolls.avoided if asked.avoid_tolls else tolls.charges
        try:
            found = self.router.alternatives(start, end, asked.at, charges, count=max(1, min(asked.count, 5)))
            usual = self.router.usual(start, end, asked.at, charges)
        except NotFoundError as error:
            code = {"closed": "route_closed", "island": "route_island"}.get(str(error.params.get("why")), "no_route")
            raise NotFoundError("no way leads there", code=code) from error
        paid = [tolls.paid(self.router, one, asked.at) if tolls is not None else 0 for one in found]
        if asked.avoid_tolls and 0 in paid:
            found = [one for one, toll in zip(found, paid, strict=True) if not toll]
            paid = [0] * len(found)
        # To who wants to pay nothing and has to, each way is as dear: they are told apart by what the money is worth.
        costs = [self._weighed(tolls, one, asked.at) for one in (usual, *found)]
        sent = self._sent(costs[0], costs[1:]).tolist()
        told = [
            self._told(one, asked.least, toll, share) for one, toll, share in zip(found, paid, sent, strict=True)
        ]  # fmt: skip
        return RoutesFound(tuple(told), self.tolls.told.currency if self.tolls is not None else "")

    def _weighed(self, tolls: TolledRoads | None, route: Route, at_us: int) -> Route:
        """With its tolls as the money is worth them, whatever it was searched by."""
        if tolls is None:
            return route
        return dataclasses.replace(route, cost=route.seconds + self.router.charged(route, at_us, tolls.charges))

    def _sent(self, usual: Route, found: Sequence[Route]) -> F64:
        """What share of the drivers over each: where no way gains more over the usual one than is known of it, all go
        on as they would."""
        sent = advised(usual, found, self.router.gain)
        if not sent.any():
            lengths = self.network.arrays.edge_length
            alike = [float(lengths[np.intersect1d(one.edges, usual.edges)].sum()) for one in found]
            sent[int(np.argmax(alike))] = 1.0
        return sent

    def _tolls_of(self, asked: AskRoutes) -> TolledRoads | None:
        """A way over midnight goes on as the day on which it set out."""
        if self.tolls is None:
            return None
        day = datetime.fromtimestamp(asked.at / SECOND_US, self.zone).date()
        return self.tolls.on(day, DAY_KINDS[kind_of(day, self.days)], asked.vehicle)

    def _near(self, place: Point, field: str) -> list[Place]:
        try:
            return self.router.near(*place)
        except NotFoundError as error:
            nowhere = len(edges_near(self.network.arrays, *place, SNAP_METRES, most=1)[0]) > 0
            code = "only_islands_near" if nowhere else "no_road_near"
            raise NotFoundError(str(error), code=code, params={"field": field, "metres": SNAP_METRES}) from error

    def _told(self, route: Route, least: int, toll: int, share: float) -> RouteFound:
        driven = self.network.arrays.edge_length[route.edges].astype(np.float64)
        driven[-1] = route.ended
        driven[0] -= route.begun
        free = float((np.maximum(driven, 0) / self.live.free[route.edges]).sum())
        now = self.live.now
        known = np.isfinite(now.speed[route.edges]) & (now.vehicles[route.edges] >= least)
        return RouteFound(
            line=self._way(route, route.begun, route.ended), metres=route.metres, seconds=route.seconds, low=route.low,
            high=route.high, free_seconds=free, measured_metres=float(np.maximum(driven[known], 0).sum()),
            share=round(share, 3), toll=toll,
        )  # fmt: skip

    def _way(self, route: Route, first: float, last: float) -> Line:
        points: list[Point] = []
        for n, edge in enumerate(route.edges):
            line = self.network.line(int(edge))
            line = _part(line, first if n == 0 else 0.0, last if n == len(route.edges) - 1 else math.inf)
            points += [(round(float(x), 7), round(float(y), 7)) for x, y in line]
        kept = [one for n, one in enumerate(points) if n == 0 or one != points[n - 1]]
        step = -(-len(kept) // MAX_POINTS)
        return *kept[:-1:step], kept[-1]

    def conditions(self, asked: AskConditions) -> ConditionsFound:
        """Edges whose own box touches the one asked for."""
        west, south, east, north = self._boxes
        now, a = self.live.now, self.network.arrays
        inside = (west <= asked.east) & (east >= asked.west) & (south <= asked.north) & (north >= asked.south)
        told = np.isfinite(now.speed) & (now.vehicles >= max(1, asked.least))
        chosen = np.flatnonzero(inside if asked.everything else inside & (told | (self.times.arrays.closed > 0)))
        # The important roads first, measured ones before others.
        flows = self.counted.flows()
        order = np.lexsort((chosen, ~told[chosen], _rank(a.edge_class[chosen])))
        shown, points = list[EdgeCondition](), 0
        for edge in chosen[order][: asked.limit].tolist():
            line = _line(self.network, edge)
            points += len(line)
            if points > MAX_POINTS:
                break
            one = self._condition(edge, line, bool(told[edge]))
            flow, counted = flows.get(edge, (0.0, 0))
            shown.append(replace(one, flow=round(flow, 1)) if counted >= max(1, asked.least) else one)
        return ConditionsFound(tuple(shown), len(chosen) - len(shown), now.at)

    def _condition(self, edge: int, line: Line, told: bool) -> EdgeCondition:
        now, a = self.live.now, self.network.arrays
        closed = bool(self.times.arrays.closed[edge])
        free = round(float(self.live.free[edge]) * 3.6, 1)
        plain = EdgeCondition(edge, line, int(a.edge_class[edge]), free, closed=closed)
        if not told:
            return plain
        return EdgeCondition(
            edge, line, int(a.edge_class[edge]), free, round(float(now.speed[edge]) * 3.6, 1),
            LEVELS[int(now.level[edge])] if now.level[edge] < len(LEVELS) else "", int(now.vehicles[edge]),
            max(0.0, (now.at - int(now.last[edge])) / SECOND_US), closed,
        )  # fmt: skip

    def jams(self, known: Iterable[KnownJam], least: int) -> tuple[Jam, ...]:
        """Those of which as many vehicles are known as are asked for."""
        vehicles = self.live.now.vehicles
        shown = [one for one in known if int(vehicles[list(one.edges)].max(initial=0)) >= least]
        told, room = list[Jam](), MAX_POINTS
        for one in sorted(shown, key=lambda each: -each.metres)[:200]:
            lines = self._lines(one.edges[:200], room)
            room -= sum(map(len, lines))
            place, kmh = (one.longitude, one.latitude), round(one.speed * 3.6, 1)
            told.append(Jam(one.id, one.began_at, place, round(one.metres), kmh, lines, one.ended_at))
        return tuple(told)

    def usual_speeds(self, at: int) -> F64:
        """Of all edges [E], m/s, at that time of such a day."""
        lengths = np.maximum(self.network.arrays.edge_length, 0.1)
        edges = np.arange(self.network.edges)
        return lengths / np.maximum(self.times.usual(edges, at / SECOND_US), 1e-3)

    def describe(self) -> NetworkDescribed:
        """Where the network is from."""
        told = self.described
        return NetworkDescribed(
            told.version, told.label, told.credit, told.imported_at, told.sources, told.nodes, told.edges,
            told.islands, told.kilometres, told.bounds, told.dropped,
        )  # fmt: skip


def _line(network: RoadNetwork, edge: int) -> Line:
    return tuple((round(float(x), 7), round(float(y), 7)) for x, y in network.line(edge))


def _rank(classes: np.ndarray) -> np.ndarray:
    return np.where(classes == 0, 6, classes)


def _metres(line: np.ndarray) -> np.ndarray:
    """Along a line, from its first point."""
    scale = np.cos(np.radians(line[:-1, 1])) * METRES_PER_DEGREE
    east, north = np.diff(line[:, 0]) * scale, np.diff(line[:, 1]) * METRES_PER_DEGREE
    return np.concatenate(([0.0], np.cumsum(np.hypot(east, north))))


def _part(line: np.ndarray, start: float, end: float) -> np.ndarray:
    """The part of a line between two places along it."""
    along = _metres(line)
    start, end = min(max(start, 0.0), along[-1]), min(max(end, 0.0), along[-1])
    inner = line[(along > start) & (along < end)]
    ends = [[np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])] for at in (start, end)]
    return np.concatenate((np.array(ends[:1]), inner, np.array(ends[1:])))


def _steps(line: Line) -> Iterable[tuple[Point, tuple[float, float] | None]]:
    """Places along a drawn line, with its course there (east, north); one point has none."""
    if len(line) == 1:
        yield line[0], None
        return
    points = np.array(line, np.float64)
    along = _metres(points)
    count = int(min(MAX_STEPS, max(2, along[-1] // STEP_METRES + 1)))
    for step in range(count):
        at = float(along[-1]) * step / (count - 1)
        n = int(min(max(int(np.searchsorted(along, at, "right")) - 1, 0), len(points) - 2))
        east, north = points[n + 1] - points[n]
        course = float(east) * math.cos(math.radians(float(points[n, 1]))), float(north)
        yield (float(np.interp(at, along, points[:, 0])), float(np.interp(at, along, points[:, 1]))), course
