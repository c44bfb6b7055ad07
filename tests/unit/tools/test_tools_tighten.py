"""A quantised network is rounded once after each ReLU, and says the same. Needs onnx, which only training needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx: Any = pytest.importorskip("onnx")
onnxruntime: Any = pytest.importorskip("onnxruntime")

STEP, SIDE = 0.05, 8


def rounded(name: str, at: str) -> list[Any]:
    """To 8 bits and back, as `quantise_static` writes it."""
    scale = [f"{name}_step", f"{name}_zero"]
    return [
        onnx.helper.make_node("QuantizeLinear", [name, *scale], [f"{name}_8"], name=f"{at}_8"),
        onnx.helper.make_node("DequantizeLinear", [f"{name}_8", *scale], [f"{name}_f"], name=f"{at}_f"),
    ]


def network(*, to_float: bool) -> Any:
    """Convolution, ReLU, enlargement; `to_float`: what the ReLU gives is used in float, and not rounded."""
    make = onnx.helper.make_node
    weights = np.random.default_rng(1).normal(0, 0.3, (2, 1, 3, 3)).astype(np.float32)
    nodes = [
        make("Conv", ["given", "weights"], ["sum"], pads=[1, 1, 1, 1], name="conv"),
        *rounded("sum", "before"),
        make("Relu", ["sum_f"], ["kept"], name="relu"),
    ]
    if to_float:
        nodes.append(make("Neg", ["kept"], ["told"], name="last"))
    else:
        nodes += [make("Resize", ["kept", "", "twice"], ["large"], mode="nearest", name="resize")]
        nodes += [*rounded("large", "after"), make("Neg", ["large_f"], ["told"], name="last")]
    # Before the ReLU bytes hold -6.4 to 6.35, after it 0 to 12.75.
    held = {"weights": weights, "twice": np.array([1, 1, 2, 2], np.float32)}
    for name, zero in (("sum", 128), ("large", 0)):
        held |= {f"{name}_step": np.float32(STEP), f"{name}_zero": np.uint8(zero)}
    used = {name for node in nodes for name in node.input}
    graph = onnx.helper.make_graph(
        nodes,
        "small",
        [onnx.helper.make_tensor_value_info("given", 1, [1, 1, SIDE, SIDE])],
        [onnx.helper.make_tensor_value_info("told", 1, [1, 2, None, None])],
        [onnx.numpy_helper.from_array(np.asarray(one), name) for name, one in held.items() if name in used],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def said(model: Any) -> np.ndarray[Any, Any]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # as it is written
    given = np.random.default_rng(2).normal(0, 1, (1, 1, SIDE, SIDE)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"given": given})[0])


def test_rounding_before_a_relu_is_left_out_and_an_enlargement_made_in_bytes() -> None:
    from tools.plates.tighten import tightened

    model = network(to_float=False)
    before = said(model)
    tightened(model)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds[:4] == ["Conv", "Relu", "QuantizeLinear", "DequantizeLinear"]
    assert kinds.count("QuantizeLinear") == 2
    assert np.abs(said(model) - before).max() <= STEP + 1e-6
    assert before.max() == 0.0 > before.min(), "something came through the ReLU"


def test_a_relu_whose_numbers_go_on_in_float_keeps_its_rounding() -> None:
    from tools.plates.tighten import tightened

    model = network(to_float=True)
    before = said(model)
    kinds = [node.op_type for node in model.graph.node]
    assert [node.op_type for node in tightened(model).graph.node] == kinds
    assert (said(model) == before).all()
