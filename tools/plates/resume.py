"""Begin a training from the networks in the repository: python -m tools.plates.resume --state DIR reader|locator

Checkpoints are large and stay with whoever trains; the files the platform loads are what everybody has. From their
8-bit weights and folded normalisations a checkpoint is made whose network answers as they do: weights are put back as
they stand, and what each normalisation sees on drawn samples is measured, layer after layer, so that learning goes on
smoothly from there. The optimiser starts anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tools.plates import train_locator, train_reader
from tools.plates.glyphs import load_faces
from tools.plates.nets import LocatorNet, ReaderNet
from tools.plates.running import Training
from tools.plates.scenes import SceneMaker
from tools.plates.shoot import CropMaker
from torch import nn

from safecity.vision.plates.recognise import MODELS

SEED = 555_111
LEARNT = {"reader": 1_250_000, "locator": 135_000}
"""What the files have seen (docs/design, the card of the two networks)."""


def weights_of(file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of all convolutions and products as floats, in the order in which they are computed."""
    graph = onnx.load(str(file)).graph
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            held[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in held:
            number, scale, zero = (held[name].astype(np.float32) for name in node.input)
            if scale.size > 1:  # by channel of output, which is the first axis
                scale, zero = (one.reshape(-1, *[1] * (number.ndim - 1)) for one in (scale, zero))
            held[node.output[0]] = (number - zero) * scale
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    return [(held[node.input[1]], held[node.input[2]]) for node in layers]


def layers_of(net: nn.Module, example: torch.Tensor) -> list[tuple[nn.Module, nn.BatchNorm2d | None]]:
    """Its convolutions and products in the order in which they are computed, each with its normalisation, if any."""
    seen: list[nn.Module] = []
    hooks = [
        one.register_forward_hook(lambda module, _given, _told: seen.append(module))
        for one in net.modules()
        if isinstance(one, (nn.Conv2d, nn.BatchNorm2d, nn.Linear))
    ]
    with torch.no_grad():
        net(example)
    for hook in hooks:
        hook.remove()
    pairs: list[tuple[nn.Module, nn.BatchNorm2d | None]] = []
    for place, module in enumerate(seen):
        if isinstance(module, nn.BatchNorm2d):
            continue
        after = seen[place + 1] if place + 1 < len(seen) else None
        pairs.append((module, after if isinstance(after, nn.BatchNorm2d) else None))
    return pairs


def put_back(net: nn.Module, file: Path, samples: torch.Tensor) -> None:
    """Make `net` answer as the file does, with normalisations that have measured `samples`."""
    pairs, weights = layers_of(net.eval(), samples[:1]), weights_of(file)
    if [tuple(module.weight.shape) for module, _ in pairs] != [one.shape for one, _ in weights]:
        raise SystemExit(f"{file} is not of this network")
    with torch.no_grad():
        for (module, normal), (weight, bias) in zip(pairs, weights, strict=True):
            module.weight.copy_(torch.from_numpy(weight.copy()))
            if normal is None:
                module.bias.copy_(torch.from_numpy(bias.copy()))
                continue
            seen: list[torch.Tensor] = []
            hook = module.register_forward_hook(lambda _module, _given, told, seen=seen: seen.append(told))
            net(samples)  # what lies before this layer answers as it shall already
            hook.remove()
            mean, spread = seen[0].mean((0, 2, 3)), seen[0].var((0, 2, 3))
            normal.running_mean.copy_(mean)
            normal.running_var.copy_(spread)
            normal.weight.copy_((spread + normal.eps).sqrt())
            normal.bias.copy_(mean + torch.from_numpy(bias.copy()))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=("reader", "locator"))
    parser.add_argument("--state", type=Path, required=True, help="folder of the checkpoint to make")
    options = parser.parse_args()
    if (options.state / f"{options.name}.pt").exists():
        raise SystemExit("there is a checkpoint already: it goes on by itself")
    faces = load_faces()
    if options.name == "reader":
        net: nn.Module = ReaderNet()
        samples = train_reader.normal(train_reader.block(CropMaker(SEED, faces, pool=600), 600)[0])
    else:
        net = LocatorNet()
        samples = train_locator.normal(train_locator.block(SceneMaker(SEED, faces, pool=60), 96)[0])
    put_back(net, MODELS / f"{options.name}.onnx", samples)
    training = Training(options.state, options.name, net, 1e-3)
    training.samples = LEARNT[options.name]
    training.save()
    if options.name == "reader":
        held = train_reader.block(CropMaker(987_654, faces, pool=600), 600)
        training.note(**train_reader.score(training.mean, held))
    else:
        scenes = train_locator.block(SceneMaker(987_654, faces, pool=100), 192)
        training.note(**train_locator.score(training.mean, scenes))


if __name__ == "__main__":
    main()
