"""Facts of a slot until control has them: a table in the slot's file that stays small however long control is away.

A camera that flaps makes thousands of facts a day of which only the last one matters; who watched what matters each
time. So facts are of two sorts. Those of the first have a key: once more than `CALM` wait, a newer one takes the place
of the older ones of its key and says how many it stands for (`stands_for`). Those of the second all stay, and go only
when `MAX_OUTBOX` are there and no fact of the first sort is left to go before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from safecity.media.slot.facts import STREAM_LOST, STREAM_RECOVERED
from safecity.model.facts.envelope import Event
from safecity.ports.sqlfile import SqlFile

CALM: Final = 5_000
"""Fewer than these are kept as they are."""
MAX_OUTBOX: Final = 200_000
"""About 60 MB."""
STANDS_FOR: Final = "stands_for"
_LAST_COUNTS: Final = ("stream.", "recording.", "volume.")
"""Beginnings of kinds of which the newest says it all: states, and gaps, which the index holds anyway."""

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS outbox (no INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)",
    "ALTER TABLE outbox ADD COLUMN key TEXT",
    "CREATE INDEX IF NOT EXISTS outbox_key ON outbox (key, no) WHERE key IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS lost (channel TEXT NOT NULL, quality TEXT NOT NULL, PRIMARY KEY (channel, quality)) "
    "WITHOUT ROWID",
)


class Outbox:
    """See the module. Its changes happen in the transaction of the caller, or in one of their own."""

    def __init__(self, sql: SqlFile) -> None:
        self._sql = sql
        self.dropped = 0
        """Facts that were lost for good in this life."""
        for statement in _TABLES:
            if "ADD COLUMN" not in statement or "key" not in self._columns():
                sql.execute(statement)
        self.size = int(sql.execute("SELECT count(*) FROM outbox")[0][0])

    def add(self, events: Sequence[Event]) -> None:
        """Durable on return."""
        if not events:
            return
        size, dropped = self.size, self.dropped
        try:
            with self._sql.transaction():
                for event in events:
                    self._put(event)
                self._make_room()
        except BaseException:
            self.size, self.dropped = size, dropped
            raise

    def waiting(self, limit: int) -> list[tuple[int, Event]]:
        """The oldest facts that control does not have yet, with their numbers."""
        rows = self._sql.execute("SELECT no, body FROM outbox ORDER BY no LIMIT ?", (limit,))
        return [(no, msgspec.msgpack.decode(bytes(body), type=Event)) for no, body in rows]

    def sent(self, up_to: int) -> None:
        """Control has committed them."""
        with self._sql.transaction():
            gone = self._sql.execute("DELETE FROM outbox WHERE no <= ? RETURNING 1", (up_to,))
        self.size -= len(gone)

    def lost(self) -> list[tuple[str, str]]:
        """(channel, quality) of streams of which it was said last that they are lost, in whichever life."""
        return self._sql.execute("SELECT channel, quality FROM lost")

    def _put(self, event: Event) -> None:
        stream = (event.subject, str(event.body.get("quality", "")))
        if event.kind == STREAM_LOST:
            self._sql.execute("INSERT OR IGNORE INTO lost VALUES (?, ?)", stream)
        elif event.kind == STREAM_RECOVERED:
            self._sql.execute("DELETE FROM lost WHERE channel = ? AND quality = ?", stream)
        key = key_of(event)
        if key is not None and self.size >= CALM:
            older = self._sql.execute("DELETE FROM outbox WHERE key = ? RETURNING body", (key,))
            self.size -= len(older)
            count = sum(_count(msgspec.msgpack.decode(bytes(body), type=Event)) for (body,) in older)
            if count:
                event = msgspec.structs.replace(event, body={**event.body, STANDS_FOR: count + _count(event)})
        self._sql.execute("INSERT INTO outbox (body, key) VALUES (?, ?)", (msgspec.msgpack.encode(event), key))
        self.size += 1

    def _make_room(self) -> None:
        for condition in ("key IS NOT NULL", "key IS NULL"):
            over = self.size - MAX_OUTBOX
            if over > 0:
                oldest = f"SELECT no FROM outbox WHERE {condition} ORDER BY no LIMIT ?"  # noqa: S608 (own words)
                gone = self._sql.execute(f"DELETE FROM outbox WHERE no IN ({oldest}) RETURNING 1", (over,))  # noqa: S608
                self.size -= len(gone)
                self.dropped += len(gone)

    def _columns(self) -> list[Any]:
        return [row[1] for row in self._sql.execute("PRAGMA table_info(outbox)")]


def key_of(event: Event) -> str | None:
    """What a newer fact of the same key makes old; None for a fact that matters each time."""
    if not event.kind.startswith(_LAST_COUNTS):
        return None
    family = event.kind.split(".", maxsplit=1)[0]
    return f"{family}/{event.subject}/{event.body.get('quality', '')}"


def _count(event: Event) -> int:
    return int(event.body.get(STANDS_FOR, 1))
