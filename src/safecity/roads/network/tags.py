"""What the words of OpenStreetMap mean for a road (its wiki: Key:highway, Key:oneway, Key:maxspeed)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from safecity.roads.network.arrays import EdgeFlag, RoadClass

_CLASSES: Final = {
    "motorway": RoadClass.MOTORWAY, "trunk": RoadClass.TRUNK, "primary": RoadClass.PRIMARY,
    "secondary": RoadClass.SECONDARY, "tertiary": RoadClass.TERTIARY, "unclassified": RoadClass.UNCLASSIFIED,
    "road": RoadClass.UNCLASSIFIED, "residential": RoadClass.RESIDENTIAL, "living_street": RoadClass.LIVING_STREET,
    "service": RoadClass.SERVICE,
}  # fmt: skip
_NOT: Final = frozenset(("", "no", "false", "0", "nan", "none"))
_LIMIT: Final = re.compile(r"\s*(\d{1,3})(?:\.\d+)?\s*(km/h|kmh|kph|mph)?\s*$")
_WALK_KMH: Final = 7


def road_class_of(highway: str) -> tuple[RoadClass | None, bool]:
    """The class and whether it is a ramp; None for what is not for motor vehicles. Of a list the first known counts."""
    for word in re.findall(r"[a-z_]+", highway.lower()):
        base = word.removesuffix("_link")
        if base in _CLASSES:
            return _CLASSES[base], base != word
    return None, False


def limit_of(maxspeed: str) -> int:
    """km/h, 0 where nothing can be read; of several the lowest."""
    found = list[int]()
    for text in re.split(r"[;,|\[\]']", maxspeed):
        if text.strip() == "walk":
            found.append(_WALK_KMH)
        elif (match := _LIMIT.match(text)) and int(match[1]):
            found.append(round(int(match[1]) * (1.609344 if match[2] == "mph" else 1)))
    return min(found, default=0)


def flags_of(tags: Mapping[str, str]) -> EdgeFlag:
    """Tunnel, bridge, roundabout."""
    flags = EdgeFlag(0)
    for name, flag in (("tunnel", EdgeFlag.TUNNEL), ("bridge", EdgeFlag.BRIDGE)):
        if (tags.get(name) or "").strip().lower() not in _NOT:
            flags |= flag
    return flags | (EdgeFlag.ROUNDABOUT if tags.get("junction") in ("roundabout", "circular") else EdgeFlag(0))


def directions_of(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether it may be driven along its points and against them."""
    said = (tags.get("oneway") or "").strip().lower()
    if said in ("-1", "reverse"):
        return False, True
    if said in ("yes", "true", "1"):
        return True, False
    implied = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") in ("motorway", "motorway_link")
    return True, not implied or said in ("no", "false", "0")


def is_drivable(tags: Mapping[str, str]) -> bool:
    """A road for motor vehicles that is there, and not shut to everybody."""
    if road_class_of(tags.get("highway") or "")[0] is None or tags.get("area") == "yes":
        return False
    for name in ("motorcar", "motor_vehicle", "vehicle", "access"):  # the most precise one that is said counts
        if said := tags.get(name):
            return said not in ("no", "private", "agricultural", "forestry")
    return True
