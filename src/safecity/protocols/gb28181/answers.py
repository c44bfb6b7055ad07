"""Bodies under `<Response>` (annex A.2.6). `Result` is OK or ERROR. Times are local (UTC+8)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from safecity.protocols.gb28181.body import Response
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.elements import Part, Plain


class CatalogResponse(Response, frozen=True, kw_only=True):
    """SumNum is the grand total over all messages with this SN; a device with nothing says 0 and sends no list."""

    COMMAND: ClassVar[str] = "Catalog"
    sum_num: int | None = None
    device_list: tuple[CatalogItem, ...] | None = None


class DeviceInfoResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "DeviceInfo"
    device_name: str | None = None
    result: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    channel: int | None = None


class AlarmStatusItem(Part, frozen=True, kw_only=True):
    """DutyStatus: ONDUTY, OFFDUTY, ALARM."""

    device_id: str = ""
    duty_status: str | None = None


class DeviceStatusResponse(Response, frozen=True, kw_only=True):
    """Online: ONLINE or OFFLINE. Encode and Record: ON or OFF."""

    COMMAND: ClassVar[str] = "DeviceStatus"
    result: str | None = None
    online: str | None = None
    status: str | None = None
    reason: str | None = None
    encode: str | None = None
    record: str | None = None
    device_time: str | None = None
    alarm_status: tuple[AlarmStatusItem, ...] | None = field(default=None, name="Alarmstatus")


class RecordItem(Part, frozen=True, kw_only=True):
    device_id: str = ""
    name: str | None = None
    file_path: str | None = None
    address: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    secrecy: int | None = None
    type: str | None = None
    recorder_id: str | None = None
    file_size: int | None = None
    record_location: str | None = None
    stream_number: int | None = None


class RecordInfoResponse(Response, frozen=True, kw_only=True):
    """SumNum is the grand total over all messages with this SN."""

    COMMAND: ClassVar[str] = "RecordInfo"
    name: str | None = None
    sum_num: int | None = None
    record_list: tuple[RecordItem, ...] | None = None


class BasicParam(Part, frozen=True, kw_only=True):
    """Expiration and HeartBeatInterval in seconds."""

    name: str | None = None
    device_id: str | None = None
    sip_server_id: str | None = field(default=None, name="SIPServerID")
    sip_server_ip: str | None = field(default=None, name="SIPServerIP")
    sip_server_port: int | None = field(default=None, name="SIPServerPort")
    domain_name: str | None = None
    expiration: int | None = None
    password: str | None = None
    heart_beat_interval: int | None = None
    heart_beat_count: int | None = None


class SnapShotConfig(Part, frozen=True, kw_only=True):
    """[2022] SnapNum 1-10, Interval in seconds, SessionID 32-128 characters of [A-Za-z0-9-]."""

    snap_num: int | None = None
    interval: int | None = None
    upload_url: str | None = None
    session_id: str | None = None


class ConfigDownloadResponse(Response, frozen=True, kw_only=True):
    """One message may hold one type or all. Types that only the device understands are plain data."""

    COMMAND: ClassVar[str] = "ConfigDownload"
    result: str | None = None
    basic_param: BasicParam | None = None
    video_param_opt: dict[str, Plain] | None = None
    video_param_config: dict[str, Plain] | None = None
    audio_param_opt: dict[str, Plain] | None = None
    audio_param_config: dict[str, Plain] | None = None
    svac_encode_config: dict[str, Plain] | None = None
    svac_decode_config: dict[str, Plain] | None = None
    video_param_attribute: dict[str, Plain] | None = None
    video_record_plan: dict[str, Plain] | None = None
    video_alarm_record: dict[str, Plain] | None = None
    picture_mask: dict[str, Plain] | None = None
    frame_mirror: Plain | None = None
    alarm_report: dict[str, Plain] | None = None
    osd_config: dict[str, Plain] | None = None
    snap_shot_config: SnapShotConfig | None = None


class PresetItem(Part, frozen=True, kw_only=True):
    preset_id: str = ""
    preset_name: str | None = None


class PresetResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "PresetQuery"
    result: str | None = None
    sum_num: int | None = None
    preset_list: tuple[PresetItem, ...] | None = None


class HomePositionItem(Part, frozen=True, kw_only=True):
    """ResetTime in seconds."""

    enabled: int | None = None
    reset_time: int | None = None
    preset_index: int | None = None


class HomePositionResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "HomePositionQuery"
    home_position: HomePositionItem | None = None


class CruiseTrackItem(Part, frozen=True, kw_only=True):
    number: int | None = None
    name: str | None = None


class CruiseTrackListResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "CruiseTrackListQuery"
    sum_num: int | None = None
    cruise_track_list: tuple[CruiseTrackItem, ...] | None = None


class CruisePoint(Part, frozen=True, kw_only=True):
    """StayTime in seconds, Speed 1-15."""

    preset_index: int | None = None
    stay_time: int | None = None
    speed: int | None = None


class CruiseTrackResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "CruiseTrackQuery"
    number: int | None = None
    name: str | None = None
    sum_num: int | None = None
    cruise_point_list: tuple[CruisePoint, ...] | None = None


class PtzPositionResponse(Response, frozen=True, kw_only=True):
    """Degrees."""

    COMMAND: ClassVar[str] = "PTZPosition"
    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None
    horizontal_field_angle: float | None = None
    vertical_field_angle: float | None = None
    max_view_distance: float | None = None


class SdCardItem(Part, frozen=True, kw_only=True):
    """Status: ok, formatting, unformatted, idle, error. Capacity and free space in MB."""

    id: int | None = None
    hdd_name: str | None = None
    status: str | None = None
    format_progress: int | None = None
    capacity: int | None = None
    free_space: int | None = None


class SdCardStatusResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "SDCardStatus"
    sum_num: int | None = None
    sd_card_status_info: tuple[SdCardItem, ...] | None = field(default=None, name="SDCardStatusInfo")


class DeviceControlResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "DeviceControl"
    result: str = "OK"


class DeviceConfigResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "DeviceConfig"
    result: str = "OK"
