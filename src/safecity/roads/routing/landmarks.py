"""Lower bounds for every pair of nodes out of the ways to and from a few far places (ALT: Goldberg & Harrelson,
"Computing the shortest path: A* search meets graph theory", SODA 2005).

They are computed once on the best times; whatever is measured later is slower or equal, so they stay bounds, and no
measurement, closure or toll makes anything be computed again.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from safecity.roads.compiled import F32, compiled
from safecity.roads.heap import heap_pop, heap_push
from safecity.roads.network.arrays import RoadArrays

FAR: Final = np.float32(1e9)
"""Seconds: there is no way."""
MOST: Final = 32
LEAST: Final = 16
ROOM: Final = 256 << 20
"""Bytes: of a network so large that more landmarks would take more than that there are fewer, down to the least."""


def enough(nodes: int) -> int:
    """How many landmarks for a network of so many nodes. All of them bound each search: 32 look at a sixth fewer places
    than the 8 most promising of 16 did, and cost less than choosing; 48 cost more than they save."""
    return max(LEAST, min(MOST, ROOM // (8 * max(1, nodes))))


@compiled
def all_ways(a: RoadArrays, seconds: F32, start: int, backward: bool) -> F32:
    """Seconds from `start` to every node, or from every node to it, [N]; turns cost nothing here."""
    reached = np.full(len(a.node_key), FAR, np.float32)
    keys, nodes = np.empty(len(seconds) + 1), np.empty(len(seconds) + 1, np.int32)
    reached[start] = 0.0
    size = heap_push(keys, nodes, 0, 0.0, start)
    while size > 0:
        key, node = keys[0], nodes[0]
        size = heap_pop(keys, nodes, size)
        if key > reached[node]:
            continue
        first = a.in_start[node] if backward else a.out_start[node]
        last = a.in_start[node + 1] if backward else a.out_start[node + 1]
        for k in range(first, last):
            edge = a.in_edge[k] if backward else k
            other = a.edge_from[edge] if backward else a.edge_to[edge]
            further = np.float32(reached[node] + seconds[edge])
            if further < reached[other]:
                reached[other] = further
                size = heap_push(keys, nodes, size, further, other)
    return reached


def landmark_table(a: RoadArrays, seconds: F32, count: int) -> F32:
    """[N, count, 2]: seconds from each landmark to a node, and from the node to the landmark. Landmarks are the places
    farthest from those chosen before, within the main part of the network."""
    main = np.zeros(len(a.node_key), bool)
    inside = (a.edge_flags & 64) == 0
    main[a.edge_from[inside]] = main[a.edge_to[inside]] = True
    table = np.empty((len(a.node_key), count, 2), np.float32)
    start = int(np.flatnonzero(main)[0]) if main.any() else 0
    nearest = np.where(main, all_ways(a, seconds, start, False), -1)
    for number in range(count):
        place = int(np.argmax(np.where(nearest < FAR, nearest, -1)))
        table[:, number, 0] = all_ways(a, seconds, place, False)
        table[:, number, 1] = all_ways(a, seconds, place, True)
        around = table[:, number, 0] if number else np.where(main, table[:, 0, 0], -1)
        nearest = np.minimum(nearest, around) if number else around
        nearest = np.where(main, nearest, -1)
    return table
