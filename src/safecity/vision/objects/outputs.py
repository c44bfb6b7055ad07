"""What detectors of the usual families give, as boxes. Pure.

Each family is told by the shapes of its outputs (N candidates, C labels); where a file leaves sides open, its
description must say `layout`:

`yolo`      (1, 4 + C, N)   middle, width and height in pixels of the input, one score for each label
            (YOLOv8, YOLO11 as Ultralytics exports them)
`yolo5`     (1, N, 5 + C)   the same with a score of their own for "something is here" (YOLOv5, YOLOv7)
`nms`       (1, N, 6)       left, top, right, bottom in pixels, score, label: sorted out already
            (YOLOv10, and what was exported with its NMS)
`detr`      (1, N, 4) and (1, N, C)   middle, width and height as shares, scores or logits (RT-DETR, DETR without its
            last label, "nothing")
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError

Numbers = NDArray[np.float32]


class Layout(StrEnum):
    """See the module."""

    YOLO = "yolo"
    YOLO5 = "yolo5"
    NMS = "nms"
    DETR = "detr"


def layout_of(shapes: Sequence[Sequence[int | None]], labels: int) -> Layout:
    """Which family has outputs of these shapes. InvalidError `detector_layout` where none or several do."""
    fitting: list[Layout] = []
    if len(shapes) == 1 and len(shapes[0]) == 3:
        _, second, third = shapes[0]
        if second == 4 + labels and third != 4 + labels:
            fitting.append(Layout.YOLO)
        if third == 5 + labels and second != 4 + labels:
            fitting.append(Layout.YOLO5)
        if third == 6 and second != 4 + labels:
            fitting.append(Layout.NMS)
    if len(shapes) == 2 and {shape[-1] for shape in shapes if len(shape) == 3} == {4, labels}:
        fitting.append(Layout.DETR)
    if len(fitting) != 1:
        raise InvalidError(
            f"outputs of {[list(shape) for shape in shapes]} and {labels} labels could be"
            f" {' or '.join(fitting) or 'no detector that is known'}: say `layout`",
            code="detector_layout",
        )
    return fitting[0]


def candidates(layout: Layout, outputs: Sequence[Numbers], size: tuple[int, int]) -> tuple[Numbers, Numbers, Any]:
    """Boxes (n, 4: left, top, right, bottom in pixels of the input), scores (n) and label numbers (n).

    `size` is (width, height) of the input. InvalidError `detector_layout` where the numbers do not lie as the layout
    says. What is no number is left out.
    """
    with np.errstate(all="ignore"):
        found = _read(layout, outputs, size)
    good = np.isfinite(found[0]).all(1) & np.isfinite(found[1])
    boxes, scores, labels = (part[good] for part in found)
    real = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return boxes[real], scores[real], labels[real]


def _read(layout: Layout, outputs: Sequence[Numbers], size: tuple[int, int]) -> tuple[Numbers, Numbers, Any]:
    if len(outputs) != (2 if layout is Layout.DETR else 1) or any(
        one.ndim != 3 or one.shape[0] != 1 for one in outputs
    ):
        raise InvalidError(f"{layout}: outputs of {[one.shape for one in outputs]}", code="detector_layout")
    first = outputs[0][0]
    if layout is Layout.DETR:
        middles, scores = sorted((one[0] for one in outputs), key=lambda one: one.shape[1] != 4)
        if middles.shape[1] != 4 or len(middles) != len(scores) or scores.shape[1] == 0:
            raise InvalidError(f"detr: outputs of {[one.shape for one in outputs]}", code="detector_layout")
        if scores.size and (float(np.nanmin(scores)) < 0 or float(np.nanmax(scores)) > 1):
            scores = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
        return _corners(middles * np.array([*size, *size], np.float32)), scores.max(1), scores.argmax(1)
    if layout is Layout.NMS:
        if first.shape[1] != 6:
            raise InvalidError(f"nms: an output of {first.shape}", code="detector_layout")
        return first[:, :4], first[:, 4], np.nan_to_num(first[:, 5], nan=-1.0).astype(np.int64)
    rows = first.T if layout is Layout.YOLO else first
    ahead = 4 if layout is Layout.YOLO else 5
    if rows.shape[1] <= ahead:
        raise InvalidError(f"{layout}: an output of {first.shape}", code="detector_layout")
    scores = rows[:, ahead:] if layout is Layout.YOLO else rows[:, ahead:] * rows[:, 4:5]
    return _corners(rows[:, :4]), scores.max(1), scores.argmax(1)


def _corners(middles: Numbers) -> Numbers:
    half = middles[:, 2:] / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], 1).astype(np.float32)


def distinct(boxes: Numbers, scores: Numbers, labels: Any, overlap: float) -> list[int]:
    """Which of the boxes stay, best first: of two of one label that share more than `overlap` of what both cover, the
    better one (greedy non-maximum suppression)."""
    order = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order.size:
        best = int(order[0])
        kept.append(best)
        rest = order[1:]
        upper, lower = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(lower - upper, 0, None), 1)
        covered = shared / np.maximum(areas[best] + areas[rest] - shared, 1e-9)
        order = rest[(covered <= overlap) | (labels[rest] != labels[best])]
    return kept
