"""A detector that the user brings: a folder with `detector.onnx` and `detector.json`, which says what it is.

```json
{"labels": ["person", "bicycle", "car"], "threshold": 0.4, "vehicles": {"car": "K33"}}
```

| key | meaning | without it |
|---|---|---|
| `labels` | names, in the order of the network's scores | must be there |
| `layout` | `yolo`, `yolo5`, `nms` or `detr` (`outputs.py`) | told by the shapes |
| `size` | [width, height] of the input where the file leaves it open | 640 x 640 |
| `colours` | `rgb` or `bgr` | `rgb` |
| `mean`, `scale` | what is taken from each colour of 0-255, and by what the rest is divided | 0 and 255 |
| `stretch` | true: to the input's size whatever the shape (RT-DETR); false: as it is, with a grey border | false |
| `threshold`, `overlap` | least score; how much two boxes of one label may share | 0.4, 0.5 |
| `vehicles` | labels that are vehicles, each with its code of GA/T 16.4 (K33 car), or an empty one | names of COCO |

The weights are the user's: the platform brings none, fetches none, and keeps the SHA-256 with every finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np

from safecity.kit.errors import InvalidError, NotFoundError
from safecity.ports.inference import Inference, Network, NetworkInfo, Numbers, Tensor
from safecity.vision.arrays import array, tensor
from safecity.vision.objects.outputs import Layout, candidates, distinct, layout_of
from safecity.vision.plates.recognise import check_picture
from safecity.vision.plates.straighten import Picture

NETWORK, DESCRIPTION = "detector.onnx", "detector.json"
MAX_DESCRIPTION_BYTES = 1 << 20
MAX_LABELS = 10_000
MAX_SIDE = 4096
MOST: Final = 300
"""Objects of one picture; the best ones."""
_GREY = 114
COCO_VEHICLES: Final[Mapping[str, str]] = {"car": "K33", "bus": "K11", "truck": "H11", "motorcycle": "M11"}


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`detector.json`; see the module."""

    labels: tuple[str, ...]
    layout: Layout | None = None
    size: tuple[int, int] | None = None
    colours: str = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (255.0, 255.0, 255.0)
    stretch: bool = False
    threshold: float = 0.4
    overlap: float = 0.5
    vehicles: dict[str, str] = msgspec.field(default_factory=lambda: dict(COCO_VEHICLES))


@dataclass(frozen=True, slots=True)
class ObjectSeen:
    """An object in a picture. `box` is left, top, right, bottom in pixels of the picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""
        left, top, right, bottom = self.box
        return left <= x <= right and top <= y <= bottom

    @property
    def area(self) -> float:
        """Square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


class Detector:
    """May be used by several threads, as its network may."""

    def __init__(self, network: Network, description: Description) -> None:
        """InvalidError `detector_input` or `detector_layout` where the network is no detector of pictures."""
        self.description = description
        self._network = network
        self._input, self._size = _input_of(network.info, description)
        shapes = [one.shape for one in network.info.outputs]
        self._layout = description.layout or layout_of(shapes, len(description.labels))

    @property
    def info(self) -> NetworkInfo:
        """What every finding names."""
        return self._network.info

    def find(self, picture: Picture) -> list[ObjectSeen]:
        """What stands in it, best first, `MOST` at most. InvalidError as the network or its layout has it."""
        check_picture(picture)
        fitted, (scale_x, scale_y), (pad_x, pad_y) = _fitted(picture, self._size, stretch=self.description.stretch)
        given = self._network.run({self._input.name: self._numbers(fitted)})
        outputs = [array(given[one.name]) for one in self.info.outputs]
        boxes, scores, labels = candidates(self._layout, outputs, self._size)
        good = (scores >= self.description.threshold) & (labels >= 0) & (labels < len(self.description.labels))
        best = np.argsort(-scores[good], kind="stable")[: MOST * 10]
        boxes, scores, labels = boxes[good][best], scores[good][best], labels[good][best]
        height, width = picture.shape[:2]
        there: list[ObjectSeen] = []
        for one in distinct(boxes, scores, labels, self.description.overlap)[:MOST]:
            left, right = ((float(x) - pad_x) / scale_x for x in boxes[one, [0, 2]])
            top, bottom = ((float(y) - pad_y) / scale_y for y in boxes[one, [1, 3]])
            box = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
            if box[2] > box[0] and box[3] > box[1]:
                there.append(ObjectSeen(self.description.labels[int(labels[one])], min(float(scores[one]), 1.0), box))
        return there

    def vehicle_at(self, picture: Picture, x: float, y: float) -> ObjectSeen | None:
        """The smallest vehicle that holds the point (a plate's middle); None where there is none."""
        vehicles = [one for one in self.find(picture) if one.label in self.description.vehicles and one.holds(x, y)]
        return min(vehicles, key=lambda one: one.area, default=None)

    def vehicle_class(self, seen: ObjectSeen) -> str:
        """Its code of GA/T 16.4; empty where the label says too little."""
        return self.description.vehicles.get(seen.label, "")

    def _numbers(self, picture: Picture) -> Tensor:
        ordered: Any = picture[:, :, ::-1] if self.description.colours == "rgb" else picture
        planes: Any = np.ascontiguousarray(ordered.transpose(2, 0, 1)[None])
        if self._input.numbers is Numbers.UINT8:  # such a network does the rest itself
            return Tensor(tuple(planes.shape), memoryview(planes).cast("B"), Numbers.UINT8)
        mean = np.array(self.description.mean, np.float32).reshape(1, 3, 1, 1)
        scale = np.array(self.description.scale, np.float32).reshape(1, 3, 1, 1)
        return tensor(((planes.astype(np.float32) - mean) / scale).astype(np.float32))


