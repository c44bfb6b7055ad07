"""Speeds out of pictures whose road is measured: what a camera above a street sees of a plate becomes km/h with an
uncertainty that holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError
from safecity.vision.enforcement.calibration import Calibration
from safecity.vision.enforcement.scene import Scene, read_scene, write_scene
from safecity.vision.enforcement.speed import PLATE_HEIGHT_M, Speed, homography, on_road, spot_speed

SIZE = (1920, 1080)
CAMERA_M = 6.0
FOCAL = 1800.0
DOWN = np.radians(14.0)
Way = list[tuple[float, NDArray[np.float64]]]


def seen(across: float, along: float, height: float = 0.0) -> tuple[float, float]:
    """Pixels of a point so many metres to the right of a camera, before it and above the road: the camera hangs 6 m
    high and looks down by 14 degrees."""
    x, y, z = across, CAMERA_M - height, along
    ahead, below = z * np.cos(DOWN) + y * np.sin(DOWN), y * np.cos(DOWN) - z * np.sin(DOWN)
    return SIZE[0] / 2 + FOCAL * x / ahead, SIZE[1] / 2 + FOCAL * below / ahead


def share(across: float, along: float) -> tuple[float, float]:
    x, y = seen(across, along)
    return x / SIZE[0], y / SIZE[1]


RECTANGLE = Calibration(
    corners=(share(-3.5, 18), share(3.5, 18), share(3.5, 38), share(-3.5, 38)), width_m=7, length_m=20,
    camera_height_m=CAMERA_M,
)  # fmt: skip


def way(
    kmh: float, *, looks: int = 10, towards: bool = True, aside: float = 0.0, plate: float = PLATE_HEIGHT_M,
    off: float = 0.0, late: float = 0.0, seed: int = 1,
) -> Way:  # fmt: skip
    """A vehicle from 40 m on, or from 15 m; `aside` metres a second to the right; the middle of its plate is found so
    many pixels off, and each picture is so many seconds late."""
    dice = np.random.default_rng(seed)
    found: Way = []
    for number in range(looks):
        at = number / 8
        along = 40 - kmh / 3.6 * at if towards else 15 + kmh / 3.6 * at
        across = -1.0 + aside * at
        (x, y), (right, _) = seen(across, along, plate), seen(across + 0.22, along, plate)
        half = right - x
        box = np.array([[-half, -half / 3], [half, -half / 3], [half, half / 3], [-half, half / 3]])
        found.append((at + abs(dice.normal(0, late)), box + np.array([x, y]) + dice.normal(0, off, 2)))
    return found


def told(*args: Any, calibration: Calibration = RECTANGLE, **more: Any) -> Speed:
    found = spot_speed(calibration, way(*args, **more), SIZE)
    assert found is not None
    return found


def test_a_homography_brings_the_corners_to_where_they_are_on_the_road() -> None:
    """By hand: a square of the picture that is one of the road, twice as large; and what lies between them."""
    square = np.array([[10.0, 10], [20, 10], [20, 20], [10, 20]])
    move = homography(square, np.array([[0.0, 0], [20, 0], [20, 20], [0, 20]]))
    assert on_road(move, np.array([[15.0, 15], [10, 20], [30, 10]])) == pytest.approx(
        np.array([[10.0, 10], [0, 20], [40, 0]])
    )
    seen_so = np.array(RECTANGLE.corners) * SIZE
    there = on_road(homography(seen_so, np.array(RECTANGLE.on_road)), np.array([seen(0, 28), seen(0, 60)]))
    assert there == pytest.approx(np.array([[3.5, 10.0], [3.5, 42.0]]))


@pytest.mark.parametrize("kmh", [18.0, 47.0, 90.0])
@pytest.mark.parametrize("towards", [True, False])
def test_who_drives_evenly_is_told_exactly_where_nothing_is_off(kmh: float, towards: bool) -> None:
    found = told(kmh, towards=towards)
    assert found.kmh == pytest.approx(kmh, abs=0.11)
    assert found.looks == 10
    assert found.metres == pytest.approx(kmh / 3.6 * 9 / 8, abs=0.2)
    assert 0.03 * kmh < found.uncertainty_kmh < 0.2 * kmh, "nobody knows how high the plate hangs"


def test_who_changes_lanes_is_as_fast_as_the_whole_way_they_go() -> None:
    assert told(36.0, aside=4.0).kmh == pytest.approx(np.hypot(10, 4) * 3.6, abs=0.2)


@pytest.mark.parametrize("plate", [0.3, 0.45, 0.9])
def test_a_plate_that_hangs_lower_or_higher_than_most_is_within_what_is_stated(plate: float) -> None:
    found = told(50.0, plate=plate)
    assert abs(found.kmh - 50) > 1, "it is seen further away than it is, or nearer"
    assert abs(found.kmh - 50) < 2 * found.uncertainty_kmh


def test_of_plates_and_drawings_that_are_off_as_they_are_two_uncertainties_hold_nineteen_of_twenty() -> None:
    dice = np.random.default_rng(7)
    off, sigma = list[float](), list[float]()
    for number in range(200):
        corners = np.array(RECTANGLE.corners) + dice.normal(0, 0.0015, (4, 2)) * [1, SIZE[0] / SIZE[1]]
        x, y, height = dice.normal(1, 0.01), dice.normal(1, 0.01), dice.normal(1, 0.05)
        drawn = Calibration(
            corners=tuple((float(a), float(b)) for a, b in corners), width_m=7 * x, length_m=20 * y,
            camera_height_m=CAMERA_M * height,
        )  # fmt: skip
        found = told(
            60.0, plate=max(dice.normal(0.6, 0.2), 0.1), off=1.0, late=0.02, looks=9, seed=number, calibration=drawn
        )
        off.append(found.kmh - 60)
        sigma.append(found.uncertainty_kmh)
    parts = np.abs(off) / np.array(sigma)
    assert abs(np.mean(off)) < 1
    assert (parts <= 2).mean() >= 0.93
    assert 0.6 < np.sqrt((parts**2).mean()) < 1.15, "neither boasting nor hiding"


def test_one_look_at_another_plate_changes_little() -> None:
    plain, wrong = way(50.0, off=0.5), way(50.0, off=0.5)
    at, box = wrong[8]
    wrong[8] = (at, box + np.array([0.0, 60.0]))
    one, other = spot_speed(RECTANGLE, plain, SIZE), spot_speed(RECTANGLE, wrong, SIZE)
    assert one is not None
    assert other is not None
    assert other.kmh == pytest.approx(one.kmh, abs=1.5)
    assert other.uncertainty_kmh >= one.uncertainty_kmh


def test_who_waited_at_a_light_is_as_fast_as_they_drove_past_and_who_brakes_has_no_one_speed() -> None:
    waits = [(number / 8 - 20, box) for number, (_, box) in enumerate(way(0.0, looks=160))]
    found = spot_speed(RECTANGLE, [*waits, *way(50.0, looks=10)], SIZE)
    assert found is None or found.kmh == pytest.approx(50, abs=3)
    driving = [(number / 8 - 20, box) for number, (_, box) in enumerate(way(0.0, looks=120))]
    past = spot_speed(RECTANGLE, [*driving, *way(50.0, looks=14)], SIZE)
    assert past is not None
    assert past.kmh == pytest.approx(50, abs=3), "what was long before does not count"
    brakes = [(at, way(50.0 - 10.8 * at, looks=round(at * 8) + 1)[-1][1]) for at in (each / 8 for each in range(17))]
    assert spot_speed(RECTANGLE, brakes, SIZE) is None


def test_what_is_known_worse_is_told_less_surely() -> None:
    usual = told(50.0).uncertainty_kmh
    assert told(50.0, looks=5).uncertainty_kmh > usual
    shaken = way(50.0, looks=6)
    shaken = [(at, box + np.array([0, 4.0 * (-1) ** number])) for number, (at, box) in enumerate(shaken)]
    disagreeing = spot_speed(RECTANGLE, shaken, SIZE)
    assert disagreeing is not None
    assert disagreeing.uncertainty_kmh > 1.1 * told(50.0, looks=6).uncertainty_kmh, "looks that do not agree"
    low = replace(RECTANGLE, camera_height_m=3.0)
    assert told(50.0, calibration=low).uncertainty_kmh > 1.5 * usual
    short = (share(-3.5, 18), share(3.5, 18), share(3.5, 21), share(-3.5, 21))
    assert told(50.0, calibration=replace(RECTANGLE, corners=short, length_m=3)).uncertainty_kmh > 1.2 * usual


def test_where_the_looks_do_not_tell_nothing_is_told() -> None:
    good = way(50.0)
    assert spot_speed(RECTANGLE, good[:3], SIZE) is None, "too few"
    assert spot_speed(RECTANGLE, way(0.0), SIZE) is None, "stands"
    assert spot_speed(RECTANGLE, way(9.0), SIZE) is None, "two metres and a half"
    assert spot_speed(RECTANGLE, [(0.5, box) for _, box in good], SIZE) is None, "all at once"
    assert spot_speed(RECTANGLE, [(at, box - np.array([0.0, 900.0])) for at, box in good], SIZE) is None, "in the sky"
    assert spot_speed(RECTANGLE, [(at, box * np.nan) for at, box in good], SIZE) is None
    tiny = (share(-3.5, 18), share(3.5, 18), share(3.5, 19), share(-3.5, 19))
    unsure = replace(RECTANGLE, corners=tiny, length_m=1.0, camera_height_m=2.5)
    assert spot_speed(unsure, good, SIZE) is None, "give or take a quarter and more"
    assert spot_speed(RECTANGLE, way(900.0, looks=8, towards=False), SIZE) is None, "no vehicle"


@pytest.mark.parametrize(
    ("corners", "code"),
    [
        (((0.3, 0.9), (0.6, 0.5), (0.6, 0.9), (0.3, 0.5)), "calibration_shape"),  # crosses itself
        (((0.3, 0.9), (0.7, 0.9), (0.5, 0.8), (0.4, 0.5)), "calibration_shape"),  # a corner points inwards
        (((0.3, 0.9), (0.5, 0.9), (0.7, 0.9), (0.5, 0.5)), "calibration_shape"),  # three on a line
        (((0.3, 0.9), (0.3, 0.9), (0.7, 0.5), (0.5, 0.5)), "calibration_shape"),  # two at one place
        (((0.3, 0.52), (0.4, 0.52), (0.4, 0.5), (0.3, 0.5)), "calibration_small"),
        (((0.3, 0.9), (0.31, 0.9), (0.31, 0.1), (0.3, 0.1)), "calibration_small"),  # a thin stripe
        (((0.3, 0.9), (0.7, 1.1), (0.6, 0.5), (0.4, 0.5)), "scene_invalid"),
        (((0.3, 0.9), (0.7, 0.9), (0.6, 0.5)), "scene_invalid"),
    ],
)
def test_what_is_no_rectangle_to_measure_by_is_refused(corners: Any, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        replace(RECTANGLE, corners=corners)
    assert refused.value.code == code


@pytest.mark.parametrize("wrong", [{"width_m": 0.0}, {"length_m": 500.0}, {"camera_height_m": 0.9}])
def test_sizes_that_no_road_has_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidError) as refused:
        replace(RECTANGLE, **wrong)
    assert (refused.value.code, refused.value.params["field"]) == ("scene_invalid", next(iter(wrong)))


def test_a_scene_keeps_its_rectangle_and_one_that_was_drawn_before_there_were_any_has_none() -> None:
    drawn = Scene(calibration=RECTANGLE)
    said = write_scene(drawn)
    assert read_scene(said) == drawn
    assert not drawn.judges
    del said["calibration"]
    assert read_scene(said).calibration is None
    with pytest.raises(InvalidError):
        read_scene({"calibration": {"corners": [[0, 0]], "width_m": "x"}})
