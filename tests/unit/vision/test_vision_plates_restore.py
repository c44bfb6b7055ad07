"""Plates that moved: what they could be without their blur is proposed beside what was read, never instead of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.vision.plate_film import Scripted, read
from tests.unit.vision.test_vision_plates_examples import EXAMPLES, TRUTH
from typer.testing import CliRunner

from safecity.backends.inference import OnnxInference
from safecity.cli.main import app
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.vision.pictures import load_picture
from safecity.vision.plates.locator import Found
from safecity.vision.plates.recognise import PlateRead, PlateRecogniser, open_recogniser
from safecity.vision.plates.restore import HEIGHT, PLATE_WIDTH, WIDTH, line, restore
from safecity.vision.plates.watching import Passed, PlateWatch

FILE = "cn_blue.jpg"


@pytest.fixture(scope="module")
def recogniser() -> PlateRecogniser:
    return open_recogniser(OnnxInference(), countries=frozenset({"cn"}))


def corners() -> NDArray[np.float32]:
    return np.array(TRUTH[FILE]["corners"], np.float32)


def moved(length: float, angle: float) -> NDArray[np.uint8]:
    """The example, blurred by so many pixels of a plate 120 pixels wide."""
    picture = load_picture((EXAMPLES / FILE).read_bytes())
    width = float(np.hypot(*(corners()[1] - corners()[0])))
    return cv2.filter2D(picture, -1, line(length * width / PLATE_WIDTH, angle)).astype(np.uint8)


@pytest.mark.parametrize(("length", "angle"), [(12, 0.0), (18, 90.0)])
def test_a_plate_that_nobody_can_read_for_its_blur_is_proposed(
    recogniser: PlateRecogniser, length: float, angle: float
) -> None:
    picture = moved(length, angle)
    (plain,) = recogniser.read(picture, [Found(corners(), 1.0)])
    assert plain.doubtful
    assert plain.text != TRUTH[FILE]["plate"]
    found = restore(recogniser, picture, corners())
    assert found is not None
    assert found.text == TRUTH[FILE]["plate"]
    assert found.angle == angle
    assert found.blur == pytest.approx(length / PLATE_WIDTH, abs=0.04)
    assert found.picture.shape == found.original.shape == (HEIGHT, WIDTH, 3)


def test_where_nothing_stands_nothing_is_proposed(recogniser: PlateRecogniser) -> None:
    grey = np.full((200, 400, 3), 120, np.uint8)
    square = np.array([[100, 80], [220, 80], [220, 118], [100, 118]], np.float32)
    assert restore(recogniser, grey, square) is None
    assert restore(recogniser, grey, square / 10) is None, "too small"
    assert restore(recogniser, grey, square * np.float32(np.nan)) is None
    assert restore(recogniser, grey, square + 5000) is None, "outside of the picture"


@pytest.mark.parametrize(("length", "angle"), [(4, 0), (7.5, 33), (20, -90), (1, 0)])
def test_a_motion_is_a_line_of_its_length_through_the_middle(length: float, angle: float) -> None:
    kernel = line(length, angle)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.shape[0] % 2 == 1
    rows, columns = np.indices(kernel.shape) - (kernel.shape[0] - 1) / 2
    assert abs((kernel * rows).sum()) < 0.01
    assert abs((kernel * columns).sum()) < 0.01
    along = columns * np.cos(np.radians(angle)) + rows * np.sin(np.radians(angle))
    assert np.sqrt((kernel * along**2).sum()) == pytest.approx(length / np.sqrt(12), rel=0.15, abs=0.4)


class Unsure(Scripted):
    """Reads this of whatever passes, and surely what was restored. What passes moves a little each time."""

    def __init__(self, text: str, sure: float) -> None:
        self.seen = 0
        super().__init__(self.passing)
        self.text, self.sure = text, sure
        self.read: Any = lambda _, found: [read("皖A12345", 0.97)] * len(found)

    def passing(self, _: NDArray[np.uint8]) -> list[PlateRead]:
        self.seen += 1
        return [read(self.text, self.sure, x=60.0 * self.seen)]


def passed(reader: Unsure) -> Passed:
    watch = PlateWatch(cast("Any", reader))
    for number in (1, 2):
        watch.look(number * SECOND_US // 5, np.full((240, 320, 3), 90, np.uint8))
    (one,) = watch.end()
    return one


def test_what_is_doubtful_carries_a_proposal_and_stays_what_was_read() -> None:
    one = passed(Unsure("皖A1Z345", 0.8))
    assert one.seen.doubtful
    assert one.seen.text == "皖A1Z345"
    assert one.restored is not None
    assert one.restored.text == "皖A12345"
    assert one.restored.likely


def test_what_was_read_for_sure_is_left_alone() -> None:
    assert passed(Unsure("皖A12345", 0.99)).restored is None


def test_whatever_goes_wrong_with_restoring_costs_no_reading() -> None:
    reader = Unsure("皖A1Z345", 0.8)

    def fails(*_: Any) -> Any:
        raise InvalidError("no", code="tensor_input")

    reader.read = fails
    one = passed(reader)
    assert (one.seen.text, one.restored) == ("皖A1Z345", None)


def test_the_command_puts_what_it_restored_below_the_original(tmp_path: Path) -> None:
    file = tmp_path / "fast.png"
    cv2.imwrite(str(file), moved(10, 0.0))
    call = ["plates", "read", "--countries", "cn", str(file)]
    done = CliRunner().invoke(app, [*call, "--restored", str(tmp_path / "out")])
    (told,) = (json.loads(one) for one in done.stdout.splitlines())
    assert told["doubtful"]
    assert told["restored"]["plate"] == TRUTH[FILE]["plate"]
    assert cv2.imread(told["restored"]["file"]).shape == (2 * HEIGHT, WIDTH, 3)
    again = CliRunner().invoke(app, [*call, "--restored", str(tmp_path / "out")])
    assert len(list((tmp_path / "out").iterdir())) == 2, "what is there is not written over"
    assert json.loads(again.stdout)["restored"]["file"] != told["restored"]["file"]
    plain = CliRunner().invoke(app, [*call, "--no-restore"])
    assert "restored" not in json.loads(plain.stdout)
