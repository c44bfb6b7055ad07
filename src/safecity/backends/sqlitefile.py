"""The port `SqlFile` on SQLite: WAL, synchronous FULL, one connection that writes and checkpoints."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safecity.backends.sqliteerrors import in_our_words
from safecity.kit.errors import ConflictError, UnavailableError
from safecity.ports.sqlfile import Row


class _File:
    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, _bound(sql, values)).fetchall()
        except sqlite3.OperationalError as error:
            raise in_our_words(error, self._path) from error

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(sql, (_bound(sql, row) for row in rows) if "?1" in sql else rows)
        except sqlite3.OperationalError as error:
            raise in_our_words(error, self._path) from error

    @contextmanager
    def transaction(self) -> Generator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            # Also of a commit that found the disk full: a transaction left open would refuse every later one.
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _bound(sql: str, values: Sequence[Any]) -> Sequence[Any] | dict[str, Any]:
    """Numbered placeholders (`?1`) have names to Python from 3.12 on: a sequence for them is deprecated."""
    if "?1" not in sql:
        return values
    return {str(number): value for number, value in enumerate(values, 1)}


def open_file(path: Path) -> _File:
    """Open `path` as its sole writer; ConflictError while another process writes it, UnavailableError when it is no
    database (`file_damaged`), when the disk has no room for its log (`disk_full`), or for another reason.

    The lock is a file beside it, because the point is to refuse the second writer at the door and not when both
    meet in the WAL (a rare reset race below SQLite 3.51.3 can corrupt the file then).
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise ConflictError(f"{path.name}: another process writes it", code="second_writer") from error
    connection: sqlite3.Connection | None = None
    try:
        # Shared between a creating thread and a writing thread one after the other, never at once.
        connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        os.close(lock)
        raise in_our_words(error, path, opening=True) from error
    return _File(path, connection, lock)


def open_reader(path: Path) -> _File:
    """Open `path` read-only; UnavailableError when it is not there."""
    if not path.exists():
        raise UnavailableError(f"{path.name}: not there", code="index_missing")
    connection = sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=5, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    return _File(path, connection, None)
