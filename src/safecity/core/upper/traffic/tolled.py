"""Tolls on the edges of a network, as the router counts them: the seconds that the money is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from safecity.core.upper.traffic.counted import edge_at
from safecity.kit.errors import InvalidError
from safecity.model.facts.traffic_calls import ApplyTolls, RoadToll
from safecity.roads.network.arrays import RoadNetwork
from safecity.roads.network.grid import edges_near
from safecity.roads.routing.router import Charges, Route

HOUR_SECONDS: Final = 3_600
PARTS: Final = 96
"""Of the local day: a quarter of an hour each."""
NEAR_METRES: Final = 30.0
MAX_AMOUNT: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class TolledRoads:
    """`unplaced`: tolls that lie beside no road of this network."""

    charges: Charges
    hour_worth: int
    currency: str
    unplaced: int = 0

    def paid(self, route: Route) -> int:
        """What a route costs, minor units: all that its cost holds beside time."""
        return max(0, round((route.cost - route.seconds) * self.hour_worth / HOUR_SECONDS))


def tolled(network: RoadNetwork, told: ApplyTolls) -> TolledRoads:
    """Who drives past several places of one edge pays for each. InvalidError `road_tolls`."""
    if told.hour_worth <= 0:
        raise InvalidError("an hour that is worth nothing", code="road_tolls")
    rows: dict[int, np.ndarray] = {}
    unplaced = 0
    for one in told.tolls:
        amounts = np.asarray(one.amounts, np.float64)
        good = len(amounts) > 0 and PARTS % len(amounts) == 0 and 0 <= amounts.min() <= amounts.max() <= MAX_AMOUNT
        if not good:
            raise InvalidError("not amounts by parts of the day", code="road_tolls")
        edges = _edges(network, one)
        unplaced += not edges
        for edge in edges:
            rows[edge] = rows.get(edge, np.zeros(PARTS)) + amounts.repeat(PARTS // len(amounts))
    worth = HOUR_SECONDS / told.hour_worth
    table = np.array([row * worth for row in rows.values()]).reshape(len(rows), PARTS)
    return TolledRoads(Charges(np.array(list(rows), np.int64), table), told.hour_worth, told.currency, unplaced)


def _edges(network: RoadNetwork, toll: RoadToll) -> list[int]:
    if toll.bearing is not None:
        edge = edge_at(network, toll.place, toll.bearing)
        return [] if edge is None else [edge]
    edges, _, _ = edges_near(network.arrays, *toll.place, NEAR_METRES, most=1)
    found = [int(edge) for edge in edges[:1]]
    return found + [int(twin) for edge in found if (twin := network.arrays.edge_twin[edge]) >= 0]
