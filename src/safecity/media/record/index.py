"""The index of a shelf, the writing side: all of one second in one transaction, after the media is durable.

One row per channel and minute; the minute under way lives in `open_minute`, so that a commit each second rewrites a
few dense pages and not one page per channel. Times: milliseconds in `minute`, `pack`, `extent_channel`; microseconds
elsewhere. `extent.no` and `run.no` are never given twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from safecity.kit.errors import UnavailableError
from safecity.media.record.rows import MINUTE_MS
from safecity.ports.sqlfile import Row, SqlFile

SCHEMA_VERSION: Final = 1
OPEN, CLOSED, GARBAGE, MISSING = 1, 2, 3, 4
"""States of an extent. Garbage: its rows are gone, the file is on its way to the pool."""

BROKEN, BACKFILLED = 1, 2
"""Flags of a minute: it has holes (look into the pack), it came from a device's own recording."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE channel (no INTEGER PRIMARY KEY, id BLOB NOT NULL, quality INTEGER NOT NULL, UNIQUE (id, quality));
CREATE TABLE init (no INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE run (no INTEGER PRIMARY KEY, channel_no INTEGER NOT NULL, run INTEGER NOT NULL, epoch INTEGER NOT NULL,
  init_no INTEGER NOT NULL, start INTEGER NOT NULL, UNIQUE (channel_no, run));
CREATE TABLE extent (no INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, generation INTEGER NOT NULL,
  size INTEGER NOT NULL, layout INTEGER NOT NULL, state INTEGER NOT NULL, written INTEGER NOT NULL,
  created INTEGER NOT NULL);
CREATE INDEX extent_state ON extent (state) WHERE state <> 2;
CREATE TABLE extent_channel (extent_no INTEGER NOT NULL, channel_no INTEGER NOT NULL, bytes INTEGER NOT NULL,
  start INTEGER NOT NULL, "end" INTEGER NOT NULL, PRIMARY KEY (extent_no, channel_no)) WITHOUT ROWID;
CREATE INDEX extent_channel_end ON extent_channel (channel_no, "end");
CREATE TABLE minute (channel_no INTEGER NOT NULL, minute INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, bytes INTEGER NOT NULL, flags INTEGER NOT NULL,
  PRIMARY KEY (channel_no, minute)) WITHOUT ROWID;
CREATE TABLE pack (channel_no INTEGER NOT NULL, minute INTEGER NOT NULL, chunks BLOB NOT NULL,
  PRIMARY KEY (channel_no, minute)) WITHOUT ROWID;
CREATE TABLE open_minute (channel_no INTEGER PRIMARY KEY, minute INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, bytes INTEGER NOT NULL, flags INTEGER NOT NULL, chunks BLOB NOT NULL, count INTEGER NOT NULL,
  digest BLOB NOT NULL, run_no INTEGER NOT NULL, sequence INTEGER NOT NULL, head BLOB NOT NULL,
  extent_no INTEGER NOT NULL, written INTEGER NOT NULL);
CREATE TABLE digest (channel_no INTEGER NOT NULL, minute INTEGER NOT NULL, part INTEGER NOT NULL,
  chunks INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (channel_no, minute, part)) WITHOUT ROWID;
CREATE TABLE checkpoint (channel_no INTEGER NOT NULL, at INTEGER NOT NULL, run INTEGER NOT NULL,
  sequence INTEGER NOT NULL, head BLOB NOT NULL, key_id BLOB NOT NULL, signature BLOB NOT NULL,
  PRIMARY KEY (channel_no, at)) WITHOUT ROWID;
CREATE TABLE gap (channel_no INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, cause TEXT NOT NULL,
  detail TEXT NOT NULL, PRIMARY KEY (channel_no, start)) WITHOUT ROWID;
CREATE TABLE hold (id TEXT PRIMARY KEY, channel BLOB NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
  reason TEXT NOT NULL, placed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE deletion (no INTEGER PRIMARY KEY, channel_no INTEGER NOT NULL, start INTEGER NOT NULL,
  "end" INTEGER NOT NULL, bytes INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, extents INTEGER NOT NULL);
CREATE INDEX deletion_channel ON deletion (channel_no, "end");
CREATE TABLE punch (extent_no INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
  PRIMARY KEY (extent_no, start)) WITHOUT ROWID;
"""


_ADDED: Final = """
CREATE TABLE IF NOT EXISTS keep (channel_no INTEGER PRIMARY KEY, days INTEGER NOT NULL, max_bytes INTEGER NOT NULL,
  floor_days INTEGER NOT NULL);
"""
"""Tables that came later: an index of before gets them when it is opened, and who does not know them is not harmed."""


class OpenRow(NamedTuple):
    """The minute under way of one channel, and where its chain and its extent stand."""

    channel_no: int
    minute: int
    first: int
    last: int
    bytes: int
    flags: int
    chunks: bytes
    members: int
    digest: bytes
    run_no: int
    sequence: int
    head: bytes
    extent_no: int
    written: int


class ExtentRow(NamedTuple):
    """A row of `extent`."""

    no: int
    name: str
    generation: int
    size: int
    layout: int
    state: int
    written: int
    created: int


class Index:
    """Collects the changes of a second and commits them. Lives in the writer thread alone."""

    def __init__(self, sql: SqlFile) -> None:
        self.sql = sql
        self._changes: list[tuple[str, Sequence[Any]]] = []
        self._prepare()
        self._next = {
            table: int(sql.execute(f"SELECT coalesce(max(no), 0) + 1 FROM {table}")[0][0])  # noqa: S608 (own names)
            for table in ("channel", "init", "run")
        }
        row = sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'extent'")
        self._next["extent"] = int(row[0][0]) + 1 if row else 1
        self._channels: dict[tuple[bytes, int], int] = {
            (bytes(one), quality): no for no, one, quality in sql.execute("SELECT no, id, quality FROM channel")
        }
        self._inits: dict[bytes, int] = {bytes(one): no for no, one in sql.execute("SELECT no, digest FROM init")}

    def _prepare(self) -> None:
        if not self.sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            with self.sql.transaction():
                for statement in _SCHEMA.split(";\n"):
                    if statement.strip():
                        self.sql.execute(statement)
                self.sql.execute("INSERT INTO meta VALUES ('schema', ?)", (SCHEMA_VERSION,))
        version = self.sql.execute("SELECT value FROM meta WHERE key = 'schema'")[0][0]
        if version != SCHEMA_VERSION:
            raise UnavailableError(f"index of version {version}", code="index_version", params={"version": version})
        self.sql.execute(_ADDED.strip())

    # --- collecting ----------------------------------------------------------------------------------------

    def add(self, sql: str, values: Sequence[Any]) -> None:
        """Into the next commit."""
        self._changes.append((sql, values))

    @property
    def changed(self) -> bool:
        return bool(self._changes)

    def commit(self) -> None:
        """All or nothing, durable on return. What failed stays collected for nobody: the caller gives the shelf up."""
        changes, self._changes = self._changes, []
        if changes:
            with self.sql.transaction():
                for sql, values in changes:
                    self.sql.execute(sql, values)

    def number(self, table: str) -> int:
        """A fresh number for `init`, `run` or `extent`."""
        number = self._next[table]
        self._next[table] = number + 1
        return number

    def channel(self, channel: bytes, quality: int) -> int:
        """The small number of a channel's stream on this shelf."""
        key = (channel, quality)
        if key not in self._channels:
            number = self._channels[key] = self.number("channel")
            self.add("INSERT INTO channel VALUES (?, ?, ?)", (number, channel, quality))
        return self._channels[key]

    def channels(self) -> dict[tuple[bytes, int], int]:
        return self._channels

    def init(self, digest: bytes, body: bytes) -> int:
        """The row of an init segment, once however many runs use it."""
        if digest not in self._inits:
            number = self._inits[digest] = self.number("init")
            self.add("INSERT INTO init VALUES (?, ?, ?)", (number, digest, body))
        return self._inits[digest]

    def known_init(self, digest: bytes) -> int | None:
        return self._inits.get(digest)

    def run(self, channel_no: int, run: int, epoch: int, init_no: int, start: int) -> int:
        number = self.number("run")
        self.add("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)", (number, channel_no, run, epoch, init_no, start))
        return number

    def extent(self, name: str, generation: int, size: int, layout: int, created: int) -> int:
        number = self.number("extent")
        self.add(
            "INSERT INTO extent VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
            (number, name, generation, size, layout, OPEN, created),
        )
        return number

    def written(self, extent_no: int, written: int, state: int) -> None:
        self.add("UPDATE extent SET written = ?, state = ? WHERE no = ?", (written, state, extent_no))

    def open_minute(self, row: OpenRow) -> None:
        self.add("INSERT OR REPLACE INTO open_minute VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def close_minute(self, row: OpenRow) -> None:
        """Move the minute to where finished ones lie, joining what is there of it already (the clock went back)."""
        base = row.minute * MINUTE_MS
        self.add(
            "INSERT INTO minute VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "first = min(first, excluded.first), last = max(last, excluded.last), bytes = bytes + excluded.bytes, "
            "flags = flags | excluded.flags | 1",  # BROKEN
            (row.channel_no, row.minute, row.first - base, row.last - base, row.bytes, row.flags),
        )
        self.add(
            "INSERT INTO pack VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET chunks = CAST(chunks || excluded.chunks AS BLOB)",
            (row.channel_no, row.minute, row.chunks),
        )
        self.add(
            "INSERT INTO digest SELECT ?1, ?2, coalesce(max(part), -1) + 1, ?3, ?4 FROM digest "
            "WHERE channel_no = ?1 AND minute = ?2",
            (row.channel_no, row.minute, row.members, row.digest),
        )

    def use(self, extent_no: int, channel_no: int, size: int, start: int, end: int) -> None:
        """Add to the bytes a channel has in an extent."""
        self.add(
            "INSERT INTO extent_channel VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            'bytes = bytes + excluded.bytes, start = min(start, excluded.start), "end" = max("end", excluded."end")',
            (extent_no, channel_no, size, start, end),
        )

    def gap(self, channel_no: int, start: int, end: int, cause: str, detail: str) -> None:
        """`end` 0 while it lasts."""
        self.add("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?)", (channel_no, start, end, cause, detail))

    def set_meta(self, key: str, value: Any) -> None:
        self.add("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # --- asking (the writer's own questions) ----------------------------------------------------------------

    def meta(self, key: str) -> Any:
        rows = self.sql.execute("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def extents(self, *states: int) -> list[ExtentRow]:
        marks = ",".join("?" * len(states))
        rows = self.sql.execute(f"SELECT * FROM extent WHERE state IN ({marks}) ORDER BY no", states)  # noqa: S608
        return [ExtentRow(*row) for row in rows]

    def open_rows(self) -> dict[int, OpenRow]:
        return {row[0]: OpenRow(*row) for row in self.sql.execute("SELECT * FROM open_minute")}

    def last_end(self, channel_no: int) -> int | None:
        """Where the channel's footage ends, microseconds."""
        rows = self.sql.execute(
            "SELECT max(e) FROM (SELECT minute * 60000 + last AS e FROM (SELECT minute, last FROM minute "
            "WHERE channel_no = ?1 ORDER BY minute DESC LIMIT 2) UNION ALL "
            "SELECT last FROM open_minute WHERE channel_no = ?1)",
            (channel_no,),
        )
        return int(rows[0][0]) * 1000 if rows[0][0] is not None else None

    def last_run(self, channel_no: int) -> int:
        return int(self.sql.execute("SELECT coalesce(max(run), 0) FROM run WHERE channel_no = ?", (channel_no,))[0][0])

    def open_gap(self, channel_no: int) -> Row | None:
        """(start, cause, detail) of the gap that lasts."""
        rows = self.sql.execute(
            'SELECT start, cause, detail FROM gap WHERE channel_no = ? AND "end" = 0 ORDER BY start DESC', (channel_no,)
        )
        return rows[0] if rows else None

    def close(self) -> None:
        self.sql.close()
