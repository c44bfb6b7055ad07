"""A tollgate and its lanes, as GA/T 1400 and GA/T 497 mean them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.vehicles import DIRECTIONS
from safecity.vision.enforcement.geometry import Point, simple, size

MAX_LANES: Final = 20
MAX_REPORTERS: Final = 50
MAX_SPEED_KMH: Final = 200
MAX_CORNERS: Final = 12
"""Of a lane's zone: a lane is a strip, and its bend is drawn with as many."""
LEAST_ZONE: Final = 0.001
"""Of the picture: what is smaller was a slip of the hand."""


class Purpose(StrEnum):
    """What passages may be kept and looked at for."""

    TRAFFIC = "traffic"
    SECURITY = "security"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """Counted from the left in the direction of travel. `city`: it leads `in`, `out`, `both` ways, or `neither`.

    `channel` is the camera that looks at it, if it is one of ours; with `read_plates` our own reader reads there.
    `zone`: where the lane lies in that camera's picture, corners as shares of its width and height; empty where the
    camera looks at no other lane, or nobody drew it. `unread`: vehicles that drive through it and whose plate nobody
    could read are passages, too.
    """

    number: int
    name: str = ""
    direction: str = "other"
    max_speed_kmh: int | None = None
    city: str = "neither"
    channel: str | None = None
    read_plates: bool = False
    zone: tuple[Point, ...] = ()
    unread: bool = False

    def __post_init__(self) -> None:
        _need(1 <= self.number <= 99, "number")
        _need(len(self.name) <= 100, "name")
        _need(self.direction in DIRECTIONS.values(), "direction")
        _need(self.max_speed_kmh is None or 5 <= self.max_speed_kmh <= MAX_SPEED_KMH, "max_speed_kmh")
        _need(self.city in ("in", "out", "both", "neither"), "city")
        _need(self.channel is not None or not self.read_plates, "read_plates")
        _need(self.channel is not None or not self.zone, "zone")
        _need(not self.unread or (self.read_plates and bool(self.zone)), "unread")
        if self.zone and not _zone(self.zone):
            raise InvalidError(
                f"lane {self.number}: no zone", code="lane_zone_invalid",
                params={"lane": self.number, "corners": MAX_CORNERS},
            )  # fmt: skip

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Lane:
        """Out of plain values, as the API and the database have them."""
        plain: dict[str, Any] = dict(values)
        plain["zone"] = tuple((float(x), float(y)) for x, y in plain.get("zone", ()))
        return cls(**plain)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tollgate:
    """`code` is its 20 digits, empty where nobody gave it one. Degrees are WGS-84.

    purposes        what its passages may be looked at for
    retention_days  how long they are kept
    restricted      its passages are for administrators alone
    fuse_seconds    what is seen of one vehicle within so long is one passage
    reporters       devices that report for it without naming it
    """

    id: str
    code: str = ""
    name: str
    area: str | None = None
    area_path: str = "/"
    organisation: str | None = None
    organisation_path: str = "/"
    longitude: float | None = None
    latitude: float | None = None
    lanes: tuple[Lane, ...] = ()
    purposes: frozenset[str] = frozenset({Purpose.TRAFFIC, Purpose.SECURITY})
    retention_days: int = 30
    restricted: bool = False
    fuse_seconds: int = 4
    reporters: tuple[str, ...] = ()
    enabled: bool = True
    demo: bool = False
    revision: int = 1

    def __post_init__(self) -> None:
        _need(not self.code or (len(self.code) == 20 and self.code.isascii() and self.code.isdigit()), "code")
        _need(self.longitude is None or -180 <= self.longitude <= 180, "longitude")
        _need(self.latitude is None or -90 <= self.latitude <= 90, "latitude")
        _need((self.longitude is None) == (self.latitude is None), "latitude")
        _need(len(self.lanes) <= MAX_LANES and len({lane.number for lane in self.lanes}) == len(self.lanes), "lanes")
        _need(bool(self.purposes) and self.purposes <= set(Purpose), "purposes")
        _need(1 <= self.retention_days <= 3650, "retention_days")
        _need(1 <= self.fuse_seconds <= 60, "fuse_seconds")
        _need(len(self.reporters) <= MAX_REPORTERS, "reporters")

    def lane(self, number: int | None) -> Lane | None:
        """The lane of that number."""
        return next((lane for lane in self.lanes if lane.number == number), None)


def _zone(corners: tuple[Point, ...]) -> bool:
    inside = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in corners)
    return 3 <= len(corners) <= MAX_CORNERS and inside and simple(corners) and size(corners) >= LEAST_ZONE


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="tollgate_invalid", params={"field": name})
