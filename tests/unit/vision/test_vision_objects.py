"""The slot for a detector of one's own: each family of networks, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.onnxfile import UINT8, constant, model, node, value
from tests.unit.vision.detector_file import CANDIDATES, LABELS, detector_bytes, opened, picture, put
from tests.unit.vision.plate_film import Scripted, read
from typer.testing import CliRunner

from safecity.cli.main import app
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError, SafecityError
from safecity.vision.objects.outputs import Layout, candidates, layout_of
from safecity.vision.pictures import MAX_PIXELS
from safecity.vision.plates.watching import PlateWatch

BOX = (10.0, 21.0, 30.0, 41.0)
"""In the input of 64 x 64, in which a picture of 128 x 64 takes the middle half."""
THERE = (20.0, 10.0, 60.0, 50.0)
"""The same in that picture."""


@pytest.mark.parametrize("layout", [Layout.YOLO, Layout.YOLO5, Layout.NMS])
def test_a_thing_is_found_where_it_stands_in_a_picture_of_another_shape(tmp_path: Path, layout: Layout) -> None:
    detector = opened(put(tmp_path, detector_bytes(layout, BOX)))
    (seen,) = detector.find(picture(250))
    assert seen.label == "car"
    assert seen.box == pytest.approx(THERE, abs=0.01), "once, not once for each candidate"
    assert 0.5 < seen.score < 1
    assert detector.find(picture(3)) == [], "below the threshold"


def test_a_network_of_the_detr_family_is_shown_the_picture_stretched(tmp_path: Path) -> None:
    detector = opened(put(tmp_path, detector_bytes(Layout.DETR, BOX), stretch=True))
    (seen,) = detector.find(picture(250))
    assert (seen.label, seen.box) == ("car", pytest.approx((20.0, 21.0, 60.0, 41.0), abs=0.01))


def test_a_network_that_takes_bytes_is_given_the_picture_as_it_is(tmp_path: Path) -> None:
    detector = opened(put(tmp_path, detector_bytes(Layout.YOLO, BOX, numbers=UINT8), mean=[128, 128, 128]))
    (seen,) = detector.find(picture(250))
    assert (seen.label, seen.box) == ("car", pytest.approx(THERE, abs=0.01))


def test_what_reaches_beyond_the_picture_is_cut_at_its_edge(tmp_path: Path) -> None:
    detector = opened(put(tmp_path, detector_bytes(Layout.YOLO, (-10.0, 0.0, 30.0, 70.0))))
    (seen,) = detector.find(picture(250))
    assert seen.box == pytest.approx((0.0, 0.0, 60.0, 64.0), abs=0.01)


def test_a_file_with_open_sides_is_read_by_what_its_description_says(tmp_path: Path) -> None:
    network = detector_bytes(Layout.YOLO, BOX, open_sides=True)
    assert opened(put(tmp_path, network)).find(picture(250)) == [], "640 x 640 where nothing is said: above the picture"
    detector = opened(put(tmp_path, network, layout="yolo", size=[64, 64]))
    assert [one.box for one in detector.find(picture(250))] == [pytest.approx(THERE, abs=0.01)]


@pytest.mark.parametrize(
    ("network", "description", "code"),
    [
        (b"no network", {}, "model_unreadable"),
        (None, {"labels": []}, "detector_description"),
        (None, {"labels": "car"}, "detector_description"),
        (None, {"threshold": 0}, "detector_description"),
        (None, {"thresold": 0.5}, "detector_description"),
        (None, {"labels": [f"l{n}" for n in range(90)]}, "detector_layout"),
        (
            model([node("Add", ["x", "x"], ["y"])], [value("x", [1, 10])], [value("y", [1, 10])]),
            {},
            "detector_input",
        ),
        (
            model([node("Add", ["x", "x"], ["y"])], [value("x", [1, 3, 9000, 9000])], [value("y", [1, 3, 9000, 9000])]),
            {},
            "detector_input",
        ),
    ],
)
def test_what_is_no_detector_is_refused_with_what_is_wrong(
    tmp_path: Path, network: bytes | None, description: dict[str, Any], code: str
) -> None:
    put(tmp_path, detector_bytes(Layout.YOLO, BOX) if network is None else network, **description)
    with pytest.raises(SafecityError) as wrong:
        opened(tmp_path)
    assert wrong.value.code == code
    told = CliRunner().invoke(app, ["objects", "detect", "x.jpg", "--detector", str(tmp_path)])
    assert told.exit_code == 2


def test_a_network_whose_numbers_lie_otherwise_than_it_was_said_is_refused_at_the_first_picture(tmp_path: Path) -> None:
    flat = model(
        [node("Add", ["x", "z"], ["y"])], [value("x", [1, 3, 8, 8])], [value("y", [1, 3, 8, 8])],
        [constant("z", [0.0], [1])],
    )  # fmt: skip
    detector = opened(put(tmp_path, flat, layout="yolo"))
    with pytest.raises(SafecityError) as wrong:
        detector.find(picture(250))
    assert wrong.value.code == "detector_layout"
    with pytest.raises(SafecityError):
        detector.find(cast("Any", np.zeros((0, 9, 3), np.uint8)))
    with pytest.raises(SafecityError):
        detector.find(np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (MAX_PIXELS // 1000 + 1, 1000, 3)))


def test_the_command_prints_what_the_detector_sees(tmp_path: Path) -> None:
    import cv2

    file = tmp_path / "gate.png"
    cv2.imwrite(str(file), picture(250))
    put(tmp_path / "own", detector_bytes(Layout.YOLO, BOX, label=2))
    told = CliRunner().invoke(
        app, ["objects", "detect", str(file), str(tmp_path / "no"), "--detector", str(tmp_path / "own")]
    )
    (line,) = (json.loads(one) for one in told.stdout.splitlines())
    assert (line["label"], line["vehicle_class"], line["box"]) == ("truck", "H11", list(THERE))
    assert len(line["digest"]) == 64
    assert told.exit_code == 1, "the other file is not there"


def test_the_kind_of_a_vehicle_is_that_of_the_smallest_one_around_its_plate(tmp_path: Path) -> None:
    detector = opened(put(tmp_path, detector_bytes(Layout.YOLO, BOX), vehicles={"car": "K33"}))
    watch = PlateWatch(cast("Any", Scripted(lambda _: [read("皖A12345", x=0, y=15)])), detector)
    watch.look(SECOND_US, picture(250))
    (passed,) = watch.end()
    assert passed.vehicle is not None
    assert (passed.vehicle.label, detector.vehicle_class(passed.vehicle)) == ("car", "K33")
    assert detector.vehicle_at(picture(250), 100, 30) is None, "it stands elsewhere"
    assert opened(put(tmp_path, detector_bytes(Layout.YOLO, BOX, label=0))).vehicle_at(picture(250), 40, 30) is None


def test_a_detector_that_stumbles_costs_no_reading(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = opened(put(tmp_path, detector_bytes(Layout.DETR, BOX), layout="nms"))
    watch = PlateWatch(cast("Any", Scripted(lambda _: [read("皖A12345", x=0, y=15)])), broken)
    for second in (1, 2):
        watch.look(second * SECOND_US, picture(250))
        (passed,) = watch.end()
        assert (passed.seen.text, passed.vehicle) == ("皖A12345", None)
    assert caplog.text.count("detector failed") == 1


NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(
    layout=st.sampled_from(Layout),
    first=arrays.arrays(np.float32, st.tuples(st.just(1), st.integers(0, 9), st.integers(0, 9)), elements=NUMBERS),
    second=arrays.arrays(np.float32, st.tuples(st.just(1), st.integers(0, 9), st.integers(0, 9)), elements=NUMBERS),
)
def test_whatever_a_network_gives_is_boxes_or_a_refusal(layout: Layout, first: Any, second: Any) -> None:
    outputs = [first, second] if layout is Layout.DETR else [first]
    try:
        boxes, scores, labels = candidates(layout, outputs, (64, 64))
    except InvalidError:
        return
    assert len(boxes) == len(scores) == len(labels)
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2] > boxes[:, 0]).all()


def test_shapes_tell_the_family() -> None:
    count = len(LABELS)
    assert layout_of([(1, 4 + count, CANDIDATES)], count) is Layout.YOLO
    assert layout_of([(1, CANDIDATES, 5 + count)], count) is Layout.YOLO5
    assert layout_of([(1, 300, 6)], 80) is Layout.NMS
    assert layout_of([(1, 300, 80), (1, 300, 4)], 80) is Layout.DETR
    for shapes, labels in (([(1, 300, 6)], 1), ([(1, 6, 6)], 2), ([(1, None, None)], 80), ([], 80)):
        with pytest.raises(SafecityError, match="say `layout`"):
            layout_of(shapes, labels)
