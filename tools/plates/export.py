"""Write a trained network as ONNX: python -m tools.plates.export --state DIR reader|locator [--out FILE]

The running mean of the weights is exported, normalisation folded into the convolutions.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import torch
from tools.plates.nets import LocatorNet, ReaderNet
from torch import nn

from safecity.vision.plates.recognise import MODELS

OPSET = 17


def trained(state: Path, name: str) -> tuple[nn.Module, int]:
    """The network of a checkpoint, ready to answer, and how many samples it has seen."""
    held = torch.load(state / f"{name}.pt", map_location="cpu", weights_only=True)
    net: nn.Module = ReaderNet() if name == "reader" else LocatorNet()
    net.load_state_dict(held["mean"])
    return net.eval(), int(held["samples"])


def export(net: nn.Module, name: str, out: Path) -> None:
    """One file, complete in itself."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if name == "reader":
        example, given, told = torch.zeros(1, 3, 40, 160), "strips", ["signs", "kinds"]
        free = {given: {0: "count"}, **{one: {0: "count"} for one in told}}
    else:
        example, given, told = torch.zeros(1, 3, 192, 320), "pictures", ["scores", "corners"]
        free = {one: {0: "count", 2: "rows", 3: "columns"} for one in (given, *told)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the plain exporter is old, and its files are the smallest
        torch.onnx.export(
            net, (example,), str(out), opset_version=OPSET, input_names=[given], output_names=told,
            dynamic_axes=free, dynamo=False,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=("reader", "locator"))
    parser.add_argument("--state", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--out", type=Path, help="file to write; default: the one that the platform loads")
    options = parser.parse_args()
    net, samples = trained(options.state, options.name)
    out = options.out or MODELS / f"{options.name}.onnx"
    export(net, options.name, out)
    print(f"{out}: {out.stat().st_size} bytes, {samples} samples seen")


if __name__ == "__main__":
    main()
