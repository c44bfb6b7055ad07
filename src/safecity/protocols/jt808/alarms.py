"""Alarm and status bits of a position (JT/T 808-2019, tables 24 and 25) and of its video (JT/T 1078-2016, tables 13 and
14), and what of an alarm is news.

A bit is a level: a terminal sets it in every position until the cause is gone. One event is raised when it rises.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final, NamedTuple

from safecity.protocols.jt808.items import AbnormalDriving


class Alarm(IntEnum):
    """Bits of `Location.alarm`. Those marked * came with 2019 (reserved before)."""

    SOS = 0
    OVER_SPEED = 1
    FATIGUE = 2
    DANGER = 3
    GNSS_FAULT = 4
    ANTENNA_OPEN = 5
    ANTENNA_SHORT = 6
    POWER_LOW = 7
    POWER_OFF = 8
    DISPLAY_FAULT = 9
    SPEECH_FAULT = 10
    CAMERA_FAULT = 11
    CARD_READER_FAULT = 12
    SPEED_WARNING = 13
    FATIGUE_WARNING = 14
    VIOLATION = 15  # *
    TYRE_WARNING = 16  # *
    BLIND_SPOT = 17  # *
    DAY_LIMIT = 18
    LONG_STOP = 19
    AREA_CROSSED = 20
    ROUTE_CROSSED = 21
    SECTION_TIME = 22
    OFF_ROUTE = 23
    SPEED_SENSOR_FAULT = 24
    FUEL = 25
    STOLEN = 26
    ILLEGAL_IGNITION = 27
    ILLEGAL_MOVE = 28
    COLLISION = 29
    ROLL_OVER = 30
    ILLEGAL_DOOR = 31


class Status(IntEnum):
    """Bits of `Location.status` (bits 8 and 9 are the load, see `load_of`)."""

    IGNITION = 0
    FIXED = 1
    SOUTH = 2
    WEST = 3
    OUT_OF_SERVICE = 4
    ENCRYPTED = 5
    FORWARD_COLLISION = 6
    LANE_DEPARTURE = 7
    FUEL_CUT = 10
    CIRCUIT_CUT = 11
    DOORS_LOCKED = 12
    DOOR_1 = 13
    DOOR_2 = 14
    DOOR_3 = 15
    DOOR_4 = 16
    DOOR_5 = 17
    GPS = 18
    BEIDOU = 19
    GLONASS = 20
    GALILEO = 21
    MOVING = 22


CONFIRMABLE: Final = frozenset(
    (
        Alarm.SOS, Alarm.DANGER, Alarm.AREA_CROSSED, Alarm.ROUTE_CROSSED,
        Alarm.SECTION_TIME, Alarm.ILLEGAL_IGNITION, Alarm.ILLEGAL_MOVE,
    )
)  # fmt: skip
"""Alarms that stay until a person of the platform confirms them (0x8203, or a general answer with result 4)."""


class VideoAlarm(IntEnum):
    """Bits of item 0x14 (JT/T 1078-2016, table 14)."""

    SIGNAL_LOST = 0
    SIGNAL_COVERED = 1
    STORAGE_FAULT = 2
    OTHER_FAULT = 3
    OVERLOADED = 4
    ABNORMAL_DRIVING = 5
    ALARM_STORAGE_FULL = 6


VIDEO_SHIFT: Final = 32
"""Alarms of item 0x14 stand above those of the position where all are one number."""
VIDEO_ITEM: Final = 0x14


class Detail(NamedTuple):
    """An item that says of which cameras, stores or kinds a bit of item 0x14 is: its name among what items say, where
    its bits stand in `levels`, and those that the standard knows."""

    item: int
    name: str
    of: VideoAlarm
    shift: int
    bits: int


DETAILS: Final = (
    Detail(0x15, "channels_lost", VideoAlarm.SIGNAL_LOST, 64, (1 << 32) - 1),
    Detail(0x16, "channels_covered", VideoAlarm.SIGNAL_COVERED, 96, (1 << 32) - 1),
    Detail(0x17, "storage_faults", VideoAlarm.STORAGE_FAULT, 128, (1 << 16) - 1),
    Detail(0x18, "abnormal_driving", VideoAlarm.ABNORMAL_DRIVING, 144, 0b111),
)
_KNOWN: Final = sum(1 << bit for bit in VideoAlarm)


def levels(alarm: int, said: Mapping[str, Any], before: int = 0) -> int:
    """All as one number: bits of the position, of item 0x14 and of those that say more of it, as far as the standard
    knows them: makers have the rest for other things. `said`: what the items say, `before`: the levels until then.

    A bit of item 0x14 is left out where it is said what it is of. Where an item is not there, but its bit of item 0x14
    still is, it is as it was.
    """
    video = said.get("video_alarms", 0) & _KNOWN
    found = alarm
    for one in DETAILS:
        told = said.get(one.name)
        if told is not None:
            bits = (told.kinds if isinstance(told, AbnormalDriving) else told) & one.bits
        else:
            bits = before >> one.shift & one.bits if has(video, one.of) else 0
        if bits:
            found |= bits << one.shift
            video &= ~(1 << one.of)
    return found | video << VIDEO_SHIFT


def video_bit(bit: int) -> tuple[int, int]:
    """(item, bit of it) of a bit of `levels` that is none of the position's."""
    for one in reversed(DETAILS):
        if bit >= one.shift:
            return one.item, bit - one.shift
    return VIDEO_ITEM, bit - VIDEO_SHIFT


def bits_of(value: int) -> tuple[int, ...]:
    """Numbers of the bits that are set, lowest first."""
    found: list[int] = []
    while value:
        low = value & -value
        found.append(low.bit_length() - 1)
        value ^= low
    return tuple(found)


def mask(bits: frozenset[Alarm] | tuple[Alarm, ...]) -> int:
    """The number with these bits set."""
    return sum(1 << bit for bit in set(bits))


def rising(before: int, now: int) -> tuple[int, ...]:
    """Bits that are set now and were not: each is one event."""
    return bits_of(now & ~before)


def falling(before: int, now: int) -> tuple[int, ...]:
    """Bits that were set and are not: their cause is gone."""
    return bits_of(before & ~now)


def load_of(status: int) -> int:
    """0 empty, 1 half, 2 reserved, 3 full."""
    return status >> 8 & 3


def has(value: int, bit: int) -> bool:
    """Whether a bit is set."""
    return bool(value >> bit & 1)
