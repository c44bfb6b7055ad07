"""The speeds of now, jams that begin and end, closures, and ways that heed them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.contract.traffic_city import followed, open_own, placed
from tests.ladder import NORTH, SOUTH, STEP, ladder

from safecity.backends.bus import EmbeddedBus
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.traffic import jams
from safecity.core.upper.traffic.city import City
from safecity.core.upper.traffic.jams import KnownJam
from safecity.core.upper.traffic.sums import Sum
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import InvalidError, NotFoundError
from safecity.model.facts.traffic_calls import ApplyTolls, AskConditions, AskRoutes, RoadToll, TrafficClosure
from safecity.roads.network.versions import put_version

GOLDEN = Path(__file__).resolve().parents[2] / "vectors" / "events"
MINUTE_US = 60 * SECOND_US
NOW = 1_790_000_040 * SECOND_US // MINUTE_US * MINUTE_US
WIDE = AskConditions(17, 59, 19, 60, 1)


@pytest.fixture
def city(tmp_path: Path) -> City:
    roads = ladder()
    return City(roads, put_version(tmp_path / "roads", roads, dropped={"no_length": 2}, sources=("x",), at_us=1))


def edge(city: City, key: int, *, north: bool = True) -> int:
    """Of a street, by its number and direction."""
    a = city.network.arrays
    found = [int(e) for e in np.flatnonzero(a.edge_key == key)]
    return next(e for e in found if (city.network.line(e)[-1, 1] > city.network.line(e)[0, 1]) == north)


def driven(which: int, kmh: float, *, minute: int = 0, vehicles: int = 4) -> Sum:
    """So many vehicles over a whole edge of 400 m."""
    pace = 3.6 / kmh
    square = round(vehicles * 400_000 * (pace * 1000) ** 2)
    micros = round(vehicles * 400 * pace * 1e6)
    begin = NOW + minute * MINUTE_US
    return Sum(begin, which, vehicles * 400_000, micros, square, vehicles, 2**vehicles - 1)


def test_the_way_leads_round_a_jam_and_back_when_it_is_gone(city: City) -> None:
    ask = AskRoutes(SOUTH, NORTH, NOW + MINUTE_US)
    before = city.routes(ask).routes[0]
    assert max(x for x, _ in before.line) < 18.003, "straight on, by the faster street"
    assert abs(before.metres - 2_000) < 5
    assert before.low < before.seconds < before.high
    assert before.measured_metres == 0
    every = city.routes(ask).routes
    assert sum(one.share for one in every) == pytest.approx(1, abs=0.01)
    assert every[0].share == max(one.share for one in every)

    slow = [edge(city, 102), edge(city, 103)]
    city.live.take(driven(one, 4.0, vehicles=9) for one in slow)
    city.live.refresh(NOW + MINUTE_US)
    around = city.routes(ask).routes[0]
    assert max(x for x, _ in around.line) > 18.006, "by the other street"
    assert around.seconds > before.seconds
    through = city.routes(AskRoutes(NORTH, SOUTH, NOW + MINUTE_US)).routes[0]
    assert through.seconds == pytest.approx(before.seconds), "the other direction is free"

    city.live.take(driven(one, 52.0, minute=12, vehicles=9) for one in slow)
    city.live.refresh(NOW + 13 * MINUTE_US)
    again = city.routes(AskRoutes(SOUTH, NORTH, NOW + 13 * MINUTE_US)).routes[0]
    assert max(x for x, _ in again.line) < 18.003
    assert again.measured_metres == pytest.approx(800, abs=2)


def test_a_speed_is_that_of_the_newest_minutes_and_fades_from_sight(city: City) -> None:
    one = edge(city, 101)
    city.live.take([driven(one, 10.0, minute=-5), driven(one, 40.0)])
    now = city.live.refresh(NOW + MINUTE_US)
    assert 25 < now.speed[one] * 3.6 < 40
    assert now.vehicles[one] == 4, "the same four in both minutes"
    told = {each.edge: each for each in city.conditions(WIDE).edges}
    assert set(told) == {one}
    assert (told[one].vehicles, told[one].age_seconds, told[one].free_kmh) == (4, 0.0, 54.0)
    assert told[one].level in "BCD"
    assert city.conditions(AskConditions(17, 59, 19, 60, 5)).edges == (), "too few for whoever may not see vehicles"
    everything = city.conditions(AskConditions(17, 59, 19, 60, 5, everything=True))
    assert (len(everything.edges), {each.speed_kmh for each in everything.edges}) == (34, {None})
    few = city.conditions(AskConditions(17, 59, 19, 60, 1, limit=5, everything=True))
    assert (len(few.edges), few.left_out) == (5, 29)
    assert city.conditions(AskConditions(18.05, 59, 18.2, 60, 1, everything=True)).left_out == 0
    assert city.live.refresh(NOW + 30 * MINUTE_US).last[one] == 0
    assert city.conditions(WIDE).edges == ()


def test_a_closed_road_is_not_driven_on_while_it_is_closed(city: City) -> None:
    middle = (18.0, 59.3 + 2.5 * STEP)
    closure = TrafficClosure("cl_1", (middle,), both_ways=True, start=NOW, end=NOW + MINUTE_US)
    ask = AskRoutes(SOUTH, NORTH, NOW)
    for at, closed in ((NOW - 1, False), (NOW, True), (NOW + MINUTE_US - 1, True), (NOW + MINUTE_US, False)):
        city.close([closure], at)
        assert (max(x for x, _ in city.routes(ask).routes[0].line) > 18.006) is closed
    city.close([closure], NOW)
    shown = [one for one in city.conditions(WIDE).edges if one.closed]
    assert sorted(one.edge for one in shown) == sorted([edge(city, 102), edge(city, 102, north=False)])
    with pytest.raises(NotFoundError) as refused:
        city.routes(AskRoutes(SOUTH, middle, NOW))
    assert refused.value.code == "route_closed"
    city.close([], NOW)
    assert city.routes(AskRoutes(SOUTH, middle, NOW)).routes


def test_a_closure_along_a_line_closes_one_direction_and_no_side_street(city: City) -> None:
    line = ((18.00005, 59.3 + 0.5 * STEP), (18.00005, 59.3 + 2.5 * STEP))
    found = city.roads(line, both_ways=False)
    assert {each[0][1] < each[-1][1] for each in found.lines} == {True}, "northwards"
    assert (len(found.lines), round(found.metres)) == (3, 1200)
    assert len(city.roads(line, both_ways=True).lines) == 6
    city.close([TrafficClosure("a", line, False, NOW), TrafficClosure("b", ((18.05, 59.3),), True, NOW)], NOW)
    assert city.unplaced == ("b",)
    with pytest.raises(NotFoundError) as refused:
        city.roads(((18.05, 59.3),), both_ways=True)
    assert refused.value.code == "no_road_near"


def test_why_there_is_no_way_is_said(city: City) -> None:
    for start, code in (((18.5, 59.9), "no_road_near"), ((18.1, 59.301), "only_islands_near")):
        with pytest.raises(NotFoundError) as refused:
            city.routes(AskRoutes(start, NORTH, NOW))
        assert (refused.value.code, refused.value.params["field"]) == (code, "from")


async def test_a_jam_is_told_when_it_begins_and_when_it_ends_and_survives_the_process(
    tmp_path: Path,
) -> None:
    clock, bus, database = FakeClock(NOW + MINUTE_US), EmbeddedBus(open_file, tmp_path / "bus.db"), open_own(tmp_path)
    version = placed(tmp_path)
    following = await followed(database, bus, version, clock)
    city = following.city
    a = city.network.arrays
    first = int(np.argmax(a.edge_length))
    onward = next(e for e in range(a.out_start[a.edge_to[first]], a.out_start[a.edge_to[first] + 1])
                  if e != a.edge_twin[first])  # fmt: skip

    def at(kmh: float, *edges: int, minute: int, vehicles: int = 5) -> list[Sum]:
        return [driven(one, kmh, minute=minute, vehicles=vehicles) for one in edges]

    city.live.take(at(5.0, first, minute=0, vehicles=1))
    await following.refresh()
    assert following.jams == [], "one that stands is no jam"
    city.live.take(at(5.0, first, onward, minute=0))
    await following.refresh()
    assert [set(one.edges) for one in following.jams] == [{first, onward}]
    assert following.jams[0].speed * 3.6 == pytest.approx(5.0, abs=0.2)

    following = await followed(database, bus, version, clock)  # as after a crash
    following.city.live.take(at(5.0, first, minute=0))
    await following.refresh()
    assert len(following.jams) == 1
    clock.advance(14 * 60)
    following.city.live.take(at(60.0, first, minute=14))
    await following.refresh()
    assert following.jams == []
    told = [event for _, event in await bus.pull("judge", ["traffic.*"], 100)]
    assert [event.kind for event in told] == ["traffic.jam_began", "traffic.jam_ended"]
    assert told[0].subject == told[1].subject
    for event in told:
        golden = json.loads((GOLDEN / f"{event.kind}.v1.json").read_text("utf-8"))
        assert golden["body"].keys() == event.body.keys()
    await bus.close()
    await database.close()


def test_jams_that_grow_together_are_the_older_one() -> None:
    def jam(name: str, began: int, *edges: int) -> KnownJam:
        return KnownJam(id=name, began_at=began, edges=edges, longitude=0, latitude=1, metres=100, speed=2)

    lasting, ended = jams.followed([jam("old", 1, 1, 2), jam("new", 5, 4)], [jam("", 9, 1, 2, 3, 4)], 9)
    assert [(one.id, one.began_at) for one in lasting] == [("old", 1)]
    assert [(one.id, one.ended_at) for one in ended] == [("new", 9)]


def toll(*amounts: int, north: bool | None = True) -> RoadToll:
    """In the middle of the third block of the western, faster street."""
    bearing = None if north is None else 0.0 if north else 180.0
    return RoadToll((18.0, 59.3 + 2.5 * STEP), bearing, amounts)


def test_a_toll_is_paid_where_the_time_is_worth_it_and_driven_round_where_it_is_not(city: City) -> None:
    ask = AskRoutes(SOUTH, NORTH, NOW)
    free = city.routes(ask).routes[0]
    assert (free.toll, city.routes(ask).currency) == (0, "")
    city.charge(ApplyTolls((toll(10**6),), 6_000, "SEK"))
    around = city.routes(ask).routes[0]
    minutes = (around.seconds - free.seconds) / 60
    worth = round(6_000 * minutes / 60)  # what the detour is worth at 60.00 an hour
    for amount, pays in ((worth // 2, True), (worth * 2, False)):
        city.charge(ApplyTolls((toll(amount),), 6_000, "SEK"))
        found = city.routes(ask)
        assert found.currency == "SEK"
        assert found.routes[0].toll == (amount if pays else 0)
        assert (max(x for x, _ in found.routes[0].line) < 18.003) == pays
        assert {one.toll for one in found.routes} <= {0, amount}
    assert city.routes(AskRoutes(NORTH, SOUTH, NOW)).routes[0].toll == 0, "the other direction is free"
    city.charge(ApplyTolls((toll(50, north=None), toll(10)), 600_000, "SEK"))
    assert city.routes(ask).routes[0].toll == 60, "past two places both are paid"
    assert city.routes(AskRoutes(NORTH, SOUTH, NOW)).routes[0].toll == 50
    city.charge(ApplyTolls((), 6_000, "SEK"))
    assert city.routes(ask).routes[0].toll == 0


def test_a_toll_by_the_hour_is_that_of_the_hour_in_which_it_is_passed(city: City) -> None:
    hours = [0] * 24
    hours[7] = 300
    city.charge(ApplyTolls((toll(*hours),), 1_000_000, "SEK"))
    midnight = NOW - NOW % (86_400 * SECOND_US)
    tolls = {hour: city.routes(AskRoutes(SOUTH, NORTH, midnight + hour * 3_600 * SECOND_US)).routes[0].toll
             for hour in (6, 7, 8)}  # fmt: skip
    assert tolls == {6: 0, 7: 300, 8: 0}


@pytest.mark.parametrize(
    "told", [ApplyTolls((toll(1),), 0, "SEK"), ApplyTolls((toll(),), 1, "SEK"), ApplyTolls((toll(-1),), 1, "SEK"),
             ApplyTolls((toll(*[1] * 5),), 1, "SEK")],
)  # fmt: skip
def test_tolls_that_make_no_sense_are_refused_and_those_before_stay(city: City, told: ApplyTolls) -> None:
    city.charge(ApplyTolls((toll(50),), 600_000, "SEK"))
    with pytest.raises(InvalidError):
        city.charge(told)
    assert city.routes(AskRoutes(SOUTH, NORTH, NOW)).routes[0].toll == 50
