"""From a draft to frozen arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import F64, I32, I64
from safecity.roads.network.arrays import METRES_PER_DEGREE, EdgeFlag, RoadArrays, RoadNetwork, frozen
from safecity.roads.network.draft import Draft
from safecity.roads.network.grid import build_grid
from safecity.roads.network.strong import strong_parts


@dataclass(frozen=True, slots=True)
class Built:
    """`row_edge[r]` are the edges of draft row r: along it, against it, -1 where it may not be driven."""

    network: RoadNetwork
    row_edge: I32


def build_network(draft: Draft, *, label: str = "", credit: str = "") -> Built:
    """InvalidError `roads_empty` when nothing can be driven, `roads_too_wide` across the 180th meridian."""
    if not draft.rows:
        raise InvalidError("a network without roads", code="roads_empty", params=dict(draft.dropped))
    columns: dict[str, Any] = {}
    _shapes(draft, columns)
    row_edge = _edges(draft, columns)
    columns["ban"], banned = _bans(draft, columns)
    columns["edge_flags"][banned] |= np.uint8(EdgeFlag.BANS)
    if np.ptp(columns["point_lon"]) > 180:
        raise InvalidError("a network may not cross the 180th meridian", code="roads_too_wide")
    columns["frame"], columns["cell_start"], columns["cell_segment"] = build_grid(
        columns["point_lon"], columns["point_lat"], columns["point_shape"]
    )
    arrays = RoadArrays(**{name: frozen(columns[name], name) for name in RoadArrays._fields})
    return Built(RoadNetwork(arrays, label, credit), row_edge)


def _view(values: Any, kind: type[np.generic]) -> np.ndarray:
    return np.array(np.frombuffer(values, dtype=kind)) if len(values) else np.zeros(0, kind)


def _shapes(draft: Draft, columns: dict[str, Any]) -> None:
    start = _view(draft.point_start, np.int64)
    lon, lat = _view(draft.point_lon, np.float64), _view(draft.point_lat, np.float64)
    columns["point_shape"] = np.repeat(np.arange(draft.rows), np.diff(start))
    along = np.concatenate(([0.0], np.cumsum(distances(lon[:-1], lat[:-1], lon[1:], lat[1:]))))
    columns["point_along"] = along - along[start[:-1]][columns["point_shape"]]
    columns["shape_start"], columns["point_lon"], columns["point_lat"] = start, lon, lat
    columns["node_key"] = _view(draft.node_key, np.int64)
    columns["node_lon"], columns["node_lat"] = _view(draft.node_lon, np.float64), _view(draft.node_lat, np.float64)


def _edges(draft: Draft, columns: dict[str, Any]) -> I32:
    tail, head = _view(draft.tail, np.int32), _view(draft.head, np.int32)
    forward, backward = _view(draft.forward, np.int8) > 0, _view(draft.backward, np.int8) > 0
    along, against = np.flatnonzero(forward), np.flatnonzero(backward)
    shape = np.concatenate((along, against)).astype(np.int32)
    turned = np.repeat((False, True), (len(along), len(against)))
    from_node = np.where(turned, head[shape], tail[shape])
    to_node = np.where(turned, tail[shape], head[shape])
    order = np.lexsort((turned, shape, to_node, from_node))
    shape, turned, from_node, to_node = shape[order], turned[order], from_node[order], to_node[order]
    count, nodes = len(shape), len(columns["node_key"])
    if count > np.iinfo(np.int32).max or len(columns["point_lon"]) > np.iinfo(np.int32).max:
        raise InvalidError("more edges or points than 31 bits count", code="roads_too_many")
    row_edge = np.full((draft.rows, 2), -1, np.int32)
    row_edge[shape, turned.astype(np.int8)] = np.arange(count)
    one_way = ~(forward & backward)[shape]
    flags = _view(draft.flags, np.uint8)[shape]
    flags |= np.where(turned, np.uint8(EdgeFlag.BACKWARD), np.uint8(0))
    flags |= np.where(one_way, np.uint8(EdgeFlag.ONE_WAY), np.uint8(0))
    last = columns["shape_start"][1:] - 1
    columns["edge_from"], columns["edge_to"], columns["edge_shape"] = from_node, to_node, shape
    columns["edge_length"] = columns["point_along"][last][shape]
    columns["edge_class"], columns["edge_limit"] = (
        _view(getattr(draft, name), np.uint8)[shape] for name in ("road_class", "limit")
    )
    columns["edge_key"] = _view(draft.key, np.int64)[shape]
    columns["edge_twin"] = row_edge[shape, 1 - turned.astype(np.int8)]
    columns["shape_edge"] = row_edge.reshape(-1)
    columns["out_start"] = np.searchsorted(from_node, np.arange(nodes + 1))
    into = np.argsort(to_node, kind="stable")
    columns["in_edge"] = into
    columns["in_start"] = np.searchsorted(to_node[into], np.arange(nodes + 1))
    part = strong_parts(columns["out_start"].astype(np.int32), to_node.astype(np.int32))
    largest = np.argmax(np.bincount(part))
    inside = (part[from_node] == largest) & (part[to_node] == largest)
    columns["edge_flags"] = flags | np.where(inside, np.uint8(0), np.uint8(EdgeFlag.ISLAND))
    return row_edge


def _bans(draft: Draft, columns: dict[str, Any]) -> tuple[I64, I64]:
    """Forbidden pairs, ascending, and the edges that they begin with. Rules that fit nothing are counted as dropped."""
    places = {int(key): node for node, key in enumerate(columns["node_key"])} if draft.turns else {}
    pairs = set[int]()
    key, out, into = columns["edge_key"], columns["out_start"], columns["in_start"]
    for rule in draft.turns:
        via = places.get(rule.via, -1)
        if via < 0:
            draft.dropped["turn_without_node"] += 1
            continue
        arriving = [int(e) for e in columns["in_edge"][into[via] : into[via + 1]] if key[e] == rule.from_key]
        leaving = range(int(out[via]), int(out[via + 1]))
        meant = [e for e in leaving if key[e] == rule.to_key]
        if not arriving or not meant:
            draft.dropped["turn_without_road"] += 1
            continue
        if len(arriving) > 1 or len(meant) > 1:  # a way that passes its node: which half is meant is not said
            draft.dropped["turn_ambiguous"] += 1
            continue
        forbidden = [e for e in leaving if e not in meant] if rule.only else meant
        pairs.update(one << 32 | other for one in arriving for other in forbidden)
    ban = np.array(sorted(pairs), dtype=np.int64)
    return ban, ban >> 32


def distances(lon1: F64, lat1: F64, lon2: F64, lat2: F64) -> F64:
    """Metres between points, on the sphere (haversine)."""
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half = np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    return 2 * np.degrees(np.arcsin(np.sqrt(np.minimum(half, 1.0)))) * METRES_PER_DEGREE
