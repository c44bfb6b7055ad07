"""One door to the compiler, so that all kernels are compiled alike: on first call, kept on disk, without the GIL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from safecity.kit.kernels import keep_kernels

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]
I8 = NDArray[np.int8]
U8 = NDArray[np.uint8]

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compiled to machine code for the types of its first call; later starts take it from the disk."""
    return cast(Function, numba.njit(cache=_KEPT, nogil=True, error_model="numpy")(function))  # pyright: ignore


def inlined(function: Function) -> Function:
    """For small functions of a kernel that take whole groups of arrays: handing those over costs more than they do."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy", inline="always")(function))  # pyright: ignore


_KEPT: Final = keep_kernels(numba.config, Path(__file__).parent)  # pyright: ignore
