"""From chunks found in extents to index rows: after a crash for the torn tail, after a loss for the whole shelf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from safecity.media.record.chain import EMPTY, minute_digest
from safecity.media.record.chunk import HEADER_BYTES, Flag, Kind
from safecity.media.record.extent import Found, Layout
from safecity.media.record.files import MediaFile, aligned
from safecity.media.record.index import BACKFILLED, BROKEN, Index, OpenRow
from safecity.media.record.rows import MINUTE_US, MinutePack, entry_of

_COMMIT_CHUNKS: Final = 20_000


@dataclass(slots=True)
class _Minute:
    pack: MinutePack
    digest: bytes
    run_no: int


class Adopter:
    """Feed extents in the order of their generations; each channel's chunks then come in the order written."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._open: dict[int, _Minute] = {}
        self._runs: dict[tuple[int, int], int] = {}
        self._inits: dict[tuple[int, int], int] = {}
        self._pending = 0
        self.chunks = 0
        self.orphans = 0
        """Media chunks whose init segment was nowhere: their bytes stay, they cannot be played."""

    def take(self, extent_no: int, layout: Layout, found: list[Found], file: MediaFile) -> None:
        """The chunks of one extent."""
        uses: dict[int, list[int]] = {}
        for offset, header, link in found:
            channel_no = self._index.channel(header.channel, header.quality)
            if header.kind == Kind.INIT:
                body = file.read(header.payload, offset + HEADER_BYTES)
                self._inits[(channel_no, header.run)] = self._index.init(header.init, body)
            elif header.kind == Kind.MEDIA:
                run_no = self._run(channel_no, header.run, header.epoch, header.init, header.wall)
                if run_no is None:
                    self.orphans += 1
                else:
                    entry = entry_of(
                        extent_no, run_no, offset, header.wall, header.duration, header.payload, header.flags,
                        header.first_key,
                    )  # fmt: skip
                    minute = self._minute(channel_no, header.wall // MINUTE_US, run_no, layout)
                    minute.pack.add(entry)
                    minute.digest = minute_digest(minute.digest, link)
                    self.chunks += 1
                    self._pending += 1
            start, size = header.wall // 1000, aligned(header.length, layout.align)
            use = uses.setdefault(channel_no, [0, start, start])
            use[0] += size
            use[1] = min(use[1], start)
            use[2] = max(use[2], header.end // 1000)
        for channel_no, (size, start, end) in uses.items():
            self._index.use(extent_no, channel_no, size, start, end)
        if self._pending >= _COMMIT_CHUNKS:
            self._pending = 0
            self._index.commit()

    def finish(self) -> None:
        """Close what is open; the caller commits."""
        for channel_no in list(self._open):
            self._close(channel_no)

    def _run(self, channel_no: int, run: int, epoch: int, init: bytes, wall: int) -> int | None:
        key = (channel_no, run)
        if key not in self._runs:
            rows = self._index.sql.execute("SELECT no FROM run WHERE channel_no = ? AND run = ?", key)
            if rows:
                self._runs[key] = rows[0][0]
            else:
                init_no = self._inits.get(key) or self._index.known_init(init)
                if init_no is None:
                    return None
                self._runs[key] = self._index.run(channel_no, run, epoch, init_no, wall)
        return self._runs[key]

    def _minute(self, channel_no: int, number: int, run_no: int, layout: Layout) -> _Minute:
        minute = self._open.get(channel_no)
        if minute is not None and minute.pack.minute != number:
            self._close(channel_no)
            minute = None
        if minute is None:
            minute = self._open[channel_no] = _Minute(MinutePack(number, layout.align), EMPTY, run_no)
        return minute

    def _close(self, channel_no: int) -> None:
        minute = self._open.pop(channel_no)
        packed, last = minute.pack, minute.pack.last_entry
        flags = (BROKEN if packed.broken else 0) | (BACKFILLED if last and last.flags & Flag.BACKFILLED else 0)
        self._index.close_minute(
            OpenRow(
                channel_no, packed.minute, packed.first, packed.last, packed.bytes, flags, packed.blob(), packed.count,
                minute.digest, minute.run_no, 0, EMPTY, 0, 0,
            )
        )  # fmt: skip
