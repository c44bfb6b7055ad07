"""What operators about roads are made of: means of the last minutes, and vehicles that stand."""

from __future__ import annotations

import random

import pytest

from safecity.core.upper.flows.standing import Accident, Stand, reports_here
from safecity.core.upper.flows.windows import KEPT, Minutes


def test_the_mean_is_of_the_minutes_before_and_never_of_the_one_under_way() -> None:
    speeds = Minutes(10).add(10, 40, new=True).add(10, 50, new=False)
    assert speeds.mean(10) is None
    assert speeds.mean(11) == 45
    assert speeds.add(11, 200, new=True).mean(11) == 45


def test_sums_by_minute_are_those_of_a_list_of_all_that_was_measured() -> None:
    dice = random.Random(1)
    minute, told, speeds = 100, list[tuple[int, int, bool]](), Minutes(100)
    for _ in range(600):
        minute += dice.choice([0] * 20 + [1, 1, 2, 7])
        speed, new = dice.randrange(120), dice.random() < 0.5
        told.append((minute, speed, new))
        speeds = speeds.add(minute, speed, new=new)
        for width in (1, KEPT):
            for now in (minute, minute + 1, minute + 3):
                kept = [value for at, value, _ in told if now - width <= at < now]
                assert speeds.mean(now, width) == (sum(kept) / len(kept) if kept else None)
        for ago in range(KEPT + 1):
            assert speeds.distinct_in(minute - ago) == sum(new for at, _, new in told if at == minute - ago)
        assert len(speeds.before) <= KEPT


def test_a_minute_that_is_over_takes_nothing_more() -> None:
    with pytest.raises(ValueError, match="over"):
        Minutes(10).add(9, 50, new=True)


def test_the_fourth_equal_report_running_is_of_a_vehicle_that_stopped() -> None:
    here, counts = 0, list[int]()
    for same in (False, True, True, True, True, False, True):
        here = reports_here(here, same_place=same)
        counts.append(here)
    assert counts == [1, 2, 3, 4, 4, 1, 2]


def test_two_that_stopped_at_one_place_are_an_accident_until_one_of_them_leaves() -> None:
    alone = Stand().stopped(7, 100)
    assert (alone.since, alone.stopped(7, 101).since) == (None, None)
    accident = alone.stopped(8, 102)
    assert accident.since == 102
    assert accident.stopped(9, 103).since == 102
    assert accident.stopped(9, 103).left(7).since == 102, "two are still there"
    assert accident.left(7) == Stand((8,), None)
    assert accident.left(7).left(8) == Stand()
    assert accident.left(99) == accident


def test_an_accident_counts_from_the_minute_after_it_was_found_through_the_one_in_which_it_was_cleared() -> None:
    accident = Accident(0, 62, found=12)
    assert [minute for minute in range(10, 20) if accident.counts(minute)] == list(range(13, 20))
    cleared = Accident(0, 62, found=12, cleared=17)
    assert [minute for minute in range(10, 20) if cleared.counts(minute)] == [13, 14, 15, 16, 17]


def test_an_accident_is_ahead_of_who_still_drives_towards_it() -> None:
    assert [at for at in range(100) if Accident(0, 62, 1).ahead_of(0, at, 4)] == [58, 59, 60, 61, 62]
    assert [at for at in range(100) if Accident(1, 62, 1).ahead_of(1, at, 4)] == [62, 63, 64, 65, 66]
    assert not Accident(0, 62, 1).ahead_of(1, 62, 4)
