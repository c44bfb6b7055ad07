"""A shelf: what one slot writes on one volume. Chunks into extents, once a second all of it durable and then indexed.

The order is the promise: write, sync the media, commit the index. A row never refers to bytes that are not durable.
Everything here runs in the writer thread. Any OSError means that the state of the last writes is unknown: the shelf is
given up at once (no retry: the system may report an error of fsync only once) and its streams move to a sibling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from safecity.kit.errors import InvalidError
from safecity.media.formats.fmp4 import init_segment
from safecity.media.record.appender import Buffer, OpenExtent
from safecity.media.record.chain import CHECKPOINT_US, EMPTY, Checkpoint, Signer, minute_digest
from safecity.media.record.chunk import NO_KEY, Flag, Header, Kind
from safecity.media.record.cutter import Cut
from safecity.media.record.extent import Layout, Table
from safecity.media.record.gaps import GapChange
from safecity.media.record.index import BACKFILLED, BROKEN, CLOSED, OPEN, Index, OpenRow
from safecity.media.record.rows import MINUTE_US, MinutePack, entry_of
from safecity.media.record.volume import Pool

FEW_FILES: Final = 8
"""Up to so many files each gets its own fdatasync; with more, one syncfs serves them all."""


class ShelfStream:
    """One stream on one shelf: run, chain, the minute under way, its extent."""

    def __init__(self, shelf: Shelf, channel: bytes, quality: int, epoch: int) -> None:
        self._shelf = shelf
        self.channel = channel
        self.quality = quality
        self.epoch = epoch
        index = shelf.index
        self.channel_no = index.channel(channel, quality)
        self.last_end = index.last_end(self.channel_no)
        self.extent: OpenExtent | None = None
        self._last_run = index.last_run(self.channel_no)
        self._run = 0
        self._run_no = 0
        self._init = b""
        self._init_digest = bytes(16)
        self._sequence = 0
        self._head = EMPTY
        self._minute: MinutePack | None = None
        self._digest = EMPTY
        self._checkpoint_due = 0
        self._dirty = False

    def write(self, cut: Cut) -> None:
        """Append one chunk, and before it the init segment where the run or the extent needs it."""
        shelf = self._shelf
        if cut.begins_run or not self._run_no:
            if not cut.begins_run and cut.first_key != 0:
                cut.flags |= Flag.CONTINUES
            self._begin_run(cut)
        parts = cut.parts(self._sequence)
        payload = sum(map(len, parts))
        extent = shelf.extent_for(self, payload + len(self._init))
        if self._run_no not in extent.inits:
            extent.inits.add(self._run_no)
            self._put(extent, self._header(cut, Kind.INIT), [self._init])
        offset = self._put(extent, self._header(cut, Kind.MEDIA), parts)
        entry = entry_of(extent.number, self._run_no, offset, cut.wall, cut.duration, payload, cut.flags, cut.first_key)
        number = cut.wall // MINUTE_US
        minute = self._minute
        if minute is not None and minute.minute != number:
            self._close_minute(minute)
            minute = None
        if minute is None:
            minute = self._minute = MinutePack(number, shelf.layout.align)
            self._digest = EMPTY
        minute.add(entry)
        self._digest = minute_digest(self._digest, self._head)
        self.last_end = cut.end
        self._dirty = True

    def tell_index(self, now: int) -> None:
        """Put this second's row into the commit to come."""
        if not self._dirty or self._minute is None:
            return
        self._dirty = False
        self._shelf.index.open_minute(self._row(self._minute))
        signer = self._shelf.signer
        if signer is not None and now >= self._checkpoint_due:
            self._checkpoint_due = now + CHECKPOINT_US
            point = Checkpoint(
                self._shelf.pool.volume, self.channel, self.quality, self._run, self._sequence - 1, now, self._head
            )
            self._shelf.index.add(
                "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self.channel_no, now, point.run, point.sequence, point.head, signer.key_id, signer.sign(point.body())),
            )

    def gap(self, change: GapChange) -> None:
        self._shelf.index.gap(self.channel_no, change.start, change.end, change.cause, change.detail)

    def finish(self) -> None:
        """No more will come for now: close the minute; the extent goes to whoever comes next."""
        self.settle()
        self._run_no = 0

    def settle(self) -> None:
        """Close the minute before its time, so that its rows may be changed; the run goes on."""
        if self._minute is not None:
            self._close_minute(self._minute)
            self._minute = None
            self._shelf.index.add("DELETE FROM open_minute WHERE channel_no = ?", (self.channel_no,))
            if self.extent is not None:
                self._shelf.index.written(self.extent.number, self.extent.position, OPEN)

    def _begin_run(self, cut: Cut) -> None:
        index = self._shelf.index
        self._init = init_segment(cut.parameters)
        self._init_digest = self._shelf.digest(self._init)
        init_no = index.init(self._init_digest, self._init)
        # Wall time where it grows, else one more: run ids never go back whatever the clock does.
        self._last_run = self._run = max(self._last_run + 1, cut.wall)
        self._run_no = index.run(self.channel_no, self._run, self.epoch, init_no, cut.wall)
        self._sequence = 0

    def _header(self, cut: Cut, kind: Kind) -> Header:
        init = kind is Kind.INIT
        return Header(
            b"", 0, self.channel, self.quality, kind, cut.mask, cut.flags & ~Flag.KEY if init else cut.flags,
            self._run, self.epoch, self._sequence, 0 if init else cut.duration, cut.wall, 0, cut.media,
            self._init_digest, 0, 0, 0, NO_KEY if init else cut.first_key, self._head,
        )  # fmt: skip

    def _put(self, extent: OpenExtent, header: Header, parts: list[bytes]) -> int:
        before = extent.position
        offset, self._head = extent.put(self._shelf.buffer, header, parts)
        self._sequence += 1
        start = header.wall // 1000
        extent.count(self.channel_no, extent.position - before, start, (header.wall + header.duration) // 1000)
        return offset

    def _row(self, minute: MinutePack) -> OpenRow:
        last = minute.last_entry
        flags = (BROKEN if minute.broken else 0) | (BACKFILLED if last and last.flags & Flag.BACKFILLED else 0)
        return OpenRow(
            self.channel_no, minute.minute, minute.first, minute.last, minute.bytes, flags, minute.blob(), minute.count,
            self._digest, self._run_no, self._sequence - 1, self._head, last.extent if last else 0,
            self.extent.position if self.extent is not None else 0,
        )  # fmt: skip

    def _close_minute(self, minute: MinutePack) -> None:
        row = self._row(minute)
        self._shelf.index.close_minute(row)
        for extent in minute.extents:
            self._shelf.tell_uses(extent)
        self._shelf.closed(self, row)


class Shelf:
    """See the module."""

    def __init__(
        self,
        pool: Pool,
        index: Index,
        layout: Layout,
        buffer: Buffer,
        *,
        slot: int,
        signer: Signer | None,
        digest: Callable[[bytes], bytes],
        closed: Callable[[ShelfStream, OpenRow], None] = lambda stream, row: None,
    ) -> None:
        self.pool = pool
        self.index = index
        self.layout = layout
        self.buffer = buffer
        self.slot = slot
        self.signer = signer
        self.digest = digest
        self.closed = closed
        self.streams: dict[tuple[bytes, int], ShelfStream] = {}
        self._open: dict[int, OpenExtent] = {}
        self._finished: list[OpenExtent] = []
        self._lane: OpenExtent | None = None
        self._parked: dict[int, OpenExtent] = {}
        """Continued from an earlier life: channel number -> extent."""
        self._now = 0
        self._folder_dirty = False

    def stream(self, channel: bytes, quality: int, epoch: int) -> ShelfStream:
        key = (channel, quality)
        if key not in self.streams:
            self.streams[key] = ShelfStream(self, channel, quality, epoch)
        self.streams[key].epoch = epoch
        return self.streams[key]

    def adopt(self, extent: OpenExtent, channel_no: int | None, now: int) -> None:
        """Go on in an extent that was open when the last life ended."""
        self._open[extent.number] = extent
        extent.touched = now
        if channel_no is None:
            self._lane = extent
        else:
            self._parked[channel_no] = extent

    def begin(self, now: int) -> None:
        """A new second."""
        self._now = now

    def extent_for(self, stream: ShelfStream, payload: int) -> OpenExtent:
        """Where the stream's next chunk goes. ExhaustedError (`volume_full`)."""
        extent = (
            self._lane if self.layout is Layout.SHARED else stream.extent or self._parked.pop(stream.channel_no, None)
        )
        if extent is not None and not extent.room_for(payload):
            self._finish(extent)
            extent = None
        if extent is None:
            extent = self._take()
            if not extent.room_for(payload):
                raise InvalidError("chunk larger than an extent", code="chunk_too_large")
        extent.touched = self._now
        if self.layout is Layout.SHARED:
            self._lane = extent
        stream.extent = extent
        return extent

    def commit(self) -> None:
        """Make this second durable, then known. OSError or an SQL error: give the shelf up."""
        if self.buffer.user is not None:
            self.buffer.user.flush(self.buffer)
        dirty = [extent for extent in (*self._open.values(), *self._finished) if extent.dirty]
        if len(dirty) > FEW_FILES:
            self.pool.sync_volume()
            for extent in dirty:
                extent.dirty = False
        else:
            for extent in dirty:
                extent.sync()
        for extent in self._finished:
            self.index.written(extent.number, extent.position, CLOSED)
            extent.file.close()
        self._finished.clear()
        for stream in self.streams.values():
            stream.tell_index(self._now)
        if self.layout is Layout.SHARED and self._lane is not None and dirty:
            self.index.written(self._lane.number, self._lane.position, OPEN)
        if self.index.changed:
            self.index.commit()

    def flush(self) -> None:
        """Hand what is buffered to the file (the buffer is shared with other shelves)."""
        if self.buffer.user is not None:
            self.buffer.user.flush(self.buffer)

    def tell_uses(self, extent_no: int) -> None:
        extent = self._open.get(extent_no)
        if extent is not None:
            for channel_no, (size, start, end) in extent.uses.items():
                self.index.use(extent_no, channel_no, size, start, end)
            extent.uses.clear()

    def settle(self, channel_no: int) -> None:
        """All of the channel's rows are where finished ones lie; committed with the next commit."""
        for stream in self.streams.values():
            if stream.channel_no == channel_no:
                stream.settle()

    def roll(self, extent_no: int) -> None:
        """Close an extent before its time (its content is to be erased or uploaded)."""
        extent = self._open.get(extent_no)
        if extent is not None:
            self._finish(extent)

    def roll_idle(self, before: int) -> bool:
        """Close extents that nobody has written to for long, so that retention can see them."""
        idle = [extent for extent in self._open.values() if extent.touched < before]
        for extent in idle:
            self._finish(extent)
        return bool(idle)

    @property
    def open_extents(self) -> dict[int, OpenExtent]:
        return self._open

    def close(self, *, clean: bool) -> None:
        """Stop; with `clean` everything is made durable and the index says so."""
        if clean:
            for stream in self.streams.values():
                stream.finish()
            for number, extent in list(self._open.items()):
                self.tell_uses(number)
                self.index.written(number, extent.position, OPEN)
            self.index.set_meta("clean", 1)
            self.commit()
        for extent in (*self._open.values(), *self._finished):
            extent.file.close()
        self._open.clear()
        self._finished.clear()
        if self.buffer.user is not None and not clean:
            self.buffer.user = None
        self.index.close()

    def _take(self) -> OpenExtent:
        name, generation, file = self.pool.take(self.layout, self._now)
        number = self.index.extent(name, generation, self.pool.extent_bytes, self.layout, self._now)
        extent = OpenExtent(
            number, name, generation, file,
            volume=self.pool.volume, size=self.pool.extent_bytes, layout=self.layout, slot=self.slot,
            created=self._now, table=Table(),
        )  # fmt: skip
        self._open[number] = extent
        return extent

    def _finish(self, extent: OpenExtent) -> None:
        extent.finish(self.buffer)
        self.tell_uses(extent.number)
        del self._open[extent.number]
        self._finished.append(extent)
        self._parked = {number: one for number, one in self._parked.items() if one is not extent}
        for stream in self.streams.values():
            if stream.extent is extent:
                stream.extent = None
        if self._lane is extent:
            self._lane = None
