"""One position of one vehicle: states, their best predecessors, and what can be decided behind it."""

from __future__ import annotations

import math

from safecity.roads.compiled import F64, I32, I64, U8, compiled, inlined
from safecity.roads.matching.search import search_ways
from safecity.roads.matching.settings import STATES, TREE, Rules
from safecity.roads.matching.state import Output, Search, Vehicles
from safecity.roads.network.arrays import METRES_PER_DEGREE, RoadArrays
from safecity.roads.network.grid import nearest_shapes

_SAME_EDGE, _NO_WAY, _DIRECT, _NO_ROOM = -1, -2, -3, -4
_START, _BROKEN, _OFF_ROAD = 1, 2, 4
_TAKEN, _NEAR, _NO_FIX, _TIME_BACKWARDS, _JUMP, _UNKNOWN_VEHICLE = 0, 1, 2, 3, 4, 5


@compiled
def run_batch(
    a: RoadArrays, w: Search, v: Vehicles, rules: Rules, out: Output, vehicle: I32, us: I64, lon: F64, lat: F64,
    verdict: U8, begin: int,
) -> int:  # fmt: skip
    """Take positions from `begin` on, in the order of the arrays; returns how many were looked at before `out` could
    have become too small."""
    ring = v.us.shape[1]
    for n in range(begin, len(vehicle)):
        if out.size[0] + ring > len(out.vehicle) or out.size[1] + ring * (TREE + 1) > len(out.path):
            return n
        one = vehicle[n]
        if not 0 <= one < len(v.newest):
            verdict[n] = _UNKNOWN_VEHICLE
            continue
        verdict[n] = _take(a, w, v, rules, out, one, us[n], lon[n], lat[n])
    return len(vehicle)


@compiled
def run_flush(v: Vehicles, out: Output, vehicle: I32, begin: int) -> int:
    """Decide all that waits of these vehicles; what comes next begins a new trip. Returns as `run_batch`."""
    ring = v.us.shape[1]
    for n in range(begin, len(vehicle)):
        if out.size[0] + ring > len(out.vehicle) or out.size[1] + ring * (TREE + 1) > len(out.path):
            return n
        if 0 <= vehicle[n] < len(v.newest):
            _end(v, out, vehicle[n])
    return len(vehicle)


@inlined
def _take(
    a: RoadArrays, w: Search, v: Vehicles, rules: Rules, out: Output, one: int, us: int, lon: float, lat: float
) -> int:
    if not (-180.0 <= lon <= 180.0 and abs(lat) <= 85.0) or lat == 0.0:  # a NaN is nowhere
        return _NO_FIX
    straight = 0.0
    if v.waiting[one] > 0 and us <= v.heard[one]:
        # Sent twice, or late. Far behind: the clock had run ahead and is right again, which a few in a row tell.
        if v.heard[one] - us <= rules.gap_us:
            return _TIME_BACKWARDS
        v.outliers[one] += 1
        if v.outliers[one] < rules.outliers:
            return _TIME_BACKWARDS
        _end(v, out, one)
    if v.waiting[one] > 0:
        last = v.newest[one]
        silent = us - v.us[one, last]
        dx = (lon - v.lon[one, last]) * METRES_PER_DEGREE * math.cos(math.radians(lat))
        dy = (lat - v.lat[one, last]) * METRES_PER_DEGREE
        straight = math.sqrt(dx * dx + dy * dy)
        if straight < rules.spacing and silent < rules.gap_us:
            v.outliers[one], v.heard[one] = 0, us
            if silent >= rules.stand_us:
                while v.waiting[one] > 1:
                    _decide(v, out, one)
            return _NEAR
        if straight > rules.fastest * silent * 1e-6:
            v.outliers[one] += 1
            if v.outliers[one] < rules.outliers:
                return _JUMP
            _end(v, out, one)
        elif silent >= rules.gap_us:
            _end(v, out, one)
    v.outliers[one], v.heard[one] = 0, us
    slot = (v.newest[one] + 1) % v.us.shape[1]
    v.us[one, slot], v.lon[one, slot], v.lat[one, slot] = us, lon, lat
    count = _states(a, w, v, rules, one, slot, lon, lat)
    if v.waiting[one] > 0:
        _join(a, w, v, rules, one, slot, count, straight)
    v.newest[one] = slot
    v.waiting[one] += 1
    _decide_late(v, rules, out, one)
    return _TAKEN


