"""The query of Linear Road: its rules in small stories, and the answers of the reference run up to its accident."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from benchmarks.linear_road import measure
from benchmarks.linear_road_query import EXIT_LANE, START, LinearRoad

from safecity.core.upper.flows.api import Record
from safecity.core.upper.flows.state import KeyState, StateCodec
from safecity.kit.clock import SECOND_US

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("SAFECITY_SHARED_DATA", ROOT.parent / "shared" / "data")) / "traffic" / "linear_road_dev"
Report = tuple[int, tuple[int, ...]]


def report(second: int, vehicle: int, segment: int, *, speed: int = 30, lane: int = 1, **more: int) -> Report:
    position = more.get("position", segment * 5280)
    return second, (0, vehicle, speed, lane, more.get("direction", 0), segment, position, -1, 0)


def balance(second: int, vehicle: int, query: int) -> Report:
    return second, (2, vehicle, 0, 0, 0, 0, 0, query, 0)


class Road:
    """An expressway that answers what it is told."""

    def __init__(self, past: dict[tuple[int, int, int], int] | None = None) -> None:
        self.operator = LinearRoad(past or {})
        self.state: Any = KeyState(StateCodec(self.operator))

    def hear(self, *reports: Report) -> list[tuple[int, ...]]:
        batch = [Record("0", START + second * SECOND_US, one) for second, one in reports]
        self.state.begin()
        said = [answer for answers in self.operator.process(batch, self.state) for answer in answers.answers]
        self.state.keep()
        return said


def crowd(road: Road, minute: int, *, vehicles: int, segment: int = 40, speed: int = 30) -> None:
    road.hear(*(report(minute * 60 + 1, 10_000 * minute + one, segment, speed=speed) for one in range(vehicles)))


def test_who_enters_a_slow_and_crowded_segment_is_told_the_toll_and_pays_on_leaving() -> None:
    road = Road()
    crowd(road, 1, vehicles=60)
    assert road.hear(report(120, 1, 40)) == [(0, 1, 120, 30, 200)]
    assert road.hear(report(150, 1, 40)) == [], "still there"
    assert road.hear(balance(151, 1, 5)) == [(2, 151, 151, 5, 0)]
    assert road.hear(report(180, 1, 41)) == [(0, 1, 180, 0, 0)]
    assert road.hear(balance(181, 1, 6)) == [(2, 181, 181, 6, 200)]


def test_fast_or_empty_roads_and_the_exit_lane_cost_nothing() -> None:
    road = Road()
    crowd(road, 1, vehicles=60, speed=40)
    assert road.hear(report(120, 1, 40)) == [(0, 1, 120, 40, 0)]
    crowd(road, 2, vehicles=50, segment=50)
    assert road.hear(report(180, 2, 50)) == [(0, 2, 180, 30, 0)], "fifty are not too many"
    crowd(road, 3, vehicles=60, segment=60)
    assert road.hear(report(240, 3, 60, lane=EXIT_LANE)) == []


def test_the_mean_is_rounded_half_up_before_it_is_compared() -> None:
    road = Road()
    crowd(road, 1, vehicles=30, speed=39)
    road.hear(*(report(100, 500 + one, 40, speed=40) for one in range(30)))
    assert road.hear(report(120, 1, 40)) == [(0, 1, 120, 40, 0)]


def test_two_that_stand_warn_all_who_come_from_the_next_minute_until_one_drives_off() -> None:
    road = Road()
    crowd(road, 3, vehicles=60, segment=38)
    for second in (0, 30, 60, 90):
        road.hear(
            report(100 + second, 1, 40, speed=0, position=777), report(110 + second, 2, 40, speed=0, position=777)
        )
    assert road.hear(report(239, 60, 38))[0][0] == 0
    assert road.hear(report(240, 61, 38)) == [(0, 61, 240, 30, 0), (1, 240, 40, 0, 61)], "found in minute 3: from 4 on"
    assert len(road.hear(report(240, 62, 35), report(240, 63, 41), report(240, 64, 40, direction=1))) == 3
    road.hear(report(250, 1, 41))
    assert [one[0] for one in road.hear(report(299, 65, 36))] == [0, 1]
    assert [one[0] for one in road.hear(report(300, 66, 36))] == [0]


def test_past_expenditure_comes_from_the_books() -> None:
    road = Road({(7, 12, 0): 88})
    assert road.hear((5, (3, 7, 0, 0, 0, 0, 0, 3, 12))) == [(3, 5, 3, 88)]
    with pytest.raises(KeyError):
        road.hear((5, (3, 8, 0, 0, 0, 0, 0, 3, 12)))


def told(reports: Sequence[Report], cut: random.Random) -> tuple[list[tuple[int, ...]], dict[Any, Any]]:
    road, said = Road(), list[tuple[int, ...]]()
    rest = list(reports)
    while rest:
        size = cut.randrange(1, 40)
        said += road.hear(*rest[:size])
        rest = rest[size:]
    return said, dict(road.state.items())


def test_it_says_the_same_however_its_input_is_cut() -> None:
    dice = random.Random(7)
    reports: list[Report] = []
    for second in range(0, 900, 3):
        for _ in range(12):
            vehicle = dice.randrange(80)
            standing = vehicle < 2
            segment = 3 if standing else dice.randrange(6)
            lane = 1 if standing else dice.randrange(5)
            reports.append(report(second, vehicle, segment, speed=dice.randrange(50), lane=lane))
    first = told(reports, random.Random(0))
    assert {answer[0] for answer in first[0]} == {0, 1}
    assert all(told(reports, random.Random(seed)) == first for seed in range(1, 4))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not here")
async def test_the_answers_are_those_of_the_reference_run_past_its_accident(tmp_path: Path) -> None:
    found = await measure(tmp_path, DATA, copies=1, commit_seconds=60, until=800)
    assert (found["wrong_answers"], found["missing_answers"], found["set_aside"]) == (0, 0, 0)
    assert found["answers"] > 100_000
