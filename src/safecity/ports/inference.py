"""Inference: numbers into a trained network, numbers out. What the numbers mean is the caller's business."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from safecity.kit.errors import InvalidError


class Numbers(StrEnum):
    """How one number is kept."""

    FLOAT32 = "float32"
    UINT8 = "uint8"

    @property
    def size(self) -> int:
        """Bytes of one."""
        return 4 if self is Numbers.FLOAT32 else 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array in C order, native byte order, without naming the library that computes with it."""

    shape: tuple[int, ...]
    data: bytes | memoryview
    numbers: Numbers = Numbers.FLOAT32

    def __post_init__(self) -> None:
        held = self.data.nbytes if isinstance(self.data, memoryview) else len(self.data)
        if any(side < 0 for side in self.shape) or math.prod(self.shape) * self.numbers.size != held:
            raise InvalidError(f"{held} bytes are no {self.numbers} of shape {self.shape}", code="tensor_shape")


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What a network takes or gives: a side that may be of any length is None."""

    name: str
    shape: tuple[int | None, ...]
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """Which network this is; `digest` (SHA-256 of the file) goes into every event that it led to."""

    name: str
    digest: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    """What whoever made the file wrote into it, by name: the characters that a reader knows, for instance."""


class Network(Protocol):
    """One loaded network. May be used by several threads; the same input gives the same output."""

    @property
    def info(self) -> NetworkInfo: ...

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All outputs by name. InvalidError `tensor_input` when the inputs are not what `info` says."""
        ...


class Inference(Protocol):
    """Loads networks. Nothing is fetched from anywhere: a file is the whole network."""

    def load(self, file: Path) -> Network:
        """InvalidError `model_unreadable` for a file that is no network (or needs files beside it), `model_type` for
        one whose inputs or outputs are neither float32 nor uint8; NotFoundError `model_missing`."""
        ...


def check_inputs(info: NetworkInfo, inputs: Mapping[str, Tensor]) -> None:
    """InvalidError `tensor_input` when a network of this kind cannot take them."""
    wanted = {one.name: one for one in info.inputs}
    if set(wanted) != set(inputs):
        raise InvalidError(f"{info.name} takes {sorted(wanted)}, not {sorted(inputs)}", code="tensor_input")
    for name, tensor in inputs.items():
        if tensor.numbers is not wanted[name].numbers or not _fits(wanted[name].shape, tensor.shape):
            raise InvalidError(
                f"{info.name}: {name} is {wanted[name].numbers} {wanted[name].shape},"
                f" not {tensor.numbers} {tensor.shape}",
                code="tensor_input",
            )


def _fits(wanted: Sequence[int | None], given: Sequence[int]) -> bool:
    return len(wanted) == len(given) and all(side in (None, there) for side, there in zip(wanted, given, strict=True))
