"""Which times speak for the road: stops do not, lorries do, and a jam is believed when it begins."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from safecity.core.upper.traveltimes import usual
from safecity.core.upper.traveltimes.decide import LONGEST_US, PERIOD_US, Mark, TravelSection, Trip, trips
from safecity.core.upper.traveltimes.filtering import different, times
from safecity.core.upper.traveltimes.keys import Keys, pseudonym
from safecity.kit.clock import SECOND_US

NOON = 1_700_006_400_000_000
SECTION = TravelSection(id="ts_1", name="x", entry="a", exit="b", length_m=5_000)


def arrived(*seconds: float, at: int = NOON) -> list[Trip]:
    """One after another, ten seconds apart."""
    made: list[Trip] = []
    for number, took in enumerate(seconds):
        moment = at + number * 10 * SECOND_US
        name = f"{moment}".encode()
        made.append(Trip(b"e" + name, name, b"v" + name, moment, round(took * SECOND_US)))
    return made


def test_drivers_who_stopped_do_not_move_the_median_and_are_counted_as_left_out() -> None:
    draw = random.Random(5)
    driven = [300 * draw.lognormvariate(0, 0.08) for _ in range(30)]
    stopped = [300 + draw.uniform(400, 2_400) for _ in range(9)]
    mixed = [*driven, *stopped]
    draw.shuffle(mixed)
    clean, found = times(arrived(*driven), ()), times(arrived(*mixed), ())
    assert clean is not None
    assert found is not None
    assert found.left_out == 9
    assert (found.median_us, found.low_us, found.high_us) == (clean.median_us, clean.low_us, clean.high_us)
    assert 255 * SECOND_US < found.low_us < 285 * SECOND_US < 315 * SECOND_US < found.high_us < 345 * SECOND_US


def test_a_lorry_behind_a_platoon_counts() -> None:
    found = times(arrived(300, 300, 300, 300, 300, 370), ())
    assert found is not None
    assert (found.vehicles, found.left_out) == (6, 0)


def test_where_few_arrive_one_who_stopped_is_seen_by_those_before() -> None:
    before = arrived(300, 310, 295, 305)
    found = times(arrived(1_500, 302, at=NOON + 300 * SECOND_US), before)
    assert found is not None
    assert (found.vehicles, found.left_out, found.median_us) == (1, 1, 302 * SECOND_US)
    assert times(arrived(1_500, at=NOON + 300 * SECOND_US), before) is None


def test_a_jam_that_begins_suddenly_is_believed_from_the_third_who_says_so() -> None:
    before, later = arrived(300, 310, 295, 305), NOON + 300 * SECOND_US
    assert times(arrived(900, 950, at=later), before) is None
    found = times(arrived(900, 950, 920, at=later), before)
    assert found is not None
    assert (found.vehicles, found.median_us) == (3, 920 * SECOND_US)
    assert times(arrived(900, 2_000, 1_300, at=later), before) is None  # three stops are no jam: they do not agree


def test_vehicles_are_counted_once_and_over_a_change_of_keys_never_too_many() -> None:
    (one,) = arrived(300)
    again = Trip(b"e2", b"x2", one.vehicle, one.at + SECOND_US, one.travel_us)
    renamed = Trip(b"e3", b"x3", b"other", one.at + PERIOD_US, one.travel_us)
    assert different([one, again]) == 1
    assert different([one, renamed]) == 1


def test_of_any_order_of_marks_the_drives_are_the_same() -> None:
    minute = 60 * SECOND_US
    seen = [("a", 0), ("a", 2), ("b", 7), ("b", 8), ("a", 9), ("b", 9.5), ("b", 300), ("a", 301)]
    marks = [Mark(f"{n}".encode(), b"v", gate, None, round(NOON + at * minute)) for n, (gate, at) in enumerate(seen)]
    expected = [(NOON + 7 * minute, 5 * minute)]  # half a minute is too fast, and nothing stands behind the last ones
    for seed in range(20):
        random.Random(seed).shuffle(marks)
        assert [(one.at, one.travel_us) for one in trips(SECTION, marks)] == expected


def test_a_key_is_there_as_long_as_somebody_can_still_arrive_and_not_a_moment_longer(tmp_path: Path) -> None:
    file, born = tmp_path / "run" / "keys.json", NOON - NOON % PERIOD_US
    key = Keys(file).turn(born)[born // PERIOD_US]
    last = born + PERIOD_US + LONGEST_US
    assert Keys(file).turn(last - 1)[born // PERIOD_US] == key
    keys = Keys(file)
    assert born // PERIOD_US in keys.turn(last - 1)
    assert born // PERIOD_US not in keys.turn(last)
    assert key.hex() not in file.read_text()
    assert sorted(each.name for each in file.parent.iterdir()) == ["keys.json"]
    assert pseudonym(key, "plate", "A") != pseudonym(keys.turn(last)[last // PERIOD_US], "plate", "A")


def test_a_broken_file_of_keys_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text("[1")
    assert Keys(file).turn(NOON) == Keys(file).turn(NOON)


def test_a_holiday_is_compared_with_sundays_and_with_other_holidays() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    noon = datetime(2026, 10, 1, 12, tzinfo=zone)  # a Thursday

    def days(special: dict[str, str]) -> list[str]:
        begun = usual.asked(round(noon.timestamp()) * SECOND_US, zone, special)
        return sorted({datetime.fromtimestamp(one / SECOND_US, zone).date().isoformat() for one in begun})

    assert len(days({})) == 20
    sundays = ["2026-09-06", "2026-09-13", "2026-09-20", "2026-09-27"]
    assert days({"2026-10-01": "sunday"}) == sundays
    assert days({"2026-10-01": "sunday", "2026-09-25": "sunday", "2026-09-20": "working"}) == [
        "2026-09-06", "2026-09-13", "2026-09-25", "2026-09-27",
    ]  # fmt: skip
