"""The tree: area > device > channel, one level at a time, with how everything below stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor, scope
from safecity.core.ground.channels.api import Channel, ChannelState, lost_of
from safecity.core.ground.devices.api import Device, DeviceState
from safecity.core.ground.places.api import Area
from safecity.core.views.tree import Seen, level
from safecity.model.values.media import Quality
from safecity.ports.database import Tx
from safecity.web.guard import Here, Routes, Who
from safecity.web.services import Services
from safecity.web.shapes import Answer, Page, read_cursor, write_cursor

routes = Routes("tree")


class Node(Answer):
    """`counts` per state, of all channels below; `online` are those with a picture or ready to give one."""

    id: str
    kind: Literal["area", "device", "channel"]
    name: str
    code: str = ""
    state: ChannelState | DeviceState | Literal[""] = ""
    step: str = ""
    ptz: bool = False
    qualities: list[Quality] = Field(default_factory=list[Quality])
    recording: bool = False
    simulated: bool = False
    total: int = 0
    online: int = 0
    counts: dict[str, int] = Field(default_factory=dict[str, int])
    has_children: bool = False


@routes.get("/tree", Action.CHANNEL_SEE)
async def see_tree(
    who: Who,
    here: Here,
    parent: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    cursor: Annotated[str, Query(max_length=1000)] = "",
    pictures: bool = False,
) -> Page[Node]:
    """Children of an area or device; without `parent` the top. Areas come with the first part, and all at once.

    `pictures`: without devices that have none to show, as most vehicles.
    """
    seen = Seen(scope(who, Action.AREA_SEE), scope(who, Action.DEVICE_SEE), scope(who, Action.CHANNEL_SEE))
    place = read_cursor(cursor, str, str)

    def work(tx: Tx) -> Page[Node]:
        found = level(tx, parent, seen, (str(place[0]), str(place[1])) if place else None, limit, pictures=pictures)
        nodes = [_area(here, who, area, found.below(area)) for area in found.areas]
        owned: dict[str, list[Channel]] = {}
        for channel in found.channels:
            owned.setdefault(channel.device, []).append(channel)
        nodes += [_device(here, device, owned.get(device.id, [])) for device in found.devices]
        nodes += [_channel(here, channel, found.demo) for channel in found.leaves]
        return Page(items=nodes, next=write_cursor(*found.next) if found.next else None)

    return await here.database.read(work)


def _device(here: Services, device: Device, own: list[Channel]) -> Node:
    counts = _counts(here, own)
    state, step = device.state, device.state_code
    if not device.code:
        lost = lost_of(map(here.board.standing, own))
        state, step = (DeviceState.ONLINE, "") if lost is None else (DeviceState.OFFLINE, lost.step)
    return Node(
        id=device.id, kind="device", name=device.name, code=device.code,
        state=state, step=step, simulated=device.demo,
        total=len(own), online=_online(counts), counts=counts, has_children=bool(own),
    )  # fmt: skip


def _area(here: Services, who: Actor, area: Area, channels: list[Channel]) -> Node:
    counts = _counts(here, channels)
    return Node(
        id=area.id, kind="area", name=area.name, code=area.code, total=len(channels), online=_online(counts),
        counts=counts, has_children=True,
    )  # fmt: skip


def _channel(here: Services, channel: Channel, demo: bool) -> Node:
    standing = here.board.standing(channel)
    recording = any(stream.recording for stream in here.board.streams_of(channel.id).values())
    return Node(
        id=channel.id, kind="channel", name=channel.name, code=channel.code, state=standing.state, step=standing.step,
        ptz=channel.ptz, qualities=[Quality(one) for one in channel.qualities], simulated=demo,
        recording=recording, total=1,
        online=int(standing.state in _READY), counts={standing.state: 1},
    )  # fmt: skip


_READY = frozenset({"running", "idle", "opening"})


def _counts(here: Services, channels: Iterable[Channel]) -> dict[str, int]:
    return dict(Counter(here.board.standing(channel).state for channel in channels))


def _online(counts: dict[str, int]) -> int:
    return sum(number for state, number in counts.items() if state in _READY)
