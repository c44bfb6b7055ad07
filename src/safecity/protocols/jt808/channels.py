"""Logical channels of a terminal: their list (JT/T 1078-2016, parameter 0x0076) and where in a vehicle each one looks
(JT/T 1076-2016, table 2)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

CHANNEL_LIST: Final = 0x0076
"""Id of the parameter."""
_COUNTS: Final = 3
_ENTRY: Final = 4

PLACES: Final[dict[int, tuple[str, str]]] = {
    1: ("驾驶员", "driver"),
    2: ("车辆正前方", "front"),
    3: ("车前门", "front door"),
    4: ("车厢前部", "cabin, front"),
    5: ("车厢后部", "cabin, rear"),
    6: ("车后门", "rear door"),
    7: ("行李舱", "luggage"),
    8: ("车辆左侧", "left side"),
    9: ("车辆右侧", "right side"),
    10: ("车辆正后方", "rear"),
    11: ("车厢中部", "cabin, middle"),
    12: ("车中门", "middle door"),
    13: ("驾驶席车门", "driver's door"),
}
"""By logical number: (Chinese, English)."""


class ChannelUse(IntEnum):
    """What a channel carries."""

    BOTH = 0
    SOUND = 1
    VIDEO = 2


class ListedChannel(NamedTuple):
    """One entry of the list. `physical` is the socket it is plugged in; `turns`: there is a head to turn it."""

    physical: int
    number: int
    use: ChannelUse
    turns: bool


def camera_name(vehicle: str, number: int, language: str) -> str:
    """What a camera is called until somebody gives it a name: by its vehicle and where in it it looks, in Chinese
    unless `language` is `en`; by its number where the standard does not say."""
    chinese, english = PLACES.get(number, (f"CH{number}",) * 2)
    return f"{vehicle} {english if language == 'en' else chinese}"


def read_channel_list(value: bytes) -> list[ListedChannel]:
    """The entries that are whole and make sense; what the counts in front say is not needed for it."""
    found: list[ListedChannel] = []
    for at in range(_COUNTS, len(value) - _ENTRY + 1, _ENTRY):
        physical, number, use, turns = value[at : at + _ENTRY]
        if number and use in ChannelUse.__members__.values():
            found.append(ListedChannel(physical, number, ChannelUse(use), bool(turns)))
    return found


def write_channel_list(channels: list[ListedChannel]) -> bytes:
    """The parameter's value."""
    counts = [sum(one.use is use for one in channels) for use in ChannelUse]
    return bytes(counts) + b"".join(bytes((one.physical, one.number, one.use, one.turns)) for one in channels)
