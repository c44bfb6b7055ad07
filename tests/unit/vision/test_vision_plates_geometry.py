"""Corners, strips and boxes: what is straightened is the plate, and the box of a sign lies on it in the picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError
from safecity.ports.inference import NetworkInfo, Tensor
from safecity.vision.arrays import array, tensor
from safecity.vision.plates.alphabet import KINDS, SIGN_INDEX, SIGNS
from safecity.vision.plates.locator import CELL, QUICKLY, WELL, Found, Locator
from safecity.vision.plates.reader import Reader
from safecity.vision.plates.recognise import PlateRecogniser, check_picture
from safecity.vision.plates.straighten import HEIGHT, WIDTH, straighten

TILTED = np.array([[100, 80], [300, 110], [296, 178], [98, 144]], np.float32)

CLOSER = {(look.wide, look.high) for look in (*WELL, *QUICKLY)}  # of what shows a plate alone


def striped(corners: NDArray[np.float32], bands: int, upright: bool) -> NDArray[np.uint8]:
    """A picture with a plate at `corners` that consists of grey bands, dark to light."""
    flat = np.zeros((100, 300, 3), np.uint8)
    for band in range(bands):
        tone = 40 + 200 * band // bands
        if upright:
            flat[:, 300 * band // bands : 300 * (band + 1) // bands] = tone
        else:
            flat[100 * band // bands : 100 * (band + 1) // bands] = tone
    picture = np.zeros((240, 400, 3), np.uint8)
    move = cv2.getPerspectiveTransform(np.array([[0, 0], [300, 0], [300, 100], [0, 100]], np.float32), corners)
    return np.asarray(cv2.warpPerspective(flat, move, (400, 240), dst=picture), np.uint8)


def test_a_tilted_plate_becomes_straight() -> None:
    strip = straighten(striped(TILTED, 8, upright=True), TILTED)
    assert strip.shape == (HEIGHT, WIDTH, 3)
    inner = strip[8:-8, :, 0].astype(int)
    assert np.abs(inner - inner[len(inner) // 2]).max(0).mean() < 12, "every row shows the same bands"
    assert (np.diff(inner.mean(0)[8:-8]) > -6).all(), "dark to light, left to right"


def test_two_lines_lie_side_by_side_the_upper_one_first() -> None:
    strip = straighten(striped(TILTED, 2, upright=False), TILTED, two_lines=True)
    assert strip[12:20, 5:55].mean() < 60, "the upper half of the plate is dark"
    assert strip[16:30, 70:150].mean() > 120, "and its lower half is light"


class Said:
    """A network that gives what the test says."""

    def __init__(self, name: str, answer: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        self.info = NetworkInfo(name, "0" * 64, (), ())
        self.answer = dict(answer or {})
        self.asked: list[tuple[int, ...]] = []

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        (given,) = inputs.values()
        self.asked.append(given.shape)
        return {name: tensor(one) for name, one in self.answer.items()}


class Pointing(Said):
    """A locator that knows where the plates of the whole picture are, in the picture's own pixels; closer looks show it
    nothing, or (`confirms`) a plate in their middle."""

    def __init__(
        self, plates: list[NDArray[np.float32]], size: tuple[int, int], score: float = 6.0, *, confirms: bool = False
    ) -> None:
        super().__init__("pointing")
        self._plates, self._size, self._score, self._confirms = plates, size, score, confirms

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        (given,) = inputs.values()
        self.asked.append(given.shape)
        count, _, height, width = given.shape
        scores = np.full((count, 1, height // CELL, width // CELL), -9, np.float32)
        corners = np.zeros((count, 8, height // CELL, width // CELL), np.float32)
        shown, scale = self._plates, width / self._size[0]
        if (width, height) in CLOSER:
            look = next(one for one in (*QUICKLY, *WELL) if (one.wide, one.high) == (width, height))
            left, right, y = (width - look.plate) / 2, (width + look.plate) / 2, height / 2
            middle = np.array([[left, y - 8], [right, y - 8], [right, y + 8], [left, y + 8]], np.float32)
            shown, scale = [middle] if self._confirms else [], 1.0
        for plate in shown:
            column, row = (plate.mean(0) * scale // CELL).astype(int)
            for place, weight in ((column, 0.0), (column + 1, -0.4)):
                scores[:, 0, row, place] = self._score + weight
                centre = np.array([place * CELL + CELL / 2, row * CELL + CELL / 2])
                corners[:, :, row, place] = ((plate * scale - centre) / CELL).reshape(8)
        return {"scores": tensor(scores), "corners": tensor(corners)}


def test_corners_come_back_in_the_pixels_of_the_picture() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    found = Locator(Pointing([TILTED], (640, 480), score=2.0)).find(picture, (640, 320), 0.5)
    assert len(found) == 1, "two sizes and two cells mean one plate"
    assert np.abs(found[0].corners - TILTED).max() < 0.1
    assert found[0].tilt_degrees == pytest.approx(9.2, abs=0.5)


@pytest.mark.parametrize(
    ("score", "larger", "wholes"),
    [(6.0, 1, [(384, 640)]), (2.0, 1, [(384, 640), (192, 320)]), (6.0, 3, [(384, 640), (192, 320)])],
)
def test_larger_plates_are_looked_for_where_none_is_plain_to_see_or_there_is_room_for_more(
    score: float, larger: int, wholes: list[tuple[int, int]]
) -> None:
    plate = TILTED * larger
    pointing = Pointing([plate], (640 * larger, 380 * larger), score)
    (found,) = Locator(pointing).find(np.zeros((380 * larger, 640 * larger, 3), np.uint8), (640, 320), 0.5)
    assert np.abs(found.corners - plate).max() < 0.1 * larger
    assert [shape[2:] for shape in pointing.asked if shape[:1:-1] not in CLOSER] == wholes


def test_what_a_closer_look_does_not_see_is_a_plate_in_a_still_and_none_in_a_frame_of_a_film() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    (found,) = Locator(Pointing([TILTED], (640, 480))).find(picture, (640,), 0.5, WELL)
    assert np.abs(found.corners - TILTED).max() < 0.1
    pointing = Pointing([TILTED], (640, 480))
    assert Locator(pointing).find(picture, (640,), 0.5, QUICKLY) == []
    assert len(pointing.asked) == 2, "and nobody looks at it once more"
    seen = Pointing([TILTED], (640, 480), confirms=True)
    (found,) = Locator(seen).find(picture, (640,), 0.5, QUICKLY)
    assert np.abs(found.corners.mean(0) - TILTED.mean(0)).max() < 1
    assert len(seen.asked) == 3


@pytest.mark.parametrize("rough", [True, False])
def test_what_comes_upon_a_plate_that_was_left_out_is_left_out_with_it(rough: bool) -> None:
    """Finds that are apart at first sight move on to one plate when they are looked at closely."""

    class Moving(Pointing):
        def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
            answer = super().run(inputs)
            count, _, height, width = self.asked[-1]
            if (width, height) in CLOSER and count == 1:  # what is looked at when the other one was left out
                moved = array(answer["corners"]).copy()
                moved[:, ::2] -= 20 / CELL
                answer["corners"] = tensor(moved)
            return answer

    def known(found: Found, is_rough: bool) -> bool:
        return is_rough is rough and found.corners[:, 0].mean() < 250

    moving = Moving([TILTED, TILTED + np.array([110, 0], np.float32)], (640, 480), confirms=True)
    picture = np.zeros((480, 640, 3), np.uint8)
    assert len(Locator(moving).find(picture, (640,), 0.5, QUICKLY)) == 2
    assert Locator(moving).find(picture, (640,), 0.5, QUICKLY, known) == []


def test_the_network_is_shown_numbers_from_minus_one_to_one_by_channel() -> None:
    shown: list[NDArray[np.float32]] = []

    class Watching(Pointing):
        def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
            shown.append(array(inputs["pictures"]).copy())
            return super().run(inputs)

    picture = np.zeros((96, 640, 3), np.uint8)
    picture[..., 1], picture[..., 2] = 128, 255
    Locator(Watching([], (640, 96))).find(picture, (640,), 0.5)
    assert [shown[0][0, channel].mean() for channel in range(3)] == [-1.0, 0.0, pytest.approx(127 / 128)]


def test_two_plates_are_two() -> None:
    other = TILTED + np.array([250, 200], np.float32)
    found = Locator(Pointing([TILTED, other], (640, 480))).find(np.zeros((480, 640, 3), np.uint8), (640,), 0.5)
    assert len(found) == 2


def test_what_is_scored_too_low_is_not_found() -> None:
    pointing = Pointing([TILTED], (640, 480), score=-1.0)
    assert Locator(pointing).find(np.zeros((480, 640, 3), np.uint8), (640,), 0.5) == []
    assert len(pointing.asked) == 1, "nothing to look at closely"


@pytest.mark.parametrize("size", [(1, 1), (3, 4000), (1081, 1921), (480, 640)])
def test_pictures_of_any_size_are_looked_at(size: tuple[int, int]) -> None:
    pointing = Pointing([], size)
    assert Locator(pointing).find(np.zeros((*size, 3), np.uint8), (640, 320), 0.5) == []
    assert all(height % 16 == 0 and width % 16 == 0 for _, _, height, width in pointing.asked)


@pytest.mark.parametrize(("text", "looks"), [("皖A12345", [1, 2]), ("皖A12", [1])])
def test_what_shows_too_few_signs_for_a_plate_is_not_looked_at_again(text: str, looks: list[int]) -> None:
    class Many(Said):
        def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
            (given,) = inputs.values()
            self.answer = saying(text, given.shape[0]).answer
            return super().run(inputs)

    network = Many("many")
    (read,) = Reader(network).read([[np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 3])
    assert read is not None
    assert read.reading.text == text
    assert [shape[0] for shape in network.asked] == looks


def saying(text: str, strips: int = 1) -> Said:
    signs = np.full((strips, 40, len(SIGNS) + 1), -12, np.float32)
    signs[:, :, 0] = 0
    for place, sign in enumerate(text):
        signs[:, 2 + 5 * place : 4 + 5 * place, SIGN_INDEX[sign]] = 8
    kinds = np.zeros((strips, len(KINDS)), np.float32)
    kinds[:, KINDS.index(KINDS[0])] = 9
    return Said("saying", {"signs": signs, "kinds": kinds})


def test_the_box_of_a_sign_lies_on_the_plate_where_the_sign_is() -> None:
    reader = Reader(saying("皖A12345"))
    recogniser = PlateRecogniser(Locator(Pointing([], (400, 240))), reader)
    (read,) = recogniser.read(np.zeros((240, 400, 3), np.uint8), [Found(TILTED, 0.9)])
    assert (read.text, read.lines, read.doubtful) == ("皖A12345", 1, False)
    middles = np.array([sign.corners.mean(0) for sign in read.signs])
    assert (np.diff(middles[:, 0]) > 10).all(), "from left to right"
    assert (np.diff(middles[:, 1]) > 0).all(), "and along the tilt"
    assert all(cv2.pointPolygonTest(TILTED.reshape(-1, 1, 2), tuple(map(float, one)), False) > 0 for one in middles)


def test_a_plate_on_which_nothing_is_read_is_reported_as_doubtful() -> None:
    recogniser = PlateRecogniser(Locator(Pointing([], (400, 240))), Reader(saying("")))
    (read,) = recogniser.read(np.zeros((240, 400, 3), np.uint8), [Found(TILTED, 0.9)])
    assert (read.text, read.kind, read.confidence, read.doubtful) == ("", None, 0.0, True)


def test_a_plate_that_could_have_two_lines_is_read_both_ways() -> None:
    square = np.array([[10, 10], [110, 10], [110, 60], [10, 60]], np.float32)
    network = saying("皖A12345", strips=2)
    PlateRecogniser(Locator(Pointing([], (400, 240))), Reader(network)).read(
        np.zeros((240, 400, 3), np.uint8), [Found(square, 0.9)]
    )
    assert network.asked == [(2, 3, HEIGHT, WIDTH)]


@pytest.mark.parametrize("shape", [(0, 10, 3), (10, 0, 3), (10, 10), (10, 10, 4), (9000, 9000, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidError):
        check_picture(np.broadcast_to(np.uint8(0), shape))  # type: ignore[arg-type]
