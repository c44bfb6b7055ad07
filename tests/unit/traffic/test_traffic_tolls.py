"""What roads cost: whom, when, on which way over a border; and ways that would rather be free."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.ladder import NORTH, SOUTH, STEP, ladder

from safecity.core.ground.tolls.api import Crossing, Gantry, Price, Toll, TollTeller, price
from safecity.core.ground.tolls.decide import check_toll
from safecity.core.ground.tolls.service import told_of
from safecity.core.upper.traffic.city import City
from safecity.core.upper.traffic.jams import KnownJam
from safecity.core.upper.traffic.tolled import _inside, _meetings, places_of
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError, NotFoundError, SafecityError, UnavailableError
from safecity.model.facts.media_calls import Done
from safecity.model.facts.traffic_calls import ApplyTolls, AskRoutes, FindTolled, RouteFound
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft
from safecity.roads.network.grid import edges_near
from safecity.roads.network.versions import put_version

TUESDAY = datetime(2026, 9, 29, tzinfo=UTC)
HOUR_US = 3_600 * SECOND_US
MIDDLE = 59.3 + 2.5 * STEP
INNER_CITY = [
    ("06:00", "06:30", 15), ("06:30", "07:00", 30), ("07:00", "08:30", 45), ("08:30", "09:00", 30),
    ("09:00", "09:30", 20), ("09:30", "15:00", 11), ("15:00", "15:30", 20), ("15:30", "16:00", 30),
    ("16:00", "17:30", 45), ("17:30", "18:00", 30), ("18:00", "18:30", 20),
]  # fmt: skip
"""Stockholm's inner city in the high season of 2020 (SFS 2018:200)."""


def toll(**changes: Any) -> Toll:
    tariff = tuple(Price(since, until, 100 * amount, days=("working",)) for since, until, amount in INNER_CITY)
    plain = {"id": "tl_1", "name": "Inner city", "gantries": (Gantry(18.0, MIDDLE),), "prices": tariff}
    return check_toll(Toll(**plain | changes))


def cordon(crossing: Crossing, **changes: Any) -> Toll:
    """A ring around the northern half of both streets."""
    ring = ((17.99, MIDDLE), (18.02, MIDDLE), (18.02, 59.4), (17.99, 59.4))
    return toll(gantries=(), border=ring, crossing=crossing, **changes)


@pytest.fixture
def city(tmp_path: Path) -> City:
    roads = ladder()
    return City(roads, put_version(tmp_path / "roads", roads, dropped={}, sources=("x",), at_us=1))


def at(clock: str, day: datetime = TUESDAY) -> int:
    hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
    return int(day.replace(hour=hours, minute=minutes, second=seconds).timestamp()) * SECOND_US


def found(
    city: City, when: int, *tolls: Toll, start: Any = SOUTH, end: Any = NORTH, **ask: Any
) -> tuple[RouteFound, ...]:
    # An hour is worth so much that nobody drives around anything.
    city.charge(told_of(tolls, 100_000_000, "SEK"))
    return city.routes(AskRoutes(start, end, when, **ask)).routes


@pytest.mark.parametrize(
    ("clock", "amount"),
    [("05:59:59", 0), ("06:00:00", 1500), ("06:29:59", 1500), ("06:30:00", 3000), ("08:29:59", 4500), ("12:00", 1100),
     ("18:29:59", 2000), ("18:30:00", 0)],
)  # fmt: skip
def test_a_passage_costs_what_the_minute_says_in_which_it_is_begun(clock: str, amount: int) -> None:
    moment = datetime.fromtimestamp(at(clock) / SECOND_US, UTC)
    assert price(toll(), "car", moment, {}) == amount


def test_saturdays_and_holidays_are_free_and_a_saturday_that_is_worked_is_not(city: City) -> None:
    saturday = TUESDAY.replace(month=10, day=3)
    special = {"2026-09-29": "sunday", "2026-10-03": "working"}
    for day, free in ((TUESDAY, False), (saturday, True)):
        noon = at("12:00", day)
        assert found(city, noon, toll())[0].toll == (0 if free else 1100)
        city.set_days(special)
        assert found(city, noon, toll())[0].toll == (1100 if free else 0)
        assert price(toll(), "car", datetime.fromtimestamp(noon / SECOND_US, UTC), special) == (1100 if free else 0)
        city.set_days({})


