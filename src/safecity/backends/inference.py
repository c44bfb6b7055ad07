"""The port `Inference` on ONNX Runtime: `onnx:?threads=1`, on the processor, no network access."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

from safecity.kit.errors import InvalidError, NotFoundError
from safecity.ports.inference import NetworkInfo, Numbers, Tensor, TensorInfo, check_inputs

ort: Any = onnxruntime  # its types are not declared
MAX_MODEL_BYTES = 1 << 30
_NUMBERS = {"tensor(float)": Numbers.FLOAT32, "tensor(uint8)": Numbers.UINT8}


class OnnxNetwork:
    """A network in ONNX Runtime; see `ports.inference.Network`."""

    def __init__(self, session: Any, info: NetworkInfo) -> None:
        self._session = session
        self._outputs = [one.name for one in info.outputs]
        self.info = info

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All outputs by name."""
        check_inputs(self.info, inputs)
        given = {
            name: np.frombuffer(one.data, np.dtype(one.numbers.value)).reshape(one.shape)
            for name, one in inputs.items()
        }
        try:
            found: list[Any] = self._session.run(self._outputs, given)
        except Exception as error:  # the library's errors share no public base
            # Sides that the file leaves open can still be wrong for what is inside (too small for a convolution).
            raise InvalidError(f"{self.info.name} does not take these inputs: {error}", code="tensor_input") from error
        return {name: _tensor(np.ascontiguousarray(one)) for name, one in zip(self._outputs, found, strict=True)}


class OnnxInference:
    """Loads ONNX files; `threads` is how many cores one run may take."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def load(self, file: Path) -> OnnxNetwork:
        """See `ports.inference.Inference`."""
        if not file.is_file():
            raise NotFoundError(f"no such model: {file}", code="model_missing", params={"file": str(file)})
        if file.stat().st_size > MAX_MODEL_BYTES:
            raise InvalidError(f"{file.name} is too large for a model", code="model_unreadable")
        data = file.read_bytes()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong with a file is said once, by the error
        # A thread that spins while it waits takes the core from the recorder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            # From memory: a file that names further files (external data) must not make us open them.
            session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InvalidError(
                f"{file.name} is no network that ONNX Runtime can load",
                code="model_unreadable",
                params={"file": file.name, "why": str(error)[:300]},
            ) from error
        info = NetworkInfo(
            file.stem,
            hashlib.sha256(data).hexdigest(),
            tuple(_described(file.name, one) for one in session.get_inputs()),
            tuple(_described(file.name, one) for one in session.get_outputs()),
            dict(session.get_modelmeta().custom_metadata_map),
        )
        return OnnxNetwork(session, info)


def _tensor(array: Any) -> Tensor:
    return Tensor(tuple(array.shape), memoryview(array).cast("B") if array.size else b"", Numbers(str(array.dtype)))


def _described(file: str, of: Any) -> TensorInfo:
    if of.type not in _NUMBERS:
        raise InvalidError(f"{file}: {of.name} is {of.type}; only float32 and uint8 are taken", code="model_type")
    return TensorInfo(of.name, tuple(side if isinstance(side, int) else None for side in of.shape), _NUMBERS[of.type])


def open_by_url(url: str) -> OnnxInference:
    """`onnx:` or `onnx:?threads=N`."""
    _, _, query = url.partition("?")
    said = parse_qs(query).get("threads", ["1"])[-1]
    if not said.isdigit() or not 1 <= int(said) <= 64:
        raise InvalidError(f"threads: 1 to 64, not {said[:20]!r}", code="setting_range", params={"setting": "threads"})
    return OnnxInference(int(said))
