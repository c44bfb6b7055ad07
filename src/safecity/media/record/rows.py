"""How a minute's chunks are packed into one index row, and what a reader gets back.

A pack is a sequence of groups; a group is a stretch of chunks of one run in one extent:

    extent, run, offset / 64, milliseconds after the minute's begin, number of chunks,
    then per chunk: start minus the previous end (zigzag), duration, payload length, flags [, first key]

all as varints, times in milliseconds. Groups are simply appended, so two packs of a minute join by concatenation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from safecity.media.record.chunk import HEADER_BYTES, NO_KEY, Flag
from safecity.media.record.extent import ALIGN_CHANNEL

MINUTE_US: Final = 60_000_000
MINUTE_MS: Final = 60_000
_KEY = int(Flag.KEY)


class Entry(NamedTuple):
    """One media chunk as the index knows it. Times are milliseconds UTC; `extent` and `run` are row numbers."""

    extent: int
    run: int
    offset: int
    start: int
    duration: int
    payload: int
    flags: int
    first_key: int
    """Milliseconds after `start`; -1 where no key frame is in it."""

    @property
    def end(self) -> int:
        return self.start + self.duration


def entry_of(
    extent: int, run: int, offset: int, wall: int, duration: int, payload: int, flags: int, first_key: int
) -> Entry:
    """From a header's microseconds; both ends are rounded alike, so that what touched still touches."""
    start, end = wall // 1000, (wall + duration) // 1000
    key = -1 if first_key == NO_KEY else min(first_key // 1000, max(0, end - start - 1))
    return Entry(extent, run, offset, start, end - start, payload, flags & ~_KEY if key < 0 else flags | _KEY, key)


class MinutePack:
    """The chunks of one channel in one minute, packed as they come: each second costs one entry, not sixty."""

    def __init__(self, minute: int, align: int) -> None:
        self.minute = minute
        self.bytes = 0
        self.count = 0
        self.first = self.last = 0
        self.broken = False
        self.extents: set[int] = set()
        self.last_entry: Entry | None = None
        self._align = align
        self._done = bytearray()
        self._head: tuple[int, ...] = ()
        self._body = bytearray()
        self._members = 0

    def add(self, entry: Entry) -> None:
        """`entry.start` lies in this minute."""
        before = self.last_entry
        if before is None:
            self.first, self.last, end = entry.start, entry.end, entry.start
        else:
            end = before.start + before.duration
            if entry.start - end > 1 or entry.start < before.start:
                self.broken = True
            self.first, self.last = min(self.first, entry.start), max(self.last, entry.end)
        if before is None or not _follows(before, entry, self._align):
            self._done += self._group()
            self._body.clear()
            self._members = 0
            self._head = (entry.extent, entry.run, entry.offset // ALIGN_CHANNEL, entry.start - self.minute * MINUTE_MS)
            end = entry.start
        gap = entry.start - end
        body = self._body
        _put(body, gap << 1 if gap >= 0 else (-gap << 1) - 1)
        _put(body, entry.duration)
        _put(body, entry.payload)
        _put(body, entry.flags)
        if entry.flags & _KEY:
            _put(body, entry.first_key)
        self._members += 1
        self.count += 1
        self.bytes += entry.payload
        self.extents.add(entry.extent)
        self.last_entry = entry

    def blob(self) -> bytes:
        """What goes into the row."""
        return bytes(self._done + self._group())

    def _group(self) -> bytearray:
        out = bytearray()
        if self._members:
            for number in (*self._head, self._members, self._align):
                _put(out, number)
            out += self._body
        return out


def pack(entries: list[Entry], minute: int, align: int = ALIGN_CHANNEL) -> bytes:
    """All at once; `minute` counts since 1970."""
    packed = MinutePack(minute, align)
    for entry in entries:
        packed.add(entry)
    return packed.blob()


def unpack(blob: bytes, minute: int) -> Iterator[Entry]:
    """The entries of a pack in the order written. ValueError for a damaged blob."""
    base, at, size = minute * MINUTE_MS, 0, len(blob)

    def take() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= size or shift > 63:
                raise ValueError("pack cut off")
            byte = blob[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < size:
        extent, run, offset, start, count, align = take(), take(), take() * ALIGN_CHANNEL, take() + base, take(), take()
        if align not in (ALIGN_CHANNEL, 4096):
            raise ValueError("pack with another border")
        end = start
        for _ in range(count):
            gap = take()
            start = end + (gap >> 1 if not gap & 1 else -((gap + 1) >> 1))
            duration, payload, flags = take(), take(), take()
            key = take() if flags & _KEY else -1
            yield Entry(extent, run, offset, start, duration, payload, flags, key)
            end = start + duration
            offset += (HEADER_BYTES + payload + align - 1) & ~(align - 1)


def _follows(one: Entry, two: Entry, align: int) -> bool:
    if one.extent != two.extent or one.run != two.run:
        return False
    return two.offset == one.offset + ((HEADER_BYTES + one.payload + align - 1) & ~(align - 1))


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
