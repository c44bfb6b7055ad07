"""One camera's pictures into vehicles: when they are told, from when to when, and with which pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.unit.vision.plate_film import Scripted, read

from safecity.backends.calls import MAX_FRAME
from safecity.kit.clock import SECOND_US
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.plates.watching import LOOKS_SHARE, Passed, PlateWatch

NOON_US = 1_790_000_000 * SECOND_US
STEP_US = SECOND_US // 5


class Road:
    """A watch before which the test drives vehicles."""

    def __init__(self) -> None:
        self.now: Sequence[PlateRead] = ()
        self.watch = PlateWatch(cast("Any", Scripted(lambda _: self.now)))
        self.at = NOON_US
        self.picture: NDArray[np.uint8] = np.full((180, 320, 3), 90, np.uint8)

    def show(self, *reads: PlateRead) -> list[Passed]:
        self.now = reads
        self.at += STEP_US
        return self.watch.look(self.at, self.picture.copy())


def plates(passed: Sequence[Passed]) -> list[str]:
    return [one.seen.text for one in passed]


def test_a_clock_that_is_set_back_ends_what_was_in_sight_at_its_own_time() -> None:
    road = Road()
    road.show(read("皖A12345"))
    road.show(read("皖A12345", x=130))
    seen_at = road.at
    road.at -= 3600 * SECOND_US
    assert plates(passed := road.show(read("京B77345"))) == ["皖A12345"], "at once, not in an hour"
    assert passed[0].last == seen_at
    road.show()
    for _ in range(10):
        if passed := road.show():
            break
    assert plates(passed) == ["京B77345"], "and the next one after the usual time"
    assert passed[0].last < seen_at - 3000 * SECOND_US


def test_another_size_of_picture_ends_what_was_in_sight_with_the_size_it_was_seen_in() -> None:
    road = Road()
    road.show(read("皖A12345"))
    road.picture = np.full((90, 160, 3), 90, np.uint8)
    passed = road.show(read("皖A12345", x=50))
    assert [(one.seen.text, one.size) for one in passed] == [("皖A12345", (320, 180))]
    assert [one.size for one in road.watch.end()] == [(160, 90)]


def test_pictures_of_vehicles_in_sight_are_kept_up_to_a_size_and_the_rest_is_counted() -> None:
    road = Road()
    road.watch.max_kept_bytes = 3 * road.picture.nbytes
    crowd = [f"皖A1234{number}" for number in range(6)]
    for number in range(6):  # each is seen best in a picture of its own
        road.show(
            *(read(text, 0.99 if which == number else 0.9, x=100 + 300 * which) for which, text in enumerate(crowd))
        )
    passed = road.watch.end()
    assert sorted(plates(passed)) == crowd, "none is forgotten for want of a picture"
    assert [bool(one.scene) for one in passed] == [False] * 3 + [True] * 3, "the oldest went"
    assert road.watch.unpictured == 3
    assert road.watch._tracks.max_looks_bytes == round(3 * road.picture.nbytes * LOOKS_SHARE), "and looks likewise"


def test_the_newest_picture_is_kept_whatever_its_size() -> None:
    road = Road()
    road.watch.max_kept_bytes = 1
    road.show(read("皖A12345"))
    assert all(one.scene and one.plate for one in road.watch.end())


def test_what_is_told_of_a_vehicle_fits_into_one_call() -> None:
    road = Road()
    noise = np.random.default_rng(1).integers(0, 255, (620, 1100, 3))
    road.picture = noise.astype(np.uint8)  # what a JPEG cannot make small
    near = read("皖A12345")
    near.corners[:] = [[100, 130], [1000, 130], [1000, 490], [100, 490]]
    road.show(near)
    (passed,) = road.watch.end()
    assert 300_000 < len(passed.scene) + len(passed.plate) < MAX_FRAME - 64 * 1024
    for data in (passed.scene, passed.plate):
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[2] == 3


def test_what_goes_nowhere_is_no_vehicle_and_counted() -> None:
    road = Road()
    for _ in range(3):
        road.show(read("SHOP24H", 0.5))
    assert road.watch.end() == []
    assert road.watch.left_out == 1
