"""What is kept of terminals in signalling's own file: bindings, codes as hashes, presence, alarms that are set.

Changes are gathered for some milliseconds and committed with the events that tell of them; what a terminal is to hear
of it is said afterwards, so that it forgets nothing that is not on the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from safecity.model.facts.envelope import Event
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile

logger = logging.getLogger(__name__)
MAX_GATHERED: Final = 20_000
"""Events that wait for a disk which takes nothing; then terminals are to keep what they have."""
MAX_ANSWERS: Final = 50_000
_SCHEMA = "CREATE TABLE IF NOT EXISTS terminal (phone TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"


class TerminalRow(Struct, frozen=True, array_like=True):
    """What of a terminal outlives the process. Fields are only ever added at the end.

    driver   whether a driver's card is in: 0 it never said, 1 yes, 2 no. Whose it is is not kept.
    """

    phone: str
    terminal_id: str = ""
    imei: str = ""
    code_hash: bytes = b""
    version: int = 0
    state: str = "never"
    since: int = 0
    address: str = ""
    alarms: int = 0
    plate: str = ""
    software: str = ""
    device: str = ""
    driver: int = 0


class TerminalStore:
    """One writer. `schedule` is called when there is something to commit; its owner calls `flush` soon after."""

    def __init__(self, file: SqlFile, outbox: Outbox, schedule: Callable[[], None]) -> None:
        self._file = file
        self._outbox = outbox
        self._schedule = schedule
        self._rows: dict[str, TerminalRow | None] = {}
        self._events: list[Event] = []
        self._news: dict[tuple[str, str], Event] = {}
        self._afterwards: list[Callable[[], None]] = []
        file.execute(_SCHEMA)

    def load(self) -> list[TerminalRow]:
        """All; a row that cannot be read (a newer program's, a damaged one) is left out."""
        rows: list[TerminalRow] = []
        for (body,) in self._file.execute("SELECT body FROM terminal"):
            try:
                rows.append(msgspec.msgpack.decode(body, type=TerminalRow))
            except msgspec.DecodeError:
                logger.warning("terminal row unreadable, it has to register anew")
                continue
        return rows

    def put(self, row: TerminalRow) -> None:
        self._rows[row.phone] = row
        self._schedule()

    def drop(self, phone: str) -> None:
        self._rows[phone] = None
        self._schedule()

    @property
    def full(self) -> bool:
        """Whether what terminals report should stay with them for now: it could neither be kept nor handed on."""
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

    def flush(self) -> None:
        """Commit what has gathered, then do what waits for it. What cannot be written is kept for the next try."""
        if self._rows or self._events:
            encode = msgspec.msgpack.encode
            with self._file.transaction():
                kept = [(phone, encode(row)) for phone, row in self._rows.items() if row is not None]
                gone = [(phone,) for phone, row in self._rows.items() if row is None]
                self._file.executemany("INSERT OR REPLACE INTO terminal (phone, body) VALUES (?, ?)", kept)
                self._file.executemany("DELETE FROM terminal WHERE phone = ?", gone)
                if self._events:
                    self._outbox.add([*self._events, *self._news.values()])
            self._rows, self._events, self._news = {}, [], {}
        afterwards, self._afterwards = self._afterwards, []
        for do in afterwards:
            do()
