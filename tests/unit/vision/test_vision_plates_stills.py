"""Which of several readings of a plate is told, and when a still is looked at a second time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from safecity.vision.plates.alphabet import PlateKind
from safecity.vision.plates.grammar import Reading
from safecity.vision.plates.locator import Found
from safecity.vision.plates.reader import StripReading
from safecity.vision.plates.recognise import PlateRecogniser
from safecity.vision.plates.straighten import HEIGHT, WIDTH

PICTURE = np.zeros((900, 1600, 3), np.uint8)
NEAR, FAR = (300.0, 400.0), (1200.0, 100.0)


def plate(at: tuple[float, float], wide: float = 100, high: float = 30, score: float = 0.9) -> Found:
    x, y = at
    corners = [[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]]
    return Found(np.array(corners, np.float32), score)


def reading(text: str, sure: float, kind: PlateKind = PlateKind.CN_BLUE, pattern: str | None = "P") -> StripReading:
    """As a strip would be read; `sure` is of the whole text."""
    each = sure ** (1 / len(text))
    said = Reading(text, (each,) * len(text), tuple(range(len(text))), kind, 0.0, pattern)
    boxes = tuple((place * 10.0, place * 10.0 + 8) for place in range(len(text)))
    return StripReading(said, boxes, ())


class Eyes:
    """A locator and a reader that say what they are told to: found by size, read one after the other."""

    info = None

    def __init__(self, found: dict[int, list[Found]], read: Sequence[StripReading | None]) -> None:
        self._found, self._read = found, list(read)
        self.sizes: list[int] = []
        self.strips = 0

    def find(self, _picture: Any, sizes: Sequence[int], _least: float) -> list[Found]:
        self.sizes += sizes
        return [one for size in sizes for one in self._found.get(size, ())]

    def read(self, strips: Sequence[Sequence[Any]], _countries: frozenset[str]) -> list[StripReading | None]:
        self.strips += len(strips)
        assert all(one.shape == (HEIGHT, WIDTH, 3) for views in strips for one in views)
        answer, self._read = self._read[: len(strips)], self._read[len(strips) :]
        return answer


def recogniser(eyes: Eyes, *countries: str) -> PlateRecogniser:
    both: Any = eyes
    return PlateRecogniser(both, both, countries=frozenset(countries or ("cn", "us", "eu", "br")))


def test_a_still_that_is_read_without_doubt_is_looked_at_once() -> None:
    eyes = Eyes({640: [plate(NEAR)]}, [reading("皖A12B45", 0.9)])
    (read,) = recogniser(eyes).still(PICTURE)
    assert (read.text, read.doubtful) == ("皖A12B45", False)
    assert eyes.sizes == [640, 320]


def test_a_doubtful_still_is_looked_at_closer_and_the_better_reading_told() -> None:
    eyes = Eyes(
        {640: [plate(NEAR)], 1280: [plate((NEAR[0] + 4, NEAR[1] + 1)), plate(FAR)]},
        [reading("皖A12845", 0.2), reading("皖A12B45", 0.9), reading("粤B95H1C", 0.8)],
    )
    reads = recogniser(eyes).still(PICTURE)
    assert [(one.text, one.doubtful) for one in reads] == [("皖A12B45", False), ("粤B95H1C", False)]


def test_a_closer_look_that_is_worse_changes_nothing() -> None:
    eyes = Eyes(
        {640: [plate(NEAR)], 1280: [plate(NEAR)]},
        [reading("皖A12B45", 0.3), reading("GX", 0.9, pattern=None)],
    )
    (read,) = recogniser(eyes).still(PICTURE)
    assert (read.text, read.doubtful) == ("皖A12B45", True)


def test_a_small_picture_has_nothing_more_to_show() -> None:
    eyes = Eyes({640: [plate(NEAR)]}, [reading("皖A12845", 0.2)])
    recogniser(eyes).still(PICTURE[:480, :640])
    assert eyes.sizes == [640, 320]


def blue_plate(found: Found) -> np.ndarray:
    """A picture in which the blue plate takes the middle three fifths of what was found."""
    picture = np.full((480, 640, 3), 150, np.uint8)
    (left, top), (right, bottom) = found.corners[0], found.corners[2]
    wide, high = 0.2 * (right - left), 0.2 * (bottom - top)
    picture[int(top + high) : int(bottom - high), int(left + wide) : int(right - wide)] = (170, 80, 25)
    return picture


def test_a_doubtful_plate_whose_frame_was_found_is_read_where_its_blue_ground_lies() -> None:
    frame = plate(NEAR, 150, 50)
    eyes = Eyes({640: [frame]}, [reading("A12B4", 0.9, pattern=None), reading("皖A12B45", 0.9)])
    (read,) = recogniser(eyes, "cn").still(blue_plate(frame))
    assert (read.text, read.doubtful) == ("皖A12B45", False)
    ((left, top), (right, bottom)) = read.corners[[0, 2]]
    assert abs(left - 330) <= 3
    assert abs(right - 420) <= 3
    assert abs(top - 410) <= 3
    assert abs(bottom - 440) <= 3


def test_a_look_at_the_ground_that_is_worse_changes_nothing() -> None:
    frame = plate(NEAR)
    eyes = Eyes({640: [frame]}, [reading("皖A12B45", 0.3), reading("A12B4", 0.9, pattern=None)])
    (read,) = recogniser(eyes, "cn").still(blue_plate(frame))
    assert (read.text, read.doubtful) == ("皖A12B45", True)
    assert np.array_equal(read.corners, frame.corners)


def test_a_plate_that_is_read_without_doubt_is_not_fitted_to_its_ground() -> None:
    frame = plate(NEAR)
    eyes = Eyes({640: [frame]}, [reading("皖A12B45", 0.9)])
    (read,) = recogniser(eyes, "cn").still(blue_plate(frame))
    assert (read.text, eyes.strips) == ("皖A12B45", 1)


def test_american_plates_are_not_cut_into_two_lines() -> None:
    high = plate(NEAR, 100, 50)
    eyes = Eyes({640: [high]}, [reading("5FEE732", 0.7, PlateKind.US)])
    (read,) = recogniser(eyes, "us").still(PICTURE)
    assert (read.text, read.lines, eyes.strips) == ("5FEE732", 1, 1)
    cut = reading("E", 0.9, PlateKind.US)
    eyes = Eyes({640: [high]}, [reading("5FEE732", 0.7, PlateKind.US), cut])
    (read,) = recogniser(eyes).still(PICTURE)
    assert (read.text, read.lines) == ("5FEE732", 1), "where other countries are expected, too"


def test_what_is_written_as_plates_are_goes_before_what_is_not() -> None:
    eyes = Eyes({640: [plate(NEAR, 100, 50)]}, [reading("皖A12B45", 0.3), reading("E", 0.9, pattern=None)])
    (read,) = recogniser(eyes, "cn").still(PICTURE[:480, :640])
    assert (read.text, read.lines) == ("皖A12B45", 1)
