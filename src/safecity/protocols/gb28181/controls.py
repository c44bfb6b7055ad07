"""Bodies under `<Control>` (annex A.2.3)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from safecity.protocols.gb28181.answers import BasicParam, HomePositionItem, SnapShotConfig
from safecity.protocols.gb28181.body import Control
from safecity.protocols.gb28181.elements import Part, Plain


class ControlInfo(Part, frozen=True, kw_only=True):
    """AlarmMethod and AlarmType belong to AlarmCmd, ControlPriority to PTZCmd."""

    control_priority: int | None = None
    alarm_method: str | None = None
    alarm_type: str | None = None


class PtzParameters(Part, frozen=True, kw_only=True):
    """[2022] Names that go with setting a preset or a cruise."""

    preset_name: str | None = None
    cruise_track_name: str | None = None


class DragZoom(Part, frozen=True, kw_only=True):
    """Pixels of the play window, origin at the top left."""

    length: int = 0
    width: int = 0
    mid_point_x: int = 0
    mid_point_y: int = 0
    length_x: int = 0
    length_y: int = 0


class PreciseControl(Part, frozen=True, kw_only=True):
    """[2022] Pan 0-360, tilt -30-90 degrees."""

    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None


class Upgrade(Part, frozen=True, kw_only=True):
    firmware: str | None = None
    file_url: str | None = None
    manufacturer: str | None = None
    session_id: str | None = None


class DeviceControl(Control, frozen=True, kw_only=True):
    """One of the commands below. `ifame_cmd` is written as devices before 2022 read it; see `iframe_cmd`."""

    COMMAND: ClassVar[str] = "DeviceControl"
    ptz_cmd: str | None = field(default=None, name="PTZCmd")
    ptz_cmd_params: PtzParameters | None = field(default=None, name="PTZCmdParams")
    tele_boot: str | None = None
    record_cmd: str | None = None
    stream_number: int | None = None
    guard_cmd: str | None = None
    alarm_cmd: str | None = None
    ifame_cmd: str | None = field(default=None, name="IFameCmd")
    iframe_cmd: str | None = field(default=None, name="IFrameCmd")
    drag_zoom_in: DragZoom | None = None
    drag_zoom_out: DragZoom | None = None
    home_position: HomePositionItem | None = None
    ptz_precise_ctrl: PreciseControl | None = None
    device_upgrade: Upgrade | None = None
    format_sd_card: int | None = field(default=None, name="FormatSDCard")
    target_track: str | None = None
    device_id2: str | None = field(default=None, name="DeviceID2")
    target_area: DragZoom | None = None
    info: ControlInfo | None = None

    @property
    def wants_key_frame(self) -> bool:
        """Either spelling of the command."""
        return self.ifame_cmd is not None or self.iframe_cmd is not None

    @property
    def is_answered(self) -> bool:
        """Whether the standard has the device answer with `Response/DeviceControl`."""
        asked = (self.record_cmd, self.guard_cmd, self.alarm_cmd, self.home_position, self.device_upgrade)
        return any(command is not None for command in asked)


class DeviceConfig(Control, frozen=True, kw_only=True):
    """The types of ConfigDownload, the other way."""

    COMMAND: ClassVar[str] = "DeviceConfig"
    basic_param: BasicParam | None = None
    snap_shot_config: SnapShotConfig | None = None
    video_param_attribute: dict[str, Plain] | None = None
    video_record_plan: dict[str, Plain] | None = None
    video_alarm_record: dict[str, Plain] | None = None
    picture_mask: dict[str, Plain] | None = None
    frame_mirror: Plain | None = None
    alarm_report: dict[str, Plain] | None = None
    osd_config: dict[str, Plain] | None = None
    svac_encode_config: dict[str, Plain] | None = None
    svac_decode_config: dict[str, Plain] | None = None
