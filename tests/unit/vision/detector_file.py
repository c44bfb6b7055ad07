"""A detector as a file, made for a test: it sees one thing where it was told to, the surer the brighter the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.onnxfile import FLOAT, UINT8, constant, integers, model, node, value

from safecity.backends.inference import open_by_url
from safecity.vision.objects.detector import DESCRIPTION, NETWORK, Detector, open_detector
from safecity.vision.objects.outputs import Layout

LABELS = ("person", "car", "truck")
SIDE = 64
CANDIDATES = 20


def outputs(layout: Layout, box: tuple[float, float, float, float], label: int) -> list[tuple[Any, Any]]:
    """(what stands there whatever is shown, what brightness adds to it) of each output; `box` is left, top, right,
    bottom in pixels of the input."""
    left, top, right, bottom = box
    middle = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
    count = len(LABELS)
    if layout is Layout.NMS:
        still, bright = np.zeros((1, CANDIDATES, 6)), np.zeros((1, CANDIDATES, 6))
        still[0, 3] = [*box, 0, label]
        bright[0, 3, 4] = 1
        return [(still, bright)]
    if layout is Layout.DETR:
        boxes, scores, more = (
            np.zeros((1, CANDIDATES, 4)),
            np.zeros((1, CANDIDATES, count)),
            np.zeros((1, CANDIDATES, count)),
        )
        boxes[0, 3] = np.array(middle) / SIDE
        more[0, 3, label] = 1
        return [(scores, more), (boxes, np.zeros_like(boxes))]
    ahead = 5 if layout is Layout.YOLO5 else 4
    still, bright = np.zeros((1, CANDIDATES, ahead + count)), np.zeros((1, CANDIDATES, ahead + count))
    still[0, 3, :4] = still[0, 4, :4] = middle  # two candidates of one thing, as detectors give them
    still[0, 4, 0] += 1
    if layout is Layout.YOLO5:
        still[0, 3:5, 4] = 1
    bright[0, 3, ahead + label] = 1
    bright[0, 4, ahead + label] = 0.95
    turn = (lambda one: one.transpose(0, 2, 1)) if layout is Layout.YOLO else (lambda one: one)
    return [(turn(still), turn(bright))]


def detector_bytes(
    layout: Layout, box: tuple[float, float, float, float], label: int = 1, *, open_sides: bool = False,
    numbers: int = FLOAT,
) -> bytes:  # fmt: skip
    """A network that takes (1, 3, 64, 64), of uint8 where `numbers` says so."""
    nodes = [node("ReduceMean", ["colours"], ["mean"]), node("Reshape", ["mean", "one"], ["brightness"])]
    taken = "images" if numbers == UINT8 else "colours"
    if numbers == UINT8:
        nodes.insert(0, node("DequantizeLinear", ["images", "share"], ["colours"]))
    constants, out = [integers("one", [1, 1, 1], [3])], list[bytes]()
    for number, (still, bright) in enumerate(outputs(layout, box, label)):
        name = f"output{number}"
        constants += [
            constant(f"{name}.still", still.ravel().tolist(), still.shape),
            constant(f"{name}.bright", bright.ravel().tolist(), bright.shape),
        ]
        nodes.append(node("Mul", ["brightness", f"{name}.bright"], [f"{name}.lit"]))
        nodes.append(node("Add", [f"{name}.still", f"{name}.lit"], [name]))
        out.append(value(name, ["a", "b", "c"] if open_sides else still.shape))
    sides: list[int | str] = [1, 3, "height", "width"] if open_sides else [1, 3, SIDE, SIDE]
    if numbers == UINT8:
        constants.append(constant("share", [1 / 255], []))
    return model(nodes, [value(taken, sides, numbers)], out, constants)


def put(folder: Path, network: bytes, **description: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NETWORK).write_bytes(network)
    (folder / DESCRIPTION).write_text(json.dumps({"labels": LABELS, "threshold": 0.5, **description}))
    return folder


def opened(folder: Path) -> Detector:
    return open_detector(open_by_url("onnx:"), folder)


def picture(grey: int, width: int = 128, height: int = 64) -> NDArray[np.uint8]:
    return np.full((height, width, 3), grey, np.uint8)
