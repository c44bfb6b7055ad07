"""A network is what its source says, and where the source says nonsense the reason is counted."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from benchmarks.town import town, town_draft
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.roads.network.arrays import EdgeFlag, RoadClass, free_speeds
from safecity.roads.network.build import build_network, distances
from safecity.roads.network.chains import join_chains
from safecity.roads.network.draft import Draft, TurnRule
from safecity.roads.network.grid import edges_near
from safecity.roads.network.store import inconsistency

SQUARE = {1: (18.00, 59.30), 2: (18.01, 59.30), 3: (18.01, 59.31), 4: (18.00, 59.31)}


def square() -> Draft:
    """Four streets around a block, the last one-way, from 4 to 1."""
    draft = Draft()
    for key, place in SQUARE.items():
        draft.add_node(key, *place)
    draft.add_row(10, 1, 2, [(18.005, 59.3005)], backward=True, road_class=RoadClass.PRIMARY, limit=50)
    draft.add_row(20, 2, 3, backward=True)
    draft.add_row(30, 3, 4, backward=True)
    draft.add_row(40, 4, 1)
    return draft


def test_edges_run_both_ways_along_one_line_and_know_each_other() -> None:
    network = build_network(square()).network
    a = network.arrays
    assert (network.nodes, network.edges) == (4, 7)
    for edge in range(network.edges):
        line = network.line(edge)
        assert tuple(line[0]) == (a.node_lon[a.edge_from[edge]], a.node_lat[a.edge_from[edge]])
        assert tuple(line[-1]) == (a.node_lon[a.edge_to[edge]], a.node_lat[a.edge_to[edge]])
        assert edge in a.in_edge[a.in_start[a.edge_to[edge]] : a.in_start[a.edge_to[edge] + 1]]
        assert a.out_start[a.edge_from[edge]] <= edge < a.out_start[a.edge_from[edge] + 1]
        if (twin := a.edge_twin[edge]) >= 0:
            assert a.edge_twin[twin] == edge
            assert a.edge_from[twin] == a.edge_to[edge]
    one_way = [int(a.edge_key[e]) for e in range(7) if a.edge_flags[e] & EdgeFlag.ONE_WAY]
    assert one_way == [40]
    assert inconsistency(a) == ""


def test_lengths_are_metres_on_the_globe() -> None:
    a = build_network(square()).network.arrays
    north = next(e for e in range(7) if a.edge_key[e] == 40)
    assert a.edge_length[north] == pytest.approx(0.01 * 111_195, rel=1e-4)
    bent = next(e for e in range(7) if a.edge_key[e] == 10)
    straight = 0.01 * 111_195 * math.cos(math.radians(59.3))
    assert straight < a.edge_length[bent] < straight * 1.05


def test_limits_make_free_speeds_and_classes_where_there_is_none() -> None:
    network = build_network(square()).network
    speeds = dict(zip(network.arrays.edge_key.tolist(), free_speeds(network).tolist(), strict=True))
    assert speeds[10] == pytest.approx(45 / 3.6)
    assert speeds[20] == pytest.approx(40 / 3.6)


@pytest.mark.parametrize(
    ("lon", "lat"), [(math.nan, 59.0), (18.0, math.inf), (181.0, 59.0), (18.0, 0.0), (0.0, 0.0), (18.0, 89.9)]
)
def test_places_that_are_none_are_left_out_with_a_reason(lon: float, lat: float) -> None:
    draft = square()
    assert not draft.add_node(5, lon, lat)
    assert not draft.add_row(50, 1, 5)
    assert not draft.add_row(51, 1, 3, [(lon, lat)])
    assert draft.dropped == Counter(coordinates=2, unknown_node=1)
    assert build_network(draft).network.edges == 7


def test_rows_without_length_or_direction_are_left_out_and_loops_stay() -> None:
    draft = square()
    assert not draft.add_row(50, 1, 1)
    assert not draft.add_row(51, 1, 2, forward=False)
    assert draft.add_row(52, 1, 1, [(17.99, 59.30), (17.99, 59.29)], backward=True)
    assert draft.dropped == Counter(no_length=1, no_direction=1)
    network = build_network(draft).network
    loops = [e for e in range(network.edges) if network.arrays.edge_key[e] == 52]
    assert [int(network.arrays.edge_twin[e]) for e in loops] == loops[::-1]


def test_islands_are_marked() -> None:
    draft = square()
    draft.add_node(8, 18.1, 59.35)
    draft.add_node(9, 18.1, 59.36)
    draft.add_row(80, 8, 9, backward=True)
    draft.add_row(81, 3, 9)  # a way in, none out
    a = build_network(draft).network.arrays
    islands = {int(a.edge_key[e]) for e in range(len(a.edge_key)) if a.edge_flags[e] & EdgeFlag.ISLAND}
    assert islands == {80, 81}


def test_nothing_at_all_and_a_map_around_the_globe_are_refused() -> None:
    with pytest.raises(InvalidError) as nothing:
        build_network(Draft())
    assert nothing.value.code == "roads_empty"
    draft = square()
    draft.add_node(8, -179.9, 59.3)
    draft.add_row(80, 8, 1)
    with pytest.raises(InvalidError) as wide:
        build_network(draft)
    assert wide.value.code == "roads_too_wide"


def test_turn_rules_become_pairs_of_edges() -> None:
    draft = square()
    draft.turns += [TurnRule(10, 2, 20), TurnRule(30, 4, 40, only=True), TurnRule(10, 3, 20), TurnRule(10, 77, 20)]
    a = build_network(draft).network.arrays
    named = {(int(a.edge_key[p >> 32]), int(a.edge_key[p & 0xFFFFFFFF])) for p in a.ban.tolist()}
    assert named == {(10, 20), (30, 30)}, "the only way on forbids to turn back too"
    assert draft.dropped == Counter(turn_without_road=1, turn_without_node=1)
    assert {int(a.edge_key[e]) for e in range(7) if a.edge_flags[e] & EdgeFlag.BANS} == {10, 30}


def test_bends_that_a_source_calls_nodes_become_lines() -> None:
    draft = Draft()
    for key in range(6):
        draft.add_node(key, 18.0 + 0.001 * key, 59.3)
    draft.add_node(9, 18.002, 59.301)
    for key in range(5):
        draft.add_row(key, *((key, key + 1) if key != 3 else (4, 3)), backward=True)
    draft.add_row(9, 2, 9, backward=True)
    joined = join_chains(draft)
    lines = sorted([(part.row, part.turned) for part in parts] for parts in joined.parts)
    assert lines == [[(0, False), (1, False)], [(2, False), (3, True), (4, False)], [(9 - 4, False)]]
    before, after = build_network(draft).network, build_network(joined.draft).network
    assert after.arrays.edge_length.sum() == pytest.approx(before.arrays.edge_length.sum())
    assert after.edges == 6


def test_a_ring_and_one_way_streets_that_meet_are_not_joined_into_nonsense() -> None:
    draft = Draft()
    for key, place in SQUARE.items():
        draft.add_node(key, *place)
    for key, (tail, head) in enumerate(((1, 2), (2, 3), (3, 4), (4, 1))):
        draft.add_row(key, tail, head)
    ring = join_chains(draft)
    assert ring.draft.rows == 1
    assert len(ring.parts[0]) == 4
    facing = Draft()
    for key in (1, 2, 3):
        facing.add_node(key, *SQUARE[key])
    facing.add_row(1, 1, 2)
    facing.add_row(2, 3, 2)
    assert join_chains(facing).draft.rows == 2


@given(st.floats(18.0, 18.03), st.floats(59.3, 59.315), st.floats(1, 400))
@settings(max_examples=60, deadline=None)
def test_the_index_finds_what_looking_at_every_edge_finds(lon: float, lat: float, radius: float) -> None:
    network = _town()
    found, gaps, alongs = edges_near(network.arrays, lon, lat, radius, most=2000)
    real = _all_gaps(lon, lat)
    assert {edge for edge, gap in real.items() if gap < radius - 1e-6} <= set(found.tolist())
    assert (np.diff(gaps) >= 0).all()
    for edge, gap, along in zip(found.tolist(), gaps.tolist(), alongs.tolist(), strict=True):
        assert gap == pytest.approx(real[edge], abs=1e-6)
        assert -1e-3 <= along <= network.arrays.edge_length[edge] + 1e-3


def test_few_places_are_the_nearest_ones_and_no_place_has_none() -> None:
    network = _town()
    everything = edges_near(network.arrays, 18.01, 59.305, 300.0, most=500)[1]
    assert edges_near(network.arrays, 18.01, 59.305, 300.0, most=3)[1].tolist() == pytest.approx(
        np.unique(everything)[:3].repeat(2).tolist(), abs=1e-9
    )
    for lon, lat in ((math.nan, 59.3), (18.01, math.nan), (0.0, 0.0), (math.inf, 1.0)):
        assert len(edges_near(network.arrays, lon, lat, 50.0)[0]) == 0


_TOWN = []


def _town():
    if not _TOWN:
        _TOWN.append(town(12, one_way=0.0))
    return _TOWN[0]


def _all_gaps(lon: float, lat: float) -> dict[int, float]:
    network = _town()
    scale = math.cos(math.radians(lat)) * 111_195.08, 111_195.08
    gaps = {}
    for edge in range(network.edges):
        line = (network.line(edge) - (lon, lat)) * scale
        best = math.inf
        for a, b in pairwise(line):
            d = b - a
            t = min(max(-(a @ d) / (d @ d), 0), 1)
            best = min(best, float(np.hypot(*(a + t * d))))
        gaps[edge] = best
    return gaps


def test_haversine_agrees_with_a_known_distance() -> None:
    """A quarter of the equator, and a degree of a meridian."""
    quarter = distances(*(np.array([value]) for value in (0.0, 0.0, 90.0, 0.0)))
    assert quarter[0] == pytest.approx(10_007_557, abs=1)
    degree = distances(*(np.array([value]) for value in (18.0, 59.0, 18.0, 60.0)))
    assert degree[0] == pytest.approx(111_195, abs=1)


def test_a_made_town_has_one_part() -> None:
    assert (build_network(town_draft(20)).network.arrays.edge_flags & EdgeFlag.ISLAND == 0).mean() > 0.9
