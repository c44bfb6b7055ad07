"""PTZCmd: eight bytes as sixteen hexadecimal digits (GB/T 28181, annex A.3).

`A5 0F address command d1 d2 d3<<4|address-high sum`, where the sum is that of the first seven bytes modulo 256.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from safecity.kit.errors import InvalidError

_FIRST: Final = 0xA5
_SECOND: Final = 0x0F


@dataclass(frozen=True, slots=True)
class Move:
    """Turn and zoom. Speeds 0..255 (pan, tilt) and 0..15 (zoom); right, up and in are positive, 0 is still."""

    pan: int = 0
    tilt: int = 0
    zoom: int = 0

    def __post_init__(self) -> None:
        _within("pan", self.pan, -255, 255)
        _within("tilt", self.tilt, -255, 255)
        _within("zoom", self.zoom, -15, 15)


@dataclass(frozen=True, slots=True)
class Lens:
    """Focus and iris. Speeds 0..255; far and open are positive; both 0 stops."""

    focus: int = 0
    iris: int = 0

    def __post_init__(self) -> None:
        _within("focus", self.focus, -255, 255)
        _within("iris", self.iris, -255, 255)


class PresetAct(StrEnum):
    SET = "set"
    CALL = "call"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Preset:
    """A stored view, 1..255."""

    act: PresetAct
    number: int

    def __post_init__(self) -> None:
        _within("preset", self.number, 1, 255)


class CruiseAct(StrEnum):
    ADD = "add"
    DELETE = "delete"
    SPEED = "speed"
    DWELL = "dwell"
    START = "start"


@dataclass(frozen=True, slots=True)
class Cruise:
    """A round of presets. `value`: the preset (add, delete; deleting preset 0 deletes the group), the speed or the
    seconds (12 bits). A cruise is stopped by `Move()`."""

    act: CruiseAct
    group: int
    value: int = 0

    def __post_init__(self) -> None:
        _within("group", self.group, 0, 255)
        _within("value", self.value, 0, 4095 if self.act in (CruiseAct.SPEED, CruiseAct.DWELL) else 255)


class ScanAct(StrEnum):
    START = "start"
    LEFT = "left"
    RIGHT = "right"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Scan:
    """Sweep between two limits. `value` is the speed (12 bits). A scan is stopped by `Move()`."""

    act: ScanAct
    group: int
    value: int = 0

    def __post_init__(self) -> None:
        _within("group", self.group, 0, 255)
        _within("value", self.value, 0, 4095)


@dataclass(frozen=True, slots=True)
class Aux:
    """A switch; number 1 is the wiper."""

    on: bool
    number: int

    def __post_init__(self) -> None:
        _within("switch", self.number, 0, 255)


@dataclass(frozen=True, slots=True)
class OtherCommand:
    """A command byte the standard does not know."""

    command: int
    data1: int
    data2: int
    data3: int


PtzCommand = Move | Lens | Preset | Cruise | Scan | Aux | OtherCommand

_PRESETS = {PresetAct.SET: 0x81, PresetAct.CALL: 0x82, PresetAct.DELETE: 0x83}
_CRUISES = {
    CruiseAct.ADD: 0x84,
    CruiseAct.DELETE: 0x85,
    CruiseAct.SPEED: 0x86,
    CruiseAct.DWELL: 0x87,
    CruiseAct.START: 0x88,
}
_SCANS = {ScanAct.START: 0, ScanAct.LEFT: 1, ScanAct.RIGHT: 2}
_PRESET_OF = {value: key for key, value in _PRESETS.items()}
_CRUISE_OF = {value: key for key, value in _CRUISES.items()}
_SCAN_OF = {value: key for key, value in _SCANS.items()}


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidError(
            f"{name}: {value} is not in {low}..{high}",
            code="ptz_out_of_range",
            params={"name": name, "value": value, "low": low, "high": high},
        )


def encode_ptz(command: PtzCommand, address: int = 1) -> str:
    """Sixteen upper-case hexadecimal digits; `address` is 12 bits and ignored by conforming devices."""
    code, data1, data2, data3 = _fields(command)
    head = (_FIRST, _SECOND, address & 0xFF, code, data1, data2, (data3 << 4 | address >> 8) & 0xFF)
    return bytes((*head, sum(head) & 0xFF)).hex().upper()


def _fields(command: PtzCommand) -> tuple[int, int, int, int]:
    match command:
        case Move(pan, tilt, zoom):
            bits = (1 if pan > 0 else 2 if pan < 0 else 0) | (8 if tilt > 0 else 4 if tilt < 0 else 0)
            bits |= 0x10 if zoom > 0 else 0x20 if zoom < 0 else 0
            return bits, abs(pan), abs(tilt), abs(zoom)
        case Lens(focus, iris):
            bits = 0x40 | (1 if focus > 0 else 2 if focus < 0 else 0) | (4 if iris > 0 else 8 if iris < 0 else 0)
            return bits, abs(focus), abs(iris), 0
        case Preset(act, number):
            return _PRESETS[act], 0, number, 0
        case Cruise(act, group, value):
            return _CRUISES[act], group, value & 0xFF, value >> 8
        case Scan(ScanAct.SPEED, group, value):
            return 0x8A, group, value & 0xFF, value >> 8
        case Scan(act, group, _):
            return 0x89, group, _SCANS[act], 0
        case Aux(on, number):
            return 0x8C if on else 0x8D, number, 0, 0
        case OtherCommand(code, data1, data2, data3):
            return code, data1, data2, data3


def decode_ptz(text: str) -> PtzCommand:
    """The command; InvalidError (`ptz_malformed`, `ptz_checksum`) for anything else. The address is not looked at."""
    try:
        raw = bytes.fromhex(text.strip())
    except ValueError:
        raw = b""
    if len(raw) != 8 or raw[0] != _FIRST:
        raise InvalidError(f"not a PTZCmd: {text[:40]!r}", code="ptz_malformed")
    if sum(raw[:7]) & 0xFF != raw[7]:
        raise InvalidError(f"PTZCmd with a wrong sum: {text[:40]!r}", code="ptz_checksum")
    return _command(raw[3], raw[4], raw[5], raw[6] >> 4)


def _command(code: int, data1: int, data2: int, data3: int) -> PtzCommand:
    other = OtherCommand(code, data1, data2, data3)
    if code < 0x40:
        pan = data1 if code & 1 else -data1 if code & 2 else 0
        tilt = data2 if code & 8 else -data2 if code & 4 else 0
        zoom = data3 if code & 0x10 else -data3 if code & 0x20 else 0
        return Move(pan, tilt, zoom)
    if code < 0x50:
        focus = data1 if code & 1 else -data1 if code & 2 else 0
        iris = data2 if code & 4 else -data2 if code & 8 else 0
        return Lens(focus, iris)
    if code in _PRESET_OF:
        return Preset(_PRESET_OF[code], data2) if data2 else other
    if code in _CRUISE_OF:
        act = _CRUISE_OF[code]
        wide = act in (CruiseAct.SPEED, CruiseAct.DWELL)
        return Cruise(act, data1, data2 | data3 << 8 if wide else data2)
    if code == 0x89 and data2 in _SCAN_OF:
        return Scan(_SCAN_OF[data2], data1)
    if code == 0x8A:
        return Scan(ScanAct.SPEED, data1, data2 | data3 << 8)
    if code in (0x8C, 0x8D):
        return Aux(code == 0x8C, data1)
    return other
