"""A made town for benchmarks and tests: a bent grid of streets, main roads, one-ways, holes and forbidden turns."""

from __future__ import annotations

import math
import random

from safecity.roads.network.arrays import RoadClass, RoadNetwork
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft, TurnRule

WEST, SOUTH = 18.0, 59.3
BLOCK_METRES = 120.0


def town_draft(side: int, seed: int = 1, *, one_way: float = 0.15, gone: float = 0.06, turns: float = 0.02) -> Draft:
    """`side` x `side` junctions; shares of streets that are one-way, that are missing, and of junctions with a
    forbidden turn. Every eighth street is a main road, every 32nd a motorway."""
    chance = random.Random(seed)
    draft = Draft()
    per_lat = BLOCK_METRES / 111_195
    per_lon = per_lat / math.cos(math.radians(SOUTH))
    for y in range(side):
        for x in range(side):
            bend = chance.uniform(-0.25, 0.25), chance.uniform(-0.25, 0.25)
            draft.add_node(y * side + x, WEST + (x + bend[0]) * per_lon, SOUTH + (y + bend[1]) * per_lat)

    def road(a: int, b: int, line: int, key: int) -> None:
        kind, limit = RoadClass.RESIDENTIAL, 30
        if line % 32 == 0:
            kind, limit = RoadClass.MOTORWAY, 100
        elif line % 8 == 0:
            kind, limit = RoadClass.PRIMARY, 50
        if kind is RoadClass.RESIDENTIAL and chance.random() < gone:
            return
        single = kind is RoadClass.RESIDENTIAL and chance.random() < one_way
        draft.add_row(key, a, b, backward=not single, road_class=kind, limit=limit)

    for y in range(side):
        for x in range(side):
            here = y * side + x
            if x + 1 < side:
                road(here, here + 1, y, 2 * here)
            if y + 1 < side:
                road(here, here + side, x, 2 * here + 1)
    for y in range(1, side - 1):
        for x in range(1, side - 1):
            if chance.random() < turns:
                here = y * side + x
                into, out = 2 * (here - 1), chance.choice([2 * here + 1, 2 * (here - side) + 1])
                draft.turns.append(TurnRule(into, here, out))
    return draft


def town(side: int, seed: int = 1, **more: float) -> RoadNetwork:
    """`town_draft`, built."""
    return build_network(town_draft(side, seed, **more), label=f"town {side}").network
