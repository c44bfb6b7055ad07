"""The search: time-dependent A* over edges, with live times, forbidden turns, tolls and landmark bounds.

Labels stand at the ends of edges, so that turns are told apart. Nobody turns round but where the route begins, to the
edge where it ends, and where there is no other way. A node without forbidden turns is opened by the first edge that
arrives; the second one adds only the way back along the first, and later ones nothing.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from safecity.roads.compiled import F32, F64, I32, I64, U8, compiled
from safecity.roads.heap import heap_pop, heap_push
from safecity.roads.network.arrays import RoadArrays
from safecity.roads.network.turns import is_banned
from safecity.roads.routing.times import BIN_SECONDS, BINS, Times, edge_seconds

_LAST_RUN: Final = 2**31 - 1
OWN_ROW: Final = -2


class Costs(NamedTuple):
    """What counts beside time, in seconds that it is worth, never negative.

    penalty [E] a factor >= 1 on the time, or [0]; row [E] of `charge` or -1, or [0]; charge [C, B]: what entering costs
    by the part of the local day; u_turn [1]: seconds that turning round takes.
    """

    penalty: F32
    row: I32
    charge: F32
    u_turn: F64


class Ends(NamedTuple):
    """Charges of the edges that are driven in part: begun [S] of each source, from the place on it to its end; within
    [S, G] of a way that ends on the edge where it begins, or [0, 0]; goal_row [G] of `charge` for a goal's own part,
    OWN_ROW: that of its edge."""

    begun: F64
    within: F64
    goal_row: I32


class Work(NamedTuple):
    """Reused from search to search.

    edge_stamp, edge_cost [E]; node_stamp, node_first, node_second [N]; edge, up, cost, time [M] labels; key, entry: the
    heap; goal_stamp, goal_first [E]: the first goal on an edge; run [1].
    seen [N, 4], side by side for a node: the search that met it, the two least costs of labels that wait there, its
    bound (-1 not known).
    """

    edge_stamp: I32
    edge_cost: F64
    node_stamp: I32
    node_first: I32
    node_second: I32
    edge: I32
    up: I32
    cost: F64
    time: F64
    key: F64
    entry: I32
    seen: F64
    goal_stamp: I32
    goal_first: I32
    run: I32


def new_work(nodes: int, edges: int, labels: int = 0) -> Work:
    """For a network of so many nodes and edges; an edge is pushed rarely more than once, else `labels` make room."""
    labels = max(labels, 2 * edges + 16)
    return Work(
        edge_stamp=np.zeros(edges, np.int32),
        edge_cost=np.zeros(edges),
        node_stamp=np.zeros(nodes, np.int32),
        node_first=np.zeros(nodes, np.int32),
        node_second=np.zeros(nodes, np.int32),
        edge=np.zeros(labels, np.int32),
        up=np.zeros(labels, np.int32),
        cost=np.zeros(labels),
        time=np.zeros(labels),
        key=np.zeros(labels + 1),
        entry=np.zeros(labels + 1, np.int32),
        seen=np.zeros((nodes, 4)),
        goal_stamp=np.zeros(edges, np.int32),
        goal_first=np.zeros(edges, np.int32),
        run=np.zeros(1, np.int32),
    )


@compiled
def _bound(table: F32, end_table: F32, node: Any) -> float:
    """Seconds that are left from a node to the nearest of the ends at least. `FAR` needs no care: from where a landmark
    cannot be reached that an end reaches, no end is reached either."""
    least = 1e30
    for k in range(len(end_table)):
        most = np.float32(0.0)
        for n in range(end_table.shape[1]):
            most = max(most, end_table[k, n, 0] - table[node, n, 0], table[node, n, 1] - end_table[k, n, 1])
        least = min(least, float(most))
    return least


@compiled
def _goes_on(out_start: I32, edge_to: I32, edge_twin: I32, closed: U8, ban: I64, bans: Any, edge: Any) -> bool:
    """Whether at the end of an edge there is another way than back."""
    node = edge_to[edge]
    for following in range(out_start[node], out_start[node + 1]):
        if following != edge_twin[edge] and not closed[following] and not (bans and is_banned(ban, edge, following)):
            return True
    return False


@compiled
def search_routes(
    a: RoadArrays, times: Times, costs: Costs, ends: Ends, node_bans: U8, table: F32, w: Work,
    sources: I32, source_share: F64, goals: I32, goal_share: F64, goal_cost: F64, goal_time: F64, goal_entry: I32,
    start: float, quarter: float, limit: float, every: bool,
) -> int:  # fmt: skip
    """Cheapest ways from places on edges to places on edges.

    `sources` with the share of them that is still to be driven, `goals` with the share that has to be driven; the
    search ends at the cheapest goal, or (`every`) when all are reached or nothing below `limit` is left. Fills
    `goal_cost`, `goal_time` (seconds UTC at arrival) and `goal_entry` (label of the edge before the goal's; -1: within
    the source's own edge; -2: not reached). `table` of landmarks; empty: no bounds. `start` seconds UTC, `quarter` the
    same as `quarter_of_week`. Returns the number of labels; as many as there is room for: too little room,
    and no answer.
    """
    # Every array by a name of its own: taken out of its group within the loop, each would be counted there.
    out_start, edge_to, edge_twin, ban = a.out_start, a.edge_to, a.edge_twin, a.ban
    best, usual, slow, share, extra = times.best, times.usual, times.slow, times.share, times.extra
    measured, closed = times.measured, times.closed
    weighed, charged = len(costs.penalty) > 0, len(costs.row) > 0
    begun_cost, within_cost, goal_row = ends.begun, ends.within, ends.goal_row
    penalties, charge_row, charge, u_turn = costs.penalty, costs.row, costs.charge, costs.u_turn[0]
    edge_stamp, edge_cost, node_stamp, node_first = w.edge_stamp, w.edge_cost, w.node_stamp, w.node_first
    node_second, label_edge, label_up, label_cost, label_time = w.node_second, w.edge, w.up, w.cost, w.time
    heap_key, heap_entry, seen = w.key, w.entry, w.seen
    goal_stamp, goal_first = w.goal_stamp, w.goal_first
    if not 0 <= w.run[0] < _LAST_RUN:  # the numbers begin anew: none of them may be found on an edge or a node
        w.edge_stamp[:], w.node_stamp[:], w.goal_stamp[:] = 0, 0, 0
        w.seen[:, 0], w.run[0] = 0.0, 0
    w.run[0] += 1
    run, count, size, room = w.run[0], 0, 0, len(w.edge)
    next_goal = np.empty(len(goals), np.int32)
    guided = len(table) > 0
    end_table = np.empty((len(goals) if guided else 0, table.shape[1], 2), np.float32)
    for k in range(len(goals)):
        goal_cost[k], goal_time[k], goal_entry[k] = math.inf, math.inf, -2
        edge = goals[k]
        next_goal[k] = goal_first[edge] if goal_stamp[edge] == run else -1
        goal_stamp[edge], goal_first[edge] = run, k
        if guided:
            end_table[k] = table[a.edge_from[edge]]
    enough = math.inf  # nothing dearer is of interest
    for i in range(len(sources)):
        edge = sources[i]
        if closed[edge]:
            continue
        whole = edge_seconds(best, usual, slow, share, extra, measured, edge, start, quarter)
        for k in range(len(goals)):
            driven = goal_share[k] - (1.0 - source_share[i])
            cost = driven * whole * (penalties[edge] if weighed else 1.0)
            if len(within_cost) > 0:
                cost += within_cost[i, k]
            if goals[k] == edge and driven >= 0 and cost < goal_cost[k]:
                goal_cost[k], goal_time[k], goal_entry[k] = cost, start + driven * whole, -1
                enough = np.max(goal_cost) if every else np.min(goal_cost)
        seconds = source_share[i] * whole
        cost = (seconds * penalties[edge] if weighed else seconds) + begun_cost[i]
        if edge_stamp[edge] == run and edge_cost[edge] <= cost:
            continue
        if count >= room:
            return room
        label_edge[count], label_up[count], label_cost[count], label_time[count] = edge, -1, cost, start + seconds
        edge_stamp[edge], edge_cost[edge] = run, cost
        guess = _bound(table, end_table, edge_to[edge]) if guided else 0.0
        size = heap_push(heap_key, heap_entry, size, cost + guess, count)
        count += 1
    while size > 0:
        key, label = heap_key[0], heap_entry[0]
        if key > limit or key >= enough:
            break
        size = heap_pop(heap_key, heap_entry, size)
        edge = label_edge[label]
        if label_cost[label] > edge_cost[edge]:
            continue
        node = edge_to[edge]
        only = -1  # when the node was opened before: the one edge that this arrival can reach and that one not
        bans = node_bans[node]
        if not bans:
            if node_stamp[node] != run:
                node_stamp[node], node_first[node], node_second[node] = run, edge, -1
            elif node_second[node] >= 0 or node_first[node] == edge:
                continue
            else:
                node_second[node] = edge
                only = edge_twin[node_first[node]]
                if only < 0:
                    continue
        twin = edge_twin[edge]
        here, now = label_cost[label], label_time[label]
        for following in range(out_start[node], out_start[node + 1]):
            if (only >= 0 and following != only) or closed[following] or (bans and is_banned(ban, edge, following)):
                continue
            other = edge_to[following]
            waits = not node_bans[other]
            if seen[other, 0] != run:
                seen[other, 0], seen[other, 1], seen[other, 2], seen[other, 3] = run, math.inf, math.inf, -1.0
            # Two other edges arrive there for less than this one can; only a goal on it would count.
            elif waits and seen[other, 2] <= here + best[following] and goal_stamp[following] != run:
                continue
            cost, at = here, now
            if following == twin:
                if (
                    label_up[label] >= 0
                    and goal_stamp[twin] != run
                    and _goes_on(out_start, edge_to, edge_twin, closed, ban, bans, edge)
                ):
                    continue
                cost += u_turn
                at += u_turn
            later = (at - start) / BIN_SECONDS
            row, part, toll = -1, 0, 0.0
            if charged and charge_row[following] >= 0:
                row = charge_row[following]
                part = min(int(((quarter + later) / (BINS // 7)) % 1.0 * charge.shape[1]), charge.shape[1] - 1)
                toll = charge[row, part]
            seconds = edge_seconds(best, usual, slow, share, extra, measured, following, at, quarter + later)
            penalty = penalties[following] if weighed else 1.0
            if goal_stamp[following] == run:
                k = goal_first[following]
                while k >= 0:
                    own = charge[goal_row[k], part] if row >= 0 and goal_row[k] >= 0 else toll
                    total = cost + own + goal_share[k] * seconds * penalty
                    if total < goal_cost[k]:
                        goal_cost[k], goal_time[k], goal_entry[k] = total, at + goal_share[k] * seconds, label
                        enough = np.max(goal_cost) if every else np.min(goal_cost)
                    k = next_goal[k]
            cost += seconds * penalty + toll
            if edge_stamp[following] == run and edge_cost[following] <= cost:
                continue
            if waits and seen[other, 2] <= cost:
                continue
            guess = cost
            if guided:
                if seen[other, 3] < 0:
                    seen[other, 3] = _bound(table, end_table, other)
                guess += seen[other, 3]
            if guess > limit or guess >= enough:
                continue
            if count >= room:
                return room
            if waits:
                if edge_stamp[following] == run:  # this edge for less than before: it may be one of the two
                    seen[other, 1] = min(seen[other, 1], cost)
                elif cost < seen[other, 1]:
                    seen[other, 1], seen[other, 2] = cost, seen[other, 1]
                else:
                    seen[other, 2] = cost
            edge_stamp[following], edge_cost[following] = run, cost
            label_edge[count], label_up[count], label_cost[count], label_time[count] = (
                following,
                label,
                cost,
                at + seconds,
            )
            size = heap_push(heap_key, heap_entry, size, guess, count)
            count += 1
    return count
