"""Where functions that were compiled to machine code are kept, so that the next start has them at once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any


def keep_kernels(config: Any, root: Path) -> bool:
    """Have the compiler (`numba.config`) keep what it makes of the sources in `root`; False where it cannot. Whoever
    sets NUMBA_CACHE_DIR knows better."""
    if not config.CACHE_DIR:
        folder = kernel_folder(root)
        config.CACHE_DIR = str(folder or "")
        return folder is not None
    return True


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
