"""Routes are the cheapest there are, whatever was measured a moment ago: so says a search without any tricks."""

from __future__ import annotations

import heapq
import json
import math
import random
from itertools import pairwise

import numpy as np
import pytest
from benchmarks import routing as benchmark
from benchmarks.town import town, town_draft
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError, NotFoundError
from safecity.roads.network.arrays import EdgeFlag, RoadNetwork
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft
from safecity.roads.network.turns import is_banned
from safecity.roads.routing.advice import advised, shares, worth_switching
from safecity.roads.routing.router import Charges, Gain, Place, Route, Router
from safecity.roads.routing.times import BINS, RoadTimes

NOON = 1_764_154_800_000_000
"""Wednesday, 2025-11-26, 11:00 UTC."""
U_TURN = 45.0


def rush_hours() -> np.ndarray:
    """Twice and three times as slow around 8 and 17 o'clock on working days; nothing else."""
    slow = np.full((2, BINS), 1.15)
    for day in range(5):
        for hour, factor in ((8, 3.0), (17, 2.0)):
            place = day * 96 + hour * 4
            slow[1, place - 4 : place + 4] = factor
    return slow


class Scene:
    """A town, its times, its router."""

    def __init__(self, side: int = 9, seed: int = 2, turns: float = 0.3) -> None:
        self.network = town(side, seed, turns=turns)
        dice = np.random.default_rng(seed)
        self.times = RoadTimes.of(self.network, usual=dice.integers(0, 2, self.network.edges), slow=rush_hours())
        self.router = Router(self.times, landmarks=4, u_turn_seconds=U_TURN)

    def place(self, chance: random.Random) -> Place:
        edge = chance.randrange(self.network.edges)
        return Place(edge, chance.random() * float(self.network.arrays.edge_length[edge]))

    def seconds(self, edge: int, at: float) -> float:
        """As `edge_seconds`, told again."""
        t = self.times.arrays
        value = float(self.times.usual([edge], at)[0])
        if t.extra[edge]:
            value += float(t.extra[edge]) * max(0.0, 1 - max(0.0, at - float(t.measured[edge])) / 2700)
        return max(value, float(t.best[edge]))

    def plain(self, start: Place, end: Place, at: float) -> float:
        """Dijkstra over edges: the cost of the best way, inf when there is none."""
        a, closed = self.network.arrays, self.times.arrays.closed
        share = lambda place: place.along / float(a.edge_length[place.edge])  # noqa: E731
        best = math.inf
        if closed[start.edge]:
            return best
        whole = self.seconds(start.edge, at)
        if start.edge == end.edge and end.along >= start.along:
            best = (share(end) - share(start)) * whole
        heap, done = [((1 - share(start)) * whole, start.edge)], set()
        while heap:
            cost, edge = heapq.heappop(heap)
            if edge in done:
                continue
            done.add(edge)
            node = int(a.edge_to[edge])
            twin = int(a.edge_twin[edge])
            leaving = range(int(a.out_start[node]), int(a.out_start[node + 1]))
            open_ones = [e for e in leaving if not closed[e] and not is_banned(a.ban, edge, e)]
            for other in open_ones:
                if other == twin and edge != start.edge and other != end.edge and open_ones != [twin]:
                    continue
                extra = U_TURN if other == twin else 0.0
                leave = at + cost + extra
                seconds = self.seconds(other, leave)
                if other == end.edge:
                    best = min(best, cost + extra + share(end) * seconds)
                heapq.heappush(heap, (cost + extra + seconds, other))
        return best


_SCENES: list[Scene] = []


def scene() -> Scene:
    """One for all tests; each leaves it as an empty road."""
    if not _SCENES:
        _SCENES.append(Scene())
    one = _SCENES[0]
    one.times.forget(np.arange(one.network.edges))
    one.times.close(np.arange(one.network.edges), False)
    return one


