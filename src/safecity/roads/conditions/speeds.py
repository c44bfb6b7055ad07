"""Speeds by edge and bucket of minutes, out of what the matcher decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import F64, I32
from safecity.roads.conditions.spread import REFUSED, new_last, new_sums, new_tally, spread_pairs
from safecity.roads.matching.online import Matched
from safecity.roads.network.arrays import RoadNetwork, free_speeds

OPEN_BUCKETS: Final = 4
"""How many can be open at once: what the matcher decides comes half a minute late, what a terminal kept, later."""
LEAST_SHARE: Final = 0.05
"""Of an edge that must have been driven, all vehicles together: a metre on a long road says nothing about it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Edges [n], ascending, in the bucket that begins at `begin_us`.

    speed m/s, the harmonic mean over the metres driven (the speed of the whole stream); count of vehicles that drove
    there, who returns to an edge counted again; variance of the speed, (m/s)^2, 0 for one pair of positions; share of
    the edge that was driven, summed.
    """

    begin_us: int
    edge: I32
    speed: F64
    count: I32
    variance: F64
    share: F64


class SpeedMeter:
    """Feed it what `Matcher` decides, close buckets when the watermark has passed. `minutes` of a bucket: 1 to 5."""

    def __init__(self, network: RoadNetwork, vehicles: int, *, minutes: int = 1) -> None:
        if not 1 <= minutes <= 5:
            raise InvalidError(f"a bucket of {minutes} minutes is not in 1..5", code="bucket_minutes")
        self._lengths = np.maximum(network.arrays.edge_length, np.float32(0.1))
        self._twins = network.arrays.edge_twin
        self._expected = free_speeds(network).astype(np.float64)
        self._bucket_us = minutes * 60_000_000
        self._last, self._tally = new_last(vehicles), new_tally(vehicles)
        self._sums = new_sums(OPEN_BUCKETS, network.edges)
        self._closed_before = -(2**62)

    def feed(self, decided: Matched) -> None:
        """InvalidError `unknown_vehicle` for numbers of vehicles it was not made for, `unknown_edge` for what was
        matched on another network. What falls into a bucket that is closed, or farther ahead than `OPEN_BUCKETS`, is
        counted in `refused`."""
        if len(decided) and not 0 <= decided.vehicle.min() <= decided.vehicle.max() < len(self._last.edge):
            raise InvalidError("vehicles that are not known", code="unknown_vehicle")
        edges = len(self._lengths)
        if (
            decided.edge.max(initial=-1) >= edges
            or not 0 <= decided.path.min(initial=0) <= decided.path.max(initial=0) < edges
        ):
            raise InvalidError("edges of another network", code="unknown_edge")
        spread_pairs(
            self._lengths, self._expected, self._last, self._sums, self._bucket_us, self._closed_before,
            decided.vehicle, decided.us, decided.edge, decided.along, decided.flags, decided.path_start, decided.path,
            self._twins, self._tally,
        )  # fmt: skip

    def close(self, watermark_us: int) -> list[Measured]:
        """Buckets that end at the watermark or before, oldest first; nothing is added to them any more."""
        done, first_open = list[Measured](), watermark_us // self._bucket_us
        s = self._sums
        for slot in sorted(range(len(s.bucket)), key=lambda one: int(s.bucket[one])):
            number = int(s.bucket[slot])
            if number < 0 or number >= first_open:
                continue
            edge = np.flatnonzero(s.share[slot] >= LEAST_SHARE).astype(np.int32)
            share = s.share[slot, edge].astype(np.float64)
            pace = s.pace[slot, edge] / share
            spread = np.maximum(s.square[slot, edge] / share - pace**2, 0.0)
            # The variance of the speed out of that of its inverse, to the first order (delta method).
            done.append(
                Measured(
                    number * self._bucket_us, edge, 1.0 / pace, s.vehicles[slot, edge].copy(), spread / pace**4, share
                )
            )
            for sums in (s.share, s.pace, s.square, s.vehicles):
                sums[slot] = 0
            s.bucket[slot], s.pairs[slot] = -1, 0
        self._closed_before = max(self._closed_before, first_open)
        return done

    @property
    def refused(self) -> dict[str, int]:
        """Pairs that were not counted, by reason."""
        return dict(zip(REFUSED, (int(one) for one in self._sums.refused), strict=True))