def _input_of(info: NetworkInfo, description: Description) -> tuple[Any, tuple[int, int]]:
    """The one input, and (width, height) of pictures for it."""
    if len(info.inputs) != 1 or len(info.inputs[0].shape) != 4 or info.inputs[0].shape[0] not in (1, None):
        raise InvalidError(
            f"{info.name} takes {[list(one.shape) for one in info.inputs]}, not one picture (1, 3, height, width)",
            code="detector_input",
        )
    _, colours, height, width = info.inputs[0].shape
    if colours not in (3, None):
        raise InvalidError(f"{info.name} takes {colours} colours, not 3", code="detector_input")
    asked = description.size or (640, 640)
    size = width if width is not None else asked[0], height if height is not None else asked[1]
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise InvalidError(f"{info.name}: a picture of {size[0]} x {size[1]}", code="detector_input")
    return info.inputs[0], size


def _fitted(
    picture: Picture, size: tuple[int, int], *, stretch: bool
) -> tuple[Picture, tuple[float, float], tuple[int, int]]:
    """The picture in the input's size, by what it was enlarged each way, and where it begins there."""
    height, width = picture.shape[:2]
    if stretch:
        return cv2.resize(picture, size).astype(np.uint8, copy=False), (size[0] / width, size[1] / height), (0, 0)
    scale = min(size[0] / width, size[1] / height)
    wide, high = max(round(width * scale), 1), max(round(height * scale), 1)
    canvas = np.full((size[1], size[0], 3), _GREY, np.uint8)
    left, top = (size[0] - wide) // 2, (size[1] - high) // 2
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[top : top + high, left : left + wide] = cv2.resize(picture, (wide, high), interpolation=method)
    return canvas, (wide / width, high / height), (left, top)


def read_description(data: bytes) -> Description:
    """InvalidError `detector_description`, with what is wrong."""
    if len(data) > MAX_DESCRIPTION_BYTES:
        raise InvalidError(f"{DESCRIPTION} is larger than {MAX_DESCRIPTION_BYTES} bytes", code="detector_description")
    try:
        found = msgspec.json.decode(data, type=Description)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError(f"{DESCRIPTION}: {error}", code="detector_description") from error
    wrong = [
        what
        for what, good in (
            ("labels", 1 <= len(found.labels) <= MAX_LABELS and all(found.labels)),
            ("colours", found.colours in ("rgb", "bgr")),
            ("scale", all(one > 0 for one in found.scale)),
            ("threshold", 0 < found.threshold <= 1),
            ("overlap", 0 < found.overlap <= 1),
            ("vehicles", all(len(code) <= 10 for code in found.vehicles.values())),
        )
        if not good
    ]
    if wrong:
        raise InvalidError(f"{DESCRIPTION}: {', '.join(wrong)}", code="detector_description")
    return found


def open_detector(inference: Inference, folder: Path) -> Detector:
    """NotFoundError `model_missing`; InvalidError as the parts have it, `model_unreadable` for what is no network."""
    try:
        data = (folder / DESCRIPTION).read_bytes()
    except OSError as error:
        raise NotFoundError(f"no such file: {folder / DESCRIPTION}", code="model_missing") from error
    return Detector(inference.load(folder / NETWORK), read_description(data))