@pytest.mark.parametrize(("crossing", "inwards", "outwards"), [("in", 1100, 0), ("out", 0, 1100), ("both", 1100, 1100)])
def test_over_a_border_those_pay_who_cross_it_in_that_way_on_any_street(
    city: City, crossing: str, inwards: int, outwards: int
) -> None:
    ring = cordon(Crossing(crossing))
    noon = at("12:00")
    assert [one.toll for one in found(city, noon, ring)] == [inwards] * len(found(city, noon, ring))
    assert found(city, noon, ring, start=NORTH, end=SOUTH)[0].toll == outwards
    inside = (18.0, 59.3 + 3.2 * STEP)
    assert found(city, noon, ring, start=inside)[0].toll == 0, "who stays inside crosses nothing"
    roads = city.tolled(FindTolled(told_of([ring], 1, "SEK").tolls))
    assert len(roads.lines) == (4 if crossing == "both" else 2)


def test_who_drives_straight_through_a_zone_pays_though_no_bend_of_the_road_lies_within_it(city: City) -> None:
    """Both streets run straight from crossing to crossing, and the zone is a band between two of them."""
    south, north = 59.3 + 2.3 * STEP, 59.3 + 2.7 * STEP
    band = ((17.99, south), (18.02, south), (18.02, north), (17.99, north))
    noon, within = at("12:00"), (18.0, 59.3 + 2.5 * STEP)
    for crossing, through, into, out_of in (("in", 1100, 1100, 0), ("out", 1100, 0, 1100), ("both", 2200, 1100, 1100)):
        zone = toll(gantries=(), border=band, crossing=Crossing(crossing))
        for start, end in ((SOUTH, NORTH), (NORTH, SOUTH)):
            assert found(city, noon, zone, start=start, end=end, count=1)[0].toll == through
            assert found(city, noon, zone, start=start, end=within, count=1)[0].toll == into
            assert found(city, noon, zone, start=within, end=end, count=1)[0].toll == out_of
        assert len(city.tolled(FindTolled(told_of([zone], 1, "SEK").tolls)).lines) == 4


def test_where_a_ring_meets_roads_is_what_a_slow_look_at_each_of_its_sides_says() -> None:
    chance = np.random.default_rng(7)
    angles = np.sort(chance.uniform(0, 2 * np.pi, 60))
    radii = chance.uniform(0.2, 1, 60)
    ring = tuple((float(x), float(y)) for x, y in zip(radii * np.cos(angles), radii * np.sin(angles), strict=True))
    x, y = chance.uniform(-1.2, 1.2, (2, 300))
    pieces = chance.uniform(size=299) < 0.9
    met = _meetings(ring, x, y, pieces)
    inside = _inside(ring, x, y)
    for n in range(299):
        slow = sorted(
            float(share[0])
            for one, other in zip(ring, [*ring[1:], ring[0]], strict=True)
            for share in [np.linalg.solve(
                np.array([[x[n + 1] - x[n], one[0] - other[0]], [y[n + 1] - y[n], one[1] - other[1]]]),
                np.array([one[0] - x[n], one[1] - y[n]]),
            )]
            if pieces[n] and 0 < share[0] < 1 and 0 <= share[1] < 1
        )  # fmt: skip
        assert met.get(n, []) == pytest.approx(slow)
        assert not pieces[n] or len(slow) % 2 == int(inside[n] != inside[n + 1])
    assert max(map(len, met.values())) > 3


def test_a_lorry_pays_its_own_price_and_a_bus_nothing(city: City) -> None:
    prices = (Price("00:00", "24:00", 10, ("car",)), Price("00:00", "24:00", 30, ("truck",)))
    noon, one = at("12:00"), toll(prices=prices)
    paid = {name: found(city, noon, one, vehicle=name)[0].toll for name in ("car", "truck", "bus")}
    assert paid == {"car": 10, "truck": 30, "bus": 0}


def test_a_toll_begins_and_ends_with_its_days(city: City) -> None:
    one = toll(begins="2026-09-29", ends="2026-09-30")
    paid = [found(city, at("12:00", TUESDAY.replace(day=day)), one)[0].toll for day in (28, 29, 30)]
    assert paid == [0, 1100, 1100]
    assert found(city, at("12:00", TUESDAY.replace(month=10, day=1)), one)[0].toll == 0
    assert found(city, at("12:00"), toll(enabled=False))[0].toll == 0


def test_who_wants_no_tolls_is_led_around_whatever_time_it_takes(city: City) -> None:
    noon = at("12:00")
    paying = found(city, noon, toll())
    assert paying[0].toll == 1100
    free = found(city, noon, toll(), avoid_tolls=True)
    assert {one.toll for one in free} == {0}
    assert max(x for x, _ in free[0].line) > 18.005, "over the eastern street"
    assert free[0].seconds > paying[0].seconds
    assert sum(one.share for one in free) == pytest.approx(1, abs=0.01)


