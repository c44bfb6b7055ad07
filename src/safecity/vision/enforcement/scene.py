"""What is drawn on the picture of a camera that looks at a road: lanes, stop lines, solid lines, exits, zones, and a
rectangle of known size. Data that checks itself; all places as shares of the picture's width and height."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from safecity.kit.errors import InvalidError
from safecity.vision.enforcement.calibration import Calibration, read_calibration, write_calibration
from safecity.vision.enforcement.geometry import Point

Region = tuple[float, float, float, float]
"""Left, top, right, bottom."""
TURNS: Final = ("left", "straight", "right", "back")
SIGNAL: Final = r"[a-z0-9][a-z0-9_.-]{0,39}"
"""How signals are named: lower case letters and digits."""
MAX_POINTS: Final = 30
MAX_PARTS: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A lane before the stop line.

    heading   which way traffic goes in it, as a direction in the picture
    turns     where its arrows allow to go
    signals   the signal that holds for each way; a way that is not there is free (a right turn on red)
    """

    number: int
    area: tuple[Point, ...]
    heading: Point
    turns: frozenset[str] = frozenset({"straight"})
    signals: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        _need(1 <= self.number <= 99, "number")
        _need(_area(self.area), "area")
        _need(abs(self.heading[0]) + abs(self.heading[1]) > 1e-6, "heading")
        _need(bool(self.turns) and self.turns <= set(TURNS), "turns")
        _need(set(self.signals) <= set(TURNS), "signals")
        _need(all(re.fullmatch(SIGNAL, name) for name in self.signals.values()), "signals")