@inlined
def _states(a: RoadArrays, w: Search, v: Vehicles, rules: Rules, one: int, slot: int, lon: float, lat: float) -> int:
    """The states of a position with what they cost by themselves; returns how many."""
    v.edge[one, slot, 0], v.cost[one, slot, 0] = -1, rules.off_road
    v.along[one, slot, 0] = 0.0
    count = 1
    found = nearest_shapes(a, lon, lat, rules.radius, w.shapes, w.gaps, w.alongs)
    for n in range(found):
        sigmas = w.gaps[n] / rules.sigma
        cost = 0.5 * sigmas * sigmas
        if sigmas > rules.tail:
            cost = rules.tail * (sigmas - 0.5 * rules.tail)
        for side in range(2):
            edge = a.shape_edge[2 * w.shapes[n] + side]
            if edge < 0 or count >= STATES:
                continue
            v.edge[one, slot, count], v.cost[one, slot, count] = edge, cost
            v.along[one, slot, count] = a.edge_length[edge] - w.alongs[n] if side else w.alongs[n]
            count += 1
    for n in range(count):
        v.parent[one, slot, n], v.link[one, slot, n] = -1, _SAME_EDGE
    v.states[one, slot] = count
    return count


@inlined
def _join(
    a: RoadArrays, w: Search, v: Vehicles, rules: Rules, one: int, slot: int, count: int, straight: float
) -> None:  # fmt: skip
    """The best predecessor of every state of `slot` among those of the position before."""
    before = v.newest[one]
    known = v.states[one, before]
    sources, costs, places = v.edge[one, before, :known], v.cost[one, before, :known], v.along[one, before, :known]
    targets, alongs = v.edge[one, slot, :count], v.along[one, slot, :count]
    beta = rules.beta + rules.beta_per_metre * straight
    best_before = 0
    for i in range(known):
        if costs[i] < costs[best_before]:
            best_before = i
    least = costs[best_before]
    limit = least + rules.hopeless
    for i in range(known):
        w.begun[i] = (costs[i] - least) * beta if costs[i] <= limit else math.inf
    for j in range(count):
        w.own[j] = v.cost[one, slot, j] * beta
    bound = min(straight * 2.0 + rules.detour, straight + rules.broken * beta)
    w.run[1] = 0
    search_ways(
        a, w, rules, sources, w.begun, places, targets, alongs, w.own, v.lon[one, slot], v.lat[one, slot],
        rules.radius, bound, rules.hopeless * beta,
    )  # fmt: skip
    off_road = costs[0] if costs[0] <= limit else math.inf
    lowest = math.inf
    for j in range(count):
        total, parent, link = least + rules.broken, best_before, _NO_WAY
        if j == 0:
            total, parent = least + rules.off_road_change, best_before
            if off_road <= total:
                total, parent = off_road, 0
        else:
            if off_road + rules.off_road_change < total:
                total, parent, link = off_road + rules.off_road_change, 0, _SAME_EDGE
            for i in range(1, known):
                if sources[i] == targets[j] and costs[i] <= limit:
                    moved = alongs[j] - places[i]  # a little back is noise
                    cost = costs[i] + (abs(moved - straight) if moved >= 0 else straight - moved) / beta
                    if cost < total:
                        total, parent, link = cost, i, _SAME_EDGE
            entry = w.best_entry[j]
            if entry >= 0:
                short = max(0.0, straight - (w.way[entry] + alongs[j]))
                cost = least + (w.best[j] - straight + 2.0 * short) / beta
                if cost < total:
                    placed = _keep(w, v, one, slot, entry)
                    if placed != _NO_ROOM:
                        total, parent, link = cost, w.source[entry], placed
        v.parent[one, slot, j], v.link[one, slot, j] = parent, link
        v.cost[one, slot, j] += total
        lowest = min(lowest, v.cost[one, slot, j])
    for j in range(count):
        v.cost[one, slot, j] -= lowest


