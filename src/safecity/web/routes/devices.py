"""Devices: add, change, look, test before saving."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal, NamedTuple, cast

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor, allowed
from safecity.core.ground.channels.api import Standing, lost_of, of_device
from safecity.core.ground.devices.api import (
    Device,
    DeviceKind,
    DeviceState,
    NewDevice,
    Position,
    of_devices,
    split_url,
    thing_of,
)
from safecity.kit.errors import UnavailableError
from safecity.model.facts.signal_calls import DeviceFigure, QueryDevice
from safecity.ports.database import Tx
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.channels import PositionOut, position_out
from safecity.web.services import Services
from safecity.web.shapes import (
    Answer,
    Ask,
    Digests,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    Params,
    Secret,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("devices")
Url = Annotated[str, Field(max_length=1000)]
Transport = Literal["", "auto", "udp", "tcp", "tcp_passive", "tcp_active"]
Charset = Literal["GB18030", "GB2312", "GBK", "UTF-8"]


_NEVER = {
    DeviceKind.JT808: "jt_never_registered",
    DeviceKind.HTTP: "beacon_never_told",
    DeviceKind.AIS: "ais_never_heard",
}


_COME_ALONE = (DeviceKind.RTSP, DeviceKind.AIS)
"""Into these nothing is typed."""


class DeviceOut(Answer):
    """A device, without its password. `simulated`: it belongs to the demo city; `position`: where it said it is."""

    id: str
    kind: DeviceKind
    name: str
    code: str
    url: str
    sub_url: str
    username: str
    area: str | None
    organisation: str | None
    manufacturer: str
    model: str
    firmware: str
    transport: Transport
    charset: Charset
    enabled: bool
    simulated: bool
    state: DeviceState
    step: str
    sentence: str
    since: OptionalMoment
    address: str
    user_agent: str
    version: str
    channels: int
    last_keepalive: OptionalMoment
    clock_offset_ms: int
    position_seconds: int
    position: PositionOut | None
    digests: Digests
    created_at: Moment
    revision: int


class Credentials(Answer):
    """What to type into the device; the password is never shown again."""

    platform_code: str
    domain: str
    host: str
    port: int
    device_code: str
    username: str
    password: str
    transport: str


class DeviceMade(DeviceOut):
    """A new device, once with its credentials where it registers with us."""

    registration: Credentials | None


class DeviceAsk(Ask):
    """`gb28181` and `gat1400` need `code`, `jt808` its phone number there, `http` a name of letters and digits, `ais`
    an MMSI, `rtsp` needs `url`. An empty password of one that registers is made; that of `http` always is."""

    kind: Literal["gb28181", "rtsp", "gat1400", "jt808", "http", "ais"]
    name: Text = ""
    code: Annotated[str, Field(max_length=40)] = ""
    url: Url = ""
    sub_url: Url = ""
    username: Secret = ""
    password: Secret = ""
    area: ThingId | None = None
    organisation: ThingId | None = None
    transport: Transport = ""
    charset: Charset = "GB18030"
    record_mode: Literal["off", "continuous", "schedule"] = "continuous"


class DevicePatch(Ask):
    """What is to change. A new password is sealed and never shown. `position_seconds` 0: it tells no place.

    `digests`: what the device is offered to prove its password by, in this order; empty: as the platform offers all.
    """

    name: Text | None = None
    url: Url | None = None
    sub_url: Url | None = None
    username: Secret | None = None
    password: Secret | None = None
    area: ThingId | None = None
    organisation: ThingId | None = None
    transport: Transport | None = None
    charset: Charset | None = None
    position_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    digests: Digests | None = None
    enabled: bool | None = None


class TestAsk(Ask):
    """An RTSP address to try before saving."""

    kind: Literal["rtsp"] = "rtsp"
    url: Url
    username: Secret = ""
    password: Secret = ""


class TrackOut(Answer):
    """What the address offers; the other kind's figures are 0."""

    kind: Literal["video", "audio"]
    codec: str
    width: int = 0
    height: int = 0
    fps: float = 0
    sample_rate: int = 0
    channels: int = 0


class TestOut(Answer):
    """`step` is the failed step, `sentence` says it in words."""

    ok: bool
    step: str
    sentence: str
    params: Params
    tracks: list[TrackOut]


class UnknownOut(Answer):
    """Somebody who tried to register and is not in the list."""

    code: str
    address: str
    transport: str
    user_agent: str
    last_seen: Moment
    attempts: int
    kind: DeviceKind