@given(st.integers(0, 2**32), st.integers(0, 7 * 24 * 3600))
@settings(max_examples=60, deadline=None)
def test_no_way_is_better_whatever_is_measured_and_closed(seed: int, later: int) -> None:
    town, chance = scene(), random.Random(seed)
    at = NOON + later * 1_000_000
    edges = town.network.edges
    for _ in range(chance.randrange(4)):
        some = [chance.randrange(edges) for _ in range(chance.randrange(120))]
        speeds = [chance.choice((0.3, 2.0, 8.0, 60.0)) for _ in some]
        town.times.measured(some, speeds, at / 1e6 - chance.randrange(1800))
    town.times.close([chance.randrange(edges) for _ in range(chance.randrange(20))])
    for _ in range(4):
        start, end = town.place(chance), town.place(chance)
        expected = town.plain(start, end, at / 1e6)
        if math.isinf(expected):
            with pytest.raises(NotFoundError):
                town.router.route([start], [end], at)
        else:
            route = town.router.route([start], [end], at)
            assert route.seconds == pytest.approx(expected, abs=0.02, rel=1e-4)


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_a_route_can_be_driven(seed: int) -> None:
    town, chance = scene(), random.Random(seed)
    a = town.network.arrays
    town.times.close([chance.randrange(town.network.edges) for _ in range(15)])
    start, end = town.place(chance), town.place(chance)
    try:
        route = town.router.route([start], [end], NOON)
    except NotFoundError:
        return
    assert (int(route.edges[0]), int(route.edges[-1])) == (start.edge, end.edge)
    for one, following in pairwise(route.edges.tolist()):
        assert a.edge_to[one] == a.edge_from[following]
        assert not is_banned(a.ban, one, following)
        assert not town.times.arrays.closed[following]
    assert (np.diff(route.left_us) >= 0).all()
    assert route.left_us[-1] == pytest.approx(NOON + route.seconds * 1e6, abs=2)
    assert route.low < route.seconds < route.high or route.seconds == 0
    between = float(a.edge_length[route.edges[1:-1]].sum())
    if len(route.edges) > 1:
        ends = float(a.edge_length[start.edge]) - start.along + end.along
        assert route.metres == pytest.approx(between + ends, rel=1e-3, abs=0.1)


@given(st.integers(0, 2**32), st.integers(1, 3600))
@settings(max_examples=30, deadline=None)
def test_who_sets_out_later_never_arrives_earlier(seed: int, wait: int) -> None:
    town, chance = scene(), random.Random(seed)
    rush = NOON + (6 * 3600 - 1200 + chance.randrange(2400)) * 1_000_000
    some = [chance.randrange(town.network.edges) for _ in range(100)]
    town.times.measured(some, [chance.choice((0.2, 1.0)) for _ in some], rush / 1e6)
    start, end = town.place(chance), town.place(chance)
    try:
        first = town.router.route([start], [end], rush).seconds
    except NotFoundError:
        return
    assert town.router.route([start], [end], rush + wait * 1_000_000).seconds + wait >= first - 0.02


def row_of_streets() -> tuple[RoadNetwork, dict[tuple[int, int], int]]:
    """A ladder: 0-1-2-3 below, 4-5-6-7 above, rungs between; all 500 m, and an island 8-9."""
    draft = Draft()
    for n in range(8):
        draft.add_node(n, 18.0 + (n % 4) * 0.009, 59.3 + (n // 4) * 0.0045)
    draft.add_node(8, 18.1, 59.3)
    draft.add_node(9, 18.1, 59.3045)
    pairs = [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7), (0, 4), (1, 5), (2, 6), (3, 7), (8, 9)]
    for key, (tail, head) in enumerate(pairs):
        draft.add_row(key, tail, head, backward=True, limit=50)
    built = build_network(draft)
    numbers = {}
    for row, (tail, head) in enumerate(pairs):
        numbers[tail, head], numbers[head, tail] = (int(edge) for edge in built.row_edge[row])
    return built.network, numbers


def test_what_is_measured_and_closed_is_in_force_at_once_and_forgotten_again() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    router = Router(times, landmarks=2)
    start, end = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)]
    free = router.route(start, end, NOON)
    assert edge[1, 2] in free.edges
    assert times.measured([edge[1, 2]], [0.5], NOON / 1e6) == 1
    jam = router.route(start, end, NOON)
    assert edge[1, 2] not in jam.edges
    assert jam.seconds > free.seconds
    assert edge[1, 2] in router.route(start, end, NOON + 3600 * 1_000_000).edges, "an hour later nobody knows of it"
    times.forget([edge[1, 2]])
    assert router.route(start, end, NOON).seconds == pytest.approx(free.seconds)
    times.close([edge[1, 2]])
    assert edge[1, 2] not in router.route(start, end, NOON).edges
    times.close([edge[1, 2]], False)
    assert router.route(start, end, NOON).seconds == pytest.approx(free.seconds)


