"""Pure translation between the words of GB/T 28181 and those of the platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from safecity.kit.errors import InvalidError, Param
from safecity.model.facts.signal_calls import Steer
from safecity.protocols.gb28181.answers import HomePositionItem
from safecity.protocols.gb28181.body import Body, OtherBody, Query
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.codes import clean_code, is_video_channel, node_kind
from safecity.protocols.gb28181.controls import (
    ControlInfo,
    DeviceConfig,
    DeviceControl,
    DragZoom,
    PreciseControl,
    PtzParameters,
)
from safecity.protocols.gb28181.manscdp import BODIES
from safecity.protocols.gb28181.notices import AlarmNotify, PositionItem
from safecity.protocols.gb28181.ptz import (
    Aux,
    Cruise,
    CruiseAct,
    Lens,
    Move,
    Preset,
    PresetAct,
    PtzCommand,
    Scan,
    ScanAct,
    encode_ptz,
)
from safecity.protocols.gb28181.times import parse_local

_TEXT_LIMIT = 512


def plain(value: Any) -> Any:
    """Plain data with the element names of the standard; what is absent is left out."""
    return _without_none(msgspec.to_builtins(value))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


# --- steering -------------------------------------------------------------------------------------------------


def steer_body(steer: Steer, code: str, sn: int, version: str) -> DeviceControl:
    """The control a Steer becomes; InvalidError (`ptz_unknown_action`, `ptz_out_of_range`) for what is none."""
    command = _ptz_command(steer)
    if command is not None:
        name = str(steer.extra.get("name") or "")[:32]
        parameters = None
        if name and version >= "3.0" and steer.action == "preset_set":
            parameters = PtzParameters(preset_name=name)
        elif name and version >= "3.0" and steer.action in ("cruise_add", "cruise_start"):
            parameters = PtzParameters(cruise_track_name=name)
        priority = steer.extra.get("priority")
        return DeviceControl(
            sn=sn,
            device_id=code,
            ptz_cmd=encode_ptz(command),
            ptz_cmd_params=parameters,
            info=ControlInfo(control_priority=int(priority or 0)) if priority is not None else None,
        )
    return _other_control(steer, code, sn, version)


def _ptz_command(steer: Steer) -> PtzCommand | None:
    number, second, value = steer.number, steer.second, round(steer.value)
    match steer.action:
        case "move":
            return Move(_speed(steer.pan, 255), _speed(steer.tilt, 255), _speed(steer.zoom, 15))
        case "stop" | "cruise_stop" | "scan_stop":
            return Move()
        case "iris" | "focus" | "lens":
            return Lens(_speed(steer.focus, 255), _speed(steer.iris, 255))
        case "preset_set" | "preset_call" | "preset_delete":
            return Preset(PresetAct(steer.action[7:]), number)
        case "cruise_add" | "cruise_delete":
            return Cruise(CruiseAct(steer.action[7:]), number, second)
        case "cruise_speed" | "cruise_dwell":
            return Cruise(CruiseAct(steer.action[7:]), number, value)
        case "cruise_start":
            return Cruise(CruiseAct.START, number)
        case "scan_start" | "scan_left" | "scan_right":
            return Scan(ScanAct(steer.action[5:]), number)
        case "scan_speed":
            return Scan(ScanAct.SPEED, number, value)
        case "aux_on" | "aux_off":
            return Aux(steer.action == "aux_on", number)
        case _:
            return None


def _speed(part: float, most: int) -> int:
    """-1..1 to a speed; whatever is not still moves at least at the lowest speed."""
    part = max(-1.0, min(1.0, part))
    speed = round(abs(part) * most)
    if part and not speed:
        speed = 1
    return speed if part >= 0 else -speed


def _other_control(steer: Steer, code: str, sn: int, version: str) -> DeviceControl:
    def control(**fields: Any) -> DeviceControl:
        return DeviceControl(sn=sn, device_id=code, **fields)

    match steer.action:
        case "key_frame":
            return key_frame_body(code, sn, version)
        case "reboot":
            return control(tele_boot="Boot")
        case "guard_on" | "guard_off":
            return control(guard_cmd="SetGuard" if steer.action == "guard_on" else "ResetGuard")
        case "record_on" | "record_off":
            return control(record_cmd="Record" if steer.action == "record_on" else "StopRecord")
        case "alarm_reset":
            method, kind = steer.extra.get("method"), steer.extra.get("type")
            info = None
            if method or kind:
                info = ControlInfo(alarm_method=str(method) if method else None, alarm_type=str(kind) if kind else None)
            return control(alarm_cmd="ResetAlarm", info=info)
        case "home_on":
            home = HomePositionItem(enabled=1, reset_time=round(steer.value) or 60, preset_index=steer.number or 1)
            return control(home_position=home)
        case "home_off":
            return control(home_position=HomePositionItem(enabled=0))
        case "drag_in":
            return control(drag_zoom_in=_drag(steer.extra))
        case "drag_out":
            return control(drag_zoom_out=_drag(steer.extra))
        case "precise":
            return control(ptz_precise_ctrl=PreciseControl(pan=steer.pan, tilt=steer.tilt, zoom=steer.zoom))
        case "format_card":
            return control(format_sd_card=steer.number)
        case "track":
            mode = str(steer.extra.get("mode") or "Auto")
            area = _drag(steer.extra) if mode == "Manual" else None
            return control(target_track=mode, device_id2=code, target_area=area)
        case _:
            raise InvalidError(f"no such act: {steer.action[:40]!r}", code="ptz_unknown_action")


def _drag(extra: Mapping[str, Param]) -> DragZoom:
    """Pixels of the play window: width and height of it, middle and size of the drawn rectangle."""

    def pixels(name: str) -> int:
        try:
            number = round(float(extra.get(name) or 0))
        except (TypeError, ValueError):
            raise InvalidError(f"{name} is no number", code="ptz_out_of_range", params={"name": name}) from None
        if not 0 <= number <= 16_384:
            raise InvalidError(f"{name}: {number}", code="ptz_out_of_range", params={"name": name, "value": number})
        return number

    return DragZoom(
        length=pixels("width"),
        width=pixels("height"),
        mid_point_x=pixels("x"),
        mid_point_y=pixels("y"),
        length_x=pixels("w"),
        length_y=pixels("h"),
    )


def key_frame_body(code: str, sn: int, version: str) -> DeviceControl:
    """The misspelt command up to 2016, the right one since 2022."""
    if version >= "3.0":
        return DeviceControl(sn=sn, device_id=code, iframe_cmd="Send")
    return DeviceControl(sn=sn, device_id=code, ifame_cmd="Send")


# --- asking ---------------------------------------------------------------------------------------------------


def query_body(command: str, code: str, sn: int, fields: Mapping[str, Param]) -> Body:
    """A query by its CmdType, fields by element name; InvalidError (`gb_unknown_query`) for unknown commands."""
    kind = BODIES.get(("Query", command.lower()))
    if kind is None:
        raise InvalidError(f"no such query: {command[:40]!r}", code="gb_unknown_query")
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    values = {name: value for name, value in fields.items() if name in known and value is not None}
    try:
        return msgspec.convert({**values, "SN": sn, "DeviceID": code}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidError(f"{command}: {error}", code="gb_bad_query") from error


_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")
MAX_CONFIG_VALUES = 500
MAX_CONFIG_TEXT = 1024


def config_body(code: str, sn: int, fields: Mapping[str, Any]) -> DeviceConfig:
    """A DeviceConfig; InvalidError (`gb_bad_config`) for types we do not know, values that do not fit them, and for
    what could not stand in XML."""
    known = {field.encode_name for field in msgspec.structs.fields(DeviceConfig)} - {"SN", "DeviceID"}
    if not fields or not fields.keys() <= known:
        unknown = next(iter(sorted(fields.keys() - known)), "")
        raise _bad_config(unknown)
    _check_plain(fields, [0])
    try:
        return msgspec.convert({**fields, "SN": sn, "DeviceID": code}, DeviceConfig, strict=False)
    except msgspec.ValidationError as error:
        raise _bad_config(str(error)[:120]) from error


def _check_plain(value: Any, count: list[int], depth: int = 0) -> None:
    count[0] += 1
    if count[0] > MAX_CONFIG_VALUES or depth > 6:
        raise _bad_config("too much")
    if isinstance(value, Mapping):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(name, str) or _ELEMENT.fullmatch(name) is None:
                raise _bad_config(str(name)[:64])  # pyright: ignore[reportUnknownArgumentType]
            _check_plain(inner, count, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            _check_plain(inner, count, depth + 1)
    elif isinstance(value, str):
        if len(value) > MAX_CONFIG_TEXT:
            raise _bad_config(value[:64])
    elif not isinstance(value, int | float | None):
        raise _bad_config(type(value).__name__)


def _bad_config(what: str) -> InvalidError:
    return InvalidError(f"configuration: {what}", code="gb_bad_config", params={"what": what})


def is_query(body: Body) -> bool:
    return isinstance(body, Query) or (isinstance(body, OtherBody) and body.root == "Query")


# --- facts ----------------------------------------------------------------------------------------------------


def channel_fact(item: CatalogItem) -> dict[str, Any]:
    """One item of a catalogue as event data, in our words; what it does not say is absent.

    `kind` and `video` are what its code says; elements that have no word of ours stand in `extra`.
    """
    code = clean_code(item.device_id)
    info = item.info
    streams = (info.stream_number_list if info else None) or item.stream_number_list or ""
    fact: dict[str, Any] = {
        "code": code,
        "kind": str(node_kind(code)),
        "video": is_video_channel(code) and not (item.parental == 1 and code[10:13] in ("111", "112", "118", "130")),
        "name": (item.name or "").strip(),
        "manufacturer": item.manufacturer,
        "model": item.model,
        "owner": item.owner,
        "civil_code": None if (item.civil_code or "").lower() == "null" else item.civil_code,
        "address": item.address,
        "parental": item.parental,
        "parent_id": item.parent_id,
        "status": None if item.status is None else "ON" if item.is_on else "OFF",
        "longitude": item.longitude if item.longitude and abs(item.longitude) <= 180 else None,
        "latitude": item.latitude if item.latitude and abs(item.latitude) <= 90 else None,
        "ptz_type": item.steering or None,
        "ip": item.ip_address,
        "port": item.port,
        "business_group": item.business_group_id or (info.business_group_id if info else None),
        "stream_number": streams.count("/") + 1 if streams else None,
    }
    fact = {
        name: value[:_TEXT_LIMIT] if isinstance(value, str) else value
        for name, value in fact.items()
        if value is not None and value != ""
    }
    extra: dict[str, Any] = {name: value for name, value in msgspec.to_builtins(item).items() if name not in _WORDED}
    if extra:
        fact["extra"] = extra
    return fact


_WORDED = frozenset(
    {
        *(
            "DeviceID",
            "Event",
            "Name",
            "Manufacturer",
            "Model",
            "Owner",
            "CivilCode",
            "Address",
            "Parental",
            "ParentID",
        ),
        *("Status", "Longitude", "Latitude", "PTZType", "IPAddress", "Port", "BusinessGroupID", "StreamNumberList"),
        "Password",
    }
)
"""Elements that have a word of ours, and the one that must not travel."""


def alarm_fact(alarm: AlarmNotify, channel: str, now_us: int) -> dict[str, Any]:
    """Event data; `time_us` is by the device's own clock."""
    info = alarm.info
    kind = (info.alarm_type if info else None) or alarm.alarm_type or ""
    event_type = info.alarm_type_param.event_type if info and info.alarm_type_param else None
    return {
        "channel": channel,
        "code": clean_code(alarm.device_id),
        "priority": _digit(alarm.alarm_priority, 4),
        "method": _digit(alarm.alarm_method, 7),
        "type": kind[:16],
        "event_type": event_type,
        "time_us": parse_local(alarm.alarm_time) or now_us,
        "description": (alarm.alarm_description or "")[:_TEXT_LIMIT],
        "longitude": alarm.longitude,
        "latitude": alarm.latitude,
    }


def position_fact(item: PositionItem, channel: str, now_us: int) -> dict[str, Any] | None:
    """Event data in SI units: m/s, degrees from north, metres; None where the place makes no sense."""
    longitude, latitude = item.longitude, item.latitude
    if longitude is None or latitude is None or abs(longitude) > 180 or abs(latitude) > 90:
        return None
    return {
        "channel": channel,
        "code": clean_code(item.device_id),
        "time_us": parse_local(item.capture_time) or now_us,
        "longitude": longitude,
        "latitude": latitude,
        "speed": None if item.speed is None else round(item.speed / 3.6, 3),
        "direction": item.direction,
        "altitude": item.altitude,
    }


def _digit(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 4 else default
