"""Two streets and the rungs between them: a network that a test can reckon with."""

from __future__ import annotations

import math

from safecity.roads.network.arrays import RoadNetwork
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft

STEP = 400 / 111_195.08
"""Degrees of latitude that are 400 m."""
SOUTH, NORTH = (18.0, 59.3 - 1e-5), (18.0, 59.3 + 5 * STEP)


def ladder() -> RoadNetwork:
    """Two streets from south to north, 400 m apart, five blocks of 400 m, and a rung at each crossing; the western
    one is faster. An island lies in the east."""
    draft, across = Draft(), STEP / math.cos(math.radians(59.3))
    for n in range(6):
        for side in range(2):
            draft.add_node(10 * side + n, 18.0 + side * across, 59.3 + n * STEP)
    for n in range(5):
        for side in range(2):
            draft.add_row(100 + 10 * side + n, 10 * side + n, 10 * side + n + 1, backward=True, limit=(60, 50)[side])
    for n in range(6):
        draft.add_row(200 + n, n, 10 + n, backward=True, limit=50)
    draft.add_node(90, 18.1, 59.3)
    draft.add_node(91, 18.1, 59.3 + STEP)
    draft.add_row(300, 90, 91, backward=True)
    return build_network(draft, label="ladder").network
