"""A local SQL file with one writing process and one connection: the index of a shelf, a duty's state and outbox.

Never moves to a server: what must be shared goes through the port `Database` or over Calls. Portable SQL is not
asked here; SQLite's own dialect is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]


class SqlFile(Protocol):
    """One connection. Not thread-safe: its owner keeps it in one thread."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement, all rows. Values stand at `?`, or at `?1`, `?2`, ... where one is needed twice."""
        ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commit (durable: synchronous FULL) on leaving, roll back on an exception. Not nested."""
        ...

    def close(self) -> None:
        """Checkpoint and close."""
        ...


OpenSqlFile = Callable[[Path], SqlFile]
"""Open for writing, creating the file and its folder; a second writer in another process is refused."""

OpenSqlReader = Callable[[Path], SqlFile]
"""Open read-only; never creates, never blocks the writer."""
