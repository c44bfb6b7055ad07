"""A crossing with a camera behind its stop line, signals, and vehicles whose true ways are known: what an enforcement
is tested against. Metres and seconds inside; boxes as shares of the picture, like a detector would say them.

`x` metres to the right of the camera, `y` metres away from it; vehicles are seen from behind and drive away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import cos, pi, sin
from random import Random
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.vision.enforcement.geometry import Point
from safecity.vision.enforcement.judge import Box, Sight
from safecity.vision.enforcement.lights import GREEN, RED, YELLOW
from safecity.vision.enforcement.scene import Exit, Lane, Scene, StopLine

CAMERA_HEIGHT: Final = 6.5
FOCAL: Final = 0.9
ASPECT: Final = 16 / 9
HORIZON: Final = 0.25
STOP_LINE: Final = 24.0
NEAREST: Final = 14.5
FAR_SIDE: Final = 44.0
LANES: Final = {1: -3.5, 2: 0.0, 3: 3.5}
LANE_WIDTH: Final = 3.5
THROUGH, LEFT = "through", "left"
CYCLE: Final = 80.0
PHASES: Final = {
    THROUGH: ((0.0, GREEN), (30.0, YELLOW), (33.0, RED)),
    LEFT: ((0.0, RED), (36.0, GREEN), (50.0, YELLOW), (53.0, RED)),
}
"""Seconds into the cycle and what is shown from then on."""
_TURN_AT: Final = {"left": 34.0, "right": 28.0}
_RADIUS: Final = {"left": 9.0, "right": 5.0}


def project(x: float, y: float, up: float = 0.0) -> Point:
    """A point of the world in the picture."""
    return 0.5 + FOCAL * x / y, HORIZON + FOCAL * ASPECT * (CAMERA_HEIGHT - up) / y


def scene() -> Scene:
    """What somebody would draw on the picture."""
    half = LANE_WIDTH / 2
    turns = {1: {"left"}, 2: {"straight"}, 3: {"straight", "right"}}
    signals = {1: {"left": LEFT}, 2: {"straight": THROUGH, "left": LEFT}, 3: {"straight": THROUGH}}
    lanes = tuple(
        Lane(
            number=number,
            area=_area((x - half, NEAREST), (x + half, NEAREST), (x + half, STOP_LINE), (x - half, STOP_LINE)),
            heading=_heading(x), turns=frozenset(turns[number]), signals=signals[number],
        )
        for number, x in LANES.items()
    )  # fmt: skip
    exits = (
        Exit(turn="straight", area=_area((-5.5, FAR_SIDE), (5.5, FAR_SIDE), (5.5, 70.0), (-5.5, 70.0))),
        Exit(turn="left", area=_area((-16.0, 36.0), (-9.0, 36.0), (-9.0, 60.0), (-16.0, 60.0))),
        Exit(turn="right", area=_area((8.0, 27.0), (14.0, 27.0), (14.0, 43.0), (8.0, 43.0))),
    )
    line = StopLine(start=_inside(-5.5, STOP_LINE), end=_inside(5.5, STOP_LINE))
    return Scene(lanes=lanes, stop_lines=(line,), exits=exits)


def _inside(x: float, y: float) -> Point:
    u, v = project(x, y)
    return min(max(u, 0.0), 1.0), min(max(v, 0.0), 1.0)


def _area(*corners: tuple[float, float]) -> tuple[Point, ...]:
    return tuple(_inside(x, y) for x, y in corners)


def _heading(x: float) -> Point:
    near, far = project(x, NEAREST), project(x, STOP_LINE)
    return far[0] - near[0], far[1] - near[1]


def colour(signal: str, second: float) -> str:
    """What it truly shows."""
    into = second % CYCLE
    return [shown for begin, shown in PHASES[signal] if begin <= into][-1]


def changes(signal: str, start: float, end: float) -> Iterator[tuple[float, str]]:
    """Every change within [start, end), as a controller tells them."""
    cycle = int(start // CYCLE) * CYCLE
    while cycle < end:
        for begin, shown in PHASES[signal]:
            if start <= cycle + begin < end:
                yield cycle + begin, shown
        cycle += CYCLE


@dataclass(frozen=True, slots=True)
class Staged:
    """One passage as it truly was, and as it was seen. `ran_red`: it drove over the line and on at red, and nothing
    allowed it to."""

    what: str
    plate: str
    read: str
    confidence: float
    lane: int
    turn: str
    crossed: float
    ran_red: bool
    on_duty: bool
    sights: tuple[Sight, ...]


@dataclass(slots=True)
class Stage:
    """Draws passages. The same seed draws the same ones."""

    seed: int
    fps: float = 8.0
    jitter: float = 0.02
    missed: float = 0.06
    misread: float = 0.03
    unread: float = 0.02
    _dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)

    def passages(self, plan: dict[str, int]) -> list[Staged]:
        """So many of each kind (the names of `_KINDS`), in a drawn order."""
        kinds = [name for name, number in plan.items() for _ in range(number)]
        self._dice.shuffle(kinds)
        return [self._stage(name, number) for number, name in enumerate(kinds)]

    def _stage(self, what: str, number: int) -> Staged:
        lane, turn, way, crossed, ran = _KINDS[what](self._dice, number * CYCLE)
        plate = "皖B" + "".join(self._dice.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(5))
        read, sure = self._read(plate)
        sights = tuple(self._seen(way, lane, turn, crossed))
        return Staged(what, plate, read, sure, lane, turn, crossed, ran, what == "on_duty", sights)

    def _read(self, plate: str) -> tuple[str, float]:
        drawn = self._dice.random()
        if drawn < self.unread:
            return "", 0.0
        if drawn < self.unread + self.misread:
            place = self._dice.randrange(2, 7)
            return plate[:place] + self._dice.choice("ABCDE12345") + plate[place + 1 :], self._dice.uniform(0.4, 0.9)
        return plate, self._dice.uniform(0.85, 0.99)

    def _seen(self, way: Callable[[float], float], lane: int, turn: str, crossed: float) -> Iterator[Sight]:
        """Boxes of a detector: they tremble, and some are missing."""
        step = 1 / self.fps
        second = crossed - 12.0 + self._dice.uniform(0, step)
        width, height = self._dice.uniform(1.75, 2.0), self._dice.uniform(1.45, 1.8)
        while second < crossed + 60.0:
            x, y = _place(way(second), LANES[lane], turn)
            box = _box(x, y, width, height)
            if box is not None and self._dice.random() >= self.missed:
                yield Sight(round(second * SECOND_US), self._trembling(box))
            elif y > 60.0 or abs(x) > 17.0:
                return
            second += step

    def _trembling(self, box: Box) -> Box:
        wide, high = box[2] - box[0], box[3] - box[1]
        off = [self._dice.gauss(0, self.jitter) * size for size in (wide, high, wide, high)]
        left, top, right, bottom = (min(max(edge + by, 0.0), 1.0) for edge, by in zip(box, off, strict=True))
        return left, top, max(right, left + 1e-4), max(bottom, top + 1e-4)


def _box(x: float, y: float, width: float, height: float) -> Box | None:
    if y < NEAREST or y > 60.0:
        return None
    left, bottom = project(x - width / 2, y)
    right, top = project(x + width / 2, y)[0], project(x, y, height)[1]
    return (left, top, right, bottom) if left >= 0 and right <= 1 and top >= 0 and bottom <= 1 else None


def _place(way: float, x: float, turn: str) -> tuple[float, float]:
    """Where a vehicle is after so many metres; the stop line lies at 0."""
    y = STOP_LINE + way
    begin = _TURN_AT.get(turn)
    if begin is None or y <= begin:
        return x, y
    radius, into = _RADIUS[turn], y - begin
    sign = -1 if turn == "left" else 1
    angle = min(into / radius, pi / 2)
    rest = max(into - radius * pi / 2, 0.0)
    return x + sign * (radius * (1 - cos(angle)) + rest), begin + radius * sin(angle)


_Drawn = tuple[int, str, Callable[[float], float], float, bool]


def _steady(crossed: float, speed: float) -> Callable[[float], float]:
    return lambda second: speed * (second - crossed)


def _on_green(dice: Random, cycle: float) -> _Drawn:
    crossed, lane = cycle + dice.uniform(1.0, 24.0), dice.choice((2, 3))
    return lane, "straight", _steady(crossed, dice.uniform(8, 15)), crossed, False


def _left_on_green(dice: Random, cycle: float) -> _Drawn:
    crossed = cycle + dice.uniform(37.0, 47.0)
    return 1, "left", _steady(crossed, dice.uniform(5, 8)), crossed, False


def _on_yellow(dice: Random, cycle: float) -> _Drawn:
    """It is over the line before red begins, and on the crossing when it does."""
    crossed = cycle + dice.uniform(30.1, 32.9)
    return dice.choice((2, 3)), "straight", _steady(crossed, dice.uniform(8, 15)), crossed, False


def _on_red(dice: Random, cycle: float) -> _Drawn:
    if dice.random() < 0.25:
        crossed = cycle + dice.uniform(53.4, 72.0)
        return 1, "left", _steady(crossed, dice.uniform(5, 8)), crossed, True
    crossed = cycle + dice.uniform(33.4, 72.0)
    return dice.choice((2, 3)), "straight", _steady(crossed, dice.uniform(8, 16)), crossed, True


def _on_duty(dice: Random, cycle: float) -> _Drawn:
    lane, turn, way, crossed, _ = _on_red(dice, cycle)
    return lane, turn, way, crossed, False


def _right_on_red(dice: Random, cycle: float) -> _Drawn:
    crossed = cycle + dice.uniform(34.0, 74.0)
    return 3, "right", _steady(crossed, dice.uniform(4, 7)), crossed, False


def _behind_the_line(dice: Random, cycle: float) -> _Drawn:
    """It brakes too late, stands up to three metres behind the line, and waits there for green."""
    crossed, speed = cycle + dice.uniform(40.0, 55.0), dice.uniform(6, 10)
    past, green, begin = dice.uniform(0.6, 3.0), cycle + CYCLE + dice.uniform(0.5, 2.0), dice.uniform(1.5, 2.5)
    stop = 2 * past / speed  # it slows down evenly from the line on

    def way(second: float) -> float:
        if second <= crossed:
            return speed * (second - crossed)
        if second <= crossed + stop:
            into = second - crossed
            return speed * into - speed * into * into / (2 * stop)
        waited = max(second - green, 0.0)
        return past + begin * waited * waited / 2

    return dice.choice((2, 3)), "straight", way, crossed, False


def _at_the_line(dice: Random, cycle: float) -> _Drawn:
    """It stops before the line and goes with green."""
    green, begin, gap = cycle + CYCLE + dice.uniform(0.3, 2.0), dice.uniform(1.5, 2.5), dice.uniform(0.3, 1.5)
    stood = green - dice.uniform(3.0, 8.0)

    def way(second: float) -> float:
        if second < stood:
            return -gap - 3.0 * (stood - second)
        waited = max(second - green, 0.0)
        return -gap + begin * waited * waited / 2

    return dice.choice((2, 3)), "straight", way, green + (2 * gap / begin) ** 0.5, False


_KINDS: Final[dict[str, Callable[[Random, float], _Drawn]]] = {
    "on_red": _on_red,
    "on_green": _on_green,
    "left_on_green": _left_on_green,
    "on_yellow": _on_yellow,
    "right_on_red": _right_on_red,
    "behind_the_line": _behind_the_line,
    "at_the_line": _at_the_line,
    "on_duty": _on_duty,
}
