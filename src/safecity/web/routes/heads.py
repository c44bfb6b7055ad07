"""What a camera's head offers and remembers: its functions, presets, cruises and home position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.channels.api import Channel, offered, possible
from safecity.core.ground.devices.api import DeviceKind, find
from safecity.kit.errors import SafecityError
from safecity.model.facts.signal_calls import Answered, QueryDevice
from safecity.web.guard import Here, Routes, Who
from safecity.web.services import Services
from safecity.web.shapes import Answer, Page

routes = Routes("steering")
_MOST = 300


class HeadOut(Answer):
    """`offers`: what to show. `possible`: what the device's edition of the standard may have, switches aside."""

    offers: list[str]
    possible: list[str]
    version: str


class PresetOut(Answer):
    """A stored view."""

    number: int
    name: str


class CruiseOut(Answer):
    """Presets in turn. `told_by` is `device` (2022 and later list theirs) or `platform`: what was set from here.

    `speed` and `dwell` (seconds) are 0 where the camera's own count.
    """

    number: int
    name: str
    points: list[int]
    speed: int
    dwell: int
    told_by: str


class HomeOut(Answer):
    """Where the camera goes back to when nobody steered it for `seconds`; `known` false: it does not say."""

    known: bool
    enabled: bool
    preset: int
    seconds: int


@routes.get("/channels/{channel}/ptz", Action.CHANNEL_SEE)
async def see_head(channel: str, who: Who, here: Here) -> HeadOut:
    """What of the camera can be steered; empty for those that stand still."""
    found, version, terminal = await _head(here, who, channel)
    if found.sources or not found.ptz:
        return HeadOut(offers=[], possible=[], version=version)
    return HeadOut(
        offers=list(offered(found.ptz_offers, version, terminal=terminal)),
        possible=list(possible(version, terminal=terminal)), version=version,
    )  # fmt: skip


@routes.get("/channels/{channel}/presets", Action.CHANNEL_SEE)
async def list_presets(channel: str, who: Who, here: Here) -> Page[PresetOut]:
    """Stored views, as the device lists them."""
    found, _, terminal = await _head(here, who, channel)
    if found.sources or terminal:
        return Page(items=[])
    names: dict[int, str] = {}
    for item in _with(await _ask(here, found, "PresetQuery"), "PresetID"):
        number = _number(item.get("PresetID"))
        if number is not None:
            names[number] = _text(item.get("PresetName"))
    return Page(items=[PresetOut(number=number, name=name) for number, name in sorted(names.items())])


@routes.get("/channels/{channel}/cruises", Action.CHANNEL_SEE)
async def list_cruises(channel: str, who: Who, here: Here) -> Page[CruiseOut]:
    """From the device where it can tell, and what was set from here."""
    found, version, terminal = await _head(here, who, channel)
    if found.sources or terminal:
        return Page(items=[])
    ours = {
        one.number: CruiseOut(
            number=one.number, name="", points=list(one.points), speed=one.speed, dwell=one.dwell, told_by="platform"
        )
        for one in await here.desk.cruises(who, channel)
    }
    theirs = await _cruises_of_device(here, found) if version >= "3.0" else {}
    return Page(items=[one for _, one in sorted({**ours, **theirs}.items())])


@routes.get("/channels/{channel}/home", Action.CHANNEL_SEE)
async def see_home(channel: str, who: Who, here: Here) -> HomeOut:
    """Devices before 2022 cannot be asked."""
    found, version, terminal = await _head(here, who, channel)
    unknown = HomeOut(known=False, enabled=False, preset=0, seconds=0)
    if found.sources or terminal or version < "3.0":
        return unknown
    try:
        said = await _ask(here, found, "HomePositionQuery")
    except SafecityError:
        return unknown
    for item in _with(said, "Enabled"):
        return HomeOut(
            known=True, enabled=_number(item.get("Enabled")) == 1, preset=_number(item.get("PresetIndex")) or 0,
            seconds=_number(item.get("ResetTime")) or 0,
        )  # fmt: skip
    return unknown


async def _cruises_of_device(here: Services, found: Channel) -> dict[int, CruiseOut]:
    """One query for the list, one for each cruise; a device that answers none of it just lists nothing."""
    cruises: dict[int, CruiseOut] = {}
    try:
        for item in list(_with(await _ask(here, found, "CruiseTrackListQuery"), "Number"))[:16]:
            number = _number(item.get("Number"))
            if number is None:
                continue
            points = list(_with(await _ask(here, found, "CruiseTrackQuery", Number=number), "PresetIndex"))
            cruises[number] = CruiseOut(
                number=number, name=_text(item.get("Name")), told_by="device",
                points=[_number(point.get("PresetIndex")) or 0 for point in points],
                speed=_number(points[0].get("Speed")) or 0 if points else 0,
                dwell=_number(points[0].get("StayTime")) or 0 if points else 0,
            )  # fmt: skip
    except SafecityError:
        return cruises
    return cruises


async def _head(here: Services, who: Actor, channel: str) -> tuple[Channel, str, bool]:
    """With the edition of its device, and whether that is a vehicle terminal, which remembers nothing."""
    found = await here.channels.find(who, Action.CHANNEL_SEE, channel)
    device = await here.database.read(lambda tx: find(tx, found.device))
    return found, device.version if device else "", device is not None and device.kind is DeviceKind.JT808


async def _ask(here: Services, found: Channel, command: str, **fields: int) -> dict[str, Any]:
    message = QueryDevice(found.device, command, found.code, {**fields})
    answer = await here.calls.call("signal", message, timeout=8)
    return answer.body if isinstance(answer, Answered) else {}


def _with(value: Any, name: str, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Whatever nesting the device chose, the items have an element of this name."""
    if depth > 6:
        return
    if isinstance(value, dict):
        item: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        if name in item:
            yield item
        for one in item.values():
            yield from _with(one, name, depth + 1)
    elif isinstance(value, list | tuple):
        for one in value[:_MOST]:  # pyright: ignore[reportUnknownVariableType]
            yield from _with(one, name, depth + 1)


def _number(value: object) -> int | None:
    text = "" if value is None else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _text(value: object) -> str:
    return str(value or "")[:100]
