"""The port `Database` on SQLAlchemy: SQLite with one writing and one reading thread, PostgreSQL by URL.

On SQLite the writing connection lives in its own thread, so that nobody waits for a lock inside the database: who
comes second waits in the queue of that thread. Readers see the last commit (WAL) and never hold the writer up.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, StatementError
from sqlalchemy.pool import SingletonThreadPool

from safecity.backends import bulk
from safecity.backends.sqliteerrors import in_our_words
from safecity.kit.errors import ConflictError, SafecityError, UnavailableError
from safecity.ports.database import Row, Tx

T = TypeVar("T")
_DISK_FULL = "53100"
"""PostgreSQL's own word for it."""
_TURN = 0x5AFEC17
"""Of this platform's writers, among all that lock something in the same PostgreSQL database."""


class _Tx:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.after: list[Callable[[], None]] = []

    def rows(self, statement: Any) -> list[Row]:
        return cast("list[Row]", self._execute(statement, None).mappings().all())

    def row(self, statement: Any) -> Row | None:
        return cast("Row | None", self._execute(statement, None).mappings().first())

    def run(self, statement: Any, values: Sequence[Mapping[str, Any]] | None = None) -> int:
        if values is not None and not values:
            return 0
        result = self._execute(statement, None if values is None else list(values))
        return int(result.rowcount)

    def add(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> int:
        return self._as_callers(lambda: bulk.add(self._connection, table, rows)) if rows else 0

    def _execute(self, statement: Any, values: list[Mapping[str, Any]] | None) -> CursorResult[Any]:
        return self._as_callers(lambda: cast("CursorResult[Any]", self._connection.execute(statement, values)))

    def _as_callers(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except StatementError as error:
            # A value that its column type refused (an id that is none, say): the caller's own error, not SQL's.
            if isinstance(error.orig, SafecityError):
                raise error.orig from error
            raise

    def after_commit(self, call: Callable[[], None]) -> None:
        self.after.append(call)


class SqlDatabase:
    """Made by `open_database`."""

    def __init__(self, writer: Engine, reader: Engine, threads: int, lock: int | None, path: Path | None) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self._path = path
        self._write_threads = ThreadPoolExecutor(threads, "database-write")
        self._read_threads = ThreadPoolExecutor(max(threads, 2), "database-read")

    async def read(self, work: Callable[[Tx], T]) -> T:
        def run() -> T:
            with self._reader.connect() as connection, connection.begin():
                return work(_Tx(connection))

        return await asyncio.get_running_loop().run_in_executor(self._read_threads, _translated(run, self._path))

    async def write(self, work: Callable[[Tx], T]) -> T:
        def run() -> tuple[T, list[Callable[[], None]]]:
            with self._writer.connect() as connection, connection.begin():
                tx = _Tx(connection)
                done = work(tx)
            return done, tx.after

        # Shielded: a caller that gives up must not be told "no" while the thread commits behind its back.
        result, after = await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._write_threads, _translated(run, self._path))
        )
        for call in after:
            call()
        return result

    async def close(self) -> None:
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """See `close`; waits for what is under way."""
        self._write_threads.shutdown(wait=True)
        self._read_threads.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _translated(run: Callable[[], T], path: Path | None) -> Callable[[], T]:
    context = copy_context()  # an executor's thread has none of its own, and events are made in there

    def wrapped() -> T:
        try:
            return context.run(run)
        except StatementError as error:
            raise _foreign(error, path) from error

    return wrapped


def _foreign(error: StatementError, path: Path | None) -> Exception:
    match error:
        case IntegrityError():
            return ConflictError("a rule of the database refused it", code="duplicate")
        case OperationalError() if getattr(error.orig, "sqlstate", "") == _DISK_FULL:
            return UnavailableError(f"database: {error.orig}", code="disk_full")
        case OperationalError():
            return in_our_words(error.orig, path)
        case _:
            return error


def open_database(url: str, *, migrate: bool = True) -> SqlDatabase:
    """Open by URL (`sqlite:////path/control.db`, `postgresql+psycopg://...`) and bring the schema up to date.

    ConflictError `second_writer` when another process has the SQLite file open for writing; UnavailableError when the
    disk is full, the file damaged or the server not there, and then nothing stays open.
    """
    path = Path(make_url(url).database or "") if make_url(url).get_backend_name() == "sqlite" else None
    lock: int | None = None
    if path is not None:
        lock = _take_lock(path)
        writer, reader, threads = _sqlite(url, readonly=False), _sqlite(url, readonly=True), 1
    else:
        writer, reader, threads = _server(url, readonly=False), _server(url, readonly=True), 4
    database = SqlDatabase(writer, reader, threads, lock, path)
    try:
        if migrate:
            from safecity.backends.migrations.lineage import upgrade

            upgrade(writer)
    except BaseException as error:
        database.stop()
        if isinstance(error, DatabaseError):
            raise in_our_words(error.orig, path, opening=True) from error
        raise
    return database


def open_by_url(url: str) -> SqlDatabase:
    """`sqlite:/path/control.db` as the settings say it, or any URL of SQLAlchemy's."""
    scheme, _, path = url.partition(":")
    return open_database(f"sqlite:///{path}" if scheme == "sqlite" and not path.startswith("//") else url)


def _take_lock(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise ConflictError(f"{path.name}: another process writes it", code="second_writer") from error
    return lock


def _server(url: str, *, readonly: bool) -> Engine:
    """PostgreSQL: a reader sees one moment, and writers take turns there as they do in a file."""
    engine = create_engine(url, pool_size=4, pool_pre_ping=True)
    if readonly:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # Decisions read and then write: without the turn two of them would read the same and one would be lost.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")

    return engine


def _sqlite(url: str, *, readonly: bool) -> Engine:
    """One connection per engine thread, kept open: opening costs more than most queries."""
    engine = create_engine(url, poolclass=SingletonThreadPool, pool_size=4, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        if readonly:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine
