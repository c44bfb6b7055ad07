"""A camera that reads plates and knows the road: an offence comes with the pictures that were taken at its moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.vision.plate_film import Scripted, read

from safecity.kit.clock import SECOND_US
from safecity.vision.enforcement.lights import GREEN, RED, Lights
from safecity.vision.enforcement.scene import Exit, Lane, Scene, StopLine, Zone
from safecity.vision.enforcement.watching import Caught, SceneWatch, vehicle_box
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.plates.watching import PlateWatch

NOON_US = 1_790_000_000 * SECOND_US
SIZE = (1280, 720)
STEP = SECOND_US // 8
LAMPS = {RED: (0.9, 0.1, 0.92, 0.14), GREEN: (0.9, 0.16, 0.92, 0.2)}


def scene(**more: Any) -> Scene:
    """A lane that comes towards the camera's far side: feet go up in the picture."""
    values: dict[str, Any] = {
        "lanes": (
            Lane(
                number=2, area=((0.3, 0.5), (0.7, 0.5), (0.7, 1.0), (0.3, 1.0)), heading=(0.0, -1.0),
                signals={"straight": "s"},
            ),
        ),
        "stop_lines": (StopLine(start=(0.1, 0.5), end=(0.9, 0.5)),),
        "exits": (Exit(turn="straight", area=((0.3, 0.0), (0.7, 0.0), (0.7, 0.3), (0.3, 0.3))),),
        "zones": (Zone(name="bus stop", area=((0.75, 0.5), (1.0, 0.5), (1.0, 1.0), (0.75, 1.0)), seconds=12),),
        "clock_error_ms": 100, **more,
    }  # fmt: skip
    return Scene(**values)


