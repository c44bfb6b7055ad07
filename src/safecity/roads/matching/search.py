"""One search from all states of a position to all states of the next.

The transition of Newson & Krumm costs (way - straight line) / beta, which is linear in the way: the best predecessor of
every state is found by a single shortest-way search that begins at all predecessors, each with the cost it already has
(as metres, times beta). The straight distance to the next position guides it (A*: Hart, Nilsson & Raphael 1968).
Labels stand at nodes; turning round or where it is forbidden costs metres instead of being impossible, for maps err.
"""

from __future__ import annotations

import math
from typing import Any

from safecity.roads.compiled import F32, F64, I32, compiled, inlined
from safecity.roads.heap import heap_pop, heap_push
from safecity.roads.matching.settings import Rules
from safecity.roads.matching.state import ENTRIES, Search
from safecity.roads.network.arrays import METRES_PER_DEGREE, RoadArrays
from safecity.roads.network.turns import is_banned

_BANS = 128
_UNSURE = 0.99
"""Of the straight distance, as the bound below which no way can be: the plane is local."""


@inlined
def turn_metres(a: RoadArrays, rules: Rules, edge: Any, following: Any) -> float:
    """What the turn counts as."""
    if a.edge_twin[edge] == following:
        return rules.u_turn
    if a.edge_flags[edge] & _BANS and is_banned(a.ban, edge, following):
        return rules.banned_turn
    return 0.0


@compiled
def search_ways(
    a: RoadArrays, w: Search, rules: Rules, sources: I32, source_cost: F64, source_along: F32, targets: I32,
    target_along: F32, target_extra: F64, lon: float, lat: float, reach: float, bound: float, slack: float,
) -> int:  # fmt: skip
    """Fill `w.best` (cost as metres, with the way along the target's edge) and `w.best_entry` (-1 none) of each target.

    `sources` edges with what they cost so far (metres, inf: none) and where on them; `targets` edges with places on
    them and what they cost apart from the way (metres). Labels beyond `bound` are not followed, nor those that can no
    longer come within `slack` of the best target. `reach` is how far targets lie from (lon, lat) at most.
    Returns the number of labels.
    """
    w.run[0] += 1
    run = w.run[0]
    metres_lat = METRES_PER_DEGREE
    metres_lon = METRES_PER_DEGREE * math.cos(math.radians(lat))
    count = size = 0
    missing = 0
    for j in range(len(targets)):
        w.best[j], w.best_entry[j] = math.inf, -1
        missing += targets[j] >= 0
    for i in range(len(sources)):
        edge = sources[i]
        if edge < 0 or source_cost[i] == math.inf:
            continue
        rest = a.edge_length[edge] - source_along[i]
        label = source_cost[i] + rest
        node = a.edge_to[edge]
        if w.stamp[node] == run and w.label[w.at[node]] <= label:
            continue
        w.stamp[node], w.at[node] = run, count
        w.node[count], w.edge[count], w.up[count], w.source[count] = node, edge, -1, i
        w.label[count], w.way[count], w.placed[count] = label, rest, -1
        dx, dy = (a.node_lon[node] - lon) * metres_lon, (a.node_lat[node] - lat) * metres_lat
        guess = max(0.0, math.sqrt(dx * dx + dy * dy) * _UNSURE - reach)
        size = heap_push(w.heap_key, w.heap_entry, size, label + guess, count)
        count += 1
    found = math.inf
    while size > 0 and missing > 0:
        key, entry = w.heap_key[0], w.heap_entry[0]
        if key > bound or key > found + slack:
            break
        size = heap_pop(w.heap_key, w.heap_entry, size)
        node = w.node[entry]
        if w.at[node] != entry:
            continue
        label, edge = w.label[entry], w.edge[entry]
        for j in range(len(targets)):
            target = targets[j]
            if target >= 0 and a.edge_from[target] == node and w.best_entry[j] < 0:
                w.best[j] = label + target_along[j] + turn_metres(a, rules, edge, target)
                w.best_entry[j] = entry
                found = min(found, w.best[j] + target_extra[j])
                missing -= 1
        for following in range(a.out_start[node], a.out_start[node + 1]):
            further = label + a.edge_length[following] + turn_metres(a, rules, edge, following)
            if further > bound:
                continue
            other = a.edge_to[following]
            if w.stamp[other] == run and w.label[w.at[other]] <= further:
                continue
            dx, dy = (a.node_lon[other] - lon) * metres_lon, (a.node_lat[other] - lat) * metres_lat
            guess = further + max(0.0, math.sqrt(dx * dx + dy * dy) * _UNSURE - reach)
            if guess > bound or guess > found + slack:
                continue
            if count >= ENTRIES:
                return count
            w.stamp[other], w.at[other] = run, count
            w.node[count], w.edge[count], w.up[count], w.source[count] = other, following, entry, w.source[entry]
            w.label[count], w.way[count], w.placed[count] = further, w.way[entry] + a.edge_length[following], -1
            size = heap_push(w.heap_key, w.heap_entry, size, guess, count)
            count += 1
    return count
