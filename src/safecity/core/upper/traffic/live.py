"""Speeds of now, out of the sums of the last minutes: what is shown, and what the router counts with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from safecity.core.upper.traffic.counted import Observed, rows_of
from safecity.core.upper.traffic.sums import Sum
from safecity.kit.clock import SECOND_US
from safecity.roads.compiled import F64, I64, U8
from safecity.roads.conditions.blend import blended
from safecity.roads.conditions.levels import congested, levels_of_service
from safecity.roads.network.arrays import RoadNetwork, free_speeds
from safecity.roads.routing.times import RoadTimes

WINDOW_US: Final = 15 * 60 * SECOND_US
"""What is older is not now."""
MIX_SECONDS: Final = 150.0
"""Of two measurements the one that is so much older counts e times less."""
LEAST_JAM: Final = 2
"""Vehicles that make a jam: one that stands is a vehicle that stands."""


@dataclass(frozen=True, slots=True)
class Now:
    """All edges [E] at one moment: speed m/s (NaN: not measured), level (255: not known), vehicles (at least so many
    different ones), `last` measured (microseconds UTC, 0: never), jammed."""

    at: int
    speed: F64
    level: U8
    vehicles: I64
    last: I64
    jammed: np.ndarray


class Passed(NamedTuple):
    """At least so many different vehicles, at what speed, m/s (NaN: nobody)."""

    vehicles: int
    speed: float


class Live:
    """Not for several threads at once. `refresh` writes what it finds into the router's times."""

    def __init__(self, times: RoadTimes, *, bucket_us: int = 60 * SECOND_US) -> None:
        self._times = times
        self._bucket_us = bucket_us
        self.free = free_speeds(times.network).astype(np.float64)
        self._sums: dict[int, dict[int, Sum]] = {}
        self._arrays: dict[int, np.ndarray] = {}
        self._observed: Sequence[Observed] = ()
        self.now = _nothing(times.network, 0)

    def learn(self, times: RoadTimes) -> None:
        """These are the router's times from now on."""
        self._times = times

    def begin(self, jammed: Iterable[int]) -> None:
        """These edges were jammed when last looked at."""
        self.now.jammed[list(jammed)] = True

    def take(self, sums: Iterable[Sum]) -> None:
        """Sums as they are now, in place of those of the same edge and bucket."""
        for one in sums:
            self._sums.setdefault(one.bucket, {})[one.edge] = one
            self._arrays.pop(one.bucket, None)

    def observe(self, observed: Sequence[Observed]) -> None:
        """Speeds that were measured beside roads, in place of those that were known."""
        self._observed = observed

    def refresh(self, at: int) -> Now:
        """What the last minutes say at that moment; in force for the next search."""
        for bucket in [one for one in self._sums if one < at - WINDOW_US]:
            del self._sums[bucket]
            self._arrays.pop(bucket, None)
        before, rows = self.now, self._rows()
        edges = self._times.network.edges
        now = _nothing(self._times.network, at)
        if len(rows):
            edge = rows[:, 1]
            ended = np.minimum(rows[:, 0] + self._bucket_us, at)
            np.maximum.at(now.last, edge, ended)
            # Relative to the newest of each edge: age makes a measurement count less, not slower.
            weight = np.exp(-(now.last[edge] - ended) / SECOND_US / MIX_SECONDS)
            metres = np.bincount(edge, rows[:, 2] * weight, edges)
            micros = np.bincount(edge, rows[:, 3] * weight, edges)
            entered: F64 = np.bincount(edge, np.maximum(rows[:, 5], _count_bits(rows[:, 6])) * weight, edges).astype(
                np.float64
            )
            masks = np.zeros(edges, np.int64)
            np.bitwise_or.at(masks, edge, rows[:, 6])
            now.vehicles[:] = _count_bits(masks)
            for one in self._observed:  # whoever is counted in one time is nobody who was counted in it before
                now.vehicles[one.edge] = max(int(now.vehicles[one.edge]), one.vehicles)
            known = micros > 0
            now.speed[known] = metres[known] * 1000.0 / micros[known]
            now.level[:] = levels_of_service(now.speed, self.free)
            jammed = congested(before.jammed, now.speed, self.free) & known
            now.jammed[:] = jammed & ((now.vehicles >= LEAST_JAM) | before.jammed)
            self._tell(now, np.flatnonzero(known), entered)
        gone = np.flatnonzero(np.isfinite(before.speed) & ~np.isfinite(now.speed))
        self._times.forget(gone)
        self.now = now
        return now

    def between(self, edges: Iterable[int], since: int, until: int) -> Passed:
        """What was followed on these edges, taken together, in whole buckets from `since` to `until`, as far as the
        window reaches back."""
        metres = micros = mask = 0
        wanted = set(edges)
        for bucket, sums in self._sums.items():
            if since <= bucket and bucket + self._bucket_us <= until:
                for edge in wanted & sums.keys():
                    metres += sums[edge].millimetres
                    micros += sums[edge].microseconds
                    mask |= sums[edge].mask
        return Passed(mask.bit_count(), metres * 1000.0 / micros if micros else math.nan)

    def _tell(self, now: Now, known: np.ndarray, entered: F64) -> None:
        """The router gets what is measured and what is usual, together."""
        at = now.at / SECOND_US
        lengths = np.maximum(self._times.network.arrays.edge_length[known], 0.1)
        usual = lengths / np.maximum(self._times.usual(known, at), 1e-3)
        age = (now.at - now.last[known]) / SECOND_US
        self._times.measured(known, blended(now.speed[known], entered[known], age, usual), at)

    def _rows(self) -> np.ndarray:
        for bucket, found in self._sums.items():
            if bucket not in self._arrays:
                self._arrays[bucket] = np.array([tuple(one) for one in found.values()], np.int64)
        lengths = self._times.network.arrays.edge_length
        return np.concatenate((*self._arrays.values(), rows_of(self._observed, lengths, self._bucket_us)))


def _count_bits(masks: I64) -> I64:
    return np.unpackbits(np.ascontiguousarray(masks).view(np.uint8)).reshape(-1, 64).sum(axis=1, dtype=np.int64)


def _nothing(network: RoadNetwork, at: int) -> Now:
    edges = network.edges
    return Now(
        at, np.full(edges, np.nan), np.full(edges, 255, np.uint8), np.zeros(edges, np.int64),
        np.zeros(edges, np.int64), np.zeros(edges, bool),
    )  # fmt: skip