def test_a_feed_that_jumps_and_lies_misleads_nobody() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    router = Router(times, landmarks=2)
    start, end = [Place(edge[0, 1], 0.0)], [Place(edge[2, 3], 0.0)]
    free = router.route(start, end, NOON).seconds
    bad = [math.nan, math.inf, -3.0, 0.0]
    assert times.measured([edge[1, 2]] * 4, bad, NOON / 1e6) == 0
    assert times.measured([-1, 10**9], [10.0, 10.0], NOON / 1e6) == 0
    assert router.route(start, end, NOON).seconds == pytest.approx(free)
    times.measured([edge[1, 2], edge[0, 1]], [9_999.0, 9_999.0], NOON / 1e6)
    fast = router.route(start, end, NOON).seconds
    assert free / 1.4 < fast <= free, "nothing is faster than the best speed"


def test_what_comes_late_does_not_replace_what_is_newer() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    router = Router(times, landmarks=2)
    start, end, now = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)], NOON / 1e6
    assert times.measured([edge[1, 2]], [0.5], now) == 1
    assert times.measured([edge[1, 2]], [14.0], now - 300) == 0
    assert edge[1, 2] not in router.route(start, end, NOON).edges
    assert times.measured([edge[1, 2]], [14.0], now + 60) == 1, "newer, and over"
    assert edge[1, 2] in router.route(start, end, NOON).edges
    times.measured([edge[1, 2]], [0.5], now + 120)
    times.forget([edge[1, 2]])
    assert times.measured([edge[1, 2]], [0.5], now) == 1, "forgotten is forgotten, its time too"


def test_a_clock_that_is_wrong_makes_no_jam_for_ever() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    router = Router(times, landmarks=2)
    start, end, now = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)], NOON / 1e6
    times.measured([edge[1, 2]], [0.5], now + 10 * 86_400)
    assert edge[1, 2] in router.route(start, end, NOON).edges
    assert times.measured([edge[1, 2]], [0.5], now) == 1, "what is known of next week stands in nobody's way"
    assert edge[1, 2] not in router.route(start, end, NOON).edges
    assert edge[1, 2] in router.route(start, end, NOON - 86_400_000_000).edges, "yesterday there was no jam"
    for wrong in (math.nan, math.inf):
        with pytest.raises(InvalidError):
            times.measured([edge[1, 2]], [0.5], wrong)


def test_edges_that_are_not_there_are_neither_closed_nor_taken_for_others() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    for wrong in ([-1], [edge[0, 1], network.edges]):
        with pytest.raises(InvalidError):
            times.close(wrong)
        with pytest.raises(InvalidError):
            times.forget(wrong)
    assert not times.arrays.closed.any()


def test_tolls_are_weighed_against_time() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    start, end = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)]
    free = router.route(start, end, NOON)
    cheap = router.route(start, end, NOON, Charges([edge[1, 2]], [[20.0] * 24]))
    assert cheap.edges.tolist() == free.edges.tolist()
    assert cheap.cost == pytest.approx(cheap.seconds + 20)
    assert cheap.seconds == pytest.approx(free.seconds)
    dear = [[0.0] * 11 + [3600.0] + [0.0] * 12]
    assert edge[1, 2] not in router.route(start, end, NOON, Charges([edge[1, 2]], dear)).edges
    before = NOON - 3600 * 1_000_000
    assert edge[1, 2] in router.route(start, end, before, Charges([edge[1, 2]], dear)).edges
    for wrong in (
        Charges([0], [[-1.0]]),
        Charges([0, 1], [[1.0]]),
        Charges([10**6], [[1.0]]),
        Charges([0], [[math.nan]]),
        Charges([0], [[]]),
        Charges([0, 0], [[1.0], [2.0]]),
        Charges([0, 0], [[1.0], [2.0]], [1.0]),
        Charges([0], [[1.0]], [math.nan]),
    ):
        with pytest.raises(InvalidError):
            router.route(start, end, NOON, wrong)


