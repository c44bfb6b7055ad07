"""What a camera's head offers. No device says it: its edition tells what may be, a person what is not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from safecity.kit.errors import InvalidError

MAX_SWITCH: Final = 16
_ALWAYS: Final = ("move", "zoom", "focus", "iris", "preset", "cruise", "scan")
_SINCE_2014: Final = ("home", "drag")
_SINCE_2022: Final = ("precise", "track")
_SWITCHES: Final = ("aux_1", "aux_2")
"""Switch 1 is the wiper (GB/T 28181, annex A.3); 2 is the light in the field."""
_TERMINAL: Final = ("move", "zoom", "focus", "iris", *_SWITCHES)
"""Of a camera in a vehicle (JT/T 1078-2016, 5.7): it stores no views, and its switches are these two."""
_ORDER: Final = (*_ALWAYS, *_SINCE_2014, *_SINCE_2022, *(f"aux_{number}" for number in range(1, MAX_SWITCH + 1)))


def possible(version: str, *, terminal: bool = False) -> tuple[str, ...]:
    """What devices of that edition may have. Many of 2016 do not name theirs; only `1.0` is known to be older.
    `terminal`: cameras of a vehicle terminal, whose switches are among it."""
    if terminal:
        return _TERMINAL
    first = () if version == "1.0" else _SINCE_2014
    return (*_ALWAYS, *first, *(_SINCE_2022 if version >= "3.0" else ()))


def offered(chosen: Sequence[str] | None, version: str, *, terminal: bool = False) -> tuple[str, ...]:
    """What to show: what a person left of it, or all that may be but for tracking, which few cameras can."""
    able = possible(version, terminal=terminal)
    if terminal:
        return tuple(name for name in able if chosen is None or name in chosen)
    if chosen is None:
        return (*(name for name in able if name != "track"), *_SWITCHES)
    return tuple(name for name in _ORDER if name in chosen and (name in able or name.startswith("aux_")))


def check_offers(chosen: Sequence[str] | None) -> list[str] | None:
    """In the order of the list, each once. InvalidError `choice`."""
    if chosen is None:
        return None
    for name in chosen:
        if name not in _ORDER:
            raise InvalidError(name[:40], code="choice", params={"field": "ptz_offers", "choices": "|".join(_ORDER)})
    return [name for name in _ORDER if name in chosen]
