"""When vehicles that stand are an incident: stopped where nobody parks, in the way of others, or a probable accident.
Pure.

Two stopped at one place are an accident (Linear Road); on real roads they may as well wait for the same light, so the
speed behind them must have dropped while the road before them is free. Who stands in a queue is part of it, not its
cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from safecity.core.upper.flows.api import TOGETHER
from safecity.core.upper.traffic.counted import along_edge, edge_at
from safecity.core.upper.traffic.live import Now
from safecity.core.upper.traffic.standing import Standing
from safecity.kit.clock import SECOND_US
from safecity.roads.compiled import F64
from safecity.roads.network.arrays import RoadClass, RoadNetwork

FRESH_US: Final = 180 * SECOND_US
"""Who has said nothing for longer is not known to stand."""
AHEAD_US: Final = 60 * SECOND_US
"""Who is farther ahead of us has a clock that is wrong."""
TOGETHER_METRES: Final = 40.0
QUEUE_METRES: Final = 300.0
UPSTREAM_METRES: Final = 1_000.0
DROPPED_SHARE: Final = 0.5
"""Of the usual speed: below it traffic behind is held up."""
NOBODY_PARKS: Final = frozenset({RoadClass.MOTORWAY, RoadClass.TRUNK})
"""Here one vehicle that stands is an incident. On other roads it may be at a kerb, a stop or a light, and a position
does not tell which: see `blocking`."""
JUDGED: Final = NOBODY_PARKS | {RoadClass.PRIMARY, RoadClass.SECONDARY, RoadClass.TERTIARY}


class IncidentKind(StrEnum):
    """What it seems to be."""

    STOPPED = "stopped"
    ACCIDENT = "accident"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Vehicles that stand at one place: `along` metres on its edge, having come in that `course`; since when the first,
    and until when the last."""

    edge: int
    along: float
    longitude: float
    latitude: float
    vehicles: int
    since: int
    last: int
    course: float


def believable(standing: Iterable[Standing], at: int) -> list[Standing]:
    """Those that stand now, as far as anybody says."""
    return [one for one in standing if -AHEAD_US <= at - one.last <= FRESH_US]


def clusters(network: RoadNetwork, standing: Iterable[Standing]) -> list[Cluster]:
    """Those on roads that are judged, by place."""
    by_edge: defaultdict[int, list[tuple[float, Standing]]] = defaultdict(list)
    for one in standing:
        place = one.longitude, one.latitude
        edge = edge_at(network, place, one.course)
        if edge is not None and int(network.arrays.edge_class[edge]) in JUDGED:
            by_edge[edge].append((along_edge(network, edge, place), one))
    found: list[Cluster] = []
    for edge, many in sorted(by_edge.items()):
        part: list[tuple[float, Standing]] = []
        for along, one in sorted(many, key=lambda each: (each[0], each[1].vehicle)):
            if part and along - part[0][0] > TOGETHER_METRES:
                found.append(_cluster(edge, part))
                part = []
            part.append((along, one))
        found.append(_cluster(edge, part))
    return found


def judged(
    network: RoadNetwork, now: Now, usual: F64, every: Sequence[Cluster], blocks: Callable[[Cluster], bool],
    one: Cluster,
) -> IncidentKind | None:  # fmt: skip
    """What a cluster among all of them is; `usual` [E]: m/s at this time of such a day; `blocks`: whether it stands in
    the way where vehicles may stand."""
    a, edge = network.arrays, one.edge
    onward = onward_of(network, edge)
    if _queued(network, onward, every, one) or any(now.jammed[after] for after in onward):
        return None
    if one.vehicles >= TOGETHER and _dropped(network, now, usual, one):
        return IncidentKind.ACCIDENT
    return IncidentKind.STOPPED if int(a.edge_class[edge]) in NOBODY_PARKS or blocks(one) else None


def _queued(network: RoadNetwork, onward: Sequence[int], every: Sequence[Cluster], one: Cluster) -> bool:
    """Whether others stand a little ahead."""
    rest = float(network.arrays.edge_length[one.edge]) - one.along
    ahead: Mapping[int, float] = {one.edge: -one.along, **dict.fromkeys(onward, rest)}
    return any(
        other is not one and other.edge in ahead and 0 < ahead[other.edge] + other.along <= QUEUE_METRES
        for other in every
    )


def _dropped(network: RoadNetwork, now: Now, usual: F64, one: Cluster) -> bool:
    """Whether somebody else drives much slower than usual here or behind."""
    a, left = network.arrays, {one.edge: UPSTREAM_METRES - one.along}
    waiting = [one.edge]
    while waiting:
        edge = waiting.pop()
        others = int(now.vehicles[edge]) - (one.vehicles if edge == one.edge else 0)
        if others >= 1 and np.isfinite(now.speed[edge]) and now.speed[edge] < DROPPED_SHARE * usual[edge]:
            return True
        if left[edge] <= 0:
            continue
        node = int(a.edge_from[edge])
        for before in a.in_edge[a.in_start[node] : a.in_start[node + 1]].tolist():
            rest = left[edge] - float(a.edge_length[before])
            if before != a.edge_twin[edge] and rest > left.get(before, -np.inf):
                left[before] = rest
                waiting.append(before)
    return False


def onward_of(network: RoadNetwork, edge: int) -> list[int]:
    """Where who drives on from an edge may be next."""
    a = network.arrays
    node = int(a.edge_to[edge])
    return [after for after in range(a.out_start[node], a.out_start[node + 1]) if after != a.edge_twin[edge]]


def _cluster(edge: int, part: Sequence[tuple[float, Standing]]) -> Cluster:
    first = part[0][1]
    return Cluster(
        edge=edge, along=part[0][0], longitude=first.longitude, latitude=first.latitude, vehicles=len(part),
        since=min(one.since for _, one in part), last=max(one.last for _, one in part),
        course=first.course,
    )  # fmt: skip
