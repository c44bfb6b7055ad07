"""How long an edge takes at which time: an empty road, the usual day, and what is measured now."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import F32, F64, I32, I64, U8, compiled
from safecity.roads.network.arrays import RoadNetwork, free_speeds

BIN_SECONDS: Final = 900
WEEK_SECONDS: Final = 7 * 86_400
BINS: Final = WEEK_SECONDS // BIN_SECONDS
_DAY_BINS: Final = BINS // 7
HORIZON_SECONDS: Final = 2_700.0
"""What is measured now is forgotten over so long: farther ahead the usual day is the better guess."""
_MONDAY: Final = 4 * 86_400
"""1970-01-05 was a Monday."""
_STEEPEST_USUAL: Final = 0.5
_STEEPEST_LIVE: Final = 0.45
"""No travel time falls faster than the clock runs, together less than 1: who sets out later never arrives earlier."""


class Times(NamedTuple):
    """best [E] seconds at the best speed that counts; usual [E] row of `slow`; slow [U, BINS] factor of the time at the
    begin of each quarter of an hour of the week, from Monday, local time; share [E] of its excess that counts.

    extra [E] seconds that were measured on top of the usual, at measured [E] (seconds UTC since 1970, -inf never);
    closed [E].
    zone [1] seconds that local time is ahead of UTC.
    """

    best: F32
    usual: I32
    slow: F32
    share: F32
    extra: F32
    measured: F64
    closed: U8
    zone: F64


@compiled
def edge_seconds(
    best: F32, usual: I32, slow: F32, share: F32, extra: F32, measured: F64, edge: int, at: Any, quarter: Any
) -> float:
    """Of an edge entered at `at` (seconds UTC), which is `quarter` quarters of an hour after Monday, local time: the
    usual time, interpolated, and what is left of what was measured. Before it was measured it counts as little as after
    it: a clock that runs ahead makes no jam that never fades."""
    while quarter >= BINS:
        quarter -= BINS
    low = int(quarter)
    part = quarter - low
    high = low + 1 if low + 1 < BINS else 0
    row = usual[edge]
    factor = slow[row, low] * (1.0 - part) + slow[row, high] * part
    seconds = best[edge] * (1.0 + share[edge] * (factor - 1.0))
    more = extra[edge]
    if more != 0.0:
        faded = 1.0 - abs(at - measured[edge]) / HORIZON_SECONDS
        if faded > 0.0:
            seconds = max(seconds + more * faded, best[edge])
    return seconds


@compiled
def seconds_along(t: Times, edges: I32, share: F64, wait: F64, start: float, quarter: float) -> F64:
    """When each of the edges is left that are driven one after the other, seconds UTC, [n]; `share` [n] of each that is
    driven, `wait` [n] seconds before it is entered. `start`, `quarter` as for `search_routes`."""
    left = np.empty(len(edges), np.float64)
    at = start
    for n in range(len(edges)):
        at += wait[n]
        later = (at - start) / BIN_SECONDS
        at += share[n] * edge_seconds(
            t.best, t.usual, t.slow, t.share, t.extra, t.measured, edges[n], at, quarter + later
        )
        left[n] = at
    return left


def quarter_of_week(at: float, zone_seconds: float) -> float:
    """Quarters of an hour since Monday, local time."""
    return ((at + zone_seconds - _MONDAY) % WEEK_SECONDS) / BIN_SECONDS


@dataclass(frozen=True, slots=True)
class RoadTimes:
    """The times of a network. What is measured is written in place and in force for the next search. `like`: local days
    since 1970 that are like another day of the week (Monday 0)."""

    network: RoadNetwork
    arrays: Times
    like: dict[int, int] = field(default_factory=dict[int, int])

    @classmethod
    def of(
        cls, network: RoadNetwork, *, usual: ArrayLike | None = None, slow: ArrayLike | None = None,
        headroom: float = 1.05, zone_seconds: float = 0.0,
    ) -> RoadTimes:  # fmt: skip
        """`usual` [E] names for every edge the row of `slow` [U, BINS] that says by how much it is slower than empty
        (>= 1). No speed counts that is above the free one times `headroom` (>= 1). InvalidError `road_times`."""
        if not (1 <= headroom < math.inf and math.isfinite(zone_seconds)):
            raise InvalidError("not a headroom >= 1 and a zone in seconds", code="road_times")
        best = (network.arrays.edge_length / (free_speeds(network) * headroom)).astype(np.float32)
        rows = np.ascontiguousarray(np.zeros(network.edges) if usual is None else usual, np.int32)
        table = np.ascontiguousarray(np.full((1, BINS), headroom) if slow is None else slow, np.float32)
        if table.ndim != 2 or table.shape[1] != BINS or not np.isfinite(table).all() or table.min() < 1:
            raise InvalidError(f"not factors >= 1 for {BINS} quarters of an hour", code="road_times")
        if rows.shape != best.shape or (len(rows) and not 0 <= rows.min() <= rows.max() < len(table)):
            raise InvalidError("not a row for every edge", code="road_times")
        fall = np.maximum(0, table - np.roll(table, -1, axis=1)).max(axis=1)[rows] * best
        share = np.minimum(1.0, _STEEPEST_USUAL * BIN_SECONDS / np.maximum(fall, 1e-6)).astype(np.float32)
        zeros = np.zeros(network.edges, np.float32)
        arrays = Times(
            best, rows, table, share, zeros, np.full(network.edges, -np.inf), np.zeros(network.edges, np.uint8),
            np.array([float(zone_seconds)]),
        )  # fmt: skip
        return cls(network, arrays)

    def quarter(self, at: float) -> float:
        """Quarters of an hour since Monday, local time, of the day that this one is like. A way over midnight goes on
        as that day would."""
        zone = float(self.arrays.zone[0])
        place = quarter_of_week(at, zone)
        like = self.like.get(int((at + zone) // 86_400)) if self.like else None
        return place if like is None else like * _DAY_BINS + place % _DAY_BINS

    def usual(self, edges: ArrayLike, at: float) -> F64:
        """Seconds on a usual day, [n], entered at `at` (seconds UTC)."""
        edge, t = np.asarray(edges, np.int64), self.arrays
        place = self.quarter(at)
        low, part = int(place) % BINS, place % 1
        slow = t.slow[t.usual[edge], low] * (1 - part) + t.slow[t.usual[edge], (low + 1) % BINS] * part
        return t.best[edge] * (1 + t.share[edge] * (slow - 1.0))

    def measured(self, edges: ArrayLike, metres_per_second: ArrayLike, at: float) -> int:
        """Speeds that were measured at `at` (seconds UTC), [n]: in force at once. Returns how many were taken; speeds
        that are none, edges that are not there, and what is older than what is known are passed over. What is known of
        a time so far ahead that none of it counts now is of a clock that was wrong, and gives way.

        InvalidError `road_times` for a time that is none."""
        if not math.isfinite(at):
            raise InvalidError(f"not a time: {at}", code="road_times")
        edge, speed = np.asarray(edges, np.int64).reshape(-1), np.asarray(metres_per_second, np.float64).reshape(-1)
        good = (edge >= 0) & (edge < self.network.edges) & np.isfinite(speed) & (speed > 0)
        edge, speed, t = edge[good], speed[good], self.arrays
        ahead = t.measured[edge] - at
        fresh = (ahead <= 0) | (ahead >= HORIZON_SECONDS)
        edge, speed = edge[fresh], speed[fresh]
        seconds = np.maximum(self.network.arrays.edge_length[edge] / speed, t.best[edge])
        steepest = _STEEPEST_LIVE * HORIZON_SECONDS
        extra = np.clip(seconds - self.usual(edge, at), -steepest, steepest)
        t.measured[edge] = at
        t.extra[edge] = extra
        return len(edge)

    def forget(self, edges: ArrayLike) -> None:
        """Nothing is measured there any more. InvalidError `no_edge` for edges that are not there."""
        edge = self._there(edges)
        self.arrays.extra[edge], self.arrays.measured[edge] = 0, -np.inf

    def close(self, edges: ArrayLike, closed: bool = True) -> None:
        """Nobody may enter these edges, or they may again: works, an accident, an order. InvalidError `no_edge` for
        edges that are not there: an order that closes nothing, or another road, must be heard of."""
        self.arrays.closed[self._there(edges)] = closed

    def _there(self, edges: ArrayLike) -> I64:
        edge = np.asarray(edges, np.int64).reshape(-1)
        if len(edge) and not 0 <= edge.min() <= edge.max() < self.network.edges:
            raise InvalidError(f"edges that are not in 0..{self.network.edges - 1}", code="no_edge")
        return edge
