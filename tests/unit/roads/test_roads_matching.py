"""Positions find the roads that were driven; what is no position harms nobody."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from benchmarks import matching as benchmark
from benchmarks.driving import BEGIN_US, METRES_LAT, Drive, drive, metres_lon, wander
from benchmarks.town import town
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import ExhaustedError, InvalidError
from safecity.roads.matching.online import Matched, Matcher
from safecity.roads.matching.settings import MatchSettings
from safecity.roads.matching.state import StepFlag, Verdict
from safecity.roads.matching.trip import match_trip
from safecity.roads.network.arrays import EdgeFlag, RoadNetwork
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft


@pytest.fixture(scope="module")
def network() -> RoadNetwork:
    return town(14, seed=3)


def driven(result: Matched, vehicle: int = 0) -> list[int]:
    """Edges in the order they were entered."""
    edges: list[int] = []
    for n in np.flatnonzero(result.vehicle == vehicle):
        edges += result.path[result.path_start[n] : result.path_start[n + 1]].tolist()
    return edges


def online(network: RoadNetwork, way: Drive, batch: int = 10, **believed: float) -> Matched:
    matcher = Matcher(network, 1, MatchSettings(**believed))
    parts = []
    for begin in range(0, len(way.us), batch):
        part = slice(begin, begin + batch)
        numbers = np.zeros(len(way.us[part]), np.int32)
        parts.append(matcher.feed(numbers, way.us[part], way.lon[part], way.lat[part])[0])
    return Matched.together([*parts, matcher.flush([0])])


def recall(network: RoadNetwork, truth: list[int], found: list[int]) -> float:
    lengths, left, right = network.arrays.edge_length, list(found), 0.0
    for edge in truth:
        if edge in left:
            left.remove(edge)
            right += lengths[edge]
    return right / sum(lengths[edge] for edge in truth)


@pytest.mark.parametrize(("seconds", "least"), [(1, 0.97), (5, 0.97), (15, 0.95)])
def test_what_was_driven_is_found(network: RoadNetwork, seconds: int, least: float) -> None:
    shares, extra = [], []
    for seed in range(8):
        edges = wander(network, random.Random(seed), 25)
        found = driven(online(network, drive(network, edges, seed=seed).every(seconds)))
        shares.append(recall(network, edges[1:-1], found))
        extra.append(len(found) - len(edges))
    assert np.mean(shares) >= least
    assert np.mean(extra) < 2


def test_the_way_hangs_together(network: RoadNetwork) -> None:
    a = network.arrays
    for seed in range(5):
        result = online(network, drive(network, wander(network, random.Random(seed), 30), seed=seed, noise=7).every(10))
        found = driven(result)
        assert found
        assert not (result.flags[1:] & (StepFlag.START | StepFlag.BROKEN | StepFlag.OFF_ROAD)).any()
        for one, following in pairwise(found):
            assert a.edge_to[one] == a.edge_from[following]
        assert found[-1] == result.edge[-1]
        assert (result.along <= a.edge_length[result.edge] + 0.01).all()


def test_a_whole_trip_is_found_at_least_as_well(network: RoadNetwork) -> None:
    late, whole = [], []
    for seed in range(8):
        edges = wander(network, random.Random(seed + 50), 25)
        way = drive(network, edges, seed=seed, noise=12).every(10)
        late.append(recall(network, edges[1:-1], driven(online(network, way))))
        whole.append(recall(network, edges[1:-1], driven(match_trip(network, way.us, way.lon, way.lat)[0])))
    assert np.mean(whole) >= np.mean(late) - 1e-9
    assert np.mean(whole) > 0.85


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_many_vehicles_in_any_batches_are_matched_as_if_alone(data: st.DataObject) -> None:
    network = _shared()
    ways = [drive(network, wander(network, random.Random(seed), 8), seed=seed) for seed in range(4)]
    alone = [driven(online(network, way, 1000)) for way in ways]
    matcher, at, parts = Matcher(network, len(ways)), [0] * len(ways), []
    while any(place < len(way.us) for place, way in zip(at, ways, strict=True)):
        batch = []
        for _ in range(data.draw(st.integers(1, 30))):
            one = data.draw(st.integers(0, len(ways) - 1))
            if at[one] < len(ways[one].us):
                batch.append((one, ways[one].us[at[one]], ways[one].lon[at[one]], ways[one].lat[at[one]]))
                at[one] += 1
        if not batch:
            at_once = [
                (k, ways[k].us[n], ways[k].lon[n], ways[k].lat[n])
                for k in range(4)
                for n in range(at[k], len(ways[k].us))
            ]
            batch, at = at_once, [len(way.us) for way in ways]
        parts.append(matcher.feed(*zip(*batch, strict=True))[0])
    result = Matched.together([*parts, matcher.flush(range(len(ways)))])
    assert [driven(result, one) for one in range(len(ways))] == alone


def test_an_answer_comes_when_the_lag_is_over_and_not_before(network: RoadNetwork) -> None:
    way = drive(network, wander(network, random.Random(1), 30))
    matcher, answered = Matcher(network, 1), 0
    for n in range(len(way.us)):
        result, _ = matcher.feed([0], way.us[n : n + 1], way.lon[n : n + 1], way.lat[n : n + 1])
        for us in result.us.tolist():
            answered += 1
            assert 10 * 1_000_000 <= way.us[n] - us <= 45 * 1_000_000
    assert answered > 20
    assert matcher.silent_since(int(way.us[-1])).tolist() == [0]
    assert len(matcher.flush([0])) > 0
    assert len(matcher.silent_since(int(way.us[-1]))) == 0
    assert len(matcher.flush([0])) == 0


def test_what_is_no_position_has_a_reason_and_leaves_the_trip_alone(network: RoadNetwork) -> None:
    way = drive(network, wander(network, random.Random(4), 25))
    clean, verdicts = match_trip(network, way.us, way.lon, way.lat)
    assert set(verdicts.tolist()) == {Verdict.TAKEN, Verdict.NEAR}
    bad = {
        10: (way.us[10], math.nan, way.lat[10], Verdict.NO_FIX),
        20: (way.us[20], 0.0, 0.0, Verdict.NO_FIX),
        30: (way.us[30], way.lon[30], 0.0, Verdict.NO_FIX),
        40: (way.us[40], 500.0, 59.3, Verdict.NO_FIX),
        50: (way.us[5], way.lon[50], way.lat[50], Verdict.TIME_BACKWARDS),
        60: (0, way.lon[60], way.lat[60], Verdict.TIME_BACKWARDS),
        70: (way.us[70], way.lon[70] + 0.5, way.lat[70], Verdict.JUMP),
        80: (way.us[80], math.inf, -math.inf, Verdict.NO_FIX),
    }
    us, lon, lat = way.us.copy(), way.lon.copy(), way.lat.copy()
    for n, (when, x, y, _) in bad.items():
        us[n], lon[n], lat[n] = when, x, y
    result, verdicts = match_trip(network, us, lon, lat)
    assert {n: Verdict(verdicts[n]) for n in bad} == {n: why for n, (*_, why) in bad.items()}
    assert recall(network, driven(clean), driven(result)) > 0.97
    assert not (result.flags[1:] & StepFlag.START).any()


def test_vehicles_that_nobody_knows_are_told_so(network: RoadNetwork) -> None:
    matcher = Matcher(network, 2)
    result, verdicts = matcher.feed([-1, 2, 2**40, 1], [BEGIN_US] * 4, [18.01] * 4, [59.305] * 4)
    assert verdicts.tolist() == [Verdict.UNKNOWN_VEHICLE] * 3 + [Verdict.TAKEN]
    assert len(result) == 0
    with pytest.raises(InvalidError):
        matcher.feed([1], [1, 2], [18.0], [59.0])
    assert len(matcher.feed([], [], [], [])[1]) == 0
    for count in (0, 10**9):
        with pytest.raises(ExhaustedError):
            Matcher(network, count)


def test_a_clock_that_ran_ahead_silences_its_vehicle_for_two_positions(network: RoadNetwork) -> None:
    way = drive(network, wander(network, random.Random(4), 25))
    us = way.us.copy()
    us[100] += 20 * 365 * 86_400_000_000
    result, verdicts = match_trip(network, us, way.lon, way.lat)
    assert np.flatnonzero(verdicts == Verdict.TIME_BACKWARDS).tolist() == [101, 102]
    assert np.count_nonzero(result.flags & StepFlag.START) == 3
    assert recall(network, way.edges[1:-1], driven(result)) > 0.85
    again = [*range(150), *range(130, 150), *range(150, len(way.us))]
    result, verdicts = match_trip(network, way.us[again], way.lon[again], way.lat[again])
    assert np.flatnonzero(verdicts == Verdict.TIME_BACKWARDS).tolist() == list(range(150, 170)), "sent twice"
    assert not (result.flags[1:] & StepFlag.START).any()


def test_who_stands_does_not_keep_to_himself_how_he_came_there(network: RoadNetwork) -> None:
    way = drive(network, wander(network, random.Random(4), 25))
    matcher, zeros = Matcher(network, 1), np.zeros(len(way.us), np.int32)
    told = len(matcher.feed(zeros, way.us, way.lon, way.lat)[0])
    waiting = len(matcher.flush([0]))
    assert waiting > 3
    matcher.feed(zeros, way.us + 10**9, way.lon, way.lat)
    still = np.arange(1, 181)
    us, lon, lat = way.us[-1] + 10**9 + still * 1_000_000, way.lon[-1] + still * 0.0, way.lat[-1] + still * 0.0
    result, verdicts = matcher.feed(np.zeros(180, np.int32), us, lon, lat)
    assert set(verdicts.tolist()) == {Verdict.NEAR}
    assert len(result) == waiting - 1, "only where he stands is open"
    assert told > 0


def test_flushing_a_number_that_nobody_has_leaves_the_others_alone(network: RoadNetwork) -> None:
    way = drive(network, wander(network, random.Random(4), 4)).every(5)
    matcher = Matcher(network, 1)
    matcher.feed(np.zeros(3, np.int32), way.us[:3], way.lon[:3], way.lat[:3])
    assert len(matcher.flush([2**32, -(2**32), 2**40, -1])) == 0
    assert len(matcher.flush([0])) == 3


def test_who_jumps_and_stays_there_begins_a_new_trip(network: RoadNetwork) -> None:
    first = drive(network, wander(network, random.Random(1), 6))
    second = drive(network, wander(network, random.Random(9), 12))
    us = np.concatenate((first.us, first.us[-1] + 1_000_000 + second.us - second.us[0]))
    jump = 0.12 + first.lat * 0  # 13 km away, where there is no road
    lon, lat = np.concatenate((first.lon, second.lon)), np.concatenate((first.lat + jump, second.lat))
    result, verdicts = match_trip(network, us, lon, lat)
    begins = [n for n in range(len(result)) if result.flags[n] & StepFlag.START]
    assert len(begins) == 2
    assert np.count_nonzero(verdicts == Verdict.JUMP) == 2
    assert (result.edge[: begins[1]] == -1).all()
    assert recall(network, second.edges[2:-1], driven(result)) > 0.9


def test_a_long_silence_ends_the_trip_and_a_short_one_is_bridged(network: RoadNetwork) -> None:
    way = drive(network, wander(network, random.Random(2), 30))
    hole = np.ones(len(way.us), bool)
    hole[100:170] = False
    result, _ = match_trip(network, way.us[hole], way.lon[hole], way.lat[hole])
    assert not (result.flags[1:] & (StepFlag.START | StepFlag.BROKEN)).any(), "a tunnel: the way goes on below"
    late = np.where(np.arange(len(way.us)) >= 170, way.us + 3_600_000_000, way.us)
    result, _ = match_trip(network, late[hole], way.lon[hole], way.lat[hole])
    assert np.count_nonzero(result.flags & StepFlag.START) == 2


def test_standing_still_is_nothing_new(network: RoadNetwork) -> None:
    dice = np.random.default_rng(1)
    us = BEGIN_US + np.arange(300) * 1_000_000
    lon = 18.01 + dice.normal(0, 5, 300) / metres_lon(59.3)
    lat = 59.305 + dice.normal(0, 5, 300) / METRES_LAT
    result, verdicts = match_trip(network, us, lon, lat)
    assert np.count_nonzero(verdicts == Verdict.NEAR) > 280
    assert len(driven(result)) < 6


def street() -> RoadNetwork:
    """Two kilometres straight north in four edges, both ways; and far to the east a street that nothing leads to."""
    draft = Draft()
    for n in range(5):
        draft.add_node(n, 18.0, 59.3 + n * 500 / METRES_LAT)
        draft.add_node(10 + n, 18.0 + 600 / metres_lon(59.3), 59.3 + n * 500 / METRES_LAT)
    for n in range(4):
        draft.add_row(n, n, n + 1, backward=True)
        draft.add_row(10 + n, 10 + n, 11 + n, backward=True)
    return build_network(draft).network


def straight(*norths: float, east: float = 0.0, every_s: int = 5) -> Drive:
    """Positions so many metres north of the street's beginning."""
    lat = 59.3 + np.array(norths) / METRES_LAT
    lon = np.full(len(lat), 18.0 + east / metres_lon(59.3))
    return Drive([], BEGIN_US + np.arange(len(lat)) * every_s * 1_000_000, lon, lat)


