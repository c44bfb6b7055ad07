"""From what terminals say to facts of the platform: SI units, WGS-84, reasons instead of sentences. Pure."""

from __future__ import annotations

from typing import Any, Final

from safecity.protocols.jt808.active_safety import BlindSpot, DriverAssistance, DriverState
from safecity.protocols.jt808.alarms import DETAILS, VIDEO_ITEM, VIDEO_SHIFT, Alarm, VideoAlarm, video_bit
from safecity.protocols.jt808.checks import BAD_DIRECTION, BAD_HEIGHT, BAD_SPEED, Judged
from safecity.protocols.jt808.items import Details, SafetyAlarm
from safecity.protocols.jt808.positions import Location
from safecity.protocols.jt808.registration import Register

METHOD: Final = 4
"""Of alarms by the bits of a position: the "position alarm" of GB/T 28181. Their type is `jt808-` and the bit."""
SAFETY_METHOD: Final = 5
"""Of alarms of active safety: its "video alarm". Their type is `jsatl-`, the item's number and the kind in it; of those
of cameras and recorders (JT/T 1078) `jt1078-` and the bit of item 14, or the item (15 to 18) and the bit of it."""
_OF_CAMERAS: Final = (0x15, 0x16)
"""Items whose bit n is the camera with the logical number n + 1."""
UNREAD_ITEMS: Final = "jt_unread_items"
_TEXT: Final = 60
_BEGINS: Final = (0, 1)
"""Flags of active safety that raise an alarm: not usable (an event without end) and begins; 2 is its end."""

_URGENT: Final = frozenset((Alarm.SOS, Alarm.STOLEN, Alarm.COLLISION, Alarm.ROLL_OVER))
_SERIOUS: Final = frozenset(
    (Alarm.FATIGUE, Alarm.DANGER, Alarm.POWER_OFF, Alarm.ILLEGAL_IGNITION, Alarm.ILLEGAL_MOVE, Alarm.ILLEGAL_DOOR)
)
_ORDINARY: Final = frozenset(
    (
        Alarm.OVER_SPEED, Alarm.VIOLATION, Alarm.BLIND_SPOT, Alarm.AREA_CROSSED, Alarm.ROUTE_CROSSED,
        Alarm.SECTION_TIME, Alarm.OFF_ROUTE, Alarm.FUEL, Alarm.DAY_LIMIT,
    )
)  # fmt: skip


_VIDEO: Final[dict[int, int]] = {VideoAlarm.ABNORMAL_DRIVING: 2, VideoAlarm.SIGNAL_COVERED: 3, VideoAlarm.OVERLOADED: 3}
_DETAILS: Final = {one.item: one.of for one in DETAILS}


def priority(bit: int) -> int:
    """1 (highest) to 4, of a bit of `levels`."""
    if bit >= VIDEO_SHIFT:
        item, index = video_bit(bit)
        return _VIDEO.get(_DETAILS.get(item, index), 4)
    return 1 if bit in _URGENT else 2 if bit in _SERIOUS else 3 if bit in _ORDINARY else 4


def clean(text: str, limit: int = _TEXT) -> str:
    """A device's words without what no field can hold."""
    return "".join(c if ord(c) >= 32 and not 0xD800 <= ord(c) < 0xE000 else " " for c in text[:limit]).strip()


def position_fact(
    code: str, location: Location, judged: Judged, details: Details, *, driver: bool | None = None, catch_up: bool
) -> dict[str, Any]:  # fmt: skip
    """Event data: m/s, degrees from north, metres. Nothing where it cannot be believed; `reasons` says why.
    `driver`: whether one is signed in, None where the terminal never said."""
    doubts = judged.reasons
    mileage = details.values.get("mileage_tenths_km")
    return {
        "channel": "",
        "code": code,
        "time_us": judged.at_us,
        "longitude": location.longitude if judged.moves else None,
        "latitude": location.latitude if judged.moves else None,
        "speed": None if BAD_SPEED in doubts else round(location.speed_tenths / 36, 3),
        "direction": None if BAD_DIRECTION in doubts else float(location.direction % 360),
        "altitude": None if BAD_HEIGHT in doubts else float(location.height),
        "mileage": None if mileage is None else mileage * 100,
        "status": location.status,
        "alarms": location.alarm,
        "driver": driver,
        "catch_up": catch_up,
        "reasons": [*doubts, *([UNREAD_ITEMS] if details.unread else [])],
    }


def alarm_fact(code: str, bit: int, location: Location, judged: Judged) -> dict[str, Any]:
    """Event data of one alarm bit of `levels` that rose. Where it is of one camera, its code is that camera's."""
    if bit >= VIDEO_SHIFT:
        item, index = video_bit(bit)
        kind = f"jt1078-{index}" if item == VIDEO_ITEM else f"jt1078-{item:x}-{index}"
        whose = str(index + 1) if item in _OF_CAMERAS else code
        return _alarm(whose, SAFETY_METHOD, kind, priority(bit), location, judged)
    return _alarm(code, METHOD, f"jt808-{bit}", priority(bit), location, judged)


def begins(one: SafetyAlarm) -> bool:
    """Whether it is the begin of an alarm, not its end."""
    return one.flag in _BEGINS


def safety_fact(code: str, one: SafetyAlarm, location: Location, judged: Judged) -> dict[str, Any]:
    """Event data of an alarm of active safety."""
    level = one.level if isinstance(one, DriverAssistance | DriverState) else 1
    kind = one.kind if isinstance(one, DriverAssistance | DriverState | BlindSpot) else 0
    fact = _alarm(code, SAFETY_METHOD, f"jsatl-{one.ID:x}-{kind}", 2 if level == 2 else 3, location, judged)
    return fact | {"attachments": one.mark.attachments}


def safety_key(one: SafetyAlarm) -> tuple[int, int, str, int]:
    """What the same alarm is known by when it is sent again: with its time, since a terminal counts from 0 after each
    start."""
    return one.ID, one.alarm_id, one.mark.time, one.mark.number


def _alarm(code: str, method: int, kind: str, level: int, location: Location, judged: Judged) -> dict[str, Any]:
    return {
        "channel": "",
        "code": code,
        "priority": level,
        "method": method,
        "type": kind,
        "event_type": None,
        "time_us": judged.at_us,
        "description": "",
        "longitude": location.longitude if judged.moves else None,
        "latitude": location.latitude if judged.moves else None,
    }


def described_fact(register: Register) -> dict[str, Any]:
    """What the terminal says of itself; a vehicle is called by its plate."""
    return {
        "name": clean(register.plate, 40),
        "manufacturer": clean(register.maker.strip("\0")),
        "model": clean(register.model.strip("\0")),
        "firmware": "",
    }
