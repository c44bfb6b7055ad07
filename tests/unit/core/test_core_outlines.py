"""Which area a place lies in: by its border, never by more than the borders above it, never by one of two that claim
it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.intake.born import placed
from safecity.core.ground.places.outline import LINE_POINTS, Borders, Outline, along
from safecity.kit.errors import InvalidError
from safecity.model.facts.envelope import Event


def box(west: float, south: float, east: float, north: float) -> tuple[tuple[float, float], ...]:
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def square(west: float, south: float, east: float, north: float) -> Outline:
    return Outline(((box(west, south, east, north),),))


CITY, EAST, WEST = "/34/3402/", "/34/3402/340203/", "/34/3402/340202/"
TOWN = Borders(((CITY, square(0, 0, 10, 10)), (WEST, square(0, 0, 5, 10)), (EAST, square(5, 0, 10, 10))))


@pytest.mark.parametrize(("place", "path"), [((2, 2), WEST), ((7, 2), EAST), ((12, 2), None), ((2, -0.001), None)])
def test_a_place_lies_in_the_smallest_area_that_holds_it(place: tuple[float, float], path: str | None) -> None:
    assert TOWN.area_at(*place) == path


def test_what_two_areas_claim_lies_in_what_is_above_both() -> None:
    greedy = Borders((*TOWN.drawn[:2], (EAST, square(4, 0, 10, 10))))
    assert greedy.area_at(4.5, 2) == CITY
    assert Borders((("/34/", square(0, 0, 5, 5)), ("/35/", square(4, 0, 9, 5)))).area_at(4.5, 2) == "/"


def test_nobody_reaches_beyond_the_border_of_those_above_them() -> None:
    far = Borders((*TOWN.drawn[:2], (EAST, square(5, 0, 99, 10)), ("/35/", square(20, 0, 99, 10))))
    assert far.area_at(7, 2) == EAST
    assert far.area_at(15, 2) is None
    assert far.area_at(30, 2) == "/35/"


def test_holes_and_islands_belong_to_whom_the_map_says() -> None:
    ring = Outline(((box(0, 0, 10, 10), box(4, 4, 6, 6)), (box(20, 0, 21, 1),)))
    assert [ring.holds(*place) for place in ((1, 1), (5, 5), (20.5, 0.5), (15, 0.5))] == [True, False, True, False]


@pytest.mark.parametrize(
    ("polygons", "code"),
    [
        ((), "outline_rings"), (((),), "outline_rings"),
        (((((0, 0), (1, 0), (1, 1)),),), "outline_open"), (((((0, 0), (1, 0), (1, 1), (0, 1)),),), "outline_open"),
        (((((0, 0), (1, 0), (0, 0), (0, 0)),),), "outline_flat"), (((box(0, 0, 200, 1),),), "outline_place"),
        (((box(0, 0, float("nan"), 1),),), "outline_place"),
        ((((*(((n % 7, n % 5)) for n in range(20_000)), (0, 0)),),), "outline_points"),
    ],
)  # fmt: skip
def test_what_is_no_border_is_refused_with_the_reason(polygons: tuple, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Outline(polygons)
    assert refused.value.code == code


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=30), st.floats(-1, 2), st.floats(-1, 2)
)
def test_of_whatever_shape_the_rest_of_the_world_is_outside(
    corners: list[tuple[float, float]], longitude: float, latitude: float
) -> None:
    if len(set(corners)) < 3:
        return
    outline = Outline((((*corners, corners[0]),),))
    if not (0 <= longitude <= 1 and 0 <= latitude <= 1):
        assert not outline.holds(longitude, latitude)


def test_a_line_that_only_crosses_a_district_is_found_to_lie_in_it_too() -> None:
    narrow = Borders(
        (("/34/01/", square(0, 0, 4, 1)), ("/34/02/", square(4, 0, 4.2, 1)), ("/34/03/", square(4.2, 0, 9, 1)))
    )
    assert narrow.areas_of(((1, 0.5), (8, 0.5))) == ["/34/01/", "/34/02/", "/34/03/"]
    assert narrow.areas_of(((1, 0.5),)) == ["/34/01/"]
    assert len(along([(0, 0), (1, 0), (1, 9)])) <= LINE_POINTS


def test_a_fact_about_a_road_is_born_where_its_place_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.core.ground.intake.born.borders", lambda _: TOWN)
    for module in ("channels", "devices"):
        monkeypatch.setattr(f"safecity.core.ground.intake.born.{module}.find_many", lambda *_: {})
    told = [
        Event(kind=kind, subject="x", at=1, seen=1, area=area, body=body)
        for kind, area, body in (
            ("traffic.incident_began", "", {"longitude": 7, "latitude": 2.0}),
            ("traffic.jam_began", "", {"longitude": 70, "latitude": 2.0}),
            ("traffic.jam_ended", "", {}),
            ("traffic.jam_began", "/9/", {"longitude": 7, "latitude": 2}),
            ("alarm.raised", "", {"longitude": 7, "latitude": 2}),
        )
    ]
    assert [one.area for one in placed(None, told)] == [EAST, "/", "/", "/9/", ""]  # pyright: ignore[reportArgumentType]
