"""What roads are like: speeds out of what was driven, and nothing out of what was not."""

from __future__ import annotations

import math
import random
from itertools import chain

import numpy as np
import pytest
from benchmarks.driving import BEGIN_US, drive, wander
from benchmarks.town import town
from hypothesis import given
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.roads.conditions.blend import DAY_KINDS, HOURS, QUARTERS, UsualDays, blended, half_width
from safecity.roads.conditions.levels import LEVELS, congested, jams, levels_of_service
from safecity.roads.conditions.speeds import SpeedMeter
from safecity.roads.matching.online import Matched, Matcher
from safecity.roads.matching.state import StepFlag
from safecity.roads.network.arrays import RoadNetwork, free_speeds
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft

MINUTE_US = 60_000_000
START_US = BEGIN_US // MINUTE_US * MINUTE_US


def line(edges: int = 5) -> RoadNetwork:
    """A street of edges of 500 m, one way, so that edge n follows edge n - 1."""
    draft = Draft()
    for n in range(edges + 1):
        draft.add_node(n, 18.0, 59.3 + n * 500 / 111_195.08)
    for n in range(edges):
        draft.add_row(n, n, n + 1, limit=50)
    return build_network(draft).network


def decided(*steps: tuple[float, int, float], vehicle: int = 0, flags: int = 0) -> Matched:
    """(seconds, edge, metres along it) of one vehicle on `line`, edges passed between filled in."""
    paths, before = [], None
    for _, edge, _ in steps:
        paths.append(list(range(edge if before is None else before + 1, edge + 1)) if edge >= 0 else [])
        before = edge if edge >= 0 else None
    told = [StepFlag.START | flags, *[flags] * (len(steps) - 1)]
    return Matched(
        np.full(len(steps), vehicle, np.int32), np.array([START_US + int(s * 1e6) for s, *_ in steps]),
        np.array([edge for _, edge, _ in steps], np.int32), np.array([along for *_, along in steps], np.float32),
        np.array(told, np.uint8), np.cumsum([0, *map(len, paths)]), np.array(list(chain(*paths)), np.int32),
    )  # fmt: skip


def measured(meter: SpeedMeter, minute: int = 0) -> dict[int, tuple[float, int]]:
    """Speed and count by edge of one minute, everything closed."""
    for one in meter.close(START_US + 1_000 * MINUTE_US):
        if one.begin_us == START_US + minute * MINUTE_US:
            return {int(e): (float(v), int(n)) for e, v, n in zip(one.edge, one.speed, one.count, strict=True)}
    return {}


def test_time_between_two_positions_is_spread_over_the_edges_between() -> None:
    meter = SpeedMeter(line(), 1)
    meter.feed(decided((0, 0, 400.0), (50, 2, 100.0)))
    result = measured(meter)
    assert set(result) == {0, 1, 2}
    assert {round(speed, 1) for speed, _ in result.values()} == {14.0}
    assert [count for _, count in result.values()] == [1, 1, 1]


def test_pairs_are_joined_across_batches_and_counted_once_an_edge() -> None:
    meter = SpeedMeter(line(), 1)
    whole = decided((0, 0, 0.0), (10, 0, 100.0), (20, 0, 200.0), (30, 0, 300.0))
    for n in range(4):
        part = slice(n, n + 1)
        path = whole.path if n == 0 else whole.path[:0]
        meter.feed(
            Matched(
                whole.vehicle[part],
                whole.us[part],
                whole.edge[part],
                whole.along[part],
                whole.flags[part],
                np.array([0, len(path)]),
                path,
            )
        )
    assert measured(meter) == {0: (pytest.approx(10.0, rel=1e-3), 1)}


