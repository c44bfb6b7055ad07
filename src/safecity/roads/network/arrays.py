"""The arrays of a road network, and what their small numbers mean. Frozen: nothing writes to them after they are built.

An *edge* is one direction of travel along a road between two nodes, numbered in the order of its start node. A *shape*
is the line it runs along, shared by both directions; a *segment* is the straight piece of a shape between two points,
named by its first point.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

import numpy as np

from safecity.roads.compiled import F32, F64, I32, I64, U8

METRES_PER_DEGREE: Final = 6_371_008.8 * np.pi / 180.0
"""Of latitude, on a sphere of the mean radius of WGS 84 (IUGG R1). Longitude: times the cosine of the latitude."""
MAX_LATITUDE: Final = 85.0
"""Degrees. Nearer to the poles the cosine no longer carries a local plane."""


class RoadClass(IntEnum):
    """Importance, after the `highway` key of OpenStreetMap; smaller is more important, 0 is not said."""

    UNKNOWN = 0
    MOTORWAY = 1
    TRUNK = 2
    PRIMARY = 3
    SECONDARY = 4
    TERTIARY = 5
    UNCLASSIFIED = 6
    RESIDENTIAL = 7
    LIVING_STREET = 8
    SERVICE = 9


class EdgeFlag(IntFlag):
    """Bits of `edge_flags`."""

    BACKWARD = 1  # runs along its shape from the last point to the first
    ONE_WAY = 2  # the other direction may not be driven
    TUNNEL = 4
    BRIDGE = 8
    ROUNDABOUT = 16
    LINK = 32  # ramp
    ISLAND = 64  # not of the largest part within which every edge leads to every other
    BANS = 128  # not every turn at its end is allowed


class RoadArrays(NamedTuple):
    """N nodes, E edges, S shapes, P points, C cells of the spatial index. All are C-contiguous and read-only.

    node_lon, node_lat  [N] degrees (WGS 84)           node_key    [N] number in the source
    out_start           [N+1] edges of node n are out_start[n] .. out_start[n+1]
    in_start, in_edge   [N+1], [E] the same backward: the edges that end at n
    edge_from, edge_to  [E] nodes                       edge_length [E] metres along the shape
    edge_class          [E] RoadClass                   edge_limit  [E] km/h, 0 not said
    edge_flags          [E] EdgeFlag                    edge_shape  [E]
    edge_twin           [E] the other direction, or -1  edge_key    [E] number of the way in the source
    shape_start         [S+1] points of shape s are shape_start[s] .. shape_start[s+1]
    shape_edge          [2S] edge along shape s at 2s, against it at 2s+1, or -1
    point_lon, point_lat [P] degrees, point_along [P] metres from the shape's first point, point_shape [P]
    ban                 [B] forbidden turns, from edge << 32 | to edge, ascending
    frame               [6] of the index: west, south, degrees per column, degrees per row, columns, rows
    cell_start, cell_segment [C+1], [...] segments that touch a cell
    """

    node_lon: F64
    node_lat: F64
    node_key: I64
    out_start: I32
    in_start: I32
    in_edge: I32
    edge_from: I32
    edge_to: I32
    edge_length: F32
    edge_class: U8
    edge_limit: U8
    edge_flags: U8
    edge_shape: I32
    edge_twin: I32
    edge_key: I64
    shape_start: I32
    shape_edge: I32
    point_lon: F64
    point_lat: F64
    point_along: F32
    point_shape: I32
    ban: I64
    frame: F64
    cell_start: I32
    cell_segment: I32


DTYPES: Final[dict[str, np.dtype[np.generic]]] = {
    **dict.fromkeys(("node_lon", "node_lat", "point_lon", "point_lat", "frame"), np.dtype("<f8")),
    **dict.fromkeys(("edge_length", "point_along"), np.dtype("<f4")),
    **dict.fromkeys(("edge_class", "edge_limit", "edge_flags"), np.dtype("u1")),
    **dict.fromkeys(("node_key", "edge_key", "ban"), np.dtype("<i8")),
    **dict.fromkeys(
        (
            "out_start", "in_start", "in_edge", "edge_from", "edge_to", "edge_shape", "edge_twin", "shape_start",
            "shape_edge", "point_shape", "cell_start", "cell_segment",
        ),
        np.dtype("<i4"),
    ),
}  # fmt: skip
"""Types as stored; the names are those of `RoadArrays`."""


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """A network and where it is from. `label` names the version of the map, `credit` whom its licence wants named."""

    arrays: RoadArrays
    label: str = ""
    credit: str = ""

    @property
    def nodes(self) -> int:
        """How many."""
        return len(self.arrays.node_key)

    @property
    def edges(self) -> int:
        """How many, each direction counted."""
        return len(self.arrays.edge_key)

    @property
    def size_bytes(self) -> int:
        """Of all arrays together."""
        return sum(one.nbytes for one in self.arrays)

    def line(self, edge: int) -> F64:
        """Its points in the order of travel, shape (n, 2): longitude, latitude."""
        a = self.arrays
        shape = int(a.edge_shape[edge])
        part = slice(int(a.shape_start[shape]), int(a.shape_start[shape + 1]))
        points = np.stack((a.point_lon[part], a.point_lat[part]), axis=1)
        return points[::-1] if a.edge_flags[edge] & EdgeFlag.BACKWARD else points


_FREE_KMH: Final = (40.0, 100.0, 80.0, 55.0, 50.0, 45.0, 40.0, 30.0, 12.0, 20.0)


def free_speeds(network: RoadNetwork, limit_factor: float = 0.9) -> F32:
    """Speeds of an empty road, m/s, [E]: the limit times `limit_factor` where it is known, else by class."""
    a = network.arrays
    by_class = np.asarray(_FREE_KMH)[np.minimum(a.edge_class, len(_FREE_KMH) - 1)]
    kmh = np.where(a.edge_limit > 0, a.edge_limit * limit_factor, by_class)
    return (np.maximum(kmh, 5.0) / 3.6).astype(np.float32)


def frozen(values: np.ndarray, name: str) -> np.ndarray:
    """`values` in the stored type, contiguous and read-only."""
    array = np.ascontiguousarray(values, dtype=DTYPES[name])
    array.flags.writeable = False
    return array
