"""A device's own configuration, read from it and written to it (GB/T 28181: ConfigDownload, DeviceConfig)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor, Thing
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels.api import thing_of
from safecity.core.ground.devices.api import Device, DeviceKind
from safecity.kit.errors import RefusedError, UnavailableError
from safecity.model.facts.signal_calls import Answered, ConfigureDevice, QueryDevice
from safecity.web.guard import Here, Routes, Who
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask

routes = Routes("devices")
ANSWER_SECONDS = 25.0
Kind = Literal[
    "BasicParam", "VideoParamOpt", "VideoParamConfig", "AudioParamOpt", "AudioParamConfig", "SVACEncodeConfig",
    "SVACDecodeConfig", "VideoParamAttribute", "VideoRecordPlan", "VideoAlarmRecord", "PictureMask", "FrameMirror",
    "AlarmReport", "OSDConfig", "SnapShotConfig",
]  # fmt: skip
Kinds = Annotated[list[Kind], Query(max_length=15)]
Part = Literal[
    "VideoParamAttribute", "VideoRecordPlan", "VideoAlarmRecord", "PictureMask", "FrameMirror", "AlarmReport",
    "OSDConfig", "SVACEncodeConfig", "SVACDecodeConfig",
]  # fmt: skip
_BASIC: list[Kind] = ["BasicParam"]
_SECRET = "Password"  # noqa: S105 - the name of an element


class Basic(Ask):
    """What every device has. Registration and keepalives in seconds; what is left out stays as it is."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    expiration: Annotated[int, Field(ge=3600, le=604_800)] | None = None
    heartbeat_seconds: Annotated[int, Field(ge=5, le=3600)] | None = None
    heartbeat_count: Annotated[int, Field(ge=1, le=60)] | None = None


class ConfigurationAsk(Ask):
    """`parts`: types of the edition of 2022 by element name, as a read answers them, for devices that have them."""

    basic: Basic | None = None
    parts: Annotated[dict[Part, Any], Field(max_length=9, default_factory=dict)]


class ConfigurationOut(Answer):
    """By type, with the element names of the standard. `complete` false: the device told `received` of `total`."""

    parts: dict[str, Any]
    complete: bool
    received: int
    total: int


@routes.get("/devices/{device}/configuration", Action.DEVICE_CHANGE)
async def see_device_configuration(device: str, who: Who, here: Here, types: Kinds = _BASIC) -> ConfigurationOut:
    """Ask the device."""
    found = await _device(here, who, device)
    return await _read(here, found.id, "", types)


@routes.patch("/devices/{device}/configuration", Action.DEVICE_CHANGE, status_code=204)
async def change_device_configuration(device: str, ask: ConfigurationAsk, who: Who, here: Here) -> None:
    """Write to the device; it has said OK when this answers."""
    found = await _device(here, who, device)
    await _write(
        here, who, Action.DEVICE_CHANGE, Thing("device", found.area_path, id=found.id), found.name, ask, found.id, ""
    )


@routes.get("/channels/{channel}/configuration", Action.CHANNEL_CHANGE)
async def see_channel_configuration(
    channel: str, who: Who, here: Here, types: Kinds = _BASIC
) -> ConfigurationOut:  # fmt: skip
    """Ask the device about one of its channels."""
    found = await here.channels.find(who, Action.CHANNEL_CHANGE, channel)
    _pushed_only(bool(found.sources), found.name)
    return await _read(here, found.device, found.code, types)


@routes.patch("/channels/{channel}/configuration", Action.CHANNEL_CHANGE, status_code=204)
async def change_channel_configuration(channel: str, ask: ConfigurationAsk, who: Who, here: Here) -> None:
    """Write to one channel of the device."""
    found = await here.channels.find(who, Action.CHANNEL_CHANGE, channel)
    _pushed_only(bool(found.sources), found.name)
    await _write(here, who, Action.CHANNEL_CHANGE, thing_of(found), found.name, ask, found.device, found.code)


async def _device(here: Services, who: Actor, device: str) -> Device:
    found = await here.devices.see(who, device, Action.DEVICE_CHANGE)
    _pushed_only(found.kind is not DeviceKind.GB28181, found.name)
    return found


def _pushed_only(pulled: bool, name: str) -> None:
    if pulled:
        raise RefusedError("RTSP alone has no configuration", code="configuration_not_offered", params={"name": name})


async def _read(here: Services, device: str, code: str, types: list[Kind]) -> ConfigurationOut:
    message = QueryDevice(device, "ConfigDownload", code, {"ConfigType": "/".join(dict.fromkeys(types))})
    answer = await here.calls.call("signal", message, timeout=ANSWER_SECONDS)
    if not isinstance(answer, Answered):
        raise UnavailableError("no configuration", code="answer_unexpected")
    parts = {name: _open(value) for name, value in answer.body.items() if name not in ("SN", "DeviceID", "Result")}
    return ConfigurationOut(parts=parts, complete=answer.complete, received=answer.received, total=answer.total)


async def _write(
    here: Services, who: Actor, action: Action, thing: Thing, name: str, ask: ConfigurationAsk, device: str, code: str
) -> None:
    fields: dict[str, Any] = {str(name): part for name, part in ask.parts.items()}
    if ask.basic is not None:
        basic = ask.basic
        values = {
            "Name": basic.name, "Expiration": basic.expiration, "HeartBeatInterval": basic.heartbeat_seconds,
            "HeartBeatCount": basic.heartbeat_count,
        }  # fmt: skip
        fields["BasicParam"] = {name: value for name, value in values.items() if value is not None}
    what = ", ".join(sorted(fields))
    await here.database.write(lambda tx: note(tx, who, action, thing, name, configured=what))
    await here.calls.call("signal", ConfigureDevice(device, code, fields), timeout=ANSWER_SECONDS)


def _open(value: Any) -> Any:
    """Without passwords, whatever a device tells."""
    if isinstance(value, dict):
        return {key: _open(inner) for key, inner in value.items() if key != _SECRET}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_open(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value
