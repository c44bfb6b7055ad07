"""Routes between places: one, some that differ, and times from one place to many."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from safecity.kit.errors import InvalidError, NotFoundError
from safecity.roads.compiled import F32, F64, I32
from safecity.roads.network.arrays import EdgeFlag
from safecity.roads.network.grid import edges_near
from safecity.roads.routing.charges import Charges
from safecity.roads.routing.landmarks import enough, landmark_table
from safecity.roads.routing.search import OWN_ROW, Costs, Ends, new_work, search_routes
from safecity.roads.routing.times import BINS, RoadTimes, Times, quarter_of_week, seconds_along

SNAP_METRES: Final = 300.0
_TOGETHER: Final = 0.15
"""How far the delays of two edges of one route go together (correlation)."""
_EIGHTY: Final = 1.2816
"""Deviations of a normal distribution within which 80 % lie."""
_UNGUIDED: Final = np.zeros((0, 0, 2), np.float32)
"""No landmarks: a search in all directions."""


class Place(NamedTuple):
    """On an edge, metres from its start."""

    edge: int
    along: float


@dataclass(frozen=True, slots=True)
class Route:
    """`edges` in order, the first and last in part; `left_us` [n] when each is left, microseconds UTC.

    seconds from the start to the end; low, high: between them lies the real time in 80 of 100 cases; cost: seconds with
    what else was counted (tolls); metres. begun, ended: metres along the first edge where it sets out, along the last
    where it ends.
    """

    edges: I32
    left_us: np.ndarray
    seconds: float
    low: float
    high: float
    cost: float
    metres: float
    begun: float = 0.0
    ended: float = math.inf


class Gain(NamedTuple):
    """By which one way costs less than another, seconds, and the standard deviation of that."""

    seconds: float
    deviation: float


class Router:
    """Routes on one network. Not for several threads at once; the GIL is free while it computes."""

    def __init__(
        self, times: RoadTimes, *, landmarks: int | None = None, u_turn_seconds: float = 45.0, spread: ArrayLike = 0.35
    ) -> None:
        """`spread` relative deviation of each edge's time, [E] or one for all. Landmarks take one search of the whole
        network each, two ways, and 8 bytes for every node; none said: as many as are worth it. InvalidError
        `road_times` for seconds or deviations that are none."""
        if not (0 <= u_turn_seconds < math.inf and np.isfinite(spread).all() and np.min(spread) >= 0):
            raise InvalidError("not seconds of a turn and deviations >= 0", code="road_times")
        self._times, self._network = times, times.network
        a = self._arrays = self._network.arrays
        self._table = landmark_table(a, times.arrays.best, max(1, landmarks or enough(self._network.nodes)))
        self._work = new_work(self._network.nodes, self._network.edges)
        self._node_bans = np.zeros(self._network.nodes, np.uint8)
        self._node_bans[a.edge_to[(a.edge_flags & EdgeFlag.BANS) > 0]] = 1
        self._spread = np.broadcast_to(np.asarray(spread, np.float32), (self._network.edges,))
        self._plain = self._costs(None, u_turn_seconds)
        self._u_turn = u_turn_seconds
        self._never = times.arrays.measured[:0]
        """When each edge was measured, for whom knows of no measurement; made when it is needed first."""

    def near(self, lon: float, lat: float, *, metres: float = SNAP_METRES) -> list[Place]:
        """Both directions of the nearest road that leads anywhere. NotFoundError `no_road_near`."""
        most = 32
        while True:  # a yard may have more ways that lead nowhere than that, and the road lies behind them
            edges, _, alongs = edges_near(self._arrays, lon, lat, metres, most=most)
            places = [Place(int(edge), float(along)) for edge, along in zip(edges, alongs, strict=True)]
            main = [one for one in places if not self._arrays.edge_flags[one.edge] & EdgeFlag.ISLAND]
            shapes = len(np.unique(self._arrays.edge_shape[edges]))
            if main or shapes < most:
                break
            most *= 4
        if not main:
            why = "only roads that lead nowhere" if places else "no road"
            raise NotFoundError(f"{why} within {metres:g} m", code="no_road_near", params={"why": why})
        twin = self._arrays.edge_twin[main[0].edge]
        return [main[0], *(one for one in main[1:] if one.edge == twin)]

    def route(self, start: Sequence[Place], end: Sequence[Place], at_us: int, charges: Charges | None = None) -> Route:
        """The cheapest way from one of the places to one of the others, setting out at `at_us`.

        NotFoundError `no_route` when there is none, with the reason (`why`): `closed` (there would be one if nothing
        were), `island`, `no way`. InvalidError `no_place` for places that are none.
        """
        return self._route(start, end, at_us, self._costs(charges, self._u_turn) if charges else self._plain, charges)

    def usual(self, start: Sequence[Place], end: Sequence[Place], at_us: int, charges: Charges | None = None) -> Route:
        """The way of those who know what is usual and what is closed, and nothing of what is measured now; its times
        are those of now. NotFoundError as `route`."""
        costs = self._costs(charges, self._u_turn) if charges else self._plain
        known = self._times.arrays
        if len(self._never) < len(known.measured):
            self._never = np.full_like(known.measured, -np.inf)
        times = known._replace(measured=self._never)
        found = self._route(start, end, at_us, costs, charges, times)
        now = self.along(found.edges, at_us, begun=found.begun, ended=found.ended)
        return replace(now, cost=now.seconds + self._charged(now, at_us, costs, charges))

    def gain(self, present: Route, other: Route) -> Gain:
        """What taking another way in place of the present one gains. What both drive is as uncertain for both, and
        makes no difference."""
        variance = 0.0
        for way, against in ((present, other), (other, present)):
            seconds = np.diff(way.left_us / 1e6, prepend=way.left_us[-1] / 1e6 - way.seconds)
            own = ~np.isin(way.edges, against.edges)
            variance += self._variance(seconds[own], self._spread[way.edges[own]])
        return Gain(present.cost - other.cost, math.sqrt(variance))

    def alternatives(
        self, start: Sequence[Place], end: Sequence[Place], at_us: int, charges: Charges | None = None, *,
        count: int = 3, slower: float = 1.35, alike: float = 0.75, penalty: float = 1.4,
    ) -> list[Route]:  # fmt: skip
        """Up to `count` routes, the best one first (penalty method: what was used becomes dearer and the search is
        repeated). None takes more than `slower` times the best, or shares more than `alike` of its length with one
        before it. `cost` is what the driver has: what made the search look elsewhere is not in it."""
        plain = self._costs(charges, self._u_turn)
        costs = plain._replace(penalty=np.ones(self._network.edges, np.float32))
        best = self._route(start, end, at_us, plain, charges)
        routes, last = [best], best
        lengths = self._arrays.edge_length
        for _ in range(3 * count):
            if len(routes) >= count:
                break
            used = np.concatenate((last.edges, self._arrays.edge_twin[last.edges]))
            costs.penalty[np.unique(used[used >= 0])] *= np.float32(penalty)
            last = self._route(start, end, at_us, costs, charges)
            last = replace(last, cost=last.seconds + self._charged(last, at_us, plain, charges))
            shares = [lengths[np.intersect1d(last.edges, one.edges)].sum() for one in routes]
            total = float(lengths[last.edges].sum())
            if last.seconds <= slower * best.seconds + 30 and max(shares) <= alike * total:
                routes.append(last)
        return routes

    def along(self, edges: ArrayLike, at_us: int, *, begun: float = 0.0, ended: float = math.inf) -> Route:
        """A way that is given, from `begun` metres along its first edge to `ended` along its last, set out on at
        `at_us`: when it arrives, whatever is closed or forbidden on it. InvalidError `no_place` for what is no way."""
        way, a = np.asarray(edges, np.int32).reshape(-1), self._arrays
        inside = len(way) > 0 and 0 <= way.min() <= way.max() < self._network.edges
        if not inside or (a.edge_to[way[:-1]] != a.edge_from[way[1:]]).any():
            raise InvalidError("edges that do not follow one another", code="no_place")
        lengths = np.maximum(a.edge_length[way].astype(np.float64), 1e-3)
        driven = lengths.copy()
        driven[-1] = min(max(ended, 0.0), float(lengths[-1]))
        driven[0] = max(driven[0] - max(begun, 0.0), 0.0)
        wait = np.zeros(len(way))
        wait[1:] = np.where(a.edge_twin[way[:-1]] == way[1:], self._u_turn, 0.0)
        times, start = self._times.arrays, at_us / 1e6
        quarter = self._times.quarter(start)
        ends = seconds_along(times, way, driven / lengths, wait, start, quarter)
        seconds = np.diff(ends, prepend=start)
        total, (low, high) = float(seconds.sum()), self._interval(seconds, self._spread[way])
        left, metres = (ends * 1e6).astype(np.int64), float(driven.sum())
        return Route(way, left, total, low, high, total, metres, max(begun, 0.0), max(ended, 0.0))

    def one_to_many(
        self, start: Sequence[Place], ends: Sequence[Place], at_us: int, *, limit_seconds: float = 7_200.0
    ) -> F64:
        """Seconds from one place to each of many, inf for those farther than the limit."""
        cost, arrivals, _ = self._search(start, ends, at_us, self._plain, limit_seconds, every=True)
        return np.where(cost <= limit_seconds, arrivals - at_us / 1e6, math.inf)

    def many_to_one(
        self, starts: Sequence[Sequence[Place]], end: Sequence[Place], at_us: int, *, closest: int = 20
    ) -> F64:
        """Seconds from each of many (vehicles) to one place, asked one by one for the `closest` by the straight line,
        inf for the others and for those that cannot get there."""
        a = self._arrays
        seconds = np.full(len(starts), math.inf)
        to = a.edge_from[self._checked(end)[0].edge]
        scale = math.cos(math.radians(float(a.node_lat[to])))
        nodes = np.array([int(a.edge_to[self._checked(one)[0].edge]) for one in starts], np.int64)
        gap = np.hypot((a.node_lon[nodes] - a.node_lon[to]) * scale, a.node_lat[nodes] - a.node_lat[to])
        order = [int(number) for number in np.argsort(gap)[:closest]]
        for number in order:
            try:
                seconds[number] = self.route(starts[number], end, at_us).seconds
            except NotFoundError:
                continue
        return seconds

    def _costs(self, charges: Charges | None, u_turn: float) -> Costs:
        edges = self._network.edges
        rows, table = np.zeros(0, np.int32), np.zeros((1, 1), np.float32)
        if charges is not None:
            rows = np.full(edges, -1, np.int32)
            named, table = np.asarray(charges.edges, np.int64), np.ascontiguousarray(charges.seconds, np.float32)
            if table.ndim != 2 or len(table) != len(named) or not np.isfinite(table).all() or (table < 0).any():
                raise InvalidError("not a row of seconds >= 0 for every edge", code="route_charges")
            if len(named) and not (0 <= named.min() <= named.max() < edges and table.shape[1] > 0):
                raise InvalidError("charges on edges that are not there, or at no time", code="route_charges")
            several, which = np.unique(named, return_inverse=True)
            if charges.along is not None:
                charges.check_places()
                summed = np.zeros((len(several), table.shape[1]), np.float32)
                np.add.at(summed, which, table)
                named, table = several, summed
            elif len(several) < len(named):
                raise InvalidError("two charges for one edge: which of them, or both?", code="route_charges")
            rows[named] = np.arange(len(named))
        return Costs(np.zeros(0, np.float32), rows, table, np.array([float(u_turn)]))

    def _checked(self, places: Sequence[Place]) -> list[Place]:
        """Along their edges, none beyond an end. InvalidError `no_place`."""
        for one in places:
            if not (0 <= one.edge < self._network.edges and math.isfinite(one.along)):
                raise InvalidError(f"no place: {one}", code="no_place")
        if not places:
            raise InvalidError("no place", code="no_place")
        return [Place(one.edge, min(max(one.along, 0.0), self._length(one.edge))) for one in places]

    def _length(self, edge: int) -> float:
        return float(self._arrays.edge_length[edge])

    def _search(
        self, start: Sequence[Place], end: Sequence[Place], at_us: int, costs: Costs, limit: float, *, every: bool,
        times: Times | None = None, charges: Charges | None = None,
    ) -> tuple[F64, F64, I32]:  # fmt: skip
        a, times, start, end = self._arrays, times or self._times.arrays, self._checked(start), self._checked(end)
        sources = np.array([one.edge for one in start], np.int32)
        goals = np.array([one.edge for one in end], np.int32)
        begun = np.array([one.along for one in start]) / np.maximum(a.edge_length[sources], 1e-3)
        driven = np.array([one.along for one in end]) / np.maximum(a.edge_length[goals], 1e-3)
        table = _UNGUIDED if every else self._table
        cost, time, entry = np.empty(len(goals)), np.empty(len(goals)), np.empty(len(goals), np.int32)
        costs, ends = self._ends(start, end, at_us, costs, charges)
        while True:
            room = len(self._work.edge)
            labels = search_routes(
                a, times, costs, ends, self._node_bans, table, self._work, sources,
                1.0 - np.clip(begun, 0.0, 1.0), goals, np.clip(driven, 0.0, 1.0), cost, time, entry, at_us / 1e6,
                self._times.quarter(at_us / 1e6), limit, every,
            )  # fmt: skip
            if labels < room:
                return cost, time, entry
            self._work = new_work(self._network.nodes, self._network.edges, 2 * room)  # it could not look everywhere

    def _ends(
        self, start: Sequence[Place], end: Sequence[Place], at_us: int, costs: Costs, charges: Charges | None
    ) -> tuple[Costs, Ends]:
        """What is paid on the first and last edges of a way, of which only a part is driven."""
        if charges is None or charges.along is None:
            rows = np.full(len(end), OWN_ROW, np.int32)
            return costs, Ends(np.zeros(len(start)), np.zeros((0, 0)), rows)
        table = charges.table
        part = self._part(at_us / 1e6, table.shape[1])
        begun, within = np.zeros(len(start)), np.zeros((len(start), len(end)))
        for n, one in enumerate(start):
            length = self._length(one.edge)
            begun[n] = table[charges.passed(one.edge, length, after=one.along), part].sum()
            for k, other in enumerate(end):
                if other.edge == one.edge:
                    paid = charges.passed(one.edge, length, after=one.along, until=other.along)
                    within[n, k] = table[paid, part].sum()
        # A goal has a row of its own: what is paid before it, and nothing of what lies behind.
        rows = len(costs.charge) + np.arange(len(end), dtype=np.int32)
        before = [charges.passed(one.edge, self._length(one.edge), until=one.along) for one in end]
        own = np.array([table[paid].sum(axis=0) for paid in before])
        charge = np.concatenate((costs.charge, own.reshape(len(end), table.shape[1]))).astype(np.float32)
        return costs._replace(charge=charge), Ends(begun, within, rows)

    def _route(
        self, start: Sequence[Place], end: Sequence[Place], at_us: int, costs: Costs,
        charges: Charges | None = None, times: Times | None = None,
    ) -> Route:  # fmt: skip
        cost, time, entry = self._search(start, end, at_us, costs, math.inf, every=False, times=times, charges=charges)
        best = int(np.argmin(cost))
        if entry[best] == -2:
            why = self._why(start, end, at_us)
            raise NotFoundError("no way leads there", code="no_route", params={"why": why})
        w, edges, left = self._work, [end[best].edge], [float(time[best])]
        label = int(entry[best])
        while label >= 0:
            edges.append(int(w.edge[label]))
            left.append(float(w.time[label]))
            label = int(w.up[label])
        path, ends = np.array(edges[::-1], np.int32), np.array(left[::-1])
        seconds = np.diff(ends, prepend=at_us / 1e6)
        total = float(seconds.sum())
        low, high = self._interval(seconds, self._spread[path])
        begun, ended = self._parts(path, start, end[best])
        lengths = self._arrays.edge_length[path]
        metres = float(lengths.sum()) - begun - float(lengths[-1]) + ended
        left_us = (ends * 1e6).astype(np.int64)
        return Route(path, left_us, total, low, high, float(cost[best]), metres, begun, ended)

    def _parts(self, path: I32, start: Sequence[Place], end: Place) -> tuple[float, float]:
        """Metres along the first edge where a way begins, along the last where it ends."""
        first, last = (float(self._arrays.edge_length[path[n]]) for n in (0, -1))
        begun = [min(max(one.along, 0.0), first) for one in start if one.edge == path[0]]
        ended = min(max(end.along, 0.0), last)
        # Of several on one edge, the one farthest on is nearest.
        return max(one for one in begun if len(path) > 1 or one <= ended), ended

    def charged(self, route: Route, at_us: int, charges: Charges) -> float:
        """What charges a route that was found has to bear, seconds, whatever it was searched by."""
        table, rows = charges.table, defaultdict[int, list[int]](list)
        for row, edge in enumerate(np.asarray(charges.edges).tolist()):
            rows[edge].append(row)
        return self._summed(route, at_us, charges, lambda edge, part: float(table[rows.get(edge, ()), part].sum()))

    def _charged(self, route: Route, at_us: int, costs: Costs, charges: Charges | None) -> float:
        """What its charges are worth, as the search counts them, seconds."""
        if charges is None:
            return 0.0

        def whole(edge: int, part: int) -> float:
            row = int(costs.row[edge])
            return float(costs.charge[row, part]) if row >= 0 else 0.0

        return self._summed(route, at_us, charges, whole)

    def _summed(self, route: Route, at_us: int, charges: Charges, whole: Callable[[int, int], float]) -> float:
        """`whole` gives what an edge costs that is driven from end to end, in a part of the day."""
        a, edges, table = self._arrays, route.edges.tolist(), charges.table
        parts, last, total = table.shape[1], len(route.edges) - 1, 0.0
        for n, edge in enumerate(edges):
            turned = n > 0 and a.edge_twin[edges[n - 1]] == edge
            entered = (float(route.left_us[n - 1]) if n else at_us) / 1e6 + (self._u_turn if turned else 0.0)
            part = self._part(entered, parts)
            if 0 < n < last:
                total += whole(edge, part)
            else:
                after, until = (route.begun if n == 0 else -math.inf), (route.ended if n == last else math.inf)
                total += float(table[charges.passed(edge, self._length(edge), after=after, until=until), part].sum())
        return total

    def _part(self, at: float, parts: int) -> int:
        """Of the local day."""
        place = quarter_of_week(at, float(self._times.arrays.zone[0])) / (BINS // 7) % 1.0
        return min(int(place * parts), parts - 1)

    def _interval(self, seconds: F64, spread: F32) -> tuple[float, float]:
        """Of the sum of times that go together a little, log-normal, since delays have no upper end."""
        mean = float(seconds.sum())
        if mean <= 0:
            return 0.0, 0.0
        square = math.log1p(self._variance(seconds, spread) / mean**2)
        middle, width = mean * math.exp(-square / 2), _EIGHTY * math.sqrt(square)
        return middle * math.exp(-width), middle * math.exp(width)

    @staticmethod
    def _variance(seconds: F64, spread: F32) -> float:
        deviations = seconds * spread
        return (1 - _TOGETHER) * float((deviations**2).sum()) + _TOGETHER * float(deviations.sum()) ** 2

    def _why(self, start: Sequence[Place], end: Sequence[Place], at_us: int) -> str:
        times = self._times.arrays
        if times.closed.any():
            opened = times._replace(closed=np.zeros_like(times.closed))
            if (self._search(start, end, at_us, self._plain, math.inf, every=False, times=opened)[2] != -2).any():
                return "closed"
        flags = self._arrays.edge_flags
        if any(flags[one.edge] & EdgeFlag.ISLAND for one in (*start, *end)):
            return "island"
        return "no way"
