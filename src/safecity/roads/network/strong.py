"""Strongly connected parts of a graph: within one, every node is reached from every other."""

from __future__ import annotations

import numpy as np

from safecity.roads.compiled import I32, compiled


@compiled
def strong_parts(out_start: I32, edge_to: I32) -> I32:
    """The number of its part for every node, [N] (Tarjan 1972, with a stack of its own instead of recursion)."""
    count = len(out_start) - 1
    part = np.full(count, -1, np.int32)
    index = np.full(count, -1, np.int32)
    low = np.zeros(count, np.int32)
    following = np.zeros(count, np.int32)
    path = np.empty(count, np.int32)
    waiting = np.empty(count, np.int32)
    met = parts = on_path = on_wait = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        index[root] = low[root] = met
        met += 1
        following[root] = out_start[root]
        path[0], on_path = root, 1
        waiting[on_wait] = root
        on_wait += 1
        while on_path > 0:
            node = path[on_path - 1]
            if following[node] < out_start[node + 1]:
                other = edge_to[following[node]]
                following[node] += 1
                if index[other] < 0:
                    index[other] = low[other] = met
                    met += 1
                    following[other] = out_start[other]
                    path[on_path] = other
                    on_path += 1
                    waiting[on_wait] = other
                    on_wait += 1
                elif part[other] < 0:
                    low[node] = min(low[node], index[other])
                continue
            on_path -= 1
            if on_path > 0:
                above = path[on_path - 1]
                low[above] = min(low[above], low[node])
            if low[node] == index[node]:
                while True:
                    on_wait -= 1
                    member = waiting[on_wait]
                    part[member] = parts
                    if member == node:
                        break
                parts += 1
    return part
