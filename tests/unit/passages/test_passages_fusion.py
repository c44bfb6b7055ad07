"""What one vehicle left at one place is one passage; two vehicles stay two."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.core.ground.passages.decide import (
    MAX_SIGHTINGS,
    Sighting,
    Source,
    belongs,
    dated,
    merged,
    nearest,
    same_plate,
)
from safecity.kit.clock import SECOND_US

WINDOW = 4 * SECOND_US
NOON = 1_700_000_000 * SECOND_US


def seen(number: int, after: float = 0.0, **more: object) -> Sighting:
    at = NOON + round(after * SECOND_US)
    values: dict[str, object] = {"source": Source.CAMERA, "origin": "camera", "lane": 2, "at": at, "seen": at + 300_000}
    return Sighting(id=f"sg_{number}", reference=str(number), **{**values, **more})  # type: ignore[arg-type]


def groups(sightings: list[Sighting]) -> list[list[Sighting]]:
    """File them one by one, as the store does."""
    made: dict[str, list[Sighting]] = {}
    for one in sightings:
        name = nearest(one, made.items(), WINDOW) or one.id
        made.setdefault(name, []).append(one)
    return list(made.values())


def test_camera_reader_and_transponder_see_one_vehicle() -> None:
    camera = seen(1, 0.0, plate="皖A12B45", confidence=0.7, colour="white", speed_kmh=44.0)
    reader = seen(2, 0.8, source=Source.READER, origin="reader", plate="皖A12845", confidence=0.6, lane=None)
    tag = seen(3, 2.5, source=Source.TRANSPONDER, origin="antenna", plate="皖A12B45", lane=None, transponder="E200")
    for order in permutations([camera, reader, tag]):
        (passage,) = groups(list(order))
        told = merged(passage)
        assert told["plate"] == "皖A12B45"
        assert told["at"] == NOON
        assert (told["lane"], told["colour"], told["speed_kmh"], told["transponder"]) == (2, "white", 44.0, "E200")
        assert told["sources"] == {"camera", "reader", "transponder"}
        assert told["confidence"] == 0.7


def test_a_camera_that_reports_the_same_passage_ten_times_made_one() -> None:
    assert len(groups([seen(number, number * 0.3, plate="皖A12B45") for number in range(10)])) == 1
    assert len(groups([seen(number, number * 0.03) for number in range(10)])) == 1  # unread, within an echo


def test_two_vehicles_close_behind_one_another_stay_two() -> None:
    assert len(groups([seen(1, 0.0, plate="皖A12B45"), seen(2, 1.0, plate="皖C99999")])) == 2
    assert len(groups([seen(1, 0.0), seen(2, 1.2)])) == 2  # unread, the same lane of the same camera
    assert len(groups([seen(1, 0.0, lane=1), seen(2, 0.1, lane=2)])) == 2
    assert len(groups([seen(1, 0.0, plate="皖A12B45"), seen(2, 9.0, plate="皖A12B45")])) == 2  # it came round again


def test_an_unread_sight_joins_the_vehicle_that_another_source_read() -> None:
    read = seen(1, 0.0, plate="皖A12B45")
    blind = seen(2, 1.0, source=Source.LASER, origin="laser", speed_kmh=70.0)
    (passage,) = groups([blind, read])
    assert (merged(passage)["plate"], merged(passage)["speed_kmh"]) == ("皖A12B45", 70.0)
    far = replace(blind, lane=None, at=NOON + 3 * SECOND_US)
    assert len(groups([read, far])) == 2  # without a lane only what is very close in time


def test_a_straddling_vehicle_seen_by_two_lane_cameras_is_one() -> None:
    assert (
        len(groups([seen(1, 0.0, plate="皖A12B45", lane=1), seen(2, 0.2, plate="皖A12B45", lane=2, origin="b")])) == 1
    )


def test_the_passage_that_agrees_in_the_plate_goes_before_one_that_is_nearer() -> None:
    unread, read = [seen(1, 2.0, origin="a")], [seen(2, 0.0, plate="皖A12B45", origin="b")]
    new = seen(3, 1.9, plate="皖A12B45", origin="c")
    assert nearest(new, [("unread", unread), ("read", read)], WINDOW) == "read"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("皖A12B45", "皖A12B45", True),
        ("皖A12B45", "皖A12845", True),
        ("皖A12B45", "皖A1?B4?", True),
        ("皖A12B45", "皖A128S5", False),
        ("皖A12B45", "皖A12C45", False),
        ("皖A12B45", "皖A12B4", False),
        ("皖A12B45", "皖A???45", False),
    ],
)
def test_readings_that_can_be_of_one_plate(one: str, other: str, same: bool) -> None:
    assert same_plate(one, other) is same_plate(other, one) is same


def test_a_mad_device_cannot_make_one_passage_grow_for_ever() -> None:
    many = groups([seen(number, number * 0.001, plate="皖A12B45") for number in range(3 * MAX_SIGHTINGS)])
    assert [len(passage) for passage in many] == [MAX_SIGHTINGS] * 3


def test_a_clock_that_is_wrong_by_years_hides_nothing() -> None:
    assert dated(NOON - 3600 * SECOND_US, NOON) == (NOON - 3600 * SECOND_US, False)
    assert dated(NOON + 3600 * SECOND_US, NOON) == (NOON, True)
    assert dated(0, NOON) == (NOON, True)
    assert dated(None, NOON) == (NOON, True)
    sure, unsure = seen(1, 5.0, plate="x1"), seen(2, 4.0, plate="x1", clock_doubtful=True)
    assert merged([sure, unsure])["at"] == sure.at
    assert not merged([sure, unsure])["clock_doubtful"]


@given(st.integers(0, 2**32))
def test_traffic_that_is_told_in_any_order_gives_as_many_passages_as_vehicles(seed: int) -> None:
    dice = Random(seed)
    plates = [f"皖A{number:05d}" for number in (10000, 23333, 37777, 44444, 99999)]
    told: list[Sighting] = []
    for vehicle, plate in enumerate(plates):
        for origin in ("camera", "reader", "antenna"):
            after = vehicle * 1.0 + dice.uniform(0, 1.0)
            told.append(seen(len(told), after, plate=plate, origin=origin, lane=dice.choice([None, 1, 2])))
    dice.shuffle(told)
    assert sorted(merged(passage)["plate"] for passage in groups(told)) == plates
    assert all(belongs(one, passage, WINDOW) for passage in groups(told) for one in passage)