def test_turning_round_is_seen() -> None:
    network = street()
    a = network.arrays
    up = [float(n) for n in range(0, 900, 60)]
    way = straight(*up, *reversed(up[:-3]))
    found = driven(match_trip(network, way.us, way.lon, way.lat)[0])
    headings = [bool(a.edge_flags[edge] & EdgeFlag.BACKWARD) for edge in found]
    assert headings == [False, False, True, True]


def test_off_the_roads_and_back_again() -> None:
    network = street()
    away = straight(*range(0, 1500, 60))
    away.lon[6:18] += 300 / metres_lon(59.3)
    result, _ = match_trip(network, away.us, away.lon, away.lat)
    assert (result.edge[6:18] == -1).all()
    assert (result.flags[6:18] & StepFlag.OFF_ROAD).all()
    assert (result.edge[:5] >= 0).all()
    assert (result.edge[19:] >= 0).all()


def test_one_bad_position_does_not_lead_off_the_road() -> None:
    network = street()
    way = straight(*range(0, 1500, 60))
    way.lon[10] += 45 / metres_lon(59.3)
    result, _ = match_trip(network, way.us, way.lon, way.lat)
    assert (result.edge >= 0).all()
    assert len(driven(result)) == 3


def test_what_was_said_is_not_contradicted_later() -> None:
    """Two streets leave a junction side by side, and only after the lag it is seen that it was the other one."""
    draft = Draft()
    draft.add_node(0, 18.0, 59.3)
    for street, side in ((10, -8.0), (20, 8.0)):
        for n in range(1, 6):
            east = side if n < 5 else side * 50
            draft.add_node(street + n, 18.0 + east / metres_lon(59.3), 59.3 + n * 500 / METRES_LAT)
            draft.add_row(street + n, 0 if n == 1 else street + n - 1, street + n)
    network = build_network(draft).network
    a = network.arrays
    way = straight(*range(30, 2460, 60), east=-0.2)
    after = np.arange(len(way.lat)) * 60 + 30 > 2000
    way.lon[after] = 18.0 + (8 + 392 * (np.arange(len(way.lat))[after] * 60 - 1970) / 500) / metres_lon(59.3)
    whole = driven(match_trip(network, way.us, way.lon, way.lat)[0])
    assert [int(a.edge_key[edge]) for edge in whole] == [21, 22, 23, 24, 25], "known in the end"
    result = online(network, way, 1)
    assert int(a.edge_key[result.edge[0]]) == 11, "the nearer one, for all that is known by then"
    before = -1
    for n in range(len(result)):
        path = result.path[result.path_start[n] : result.path_start[n + 1]].tolist()
        if before >= 0 and path and not result.flags[n] & (StepFlag.BROKEN | StepFlag.START):
            for one, following in pairwise([before, *path]):
                assert a.edge_to[one] == a.edge_from[following]
        before = int(result.edge[n])
    assert (result.flags[1:] & (StepFlag.BROKEN | StepFlag.OFF_ROAD)).any()


