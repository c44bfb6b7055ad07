"""Checkpoints that a library below told of, as somebody may set them up here. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.vehicles import DIRECTIONS

MAX_LANES: Final = 20


@dataclass(frozen=True, slots=True)
class ToldLane:
    """`number` from the left, from 1; `direction` in words of ours."""

    number: int
    name: str
    direction: str
    max_speed_kmh: int | None


@dataclass(frozen=True, slots=True)
class ToldGate:
    """Degrees as they were told, None where they make no sense. `tollgate`: the one here that has its code."""

    code: str
    name: str
    longitude: float | None
    latitude: float | None
    lanes: tuple[ToldLane, ...]
    tollgate: str | None


def gates_of(told: Iterable[ViidObject], lanes: Iterable[ViidObject], known: dict[str, str]) -> list[ToldGate]:
    """By name. `known`: ids of tollgates here by code. Who says nothing of where it lies, or that it lies at 0, 0, has
    no place."""
    by_gate: dict[str, dict[int, ToldLane]] = {}
    for one in lanes:
        lane = _lane(one)
        if lane is not None:
            by_gate.setdefault(clean_id(one.fields.get("TollgateID")), {})[lane.number] = lane
    found: list[ToldGate] = []
    for one in told:
        longitude, latitude = one.number("Longitude", -180, 180), one.number("Latitude", -85, 85)
        placed = longitude is not None and latitude is not None and (longitude, latitude) != (0.0, 0.0)
        own = by_gate.get(one.id, {})
        found.append(ToldGate(
            code=one.id, name=one.text("Name", 120) or one.id, longitude=longitude if placed else None,
            latitude=latitude if placed else None,
            lanes=tuple(own[number] for number in sorted(own)[:MAX_LANES]), tollgate=known.get(one.id),
        ))  # fmt: skip
    return sorted(found, key=lambda gate: (gate.name, gate.code))


def _lane(one: ViidObject) -> ToldLane | None:
    number = one.number("LaneNo", 1, 99) or one.number("LaneId", 1, 99)
    if number is None or number != int(number):
        return None
    speed = one.number("MaxSpeed", 5, 200)
    return ToldLane(
        int(number), one.text("Name", 100), DIRECTIONS.get(int(one.number("Direction", 1, 9) or 9), "other"),
        None if speed is None else int(speed),
    )  # fmt: skip