def test_a_toll_is_paid_where_it_stands_along_the_road() -> None:
    """Also on the road on which a way begins, and on the one where it ends."""
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    first, last = edge[0, 1], edge[1, 2]
    tolls = Charges([first, last, last], [[5.0] * 24, [7.0] * 24, [11.0] * 24], [200.0, 100.0, 300.0])
    for begun, ended, paid in ((100, 50, 5), (300, 50, 0), (100, 150, 12), (300, 350, 18), (200, 100, 7)):
        start, end = [Place(first, float(begun))], [Place(last, float(ended))]
        for found in (
            router.route(start, end, NOON, tolls), router.usual(start, end, NOON, tolls),
            router.alternatives(start, end, NOON, tolls)[0],
        ):  # fmt: skip
            assert found.edges.tolist() == [first, last]
            assert found.cost - found.seconds == pytest.approx(paid, abs=0.01), (begun, ended)
            assert router.charged(found, NOON, tolls) == pytest.approx(paid)
    for begun, ended, paid in ((50, 90, 0), (50, 150, 7), (150, 350, 11), (50, 350, 18)):
        here = router.route([Place(last, float(begun))], [Place(last, float(ended))], NOON, tolls)
        assert here.cost - here.seconds == pytest.approx(paid, abs=0.01), (begun, ended)
        assert router.charged(here, NOON, tolls) == pytest.approx(paid)


@pytest.mark.parametrize("place", [0.0, 0.4])
@pytest.mark.parametrize("gate", [0.0, 0.4])
def test_a_toll_at_the_very_end_of_a_road_is_counted_alike_by_who_searches_and_who_tells(
    gate: float, place: float
) -> None:
    """How long a road is is known less exactly than where a gantry stands, or whoever sets out: a little beyond."""
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    first, last = edge[0, 1], edge[1, 2]
    begin_of, end_of = -place, {one: float(network.arrays.edge_length[one]) for one in (first, last)}
    places = [end_of[first] + gate, -gate, end_of[last] + gate]
    tolls = Charges([first, last, last], [[5.0] * 24, [7.0] * 24, [11.0] * 24], places)
    whole = end_of[last] + place
    for start, end, paid in (
        (Place(first, begin_of), Place(last, 100.0), 12), (Place(first, end_of[first] + place), Place(last, 100.0), 7),
        (Place(first, begin_of), Place(last, whole), 23), (Place(first, end_of[first] + place), Place(last, whole), 18),
        (Place(first, 100.0), Place(last, begin_of), 12), (Place(last, begin_of), Place(last, whole), 11),
    ):  # fmt: skip
        for found in (router.route([start], [end], NOON, tolls), router.usual([start], [end], NOON, tolls)):
            assert found.cost - found.seconds == pytest.approx(paid, abs=0.01), (start, end)
            assert router.charged(found, NOON, tolls) == pytest.approx(paid), (start, end)


def test_who_sets_out_before_a_dear_toll_turns_round_and_who_stands_behind_it_drives_on() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2, u_turn_seconds=10)
    one, back, length = edge[1, 2], edge[2, 1], float(network.arrays.edge_length[edge[1, 2]])
    tolls = Charges([one], [[3600.0] * 24], [300.0])
    end = [Place(edge[2, 3], 400.0)]
    for begun, turns in ((200.0, True), (350.0, False)):
        both = [Place(one, begun), Place(back, length - begun)]
        way = router.route(both, end, NOON, tolls)
        assert bool(way.edges[0] == back) is turns
        assert way.cost - way.seconds == pytest.approx(0, abs=0.01)


def test_turning_round_costs_and_the_same_edge_may_be_short_or_long() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2, u_turn_seconds=30)
    one = edge[0, 1]
    ahead = router.route([Place(one, 100.0)], [Place(one, 200.0)], NOON)
    assert ahead.edges.tolist() == [one]
    assert ahead.metres == pytest.approx(100, abs=0.01)
    back = router.route([Place(one, 200.0)], [Place(one, 100.0)], NOON)
    assert len(back.edges) > 2
    other = edge[1, 0]
    assert router.route([Place(one, 200.0)], [Place(other, 400.0)], NOON).edges.tolist() == [one, other]
    assert router.route([Place(one, 200.0), Place(other, 310.0)], [Place(other, 400.0)], NOON).edges.tolist() == [other]


