"""Readings on their way to control, on the disk: neither a death of this process nor days without control lose one."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import msgspec

from safecity.kit.errors import SafecityError
from safecity.model.facts.vision_calls import VehicleRead
from safecity.ports.calls import Calls
from safecity.ports.sqlfile import SqlFile

logger = logging.getLogger(__name__)

MAX_BYTES = 2 << 30
"""Of readings that wait; beyond it the oldest go first, counted."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(VehicleRead).decode


class Spool:
    """A table in the slot's own file."""

    def __init__(self, file: SqlFile, max_bytes: int = MAX_BYTES) -> None:
        self._file = file
        self._max = max_bytes
        self.wake = asyncio.Event()
        self.lost = 0
        file.execute(
            "CREATE TABLE IF NOT EXISTS readings (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)"
        )
        row = file.execute("SELECT count(*), coalesce(sum(length(body)), 0) FROM readings")[0]
        self.waiting, self._bytes = int(row[0]), int(row[1])

    def add(self, reading: VehicleRead) -> None:
        """Durable when it returns. UnavailableError when the disk takes nothing more: it is counted as lost."""
        body = _encode(reading)
        gone = freed = 0
        try:
            with self._file.transaction():
                while self._bytes - freed + len(body) > self._max:
                    rows = self._file.execute("SELECT number, length(body) FROM readings ORDER BY number LIMIT 1")
                    if not rows:
                        break
                    self._file.execute("DELETE FROM readings WHERE number = ?", (rows[0][0],))
                    gone, freed = gone + 1, freed + int(rows[0][1])
                self._file.execute("INSERT INTO readings (body) VALUES (?)", (body,))
        except SafecityError:
            self.lost += 1
            raise
        self.lost += gone
        self.waiting += 1 - gone
        self._bytes += len(body) - freed
        self.wake.set()

    def oldest(self) -> tuple[int, VehicleRead] | None:
        """The next to send."""
        rows = self._file.execute("SELECT number, body FROM readings ORDER BY number LIMIT 1")
        return (int(rows[0][0]), _decode(rows[0][1])) if rows else None

    def forget(self, number: int) -> None:
        """Control has it."""
        rows = self._file.execute("DELETE FROM readings WHERE number = ? RETURNING length(body)", (number,))
        if rows:  # else it was the oldest of a full spool meanwhile
            self.waiting -= 1
            self._bytes -= int(rows[0][0])


REFUSED = frozenset({"reading_refused"})
"""Codes with which control says that it will never take this one."""


async def deliver(spool: Spool, calls: Calls, *, retry_seconds: float = 1.0) -> None:
    """Give all to control, in order, for ever."""
    reachable = True
    while True:
        spool.wake.clear()
        while (found := spool.oldest()) is not None:
            number, reading = found
            try:
                await calls.call("control", reading, timeout=10.0)
            except SafecityError as error:
                if error.code not in REFUSED:
                    if reachable:
                        logger.warning("control unreachable, readings wait why=%s", error)
                    reachable = False
                    await asyncio.sleep(retry_seconds)
                    continue
                logger.error("reading refused channel=%s code=%s why=%s", reading.channel, error.code, error)
            reachable = True
            spool.forget(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30.0):
                await spool.wake.wait()
