"""Readings and events on their way to control, on the disk: neither a death nor days without control lose one."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import time

import msgspec

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError, SafecityError
from safecity.model.facts.control_calls import Publish
from safecity.model.facts.vision_calls import OffenceSeen, VehicleRead
from safecity.ports.calls import Calls
from safecity.ports.sqlfile import SqlFile

logger = logging.getLogger(__name__)

Told = VehicleRead | OffenceSeen | Publish
MAX_BYTES = 2 << 30
"""Of readings that wait; beyond it the oldest go first, counted."""
MAX_ASIDE = 20
ASIDE_DAYS = 30
"""So many rows that nobody can read, and for so long, are kept for whoever looks into it: they may hold pictures."""
DAY_US = 86_400 * SECOND_US
SHRINK_BYTES = 16 << 20
"""So much that was delivered is given back to the disk as soon as nothing waits: pictures of vehicles are not kept
here for longer than they wait."""
LAST_WAIT_SECONDS = 300.0
"""A reading with which control has trouble is tried ever more rarely, at least this often."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Told).decode


class Spool:
    """A table in the slot's own file. In order of coming, but who was put off stands aside until it is due again."""

    def __init__(self, file: SqlFile, max_bytes: int = MAX_BYTES) -> None:
        self._file = file
        self._max = max_bytes
        self._taken = 0
        self._later: list[tuple[float, int]] = []
        self._tries: dict[int, int] = {}
        self._delivered_bytes = 0
        self.wake = asyncio.Event()
        self.lost = 0
        file.execute(
            "CREATE TABLE IF NOT EXISTS readings (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)"
        )
        file.execute(
            "CREATE TABLE IF NOT EXISTS aside (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL)"
        )
        file.execute("DELETE FROM aside WHERE at < ?", (time.time_ns() // 1000 - ASIDE_DAYS * DAY_US,))
        row = file.execute("SELECT count(*), coalesce(sum(length(body)), 0) FROM readings")[0]
        self.waiting, self._bytes = int(row[0]), int(row[1])

    def add(self, told: Told) -> None:
        """Durable when it returns. UnavailableError when the disk takes nothing more: it is counted as lost."""
        body = _encode(told)
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

    def take(self, now: float) -> tuple[int, Told] | None:
        """The next to send at `now` (monotonic seconds): who was put off and is due again, else the oldest that was
        never tried. What cannot be read any more is set aside and counted as lost."""
        while True:
            put_off = bool(self._later) and self._later[0][0] <= now
            if put_off:
                sql, value = "SELECT number, body FROM readings WHERE number = ?", self._later[0][1]
            else:
                sql, value = "SELECT number, body FROM readings WHERE number > ? ORDER BY number LIMIT 1", self._taken
            rows = self._file.execute(sql, (value,))
            if put_off:
                heapq.heappop(self._later)
                if not rows:  # it was the oldest of a full spool meanwhile
                    self._tries.pop(value, None)
                    continue
            if not rows:
                return None
            number = int(rows[0][0])
            self._taken = max(self._taken, number)
            try:
                return number, _decode(rows[0][1])
            except msgspec.MsgspecError as error:
                self._set_aside(number, error)

    def put_off(self, number: int, now: float, first_seconds: float = 0.0) -> None:
        """Not now: with each time it waits twice as long. Without `first_seconds` it is the very next again."""
        tries = self._tries.get(number, 0)
        self._tries[number] = tries + (first_seconds > 0)
        heapq.heappush(self._later, (now + min(first_seconds * 2.0 ** min(tries, 30), LAST_WAIT_SECONDS), number))

    def due_in(self, now: float) -> float | None:
        """Seconds until somebody who was put off is due; None where nobody was."""
        return max(self._later[0][0] - now, 0.0) if self._later else None

    def forget(self, number: int) -> None:
        """Control has it."""
        self._tries.pop(number, None)
        rows = self._file.execute("DELETE FROM readings WHERE number = ? RETURNING length(body)", (number,))
        if rows:  # else it was the oldest of a full spool meanwhile
            self._left(int(rows[0][0]))
        if self.waiting == 0 and self._delivered_bytes > SHRINK_BYTES:
            self._delivered_bytes = 0
            self._file.execute("VACUUM")
            self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _left(self, size: int) -> None:
        self.waiting -= 1
        self._bytes -= size
        self._delivered_bytes += size

    def _set_aside(self, number: int, error: Exception) -> None:
        with self._file.transaction():
            self._file.execute(
                "INSERT OR REPLACE INTO aside (number, at, body) SELECT number, ?, body FROM readings WHERE number = ?",
                (time.time_ns() // 1000, number),
            )
            rows = self._file.execute("DELETE FROM readings WHERE number = ? RETURNING length(body)", (number,))
            self._file.execute(
                "DELETE FROM aside WHERE number NOT IN (SELECT number FROM aside ORDER BY number DESC LIMIT ?)",
                (MAX_ASIDE,),
            )
        self._tries.pop(number, None)
        self._left(int(rows[0][0]))
        self.lost += 1
        logger.error("reading cannot be read back, set aside number=%s why=%s", number, error)


REFUSED = frozenset({"reading_refused"})
"""Codes with which control says that it will never take this one."""
AWAY = frozenset({"duty_down", "duty_gone"})
"""Codes that say nothing about the reading: nobody was there to take it."""


async def deliver(spool: Spool, calls: Calls, *, retry_seconds: float = 1.0) -> None:
    """Give all to control, for ever: in order while control is away, past those that it has trouble with."""
    clock = asyncio.get_running_loop().time
    said = ""
    while True:
        spool.wake.clear()
        try:
            while (found := spool.take(clock())) is not None:
                number, told = found
                why = await _given(calls, told)
                if why is None or _refused(told, why):
                    _forget(spool, number, clock())
                    said = ""
                    continue
                if why.code != said:
                    logger.warning("readings wait code=%s why=%s", why.code, why)
                said = why.code
                spool.put_off(number, clock(), 0.0 if why.code in AWAY else retry_seconds)
                await asyncio.sleep(retry_seconds)
        except SafecityError as error:  # the disk: what it does not give back now it gives later
            logger.error("readings wait for the disk code=%s why=%s", error.code, error)
            await asyncio.sleep(retry_seconds)
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(spool.due_in(clock())):
                await spool.wake.wait()


def _forget(spool: Spool, number: int, now: float) -> None:
    try:
        spool.forget(number)
    except SafecityError:  # given twice is the same reading
        spool.put_off(number, now, LAST_WAIT_SECONDS)
        raise


async def _given(calls: Calls, told: Told) -> SafecityError | None:
    """Why control did not take it; None where it did."""
    try:
        await calls.call("control", told, timeout=10.0)
    except SafecityError as error:
        if _refused(told, error):
            channel = told.channel if isinstance(told, VehicleRead | OffenceSeen) else ""
            logger.error("refused by control channel=%s code=%s why=%s", channel, error.code, error)
        return error
    return None


def _refused(told: Told, why: SafecityError) -> bool:
    """For good: an event that is wrong is wrong tomorrow, and of a reading it is said by a code."""
    return why.code in REFUSED or (isinstance(told, Publish) and isinstance(why, InvalidError))
