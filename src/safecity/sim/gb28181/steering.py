"""Controls (GB/T 28181, annex A.2.3): what a device does when it is told to."""

from __future__ import annotations

import contextlib

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181 import controls, ptz
from safecity.protocols.gb28181.answers import HomePositionItem
from safecity.sim.gb28181.state import Channel, DeviceState
from safecity.sim.scene.lens import PAN_LIMIT, TILT_LIMIT, Cruise, Drive, Pose


def obey(state: DeviceState, channel: Channel, command: controls.DeviceControl, now: float) -> str:
    """Do it; `OK` or `ERROR`, for the commands that are answered. `now` in monotonic seconds.

    TeleBoot, key frames and upgrade concern the whole device and are the caller's.
    """
    lens = channel.camera.lens
    if command.ptz_cmd is not None:
        name = command.ptz_cmd_params.preset_name if command.ptz_cmd_params else None
        try:
            _steer(channel, ptz.decode_ptz(command.ptz_cmd), now, name or "")
        except InvalidError:
            return "ERROR"
    if command.record_cmd is not None:
        channel.recording = command.record_cmd == "Record"
    if command.guard_cmd is not None:
        channel.guarded = command.guard_cmd == "SetGuard"
    if command.alarm_cmd is not None:
        channel.alarmed = False
    if command.format_sd_card is not None:
        state.config["card"] = "empty"
    if command.target_track is not None:
        if command.target_track not in ("Auto", "Manual", "Stop"):
            return "ERROR"
        state.config[f"track/{channel.code}"] = command.target_track
    if command.home_position is not None:
        return _home(state, channel, command.home_position, now)
    if command.ptz_precise_ctrl is not None:
        precise = command.ptz_precise_ctrl
        pan = (precise.pan or 0.0) if (precise.pan or 0.0) <= 180 else (precise.pan or 0.0) - 360
        lens.go_to(Pose(pan, precise.tilt or 0.0, precise.zoom or 1.0), now)
    for drag, closer in ((command.drag_zoom_in, True), (command.drag_zoom_out, False)):
        if drag is not None:
            _drag(channel, drag, closer, now)
    return "OK"


def _steer(channel: Channel, command: ptz.PtzCommand, now: float, name: str) -> None:
    lens = channel.camera.lens
    match command:
        case ptz.Move(pan, tilt, zoom):
            lens.drive(Drive(pan / 255, tilt / 255, zoom / 15), now)
        case ptz.Lens(focus, iris):
            lens.drive(Drive(focus=focus / 255, iris=iris / 255), now)
        case ptz.Preset(ptz.PresetAct.SET, number):
            lens.set_preset(number, name)
        case ptz.Preset(ptz.PresetAct.CALL, number):
            lens.call_preset(number, now)
        case ptz.Preset(ptz.PresetAct.DELETE, number):
            lens.presets.pop(number, None)
        case ptz.Cruise(act, group, value):
            _cruise(channel, act, group, value, now)
        case ptz.Scan(ptz.ScanAct.START):
            lens.start_scan(now)
        case ptz.Scan(ptz.ScanAct.LEFT):
            lens.scan_limits = (lens.pose.pan, max(lens.scan_limits[1], lens.pose.pan + 1))
        case ptz.Scan(ptz.ScanAct.RIGHT):
            lens.scan_limits = (min(lens.scan_limits[0], lens.pose.pan - 1), lens.pose.pan)
        case ptz.Aux(on, 1):
            lens.wiper = on
        case _:
            pass


def _cruise(channel: Channel, act: ptz.CruiseAct, group: int, value: int, now: float) -> None:
    lens = channel.camera.lens
    match act:
        case ptz.CruiseAct.ADD:
            lens.cruises.setdefault(group, Cruise([])).points.append(value)
        case ptz.CruiseAct.DELETE if value == 0:
            lens.cruises.pop(group, None)
        case ptz.CruiseAct.DELETE:
            with contextlib.suppress(KeyError, ValueError):
                lens.cruises[group].points.remove(value)
        case ptz.CruiseAct.DWELL:
            lens.cruises.setdefault(group, Cruise([])).dwell = float(value)
        case ptz.CruiseAct.START:
            lens.start_cruise(group, now)
        case ptz.CruiseAct.SPEED:
            pass


def _home(state: DeviceState, channel: Channel, wish: HomePositionItem, now: float) -> str:
    lens = channel.camera.lens
    state.config[f"home/{channel.code}"] = str(wish.enabled or 0)
    preset = lens.presets.get(wish.preset_index or 0)
    if preset is None:
        return "OK" if not wish.enabled else "ERROR"
    lens.home = preset
    if wish.enabled:
        lens.go_to(preset.pose, now)
    return "OK"


def _drag(channel: Channel, drag: controls.DragZoom, closer: bool, now: float) -> None:
    """The box drawn in the play window becomes the whole picture, or the whole picture becomes that box."""
    if min(drag.length, drag.width, drag.length_x, drag.length_y) <= 0:
        return
    pose = channel.camera.lens.pose
    times = min(drag.length / drag.length_x, drag.width / drag.length_y)
    away_x, away_y = drag.mid_point_x / drag.length - 0.5, drag.mid_point_y / drag.width - 0.5
    pan = pose.pan + away_x * 2 * PAN_LIMIT / pose.zoom
    tilt = pose.tilt - away_y * 2 * TILT_LIMIT / pose.zoom
    channel.camera.lens.go_to(Pose(pan, tilt, pose.zoom * times if closer else pose.zoom / times), now)
