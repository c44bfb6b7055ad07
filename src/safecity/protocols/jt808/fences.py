"""Fences in the terminal (JT/T 808-2019, 8.39 to 8.46): circles, rectangles, polygons, routes.

Coordinates are millionths of a degree without sign; `properties` bit 6 says south, bit 7 west, bit 0 that there are
times, bit 1 that there is a speed limit (2: enter, tell the driver; 3: enter, tell the platform; 4, 5: leave).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Final

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.wire import TIME, U8, U16, U32, Body, Many, Nested, Part, Text, wire

TIMED: Final = 1 << 0
LIMITED: Final = 1 << 1
TELL_ENTER: Final = 1 << 3
TELL_LEAVE: Final = 1 << 5
SOUTH: Final = 1 << 6
WEST: Final = 1 << 7


class Setting(IntEnum):
    """What becomes of the fences that are there."""

    REPLACE = 0
    ADD = 1
    CHANGE = 2


def _timed(before: Mapping[str, Any]) -> bool:
    return bool(before["properties"] & TIMED)


def _limited(before: Mapping[str, Any]) -> bool:
    return bool(before["properties"] & LIMITED)


_NEW: Final = Version.V2019
_NAME: Final = Text(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Part):
    """Millionths of a degree."""

    latitude_micro: int = wire(U32)
    longitude_micro: int = wire(U32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle(Part):
    """`radius_metres` around its centre; speeds in km/h."""

    id: int = wire(U32)
    properties: int = wire(U16)
    latitude_micro: int = wire(U32)
    longitude_micro: int = wire(U32)
    radius_metres: int = wire(U32)
    begins: str = wire(TIME, "", when=_timed)
    ends: str = wire(TIME, "", when=_timed)
    speed_limit: int = wire(U16, 0, when=_limited)
    limit_seconds: int = wire(U8, 0, when=_limited)
    night_limit: int = wire(U16, 0, when=_limited, since=_NEW)
    name: str = wire(_NAME, "", since=_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle(Part):
    """From the left upper to the right lower corner."""

    id: int = wire(U32)
    properties: int = wire(U16)
    upper_left: Point = wire(Nested(Point))
    lower_right: Point = wire(Nested(Point))
    begins: str = wire(TIME, "", when=_timed)
    ends: str = wire(TIME, "", when=_timed)
    speed_limit: int = wire(U16, 0, when=_limited)
    limit_seconds: int = wire(U8, 0, when=_limited)
    night_limit: int = wire(U16, 0, when=_limited, since=_NEW)
    name: str = wire(_NAME, "", since=_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCircles(Body):
    ID: ClassVar[int] = 0x8600
    setting: int = wire(U8)
    circles: tuple[Circle, ...] = wire(Many(Nested(Circle), count=1), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRectangles(Body):
    ID: ClassVar[int] = 0x8602
    setting: int = wire(U8)
    rectangles: tuple[Rectangle, ...] = wire(Many(Nested(Rectangle), count=1), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolygon(Body):
    """One polygon; another with the same id replaces it."""

    ID: ClassVar[int] = 0x8604
    id: int = wire(U32)
    properties: int = wire(U16)
    begins: str = wire(TIME, "", when=_timed)
    ends: str = wire(TIME, "", when=_timed)
    speed_limit: int = wire(U16, 0, when=_limited)
    limit_seconds: int = wire(U8, 0, when=_limited)
    points: tuple[Point, ...] = wire(Many(Nested(Point), count=2), ())
    night_limit: int = wire(U16, 0, when=_limited, since=_NEW)
    name: str = wire(_NAME, "", since=_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Part):
    """A corner of a route and the section that begins there. `properties` bit 0: times, bit 1: speed, 2: south, 3:
    west."""

    id: int = wire(U32)
    section: int = wire(U32)
    point: Point = wire(Nested(Point))
    width_metres: int = wire(U8)
    properties: int = wire(U8)
    longest_seconds: int = wire(U16, 0, when=_timed)
    shortest_seconds: int = wire(U16, 0, when=_timed)
    speed_limit: int = wire(U16, 0, when=_limited)
    limit_seconds: int = wire(U8, 0, when=_limited)
    night_limit: int = wire(U16, 0, when=_limited, since=_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoute(Body):
    """A route with its corners in order."""

    ID: ClassVar[int] = 0x8606
    id: int = wire(U32)
    properties: int = wire(U16)
    begins: str = wire(TIME, "", when=_timed)
    ends: str = wire(TIME, "", when=_timed)
    turns: tuple[Turn, ...] = wire(Many(Nested(Turn), count=2), ())
    name: str = wire(_NAME, "", since=_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delete(Body):
    """Fences by id, none: all of the kind."""

    ids: tuple[int, ...] = wire(Many(U32, count=1), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCircles(_Delete):
    ID: ClassVar[int] = 0x8601


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRectangles(_Delete):
    ID: ClassVar[int] = 0x8603


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePolygons(_Delete):
    ID: ClassVar[int] = 0x8605


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRoutes(_Delete):
    ID: ClassVar[int] = 0x8607
