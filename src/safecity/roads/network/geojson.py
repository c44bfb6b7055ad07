"""Networks from GeoJSON (RFC 7946): a FeatureCollection of LineString features.

Properties, all optional or null: `from`, `to` (integers, nodes; else ends at the same place, to 1e-7 degrees, are one
node), `id`, and `highway`, `oneway`, `maxspeed`, `tunnel`, `bridge`, `junction` as in OpenStreetMap.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from safecity.kit.errors import InvalidError
from safecity.roads.network.arrays import EdgeFlag, RoadClass
from safecity.roads.network.draft import Draft, is_place
from safecity.roads.network.tags import directions_of, flags_of, limit_of, road_class_of

MAX_BYTES: Final = 512 << 20
_TEXTS: Final = ("highway", "oneway", "maxspeed", "tunnel", "bridge", "junction")
Position = Annotated[list[float], msgspec.Meta(min_length=2, max_length=4)]


class _Line(msgspec.Struct, tag_field="type", tag="LineString"):
    coordinates: list[Position]


class _Feature(msgspec.Struct, tag_field="type", tag="Feature"):
    geometry: msgspec.Raw
    properties: dict[str, Any] | None = None


class _Collection(msgspec.Struct, tag_field="type", tag="FeatureCollection"):
    features: list[_Feature]


def draft_from_geojson(data: bytes) -> Draft:
    """InvalidError `roads_geojson` for what is no FeatureCollection; features that are no lines, or make no sense, are
    counted in `Draft.dropped` (`geometry`, `number`, `line` for what does not end at its nodes, those of `Draft`)."""
    if len(data) > MAX_BYTES:
        raise InvalidError("GeoJSON too large", code="roads_geojson", params={"why": "too large"})
    try:
        collection = msgspec.json.decode(data, type=_Collection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError(f"not roads: {error}", code="roads_geojson", params={"why": str(error)}) from error
    draft, places = Draft(), dict[tuple[int, int], int]()
    for number, feature in enumerate(collection.features):
        try:
            line = msgspec.json.decode(feature.geometry, type=_Line).coordinates
        except (msgspec.MsgspecError, RecursionError):
            line = []
        points = [(one[0], one[1]) for one in line]
        told = feature.properties or {}
        if len(points) < 2:
            draft.dropped["geometry"] += 1
            continue
        if not all(is_place(*one) for one in points):
            draft.dropped["coordinates"] += 1
            continue
        key = number if told.get("id") is None else told["id"]
        nodes = told.get("from"), told.get("to")
        if not all(one is None or _is_key(one) for one in (key, *nodes)):
            draft.dropped["number"] += 1
            continue
        if not all(
            one is None or draft.meets(one, *at) for one, at in zip(nodes, (points[0], points[-1]), strict=True)
        ):
            draft.dropped["line"] += 1
            continue
        tail, head = (_end(draft, node, at, places) for node, at in zip(nodes, (points[0], points[-1]), strict=True))
        tags = {name: _text(told.get(name)) for name in _TEXTS}
        kind, link = road_class_of(tags["highway"])
        forward, backward = directions_of(tags)
        draft.add_row(
            key, tail, head, points[1:-1], forward=forward, backward=backward,
            road_class=kind or RoadClass.UNKNOWN, limit=limit_of(tags["maxspeed"]),
            flags=flags_of(tags) | (EdgeFlag.LINK if link else EdgeFlag(0)),
        )  # fmt: skip
    return draft


def _end(draft: Draft, told: int | None, point: tuple[float, float], places: dict[tuple[int, int], int]) -> int:
    """The node at an end, made when it is new."""
    if told is not None:
        draft.add_node(told, *point)
        return told
    place = round(point[0] * 1e7), round(point[1] * 1e7)
    if place not in places:
        places[place] = -1 - len(places)  # below those that are told
        draft.add_node(places[place], *point)
    return places[place]


def _is_key(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) else ""
