"""A network while it is being written down: rows in columns, checked as they come, nothing of it compiled yet."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from safecity.kit.errors import ExhaustedError
from safecity.roads.network.arrays import MAX_LATITUDE, EdgeFlag, RoadClass

MAX_ROWS: Final = 40_000_000
MAX_POINTS: Final = 400_000_000
"""A country has a tenth of it; whoever sends more wants our memory."""
NODE_REACH: Final = 1e-3
"""Degrees. A line that ends farther from its node is another road's, or written the other way round."""
NO_FLAGS: Final = EdgeFlag(0)
KEPT_FLAGS: Final = EdgeFlag.TUNNEL | EdgeFlag.BRIDGE | EdgeFlag.ROUNDABOUT | EdgeFlag.LINK


@dataclass(frozen=True, slots=True)
class TurnRule:
    """From way `from_key` over the node `via` into way `to_key`: forbidden, or (`only`) the only way to go on."""

    from_key: int
    via: int
    to_key: int
    only: bool = False


@dataclass(slots=True)
class Draft:
    """Nodes and the rows between them. Rows that make no sense are left out, and `dropped` counts them by reason:

    `unknown_node`, `coordinates` (not finite, out of range, or the latitude 0 of who does not know it), `no_length`,
    `no_direction`.
    """

    node_key: array[int] = field(default_factory=lambda: array("q"))
    node_lon: array[float] = field(default_factory=lambda: array("d"))
    node_lat: array[float] = field(default_factory=lambda: array("d"))
    tail: array[int] = field(default_factory=lambda: array("i"))
    head: array[int] = field(default_factory=lambda: array("i"))
    forward: array[int] = field(default_factory=lambda: array("b"))
    backward: array[int] = field(default_factory=lambda: array("b"))
    road_class: array[int] = field(default_factory=lambda: array("B"))
    limit: array[int] = field(default_factory=lambda: array("B"))
    flags: array[int] = field(default_factory=lambda: array("B"))
    key: array[int] = field(default_factory=lambda: array("q"))
    point_start: array[int] = field(default_factory=lambda: array("q", [0]))
    point_lon: array[float] = field(default_factory=lambda: array("d"))
    point_lat: array[float] = field(default_factory=lambda: array("d"))
    turns: list[TurnRule] = field(default_factory=list[TurnRule])
    dropped: Counter[str] = field(default_factory=Counter[str])
    _index: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def rows(self) -> int:
        """How many were taken."""
        return len(self.tail)

    def add_node(self, key: int, lon: float, lat: float) -> bool:
        """False when its place makes no sense. A key that is known keeps its first place."""
        if key in self._index:
            return True
        if not is_place(lon, lat):
            self.dropped["coordinates"] += 1
            return False
        self._index[key] = len(self.node_key)
        self.node_key.append(key)
        self.node_lon.append(lon)
        self.node_lat.append(lat)
        return True

    def meets(self, key: int, lon: float, lat: float) -> bool:
        """Whether a line that ends there can end at this node: within some hundred metres. True where the node is not
        known."""
        node = self._index.get(key)
        if node is None:
            return True
        return abs(self.node_lon[node] - lon) <= NODE_REACH and abs(self.node_lat[node] - lat) <= NODE_REACH

    def knows(self, key: int) -> bool:
        """Whether the node is there."""
        return key in self._index

    def add_row(
        self, key: int, tail: int, head: int, between: Sequence[tuple[float, float]] = (), *,
        forward: bool = True, backward: bool = False, road_class: RoadClass = RoadClass.UNKNOWN, limit: int = 0,
        flags: EdgeFlag = NO_FLAGS,
    ) -> bool:  # fmt: skip
        """A road from node key `tail` to `head` over the points `between` (longitude, latitude), both ends left out.

        False when it was dropped. ExhaustedError `roads_too_many` above `MAX_ROWS` or `MAX_POINTS`.
        """
        start, end = self._index.get(tail), self._index.get(head)
        if start is None or end is None:
            return self._drop("unknown_node")
        if not (forward or backward):
            return self._drop("no_direction")
        if not all(is_place(lon, lat) for lon, lat in between):
            return self._drop("coordinates")
        if len(self.tail) >= MAX_ROWS or len(self.point_lon) + len(between) + 2 > MAX_POINTS:
            raise ExhaustedError("more roads than a network may hold", code="roads_too_many")
        ends = [(self.node_lon[one], self.node_lat[one]) for one in (start, end)]
        line = [ends[0], *between, ends[1]]
        line = [line[0], *(b for a, b in pairwise(line) if a != b)]
        if len(line) < 2:
            return self._drop("no_length")
        self.tail.append(start)
        self.head.append(end)
        self.forward.append(forward)
        self.backward.append(backward)
        self.road_class.append(road_class)
        self.limit.append(max(0, min(limit, 255)))
        self.flags.append(int(flags & KEPT_FLAGS))
        self.key.append(key)
        for lon, lat in line:
            self.point_lon.append(lon)
            self.point_lat.append(lat)
        self.point_start.append(len(self.point_lon))
        return True

    def line(self, row: int) -> list[tuple[float, float]]:
        """All points of a row, ends too."""
        part = slice(self.point_start[row], self.point_start[row + 1])
        return list(zip(self.point_lon[part], self.point_lat[part], strict=True))

    def _drop(self, why: str) -> bool:
        self.dropped[why] += 1
        return False


def is_place(lon: float, lat: float) -> bool:
    """Finite, on the globe away from the poles, and not on the equator to the last digit: who does not know where he is
    says 0."""
    return math.isfinite(lon) and math.isfinite(lat) and -180 <= lon <= 180 and 0 < abs(lat) <= MAX_LATITUDE