def test_the_mean_is_harmonic_and_has_a_variance() -> None:
    meter = SpeedMeter(line(), 2)
    meter.feed(decided((0, 1, 0.0), (25, 1, 500.0)))
    meter.feed(decided((0, 1, 0.0), (50, 1, 500.0), vehicle=1))
    (one,) = meter.close(START_US + MINUTE_US)
    assert one.speed.tolist() == pytest.approx([2 / (1 / 20 + 1 / 10)], rel=1e-3)
    assert one.count.tolist() == [2]
    assert one.variance[0] == pytest.approx(np.var([1 / 20, 1 / 10]) * one.speed[0] ** 4, rel=1e-2)


def test_who_parks_jumps_or_left_the_road_says_nothing_about_it() -> None:
    meter = SpeedMeter(line(), 5)
    meter.feed(decided((0, 0, 100.0), (600, 0, 150.0)))
    meter.feed(decided((0, 0, 0.0), (5, 1, 499.0), vehicle=1))
    meter.feed(decided((0, 0, 0.0), (30, -1, 0.0), (60, 1, 100.0), vehicle=2))
    meter.feed(decided((0, 0, 0.0), (60, 2, 100.0), vehicle=3, flags=StepFlag.BROKEN))
    meter.feed(decided((60, 0, 0.0), (30, 2, 100.0), vehicle=4))
    assert measured(meter) == {}
    assert {why: count for why, count in meter.refused.items() if count} == {"dwell": 1, "too_fast": 1}


def test_a_crawl_in_a_jam_is_no_parking() -> None:
    meter = SpeedMeter(line(), 1)
    meter.feed(decided((0, 0, 100.0), (100, 0, 180.0)))
    assert measured(meter, 1)[0][0] == pytest.approx(0.8, rel=1e-3)


def test_a_little_back_is_noise_and_takes_its_time() -> None:
    meter = SpeedMeter(line(), 1)
    meter.feed(decided((0, 0, 100.0), (10, 0, 200.0), (12, 0, 190.0), (20, 0, 300.0)))
    assert measured(meter)[0][0] == pytest.approx(10.0, rel=1e-3), "200 m in 20 s, whatever was seen between"


def test_who_crawls_along_one_edge_counts_in_every_minute_of_it() -> None:
    meter = SpeedMeter(line(), 2)
    meter.feed(decided(*((20.0 * n, 0, 40.0 * n) for n in range(1, 9))))
    meter.feed(decided((10, 0, 0.0), (30, 0, 40.0), vehicle=1))
    counts = [one.count.tolist() for one in meter.close(START_US + 10 * MINUTE_US)]
    assert counts == [[2], [1], [1]]


@pytest.mark.parametrize("ahead_minutes", [5, 525_600, -100_000_000])
def test_a_clock_that_is_wrong_shuts_nobody_out(ahead_minutes: int) -> None:
    network = line()
    for asked_before in (False, True):
        meter = SpeedMeter(network, 2)
        if asked_before:
            meter.close(START_US)
        for more in range(4):
            begin = 60 * (ahead_minutes + more)
            meter.feed(decided((begin, 0, 0.0), (begin + 20, 0, 200.0), vehicle=1))
        said = list[int]()
        for minute in range(4):
            meter.feed(decided((60 * minute, 1, 0.0), (60 * minute + 20, 1, 200.0)))
            said += [one.begin_us for one in meter.close(START_US + (minute + 1) * MINUTE_US) if 1 in one.edge]
        assert said == [START_US + minute * MINUTE_US for minute in range(4)]
        assert meter.refused["too_early"] + meter.refused["too_late"] == 4


def test_what_comes_twice_is_counted_once() -> None:
    meter = SpeedMeter(line(), 1)
    once = decided((0, 0, 0.0), (20, 0, 200.0), (40, 0, 400.0))
    meter.feed(once)
    meter.feed(once)
    (one,) = meter.close(START_US + MINUTE_US)
    assert (one.count.tolist(), one.share.tolist()) == ([1], pytest.approx([0.8], rel=1e-3))
    assert meter.refused["repeated"] == 2