def test_the_metres_are_those_that_are_driven() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    one, length = edge[0, 1], float(network.arrays.edge_length[edge[0, 1]])
    end = [Place(edge[1, 2], 100.0)]
    for start in ([Place(one, 50.0), Place(one, 400.0)], [Place(one, 400.0), Place(one, 50.0)]):
        assert router.route(start, end, NOON).metres == pytest.approx(length - 400 + 100, abs=0.1)
        assert router.route(start, [Place(one, 60.0)], NOON).metres == pytest.approx(10, abs=0.1)
    assert router.route([Place(one, -50.0)], [Place(one, 1e9)], NOON).metres == pytest.approx(length, abs=0.1)
    assert router.route([Place(one, 1e9)], end, NOON).metres == pytest.approx(100, abs=0.1)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_way_that_is_given_takes_what_the_same_way_takes_that_is_found(seed: int) -> None:
    scene, chance = Scene(), random.Random(seed)
    scene.times.measured([chance.randrange(scene.network.edges) for _ in range(60)], [2.0] * 60, NOON / 1e6 - 60)
    start, end = scene.place(chance), scene.place(chance)
    try:
        found = scene.router.route([start], [end], NOON)
    except NotFoundError:
        return
    given = scene.router.along(found.edges, NOON, begun=start.along, ended=end.along)
    assert (given.seconds, given.metres) == pytest.approx((found.seconds, found.metres), rel=1e-5, abs=0.05)
    assert (given.low, given.high) == pytest.approx((found.low, found.high), rel=1e-4, abs=0.05)


def test_what_is_no_way_has_no_time() -> None:
    scene = Scene()
    a = scene.network.arrays
    apart = next(edge for edge in range(scene.network.edges) if a.edge_from[edge] != a.edge_to[0])
    for edges in ([], [scene.network.edges], [-1], [0, apart]):
        with pytest.raises(InvalidError, match="follow") as told:
            scene.router.along(edges, NOON)
        assert told.value.code == "no_place"


def test_any_number_of_places_to_set_out_from() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    many = [Place(edge[0, 1], float(n) / 100) for n in range(5_000)]
    route = router.route(many, [Place(edge[1, 2], 100.0)], NOON)
    nearest = router.route(many[-1:], [Place(edge[1, 2], 100.0)], NOON)
    assert route.seconds == pytest.approx(nearest.seconds)


def test_the_road_beside_a_yard_of_dead_ends_is_found() -> None:
    draft = Draft()
    for n in range(3):
        draft.add_node(n, 18.0 + 0.01 * (n == 1), 59.3 + 0.001 * (n == 2))
    for key, (tail, head) in enumerate(((0, 1), (1, 2), (2, 0))):
        draft.add_row(key, tail, head, backward=True)
    for n in range(40):
        draft.add_node(100 + 2 * n, 18.005, 59.299 - n * 1e-6)
        draft.add_node(101 + 2 * n, 18.0051, 59.299 - n * 1e-6)
        draft.add_row(100 + n, 100 + 2 * n, 101 + 2 * n, backward=True)
    network = build_network(draft).network
    places = Router(RoadTimes.of(network), landmarks=2).near(18.005, 59.299)
    assert [int(network.arrays.edge_key[one.edge]) for one in places] == [0, 0]


def test_a_router_answers_the_same_after_two_thousand_million_routes() -> None:
    town, chance = Scene(side=5, seed=7), random.Random(1)
    pairs = [([town.place(chance)], [town.place(chance)]) for _ in range(30)]

    def answers() -> list[float]:
        return town.router.one_to_many(pairs[0][0], [end[0] for _, end in pairs], NOON).tolist() + [
            float(town.router.many_to_one([start], end, NOON)[0]) for start, end in pairs
        ]

    first = answers()
    for run in (2**31 - 3, -2, -(2**31)):
        town.router._work.run[0] = run  # pyright: ignore
        assert answers() == first


