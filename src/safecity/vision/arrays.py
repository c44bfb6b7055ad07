"""Between numpy's arrays and the tensors of the port `Inference`; nothing is copied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from safecity.ports.inference import Tensor


def tensor(array: NDArray[np.float32]) -> Tensor:
    """What a network takes."""
    whole: Any = np.ascontiguousarray(array, np.float32)
    return Tensor(tuple(whole.shape), memoryview(whole).cast("B") if whole.size else b"")


def array(tensor: Tensor) -> NDArray[np.float32]:
    """What a network gave, to compute with."""
    return np.frombuffer(tensor.data, np.float32).reshape(tensor.shape)