def test_where_no_way_is_known_it_is_said() -> None:
    network = street()
    here, there = straight(*range(0, 900, 60)), straight(*range(900, 1900, 60), east=600)
    us = np.concatenate((here.us, there.us + here.us[-1] - here.us[0] + 30_000_000))
    result, _ = match_trip(network, us, np.append(here.lon, there.lon), np.append(here.lat, there.lat))
    broken = np.flatnonzero(result.flags & StepFlag.BROKEN)
    assert broken.tolist() == [15]
    assert (result.edge >= 0).all()


@given(
    st.lists(
        st.tuples(
            st.integers(-1, 3),
            st.integers(-(2**63), 2**63 - 1) | st.integers(0, 10**9),
            st.floats() | st.floats(17.99, 18.04),
            st.floats() | st.floats(59.29, 59.32),
        ),
        max_size=60,
    )
)
@settings(max_examples=40, deadline=None)
def test_whatever_comes_the_answer_is_a_road_of_the_network(positions: list[tuple[int, int, float, float]]) -> None:
    network = _shared()
    matcher = Matcher(network, 3)
    columns = [list(column) for column in zip(*positions, strict=True)] or [[], [], [], []]
    result, verdicts = matcher.feed(*columns)
    result = Matched.together([result, matcher.flush([0, 1, 2, 3, -1])])
    assert len(verdicts) == len(positions)
    assert set(verdicts.tolist()) <= set(Verdict)
    assert len(result) == np.count_nonzero(verdicts == Verdict.TAKEN)
    assert ((result.edge >= -1) & (result.edge < network.edges)).all()
    assert ((result.path >= 0) & (result.path < network.edges)).all()


