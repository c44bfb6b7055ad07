"""The index of a shelf, the reading side: read-only, beside the writer, in any process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from safecity.media.record.chunk import Flag
from safecity.media.record.index import BACKFILLED, BROKEN
from safecity.media.record.rows import MINUTE_MS, Entry, unpack
from safecity.ports.sqlfile import SqlFile


class Span(NamedTuple):
    """Footage [start, end) milliseconds UTC."""

    start: int
    end: int
    bytes: int
    backfilled: bool


class Absence(NamedTuple):
    """No footage [start, end) microseconds UTC; `end` 0 while it lasts."""

    start: int
    end: int
    cause: str
    detail: str


class ShelfIndex:
    """One shelf's rows. Not thread-safe."""

    def __init__(self, path: Path, sql: SqlFile) -> None:
        self.path = path
        self._sql = sql
        self._node = _node(path)
        self._numbers: dict[tuple[bytes, int], int] = {}
        self._extents: dict[int, tuple[str, int]] = {}

    def close(self) -> None:
        self._sql.close()

    def is_current(self) -> bool:
        """Whether this is still the index that lies there."""
        return self._node == _node(self.path) != (0, 0)

    def number(self, channel: bytes, quality: int) -> int | None:
        """The channel's number on this shelf."""
        key = (channel, quality)
        if key not in self._numbers:
            rows = self._sql.execute("SELECT no FROM channel WHERE id = ? AND quality = ?", key)
            if not rows:
                return None
            self._numbers[key] = rows[0][0]
        return self._numbers[key]

    def spans(self, no: int, start: int, end: int, join: int) -> list[Span]:
        """Footage touching [start, end) milliseconds; holes of at most `join` milliseconds are not shown."""
        rows = self._sql.execute(
            "SELECT minute, first, last, bytes, flags FROM minute WHERE channel_no = ? AND minute BETWEEN ? AND ? "
            "ORDER BY minute",
            (no, start // MINUTE_MS - 1, (end - 1) // MINUTE_MS),
        )
        opened = self._sql.execute(
            "SELECT minute, first, last, bytes, flags FROM open_minute WHERE channel_no = ?", (no,)
        )
        found: list[Span] = []
        at_start = at_end = size = 0
        backfilled = False
        some = False
        for minute, first, last, count, flags in rows:
            begin = minute * MINUTE_MS + first
            if flags & BROKEN:
                if some:
                    found.append(Span(at_start, at_end, size, backfilled))
                    some = False
                found += self._inside(no, minute, join, bool(flags & BACKFILLED))
                continue
            mine = bool(flags & BACKFILLED)
            if some and 0 <= begin - at_end <= join and mine is backfilled:
                at_end = minute * MINUTE_MS + last
                size += count
            else:
                if some:
                    found.append(Span(at_start, at_end, size, backfilled))
                some, at_start, at_end, size, backfilled = True, begin, minute * MINUTE_MS + last, count, mine
        if some:
            found.append(Span(at_start, at_end, size, backfilled))
        for minute, first, last, count, flags in opened:
            if flags & BROKEN:
                found += self._inside_open(no, minute, join, bool(flags & BACKFILLED))
            else:
                found.append(Span(first, last, count, bool(flags & BACKFILLED)))
        return [one for one in joined(found, join) if one.end > start and one.start < end]

    def _inside(self, no: int, minute: int, join: int, backfilled: bool) -> list[Span]:
        rows = self._sql.execute("SELECT chunks FROM pack WHERE channel_no = ? AND minute = ?", (no, minute))
        entries = [one for (chunks,) in rows for one in unpack(bytes(chunks), minute)]
        return joined([Span(one.start, one.end, one.payload, backfilled) for one in entries], join)

    def _inside_open(self, no: int, minute: int, join: int, backfilled: bool) -> list[Span]:
        rows = self._sql.execute("SELECT chunks FROM open_minute WHERE channel_no = ?", (no,))
        entries = [one for (chunks,) in rows for one in unpack(bytes(chunks), minute)]
        return joined([Span(one.start, one.end, one.payload, backfilled) for one in entries], join)

    def absences(self, no: int, start: int, end: int) -> list[Absence]:
        """Gaps and deletions touching [start, end) microseconds."""
        gaps = self._sql.execute(
            'SELECT start, "end", cause, detail FROM gap '
            'WHERE channel_no = ? AND start < ? AND ("end" = 0 OR "end" > ?)',
            (no, end, start),
        )
        deleted = self._sql.execute(
            'SELECT start, "end", reason FROM deletion WHERE channel_no = ? AND "end" > ? AND start < ?',
            (no, start, end),
        )
        found = [Absence(*row) for row in gaps]
        return found + [Absence(one, two, "deleted", reason) for one, two, reason in deleted]

    def holds(self, channel: bytes) -> list[tuple[int, int]]:
        """Held ranges, microseconds."""
        return [
            (one, two) for one, two in self._sql.execute('SELECT start, "end" FROM hold WHERE channel = ?', (channel,))
        ]

    def minutes(self, no: int, start: int, end: int) -> list[int]:
        """Minutes (since 1970) with footage."""
        rows = self._sql.execute(
            "SELECT minute FROM minute WHERE channel_no = ?1 AND minute BETWEEN ?2 AND ?3 UNION "
            "SELECT minute FROM open_minute WHERE channel_no = ?1 AND minute BETWEEN ?2 AND ?3",
            (no, start, end),
        )
        return [row[0] for row in rows]

    def footage_in(self, no: int, start: int, end: int) -> bool:
        """Whether any minute of [start, end] (minutes since 1970) has footage: one probe, however long the range."""
        return bool(
            self._sql.execute(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM minute WHERE channel_no = ?1 AND minute BETWEEN ?2 AND ?3) "
                "OR EXISTS (SELECT 1 FROM open_minute WHERE channel_no = ?1 AND minute BETWEEN ?2 AND ?3)",
                (no, start, end),
            )
        )

    def entries(self, no: int, start: int, end: int) -> list[Entry]:
        """Chunks touching [start, end) milliseconds, in order of time."""
        first, last = start // MINUTE_MS - 1, (end - 1) // MINUTE_MS
        rows = self._sql.execute(
            "SELECT minute, chunks FROM pack WHERE channel_no = ?1 AND minute BETWEEN ?2 AND ?3 UNION ALL "
            "SELECT minute, chunks FROM open_minute WHERE channel_no = ?1 AND minute BETWEEN ?2 AND ?3",
            (no, first, last),
        )
        found = [one for minute, chunks in rows for one in unpack(bytes(chunks), minute)]
        found = [one for one in found if one.end > start and one.start < end]
        found.sort(key=lambda one: one.start)
        return found

    def keys_before(self, no: int, at: int) -> Iterator[Entry]:
        """Chunks whose first key frame is at or before `at` milliseconds, the nearest first."""
        minute, step = at // MINUTE_MS, 2
        while step <= 4096:
            rows = self._sql.execute(
                "SELECT minute, chunks FROM (SELECT minute, chunks FROM pack WHERE channel_no = ?1 AND minute <= ?2 "
                "UNION ALL SELECT minute, chunks FROM open_minute WHERE channel_no = ?1 AND minute <= ?2) "
                "ORDER BY minute DESC LIMIT ?3",
                (no, minute, step),
            )
            found = [
                one
                for number, chunks in rows
                for one in unpack(bytes(chunks), number)
                if one.flags & Flag.KEY and one.start + one.first_key <= at
            ]
            yield from sorted(found, key=lambda one: one.start + one.first_key, reverse=True)
            if len(rows) < step:
                return
            minute, step = rows[-1][0] - 1, step * 8

    def next_key(self, no: int, at: int) -> Entry | None:
        """The first chunk with a key frame at or after `at` milliseconds."""
        minute = at // MINUTE_MS
        rows = self._sql.execute(
            "SELECT minute, chunks FROM pack WHERE channel_no = ?1 AND minute >= ?2 UNION ALL "
            "SELECT minute, chunks FROM open_minute WHERE channel_no = ?1 AND minute >= ?2 ORDER BY 1 LIMIT 3",
            (no, minute),
        )
        found = [
            one
            for number, chunks in rows
            for one in unpack(bytes(chunks), number)
            if one.flags & Flag.KEY and one.start + one.first_key >= at
        ]
        return min(found, key=lambda one: one.start, default=None)

    def init(self, run: int) -> bytes | None:
        """The init segment of a run."""
        rows = self._sql.execute("SELECT i.body FROM run r JOIN init i ON i.no = r.init_no WHERE r.no = ?", (run,))
        return bytes(rows[0][0]) if rows else None

    def extent(self, number: int) -> tuple[str, int] | None:
        """(file name, generation)."""
        if number not in self._extents:
            rows = self._sql.execute("SELECT name, generation FROM extent WHERE no = ?", (number,))
            if not rows:
                return None
            self._extents[number] = (rows[0][0], rows[0][1])
        return self._extents[number]

    def forget(self, extent: int) -> None:
        self._extents.pop(extent, None)


def _node(path: Path) -> tuple[int, int]:
    try:
        status = (path / "index.db").stat()
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)


def joined(spans: list[Span], join: int) -> list[Span]:
    """In order of time, touching ones made one."""
    out: list[Span] = []
    for one in sorted(spans):
        if out and one.start - out[-1].end <= join and one.backfilled is out[-1].backfilled:
            last = out[-1]
            out[-1] = Span(last.start, max(last.end, one.end), last.bytes + one.bytes, last.backfilled)
        else:
            out.append(one)
    return out
