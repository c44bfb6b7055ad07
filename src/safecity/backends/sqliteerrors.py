"""What SQLite says, in our words: a full disk, a damaged file, or that it cannot serve now."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Final

from safecity.kit.errors import UnavailableError

FULL_BYTES: Final = 1 << 20
"""With less left an I/O error is one of space: SQLite says so of a write, not of a file that cannot grow."""
_FULL, _IO, _CANTOPEN = sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def in_our_words(error: BaseException | None, path: Path | None, *, opening: bool = False) -> UnavailableError:
    """`disk_full`, `file_damaged` or `database_unavailable`. `opening`: the file itself is in question."""
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = path.name if path is not None else "database"
    if number == _FULL or (number in (_IO, _CANTOPEN) and path is not None and no_room(path)):
        return UnavailableError(f"{name}: the disk is full ({error})", code="disk_full")
    if opening and number in _DAMAGED:
        return UnavailableError(f"{name}: {error}", code="file_damaged", params={"file": name})
    return UnavailableError(f"{name}: {error}", code="database_unavailable")


def no_room(path: Path) -> bool:
    """Whether the disk under a file is full."""
    try:
        return shutil.disk_usage(path.parent).free < FULL_BYTES
    except OSError:
        return False
