"""Routing with live speeds: time of a route between random places, and until a new speed counts.

    python -m benchmarks.routing [--data FILE] [--side 190] [--pairs 1000]

FILE is a stored network; without it a town of 36,100 junctions and more than 120,000 arcs is made. Every arc has a
usual day with rush hours; every third one has a live speed, half of the free one up to it, one in thirty a jam of a
tenth to four tenths; a hundred of them change between two routes. Pairs of random places are asked for, one after the
other: CPU time of each whole call in milliseconds, in the rush hour (`rush_`), where bounds are loosest, and at 11:30.
`update_visible_ms`: CPU time from new speeds of 10,000 arcs in hand to a route that is found with them, the worst of
ten. `preparation_s`: once per network.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.town import town
from safecity.roads.network.arrays import EdgeFlag, free_speeds
from safecity.roads.network.store import read_network
from safecity.roads.routing.router import Place, Router
from safecity.roads.routing.times import BINS, RoadTimes

RUSH_US = 1_764_145_800_000_000
"""A Wednesday morning, 8:30 UTC."""
CALM_US = RUSH_US + 3 * 3_600_000_000


def usual_days() -> np.ndarray:
    """Three kinds of roads: hardly any, some and much rush hour."""
    quarter = np.arange(BINS) % 96 / 4
    day = np.arange(BINS) // 96
    rush = np.exp(-(((quarter - 8) / 1.2) ** 2)) + np.exp(-(((quarter - 17) / 1.5) ** 2))
    return np.stack([1.05 + much * rush * (day < 5) for much in (0.1, 0.6, 1.5)])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="a stored network")
    parser.add_argument("--side", type=int, default=190, help="junctions along a side of the made town")
    parser.add_argument("--pairs", type=int, default=1000)
    options = parser.parse_args()
    network = read_network(options.data) if options.data else town(options.side, gone=0.0, one_way=0.1)
    a, chance, dice = network.arrays, random.Random(1), np.random.default_rng(1)
    begun = time.process_time()
    times = RoadTimes.of(network, usual=dice.integers(0, 3, network.edges), slow=usual_days())
    router = Router(times)
    prepared = time.process_time() - begun
    free = free_speeds(network)

    watched = dice.permutation(network.edges)[: network.edges // 3]

    def measure(edges: np.ndarray, at_us: int) -> float:
        count = len(edges)
        share = np.where(dice.random(count) < 0.1, dice.uniform(0.1, 0.4, count), dice.uniform(0.5, 1.05, count))
        begun = time.process_time()
        times.measured(edges, free[edges] * share, at_us / 1e6)
        return (time.process_time() - begun) * 1000

    main_part = np.flatnonzero((a.edge_flags & EdgeFlag.ISLAND) == 0)

    def place() -> Place:
        edge = int(main_part[chance.randrange(len(main_part))])
        return Place(edge, chance.random() * float(a.edge_length[edge]))

    def ask(at_us: int) -> tuple[float, float]:
        start, end = [place()], [place()]
        begun = time.process_time()
        route = router.route(start, end, at_us)
        return (time.process_time() - begun) * 1000, route.metres

    spent: dict[int, list[float]] = {RUSH_US: [], CALM_US: []}  # as time goes: what is older replaces nothing
    lengths = list[float]()
    ask(RUSH_US)  # compiles
    for at_us, own in spent.items():
        measure(watched, at_us)
        for _ in range(options.pairs):
            measure(dice.choice(watched, 100), at_us)
            took, metres = ask(at_us)
            own.append(took)
            lengths.append(metres)
    visible = [measure(dice.permutation(network.edges)[:10_000], CALM_US) + ask(CALM_US)[0] for _ in range(10)]
    rush, calm = spent.values()
    print(
        json.dumps(
            {
                "benchmark": "routing", "arcs": network.edges, "routes": len(calm),
                "median_ms": round(float(np.median(calm)), 3), "p95_ms": round(float(np.percentile(calm, 95)), 3),
                "rush_median_ms": round(float(np.median(rush)), 3),
                "rush_p95_ms": round(float(np.percentile(rush, 95)), 3),
                "update_visible_ms": round(max(visible), 3),
                "median_route_km": round(float(np.median(lengths)) / 1000, 1),
                "preparation_s": round(prepared, 2),
            }
        )
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
