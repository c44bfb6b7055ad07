"""Cruises as we set them. Devices before 2022 cannot list theirs, so what was sent is what is known. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_POINTS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Cruise:
    """Presets in turn. `dwell` in seconds; 0 in `speed` or `dwell`: the camera's own."""

    channel: str
    number: int
    points: tuple[int, ...] = ()
    speed: int = 0
    dwell: int = 0


def told(cruise: Cruise, action: str, point: int, value: int) -> Cruise | None:
    """The cruise after the device was told so; None once it is gone."""
    match action:
        case "cruise_add":
            return replace(cruise, points=(*cruise.points, point)[:MAX_POINTS])
        case "cruise_delete" if point == 0:
            return None
        case "cruise_delete":
            # Which of two equal points a device drops is its own affair; most keep none of them.
            return replace(cruise, points=tuple(one for one in cruise.points if one != point))
        case "cruise_speed":
            return replace(cruise, speed=value)
        case "cruise_dwell":
            return replace(cruise, dwell=value)
        case _:
            return cruise
