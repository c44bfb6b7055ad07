"""One box finds channels, devices, areas and organisations, by name, code or initials of pinyin."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from safecity.core.ground.access.api import Action
from safecity.core.ground.channels.api import ChannelState
from safecity.core.ground.devices.api import DeviceState
from safecity.core.ground.words import search_key
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import Answer, Page

routes = Routes("search")


class Hit(Answer):
    """Something that was found; `detail` tells it from its namesakes."""

    kind: Literal["channel", "device", "area", "organisation"]
    id: str
    name: str
    detail: str
    state: ChannelState | DeviceState | Literal[""] = ""


@routes.get("/search", Action.SEARCH)
async def search(
    who: Who,
    here: Here,
    q: Annotated[str, Query(min_length=1, max_length=100)],
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> Page[Hit]:
    """What the reader may see of what is meant."""
    if not q.strip():
        return Page(items=[])
    wanted = q.strip().casefold()
    hits: list[Hit] = []
    channels, _ = await here.channels.page(who, after=None, limit=limit, q=wanted)
    hits += [
        Hit(kind="channel", id=s.channel.id, name=s.channel.name, detail=s.channel.code, state=s.standing.state)
        for s in channels
    ]
    devices, _ = await here.devices.page(who, after=None, limit=limit, q=wanted)
    hits += [Hit(kind="device", id=d.id, name=d.name, detail=d.code, state=d.state) for d in devices]
    areas = await here.places.areas(who, everything=True)
    hits += [
        Hit(kind="area", id=a.id, name=a.name, detail=a.code) for a in areas if wanted in search_key(a.name, a.code)
    ][:limit]
    organisations = await here.places.organisations(who, everything=True)
    hits += [
        Hit(kind="organisation", id=o.id, name=o.name, detail=o.code)
        for o in organisations
        if wanted in search_key(o.name, o.code)
    ][:limit]
    return Page(items=hits[: limit * 2])