def test_what_was_driven_in_a_long_silence_says_nothing_about_now() -> None:
    """Ten minutes without a position: two kilometres, standing for most of it or crawling all the way?"""
    meter = SpeedMeter(line(), 1)
    meter.feed(decided((0, 0, 0.0), (600, 4, 0.0)))
    assert measured(meter, 10) == {}
    assert meter.refused["silent"] == 1


def test_who_turns_round_on_the_way_does_not_seem_to_race() -> None:
    """The matcher turns where the edge ends, fifty metres farther on than he did: 12 m/s do not become 30."""
    draft = Draft()
    for n in range(6):
        draft.add_node(n, 18.0, 59.3 + n * 500 / 111_195.08)
    for n in range(5):
        draft.add_row(n, n, n + 1, backward=True, limit=70)
    network = build_network(draft).network
    norths = [metres if metres <= 1450 else 2900 - metres for metres in range(50, 2850, 120)]
    matcher, meter = Matcher(network, 1), SpeedMeter(network, 1, minutes=5)
    us = START_US + np.arange(len(norths)) * 10_000_000
    lon, lat = np.full(len(norths), 18.0), 59.3 + np.array(norths) / 111_195.08
    meter.feed(matcher.feed(np.zeros(len(norths), np.int32), us, lon, lat)[0])
    meter.feed(matcher.flush([0]))
    speeds = np.concatenate([one.speed for one in meter.close(START_US + 100 * MINUTE_US)])
    assert len(speeds) >= 5
    assert speeds.max() == pytest.approx(12.0, rel=0.02)
    assert meter.refused["turned"] == 1


def test_what_was_matched_on_another_map_is_refused() -> None:
    for wrong in (decided((0, 5, 0.0), (20, 5, 200.0)), decided((0, 0, 0.0), (60, 7, 0.0), (90, -1, 0.0))):
        meter = SpeedMeter(line(), 1)
        with pytest.raises(InvalidError) as refused:
            meter.feed(wrong)
        assert refused.value.code == "unknown_edge"
        assert measured(meter) == {}


def test_a_closed_bucket_stays_as_it_was_told() -> None:
    meter = SpeedMeter(line(), 2)
    meter.feed(decided((0, 0, 0.0), (20, 0, 200.0), (70, 1, 200.0)))
    first = meter.close(START_US + MINUTE_US)
    assert [one.begin_us for one in first] == [START_US]
    meter.feed(decided((10, 3, 0.0), (30, 3, 200.0), vehicle=1))
    assert meter.refused["too_late"] == 1
    (second,) = meter.close(START_US + 2 * MINUTE_US)
    assert (second.begin_us, set(second.edge.tolist())) == (START_US + MINUTE_US, {0, 1})
    assert meter.close(START_US + 10 * MINUTE_US) == []


def test_what_was_not_asked_for_is_refused() -> None:
    for minutes in (0, 6):
        with pytest.raises(InvalidError):
            SpeedMeter(line(), 1, minutes=minutes)
    with pytest.raises(InvalidError):
        SpeedMeter(line(), 1).feed(decided((0, 0, 0.0), vehicle=1))


def test_from_positions_to_speeds() -> None:
    """Vehicles that drive 8 m/s through a town: that is what every measured edge says."""
    network = town(12, seed=3)
    matcher, meter = Matcher(network, 6), SpeedMeter(network, 6, minutes=5)
    for vehicle in range(6):
        way = drive(network, wander(network, random.Random(vehicle), 25), speed=8.0, seed=vehicle).every(5)
        meter.feed(matcher.feed(np.full(len(way.us), vehicle), way.us, way.lon, way.lat)[0])
    meter.feed(matcher.flush(range(6)))
    results = meter.close(BEGIN_US + 10**12)
    speeds = np.concatenate([one.speed for one in results])
    assert len(speeds) > 60
    assert np.median(speeds) == pytest.approx(8.0, abs=0.5)
    assert np.percentile(np.abs(speeds - 8.0), 90) < 2.5