@dataclass(frozen=True, kw_only=True, slots=True)
class StopLine:
    """From one side of the road to the other."""

    start: Point
    end: Point

    def __post_init__(self) -> None:
        _need(_line((self.start, self.end)), "stop_lines")


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """Where vehicles come that went this way."""

    turn: str
    area: tuple[Point, ...]

    def __post_init__(self) -> None:
        _need(self.turn in TURNS, "turn")
        _need(_area(self.area), "area")


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """Where nobody may stand for longer than `seconds`."""

    name: str
    area: tuple[Point, ...]
    seconds: float = 10.0

    def __post_init__(self) -> None:
        _need(0 < len(self.name) <= 100, "name")
        _need(_area(self.area), "area")
        _need(10 <= self.seconds <= 86_400, "seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """All that is drawn on one camera's picture.

    clock_error_ms   the largest error of the times of its pictures, and against the signals' clock
    lamps            regions of the lamps by signal and colour, where they are read from the picture
    calibration      a rectangle on the road, by which speeds are estimated; None: none are
    """

    name: str = ""
    clock_error_ms: int = 1000
    lamps: Mapping[str, Mapping[str, Region]] = field(default_factory=dict[str, Mapping[str, Region]])
    lanes: tuple[Lane, ...] = ()
    stop_lines: tuple[StopLine, ...] = ()
    solid_lines: tuple[tuple[Point, ...], ...] = ()
    exits: tuple[Exit, ...] = ()
    zones: tuple[Zone, ...] = ()
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        _need(len({lane.number for lane in self.lanes}) == len(self.lanes), "lanes")
        for name in ("lanes", "stop_lines", "solid_lines", "exits", "zones"):
            _need(len(getattr(self, name)) <= MAX_PARTS, name)
        _need(all(_line(line) for line in self.solid_lines), "solid_lines")
        _need(len(self.name) <= 200, "name")
        _need(0 <= self.clock_error_ms <= 60_000, "clock_error_ms")
        _need(len(self.lamps) <= MAX_PARTS and all(_lamps(name, shown) for name, shown in self.lamps.items()), "lamps")

    @property
    def judges(self) -> bool:
        """Whether anybody can offend here: a scene may be drawn to measure alone."""
        return bool(self.stop_lines or self.solid_lines or self.lanes or self.zones)

    @property
    def signals(self) -> frozenset[str]:
        """Whose state is needed."""
        return frozenset(name for lane in self.lanes for name in lane.signals.values())


def read_scene(said: Mapping[str, Any]) -> Scene:
    """A scene out of plain JSON, as the API and the database have it; InvalidError `scene_invalid`, and those of
    `Calibration`."""
    try:
        measured = said.get("calibration")
        return Scene(
            lanes=tuple(
                Lane(
                    number=one["number"], area=_points(one["area"]), heading=_point(one["heading"]),
                    turns=frozenset(one["turns"]), signals=dict(one["signals"]),
                )
                for one in said.get("lanes", ())
            ),
            stop_lines=tuple(
                StopLine(start=_point(one[0]), end=_point(one[1])) for one in said.get("stop_lines", ())
            ),
            solid_lines=tuple(_points(one) for one in said.get("solid_lines", ())),
            exits=tuple(Exit(turn=one["turn"], area=_points(one["area"])) for one in said.get("exits", ())),
            zones=tuple(
                Zone(name=one["name"], area=_points(one["area"]), seconds=one["seconds"])
                for one in said.get("zones", ())
            ),
            name=said.get("name", ""), clock_error_ms=said.get("clock_error_ms", 1000),
            lamps={
                name: {colour: _region(region) for colour, region in shown.items()}
                for name, shown in said.get("lamps", {}).items()
            },
            calibration=None if measured is None else read_calibration(measured),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InvalidError("not a scene", code="scene_invalid", params={"field": str(error)[:40]}) from error


def write_scene(scene: Scene) -> dict[str, Any]:
    """The other way round."""
    return {
        "lanes": [
            {
                "number": one.number, "area": _lists(one.area), "heading": list(one.heading),
                "turns": sorted(one.turns), "signals": dict(one.signals),
            }
            for one in scene.lanes
        ],
        "stop_lines": [[list(one.start), list(one.end)] for one in scene.stop_lines],
        "solid_lines": [_lists(one) for one in scene.solid_lines],
        "exits": [{"turn": one.turn, "area": _lists(one.area)} for one in scene.exits],
        "zones": [{"name": one.name, "area": _lists(one.area), "seconds": one.seconds} for one in scene.zones],
        "name": scene.name,
        "clock_error_ms": scene.clock_error_ms,
        "lamps": {
            name: {colour: list(region) for colour, region in shown.items()} for name, shown in scene.lamps.items()
        },
        "calibration": None if scene.calibration is None else write_calibration(scene.calibration),
    }  # fmt: skip


def _point(said: Any) -> Point:
    x, y = cast("Sequence[float]", said)
    return float(x), float(y)


def _points(said: Any) -> tuple[Point, ...]:
    return tuple(_point(one) for one in cast("Sequence[Any]", said))


def _region(said: Any) -> Region:
    left, top, right, bottom = cast("Sequence[float]", said)
    return float(left), float(top), float(right), float(bottom)


def _lamps(signal: str, shown: Mapping[str, Region]) -> bool:
    """Whether these can be the lamps of a signal."""
    named = re.fullmatch(SIGNAL, signal) is not None and bool(shown) and set(shown) <= {"red", "yellow", "green"}
    return named and all(0 <= one[0] < one[2] <= 1 and 0 <= one[1] < one[3] <= 1 for one in shown.values())


def _lists(points: Sequence[Point]) -> list[list[float]]:
    return [list(point) for point in points]


def _in_picture(points: Sequence[Point]) -> bool:
    return all(0 <= x <= 1 and 0 <= y <= 1 for x, y in points)


def _area(points: Sequence[Point]) -> bool:
    return 3 <= len(points) <= MAX_POINTS and _in_picture(points)


def _line(points: Sequence[Point]) -> bool:
    return 2 <= len(points) <= MAX_POINTS and _in_picture(points) and len(set(points)) == len(points)


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="scene_invalid", params={"field": name})