def test_on_a_long_way_no_other_that_costs_something_is_offered_beside_a_free_one(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a long one the search for others outweighs any toll; on this one a small toll is outweighed."""
    monkeypatch.setattr("safecity.core.upper.traffic.tolled.AVOIDED_SECONDS", 300.0)
    free = found(city, at("12:00"), toll(), avoid_tolls=True, count=5)
    assert [one.toll for one in free] == [0] * len(free)
    assert sum(one.share for one in free) == pytest.approx(1, abs=0.01)


def test_where_every_way_costs_something_it_is_told_what(city: City) -> None:
    ways = found(city, at("12:00"), cordon(Crossing.BOTH), avoid_tolls=True)
    assert {one.toll for one in ways} == {1100}
    assert ways[0].seconds < 3_600, "what it is worth to avoid them is no time"


def test_on_the_very_road_of_a_gantry_or_border_it_is_paid_by_who_comes_past_it(city: City) -> None:
    noon, street = at("12:00"), 59.3
    for one in (toll(), toll(gantries=(Gantry(18.0, MIDDLE, 0.0),)), cordon(Crossing.BOTH)):
        for begun, ended, paid in ((2.2, 4.5, 1100), (2.8, 4.5, 0), (1.5, 2.2, 0), (1.5, 2.8, 1100), (2.2, 2.8, 1100)):
            ways = found(
                city, noon, one, start=(18.0, street + begun * STEP), end=(18.0, street + ended * STEP), count=1
            )  # fmt: skip
            assert ways[0].toll == paid, (one, begun, ended)


@pytest.mark.parametrize("drawn", [("south", "north"), ("north", "south")])
def test_a_border_on_the_very_end_of_a_road_stands_there_whichever_way_it_is_drawn(drawn: tuple[str, str]) -> None:
    draft, ends = Draft(), {"south": 59.3, "north": 59.3 + STEP}
    for node, name in enumerate(drawn):
        draft.add_node(node, 18.0, ends[name])
    draft.add_row(7, 0, 1, backward=True, limit=50)
    network = build_network(draft).network
    ring = ((17.99, ends["north"]), (18.02, ends["north"]), (18.02, 59.4), (17.99, 59.4))
    (told,) = told_of([toll(gantries=(), border=ring, crossing=Crossing.BOTH)], 1, "SEK").tolls
    for one in places_of(network, told):
        northwards = network.line(one.edge)[-1][1] == ends["north"]
        assert one.along == pytest.approx(400 if northwards else 0, abs=0.1)


def test_where_every_way_costs_something_drivers_are_not_sent_over_the_slow_ones_alike(city: City) -> None:
    """To who wants none every toll is worth a day, beside which no minute counts."""
    ring, noon = cordon(Crossing.BOTH), at("12:00")
    jammed, _, _ = edges_near(city.network.arrays, 18.0, 59.3 + 0.5 * STEP, 30.0, most=1)
    city.times.measured(jammed, [0.7] * len(jammed), noon / SECOND_US)
    plain = found(city, noon, ring, count=3)
    avoiding = found(city, noon, ring, count=3, avoid_tolls=True)
    assert max(one.share for one in plain) > 0.6
    assert [one.toll for one in avoiding] == [one.toll for one in plain]
    assert [one.share for one in avoiding] == pytest.approx([one.share for one in plain], abs=0.01)


def test_a_border_with_many_corners_holds_the_same_places_as_a_slow_look_at_each_of_its_sides() -> None:
    chance = np.random.default_rng(5)
    angles = np.sort(chance.uniform(0, 2 * np.pi, 120))
    reach = chance.uniform(0.2, 1.0, 120)
    ring = tuple(zip((reach * np.cos(angles)).tolist(), (reach * np.sin(angles)).tolist(), strict=True))
    x, y = chance.uniform(-1.2, 1.2, (2, 3_000))
    odd = np.zeros(3_000, bool)
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        odd ^= ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    assert 300 < odd.sum() < 2_700
    assert (_inside(ring, x, y) == odd).all()


def test_what_is_told_of_roads_fits_a_frame_whatever_shape_they_have(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = cordon(Crossing.BOTH)
    wanted = FindTolled(told_of([ring], 1, "SEK").tolls)
    edges = tuple(range(city.network.edges))
    street = ((18.0, 59.3 + 0.1 * STEP), (18.0, 59.3 + 4.9 * STEP))
    city.live.now.vehicles[:] = 9
    jams = [
        KnownJam(id=f"jam_{n}", began_at=1, edges=edges, longitude=18.0, latitude=59.3, metres=100.0 * n, speed=1.0)
        for n in (1, 2)
    ]
    whole = city.tolled(wanted), city.roads(street, both_ways=True), city.jams(jams, 1)
    monkeypatch.setattr("safecity.core.upper.traffic.city.MAX_POINTS", 5)
    for before, told in zip(whole[:2], (city.tolled(wanted), city.roads(street, both_ways=True)), strict=True):
        assert len(before.lines) > 2
        assert (told.lines, told.metres) == (before.lines[:2], before.metres)
    assert [len(one.lines) for one in whole[2]] == [len(edges)] * 2
    assert [(one.id, len(one.lines)) for one in city.jams(jams, 1)] == [("jam_2", 2), ("jam_1", 0)]


def test_a_toll_that_lies_beside_no_road_is_refused_when_it_is_made_and_named_when_the_network_changed(
    city: City,
) -> None:
    lost = toll(gantries=(Gantry(18.0, MIDDLE), Gantry(18.0, 60.0)))
    with pytest.raises(NotFoundError) as refused:
        city.tolled(FindTolled(told_of([lost], 1, "SEK").tolls))
    assert refused.value.code == "no_road_near"
    city.charge(told_of([lost], 1, "SEK"))
    assert city.tolls is not None
    assert city.tolls.unplaced == ("tl_1",)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"gantries": ()}, "toll_places"), ({"border": ((0, 0), (1, 0), (1, 1))}, "toll_places"),
     ({"gantries": (), "border": ((0, 0), (1, 0), (0, 0))}, "toll_invalid"), ({"prices": ()}, "toll_invalid"),
     ({"prices": (Price("07:00", "07:00", 1),)}, "toll_invalid"),
     ({"prices": (Price("07:05", "08:00", 1),)}, "toll_invalid"),
     ({"prices": (Price("07:00", "08:00", 1, ("boat",)),)}, "toll_invalid"), ({"begins": "2026-02-30"}, "toll_invalid"),
     ({"begins": "2026-02-03", "ends": "2026-02-02"}, "toll_invalid"), ({"name": " "}, "toll_invalid"),
     ({"prices": (Price("07:00", "08:00", 1), Price("07:45", "09:00", 2, ("car",)))}, "toll_overlap")],
)  # fmt: skip
def test_what_is_no_toll_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        toll(**changes)
    assert refused.value.code == code


def test_two_prices_at_one_time_are_no_overlap_where_they_are_for_others() -> None:
    prices = (Price("07:00", "08:00", 1, ("car",), ("working",)), Price("07:00", "08:00", 2, ("car",), ("saturday",)),
              Price("07:00", "08:00", 3, ("truck",)))  # fmt: skip
    assert toll(prices=prices).prices == prices


async def test_the_duty_is_told_and_a_duty_that_is_away_is_told_when_it_is_back() -> None:
    class Cordon:
        async def tolls(self) -> ApplyTolls:
            return told_of([toll()], 6_000, "SEK")

    class Duty:
        told: ClassVar[list[Any]] = []
        away = True

        async def call(self, address: str, message: object, *, timeout: float) -> Done:
            if self.away:
                raise SafecityError("away")
            self.told.append((address, message))
            return Done()

    duty = Duty()
    teller = TollTeller(duty, Cordon())  # pyright: ignore[reportArgumentType]
    await teller.tell_if_there()
    duty.away = False
    await teller.tell_if_there()
    assert duty.told == [("traffic", told_of([toll()], 6_000, "SEK"))]


async def test_a_duty_that_takes_no_toll_is_said_so_once_and_that_it_takes_them_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Cordon:
        async def tolls(self) -> ApplyTolls:
            return told_of([toll()], 6_000, "SEK")

    class Duty:
        answers: ClassVar[list[Exception | None]] = []

        async def call(self, address: str, message: object, *, timeout: float) -> Done:
            answer = self.answers.pop(0)
            if answer is not None:
                raise answer
            return Done()

    refused = InvalidError("no amounts", code="road_tolls")
    Duty.answers = [UnavailableError("starting", code="duty_down"), refused, refused, None, None]
    teller = TollTeller(Duty(), Cordon())  # pyright: ignore[reportArgumentType]
    with caplog.at_level("INFO"):
        for _ in range(5):
            await teller.tell_if_there()
    assert [(one.levelname, "road_tolls" in one.message) for one in caplog.records] == [
        ("WARNING", True),
        ("INFO", False),
    ]
