"""Tolls on the edges of a network, as the router counts them: the seconds that the money is worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from safecity.core.upper.traffic.counted import along_edge, edge_at
from safecity.kit.errors import InvalidError, NotFoundError
from safecity.model.facts.traffic_calls import ApplyTolls, Line, Point, RoadToll
from safecity.roads.compiled import F64
from safecity.roads.network.arrays import RoadNetwork
from safecity.roads.network.grid import edges_near
from safecity.roads.routing.charges import Charges
from safecity.roads.routing.router import Place, Route, Router

HOUR_SECONDS: Final = 3_600
PARTS: Final = 96
"""Of the local day: a quarter of an hour each."""
NEAR_METRES: Final = 30.0
MAX_AMOUNT: Final = 100_000_000
AVOIDED_SECONDS: Final = 24.0 * HOUR_SECONDS
"""What any toll is worth to who wants none: more than any way around it, and still a number, for there may be none."""
KEPT: Final = 12
"""Classes of vehicles on days whose charges are kept; a network may have a row for each of its edges."""
CROSSINGS: Final = {"in": (True, False), "out": (False, True), "both": (True, True)}
"""Whether who drives in pays, and who drives out."""


@dataclass(frozen=True, slots=True)
class TolledRoads:
    """For one class of vehicles on one day. `charges` as the money is worth them, `avoided` as who wants to pay nothing
    has it."""

    charges: Charges
    avoided: Charges
    hour_worth: int

    def paid(self, router: Router, route: Route, at_us: int) -> int:
        """What a route costs that sets out then, minor units."""
        return round(router.charged(route, at_us, self.charges) * self.hour_worth / HOUR_SECONDS)


class Tolling:
    """All tolls, placed on a network. `unplaced`: names of those that lie, in part at least, beside no road of it."""

    def __init__(self, network: RoadNetwork, told: ApplyTolls) -> None:
        """InvalidError `road_tolls`."""
        if told.hour_worth <= 0:
            raise InvalidError("an hour that is worth nothing", code="road_tolls")
        for amounts in [one.amounts for one in told.tables] + [one.amounts for one in told.tolls if not one.tables]:
            _parts(amounts)
        self.told = told
        self._placed = [(one, places_of(network, one)) for one in told.tolls]
        self.unplaced = tuple(dict.fromkeys(one.tables for one, places in self._placed if not places))
        self._known: dict[tuple[str, date, str], TolledRoads] = {}

    def on(self, day: date, kind: str, vehicle: str) -> TolledRoads:
        """What who sets out on a local day of that kind (`kit.daykinds`) pays. Who drives past several places of one
        edge pays for each, and who sets out behind one of them or ends before it does not pay for that."""
        key = vehicle, day, kind
        if key not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[key] = self._summed(day.isoformat(), kind, vehicle)
        return self._known[key]

    def _summed(self, day: str, kind: str, vehicle: str) -> TolledRoads:
        tables: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(PARTS))
        for one in self.told.tables:
            if vehicle in one.vehicles and kind in one.days:
                tables[one.name] += _parts(one.amounts)
        rows: dict[Place, np.ndarray] = {}
        for toll, places in self._placed:
            if not (toll.begins <= day and (not toll.ends or day <= toll.ends)):
                continue
            amounts = tables[toll.tables] if toll.tables else _parts(toll.amounts)
            for place in places:
                rows[place] = rows.get(place, 0.0) + amounts
        table = np.array([*rows.values()]).reshape(len(rows), PARTS)
        edges = np.array([one.edge for one in rows], np.int64)
        along = np.array([one.along for one in rows], np.float64)
        return TolledRoads(
            Charges(edges, table * (HOUR_SECONDS / self.told.hour_worth), along),
            Charges(edges, np.where(table > 0, AVOIDED_SECONDS, 0.0), along), self.told.hour_worth,
        )  # fmt: skip


def tolled_edges(network: RoadNetwork, tolls: Iterable[RoadToll]) -> list[int]:
    """All that pay any of them. NotFoundError `no_road_near` where one is paid nowhere."""
    found: dict[int, None] = {}
    for one in tolls:
        edges = [place.edge for place in places_of(network, one)]
        if not edges:
            field = "border" if one.border else "gantries"
            params = {"field": field, "metres": NEAR_METRES}
            raise NotFoundError("no road there", code="no_road_near", params=params)
        found.update(dict.fromkeys(edges))
    return list(found)


def places_of(network: RoadNetwork, toll: RoadToll) -> list[Place]:
    """Where it is paid; an edge that crosses a border twice has two."""
    if toll.border:
        return _crossing(network, toll.border, toll.crossing)
    if toll.bearing is not None:
        edge = edge_at(network, toll.place, toll.bearing)
        return [] if edge is None else [Place(edge, along_edge(network, edge, toll.place))]
    a = network.arrays
    edges, _, alongs = edges_near(a, *toll.place, NEAR_METRES, most=1)
    found = [Place(int(edge), float(along)) for edge, along in zip(edges[:1], alongs[:1], strict=True)]
    twins = [(int(a.edge_twin[one.edge]), one.along) for one in found]
    return found + [Place(twin, float(a.edge_length[twin]) - along) for twin, along in twins if twin >= 0]


def _crossing(network: RoadNetwork, ring: Line, crossing: str) -> list[Place]:
    if crossing not in CROSSINGS:
        raise InvalidError(f"no way over a border: {crossing[:20]}", code="road_tolls")
    a = network.arrays
    inside = _inside(ring, a.point_lon, a.point_lat)
    same_shape = a.point_shape[:-1] == a.point_shape[1:]
    changes = np.flatnonzero(same_shape & (inside[:-1] != inside[1:]))
    met = _meetings(ring, a.point_lon, a.point_lat, same_shape)
    pays = CROSSINGS[crossing]
    found: list[Place] = []
    for point in sorted({*changes.tolist(), *met}):
        shape, within = int(a.point_shape[point]), bool(inside[point])
        shares = met.get(point, [])
        if len(shares) % 2 != int(within != inside[point + 1]):  # it meets a corner, or only touches the ring
            ends = [(float(a.point_lon[n]), float(a.point_lat[n])) for n in (point, point + 1)]
            shares = [_share_before(ring, *ends)] if within != inside[point + 1] else []
        forward, back = int(a.shape_edge[2 * shape]), int(a.shape_edge[2 * shape + 1])
        step = float(a.point_along[point + 1] - a.point_along[point])
        for share in shares:
            within = not within
            metres = float(a.point_along[point]) + step * share
            # Who drives the shape the other way crosses the border the other way.
            for edge, comes_in, against in ((forward, within, False), (back, not within, True)):
                if edge >= 0 and pays[not comes_in]:
                    found.append(Place(edge, float(a.edge_length[edge]) - metres if against else metres))
    return found


def _meetings(ring: Line, longitudes: F64, latitudes: F64, pieces: np.ndarray) -> dict[int, list[float]]:
    """Where straight pieces of road (between a point and the next one, where `pieces` says that there is one) meet the
    ring: the shares of the piece that lie before, ascending, by its first point. Each side is held against the pieces
    beside it alone."""
    corners = np.array(ring, np.float64)
    low, high = np.minimum(latitudes[:-1], latitudes[1:]), np.maximum(latitudes[:-1], latitudes[1:])
    left, right = np.minimum(longitudes[:-1], longitudes[1:]), np.maximum(longitudes[:-1], longitudes[1:])
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(pieces & (low <= north) & (high >= south) & (left <= east) & (right >= west))
    if not len(near):
        return {}
    near = near[np.argsort(low[near], kind="stable")]
    lowest, tallest = low[near], float((high[near] - low[near]).max())
    x, y = longitudes[near], latitudes[near]
    way_x, way_y = longitudes[near + 1] - x, latitudes[near + 1] - y
    found: defaultdict[int, list[float]] = defaultdict(list)
    for (x1, y1), (x2, y2) in zip(corners.tolist(), np.roll(corners, -1, axis=0).tolist(), strict=True):
        first, last = np.searchsorted(lowest, (min(y1, y2) - tallest, max(y1, y2)))
        here = slice(first, last)
        across = way_x[here] * (y2 - y1) - way_y[here] * (x2 - x1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ((x1 - x[here]) * (y2 - y1) - (y1 - y[here]) * (x2 - x1)) / across
            beside = ((x1 - x[here]) * way_y[here] - (y1 - y[here]) * way_x[here]) / across
        for n in np.flatnonzero((share > 0) & (share < 1) & (beside >= 0) & (beside < 1)).tolist():
            found[int(near[here][n])].append(float(share[n]))
    return {piece: sorted(shares) for piece, shares in found.items()}


def _share_before(ring: Line, start: Point, end: Point) -> float:
    """Which share of a straight piece lies before it meets the ring first, one of its ends being inside."""
    corners = np.array(ring, np.float64)
    sides = np.roll(corners, -1, axis=0) - corners
    way, gaps = np.subtract(end, start), corners - start
    across = way[0] * sides[:, 1] - way[1] * sides[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (gaps[:, 0] * sides[:, 1] - gaps[:, 1] * sides[:, 0]) / across
        beside = (gaps[:, 0] * way[1] - gaps[:, 1] * way[0]) / across
    met = share[(share >= 0) & (share <= 1) & (beside >= 0) & (beside <= 1)]
    return float(met.min(initial=1.0))


def _inside(ring: Line, longitudes: np.ndarray, latitudes: np.ndarray) -> np.ndarray:
    """Which places lie within the ring: a line from them to the east crosses it an odd number of times. Each side is
    held against the places beside it alone, however many corners there are."""
    corners = np.array(ring, np.float64)
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero((west <= longitudes) & (longitudes <= east) & (south <= latitudes) & (latitudes <= north))
    near = near[np.argsort(latitudes[near], kind="stable")]
    x, y = longitudes[near], latitudes[near]
    odd = np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        first, last = np.searchsorted(y, (min(y1, y2), max(y1, y2)))
        if first < last:
            odd[first:last] ^= x[first:last] < x1 + (y[first:last] - y1) * (x2 - x1) / (y2 - y1)
    inside = np.zeros(len(longitudes), bool)
    inside[near] = odd
    return inside


def _parts(told: tuple[int, ...]) -> np.ndarray:
    amounts = np.asarray(told, np.float64)
    good = len(amounts) > 0 and PARTS % len(amounts) == 0 and 0 <= amounts.min() <= amounts.max() <= MAX_AMOUNT
    if not good:
        raise InvalidError("not amounts by parts of the day", code="road_tolls")
    return amounts.repeat(PARTS // len(amounts))
