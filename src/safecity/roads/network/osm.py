"""Networks from OpenStreetMap extracts (.osm.pbf, .osm, .osm.gz), read by libosmium: the extra `safecity[osm]`."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from safecity.kit.errors import InvalidError, UnavailableError
from safecity.roads.network.arrays import EdgeFlag, RoadClass
from safecity.roads.network.draft import MAX_POINTS, Draft, TurnRule, is_place
from safecity.roads.network.tags import directions_of, flags_of, is_drivable, limit_of, road_class_of

CREDIT: Final = "© OpenStreetMap contributors, ODbL 1.0"
_TAGS: Final = (
    "highway",
    "oneway",
    "maxspeed",
    "tunnel",
    "bridge",
    "junction",
    "area",
    "motorcar",
    "motor_vehicle",
    "vehicle",
    "access",
)

_Looks = tuple[bool, bool, RoadClass, int, EdgeFlag]
"""Along, against, class, limit, flags."""


@dataclass(slots=True)
class _Ways:
    """Ways as they come; they are cut at junctions when all of them are known."""

    start: array[int] = field(default_factory=lambda: array("q", [0]))
    refs: array[int] = field(default_factory=lambda: array("q"))
    lon: array[float] = field(default_factory=lambda: array("d"))
    lat: array[float] = field(default_factory=lambda: array("d"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    looks: list[_Looks] = field(default_factory=list[Any])
    turns: list[TurnRule] = field(default_factory=list[TurnRule])
    dropped: Counter[str] = field(default_factory=Counter[str])


def draft_from_osm(path: Path) -> Draft:
    """InvalidError `roads_osm` where libosmium cannot read it, UnavailableError `roads_osmium` without the extra."""
    try:
        import osmium
    except ImportError as error:
        raise UnavailableError("install safecity[osm]", code="roads_osmium") from error
    ways = _Ways()
    try:
        for thing in osmium.FileProcessor(str(path)).with_locations():  # pyright: ignore
            if thing.is_way():  # pyright: ignore
                _take_way(ways, thing)
            elif thing.is_relation():  # pyright: ignore
                _take_relation(ways, thing)
    except (RuntimeError, OSError, ValueError) as error:
        raise InvalidError(f"not OpenStreetMap data: {error}", code="roads_osm", params={"why": str(error)}) from error
    return _cut(ways)


def _take_way(ways: _Ways, way: Any) -> None:
    tags = {name: way.tags[name] for name in _TAGS if name in way.tags}
    if not is_drivable(tags):
        return
    if len(ways.refs) + len(way.nodes) > MAX_POINTS:
        raise InvalidError("more points than a network may hold", code="roads_too_many")
    kind, link = road_class_of(tags["highway"])
    flags = flags_of(tags) | (EdgeFlag.LINK if link else EdgeFlag(0))
    looks = *directions_of(tags), kind or RoadClass.UNKNOWN, limit_of(tags.get("maxspeed", "")), flags
    for node in way.nodes:
        if not node.location.valid() or not is_place(node.location.lon, node.location.lat):
            ways.dropped["coordinates"] += 1
            _end_way(ways, way.id, looks)  # beyond the border of the extract: how the road runs there is not known
            continue
        ways.refs.append(node.ref)
        ways.lon.append(node.location.lon)
        ways.lat.append(node.location.lat)
    _end_way(ways, way.id, looks)


def _end_way(ways: _Ways, key: int, looks: _Looks) -> None:
    """What was written since the last one is a way, when it has two points."""
    begun = ways.start[-1]
    if len(ways.refs) == begun:
        return
    if len(ways.refs) - begun < 2:
        del ways.refs[begun:], ways.lon[begun:], ways.lat[begun:]
        ways.dropped["no_length"] += 1
        return
    ways.looks.append(looks)
    ways.keys.append(key)
    ways.start.append(len(ways.refs))


def _take_relation(ways: _Ways, relation: Any) -> None:
    """Turn restrictions over one node; those over ways, for some vehicles or some hours only are left out."""
    rule = relation.tags.get("restriction") or ""
    if relation.tags.get("type") != "restriction" or not rule.startswith(("no_", "only_")):
        return
    found = {(one.role, one.type): int(one.ref) for one in relation.members}
    start, via, end = (found.get(key) for key in (("from", "w"), ("via", "n"), ("to", "w")))
    if start is None or via is None or end is None:
        ways.dropped["turn_form"] += 1
        return
    ways.turns.append(TurnRule(start, via, end, only=rule.startswith("only_")))


def _cut(ways: _Ways) -> Draft:
    """Nodes are where ways meet or end."""
    uses = Counter(ways.refs)
    for begin, end in zip(ways.start, ways.start[1:], strict=False):
        uses[ways.refs[begin]] += 1
        uses[ways.refs[end - 1]] += 1
    draft = Draft(turns=ways.turns, dropped=ways.dropped)
    for number, key in enumerate(ways.keys):
        forward, backward, kind, limit, flags = ways.looks[number]
        last = ways.start[number]
        for at in range(last, ways.start[number + 1]):
            if uses[ways.refs[at]] < 2:
                continue
            draft.add_node(ways.refs[at], ways.lon[at], ways.lat[at])
            if at > last:
                between = list(zip(ways.lon[last + 1 : at], ways.lat[last + 1 : at], strict=True))
                draft.add_row(
                    key, ways.refs[last], ways.refs[at], between, forward=forward, backward=backward,
                    road_class=kind, limit=limit, flags=flags,
                )  # fmt: skip
            last = at
    return draft
