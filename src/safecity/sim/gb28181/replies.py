"""Answers to queries (GB/T 28181, annex A.2.6), from the state of the device. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

import msgspec

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import Quality
from safecity.protocols.gb28181 import answers, queries
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.catalog import CatalogItem, ItemInfo
from safecity.protocols.gb28181.times import local_text, parse_local
from safecity.sim.camera import RecordedFile, recorded_files
from safecity.sim.gb28181.state import Channel, DeviceState
from safecity.sim.scene.lens import PAN_LIMIT, TILT_LIMIT

_MAX_FILES = 2000
T = TypeVar("T")


def replies(state: DeviceState, query: Body) -> Sequence[Body]:
    """The messages that answer a query, in order; empty where a device keeps silent."""
    sn, code = query.sn, query.device_id or state.spec.code
    match query:
        case queries.CatalogQuery():
            return list(_catalog(state, sn, code))
        case queries.DeviceInfoQuery():
            return [device_info(state, sn, code)]
        case queries.DeviceStatusQuery():
            return [device_status(state, sn, code)]
        case queries.RecordInfoQuery():
            return list(_records(state, query, code))
        case queries.ConfigDownloadQuery():
            return list(_configuration(state, query, code))
        case queries.PresetQuery():
            return [_presets(state, sn, code)]
        case queries.HomePositionQuery():
            return [_home(state, sn, code)]
        case queries.CruiseTrackListQuery() | queries.CruiseTrackQuery() | queries.PtzPositionQuery():
            return [_steering(state, query, code)]
        case queries.SdCardStatusQuery():
            free = 122_000 if state.config.get("card") == "empty" else 40_000
            card = answers.SdCardItem(id=1, hdd_name="SD", status="ok", capacity=122_000, free_space=free)
            return [answers.SdCardStatusResponse(sn=sn, device_id=code, sum_num=1, sd_card_status_info=(card,))]
        case _:
            return []


def catalog_item(state: DeviceState, channel: Channel, event: str | None = None) -> CatalogItem:
    """A channel as it stands in the catalogue, in the words of the device's year."""
    spec, profile = state.spec, state.spec.profile
    new, camera = profile.version == "3.0", channel.camera.spec
    info = ItemInfo(
        ptz_type=3 if camera.fixed else 1,
        resolution="/".join(_resolution(video.height) for video in (camera.main, camera.sub) if video is not None),
        stream_number_list=("0/1" if camera.sub else "0") if new else None,
        download_speed="1/2/4",
        encode_type="H.265" if new and camera.main.codec == "h265" else None,
    )
    item = CatalogItem(
        device_id=channel.code, event=event, name=channel.name, manufacturer=profile.manufacturer,
        model=profile.model, civil_code=channel.civil_code or channel.code[:6], address=channel.address or "-",
        parental=0, parent_id=spec.code, register_way=1, secrecy=0, status="ON" if channel.on else "OFF",
        longitude=channel.longitude, latitude=channel.latitude, info=info,
    )  # fmt: skip
    if not new:
        item = msgspec.structs.replace(item, owner="Owner", safety_way=0)
    return item


def _resolution(height: int) -> str:
    sizes = ((144, "1"), (288, "2"), (576, "4"), (720, "5"))
    return next((code for limit, code in sizes if height <= limit), "6")


def _catalog(state: DeviceState, sn: int, code: str) -> Iterator[answers.CatalogResponse]:
    spec = state.spec
    if code == spec.code:
        items = [catalog_item(state, channel) for channel in state.channels.values()]
    else:  # an area: what lies in it; a channel: itself; anything else: nothing
        inside = [each for each in state.channels.values() if each.code == code or _lies_in(each, code)]
        items = [catalog_item(state, channel) for channel in inside]
    if not items:
        yield answers.CatalogResponse(sn=sn, device_id=code, sum_num=0)
        return
    total = len(items)
    if state.faults.half_catalog:
        items = items[: state.faults.half_catalog]
    for some in _batches(items, spec.profile.batch):
        yield answers.CatalogResponse(sn=sn, device_id=code, sum_num=total, device_list=tuple(some))


def _lies_in(channel: Channel, code: str) -> bool:
    return len(code) in (2, 4, 6, 8) and (channel.civil_code or channel.code).startswith(code)


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, max(1, size))):
        yield some


def device_info(state: DeviceState, sn: int, code: str) -> answers.DeviceInfoResponse:
    """Name, maker, model and how many channels."""
    profile = state.spec.profile
    return answers.DeviceInfoResponse(
        sn=sn, device_id=code, device_name=state.spec.name, result="OK", manufacturer=profile.manufacturer,
        model=profile.model, firmware=profile.firmware, channel=len(state.channels),
    )  # fmt: skip


def device_status(state: DeviceState, sn: int, code: str) -> answers.DeviceStatusResponse:
    """Of the device, or of the channel asked for."""
    asked = [state.channels[code]] if code in state.channels else list(state.channels.values())
    duty = tuple(
        answers.AlarmStatusItem(
            device_id=each.code, duty_status="ALARM" if each.alarmed else "ONDUTY" if each.guarded else "OFFDUTY"
        )
        for each in asked
    )
    on = any(each.on for each in asked)
    return answers.DeviceStatusResponse(
        sn=sn, device_id=code, result="OK", online="ONLINE" if on else "OFFLINE", status="OK", encode="ON",
        record="ON" if any(each.recording for each in asked) else "OFF", device_time=local_text(state.now_us()),
        alarm_status=duty,
    )  # fmt: skip