def test_where_nothing_leads_a_reason_is_given() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    router = Router(times, landmarks=3)
    main, island = [Place(edge[0, 1], 0.0)], [Place(edge[8, 9], 5.0)]
    with pytest.raises(NotFoundError) as refused:
        router.route(main, island, NOON)
    assert refused.value.params["why"] == "island"
    times.close([edge[0, 1]])
    with pytest.raises(NotFoundError) as refused:
        router.route(main, [Place(edge[2, 3], 0.0)], NOON)
    assert refused.value.params["why"] == "closed"
    times.close([edge[0, 1]], False)
    times.close([edge[2, 3], edge[6, 7]])
    with pytest.raises(NotFoundError) as refused:
        router.route(main, [Place(edge[3, 7], 5.0)], NOON)
    assert refused.value.params["why"] == "closed", "somewhere on the way"
    with pytest.raises(NotFoundError) as refused:
        router.route(main, island, NOON)
    assert refused.value.params["why"] == "island", "no order to open would help"
    with pytest.raises(NotFoundError) as refused:
        router.near(18.1, 59.302)
    assert refused.value.params["why"] == "only roads that lead nowhere"
    for lon, lat in ((0.0, 0.0), (math.nan, 59.3)):
        with pytest.raises(NotFoundError):
            router.near(lon, lat)
    for places in ([], [Place(-1, 0.0)], [Place(10**6, 0.0)], [Place(0, math.nan)]):
        with pytest.raises(InvalidError):
            router.route(places, main, NOON)
    assert {one.edge for one in router.near(18.0045, 59.3001)} == {edge[0, 1], edge[1, 0]}


def test_alternatives_are_other_ways_and_not_much_worse() -> None:
    big = Scene(side=16, seed=4, turns=0.05)
    chance, several = random.Random(5), 0
    lengths = big.network.arrays.edge_length
    main = [e for e in range(big.network.edges) if not big.network.arrays.edge_flags[e] & EdgeFlag.ISLAND]
    for _ in range(12):
        start, end = (Place(chance.choice(main), 0.0) for _ in range(2))
        routes = big.router.alternatives([start], [end], NOON)
        assert routes[0].seconds == pytest.approx(big.router.route([start], [end], NOON).seconds)
        for n, route in enumerate(routes[1:], 1):
            assert routes[0].seconds <= route.seconds + 0.01
            assert route.seconds <= 1.35 * routes[0].seconds + 30
            for other in routes[:n]:
                shared = float(lengths[np.intersect1d(route.edges, other.edges)].sum())
                assert shared <= 0.75 * float(lengths[route.edges].sum()) + 0.01
        several += len(routes) > 1
        for route in routes:
            assert route.cost == pytest.approx(route.seconds), "what made the search look elsewhere costs no driver"
        assert shares(routes).sum() == pytest.approx(1)
        assert (np.argsort([-share for share in shares(routes)]) == np.argsort([one.seconds for one in routes])).all()
    assert several >= 6


def test_another_way_costs_its_own_tolls_and_no_penalty() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    start, end = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)]
    tolls = Charges([edge[1, 2], edge[5, 6]], [[3.0] * 24, [20.0] * 11 + [70.0] + [20.0] * 12])
    first, *others = router.alternatives(start, end, NOON, tolls, slower=3.0)
    assert first.cost == pytest.approx(first.seconds + 3, abs=0.01)
    (above,) = [one for one in others if edge[5, 6] in one.edges]
    assert above.cost == pytest.approx(above.seconds + 70, abs=0.01)


def taking(seconds: float) -> Route:
    return Route(np.zeros(1, np.int32), np.zeros(1, np.int64), seconds, seconds, seconds, seconds, 1.0)


@pytest.mark.parametrize(
    ("present", "gain", "deviation", "worth"),
    [(600, 100, 60, True), (600, 50, 60, False), (600, 20, 5, False), (600, 31, 5, True),
     (math.inf, math.inf, 60, True),     (math.inf, math.nan, 60, False), (600, -math.inf, 60, False)],
)  # fmt: skip
def test_a_way_is_advised_where_it_gains_more_than_is_known_of_the_difference(
    present: float, gain: float, deviation: float, worth: bool
) -> None:
    assert worth_switching(taking(present), Gain(gain, deviation)) is worth


def test_drivers_are_spread_over_ways_that_are_worth_it_and_over_no_others() -> None:
    routes = [taking(seconds) for seconds in (400.0, 420.0, 590.0)]

    def gain(present: Route, other: Route) -> Gain:
        return Gain(present.seconds - other.seconds, 60.0)

    sent = advised(taking(600.0), routes, gain)
    assert sent.sum() == pytest.approx(1)
    assert sent[0] > sent[1] > 0
    assert sent[2] == 0, "ten seconds may as well be lost"
    assert not advised(taking(440.0), routes, gain).any(), "who drives as well as that keeps the way"


