"""Make a network's weights and sums 8 bits wide: python -m tools.plates.quantise reader|locator IN.onnx OUT.onnx

Static quantisation (QDQ, uint8 activations, int8 weights for each channel), calibrated on our own drawn samples. The
first convolution and what tells signs, scores and corners stay in float: little time is spent there, and much lost.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from tools.plates.glyphs import load_faces
from tools.plates.scenes import SceneMaker
from tools.plates.shoot import CropMaker
from tools.plates.tighten import tightened

from safecity.vision.plates.reader import normalised

SAMPLES = 400
SEED = 424_242


class Samples(CalibrationDataReader):
    """Drawn samples in batches, once."""

    def __init__(self, name: str, count: int) -> None:
        faces = load_faces()
        if name == "reader":
            crops = CropMaker(SEED, faces, pool=count)
            strips = np.stack([crops.make().strip for _ in range(count)])
            batches = [{"strips": normalised(strips[i : i + 20])} for i in range(0, count, 20)]
        else:
            scenes = SceneMaker(SEED, faces, pool=60)
            images = np.stack([scenes.make().image for _ in range(count)]).transpose(0, 3, 1, 2)
            batches = [
                {"pictures": images[i : i + 10].astype(np.float32) / np.float32(128) - np.float32(1)}
                for i in range(0, count, 10)
            ]
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Any] | None:  # type: ignore[override]
        """The next batch, None at the end."""
        return next(self._batches, None)


def kept_in_float(file: Path) -> list[str]:
    """The first convolution and the last ones, by the names of their nodes."""
    nodes = [node for node in onnx.load(str(file)).graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    told = {output.name for output in onnx.load(str(file)).graph.output}
    consumers = {name for node in onnx.load(str(file)).graph.node for name in node.input}
    last = [node.name for node in nodes if node.output[0] in told or node.output[0] not in consumers]
    return [nodes[0].name, *dict.fromkeys([*last, *(node.name for node in nodes[-2:])])]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=("reader", "locator"))
    parser.add_argument("given", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    options = parser.parse_args()
    prepared = options.out.with_suffix(".prepared.onnx")
    quant_pre_process(str(options.given), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared), str(options.out), Samples(options.name, options.samples), quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
        calibrate_method=CalibrationMethod.MinMax, nodes_to_exclude=kept_in_float(prepared),
        op_types_to_quantize=["Conv", "Add", "Concat", "Resize"],
        extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.05},
    )  # fmt: skip
    prepared.unlink()
    onnx.save(tightened(onnx.load(str(options.out))), str(options.out))
    print(f"{options.out}: {options.out.stat().st_size} bytes, was {options.given.stat().st_size}")


if __name__ == "__main__":
    main()