def files_of(state: DeviceState, start_us: int, end_us: int) -> list[RecordedFile]:
    """The device's files of [start, end), all times by the device's clock."""
    error = state.error_us
    found = recorded_files(start_us - error, end_us - error, state.oldest_us(), state.clock.now_us())
    return [replace(file, start_us=file.start_us + error, end_us=file.end_us + error) for file in found[:_MAX_FILES]]


def _records(state: DeviceState, query: queries.RecordInfoQuery, code: str) -> Iterator[answers.RecordInfoResponse]:
    channel = state.channel(code)
    start, end = parse_local(query.start_time), parse_local(query.end_time)
    files: list[RecordedFile] = []
    if channel is not None and start is not None and end is not None:
        kinds = ("time", "alarm") if (query.type or "all") == "all" else (query.type,)
        files = [file for file in files_of(state, start, end) if file.kind in kinds]
    name = channel.name if channel else code
    if not files:
        yield answers.RecordInfoResponse(sn=query.sn, device_id=code, name=name, sum_num=0)
        return
    kbps = channel.camera.video(Quality.MAIN).kbps if channel else 0
    items = [
        answers.RecordItem(
            device_id=code, name=name, file_path=f"/disk0/{file.start_us // SECOND_US}.ps", address="Address 1",
            start_time=local_text(file.start_us), end_time=local_text(file.end_us), secrecy=0, type=file.kind,
            file_size=(file.end_us - file.start_us) // SECOND_US * kbps * 125,
            recorder_id=state.spec.code,
        )
        for file in files
    ]  # fmt: skip
    for some in _batches(items, state.spec.profile.batch):
        yield answers.RecordInfoResponse(
            sn=query.sn, device_id=code, name=name, sum_num=len(items), record_list=tuple(some)
        )


def _configuration(
    state: DeviceState, query: queries.ConfigDownloadQuery, code: str
) -> Iterator[answers.ConfigDownloadResponse]:
    spec = state.spec
    empty = answers.ConfigDownloadResponse(sn=query.sn, device_id=code, result="OK")
    for name in query.config_type.split("/"):
        match name.strip():
            case "BasicParam":
                basic = answers.BasicParam(
                    name=state.config.get("Name", spec.name), expiration=spec.expires_seconds,
                    heart_beat_interval=round(spec.keepalive_seconds), heart_beat_count=spec.keepalive_misses,
                )  # fmt: skip
                yield msgspec.structs.replace(empty, basic_param=basic)
            case "VideoParamOpt":
                yield msgspec.structs.replace(empty, video_param_opt={"DownloadSpeed": "1/2/4", "Resolution": "5/2"})
            case "FrameMirror" if spec.profile.version == "3.0":
                yield msgspec.structs.replace(empty, frame_mirror=state.config.get("FrameMirror", "0"))
            case "OSDConfig" if spec.profile.version == "3.0":
                yield msgspec.structs.replace(empty, osd_config={"TimeEnable": "1", "TextEnable": "1"})
            case "SnapShotConfig" if spec.profile.version == "3.0":
                yield msgspec.structs.replace(empty, snap_shot_config=answers.SnapShotConfig(snap_num=1, interval=1))
            case _:
                yield msgspec.structs.replace(empty, result="ERROR")


def _presets(state: DeviceState, sn: int, code: str) -> answers.PresetResponse:
    channel = state.channel(code)
    stored = sorted(channel.camera.lens.presets.values(), key=lambda each: each.number) if channel else []
    items = tuple(answers.PresetItem(preset_id=str(each.number), preset_name=each.name) for each in stored)
    return answers.PresetResponse(sn=sn, device_id=code, result="OK", sum_num=len(items), preset_list=items or None)


def _home(state: DeviceState, sn: int, code: str) -> answers.HomePositionResponse:
    channel = state.channel(code)
    home = channel.camera.lens.home if channel else None
    item = answers.HomePositionItem(
        enabled=int(state.config.get(f"home/{code}", "0")), reset_time=30, preset_index=home.number if home else 0
    )
    return answers.HomePositionResponse(sn=sn, device_id=code, home_position=item)


def _steering(state: DeviceState, query: Body, code: str) -> Body:
    channel = state.channel(code)
    lens = channel.camera.lens if channel else None
    cruises = lens.cruises if lens else {}
    match query:
        case queries.CruiseTrackQuery(number=number):
            cruise = cruises.get(number or 0)
            points = [answers.CruisePoint(preset_index=each, stay_time=round(cruise.dwell), speed=8)
                      for each in cruise.points] if cruise else []  # fmt: skip
            return answers.CruiseTrackResponse(
                sn=query.sn, device_id=code, number=number, name=f"Cruise {number}", sum_num=len(points),
                cruise_point_list=tuple(points) or None,
            )  # fmt: skip
        case queries.PtzPositionQuery():
            pose = lens.pose if lens else None
            return answers.PtzPositionResponse(
                sn=query.sn, device_id=code, pan=round(pose.pan % 360, 2) if pose else 0.0,
                tilt=round(pose.tilt, 2) if pose else 0.0, zoom=round(pose.zoom, 2) if pose else 1.0,
                horizontal_field_angle=2 * PAN_LIMIT, vertical_field_angle=2 * TILT_LIMIT, max_view_distance=200.0,
            )  # fmt: skip
        case _:
            tracks = tuple(answers.CruiseTrackItem(number=each, name=f"Cruise {each}") for each in sorted(cruises))
            return answers.CruiseTrackListResponse(
                sn=query.sn, device_id=code, sum_num=len(tracks), cruise_track_list=tracks or None
            )
