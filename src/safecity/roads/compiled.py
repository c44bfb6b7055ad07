"""One door to the compiler, so that all kernels are compiled alike: on first call, kept on disk, without the GIL."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

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
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))  # pyright: ignore


def inlined(function: Function) -> Function:
    """For small functions of a kernel that take whole groups of arrays: handing those over costs more than they do."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy", inline="always")(function))  # pyright: ignore


def _keep_by_source() -> None:
    """numba looks at the age of the file that a kernel stands in, not of those whose functions it calls; a folder named
    after all our sources never holds code of other ones. Whoever sets NUMBA_CACHE_DIR knows better."""
    if numba.config.CACHE_DIR:  # pyright: ignore
        return
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(root.rglob("*.py")):
        digest.update(source.read_bytes())
    home = root / "__pycache__"
    if not os.access(home if home.exists() else root, os.W_OK):
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "safecity"
    numba.config.CACHE_DIR = str(home / f"kernels-{digest.hexdigest()[:16]}")  # pyright: ignore


_keep_by_source()
