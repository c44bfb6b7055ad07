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


@dataclass
class Level:
    """What lies directly below a node; `channels` are all below it that may be seen, cameras only."""

    areas: list[Area] = field(default_factory=list[Area])
    devices: list[Device] = field(default_factory=list[Device])
    channels: list[Channel] = field(default_factory=list[Channel])
    demo: bool = False

    def below(self, area: Area) -> list[Channel]:
        return [channel for channel in self.channels if channel.area_path.startswith(area.path)]


def level(tx: Tx, parent: str, areas_seen: Predicate, devices_seen: Predicate, channels_seen: Predicate) -> Level:
    """Below an area (`ar_`), a device (`dv_`), or everything (empty)."""
    if parent.startswith("dv_"):
        device = devices.find(tx, parent)
        own = [] if device is None else channels.of_device(tx, parent, channels_seen)
        return Level(channels=_cameras(own), demo=device is not None and device.demo)
    if parent.startswith("ar_"):
        area = find_area(tx, parent)
        found = channels.everything(tx, channels_seen, area.path)
        here = devices.in_area(tx, devices_seen, parent, 5000)
        return Level(children_of(tx, areas_seen, parent), here, _cameras(found))
    if parent:
        raise InvalidError("neither area nor device", code="invalid_id", params={"kind": "parent"})
    found = channels.everything(tx, channels_seen)
    return Level(tops_of(tx, areas_seen), devices.in_area(tx, devices_seen, None, 5000), _cameras(found))


def _cameras(found: list[Channel]) -> list[Channel]:
    return [channel for channel in found if channel.kind == "camera"]
