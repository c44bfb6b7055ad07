"""A vehicle that drives through a network, and what its receiver says."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from safecity.roads.network.arrays import METRES_PER_DEGREE, RoadNetwork

BEGIN_US = 1_764_000_000_000_000
METRES_LAT = METRES_PER_DEGREE


def metres_lon(lat: float) -> float:
    """Of one degree of longitude."""
    return METRES_PER_DEGREE * float(np.cos(np.radians(lat)))


@dataclass
class Drive:
    """`edges` as driven; positions once a second."""

    edges: list[int]
    us: np.ndarray
    lon: np.ndarray
    lat: np.ndarray

    def every(self, seconds: int) -> Drive:
        """Fewer positions, the last one kept."""
        picks = sorted({*range(0, len(self.us), seconds), len(self.us) - 1})
        return Drive(self.edges, self.us[picks], self.lon[picks], self.lat[picks])


def wander(network: RoadNetwork, chance: random.Random, count: int) -> list[int]:
    """So many edges in a row, never straight back."""
    a = network.arrays
    edge = chance.randrange(network.edges)
    edges = [edge]
    while len(edges) < count:
        node = int(a.edge_to[edge])
        options = [e for e in range(int(a.out_start[node]), int(a.out_start[node + 1])) if e != a.edge_twin[edge]]
        if not options:
            return wander(network, chance, count)
        edge = chance.choice(options)
        edges.append(edge)
    return edges


def drive(network: RoadNetwork, edges: list[int], *, speed: float = 12.0, noise: float = 4.0, seed: int = 1) -> Drive:
    """Along the edges at a constant speed, m/s, with a receiver that errs by `noise` metres."""
    dice = np.random.default_rng(seed)
    points = [network.line(edges[0])[:1], *(network.line(edge)[1:] for edge in edges)]
    line = np.concatenate(points)
    east, north = line[:, 0] * metres_lon(line[0, 1]), line[:, 1] * METRES_LAT
    along = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(east), np.diff(north)))))
    at = np.append(np.arange(0.0, along[-1], speed), along[-1])
    x, y = np.interp(at, along, east), np.interp(at, along, north)
    x, y = x + dice.normal(0, noise, len(x)), y + dice.normal(0, noise, len(y))
    us = BEGIN_US + np.arange(len(at)) * 1_000_000
    return Drive(edges, us, x / metres_lon(line[0, 1]), y / METRES_LAT)