class Camera:
    """Pictures say when they were taken: their grey is the number of the picture."""

    def __init__(self, drawn: Scene | None = None) -> None:
        self.lights = Lights()
        self.reads: Sequence[PlateRead] = ()
        self.judge = SceneWatch(drawn or scene(), self.lights, lambda picture, _: bytes([picture[719, 0, 0]]) * 4)
        self.watch = PlateWatch(cast("Any", Scripted(lambda _: self.reads)), None, self.judge)
        self.at = NOON_US
        self.number = 0
        self.lamp = ""

    def show(self, *reads: PlateRead, step: int = STEP, car: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        self.reads = reads
        self.at += step
        self.number += 1
        picture: NDArray[np.uint8] = np.full((720, 1280, 3), self.number % 200, np.uint8)
        for colour, region in LAMPS.items():
            left, top, right, bottom = (
                round(share * side) for share, side in zip(region, SIZE * 2, strict=True)
            )  # fmt: skip
            lit = (40, 40, 240) if colour == RED else (160, 230, 60)
            picture[top:bottom, left:right] = lit if colour == self.lamp else 20
        picture[car[1] : car[3], car[0] : car[2]] = (40, 40, 230)
        self.watch.look(self.at, picture)

    def drives(self, plate: str = "皖A12345", steps: int = 26, x: float = 600.0) -> None:
        """From before the line to the other side; the plate is 80 pixels wide."""
        for number in range(steps):
            self.show(read(plate, x=x, y=600.0 - 20 * number))

    def leaves(self, seconds: float = 8.0) -> list[Caught]:
        for _ in range(round(seconds * 8)):
            self.show()
        return self.watch.caught()


def test_a_red_light_comes_with_three_pictures_of_its_moments_and_the_plate() -> None:
    camera = Camera()
    camera.lights.say("s", NOON_US - SECOND_US, RED)
    camera.drives()
    (one,) = camera.leaves()
    assert (one.offence.kind, one.plate, one.offence.lane, one.offence.light) == ("red_light", "皖A12345", 2, RED)
    assert len(one.shown) == 3
    for sight, picture in one.shown:
        assert picture == bytes([(sight.at - NOON_US) // STEP]) * 4, "the picture of that moment and of no other"
        assert 0 <= sight.box[0] < sight.box[2] <= 1
    assert one.crop


def test_the_evidence_shows_where_all_of_the_vehicle_was_and_not_only_what_its_plate_says() -> None:
    camera = Camera()
    camera.lights.say("s", NOON_US - SECOND_US, RED)
    for _ in range(4):
        camera.show()
    cars = [(540, 500 - 20 * number, 740, 660 - 20 * number) for number in range(26)]
    for number, car in enumerate(cars):
        camera.show(read("皖A12345", x=600.0, y=600.0 - 20 * number), car=car)
    (one,) = camera.leaves()
    for sight, picture in one.shown:
        car = cars[picture[0] - 5]
        true = [edge / side for edge, side in zip(car, SIZE * 2, strict=True)]
        assert sight.box == pytest.approx(true, abs=0.03)


def test_green_is_no_offence_and_neither_is_what_nobody_knows() -> None:
    for said in (GREEN, ""):
        camera = Camera()
        if said:
            camera.lights.say("s", NOON_US - SECOND_US, said)
        camera.drives()
        assert camera.leaves() == []


def test_a_word_of_the_controller_that_comes_seconds_late_still_counts() -> None:
    camera = Camera()
    camera.drives()
    assert camera.leaves(3) == []
    camera.lights.say("s", NOON_US - SECOND_US, RED)
    assert [one.offence.kind for one in camera.leaves(5)] == ["red_light"]


@pytest.mark.parametrize("lamp", [RED, GREEN])
def test_lamps_in_the_picture_say_it_where_no_controller_does(lamp: str) -> None:
    camera = Camera(scene(lamps={"s": LAMPS}))
    camera.lamp = lamp
    for _ in range(12):
        camera.show()
    camera.drives()
    found = camera.leaves()
    assert [(one.offence.kind, one.offence.light_source) for one in found] == (
        [("red_light", "lamps")] if lamp == RED else []
    )


def test_lamps_that_nobody_looked_at_meanwhile_prove_nothing() -> None:
    camera = Camera(scene(lamps={"s": LAMPS}))
    camera.lamp = RED
    for _ in range(12):
        camera.show()
    for number in range(26):  # two seconds are missing where it drives over the line
        camera.show(read("皖A12345", x=600.0, y=600.0 - 20 * number), step=2 * SECOND_US if number == 16 else STEP)
    assert camera.leaves() == []


def test_who_stands_too_long_is_shown_at_both_ends_of_it() -> None:
    camera = Camera()
    for _ in range(15):
        camera.show(read("皖A54321", x=1100.0, y=500.0), step=SECOND_US)
    (one,) = camera.leaves()
    assert (one.offence.kind, len(one.shown)) == ("illegal_stop", 2)
    assert one.shown[-1][0].at - one.shown[0][0].at >= 10 * SECOND_US


def test_who_goes_on_standing_is_told_while_it_stands_and_only_once() -> None:
    camera = Camera()
    told: list[int] = []
    for number in range(40):
        camera.show(read("皖A54321", x=1100.0, y=500.0), step=SECOND_US)
        told += [number for _ in camera.watch.caught()]
    assert len(told) == 1
    assert 12 <= told[0] <= 18, "once its time is over, and not when it leaves hours later"
    assert camera.leaves() == []


def test_what_is_in_sight_when_the_stream_ends_is_judged_too_and_two_vehicles_are_two() -> None:
    camera = Camera()
    camera.lights.say("s", NOON_US - SECOND_US, RED)
    for number in range(26):
        camera.show(read("皖A12345", x=500.0, y=600.0 - 20 * number), read("皖B67890", x=700.0, y=600.0 - 20 * number))
    camera.watch.end()
    assert sorted(one.plate for one in camera.watch.caught()) == ["皖A12345", "皖B67890"]
    assert camera.watch.caught() == []


def test_pictures_that_would_prove_something_are_kept_up_to_a_size_the_newest_ones() -> None:
    camera = Camera()
    camera.judge.max_bytes = 4 * 10  # ten of them
    camera.drives()
    assert list(camera.judge._frames) == [camera.at - STEP * back for back in range(9, -1, -1)]


def test_without_a_scene_nothing_is_kept_and_nothing_judged() -> None:
    watch = PlateWatch(cast("Any", Scripted(lambda _: [read("皖A12345")])))
    watch.look(NOON_US, np.zeros((180, 320, 3), np.uint8))
    (passed,) = watch.end()
    assert (passed.seen.way, watch.caught()) == ((), [])


def test_a_vehicle_lies_about_its_plate_and_within_the_picture() -> None:
    assert vehicle_box([[600, 500], [680, 500], [680, 525], [600, 525]], SIZE) == pytest.approx(
        (480 / 1280, 301 / 720, 800 / 1280, 573 / 720)
    )
    left, top, right, bottom = vehicle_box([[0, 0], [80, 0], [80, 25], [0, 25]], SIZE)
    assert (left, top) == (0, 0)
    assert 0 < right <= 1
    assert 0 < bottom <= 1
