"""What the positions of one vehicle mean: fences it enters, leaves, is too fast in; that it moves and should not. Pure.

Each of these is a yes or no over time (`marks.py`). Between the edge of a fence and `BAND_METRES` outside of it nothing
changes, so that a fix that wanders about a vehicle at the line rings once; so with a speed at its limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Any, Final, NamedTuple

from safecity.core.upper.fleet.fences import Fence
from safecity.core.upper.fleet.marks import Change, Marks, begun, news, packed, taken, unpacked
from safecity.core.upper.fleet.shapes import Shape
from safecity.kit.clock import SECOND_US
from safecity.kit.earth import metres_between
from safecity.protocols.jt808.alarms import Status, has

BAND_METRES: Final = 25.0
SPEED_BAND_KMH: Final = 5.0
MOVES_KMH: Final = 10.0
STANDS_KMH: Final = 3.0
AWAY_METRES: Final = 200.0
THEFT_SECONDS: Final = 20
"""So long a vehicle moves before anybody is called: switches are slower than wheels."""
REST_US: Final = 600 * SECOND_US
"""At rest for so long a move is over; the next is another one."""
LATE_US: Final = 7 * 86_400 * SECOND_US
FASTEST_METRES_A_SECOND: Final = 70.0
JUMP_METRES: Final = 300.0
"""What a fix may be off beside what a vehicle can drive; more is a leap of the receiver."""


class Rule(StrEnum):
    """What is told of a vehicle."""

    ENTER = "fence_enter"
    LEAVE = "fence_leave"
    SPEED = "fence_speed"
    TOW = "tow"
    AWAY = "away"
    NO_DRIVER = "no_driver"


THEFT: Final = (Rule.TOW, Rule.AWAY, Rule.NO_DRIVER)


class Fix(NamedTuple):
    """A position. `status`: bits of JT/T 808, None where the device has none; `driver`: whether one is signed in, None
    where nobody knows; `late`: it was kept by the device."""

    at: int
    longitude: float
    latitude: float
    speed_kmh: float | None = None
    status: int | None = None
    driver: bool | None = None
    late: bool = False

    @property
    def place(self) -> tuple[float, float]:
        """Longitude and latitude."""
        return self.longitude, self.latitude


class News(NamedTuple):
    """Something began (`on`) or ended at `at`. `fence` is empty where it is about none."""

    rule: Rule
    fence: str
    on: bool
    at: int
    fix: Fix


@dataclass(slots=True)
class Track:
    """What is known of one vehicle. `newest`: of what was judged, 0: nothing yet.

    fences    by id those it was held against: since when they are what they are, and the marks of rules that were
              true once
    theft     marks by rule; `ignited`: its ignition was seen on, so that "off" means something
    parked    where it was left with the ignition off; `moved_at`: when it was last seen moving
    """

    newest: int = 0
    fences: dict[str, tuple[int, dict[str, Marks]]] = field(default_factory=dict[str, tuple[int, dict[str, Marks]]])
    theft: dict[str, Marks] = field(default_factory=dict[str, Marks])
    ignited: bool = False
    parked: tuple[float, float] | None = None
    moved_at: int = 0

    def pack(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "fences": {
                name: [since, {rule: packed(marks) for rule, marks in rules.items()}]
                for name, (since, rules) in self.fences.items()
            },
            "theft": {rule: packed(marks) for rule, marks in self.theft.items()},
            "ignited": self.ignited,
            "parked": self.parked,
            "moved_at": self.moved_at,
        }


def unpack(newest: int, body: dict[str, Any]) -> Track:
    """What `Track.pack` made."""
    fences = {
        name: (int(since), {rule: unpacked(rows) for rule, rows in rules.items()})
        for name, (since, rules) in body["fences"].items()
    }
    theft = {rule: unpacked(rows) for rule, rows in body["theft"].items()}
    parked = body["parked"]
    place = None if parked is None else (float(parked[0]), float(parked[1]))
    return Track(newest, fences, theft, bool(body["ignited"]), place, int(body["moved_at"]))


def judge(track: Track, fences: Sequence[tuple[Fence, Shape]], fixes: Sequence[Fix], zone: tzinfo) -> list[News]:
    """Take what a vehicle told, in any order, into its track; what is to be told of it, oldest first."""
    ordered = sorted(fixes, key=lambda fix: fix.at)
    newest = max(track.newest, ordered[-1].at) if ordered else track.newest
    fixes_at = {fix.at: fix for fix in ordered}
    told: list[News] = []

    def tell(rule: Rule, fence: str, changes: list[Change]) -> None:
        for change in changes:
            fix = fixes_at.get(change.at) or ordered[-1]
            told.append(News(rule, fence, change.on, change.at, fix))

    for fence, shape in fences:
        _judge_fence(track, fence, shape, ordered, zone)
    for fix in ordered:
        _judge_theft(track, fix)
        track.newest = max(track.newest, fix.at)
    for fence, _ in fences:
        _, rules = track.fences.get(fence.id, (0, {}))
        for name, marks in list(rules.items()):
            least = fence.speed_seconds * SECOND_US if name == Rule.SPEED else 0
            rules[name], changes = news(marks, newest, least)
            tell(Rule(name), fence.id, changes)
    for name, marks in list(track.theft.items()):
        track.theft[name], changes = news(marks, newest, THEFT_SECONDS * SECOND_US)
        tell(Rule(name), "", changes)
    _forget(track, {fence.id for fence, _ in fences})
    return sorted(told, key=lambda one: one.at)


def _judge_fence(track: Track, fence: Fence, shape: Shape, ordered: Sequence[Fix], zone: tzinfo) -> None:
    since, rules = track.fences.get(fence.id, (-1, {}))
    # Who was held against it before, and has no marks, was never what its rules ask for.
    known, newest = since == fence.since, track.newest
    if not known:
        rules = {}
    for fix in ordered:
        if fix.at < fence.since:
            continue
        counts = fence.counts(fix.at, zone)
        far = not counts or shape.is_far(fix.place, BAND_METRES)
        depth = -BAND_METRES - 1 if far else shape.depth(fix.place)
        for rule in _rules_of(fence):
            on = _level(rule, fence, fix, depth, counts=counts)
            if on is None:
                continue
            marks = rules.get(rule)
            if marks is None and on:
                marks = begun(fence.since, False) if known or rule is Rule.SPEED else begun(fix.at, True)
            if marks is not None:
                rules[rule] = taken(marks, fix.at, on, newest)
        known, newest = True, max(newest, fix.at)
    if known:
        track.fences[fence.id] = (fence.since, rules)


def _rules_of(fence: Fence) -> list[Rule]:
    wanted = ((Rule.ENTER, fence.on_enter), (Rule.LEAVE, fence.on_leave), (Rule.SPEED, fence.speed_kmh > 0))
    return [rule for rule, is_wanted in wanted if is_wanted]


def _level(rule: Rule, fence: Fence, fix: Fix, depth: float, *, counts: bool) -> bool | None:
    """Yes, no, or (None) as it was."""
    if not counts:
        return False
    inside = True if depth > 0 else False if depth < -BAND_METRES else None
    if rule is Rule.ENTER:
        return inside
    if rule is Rule.LEAVE:
        return None if inside is None else not inside
    if inside is False:
        return False
    if fix.speed_kmh is None:
        return None
    if fix.speed_kmh > fence.speed_kmh:
        return inside
    return False if fix.speed_kmh <= fence.speed_kmh - SPEED_BAND_KMH else None


def _judge_theft(track: Track, fix: Fix) -> None:
    """Only what a terminal knows of its ignition, and only forwards: where it was parked is a thing of now."""
    if fix.status is None or fix.at < track.newest:
        return
    ignition, locked = has(fix.status, Status.IGNITION), has(fix.status, Status.DOORS_LOCKED)
    moves = (fix.speed_kmh or 0.0) > MOVES_KMH
    if moves:
        track.moved_at = fix.at
    rests = (fix.speed_kmh or 0.0) <= STANDS_KMH and fix.at - track.moved_at > REST_US
    if ignition:
        track.ignited, track.parked = True, None
    elif track.ignited and track.parked is None and not moves:
        track.parked = fix.place
    away = track.parked is not None and metres_between(track.parked, fix.place) > AWAY_METRES
    levels: dict[Rule, bool | None] = {
        Rule.TOW: True if track.ignited and not ignition and moves else False if ignition or rests else None,
        Rule.AWAY: (not ignition and locked and away) if ignition or away or rests else None,
        Rule.NO_DRIVER: (moves or None) if fix.driver is False else False,
    }
    if rests and away:
        track.parked = fix.place  # it stands elsewhere now; from there it would be taken anew
    if rests and fix.driver is False:
        levels[Rule.NO_DRIVER] = False
    for rule, on in levels.items():
        marks = track.theft.get(rule)
        if marks is None and on:
            marks = begun(0, False)
        if marks is not None and on is not None:
            track.theft[rule] = taken(marks, fix.at, on, track.newest)


def _forget(track: Track, fences: set[str]) -> None:
    """What has not been true for so long that nothing could come behind it, and fences that are not there."""
    for name, (since, rules) in list(track.fences.items()):
        if name not in fences:
            del track.fences[name]
        elif rules and all(not marks[-1].on and track.newest - marks[-1].at > LATE_US for marks in rules.values()):
            track.fences[name] = since, {}


def sieved(last: Fix | None, suspect: Fix | None, fixes: Sequence[Fix]) -> tuple[list[Fix], Fix | None, Fix | None]:
    """(those that can be believed, the last of them, one that waits for another to agree with it).

    A fix that no vehicle can drive to from the one before is a leap of the receiver, unless the next one is there too.
    """
    good: list[Fix] = []
    for fix in sorted(fixes, key=lambda one: one.at):
        if last is None or fix.at < last.at or _drives(last, fix):
            suspect = None
        elif suspect is None or not _drives(suspect, fix):
            suspect = fix
            continue
        good.append(fix)
        if last is None or fix.at >= last.at:
            last, suspect = fix, None
    return good, last, suspect


def _drives(one: Fix, other: Fix) -> bool:
    seconds = max(0.0, (other.at - one.at) / SECOND_US)
    return metres_between(one.place, other.place) <= JUMP_METRES + FASTEST_METRES_A_SECOND * seconds
