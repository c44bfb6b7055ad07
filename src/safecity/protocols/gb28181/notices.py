"""Bodies under `<Notify>` (GB/T 28181 annex A.2.5) and the answers some of them get. Times are local (UTC+8)."""

from __future__ import annotations

from typing import ClassVar

from safecity.protocols.gb28181.body import Notify, Response
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.elements import Part, Plain


class Keepalive(Notify, frozen=True, kw_only=True):
    """Status is OK or ERROR. `info` holds `DeviceID`: one code, or a list of codes, of children that do not work."""

    COMMAND: ClassVar[str] = "Keepalive"
    status: str = "OK"
    info: dict[str, Plain] | None = None

    def faulty(self) -> tuple[str, ...]:
        """Codes of the children that the device says do not work."""
        codes: list[Plain] | str = (self.info or {}).get("DeviceID") or []
        return (codes,) if isinstance(codes, str) else tuple(str(code) for code in codes)


class AlarmParameters(Part, frozen=True, kw_only=True):
    """EventType of an intrusion: 1 entering, 2 leaving."""

    event_type: int | None = None


class AlarmInfo(Part, frozen=True, kw_only=True):
    """AlarmType means different things for each AlarmMethod."""

    alarm_type: str | None = None
    alarm_type_param: AlarmParameters | None = None


class AlarmNotify(Notify, frozen=True, kw_only=True):
    """AlarmPriority 1 (highest) to 4. AlarmMethod: 1 phone, 2 device, 3 SMS, 4 position, 5 video, 6 device fault,
    7 other."""

    COMMAND: ClassVar[str] = "Alarm"
    alarm_priority: str | None = None
    alarm_method: str | None = None
    alarm_time: str | None = None
    alarm_description: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    info: AlarmInfo | None = None
    alarm_type: str | None = None


class AlarmResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "Alarm"
    result: str = "OK"


class MediaStatus(Notify, frozen=True, kw_only=True):
    """NotifyType 121: the file has been sent to its end."""

    COMMAND: ClassVar[str] = "MediaStatus"
    notify_type: str = "121"


class BroadcastNotify(Notify, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "Broadcast"
    source_id: str | None = None
    target_id: str | None = None


class BroadcastResponse(Response, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "Broadcast"
    result: str = "OK"


class PositionItem(Part, frozen=True, kw_only=True):
    """Speed in km/h, direction in degrees from north, WGS-84."""

    device_id: str = ""
    capture_time: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    speed: float | None = None
    direction: float | None = None
    altitude: float | None = None
    height: float | None = None


class MobilePositionNotify(Notify, frozen=True, kw_only=True):
    """Flat before 2022, a list since; both are accepted."""

    COMMAND: ClassVar[str] = "MobilePosition"
    target_id: str | None = None
    time: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    speed: float | None = None
    direction: float | None = None
    altitude: float | None = None
    sum_num: int | None = None
    device_list: tuple[PositionItem, ...] | None = None

    def items(self) -> tuple[PositionItem, ...]:
        """All positions, whichever form they came in."""
        if self.device_list:
            return self.device_list
        if self.longitude is None or self.latitude is None:
            return ()
        return (
            PositionItem(
                device_id=self.target_id or self.device_id,
                capture_time=self.time,
                longitude=self.longitude,
                latitude=self.latitude,
                speed=self.speed,
                direction=self.direction,
                altitude=self.altitude,
            ),
        )


class CatalogNotify(Notify, frozen=True, kw_only=True):
    """Changes of a catalogue; each item carries its `Event`."""

    COMMAND: ClassVar[str] = "Catalog"
    sum_num: int | None = None
    device_list: tuple[CatalogItem, ...] | None = None


class PtzPositionNotify(Notify, frozen=True, kw_only=True):
    """[2022] Degrees; sent to those who subscribed."""

    COMMAND: ClassVar[str] = "PTZPosition"
    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None
    horizontal_field_angle: float | None = None
    vertical_field_angle: float | None = None
    max_view_distance: float | None = None


class UploadSnapShotFinished(Notify, frozen=True, kw_only=True):
    """[2022] Fewer files than asked for mean a partial failure."""

    COMMAND: ClassVar[str] = "UploadSnapShotFinished"
    session_id: str | None = None
    snap_shot_list: tuple[str, ...] | None = None


class VideoUploadNotify(Notify, frozen=True, kw_only=True):
    COMMAND: ClassVar[str] = "VideoUploadNotify"
    time: str | None = None
    longitude: float | None = None
    latitude: float | None = None


class DeviceUpgradeResult(Notify, frozen=True, kw_only=True):
    """UpgradeFailedReason: 01 timeout, 02 damaged, 03 system, 99 other."""

    COMMAND: ClassVar[str] = "DeviceUpgradeResult"
    session_id: str | None = None
    upgrade_result: str | None = None
    firmware: str | None = None
    upgrade_failed_reason: str | None = None
