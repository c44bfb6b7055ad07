"""One vehicle's way through a scene, and what of it is a candidate of an offence. Pure.

In doubt there is none: a stretch over which the light is not surely red, a line that was only touched, a vehicle that
stopped behind the stop line and went no further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.vision.enforcement.geometry import Point, inside, met, off, side
from safecity.vision.enforcement.lights import RED, Lights
from safecity.vision.enforcement.scene import Lane, Scene, StopLine, Zone

Box = tuple[float, float, float, float]
LEAST_SIGHTS: Final = 4
CLEAR: Final = 0.35
"""Widths of the vehicle that it must be off a solid line, on both sides of it, to have crossed it."""
LEAST_BACK: Final = 2.0
"""Heights of the vehicle that it must drive against the direction: less is a manoeuvre."""
STILL: Final = 0.3
"""Widths of the vehicle that a standing one may seem to move."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a vehicle was in a picture: left, top, right, bottom."""

    at: int
    box: Box

    @property
    def foot(self) -> Point:
        """Where it touches the road, as far as a box says."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    @property
    def width(self) -> float:
        return max(self.box[2] - self.box[0], 1e-6)

    @property
    def height(self) -> float:
        return max(self.box[3] - self.box[1], 1e-6)


@dataclass(frozen=True, slots=True)
class Offence:
    """A candidate. `moments`: the sights whose pictures are its evidence, in order of time; `light`: what the signal
    surely showed at all of them."""

    kind: str
    at: int
    moments: tuple[Sight, ...]
    lane: int | None = None
    light: str = ""
    light_source: str = ""
    signal: str = ""
    words: str = ""


class Judge:
    """For one camera. `clock_error_us`: the largest difference between its clock and that of the signals."""

    def __init__(self, scene: Scene, lights: Lights, clock_error_us: int = SECOND_US // 5) -> None:
        self.scene = scene
        self._lights = lights
        self._error = clock_error_us

    def judge(self, sights: Sequence[Sight]) -> list[Offence]:
        """All that one vehicle did, once it has left; `sights` in order of time."""
        if len(sights) < LEAST_SIGHTS:
            return []
        found: list[Offence] = []
        for line in self.scene.stop_lines:
            found += self._at_stop_line(sights, line)
        found += self._solid_lines(sights)
        found += self._wrong_way(sights)
        found += self.standing(sights)
        return found

    def _at_stop_line(self, sights: Sequence[Sight], line: StopLine) -> Iterator[Offence]:
        for place, (before, after) in enumerate(pairwise(sights)):
            share = met(line.start, line.end, before.foot, after.foot)
            if share is None:
                continue
            lane = self._lane_before(sights[: place + 1], line, after)
            if lane is None:
                continue
            turn, arrived = self._turn(sights[place + 1 :])
            if turn is None or arrived is None:
                continue  # it stopped behind the line, or nobody knows where it went
            at = round(before.at + share * (after.at - before.at))
            moments = _moments(before, after, arrived)
            if turn not in lane.turns:
                yield Offence("lane_disobeyed", at, moments, lane.number, words=turn)
            signal = lane.signals.get(turn, "")
            if signal and self._lights.surely(signal, before.at - self._error, arrived.at + self._error) == RED:
                source = self._lights.source(signal)
                yield Offence("red_light", at, moments, lane.number, RED, source, signal, words=turn)
            return

    def _lane_before(self, sights: Sequence[Sight], line: StopLine, after: Sight) -> Lane | None:
        """The lane that a vehicle came from, if it went over the line in the direction of that lane."""
        for sight in reversed(sights):
            for lane in self.scene.lanes:
                if not inside(lane.area, sight.foot):
                    continue
                ahead = (sight.foot[0] + lane.heading[0], sight.foot[1] + lane.heading[1])
                forward = side(line.start, line.end, ahead) - side(line.start, line.end, sight.foot)
                went = side(line.start, line.end, after.foot) - side(line.start, line.end, sight.foot)
                return lane if forward * went > 0 else None
        return None

    def _turn(self, sights: Sequence[Sight]) -> tuple[str | None, Sight | None]:
        for sight in sights:
            for exit_ in self.scene.exits:
                if inside(exit_.area, sight.foot):
                    return exit_.turn, sight
        return None, None

    def _solid_lines(self, sights: Sequence[Sight]) -> Iterator[Offence]:
        for line in self.scene.solid_lines:
            for place, (before, after) in enumerate(pairwise(sights)):
                if not any(met(a, b, before.foot, after.foot) is not None for a, b in pairwise(line)):
                    continue
                clear_before = _clear(sights[: place + 1][::-1], line, off(line, before.foot))
                clear_after = _clear(sights[place + 1 :], line, off(line, after.foot))
                if clear_before is not None and clear_after is not None:
                    lane = self._lane_of(clear_before)
                    yield Offence("solid_line", after.at, (clear_before, clear_after), lane)
                    break

    def _wrong_way(self, sights: Sequence[Sight]) -> Iterator[Offence]:
        for lane in self.scene.lanes:
            norm = (lane.heading[0] ** 2 + lane.heading[1] ** 2) ** 0.5
            heading = lane.heading[0] / norm, lane.heading[1] / norm
            within = [sight for sight in sights if inside(lane.area, sight.foot)]
            if len(within) < LEAST_SIGHTS:
                continue
            steps = [
                (b.foot[0] - a.foot[0]) * heading[0] + (b.foot[1] - a.foot[1]) * heading[1] for a, b in pairwise(within)
            ]
            back = -sum(step for step in steps if step < 0)
            forth = sum(step for step in steps if step > 0)
            least = LEAST_BACK * sum(sight.height for sight in within) / len(within)
            if back >= least and forth <= 0.1 * back:
                yield Offence("wrong_way", within[0].at, (within[0], within[-1]), lane.number)
                return

    def standing(self, sights: Sequence[Sight]) -> Iterator[Offence]:
        """Where a vehicle stood too long; also while it is in sight. Its moments: when it was first seen to stand, and
        when its time was over."""
        for zone in self.scene.zones:
            for stood in _stood(sights, zone):
                over = stood[0].at + zone.seconds * SECOND_US
                late = next((sight for sight in stood if sight.at >= over), None)
                if late is not None:
                    yield Offence("illegal_stop", stood[0].at, (stood[0], late), words=zone.name)
                    break

    def _lane_of(self, sight: Sight) -> int | None:
        return next((lane.number for lane in self.scene.lanes if inside(lane.area, sight.foot)), None)


def _moments(before: Sight, after: Sight, arrived: Sight) -> tuple[Sight, ...]:
    """Before the line, behind it, and on the way over the crossing (GA/T 496)."""
    return (before, after, arrived) if arrived.at > after.at else (before, arrived)


def _clear(sights: Sequence[Sight], line: Sequence[Point], where: float) -> Sight | None:
    """The first of these that is well off the line, on the side where the first of them is."""
    for sight in sights:
        distance = off(line, sight.foot)
        if distance * where < 0:
            return None
        if abs(distance) >= CLEAR * sight.width:
            return sight
    return None


def _stood(sights: Sequence[Sight], zone: Zone) -> Iterator[list[Sight]]:
    """Stretches over which a vehicle stood within a zone."""
    run: list[Sight] = []
    for sight in sights:
        if not inside(zone.area, sight.foot):
            if run:
                yield run
            run = []
            continue
        first = run[0] if run else sight
        apart = ((sight.foot[0] - first.foot[0]) / first.width, (sight.foot[1] - first.foot[1]) / first.height)
        if max(abs(apart[0]), abs(apart[1])) > STILL:
            yield run
            run = []
        run.append(sight)
    if run:
        yield run