@given(st.floats(0.1, 40), st.integers(0, 50), st.floats(0, 1e5), st.floats(0.1, 40))
def test_a_blend_lies_between_now_and_usual(now: float, count: int, age: float, usual: float) -> None:
    (speed,) = blended([now], [count], [age], [usual])
    assert min(now, usual) - 1e-9 <= speed <= max(now, usual) + 1e-9


def test_what_is_told_of_a_road_with_a_signal_is_what_it_takes_on_average() -> None:
    """One after the other is measured, at 12 m/s or after a wait that makes it 2; the usual day has both in it."""
    measured, metres = np.array([12.0, 2.0]), 100.0
    took = metres / measured
    usual = metres / took.mean()
    told = metres / blended(measured, [2, 2], [30.0, 30.0], [usual, usual])
    assert told.mean() == pytest.approx(took.mean())
    assert told[0] < took.mean() < told[1], "and what is measured counts"


def test_many_and_fresh_count_more_than_few_and_old() -> None:
    few, many, old = blended([5.0] * 3, [1, 30, 30], [0, 0, 3600], [15.0] * 3)
    assert 5 < many < few < old < 15
    assert blended([5.0], [3], [0], [15.0], usual_weight=3.0)[0] == pytest.approx(7.5)
    assert blended([math.nan, -1.0, math.inf], [9] * 3, [0] * 3, [15.0] * 3).tolist() == [15.0] * 3
    assert blended([5.0] * 3, [9, math.nan, -9], [math.nan, 0, 0], [15.0] * 3).tolist() == [15.0] * 3
    assert half_width([4.0, 4.0], [1, 16]).tolist() == pytest.approx([math.inf, 1.2816 * 0.5])


def test_where_an_edge_has_no_usual_day_its_class_has_one_and_else_its_limit() -> None:
    network = line(3)
    own, common = (
        np.full((1, DAY_KINDS, QUARTERS), np.nan, np.float32),
        np.full((1, 1, DAY_KINDS, HOURS), np.nan, np.float32),
    )
    own[0, 0, 32] = 4.0
    common[0, 0, 0, 8] = 7.0
    days = UsualDays(network, np.array([0, -1, -1], np.int32), own, np.zeros(3, np.int32), common)
    assert days.speeds(0, 8 * 3600).tolist() == [4.0, 7.0, 7.0]
    assert days.speeds(0, 8.5 * 3600).tolist() == [7.0, 7.0, 7.0]
    assert days.speeds(1, 8 * 3600).tolist() == pytest.approx([free_speeds(network)[0] * 0.8] * 3)
    with pytest.raises(InvalidError):
        UsualDays(network, np.array([1, -1, -1], np.int32), own, np.zeros(3, np.int32), common)


def test_levels_of_service_are_those_of_the_manual() -> None:
    shares = np.array([1.0, 0.86, 0.85, 0.68, 0.51, 0.45, 0.35, 0.30, 0.1, math.nan])
    levels = levels_of_service(shares * 20, np.full(10, 20.0))
    assert "".join(LEVELS[n] for n in levels[:-1]) == "AABBCDEFF"
    assert levels[-1] == 255


def test_a_jam_begins_low_ends_high_and_does_not_flicker() -> None:
    state, free, story = np.array([False]), np.array([10.0]), []
    for speed in (9.0, 4.5, 3.9, 4.5, 4.9, math.nan, 5.1, 4.5):
        state = congested(state, np.array([speed]), free)
        story.append(bool(state[0]))
    assert story == [False, False, True, True, True, True, False, False]


def test_congested_edges_that_follow_one_another_are_one_jam() -> None:
    network = line(8)
    assert jams(network.arrays, np.array([0, 1, 2, 5, 7], np.int32)).tolist() == [0, 0, 0, 1, 2]
    assert jams(network.arrays, np.zeros(0, np.int32)).tolist() == []