@pytest.mark.parametrize(
    "wrong",
    [{"sigma_metres": 0.0}, {"beta_metres": math.nan}, {"radius_metres": 1e5}, {"lag_points": 11}, {"broken": -1.0}],
)
def test_beliefs_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidError):
        MatchSettings(**wrong)


def test_the_benchmark_says_one_line(
    network: RoadNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    a = network.arrays
    edges = wander(network, random.Random(3), 20)
    way = drive(network, edges)
    folder = tmp_path / "7"
    folder.mkdir()
    tables = {
        "nodes": np.stack((a.node_lon, a.node_lat), 1), "arcs": np.stack((a.edge_from, a.edge_to), 1),
        "route": np.array(edges), "track": np.stack((way.lon, way.lat, (way.us - BEGIN_US) / 1e6), 1),
    }  # fmt: skip
    for kind, table in tables.items():
        with gzip.open(folder / f"7.{kind}.gz", "wt") as file:
            np.savetxt(file, table, fmt="%d" if kind in ("arcs", "route") else "%.9f")
    monkeypatch.setattr("sys.argv", ["matching", "--data", str(tmp_path), "--interval", "15", "--vehicles", "3"])
    assert benchmark.main() == 0
    said = json.loads(capsys.readouterr().out)
    assert said["points"] == 3 * len(benchmark.thinned(benchmark.read_track(folder), 15))
    assert said["length_recall"] > 0.9
    assert said["length_wrong"] < 0.1
    assert said["points_per_cpu_second"] > 0


def test_the_benchmark_forgives_no_part_of_the_true_way(network: RoadNetwork) -> None:
    """A matcher that says nothing about where a way begins and ends has not found it."""
    length = network.arrays.edge_length.astype(float)
    pieces = [[(edge, 0.0, float(metres))] for edge, metres in enumerate(length.tolist())]
    edges = wander(network, random.Random(3), 6)
    way = drive(network, edges)
    track = benchmark.Track("made", network, pieces, length, way.lon, way.lat, way.us, edges)
    whole = sum(float(length[edge]) for edge in edges)
    found: Counter[int] = Counter({edge: float(length[edge]) for edge in edges})  # type: ignore[dict-item]
    assert benchmark.score(track, found) == pytest.approx((whole, whole, 0.0))
    for little in (0.0, 1.0):
        found[edges[0]] = found[edges[-1]] = little  # type: ignore[assignment]
        right = whole - float(length[edges[0]]) - float(length[edges[-1]]) + 2 * little
        assert benchmark.score(track, found) == pytest.approx((whole, right, 0.0))


_SHARED: list[RoadNetwork] = []


def _shared() -> RoadNetwork:
    """For tests that hypothesis drives: no fixture of a function may be there."""
    if not _SHARED:
        _SHARED.append(town(8, seed=5))
    return _SHARED[0]
