"""Scrubbing: read finished extents again, slowly, so that a disk that forgets is noticed while there is still a copy.

Runs in the writer thread between two turns, at most `SCRUB_BYTES` each, and only when nothing waits. It tells; it never
mends. Where it stands is kept in the index, so that a restart does not begin anew.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from safecity.media.record.chunk import HEADER_BYTES, Header, payload_fits, unpack_header
from safecity.media.record.files import MediaFile
from safecity.media.record.index import CLOSED
from safecity.media.record.rows import MINUTE_MS, Entry, unpack
from safecity.media.record.shelf import Shelf

SCRUB_BYTES: Final = 1 << 20
"""A turn: about 90 GB a day."""


class Damage(NamedTuple):
    """A chunk that is no longer what was written. `at` microseconds UTC."""

    channel: bytes
    quality: int
    at: int
    extent: str


class Scrubber:
    """One per shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._extent = int(shelf.index.meta("scrubbed") or 0)
        self._name = ""
        self._generation = 0
        self._file: MediaFile | None = None
        self._entries: list[tuple[int, Entry]] = []
        self.rounds = 0
        """How often everything was read."""

    def step(self) -> list[Damage]:
        """Verify a little more. OSError as the system says it."""
        if not self._entries and not self._next():
            return []
        found: list[Damage] = []
        left = SCRUB_BYTES
        while self._entries and left > 0 and self._file is not None:
            channel_no, entry = self._entries.pop()
            raw = self._file.read(HEADER_BYTES + entry.payload, entry.offset)
            left -= len(raw)
            if not self._is_whole(unpack_header(raw), raw) and not self._was_deleted(channel_no, entry):
                channel, quality = next(
                    (key for key, number in self._shelf.index.channels().items() if number == channel_no), (b"", 0)
                )
                found.append(Damage(channel, quality, entry.start * 1000, self._name))
        return found

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_whole(self, header: Header | None, raw: bytes) -> bool:
        return header is not None and header.generation == self._generation and payload_fits(header, raw[HEADER_BYTES:])

    def _was_deleted(self, channel_no: int, entry: Entry) -> bool:
        """The row may have gone since the list was made."""
        rows = self._shelf.index.sql.execute(
            "SELECT chunks FROM pack WHERE channel_no = ? AND minute = ?", (channel_no, entry.start // MINUTE_MS)
        )
        return not any(entry == one for (chunks,) in rows for one in unpack(bytes(chunks), entry.start // MINUTE_MS))

    def _next(self) -> bool:
        """Go to the next closed extent; after the last one to the first."""
        self.close()
        sql = self._shelf.index.sql
        rows = sql.execute(
            "SELECT no, name, generation FROM extent WHERE state = ? AND no > ? ORDER BY no LIMIT 1",
            (CLOSED, self._extent),
        )
        if not rows:
            self.rounds += self._extent > 0
            self._extent = 0
            return False
        self._extent, self._name, self._generation = rows[0]
        self._shelf.index.set_meta("scrubbed", self._extent)
        uses = sql.execute('SELECT channel_no, start, "end" FROM extent_channel WHERE extent_no = ?', (self._extent,))
        for channel_no, start, end in uses:
            packs = sql.execute(
                "SELECT minute, chunks FROM pack WHERE channel_no = ? AND minute BETWEEN ? AND ?",
                (channel_no, start // MINUTE_MS, end // MINUTE_MS),
            )
            self._entries += [
                (channel_no, one)
                for minute, chunks in packs
                for one in unpack(bytes(chunks), minute)
                if one.extent == self._extent
            ]
        self._entries.sort(key=lambda one: one[1].offset, reverse=True)
        self._file = self._shelf.pool.open(self._name)
        return True