def test_what_two_ways_share_makes_their_difference_no_less_certain() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    start, end = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)]
    first, *others = router.alternatives(start, end, NOON, slower=3.0)
    other = others[0]
    gain = router.gain(other, first)
    assert gain.seconds == pytest.approx(other.seconds - first.seconds)
    apart = [(one.high - one.low) / 2 / 1.2816 for one in (first, other)]
    assert 0 < gain.deviation < math.hypot(*apart)
    assert router.gain(first, first) == (0.0, 0.0)


def test_the_usual_way_knows_nothing_of_a_jam_but_takes_as_long_as_it_does_now() -> None:
    network, edge = row_of_streets()
    times = RoadTimes.of(network)
    router = Router(times, landmarks=2)
    start, end = [Place(edge[0, 1], 10.0)], [Place(edge[2, 3], 400.0)]
    before = router.route(start, end, NOON)
    assert router.usual(start, end, NOON).edges.tolist() == before.edges.tolist()
    times.measured([edge[1, 2]], [0.5], NOON / 1e6)
    usual, now = router.usual(start, end, NOON), router.route(start, end, NOON)
    assert usual.edges.tolist() == before.edges.tolist()
    assert usual.seconds > 2 * before.seconds
    assert now.edges.tolist() != usual.edges.tolist()
    assert usual.metres == pytest.approx(before.metres)
    gain = router.gain(usual, now)
    assert worth_switching(usual, gain)


def test_times_to_many_are_those_of_single_routes() -> None:
    town, chance = scene(), random.Random(11)
    start = town.place(chance)
    ends = [town.place(chance) for _ in range(12)] + [start]
    many = town.router.one_to_many([start], ends, NOON)
    for end, seconds in zip(ends, many.tolist(), strict=True):
        expected = town.plain(start, end, NOON / 1e6)
        assert seconds == pytest.approx(expected, abs=0.02) or (math.isinf(seconds) and math.isinf(expected))
    for limit in (float(many.max()) / 2, *(many[np.isfinite(many) & (many > 1)] - 0.5).tolist()):
        within = town.router.one_to_many([start], ends, NOON, limit_seconds=limit)
        assert within.tolist() == [one if one <= limit else math.inf for one in many.tolist()]
    vehicles = [[town.place(chance)] for _ in range(6)]
    nearest = town.router.many_to_one(vehicles, [start], NOON)
    for one, seconds in zip(vehicles, nearest.tolist(), strict=True):
        expected = town.plain(one[0], start, NOON / 1e6)
        assert seconds == pytest.approx(expected, abs=0.02) or (math.isinf(seconds) and math.isinf(expected))
    assert np.isfinite(town.router.many_to_one(vehicles, [start], NOON, closest=2)).sum() <= 2


def test_the_interval_is_narrower_for_who_drives_farther() -> None:
    network, edge = row_of_streets()
    router = Router(RoadTimes.of(network), landmarks=2)
    short = router.route([Place(edge[0, 1], 0.0)], [Place(edge[0, 1], 400.0)], NOON)
    long = router.route([Place(edge[0, 1], 0.0)], [Place(edge[2, 3], 400.0)], NOON)
    assert (long.high - long.low) / long.seconds < (short.high - short.low) / short.seconds
    assert long.low < long.seconds < long.high


def test_times_that_make_no_sense_are_refused() -> None:
    network, _ = row_of_streets()
    for wrong in (
        {"slow": np.ones((1, 5))},
        {"slow": np.full((1, BINS), 0.5)},
        {"usual": np.ones(network.edges)},
        {"usual": [0]},
        {"headroom": 0.0, "slow": np.ones((1, BINS))},
        {"headroom": math.nan},
        {"zone_seconds": math.nan},
    ):
        with pytest.raises(InvalidError):
            RoadTimes.of(network, **wrong)
    for u_turn in (math.inf, math.nan, -1.0):
        with pytest.raises(InvalidError):
            Router(RoadTimes.of(network), landmarks=1, u_turn_seconds=u_turn)


def test_the_benchmark_says_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["routing", "--side", "20", "--pairs", "30"])
    assert benchmark.main() == 0
    said = json.loads(capsys.readouterr().out)
    assert said["arcs"] == build_network(town_draft(20, gone=0.0, one_way=0.1)).network.edges
    assert 0 < said["median_ms"] <= said["p95_ms"]
    assert said["routes"] == 30
    assert said["update_visible_ms"] > 0
