"""The platform's own networks on drawn pictures, one for each kind of plate: found, straightened, read, and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from safecity.backends.inference import OnnxInference
from safecity.cli.main import app
from safecity.vision.pictures import load_picture
from safecity.vision.plates.recognise import PlateRead, PlateRecogniser, open_recogniser

EXAMPLES = Path(__file__).resolve().parents[2] / "vectors" / "plates"
TRUTH: dict[str, dict[str, Any]] = json.loads((EXAMPLES / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def recogniser() -> PlateRecogniser:
    return open_recogniser(OnnxInference())


def look(recogniser: PlateRecogniser, file: str) -> PlateRead:
    """What is read where the plate is."""
    reads = recogniser.still(load_picture((EXAMPLES / file).read_bytes()))
    middle = np.mean(TRUTH[file]["corners"], axis=0)
    near = [one for one in reads if np.hypot(*(one.corners.mean(0) - middle)) < 40]
    assert len(near) == 1, [one.text for one in reads]
    return near[0]


TWICE = pytest.mark.xfail(strict=True, reason="two equal letters beside one another are read as one at this tilt")


@pytest.mark.parametrize("file", [pytest.param(one, marks=TWICE) if one == "eu.jpg" else one for one in TRUTH])
def test_the_plate_is_found_and_read_where_its_country_is_known(file: str) -> None:
    country = file.partition(".")[0].partition("_")[0]
    recogniser = open_recogniser(OnnxInference(), countries=frozenset({country}))
    read, truth = look(recogniser, file), TRUTH[file]
    assert read.text == truth["plate"]
    assert (str(read.kind), read.lines) == (truth["kind"], truth["lines"])
    high = np.hypot(*(np.subtract(truth["corners"][3], truth["corners"][0])))
    assert np.abs(read.corners - truth["corners"]).max() < 0.25 * high, "its corners too"
    assert len(read.signs) == len(read.text)


def test_a_picture_without_a_plate_has_none(recogniser: PlateRecogniser) -> None:
    slope = np.tile(np.linspace(20, 220, 640, dtype=np.uint8)[None, :, None], (400, 1, 3))
    assert recogniser.still(slope) == []


def test_both_networks_are_named_for_the_events(recogniser: PlateRecogniser) -> None:
    assert [one.name for one in recogniser.networks] == ["locator", "reader"]
    assert all(len(one.digest) == 64 for one in recogniser.networks)


def test_the_command_prints_a_line_for_each_plate() -> None:
    files = [str(EXAMPLES / name) for name in ("cn_blue.jpg", "cn_green.jpg")]
    done = CliRunner().invoke(app, ["plates", "read", *files])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["plate"] for line in lines] == ["皖A7K356", "粤BD20467"]
    assert (lines[0]["country"], lines[0]["colour"], lines[1]["colour"]) == ("cn", "blue", "green")
    assert "".join(sign["sign"] for sign in lines[0]["signs"]) == "皖A7K356"


def test_the_command_prints_a_line_for_each_vehicle_of_a_clip(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="films are decoded with the extra safecity[av]")
    scene = load_picture((EXAMPLES / "cn_blue.jpg").read_bytes())
    clip = tmp_path / "gate.mp4"
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 400, "yuv420p", 4_000_000
        for number in range(8):  # it drives from right to left
            moved = np.ascontiguousarray(np.roll(scene, 60 - 16 * number, axis=1))
            for packet in stream.encode(av.VideoFrame.from_ndarray(moved, format="bgr24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    done = CliRunner().invoke(app, ["plates", "read", "--no-second", "--countries", "cn", str(clip)])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["plate"] for line in lines] == ["皖A7K356"]
    (line,) = lines
    assert line["sights"] >= 6
    assert 0 <= line["first_seconds"] <= line["best"]["at_seconds"] <= line["last_seconds"] <= 1.6


def test_the_command_names_what_it_cannot_read_and_goes_on(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    done = CliRunner().invoke(app, ["plates", "read", str(bad), str(tmp_path / "none.mp4"), str(EXAMPLES / "br.jpg")])
    assert done.exit_code == 1
    assert "bad.jpg" in done.stderr
    assert "none.mp4" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["plate"] == "QXB4079"


def test_other_networks_can_be_named_and_must_be_networks(tmp_path: Path) -> None:
    (tmp_path / "locator.onnx").write_bytes(b"nothing")
    done = CliRunner().invoke(app, ["plates", "read", "--models", str(tmp_path), str(EXAMPLES / "br.jpg")])
    assert done.exit_code == 2
    assert "locator.onnx" in done.stderr
