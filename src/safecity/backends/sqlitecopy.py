"""A copy of a SQLite file that others are writing to, by the online API; never by reading the file's bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from safecity.kit.errors import UnavailableError

PAGES: Final = 256
"""Copied at a time: the writer gets its turn between them."""


def copy_sqlite(source: Path, target: Path, pause: Callable[[], None] = lambda: None) -> None:
    """Copy as of one moment, calling `pause` between pieces. UnavailableError (`file_damaged`) for no database."""

    def between(status: int, remaining: int, total: int) -> None:
        pause()

    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=10)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            # A write during the copy makes the API begin again. A read transaction held over it stands still instead.
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            old.backup(new, pages=PAGES, progress=between, sleep=0)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, no WAL beside it
    except sqlite3.Error as error:
        raise UnavailableError(f"{source.name}: {error}", code="file_damaged", params={"file": source.name}) from error


def look_into(path: Path) -> dict[str, object]:
    """Whether it is sound, and how many rows each table has; for people who are asked for help."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as file:
            tables = [str(row[0]) for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = {name: file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
            return {"check": str(file.execute("PRAGMA quick_check(1)").fetchone()[0]), "rows": rows}
    except sqlite3.Error as error:
        return {"check": str(error)}
