"""Take out of a quantised network what only costs time: python -m tools.plates.tighten IN.onnx OUT.onnx

Quantising rounds to 8 bits before every ReLU and again after it, and enlarges in float. Rounding once, after it, lets
ONNX Runtime make one step of convolution (or sum) and ReLU, and is closer to the network in float, too.
"""

from __future__ import annotations

import sys
from typing import Any

import onnx


def tightened(model: Any) -> Any:
    """The same network, changed in place and given back: no rounding before a ReLU, enlargements in 8 bits."""
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for relu in [node for node in graph.node if node.op_type == "Relu"]:
        back = makers.get(relu.input[0])
        rounding = makers.get(back.input[0]) if back is not None and back.op_type == "DequantizeLinear" else None
        after = {node.op_type for node in users[relu.output[0]]}
        # What stays in float after the ReLU would be computed in float before it, too.
        if rounding is None or rounding.op_type != "QuantizeLinear" or not after <= {"QuantizeLinear", "Resize"}:
            continue
        if len(users[back.output[0]]) == len(users[rounding.output[0]]) == 1:
            relu.input[0] = rounding.input[0]
            graph.node.remove(rounding)
            graph.node.remove(back)
    for resize in [node for node in graph.node if node.op_type == "Resize"]:
        _in_bytes(graph, resize)
    used = {name for node in graph.node for name in node.input}
    for one in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(one)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def _in_bytes(graph: Any, resize: Any) -> None:
    """Copying points keeps their numbers: they can be rounded before as well as after."""
    (after,) = (node for node in graph.node if resize.output[0] in node.input)
    given, scale, zero = resize.input[0], *after.input[1:3]
    rounded = [
        onnx.helper.make_node("QuantizeLinear", [given, scale, zero], [f"{given}_8"], name=f"{resize.name}_8"),
        onnx.helper.make_node("DequantizeLinear", [f"{given}_8", scale, zero], [f"{given}_f"], name=f"{resize.name}_f"),
    ]
    place = list(graph.node).index(resize)
    resize.input[0] = f"{given}_f"
    for node in reversed(rounded):
        graph.node.insert(place, node)


def main() -> None:
    given, out = sys.argv[1:]
    onnx.save(tightened(onnx.load(given)), out)


if __name__ == "__main__":
    main()
