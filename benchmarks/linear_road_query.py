"""The continuous query of Linear Road as an operator: tolls, accidents, balances and past expenditure of an expressway.

Rules: A. Arasu et al., "Linear Road: A Stream Data Management Benchmark", VLDB 2004; where that leaves a choice, the
answers of the reference run decide: the mean speed (LAV) is of all reports of the five minutes before, exit lane
included, rounded half up before it is compared; vehicles (NUMV) are those of the minute before, exit lane included; a
toll is quoted to who enters a segment on any lane but the exit lane, and charged when that vehicle is next seen in
another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import floor
from struct import Struct as Packed
from typing import Any, NamedTuple

from msgspec import Struct

from safecity.core.upper.flows.api import Flow, Item, Record, State
from safecity.core.upper.flows.standing import STOPPED_AFTER, Accident, Stand, reports_here
from safecity.core.upper.flows.windows import Minutes
from safecity.kit.clock import SECOND_US
from safecity.model.facts.envelope import Event

START = 1_790_000_040_000_000
"""Second 0 of the input."""
POSITION, BALANCE, EXPENDITURE = 0, 2, 3
"""Kinds of input; answers have the same numbers, and 1 is an accident."""
EXIT_LANE = 4
REACH = 4
"""Segments upstream of an accident, in which drivers are warned and nobody pays."""
SEGMENTS = 100
PACKED = Packed("<BIHBBBIiB")
"""Type, vehicle, speed in mph, lane, direction, segment, position in feet, query, day."""


class Car(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """A vehicle: its last report, and its account. `here`: reports running from this position; `minute`: when it was
    last counted in its segment; `quoted`: the toll of the segment it is in."""

    position: int
    lane: int
    direction: int
    segment: int
    here: int
    minute: int
    balance: int
    quoted: int


class Segment(Struct, frozen=True, array_like=True, gc=False, tag=2):
    """Speeds of a segment and direction."""

    speeds: Minutes


class Place(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """Who stands at one position."""

    stand: Stand


class Accidents(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """Those that count or will."""

    known: tuple[Accident, ...]


class Answers(NamedTuple):
    """Of one batch: (0, vehicle, second, LAV, toll), (1, second, segment, direction, vehicle),
    (2, second, second of the result, query, balance), (3, second, query, toll)."""

    at: int
    answers: list[tuple[int, ...]]


class LinearRoad:
    """One expressway; `expenditure`: the tolls of vehicle, day and expressway in the past."""

    version = 1
    item = Car | Segment | Place | Accidents

    def __init__(self, expenditure: Mapping[tuple[int, int, int], int]) -> None:
        self._expenditure = expenditure

    def process(self, batch: Sequence[Record], state: State) -> Iterable[Answers]:
        answers: list[tuple[int, ...]] = []
        at = START
        for _, at, report in batch:
            second = (at - START) // SECOND_US
            match report[0]:
                case 0:
                    _report(state, answers, second, report)
                case 2:
                    car: Car | None = state.get(report[1])
                    answers.append((BALANCE, second, second, report[7], 0 if car is None else car.balance))
                case 3:
                    toll = self._expenditure[report[1], report[8], 0]
                    answers.append((EXPENDITURE, second, report[7], toll))
                case kind:
                    raise ValueError(f"no such report: {kind}")
        if answers:
            yield Answers(at, answers)

    def on_watermark(self, time: int, state: State) -> Iterable[Answers]:
        return ()

    def upgrade(self, version: int, items: dict[Item, Any]) -> dict[Item, Any]:
        raise NotImplementedError("there was no version before")


def _report(state: State, answers: list[tuple[int, ...]], second: int, report: tuple[int, ...]) -> None:
    _, vehicle, speed, lane, direction, segment, position, _, _ = report
    minute = second // 60
    car: Car | None = state.get(vehicle)
    place = -1 - (direction * SEGMENTS + segment)  # vehicles are named from 0 up, segments from -1 down
    held: Segment | None = state.get(place)
    crossing = car is None or car.segment != segment
    new = crossing or car.minute != minute or car.direction != direction
    speeds = (Minutes(minute) if held is None else held.speeds).add(minute, speed, new=new)
    state.put(place, Segment(speeds))
    balance = quoted = 0
    here = 1
    if car is not None:
        same = car.position == position and car.lane == lane and car.direction == direction
        here = reports_here(car.here, same_place=same)
        balance, quoted = car.balance, car.quoted
        if car.here >= STOPPED_AFTER and not same:
            _moved(state, vehicle, car, minute)
    if here >= STOPPED_AFTER:
        _stopped(state, vehicle, report, minute)
    if crossing:
        balance += quoted
        quoted = 0
        if lane != EXIT_LANE:
            mean = speeds.mean(minute)
            lav = 0 if mean is None else floor(mean + 0.5)
            accident = _accident(state, direction, segment, minute)
            vehicles = speeds.distinct_in(minute - 1)
            if vehicles > 50 and lav < 40 and accident is None:
                quoted = 2 * (vehicles - 50) ** 2
            answers.append((POSITION, vehicle, second, lav, quoted))
            if accident is not None:
                answers.append((1, second, accident.segment, direction, vehicle))
    state.put(vehicle, Car(position, lane, direction, segment, here, minute, balance, quoted))


def _place(direction: int, lane: int, position: int) -> str:
    return f"{direction}/{lane}/{position}"


def _stopped(state: State, vehicle: int, report: tuple[int, ...], minute: int) -> None:
    _, _, _, lane, direction, segment, position, _, _ = report
    name = _place(direction, lane, position)
    held: Place | None = state.get(name)
    before = Stand() if held is None else held.stand
    after = before.stopped(vehicle, minute)
    if after == before:
        return
    state.put(name, Place(after))
    if before.since is None and after.since is not None:
        known: Accidents | None = state.get("accidents")
        accident = Accident(direction, segment, minute)
        state.put("accidents", Accidents((*(() if known is None else known.known), accident)))


def _moved(state: State, vehicle: int, car: Car, minute: int) -> None:
    name = _place(car.direction, car.lane, car.position)
    held: Place | None = state.get(name)
    if held is None:
        return
    after = held.stand.left(vehicle)
    state.put(name, Place(after) if after.vehicles else None)
    known: Accidents | None = state.get("accidents")
    if held.stand.since is not None and after.since is None and known is not None:
        over = Accident(car.direction, car.segment, held.stand.since)
        cleared = Accident(car.direction, car.segment, held.stand.since, minute)
        kept = [cleared if one == over else one for one in known.known]
        kept = [one for one in kept if one.cleared is None or one.cleared >= minute]
        state.put("accidents", Accidents(tuple(kept)) if kept else None)


def _accident(state: State, direction: int, segment: int, minute: int) -> Accident | None:
    """The nearest one ahead that counts."""
    known: Accidents | None = state.get("accidents")
    if known is None:
        return None
    ahead = [one for one in known.known if one.counts(minute) and one.ahead_of(direction, segment, REACH)]
    return min(ahead, key=lambda one: abs(one.segment - segment), default=None)


def read(event: Event) -> Iterable[Record]:
    """A second of one expressway."""
    key, at = event.subject, event.at
    return [Record(key, at, report) for report in PACKED.iter_unpack(event.body["reports"])]


def publish(key: str, output: Answers) -> Event:
    return Event(
        kind="linear_road.answered", subject=key, at=output.at, seen=output.at, body={"answers": output.answers}
    )


def flow(expenditure: Mapping[tuple[int, int, int], int]) -> Flow:
    """Each expressway is a key."""
    return Flow(
        name="linear_road",
        kinds=("linear_road.reported",),
        read=read,
        operator=LinearRoad(expenditure),
        publish=publish,
    )
