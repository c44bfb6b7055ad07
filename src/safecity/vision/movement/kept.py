"""Heat maps that were computed once, on the disk: another rectangle over the same hours decodes nothing.

They follow the footage: each block carries the mark of the key frames that it was made of, and is worth nothing, and
deleted, as soon as other ones or none lie there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Sequence
from typing import Final

from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.ports.sqlfile import SqlFile
from safecity.vision.movement.maps import Moment, pack, unpack

logger = logging.getLogger(__name__)
MAX_BYTES: Final = 512 << 20
"""Of heat maps that are kept; beyond it those that were not asked for longest go first."""
DAY_US: Final = 86_400_000_000
_SHRINK: Final = 50


class KeptMaps:
    """Two tables in a file of the slot's own. In one thread."""

    def __init__(self, file: SqlFile, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._file = file
        self._clock = clock
        self._max = max_bytes
        file.execute(
            "CREATE TABLE IF NOT EXISTS block (channel TEXT NOT NULL, quality TEXT NOT NULL, start INTEGER NOT NULL, "
            "mark TEXT NOT NULL, used INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (channel, quality, start))"
        )
        file.execute("CREATE TABLE IF NOT EXISTS volume (path TEXT PRIMARY KEY)")
        file.execute("CREATE INDEX IF NOT EXISTS block_used ON block (used)")
        self._bytes: int | None = None

    @property
    def bytes(self) -> int:
        """Of all maps that are kept. The first question goes through the whole file: not for an event loop."""
        if self._bytes is None:
            self._bytes = int(self._file.execute("SELECT coalesce(sum(length(body)), 0) FROM block")[0][0])
        return self._bytes

    def get(self, channel: str, quality: str, start: int, mark: str) -> list[Moment] | None:
        """The maps of a block, if they were made of what lies there now."""
        rows = self._file.execute(
            "SELECT mark, used, body FROM block WHERE channel = ? AND quality = ? AND start = ?",
            (channel, quality, start),
        )
        if not rows or rows[0][0] != mark:
            return None
        try:
            found = unpack(bytes(rows[0][2]))
        except ValueError as error:
            logger.error("heat maps are damaged, they are made anew channel=%s why=%s", channel, error)
            return None
        day = self._today()
        if rows[0][1] != day:  # not at each look: it is a write
            with self._not_needed("use of heat maps"):
                self._file.execute(
                    "UPDATE block SET used = ? WHERE channel = ? AND quality = ? AND start = ?",
                    (day, channel, quality, start),
                )
        return found

    def put(self, channel: str, quality: str, start: int, mark: str, moments: Sequence[Moment]) -> None:
        """Keep them; on a full disk they are not kept, and computed again the next time."""
        body = pack(moments)
        try:
            before = self.bytes
            with self._file.transaction():
                freed = self._drop([(channel, quality, start)])
                while before - freed + len(body) > self._max:
                    rows = self._file.execute(
                        "SELECT channel, quality, start FROM block ORDER BY used, start LIMIT ?", (_SHRINK,)
                    )
                    if not rows:
                        break
                    freed += self._drop([(row[0], row[1], row[2]) for row in rows])
                self._file.execute(
                    "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)", (channel, quality, start, mark, self._today(), body)
                )
        except SafecityError as error:
            logger.warning("heat maps not kept channel=%s code=%s why=%s", channel, error.code, error)
            return
        self._bytes = before + len(body) - freed

    def forget(self, blocks: Sequence[tuple[str, str, int]]) -> None:
        """(channel, quality, start) of those whose footage is gone."""
        before = self.bytes
        with self._file.transaction():
            freed = self._drop(blocks)
        self._bytes = before - freed

    def after(self, place: tuple[str, str, int], limit: int) -> list[tuple[str, str, int, str]]:
        """(channel, quality, start, mark) of the blocks behind a place, in order."""
        rows = self._file.execute(
            "SELECT channel, quality, start, mark FROM block WHERE (channel, quality, start) > (?, ?, ?) "
            "ORDER BY channel, quality, start LIMIT ?",
            (*place, limit),
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def lines(self) -> list[tuple[str, str]]:
        """(channel, quality) of all that is kept."""
        return [(row[0], row[1]) for row in self._file.execute("SELECT DISTINCT channel, quality FROM block")]

    def before(self, channel: str, quality: str, end: int) -> list[tuple[str, str, int]]:
        """Blocks that begin before `end`."""
        rows = self._file.execute(
            "SELECT channel, quality, start FROM block WHERE channel = ? AND quality = ? AND start < ?",
            (channel, quality, end),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def volumes(self) -> list[str]:
        """Where footage was looked for last."""
        return [row[0] for row in self._file.execute("SELECT path FROM volume ORDER BY path")]

    def use_volumes(self, paths: Sequence[str]) -> None:
        """Remember them, so that maps follow their footage after a restart too."""
        if sorted(paths) != self.volumes():
            with self._not_needed("volumes"), self._file.transaction():
                self._file.execute("DELETE FROM volume")
                self._file.executemany("INSERT INTO volume VALUES (?)", [(path,) for path in sorted(set(paths))])

    @staticmethod
    @contextlib.contextmanager
    def _not_needed(what: str) -> Generator[None]:
        """Who searches needs none of it written: on a full disk it is found all the same."""
        try:
            yield
        except SafecityError as error:
            logger.warning("%s not written down code=%s why=%s", what, error.code, error)

    def _drop(self, blocks: Sequence[tuple[str, str, int]]) -> int:
        freed = 0
        for channel, quality, start in blocks:
            where = " FROM block WHERE channel = ? AND quality = ? AND start = ?"
            rows = self._file.execute("SELECT length(body)" + where, (channel, quality, start))
            freed += int(rows[0][0]) if rows else 0
            self._file.execute("DELETE" + where, (channel, quality, start))
        return freed

    def _today(self) -> int:
        return self._clock.now_us() // DAY_US
