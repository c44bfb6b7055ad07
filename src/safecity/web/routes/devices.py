"""Devices: add, change, look, test before saving."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor, Thing, allowed
from safecity.core.ground.channels.api import of_device
from safecity.core.ground.devices.api import Device, DeviceKind, NewDevice, split_url
from safecity.kit.errors import UnavailableError
from safecity.model.facts.signal_calls import DeviceFigure, QueryDevice
from safecity.web.guard import Here, Routes, Who
from safecity.web.idempotent import Once, once
from safecity.web.services import Services
from safecity.web.shapes import (
    Answer,
    Ask,
    Moment,
    OptionalMoment,
    Page,
    Secret,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("devices")
Url = Annotated[str, Field(max_length=1000)]
Transport = Literal["", "auto", "udp", "tcp", "tcp_passive", "tcp_active"]
IfMatch = Annotated[str | None, Header(max_length=50)]


class DeviceOut(Answer):
    """A device, without its password. `simulated`: it belongs to the demo city."""

    id: str
    kind: str
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
    transport: str
    charset: str
    enabled: bool
    simulated: bool
    state: str
    step: str
    sentence: str
    since: OptionalMoment
    address: str
    user_agent: str
    version: str
    channels: int
    last_keepalive: OptionalMoment
    clock_offset_ms: int
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
    """A new device, once with its credentials (GB/T 28181 only)."""

    registration: Credentials | None


class DeviceAsk(Ask):
    """`gb28181` needs `code`, `rtsp` needs `url`. An empty GB/T 28181 password is made."""

    kind: Literal["gb28181", "rtsp"]
    name: Text = ""
    code: Annotated[str, Field(max_length=40)] = ""
    url: Url = ""
    sub_url: Url = ""
    username: Secret = ""
    password: Secret = ""
    area: ThingId | None = None
    organisation: ThingId | None = None
    transport: Transport = ""
    charset: Literal["GB18030", "GB2312", "GBK", "UTF-8"] = "GB18030"
    record_mode: Literal["off", "continuous", "schedule"] = "continuous"


class DevicePatch(Ask):
    """What is to change. A new password is sealed and never shown."""

    name: Text | None = None
    url: Url | None = None
    sub_url: Url | None = None
    username: Secret | None = None
    password: Secret | None = None
    area: ThingId | None = None
    organisation: ThingId | None = None
    transport: Transport | None = None
    charset: Literal["GB18030", "GB2312", "GBK", "UTF-8"] | None = None
    enabled: bool | None = None


class TestAsk(Ask):
    """An RTSP address to try before saving."""

    kind: Literal["rtsp"] = "rtsp"
    url: Url
    username: Secret = ""
    password: Secret = ""


class TestOut(Answer):
    """`step` is the failed step, `sentence` says it in words."""

    ok: bool
    step: str
    sentence: str
    params: dict[str, Any]
    tracks: list[dict[str, Any]]


class UnknownOut(Answer):
    """Somebody who tried to register and is not in the list."""

    code: str
    address: str
    transport: str
    user_agent: str
    last_seen: Moment
    attempts: int


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
    counts = await _counts(here, found)
    items = [device_out(here, who, device, counts.get(device.id, 0)) for device in found]
    return Page(items=items, next=write_cursor(*more) if more else None)


@routes.get("/devices/unknown", Action.DEVICE_ADD)
async def list_unknown(who: Who, here: Here) -> Page[UnknownOut]:
    """Devices that tried to register and are in nobody's list."""
    return Page(items=[UnknownOut.model_validate(one) for one in here.duties.figures.unknown])


@routes.post("/devices/test", Action.DEVICE_ADD)
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
    return TestOut(ok=found.ok, step=found.step, sentence=said, params=found.params, tracks=found.tracks)


@routes.post("/devices", Action.DEVICE_ADD, status_code=201)
async def add_device(ask: DeviceAsk, who: Who, here: Here, response: Response, key: Once = "") -> DeviceMade:
    """A new device. With an Idempotency-Key a repeated request answers the same and adds nothing."""

    async def add() -> DeviceMade:
        device, password = await here.devices.add(who, NewDevice(**ask.model_dump()))
        here.duties.look_again()
        here.hub.changed([("device", device.id)])
        plain = device_out(here, who, device, 1 if device.kind is DeviceKind.RTSP else 0)
        registration = await credentials(here, device, password) if device.kind is DeviceKind.GB28181 else None
        return DeviceMade(**plain.model_dump(), registration=registration)

    return await once(here, who, "add_device", key, DeviceMade, add)


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
async def refresh_device(device: str, who: Who, here: Here) -> DeviceOut:
    """Ask the device for its catalogue and description again."""
    found = await here.devices.see(who, device, Action.DEVICE_CHANGE)
    if found.kind is DeviceKind.GB28181:
        await here.calls.call("signal", QueryDevice(device, "DeviceInfo"), timeout=8)
        await here.calls.call("signal", QueryDevice(device, "Catalog"), timeout=20)
    return device_out(here, who, found, 0)


async def credentials(here: Services, device: Device, password: str) -> Credentials:
    """What somebody types into the device."""
    platform = await here.settings.read()
    return Credentials(
        platform_code=platform.code,
        domain=platform.domain or platform.code[:10],
        host=platform.public_host,
        port=here.web.sip_port,
        device_code=device.code,
        username=device.username or device.code,
        password=password,
        transport=device.transport,
    )


def device_out(here: Services, who: Actor, device: Device, channels: int) -> DeviceOut:
    """As one reader sees it: addresses and names of accounts are for those who may change it."""
    trusted = allowed(who, Action.DEVICE_CHANGE, Thing("device", device.area_path))
    figure = next((f for f in here.duties.figures.devices if f.device == device.id), DeviceFigure("", "", "", 0))
    state, step = str(device.state), device.state_code
    if device.kind is DeviceKind.RTSP:
        state, step = "online", ""
    elif state == "never":
        step = "device_never_registered"
    return DeviceOut(
        id=device.id, kind=str(device.kind), name=device.name, code=device.code,
        url=device.url if trusted else "", sub_url=device.sub_url if trusted else "",
        username=device.username if trusted else "", area=device.area, organisation=device.organisation,
        manufacturer=device.manufacturer, model=device.model, firmware=device.firmware, transport=device.transport,
        charset=device.charset, enabled=device.enabled, simulated=device.demo, state=state, step=step,
        sentence=sentence(step, {"name": device.name}, who.language) if step else "",
        since=device.state_since or None, address=device.address if trusted else "", user_agent=device.user_agent,
        version=device.version, channels=channels, last_keepalive=figure.last_keepalive or None,
        clock_offset_ms=figure.clock_offset_ms, created_at=device.created_at, revision=device.revision,
    )  # fmt: skip


async def _counts(here: Services, devices: list[Device]) -> dict[str, int]:
    return await here.database.read(lambda tx: {device.id: len(of_device(tx, device.id)) for device in devices})


async def _tagged(here: Services, who: Actor, response: Response, device: Device) -> DeviceOut:
    response.headers["ETag"] = f'"{device.revision}"'
    counts = await _counts(here, [device])
    return device_out(here, who, device, counts.get(device.id, 0))