@routes.get("/devices", Action.DEVICE_SEE)
async def list_devices(
    who: Who,
    here: Here,
    area: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[DeviceOut]:
    """Devices, by name."""
    place = read_cursor(cursor, str, str)
    after = None if place is None else (place[0], place[1])
    found, more = await here.devices.page(who, after=after, limit=limit, area=area, q=q, kind=kind)
    about = await _about(here, found)
    items = [device_out(here, who, device, about[device.id]) for device in found]
    return Page(items=items, next=write_cursor(*more) if more else None)


@routes.get("/devices/unknown", Action.DEVICE_ADD)
async def list_unknown(who: Who, here: Here) -> Page[UnknownOut]:
    """Devices that tried to register and are in nobody's list."""
    return Page(items=[UnknownOut.model_validate(one) for one in here.duties.figures.unknown])


@routes.post("/devices/test", Action.DEVICE_ADD, once=False)
async def test_device(ask: TestAsk, who: Who, here: Here) -> TestOut:
    """Try an RTSP address; nothing is saved."""
    if here.probe is None:
        raise UnavailableError("no prober", code="probe_unavailable")
    url, username, password = split_url(ask.url)
    try:
        async with asyncio.timeout(20):
            found = await here.probe(url, ask.username or username, ask.password or password)
    except TimeoutError:
        return TestOut(
            ok=False, step="rtsp_timeout", sentence=sentence("rtsp_timeout", {}, who.language), params={}, tracks=[]
        )
    said = "" if found.ok else sentence(found.step, found.params, who.language)
    return TestOut(
        ok=found.ok,
        step=found.step,
        sentence=said,
        params=found.params,
        tracks=[TrackOut.model_validate(one) for one in found.tracks],
    )


@routes.post("/devices", Action.DEVICE_ADD, status_code=201)
async def add_device(ask: DeviceAsk, who: Who, here: Here, response: Response) -> DeviceMade:
    """A new device; its password is told this once."""
    device, password = await here.devices.add(who, NewDevice(**ask.model_dump()))
    here.duties.look_again()
    here.hub.changed([("device", device.id)])
    plain = device_out(here, who, device, _About(channels=int(device.kind is DeviceKind.RTSP)))
    registration = await credentials(here, device, password) if device.kind not in _COME_ALONE else None
    return tag(response, DeviceMade(**plain.model_dump(), registration=registration))


@routes.get("/devices/{device}", Action.DEVICE_SEE)
async def see_device(device: str, who: Who, here: Here, response: Response) -> DeviceOut:
    """One device."""
    found = await here.devices.see(who, device)
    return await _tagged(here, who, response, found)


@routes.patch("/devices/{device}", Action.DEVICE_CHANGE)
async def change_device(
    device: str, ask: DevicePatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> DeviceOut:
    """Change a device."""
    given = {k: v for k, v in ask.given().items() if v is not None or k in ("area", "organisation")}
    changed = await here.devices.change(who, device, read_revision(if_match), given)
    here.duties.look_again()
    here.hub.changed([("device", device)])
    return await _tagged(here, who, response, changed)


@routes.delete("/devices/{device}", Action.DEVICE_DELETE, status_code=204)
async def delete_device(device: str, who: Who, here: Here) -> None:
    """Remove a device and its channels; recordings stay until their time is over."""
    await here.devices.remove(who, device)
    here.duties.look_again()
    here.hub.changed([("device", device)])


@routes.get("/devices/{device}/registration", Action.DEVICE_CHANGE)
async def see_registration(device: str, who: Who, here: Here) -> Credentials:
    """What to type into the device, without the password."""
    found = await here.devices.see(who, device, Action.DEVICE_CHANGE)
    return await credentials(here, found, "")


@routes.post("/devices/{device}/refresh", Action.DEVICE_CHANGE, status_code=202)
async def refresh_device(device: str, who: Who, here: Here, response: Response) -> DeviceOut:
    """Ask the device for its catalogue and description again."""
    found = await here.devices.see(who, device, Action.DEVICE_CHANGE)
    if found.kind is DeviceKind.GB28181:
        await here.calls.call("signal", QueryDevice(device, "DeviceInfo"), timeout=8)
        await here.calls.call("signal", QueryDevice(device, "Catalog"), timeout=20)
    return await _tagged(here, who, response, found)


class CamerasAsk(Ask):
    """Logical numbers (JT/T 1076-2016, table 2): 1 driver, 2 front, 3 front door, 4 and 5 cabin, ..."""

    numbers: Annotated[list[Annotated[int, Field(ge=1, le=255)]], Field(min_length=1, max_length=32)]


@routes.post("/devices/{device}/cameras", Action.DEVICE_CHANGE, status_code=201)
async def add_cameras(device: str, ask: CamerasAsk, who: Who, here: Here, response: Response) -> DeviceOut:
    """Cameras of a vehicle terminal that does not tell which it has; of most nobody needs to."""
    return await _tagged(here, who, response, await here.devices.add_cameras(who, device, ask.numbers))


async def credentials(here: Services, device: Device, password: str) -> Credentials:
    """What somebody types into the device."""
    platform = await here.settings.read()
    if device.kind is DeviceKind.JT808:
        return Credentials(
            platform_code="", domain="", host=platform.public_host, port=here.web.jt808_port, device_code=device.code,
            username="", password="", transport=device.transport,
        )  # fmt: skip
    if device.kind is DeviceKind.AIS:
        return Credentials(
            platform_code="", domain="", host=platform.public_host, port=here.web.ais_port, device_code=device.code,
            username="", password="", transport=device.transport,
        )  # fmt: skip
    if device.kind is DeviceKind.HTTP:
        token = f"{device.code}.{password}" if password else ""
        return Credentials(
            platform_code="", domain="", host=platform.public_host, port=here.web.http_port, device_code=device.code,
            username="", password=token, transport="https" if here.web.tls else "http",
        )  # fmt: skip
    return Credentials(
        platform_code=platform.code,
        domain=platform.domain or platform.code[:10],
        host=platform.public_host,
        port=here.web.http_port if device.kind is DeviceKind.GAT1400 else here.web.sip_port,
        device_code=device.code,
        username=device.username or device.code,
        password=password,
        transport=device.transport,
    )


class _About(NamedTuple):
    """Of a device: its channels, where it was last, and why one that is fetched is not there."""

    channels: int
    position: Position | None = None
    lost: Standing | None = None


def device_out(here: Services, who: Actor, device: Device, about: _About) -> DeviceOut:
    """As one reader sees it: addresses and names of accounts are for those who may change it."""
    trusted = allowed(who, Action.DEVICE_CHANGE, thing_of(device))
    figure = next((f for f in here.duties.figures.devices if f.device == device.id), DeviceFigure("", "", "", 0))
    state, step, since = device.state, device.state_code, device.state_since
    params: dict[str, Any] = {"name": device.name}
    if about.lost is not None:
        state, step, since, params = DeviceState.OFFLINE, about.lost.step, about.lost.since, about.lost.params
    elif device.kind is DeviceKind.RTSP:
        state, step = DeviceState.ONLINE, ""
    elif state is DeviceState.NEVER:
        step = _NEVER.get(device.kind, "device_never_registered")
    elif state is DeviceState.ONLINE and device.kind in (DeviceKind.JT808, DeviceKind.AIS):
        step = figure.code_of_refusal  # somebody else in its name, or it in another's
    return DeviceOut(
        id=device.id, kind=device.kind, name=device.name, code=device.code,
        url=device.url if trusted else "", sub_url=device.sub_url if trusted else "",
        username=device.username if trusted else "", area=device.area, organisation=device.organisation,
        manufacturer=device.manufacturer, model=device.model, firmware=device.firmware,
        transport=cast("Transport", device.transport), charset=cast("Charset", device.charset),
        enabled=device.enabled, simulated=device.demo, state=state, step=step,
        sentence=sentence(step, params, who.language) if step else "",
        since=since or None, address=device.address if trusted else "", user_agent=device.user_agent,
        version=device.version, channels=about.channels, last_keepalive=figure.last_keepalive or None,
        clock_offset_ms=figure.clock_offset_ms, position_seconds=device.position_seconds,
        position=position_out(about.position),
        digests=cast("Digests", device.digests), created_at=device.created_at, revision=device.revision,
    )  # fmt: skip


async def _about(here: Services, devices: list[Device]) -> dict[str, _About]:
    def work(tx: Tx) -> dict[str, _About]:
        places = of_devices(tx, [device.id for device in devices])
        about: dict[str, _About] = {}
        for one in devices:
            own = of_device(tx, one.id)
            lost = lost_of(map(here.board.standing, own)) if one.kind is DeviceKind.RTSP else None
            about[one.id] = _About(len(own), places.get((one.id, one.code)), lost)
        return about

    return await here.database.read(work)


async def _tagged(here: Services, who: Actor, response: Response, device: Device) -> DeviceOut:
    about = await _about(here, [device])
    return tag(response, device_out(here, who, device, about[device.id]))
