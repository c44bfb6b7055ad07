"""Bodies under `<Query>` (annex A.2.4); the same stand in SUBSCRIBE. Times are local (UTC+8)."""

from __future__ import annotations

from typing import ClassVar

from safecity.protocols.gb28181.body import Query


class CatalogQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "Catalog"
    start_time: str | None = None
    end_time: str | None = None


class DeviceInfoQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "DeviceInfo"


class DeviceStatusQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "DeviceStatus"


class RecordInfoQuery(Query, frozen=True, kw_only=True):
    """Type: time, alarm, manual or all. IndistinctQuery 0: the To code decides whose store; 1: both."""

    COMMAND: ClassVar[str] = "RecordInfo"
    start_time: str | None = None
    end_time: str | None = None
    file_path: str | None = None
    address: str | None = None
    secrecy: int | None = None
    type: str | None = None
    recorder_id: str | None = None
    indistinct_query: int | None = None
    stream_number: int | None = None
    alarm_method: str | None = None
    alarm_type: str | None = None


class AlarmQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "Alarm"
    start_alarm_priority: str | None = None
    end_alarm_priority: str | None = None
    alarm_method: str | None = None
    alarm_type: str | None = None
    start_alarm_time: str | None = None
    end_alarm_time: str | None = None


class ConfigDownloadQuery(Query, frozen=True, kw_only=True):
    """ConfigType: names joined by `/`."""

    COMMAND: ClassVar[str] = "ConfigDownload"
    config_type: str = "BasicParam"


class PresetQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "PresetQuery"


class MobilePositionQuery(Query, frozen=True, kw_only=True):
    """Interval in seconds."""

    COMMAND: ClassVar[str] = "MobilePosition"
    interval: int | None = None


class HomePositionQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "HomePositionQuery"


class CruiseTrackListQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "CruiseTrackListQuery"


class CruiseTrackQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "CruiseTrackQuery"
    number: int | None = None


class PtzPositionQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "PTZPosition"


class SdCardStatusQuery(Query, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "SDCardStatus"
