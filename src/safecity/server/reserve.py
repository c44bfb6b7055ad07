"""A few megabytes that nobody uses until the disk of the data folder is full.

A database cannot even be opened for writing without a little room for its log. Without this a platform that was stopped
on a full disk would not start again, and nobody could sign in to see why. Standard library only: the supervisor
keeps it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

RESERVE_BYTES: Final = 16 << 20
LOW_BYTES: Final = 4 << 20
"""With less left the disk counts as full."""
AMPLE: Final = 4
"""So many times the reserve must be free before it is set aside again."""


class Reserve:
    """The file `DATA/reserve`; `look` once before anything is opened, then from time to time."""

    def __init__(self, data: Path, size: int = RESERVE_BYTES, low: int = LOW_BYTES) -> None:
        self._path = data / "reserve"
        self._size = size
        self._low = low

    def look(self) -> None:
        """Give it up where the disk is full, set it aside anew where there is ample room. Never raises."""
        try:
            free = shutil.disk_usage(self._path.parent).free
            if self._path.exists():
                if free < self._low:
                    self._path.unlink()
                    logger.error("disk full, the reserve is given up path=%s free=%s", self._path.parent, free)
            elif free >= AMPLE * self._size:
                self._set_aside()
        except OSError as error:
            logger.warning("reserve not kept path=%s why=%s", self._path, error)

    def _set_aside(self) -> None:
        fresh = self._path.with_name("reserve.new")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
            fresh.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
