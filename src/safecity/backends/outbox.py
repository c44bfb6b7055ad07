"""The outbox of a duty in its own SQL file, and the relay that drains it to the bus."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from safecity.kit.errors import SafecityError
from safecity.kit.ids import fresh
from safecity.model.facts.control_calls import Publish
from safecity.model.facts.envelope import Event
from safecity.ports.calls import Calls
from safecity.ports.sqlfile import SqlFile

logger = logging.getLogger(__name__)

BATCH = 200
BATCH_BYTES = 512 * 1024
"""Events of one Publish together: half of what a frame of Calls may hold."""
MAX_PENDING = 200_000
"""Events kept while control is away; beyond it the oldest go first, counted."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode


class SqlOutbox:
    """Events wait in the table `outbox` of the duty's file, written in the transaction of the state change.

    They leave with the run that sends them and their number in the table, which is never given twice: whoever keeps a
    state of them orders by these, since the wall clock may be set back.
    """

    def __init__(self, file: SqlFile) -> None:
        self._file = file
        self.wake = asyncio.Event()
        self._incarnation = fresh("ru")
        self.dropped = 0
        file.execute("CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)")
        self._count = int(file.execute("SELECT count(*) FROM outbox")[0][0])

    def add(self, events: Sequence[Event]) -> None:
        """Call inside the caller's own transaction (or without one: then each statement commits itself)."""
        self._file.executemany("INSERT INTO outbox (body) VALUES (?)", [(_encode(event),) for event in events])
        self._count += len(events)
        if self._count > MAX_PENDING:
            # Counted anew, since a transaction that was rolled back has left the figure too high.
            self._count = int(self._file.execute("SELECT count(*) FROM outbox")[0][0])
            excess = max(0, self._count - MAX_PENDING)
            self._file.execute(
                "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox ORDER BY number LIMIT ?)", (excess,)
            )
            self._count -= excess
            self.dropped += excess
        self.wake.set()

    def pending(self, limit: int = BATCH) -> list[tuple[int, Event]]:
        """The oldest, as many as go into one message; at least one, whatever its size."""
        found: list[tuple[int, Event]] = []
        total = 0
        for number, body in self._file.execute("SELECT number, body FROM outbox ORDER BY number LIMIT ?", (limit,)):
            total += len(body)
            if found and total > BATCH_BYTES:
                break
            found.append((number, replace(_decode(body), incarnation=self._incarnation, number=number)))
        return found

    def forget(self, up_to: int) -> None:
        """The bus has them."""
        self._file.execute("DELETE FROM outbox WHERE number <= ?", (up_to,))
        self._count = int(self._file.execute("SELECT count(*) FROM outbox")[0][0])

    @property
    def waiting(self) -> int:
        return self._count

    @property
    def crowded(self) -> bool:
        return self._count > MAX_PENDING // 2


async def relay(outbox: SqlOutbox, calls: Calls, *, retry_seconds: float = 1.0) -> None:
    """Drain for ever; control may be away for days. The bus drops doubles by event id."""
    reachable = True
    while True:
        outbox.wake.clear()
        while batch := outbox.pending():
            try:
                await calls.call("control", Publish(events=tuple(event for _, event in batch)), timeout=10.0)
                outbox.forget(batch[-1][0])
            except SafecityError as error:
                if reachable:
                    logger.warning("bus unreachable, events wait why=%s", error)
                reachable = False
                await asyncio.sleep(retry_seconds)
                continue
            if not reachable:
                logger.info("bus reachable again")
            reachable = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30.0):
                await outbox.wake.wait()
