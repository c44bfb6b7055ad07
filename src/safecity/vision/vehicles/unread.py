"""Vehicles that drive through a lane's zone, whether their plate is read or not: an area of the picture as a loop in
the road. Pure, on arrays.

In each picture the rows of a zone that are filled by what moves, in their middle too, are joined to stretches along the
lane. A car fills half of its lane and more, who walks or rides a bicycle does not. A stretch that is found again a
little further on is the same vehicle; once it has left, and no plate that was seen in it was told, it is unread. Who
drives so close behind another that no road is seen between them is one with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.clock import SECOND_US
from safecity.model.facts.vision_calls import LaneZone
from safecity.vision.enforcement.geometry import Point
from safecity.vision.enforcement.judge import Box

Picture = NDArray[np.uint8]
FILLED: Final = 0.4
"""Of a row of the zone, at least; a motorcycle stays below."""
MIDDLE_FILLED: Final = 0.6
"""Of its middle third: what only leans in from the next lane stays below."""
LEAST_ROWS: Final = 0.03
"""Of the picture's height: shorter stretches are what is left at a zone's edge."""
LEAST_LOOKS: Final = 3
LEAST_WAY: Final = 0.3
"""Of the zone's length that it must have driven in the end: who walks across, stops there, or is half of a vehicle
behind somebody who walks, does not pass."""
GONE_US: Final = 3 * SECOND_US // 2
JOINED_US: Final = 3 * SECOND_US
"""A plate that was read on the way to the zone is looked for in it for so long."""
MOST_PICTURES: Final = 6


@dataclass(frozen=True, slots=True)
class Unread:
    """A vehicle that passed and of which no plate was told. `box`: where it was at `at`, when most of it was seen; with
    that picture, where one was kept."""

    lane: int
    first: int
    last: int
    at: int
    looks: int
    box: Box
    picture: Picture | None


@dataclass(slots=True, eq=False)
class _Passing:
    zone: LaneZone
    first: int
    last: int = 0
    missed: int | None = None
    box: Box = (0.0, 0.0, 0.0, 0.0)
    looks: int = 0
    begun: float = 0.0
    foot: float = 0.0
    step: float = 0.0
    """Where it touched the road at first and at last, and how far it had come since the look before: shares of the
    picture's height. It may be a queue that lasts for hours, so nothing more is kept of the way."""
    tallest: float = 0.0
    best: tuple[int, Box] = (0, (0.0, 0.0, 0.0, 0.0))
    picture: Picture | None = None
    plates: set[int] = field(default_factory=set[int])
    read: bool = False

    @property
    def drove(self) -> bool:
        ys = [y for _, y in self.zone.area]
        way = abs(self.foot - self.begun)
        return self.looks >= LEAST_LOOKS and way >= LEAST_WAY * (max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class _Plate:
    """Where a plate was last, and how it moved, in shares of the picture a second."""

    at: int
    foot: Point
    speed: Point


class UnreadWatch:
    """Looks of one camera in order of time, all of one size."""

    def __init__(self, zones: Sequence[LaneZone]) -> None:
        self._zones = zones
        self._masks: dict[int, NDArray[np.bool_]] = {}
        self._passing: list[_Passing] = []
        self._waiting: list[_Passing] = []
        """That have left, and whose plates are not decided yet."""
        self._plates: dict[int, _Plate] = {}
        self._joined: set[int] = set()
        self._told: dict[int, bool] = {}
        self._found: list[Unread] = []

    def look(self, at: int, moving: NDArray[np.bool_], plates: Sequence[tuple[int, Point]], picture: Picture) -> None:
        """`plates`: the number and the foot of each that was read in this picture."""
        for number, foot in plates:
            before = self._plates.get(number)
            passed = (at - before.at) / SECOND_US if before is not None else 0.0
            speed = (
                ((foot[0] - before.foot[0]) / passed, (foot[1] - before.foot[1]) / passed)
                if before is not None and passed > 0
                else (0.0, 0.0)
            )
            self._plates[number] = _Plate(at, foot, speed)
        self._plates = {number: one for number, one in self._plates.items() if 0 <= at - one.at <= JOINED_US}
        self._joined &= set(self._plates)
        for zone in self._zones:
            stretches = self._stretches(zone, moving)
            self._follow(zone, stretches, at, picture)
        self._join(at)
        self.idle(at)
        self._spare()

    def resolved(self, number: int, *, told: bool) -> None:
        """What became of a plate: told as a vehicle's, or not."""
        for one in [*self._passing, *self._waiting]:
            if number in one.plates:
                one.plates.discard(number)
                one.read |= told
        self._told[number] = told
        if len(self._told) > 1000:
            del self._told[next(iter(self._told))]

    def idle(self, at: int) -> None:
        """Nothing was looked at until `at`."""
        gone = [one for one in self._passing if one.missed is not None and at - one.missed >= GONE_US]
        self._passing = [one for one in self._passing if one not in gone]
        self._waiting += [one for one in gone if one.drove]
        for one in [each for each in self._waiting if each.read or not each.plates]:
            self._waiting.remove(one)
            if not one.read:
                moment, box = one.best
                found = Unread(one.zone.number, one.first, one.last, moment, one.looks, box, one.picture)
                self._found.append(found)

    def end(self) -> None:
        """Nothing more comes; all plates are resolved."""
        for one in self._passing:
            one.missed = one.last if one.missed is None else one.missed
        for one in [*self._passing, *self._waiting]:
            one.plates.clear()
        self.idle(max((one.last for one in self._passing), default=0) + 2 * GONE_US)

    def found(self) -> list[Unread]:
        """Those since this was asked last."""
        found, self._found = self._found, []
        return found

    def _stretches(self, zone: LaneZone, moving: NDArray[np.bool_]) -> list[Box]:
        """Where the lane is filled along it, as boxes in shares."""
        height, width = moving.shape
        mask = self._masks.get(zone.number)
        if mask is None or mask.shape != moving.shape:
            corners = np.round(np.array(zone.area) * (width - 1, height - 1)).astype(np.int32)
            mask = cv2.fillPoly(np.zeros((height, width), np.uint8), [corners], 1).astype(np.bool_)
            self._masks[zone.number] = mask
        within = moving & mask
        found: list[Box] = []
        begin: int | None = None
        rows = np.flatnonzero(mask.any(1))
        good = {int(row): _filled(within[row], mask[row]) for row in rows}
        for row in [*good, int(rows[-1]) + 1] if len(rows) else []:
            if good.get(row, False):
                begin = row if begin is None else begin
                continue
            if begin is not None and row - begin >= max(LEAST_ROWS * height, 2):
                columns = np.flatnonzero(within[begin:row].mean(0) >= FILLED)
                if len(columns):
                    left, right = int(columns[0]), int(columns[-1]) + 1
                    found.append((left / width, begin / height, right / width, row / height))
            begin = None
        return found

    def _follow(self, zone: LaneZone, stretches: Sequence[Box], at: int, picture: Picture) -> None:
        mine = [one for one in self._passing if one.zone is zone]
        pairs = sorted(
            (apart, place, which)
            for place, box in enumerate(stretches)
            for which, one in enumerate(mine)
            if (apart := _apart(one, box)) is not None
        )
        taken: dict[int, int] = {}
        for _, place, which in pairs:
            if place not in taken and which not in taken.values():
                taken[place] = which
        for which, one in enumerate(mine):
            if which not in taken.values() and one.missed is None:
                one.missed = at
        for place, box in enumerate(stretches):
            one = mine[taken[place]] if place in taken else _Passing(zone, at)
            if place not in taken:
                self._passing.append(one)
            tall = box[3] - box[1]
            if tall >= one.tallest:
                one.best, one.tallest = (at, box), tall
                one.picture = picture if zone.unread and not one.read and not one.plates else None
            one.last, one.missed, one.box = at, None, box
            one.begun, one.step = (one.begun, box[3] - one.foot) if one.looks else (box[3], 0.0)
            one.foot, one.looks = box[3], one.looks + 1

    def _join(self, at: int) -> None:
        """A plate belongs to the stretch in which it is; one that was in none yet, to that in which it would be now."""
        for number, plate in self._plates.items():
            passed = (at - plate.at) / SECOND_US
            if passed > 0 and number in self._joined:
                continue
            foot = plate.foot[0] + plate.speed[0] * passed, plate.foot[1] + plate.speed[1] * passed
            there = [one for one in self._passing if one.last == at and one.missed is None and _near(one, foot)]
            if not there:
                continue
            one = min(there, key=lambda each: abs(each.foot - foot[1]))
            self._joined.add(number)
            told = self._told.get(number)
            if told is None:
                one.plates.add(number)
            one.read |= bool(told)
            one.picture = None

    def _spare(self) -> None:
        """A jam keeps no more pictures than a few: those of who came last."""
        holding = [one for one in [*self._waiting, *self._passing] if one.picture is not None]
        for one in holding[:-MOST_PICTURES]:
            one.picture = None


def _filled(row: NDArray[np.bool_], zone: NDArray[np.bool_]) -> bool:
    """Whether a vehicle fills this row of the zone."""
    places = np.flatnonzero(zone)
    across = row[places[0] : places[-1] + 1]
    third = len(across) // 3
    middle = across[third : len(across) - third]
    return bool(across.mean() >= FILLED and middle.mean() >= MIDDLE_FILLED)


def _apart(one: _Passing, box: Box) -> float | None:
    """How far a stretch lies from where the vehicle would be by now; None where it cannot be it."""
    tall = max(box[3] - box[1], _tall(one))
    apart = min(abs(box[3] - one.foot), abs(box[3] - one.foot - one.step))
    return apart if apart <= 0.8 * tall else None


def _near(one: _Passing, foot: Point) -> bool:
    """Whether a plate whose vehicle touches the road there can be its own."""
    left, top, right, bottom = one.box
    aside, tall = 0.3 * (right - left), _tall(one)
    return left - aside <= foot[0] <= right + aside and top - 0.2 * tall <= foot[1] <= bottom + 0.6 * tall


def _tall(one: _Passing) -> float:
    return one.box[3] - one.box[1]
