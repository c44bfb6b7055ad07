"""One level of the tree, joined from areas, devices and channels: read only, each list cut by scope."""

from __future__ import annotations

from dataclasses import dataclass, field

from safecity.core.ground.access.api import Predicate
from safecity.core.ground.channels import api as channels
from safecity.core.ground.channels.api import Channel
from safecity.core.ground.devices import api as devices
from safecity.core.ground.devices.api import Device
from safecity.core.ground.places.api import Area, children_of, find_area, tops_of
from safecity.kit.errors import InvalidError
from safecity.ports.database import Tx

Place = tuple[str, str]
"""Of a row in its level: what it is sorted by, and its id."""


@dataclass
class Level:
    """A part of what lies directly below a node.

    `areas` come with the first part, `devices` or, below a device, `leaves` part after part; `next` is the place of the
    last one when more follow. `channels` are all below the node that may be seen, cameras only.
    """

    areas: list[Area] = field(default_factory=list[Area])
    devices: list[Device] = field(default_factory=list[Device])
    leaves: list[Channel] = field(default_factory=list[Channel])
    channels: list[Channel] = field(default_factory=list[Channel])
    demo: bool = False
    next: Place | None = None

    def below(self, area: Area) -> list[Channel]:
        return [channel for channel in self.channels if channel.area_path.startswith(area.path)]


@dataclass(frozen=True)
class Seen:
    """What of each kind may be seen."""

    areas: Predicate
    devices: Predicate
    channels: Predicate


def level(tx: Tx, parent: str, seen: Seen, after: Place | None, limit: int, *, pictures: bool = False) -> Level:
    """Below an area (`ar_`), a device (`dv_`), or everything (empty): at most `limit` devices or channels behind
    `after`. `pictures`: without devices that have none to show."""
    if parent.startswith("dv_"):
        return _of_device(tx, parent, seen, after, limit)
    area: Area | None = None
    if parent.startswith("ar_"):
        area = find_area(tx, parent)
    elif parent:
        raise InvalidError("neither area nor device", code="invalid_id", params={"kind": "parent"})
    found = Level(channels=_cameras(channels.everything(tx, seen.channels, area.path if area else "")))
    if after is None:
        found.areas = children_of(tx, seen.areas, parent) if area else tops_of(tx, seen.areas)
    rows = devices.in_area(tx, seen.devices, parent or None, after=after, limit=limit + 1, pictures=pictures)
    found.devices = [device for _, device in rows[:limit]]
    if len(rows) > limit:
        found.next = (rows[limit - 1][0], found.devices[-1].id)
    return found


def _of_device(tx: Tx, parent: str, seen: Seen, after: Place | None, limit: int) -> Level:
    device = devices.find(tx, parent)
    if device is None:
        return Level()
    cameras = _cameras(channels.of_device(tx, parent, seen.channels))
    rest = [channel for channel in cameras if after is None or _place(channel) > after]
    found = Level(leaves=rest[:limit], channels=cameras, demo=device.demo)
    if len(rest) > limit:
        found.next = _place(found.leaves[-1])
    return found


def _place(channel: Channel) -> Place:
    """In the order of its device; digits as many as sort like the number."""
    return (f"{channel.ordinal:020d}", channel.id)


def _cameras(found: list[Channel]) -> list[Channel]:
    return [channel for channel in found if channel.kind == "camera"]
