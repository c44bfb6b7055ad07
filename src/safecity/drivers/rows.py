"""What a driver keeps of its devices in signalling's own file, and the events that tell of it.

Changes are gathered for some milliseconds and committed with the events; what a device is to hear of it is said
afterwards, so that it forgets nothing that is not on the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from safecity.model.facts.envelope import Event
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound=Struct)
MAX_GATHERED: Final = 20_000
"""Events that wait for a disk which takes nothing; then devices are to keep what they have."""
MAX_ANSWERS: Final = 50_000
GATHER_SECONDS: Final = 0.05
AGAIN_SECONDS: Final = 1.0
"""Until what could not be written is tried again."""


class RowStore(Generic[Row]):
    """One writer, which commits by itself. `key` is the field that a row is found by."""

    def __init__(self, file: SqlFile, outbox: Outbox, *, table: str, key: str, kind: type[Row]) -> None:
        self._file = file
        self._outbox = outbox
        self._timer: asyncio.TimerHandle | None = None
        self._table = table
        self._key = key
        self._kind = kind
        self._rows: dict[str, Row | None] = {}
        self._events: list[Event] = []
        self._news: dict[tuple[str, str], Event] = {}
        self._afterwards: list[Callable[[], None]] = []
        # The names are the drivers' own, none comes from outside.
        self._all = f"SELECT body FROM {table}"  # noqa: S608
        self._put = f"INSERT OR REPLACE INTO {table} ({key}, body) VALUES (?, ?)"  # noqa: S608
        self._delete = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608
        file.execute(f"CREATE TABLE IF NOT EXISTS {table} ({key} TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID")

    def load(self) -> list[Row]:
        """All; a row that cannot be read (a newer program's, a damaged one) is left out."""
        rows: list[Row] = []
        for (body,) in self._file.execute(self._all):
            try:
                rows.append(msgspec.msgpack.decode(body, type=self._kind))
            except msgspec.DecodeError:
                logger.warning("device row unreadable, it begins anew kind=%s", self._kind.__name__)
                continue
        return rows

    def put(self, row: Row) -> None:
        self._rows[getattr(row, self._key)] = row
        self._schedule()

    def drop(self, name: str) -> None:
        self._rows[name] = None
        self._schedule()

    @property
    def full(self) -> bool:
        """Whether what devices report should stay with them for now: it could neither be kept nor handed on."""
        return len(self._events) >= MAX_GATHERED or self._outbox.crowded

    def add_event(self, event: Event) -> None:
        """A report; the caller asks `full` before."""
        self._events.append(event)
        self._schedule()

    def add_news(self, event: Event) -> None:
        """Who comes and goes cannot be asked to wait: while the disk takes nothing the last of each kind counts."""
        if len(self._events) < MAX_GATHERED:
            self._events.append(event)
        else:
            key = event.subject, event.kind
            self._news.pop(key, None)
            self._news[key] = event
        self._schedule()

    def afterwards(self, do: Callable[[], None], *, needed: bool = False) -> None:
        """Once all that was put so far is on the disk. What is not `needed` (an answer, which is asked for again) is
        left out when too much waits."""
        if not (self._rows or self._events):
            do()
        elif needed or len(self._afterwards) < MAX_ANSWERS:
            self._afterwards.append(do)

    def _schedule(self, seconds: float = GATHER_SECONDS) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.flush)

    def flush(self) -> None:
        """Commit what has gathered, then do what waits for it. What cannot be written is kept for the next try."""
        if not self._try():
            self._schedule(AGAIN_SECONDS)

    def close(self) -> None:
        """Commit what can be."""
        self._try()

    def _try(self) -> bool:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            self._commit()
        except Exception:
            logger.exception("devices not written table=%s", self._table)
            return False
        return True

    def _commit(self) -> None:
        if self._rows or self._events:
            encode = msgspec.msgpack.encode
            with self._file.transaction():
                kept = [(name, encode(row)) for name, row in self._rows.items() if row is not None]
                gone = [(name,) for name, row in self._rows.items() if row is None]
                self._file.executemany(self._put, kept)
                self._file.executemany(self._delete, gone)
                if self._events:
                    self._outbox.add([*self._events, *self._news.values()])
            self._rows, self._events, self._news = {}, [], {}
        afterwards, self._afterwards = self._afterwards, []
        for do in afterwards:
            do()
