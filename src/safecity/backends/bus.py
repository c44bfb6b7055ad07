"""The embedded bus: one SQL file in control, everybody else reaches it over Calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from safecity.backends.sqlitefile import open_file
from safecity.model.facts.control_calls import Acknowledge, Bell, Publish, Published, Pull, Pulled, Rewind, Rung
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Done, Message
from safecity.ports.calls import Handler, StreamHandler
from safecity.ports.sqlfile import OpenSqlFile, SqlFile

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode

MAX_ANSWER = 512 * 1024
"""Bytes of events in one answer over Calls."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS event (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, subject TEXT NOT NULL, seen INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS event_kind ON event (kind, position)",
    "CREATE TABLE IF NOT EXISTS consumer (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
)


def open_by_url(url: str) -> EmbeddedBus:
    """`sqlite:/path/bus.db`."""
    return EmbeddedBus(open_file, Path(url.partition(":")[2]))


def _fitting(found: list[tuple[int, Event]]) -> list[tuple[int, Event]]:
    """As many as fit one frame of Calls, at least one; the rest comes with the next pull."""
    size = 0
    for index, (_, event) in enumerate(found):
        size += len(_encode(event))
        if size > MAX_ANSWER and index:
            return found[:index]
    return found


class EmbeddedBus:
    """The port `Bus` on a SqlFile, whose only connection lives in one thread of its own."""

    def __init__(self, open_file: OpenSqlFile, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, "bus")
        self._bells: set[asyncio.Event] = set()
        self._file: SqlFile = self._thread.submit(self._open, open_file, path).result()

    @staticmethod
    def _open(open_file: OpenSqlFile, path: Path) -> SqlFile:
        file = open_file(path)
        try:
            for statement in _SCHEMA:
                file.execute(statement)
        except BaseException:
            file.close()
            raise
        return file

    async def _run(self, work: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def publish(self, events: Sequence[Event]) -> int:
        new = await self._run(self._publish, events)
        if new:
            for bell in self._bells:
                bell.set()
        return new

    def _publish(self, events: Sequence[Event]) -> int:
        with self._file.transaction():
            before = self._file.execute("SELECT total_changes()")[0][0]
            self._file.executemany(
                "INSERT OR IGNORE INTO event (id, kind, subject, seen, body) VALUES (?, ?, ?, ?, ?)",
                [(event.id, event.kind, event.subject, event.seen, _encode(event)) for event in events],
            )
            return int(self._file.execute("SELECT total_changes()")[0][0] - before)

    async def pull(self, consumer: str, kinds: Sequence[str], limit: int = 100) -> list[tuple[int, Event]]:
        return await self._run(self._pull, consumer, tuple(kinds), min(limit, 1000))

    def _pull(self, consumer: str, kinds: tuple[str, ...], limit: int) -> list[tuple[int, Event]]:
        rows = self._file.execute("SELECT position FROM consumer WHERE name = ?", (consumer,))
        position = rows[0][0] if rows else 0
        if not rows:
            # Known from now on, so that what it has not read is not swept away.
            self._file.execute("INSERT INTO consumer (name, position) VALUES (?, 0)", (consumer,))
        clauses: list[str] = []
        values: list[Any] = [position]
        for kind in kinds:
            if kind.endswith(".*"):
                clauses.append("(kind >= ? AND kind < ?)")
                values += [kind[:-1], kind[:-2] + "/"]  # "/" follows "." in ASCII
            else:
                clauses.append("kind = ?")
                values.append(kind)
        condition = f" AND ({' OR '.join(clauses)})" if clauses else ""
        sql = f"SELECT position, body FROM event WHERE position > ?{condition} ORDER BY position LIMIT ?"  # noqa: S608
        return [(int(row[0]), _decode(row[1])) for row in self._file.execute(sql, (*values, limit))]

    async def acknowledge(self, consumer: str, position: int) -> None:
        await self._run(
            self._file.execute,
            "INSERT INTO consumer (name, position) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET position = max(position, excluded.position)",
            (consumer, position),
        )

    async def rewind(self, consumer: str, position: int) -> None:
        await self._run(
            self._file.execute,
            "INSERT INTO consumer (name, position) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET position = excluded.position",
            (consumer, position),
        )

    async def forget(self, consumer: str) -> None:
        """It does not read any more, and holds up no sweeping; if it comes again, it begins at the oldest kept."""
        await self._run(self._file.execute, "DELETE FROM consumer WHERE name = ?", (consumer,))

    async def sweep(self, seen_before: int) -> int:
        """Forget what is older than `seen_before` and was read by every consumer; how many."""
        return await self._run(self._sweep, seen_before)

    def _sweep(self, seen_before: int) -> int:
        with self._file.transaction():
            before = self._file.execute("SELECT total_changes()")[0][0]
            self._file.execute(
                "DELETE FROM event WHERE seen < ? AND position <= (SELECT coalesce(min(position), 0) FROM consumer)",
                (seen_before,),
            )
            return int(self._file.execute("SELECT total_changes()")[0][0] - before)

    async def bell(self) -> AsyncGenerator[None]:
        mine = asyncio.Event()
        mine.set()
        self._bells.add(mine)
        try:
            while True:
                await mine.wait()
                mine.clear()
                yield None
        finally:
            self._bells.discard(mine)

    async def close(self) -> None:
        await self._run(self._file.close)
        self._thread.shutdown()

    def handlers(self) -> tuple[Mapping[type[Message], Handler], Mapping[type[Message], StreamHandler]]:
        """What control serves to the other duties."""

        async def publish(message: Publish) -> Message:
            return Published(new=await self.publish(message.events))

        async def pull(message: Pull) -> Message:
            found = _fitting(await self.pull(message.consumer, message.kinds, message.limit))
            return Pulled(events=tuple(e for _, e in found), positions=tuple(p for p, _ in found))

        async def acknowledge(message: Acknowledge) -> Message:
            await self.acknowledge(message.consumer, message.position)
            return Done()

        async def rewind(message: Rewind) -> Message:
            await self.rewind(message.consumer, message.position)
            return Done()

        async def bell(_: Bell) -> AsyncGenerator[Message]:
            async for _ring in self.bell():
                yield Rung()

        handlers: dict[type[Message], Handler] = {
            Publish: publish,
            Pull: pull,
            Acknowledge: acknowledge,
            Rewind: rewind,
        }
        return handlers, {Bell: bell}
