"""Whether a vehicle that stands on a street stands in the way. Pure.

Ten metres of error hide the difference between a lane and a kerb, so nothing is said of where in the street it stands,
only of what it does to others: those who drive past it became slower when it stopped, and are as fast as ever behind
it. Who parks, waits at a stop or for a fare slows nobody; a light turns before the time is over; a jam goes on ahead.
Whoever slows others without standing in their lane is taken for one that does: a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from safecity.core.upper.traffic.judging import JUDGED, NOBODY_PARKS, Cluster, onward_of
from safecity.core.upper.traffic.live import WINDOW_US, Live
from safecity.kit.clock import SECOND_US
from safecity.roads.compiled import F64
from safecity.roads.network.arrays import RoadNetwork

STREETS: Final = JUDGED - NOBODY_PARKS
LEAST_US: Final = 300 * SECOND_US
"""Longer than lights, stops of buses and taking up a fare."""
SETTLED_US: Final = 60 * SECOND_US
"""Who was on the road when it stopped speaks for neither."""
STOP_LINE_METRES: Final = 40.0
"""Before the end of the road it waits to turn, or for somebody who does."""
LEAST_PASSED: Final = 3
"""Vehicles before, after, and ahead of it."""
SLOWER_SHARE: Final = 0.6
"""Of what they drove before: less than that is held up."""
UNUSUAL_SHARE: Final = 0.7
"""Of what is usual at that time of such a day: a road that is as slow as ever is not held up by anybody."""
FREE_SHARE: Final = 0.75
"""Of the usual speed, ahead."""


def blocks(network: RoadNetwork, live: Live, usual: F64, one: Cluster) -> bool:
    """Whether what stands there holds others up, as the last quarter of an hour shows it; `usual` [E]: m/s."""
    a, edge = network.arrays, one.edge
    if int(a.edge_class[edge]) not in STREETS or one.last - one.since < LEAST_US:
        return False
    if float(a.edge_length[edge]) - one.along < STOP_LINE_METRES:
        return False
    settled, at = one.since + SETTLED_US, live.now.at
    before = live.between([edge], at - WINDOW_US, one.since)
    after = live.between([edge], settled, at)
    # It may be among those that were measured itself, from when it came.
    if min(before.vehicles, after.vehicles - one.vehicles) < LEAST_PASSED:
        return False
    if after.speed >= min(SLOWER_SHARE * before.speed, UNUSUAL_SHARE * usual[edge]):
        return False
    return _free_ahead(live, usual, onward_of(network, edge), settled, at)


def _free_ahead(live: Live, usual: F64, onward: Sequence[int], since: int, at: int) -> bool:
    """Whether those who passed it drive on as they usually do."""
    ahead = live.between(onward, since, at)
    measured = [edge for edge in onward if live.between([edge], since, at).vehicles > 0]
    if ahead.vehicles < LEAST_PASSED:
        return False
    return ahead.speed >= FREE_SHARE * float(np.mean(usual[measured]))
