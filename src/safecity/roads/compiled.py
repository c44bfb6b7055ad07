"""One door to the compiler, so that all kernels are compiled alike: on first call, kept on disk, without the GIL."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

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
    return cast(Function, numba.njit(cache=_KEPT, nogil=True, error_model="numpy")(function))  # pyright: ignore


def inlined(function: Function) -> Function:
    """For small functions of a kernel that take whole groups of arrays: handing those over costs more than they do."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy", inline="always")(function))  # pyright: ignore


def kernel_folder(root: Path) -> Path | None:
    """Where kernels of the sources in `root` are kept: beside them, else with what this user keeps. None where neither
    can be written, as of an account without a home: then they are compiled anew at every start.

    numba looks at the age of the file that a kernel stands in, not of those whose functions it calls; a folder named
    after all our sources never holds code of other ones."""
    digest = hashlib.sha256()
    for source in sorted(root.rglob("*.py")):
        digest.update(source.read_bytes())
    name = f"kernels-{digest.hexdigest()[:16]}"
    for home in (lambda: root / "__pycache__", _kept_by_user):
        try:
            folder = home() / name
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError):
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def _kept_by_user() -> Path:
    """RuntimeError for an account without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "safecity"


def _keep() -> bool:
    """Whoever sets NUMBA_CACHE_DIR knows better."""
    if not numba.config.CACHE_DIR:  # pyright: ignore
        folder = kernel_folder(Path(__file__).parent)
        numba.config.CACHE_DIR = str(folder or "")  # pyright: ignore
        return folder is not None
    return True


_KEPT: Final = _keep()
