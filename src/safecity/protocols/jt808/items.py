"""Items behind a fix (JT/T 808-2019 tables 27 to 31, JT/T 1078-2016 table 13, T/JSATL 12-2017 chapter 4).

Each known id has exact lengths; an item of another length is not read but kept, and named among `unread`: makers use
the same ids for things of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.active_safety import BlindSpot, DriverAssistance, DriverState, TyrePressure
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.positions import Item, Location


class OverSpeed(NamedTuple):
    """Item 11: where (0 nowhere special, 1 circle, 2 rectangle, 3 polygon, 4 section), and its id."""

    place: int
    id: int


class Crossing(NamedTuple):
    """Item 12: an area or route was entered (0) or left (1)."""

    place: int
    id: int
    left: int


class SectionTime(NamedTuple):
    """Item 13: a section, the seconds spent on it, and whether that was too short (0) or too long (1)."""

    id: int
    seconds: int
    too_long: int


class AbnormalDriving(NamedTuple):
    """Item 18: kinds (bit 0 fatigue, 1 phone, 2 smoking) and the degree of fatigue, 0 to 100."""

    kinds: int
    fatigue: int


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _over_speed(raw: bytes) -> OverSpeed:
    return OverSpeed(raw[0], _number(raw[1:5]))


def _driving(raw: bytes) -> AbnormalDriving:
    """Two bytes where only the kinds are sent, three with the degree of fatigue."""
    return AbnormalDriving(_number(raw[:2]), raw[2] if len(raw) == 3 else 0)


_TABLE: Final[dict[int, tuple[str, tuple[int, ...], Callable[[bytes], Any]]]] = {
    0x01: ("mileage_tenths_km", (4,), _number),
    0x02: ("fuel_tenths_litre", (2,), _number),
    0x03: ("recorder_speed_tenths", (2,), _number),
    0x04: ("event_to_confirm", (2,), _number),
    0x05: ("tyre_pressures", (30,), bytes),
    0x06: ("cabin_celsius", (2,), _signed),
    0x11: ("over_speed", (1, 5), _over_speed),
    0x12: ("crossing", (6,), lambda raw: Crossing(raw[0], _number(raw[1:5]), raw[5])),
    0x13: ("section_time", (7,), lambda raw: SectionTime(_number(raw[:4]), _number(raw[4:6]), raw[6])),
    0x14: ("video_alarms", (4,), _number),
    0x15: ("channels_lost", (4,), _number),
    0x16: ("channels_covered", (4,), _number),
    0x17: ("storage_faults", (2,), _number),
    0x18: ("abnormal_driving", (2, 3), _driving),
    0x25: ("vehicle_signals", (4,), _number),
    0x2A: ("io_state", (2,), _number),
    0x2B: ("analogue", (4,), _number),
    0x30: ("signal_strength", (1,), _number),
    0x31: ("satellites", (1,), _number),
}

_SAFETY: Final = {0x64: DriverAssistance, 0x65: DriverState, 0x66: TyrePressure, 0x67: BlindSpot}
SafetyAlarm = DriverAssistance | DriverState | TyrePressure | BlindSpot


@dataclass(frozen=True, slots=True)
class Details:
    """What the items say: `values` by the names of the reference, alarms of active safety, and ids that were kept as
    they came because nothing is known of them (`unknown`) or their length is not theirs (`unread`)."""

    values: dict[str, Any]
    safety: tuple[SafetyAlarm, ...]
    unknown: tuple[Item, ...]
    unread: tuple[Item, ...]


def read_items(location: Location) -> Details:
    """Of the same item twice the first counts."""
    values: dict[str, Any] = {}
    safety: list[SafetyAlarm] = []
    unknown: list[Item] = []
    unread: list[Item] = []
    for item in location.items:
        if item.id in _SAFETY:
            try:
                safety.append(_SAFETY[item.id].read(item.value, Version.V2013))
            except InvalidError:
                unread.append(item)
            continue
        known = _TABLE.get(item.id)
        if known is None:
            unknown.append(item)
            continue
        name, lengths, read = known
        if len(item.value) not in lengths:
            unread.append(item)
        elif name not in values:
            values[name] = read(item.value)
    return Details(values, tuple(safety), tuple(unknown), tuple(unread))


def write_number(id_: int, value: int) -> Item:
    """An item that is one number, at its length."""
    known = _TABLE.get(id_)
    if known is None or known[2] not in (_number, _signed):
        raise InvalidError(f"item {id_:#04x} is no number")
    try:
        return Item(id_, value.to_bytes(known[1][0], "big", signed=known[2] is _signed))
    except OverflowError:
        raise InvalidError(f"{value} does not fit into item {id_:#04x}") from None
