"""The shared relational store: what must be asked by many is here, portable between SQLite and PostgreSQL.

Work is a plain function that gets a `Tx` and runs in one transaction in the engine's own thread, so a decision and its
effect read top to bottom and never interleave with another one's. It must not wait for anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]


class Tx(Protocol):
    """One transaction. Statements are SQLAlchemy Core; values are always bound, never written into SQL."""

    def rows(self, statement: Any) -> list[Row]:
        """All rows."""
        ...

    def row(self, statement: Any) -> Row | None:
        """The first row, or None."""
        ...

    def run(self, statement: Any, values: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Change something; the number of rows touched. ConflictError `duplicate` when a unique name is taken."""
        ...

    def add(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> int:
        """Put in many rows, each with every column of the table; how many. Errors as of `run`."""
        ...

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call once the transaction is durable (never when it is rolled back), in the caller's loop."""
        ...


class Database(Protocol):
    """Transactions, one at a time for writing. Durable when `write` returns."""

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a consistent view; it may not change anything."""
        ...

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a writing transaction; an exception rolls everything back."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close."""
        ...
