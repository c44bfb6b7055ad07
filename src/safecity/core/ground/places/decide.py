"""The two trees: areas by their government codes, organisations by their line of command. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from safecity.kit.errors import InvalidError

MAX_NAME = 100
MAX_DEPTH = 12
_SEGMENT = re.compile(r"[0-9a-z_]{1,40}")


class Level(StrEnum):
    """Levels of the government tree, and `site` for whatever a city puts below (a school, a station)."""

    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    COMMUNITY = "community"
    SITE = "site"


_LENGTHS = {2: Level.PROVINCE, 4: Level.CITY, 6: Level.DISTRICT, 9: Level.SUBDISTRICT, 12: Level.COMMUNITY}


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """A node of the government tree. `code` is its significant digits (GB/T 2260, GB/T 10114), empty for a site."""

    id: str
    code: str
    name: str
    level: Level
    parent: str | None
    path: str
    zone: str
    revision: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Organisation:
    """A node of the line of command: bureau, branch, station, department."""

    id: str
    code: str
    name: str
    kind: str
    parent: str | None
    path: str
    revision: int = 1


def significant(code: str) -> str:
    """`340200` -> `3402`: the code without the zeros that only fill it up. InvalidError `area_code`."""
    code = code.strip()
    if not (code.isascii() and code.isdigit()) or len(code) not in _LENGTHS:
        raise InvalidError(f"not an area code: {code[:20]!r}", code="area_code", params={"given": code[:20]})
    if len(code) > 6:
        return code
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def level_of(code: str) -> Level:
    """By the number of significant digits."""
    return _LENGTHS[len(code)] if code else Level.SITE


def fits_below(code: str, parent_code: str) -> bool:
    """Whether a code belongs below another; a county that the province manages itself lies below the province."""
    return not code or not parent_code or (len(code) > len(parent_code) and code.startswith(parent_code[:6]))


def path_below(parent: str, segment: str) -> str:
    """The materialised path of a child; InvalidError `tree_too_deep`."""
    if not _SEGMENT.fullmatch(segment):
        raise InvalidError("not a path segment", code="area_code", params={"given": segment[:20]})
    path = f"{parent}{segment}/"
    if path.count("/") > MAX_DEPTH:
        raise InvalidError("the tree is too deep", code="tree_too_deep", params={"limit": MAX_DEPTH - 1})
    return path


def check_name(name: str) -> str:
    """A name that people gave: one printable line of 1 to 100 characters. InvalidError `name_invalid`."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in name):
        raise InvalidError("not a name", code="name_invalid", params={"limit": MAX_NAME})
    return name


def check_zone(zone: str) -> str:
    """A time zone of the IANA database, or nothing. InvalidError `zone_unknown`."""
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise InvalidError("unknown time zone", code="zone_unknown", params={"zone": zone[:40]}) from error
    return zone
