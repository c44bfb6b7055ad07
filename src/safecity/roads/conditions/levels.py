"""How good a speed is: level of service, and jams that begin and end. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from safecity.roads.compiled import F64, I32, U8, compiled
from safecity.roads.network.arrays import RoadArrays

LEVELS: Final = "ABCDEF"
_LEAST_SHARE: Final = np.array([0.85, 0.67, 0.50, 0.40, 0.30])
BEGINS_SHARE: Final = 0.40
ENDS_SHARE: Final = 0.50
"""A jam begins below the one and ends above the other, so that it does not flicker between them."""


def levels_of_service(speed: F64, free_speed: F64) -> U8:
    """Index into `LEVELS`, [n]: the travel speed as a share of the free one, after the Highway Capacity Manual 2010,
    exhibit 17-2 (above 85, 67, 50, 40, 30 % are A to E). 255 where one of them is no number."""
    known = np.isfinite(speed) & np.isfinite(free_speed) & (free_speed > 0)
    share = np.where(known, speed, 1.0) / np.where(known, free_speed, 1.0)
    level = (share[:, None] <= _LEAST_SHARE).sum(axis=1).astype(np.uint8)
    return np.where(known, level, 255).astype(np.uint8)


def congested(before: np.ndarray, speed: F64, free_speed: F64) -> np.ndarray:
    """Whether each edge is congested now, [n] bool, given whether it was; where no speed is known it stays."""
    share = np.where(np.isfinite(speed), speed / np.maximum(free_speed, 0.1), np.nan)
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(share), before, np.where(before, share < ENDS_SHARE, share < BEGINS_SHARE))


@compiled
def jams(a: RoadArrays, edges: I32) -> I32:
    """The jam of each congested edge, [n], numbered from 0: edges that follow one another are of one. `edges` [n] are
    in ascending order."""
    number = np.arange(len(edges)).astype(np.int32)
    for n in range(len(edges)):
        node = a.edge_to[edges[n]]
        first = np.searchsorted(edges, a.out_start[node])
        while first < len(edges) and edges[first] < a.out_start[node + 1]:
            if edges[first] != a.edge_twin[edges[n]]:
                one, other = n, first
                while number[one] != one:
                    one = number[one]
                while number[other] != other:
                    other = number[other]
                number[max(one, other)] = min(one, other)
            first += 1
    found = 0
    names = np.full(len(edges), -1, np.int32)
    for n in range(len(edges)):
        root = n
        while number[root] != root:
            root = number[root]
        if names[root] < 0:
            names[root] = found
            found += 1
        number[n] = root
    for n in range(len(edges)):
        number[n] = names[number[n]]
    return number
