"""What the passages of a vehicle mean together."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.vehicles.decide import Stop, clones, companions, kilometres, route, stays
from safecity.kit.clock import SECOND_US

NOON = 1_700_000_000 * SECOND_US
WUHU, NANJING, STREET = (118.38, 31.33), (118.78, 32.06), (118.3805, 31.3303)
_numbers = count()


def stop(
    place: str, minutes: float, plate: str = "皖A12345", at: tuple[float, float] | None = WUHU, **more: Any
) -> Stop:
    longitude, latitude = at or (None, None)
    return Stop(
        passage=f"ps_{next(_numbers)}", place=place, at=NOON + round(minutes * 60 * SECOND_US), plate=plate,
        longitude=longitude, latitude=latitude, **more,
    )  # fmt: skip


def test_a_route_is_told_in_order_with_the_least_speed_of_each_leg() -> None:
    home, away, nowhere = stop("a", 0), stop("b", 60, at=NANJING), stop("c", 90, at=None)
    first, second = route([nowhere, away, home])
    assert (first.start, first.end, second.end) == (home, away, nowhere)
    assert first.km == pytest.approx(89.6, abs=0.5)
    assert first.kmh == pytest.approx(first.km)
    assert (second.km, second.kmh, second.seconds) == (None, None, 1800)
    assert route([home]) == []


def test_two_places_at_an_impossible_speed_are_a_cloned_plate() -> None:
    here, there = stop("a", 0), stop("b", 10, at=NANJING)
    (clone,) = clones([there, here], 200)
    assert (clone.start, clone.end, clone.plate) == (here, there, "皖A12345")
    assert 500 < clone.kmh < 540, "ninety kilometres in ten minutes"
    assert clones([here, stop("b", 40, at=NANJING)], 200) == [], "that is 134 km/h"
    (at_once,) = clones([here, stop("b", 0, at=NANJING)], 200)
    assert at_once.kmh > 100_000


def test_nobody_is_accused_on_what_is_not_sure() -> None:
    here = stop("a", 0)
    assert clones([here, stop("b", 1, at=NANJING, sure=False)], 200) == []
    assert clones([here, stop("b", 1, at=None)], 200) == []
    assert clones([here, stop("b", 1, at=NANJING, plate="皖A12346")], 200) == []
    assert clones([here, stop("b", 1, at=NANJING, plate=""), stop("c", 1, plate="")], 200) == []
    assert clones([here, stop("b", 0.001, at=STREET)], 200) == [], "two cameras of one crossing"


def test_a_clock_that_is_a_second_off_makes_no_clone() -> None:
    one_km_north = (WUHU[0], WUHU[1] + 1 / 111.2)
    assert clones([stop("a", 0), stop("b", 16 / 60, at=one_km_north)], 200) == [], "1 km in 16 s may have been 18"


def test_a_stay_is_the_time_between_two_passages_that_lie_far_apart() -> None:
    stops = [stop("in", 0), stop("in", 5), stop("out", 5 + 8 * 60), stop("out", 490)]
    (stay,) = stays(stops, 3600)
    assert (stay.start.place, stay.end.place, stay.seconds) == ("in", "out", 8 * 3600)


def company(gap_seconds: float, places: str = "abc") -> dict[str, list[Stop]]:
    return {place: [stop(place, 10 * index + gap_seconds / 60, "皖C77777")] for index, place in enumerate(places)}


def own(places: str = "abc") -> list[Stop]:
    return [stop(place, 10 * index) for index, place in enumerate(places)]


def test_who_passes_the_same_places_within_seconds_again_and_again_is_company() -> None:
    (found,) = companions(own(), company(6), within_seconds=10, least=3)
    assert (found.plate, found.places, [meeting.seconds for meeting in found.meetings]) == ("皖C77777", 3, [6, 6, 6])
    (ahead,) = companions(own(), company(-6), within_seconds=10, least=3)
    assert [meeting.seconds for meeting in ahead.meetings] == [-6, -6, -6]
    assert companions(own(), company(11), within_seconds=10, least=3) == []
    assert companions(own(), company(6), within_seconds=10, least=4) == []


def test_who_waits_at_the_same_light_every_morning_is_none() -> None:
    assert (
        companions(
            own("aaa"),
            {"a": [stop("a", 10 * index + 0.1, "皖C77777") for index in range(3)]},
            within_seconds=10,
            least=1,
        )
        == []
    )


def test_a_plate_that_was_read_twice_is_met_once_and_the_vehicle_never_meets_itself() -> None:
    others = company(6)
    for place, index in (("a", 0), ("b", 1)):
        others[place] += [stop(place, 10 * index + 0.05, "皖C77777"), stop(place, 10 * index), stop(place, 0, "")]
    (found,) = companions(own(), others, within_seconds=10, least=2)
    assert [meeting.seconds for meeting in found.meetings] == [3, 3, 6], "the nearest in time counts"


def test_the_most_often_met_come_first() -> None:
    others = company(6)
    others["a"].append(stop("a", 0.01, "皖B00001"))
    others["b"].append(stop("b", 10.01, "皖B00001"))
    assert [one.plate for one in companions(own(), others, within_seconds=10, least=2)] == ["皖C77777", "皖B00001"]


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90))
def test_distances_are_the_same_both_ways_and_never_more_than_half_the_globe(
    a: float, b: float, c: float, d: float
) -> None:
    there, back = (
        kilometres(stop("x", 0, at=(a, b)), stop("y", 0, at=(c, d))),
        kilometres(stop("y", 0, at=(c, d)), stop("x", 0, at=(a, b))),
    )
    assert there is not None
    assert back is not None
    assert abs(there - back) < 1e-6
    assert 0 <= there <= 20_016
