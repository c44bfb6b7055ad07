"""The streets of the demo city, drawn and not surveyed, and the ways its vehicles drive. Pure; the same every time.

A grid of bent streets around the cameras, main roads between them, and a river in the west with two bridges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

Point = tuple[float, float]
"""Longitude, latitude."""

WEST, SOUTH, EAST, NORTH = 118.350, 31.322, 118.404, 31.360
COLUMNS, ROWS = 13, 11
RIVER: Final = 2
"""Between this column and the next."""
BRIDGES: Final = (3, 8)
MAIN: Final = 3
"""Every so many streets one is a main road."""
LABEL, CREDIT = "Demo city", "drawn for the demo"
"""The browser has other words for them: `traffic.demo` in ui/src/words/traffic.ts."""
SLOW_ROW: Final = 6
"""The main road on which traffic creeps."""


@dataclass(frozen=True, slots=True)
class Street:
    """Between two crossings; `limit` km/h, `kind` as OpenStreetMap's `highway`."""

    key: int
    start: int
    end: int
    kind: str
    limit: int
    bridge: bool = False


def crossing(column: int, row: int) -> int:
    """Its number."""
    return row * COLUMNS + column


def crossings() -> dict[int, Point]:
    """Where they are."""
    dice = Random(3402)
    across, up = (EAST - WEST) / (COLUMNS - 1), (NORTH - SOUTH) / (ROWS - 1)
    places: dict[int, Point] = {}
    for row in range(ROWS):
        for column in range(COLUMNS):
            bend = dice.uniform(-0.12, 0.12), dice.uniform(-0.12, 0.12)
            at = WEST + (column + bend[0]) * across, SOUTH + (row + bend[1]) * up
            places[crossing(column, row)] = round(at[0], 6), round(at[1], 6)
    return places


def streets() -> list[Street]:
    """All of them, to be driven in both directions."""
    found: list[Street] = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            here = crossing(column, row)
            over_water = column == RIVER
            if column + 1 < COLUMNS and (not over_water or row in BRIDGES):
                found.append(_street(len(found), here, crossing(column + 1, row), row, over_water))
            if row + 1 < ROWS:
                found.append(_street(len(found), here, crossing(column, row + 1), column, False))
    return found


def _street(number: int, start: int, end: int, line: int, bridge: bool) -> Street:
    main = line % MAIN == 0 or bridge
    return Street(1_000 + number, start, end, "primary" if main else "residential", 60 if main else 40, bridge)


def wander(seed: int, blocks: int = 40) -> list[int]:
    """Crossings of a drive through the town, never straight back, main roads liked better."""
    dice, around = Random(seed), dict[int, list[Street]]()
    for street in streets():
        for end in (street.start, street.end):
            around.setdefault(end, []).append(street)
    way = [dice.choice(sorted(around))]
    while len(way) <= blocks:
        here, before = way[-1], way[-2] if len(way) > 1 else -1
        options = [(_far_end(one, here), 3 if one.kind == "primary" else 1) for one in around[here]]
        options = [one for one in options if one[0] != before]
        way.append(dice.choices([one[0] for one in options], [one[1] for one in options])[0])
    return way


def creep() -> list[int]:
    """Crossings of the part of a main road where traffic creeps."""
    return [crossing(column, SLOW_ROW) for column in range(5, 9)]


def points(way: list[int]) -> list[tuple[float, float]]:
    """Latitude and longitude, as vehicles are told their way."""
    places = crossings()
    return [(places[one][1], places[one][0]) for one in way]


def _far_end(street: Street, here: int) -> int:
    return street.end if street.start == here else street.start


def rows() -> Iterator[tuple[Street, Point, Point]]:
    """Streets with their ends."""
    places = crossings()
    for street in streets():
        yield street, places[street.start], places[street.end]
