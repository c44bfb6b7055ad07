"""A journey as people read it: where it stood, what is not known of it, and how far it was seen to drive."""

from __future__ import annotations

import random

import pytest

from safecity.core.upper.fleet import journeys
from safecity.core.upper.fleet.journeys import Step, journey
from safecity.kit.earth import metres_between

STEP = 0.001
"""Degrees of latitude: 111 m."""
SECOND = 1_000_000


def steps(*places: tuple[int, float]) -> list[Step]:
    """(seconds, steps north)."""
    return [Step(seconds * SECOND, 118.0, 31.0 + north * STEP, 30.0) for seconds, north in places]


def test_a_drive_a_stand_and_a_drive() -> None:
    driven = steps((0, 0), (10, 1), (20, 2), *((30 + 10 * n, 3 + n % 2 * 0.2) for n in range(20)), (230, 4), (240, 5))
    seen = journey(driven)
    (stand,) = seen.stands
    assert (stand.start, stand.end) == (30 * SECOND, 220 * SECOND)
    assert seen.gaps == 0
    assert seen.metres == pytest.approx(5 * 111.2, rel=0.05)  # without the wandering at rest


def test_what_comes_in_any_order_and_twice_is_one_journey() -> None:
    driven = steps(*((10 * n, n) for n in range(30)))
    mixed = driven * 2
    random.Random(3).shuffle(mixed)
    assert journey(mixed) == journey(driven)


def test_a_gap_is_no_straight_line_of_truth() -> None:
    seen = journey(steps((0, 0), (10, 1), (600, 40), (610, 41)))
    assert [step.gap for step in seen.steps] == [False, False, True, False]
    assert (seen.gaps, round(seen.metres)) == (1, 222)


def test_silence_at_one_place_is_a_stand_and_no_gap() -> None:
    seen = journey(steps((0, 0), (10, 1), (3600, 1.1), (3610, 2)))
    assert seen.gaps == 0
    (stand,) = seen.stands
    assert stand.end - stand.start == 3590 * SECOND


def test_of_nothing_there_is_nothing() -> None:
    assert journey([]).steps == ()


def test_thousands_of_positions_in_two_minutes_are_not_each_held_against_all_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    def counted(one: tuple[float, float], other: tuple[float, float]) -> float:
        nonlocal asked
        asked += 1
        return metres_between(one, other)

    monkeypatch.setattr(journeys, "metres_between", counted)
    rests = [Step(n * SECOND // 100, 118.0, 31.0) for n in range(3000)]  # half a minute, from one who wishes us ill
    away = [step._replace(at=step.at + 40 * SECOND, latitude=32.0) for step in rests]
    assert journey([*rests, *away, Step(400 * SECOND, 118.0, 33.0)]).stands == ()
    assert asked < 20 * len(rests)