@inlined
def _keep(w: Search, v: Vehicles, one: int, slot: int, entry: int) -> int:
    """Write the way that ends with a label into the tree of the position; where it begins there is nothing to write."""
    if w.up[entry] < 0:
        return _DIRECT
    new, at = 0, entry
    while w.up[at] >= 0 and w.placed[at] < 0:
        new += 1
        at = w.up[at]
    if w.run[1] + new > TREE:
        return _NO_ROOM
    at, place = entry, w.run[1]
    while w.up[at] >= 0 and w.placed[at] < 0:
        above = w.up[at]
        w.placed[at] = place
        v.tree_edge[one, slot, place] = w.edge[at]
        fresh = w.up[above] >= 0 and w.placed[above] < 0
        v.tree_up[one, slot, place] = place + 1 if fresh else w.placed[above]
        place += 1
        at = above
    w.run[1] = place
    return w.placed[entry]


@inlined
def _decide_late(v: Vehicles, rules: Rules, out: Output, one: int) -> None:
    """Decide what lies far enough behind."""
    ring = v.us.shape[1]
    while v.waiting[one] > 1:
        newest, waiting = v.newest[one], v.waiting[one]
        oldest = (newest - waiting + 1) % ring
        ripe = waiting > rules.lag_points and v.us[one, newest] - v.us[one, oldest] >= rules.lag_us
        if not ripe and waiting < ring - 1:
            return
        _decide(v, out, one)


@compiled
def _end(v: Vehicles, out: Output, one: int) -> None:
    """Decide all; what follows has nothing to do with it."""
    ring, newest, waiting = v.us.shape[1], v.newest[one], v.waiting[one]
    if waiting > 0:
        slot, state = newest, _best(v, one, newest)
        for _ in range(waiting):
            v.choice[one, slot] = state
            state = v.parent[one, slot, state]
            slot = slot - 1 if slot > 0 else ring - 1
        for back in range(waiting - 1, -1, -1):
            slot = (newest - back) % ring
            _write(v, out, one, slot, v.choice[one, slot])
            v.decided[one] = v.choice[one, slot]
    v.waiting[one] = 0
    v.decided[one] = -1


@inlined
def _decide(v: Vehicles, out: Output, one: int) -> None:
    """The oldest position as the best of the newest states has it; states that contradict it are given up."""
    newest, waiting = v.newest[one], v.waiting[one]
    best = _best(v, one, newest)
    chosen = _ancestor(v, one, newest, waiting, best)
    for k in range(v.states[one, newest]):
        if v.cost[one, newest, k] < math.inf and _ancestor(v, one, newest, waiting, k) != chosen:
            v.cost[one, newest, k] = math.inf
    _write(v, out, one, (newest - waiting + 1) % v.us.shape[1], chosen)
    v.decided[one] = chosen
    v.waiting[one] -= 1


@inlined
def _best(v: Vehicles, one: int, slot: int) -> int:
    best = 0
    for k in range(v.states[one, slot]):
        if v.cost[one, slot, k] < v.cost[one, slot, best]:
            best = k
    return best


@inlined
def _ancestor(v: Vehicles, one: int, newest: int, waiting: int, state: int) -> int:
    slot = newest
    for _ in range(waiting - 1):
        state = v.parent[one, slot, state]
        slot = slot - 1 if slot > 0 else v.us.shape[1] - 1
    return state


@inlined
def _write(v: Vehicles, out: Output, one: int, slot: int, state: int) -> None:
    """A decided position with the edges that were entered since the one before."""
    n, size = out.size[0], out.size[1]
    edge, link, parent = v.edge[one, slot, state], v.link[one, slot, state], v.parent[one, slot, state]
    begins = v.decided[one] < 0
    flags = 0
    if begins:
        flags |= _START
    elif link == _NO_WAY and state > 0:
        flags |= _BROKEN
    if edge < 0:
        flags |= _OFF_ROAD
    elif begins or parent == 0 or link != _SAME_EDGE:
        first = size
        if not begins and link >= 0:
            at = link
            while at >= 0:
                out.path[size] = v.tree_edge[one, slot, at]
                size += 1
                at = v.tree_up[one, slot, at]
            low, high = first, size - 1
            while low < high:
                out.path[low], out.path[high] = out.path[high], out.path[low]
                low, high = low + 1, high - 1
        out.path[size] = edge
        size += 1
    out.vehicle[n], out.us[n], out.edge[n], out.along[n] = one, v.us[one, slot], edge, v.along[one, slot, state]
    out.flags[n] = flags
    out.path_start[n + 1] = size
    out.size[0], out.size[1] = n + 1, size
