"""The extent: a preallocated file of fixed size that explains itself.

Block 0 is its head (state, volume, generation). Chunks follow from BLOCK on, each on a border of the layout. When an
extent is closed a table of its chunk headers is written behind them, so that rebuilding an index reads one table and
not a header each second. An extent returns to the pool with a head that says `FREE`: whatever lies in it is nobody's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from safecity.media.record.chunk import (
    HEADER_BYTES,
    MAGIC,
    Header,
    Kind,
    chunk_hash,
    pack_header,
    payload_fits,
    unpack_header,
)
from safecity.media.record.files import BLOCK, MediaFile, aligned

HEAD_MAGIC: Final = b"SCEX"
ALIGN_CHANNEL: Final = 64
"""Chunks of one channel lie close; the partial block at the end is rewritten at its place (tail rule)."""
ALIGN_SHARED: Final = BLOCK
"""Chunks of many channels begin on blocks, so that each can be punched out alone."""

_HEAD = struct.Struct("<4sHH16sQQIIQqI")
_OFFSET = struct.Struct("<Q")
_SEARCH = 4 << 20


class ExtentState(IntEnum):
    """What block 0 says."""

    FREE = 1
    OPEN = 2
    CLOSED = 3


class Layout(IntEnum):
    """Whose chunks lie in an extent."""

    CHANNEL = 1
    SHARED = 2

    @property
    def align(self) -> int:
        return ALIGN_SHARED if self is Layout.SHARED else ALIGN_CHANNEL


class Head(NamedTuple):
    """Block 0. `table` is the offset of the trailer, 0 where there is none; `created` microseconds UTC."""

    state: ExtentState
    volume: bytes
    generation: int
    size: int
    slot: int
    layout: Layout
    table: int
    created: int


def pack_head(head: Head) -> bytes:
    """One block; all that counts lies in the first sector, which a power cut writes whole or not at all."""
    raw = _HEAD.pack(
        HEAD_MAGIC, 1, head.state, head.volume, head.generation, head.size, head.slot, head.layout, head.table,
        head.created, 0,
    )  # fmt: skip
    return (raw + struct.pack("<I", zlib.crc32(raw))).ljust(BLOCK, b"\0")


def unpack_head(data: bytes) -> Head | None:
    """The head, or None when it cannot be believed."""
    size = _HEAD.size
    if len(data) < size + 4 or data[:4] != HEAD_MAGIC:
        return None
    if struct.unpack_from("<I", data, size)[0] != zlib.crc32(data[:size]):
        return None
    _, version, state, volume, generation, length, slot, layout, table, created, _ = _HEAD.unpack(data[:size])
    if version != 1:
        return None
    try:
        return Head(ExtentState(state), volume, generation, length, slot, Layout(layout), table, created)
    except ValueError:
        return None


def guess_head(file: MediaFile, volume: bytes) -> Head | None:
    """Block 0 is unreadable: the first believable chunk tells the generation; None when there is none at all."""
    at = BLOCK
    while window := file.read(_SEARCH, at):
        for offset in _marks(window):
            header = unpack_header(file.read(HEADER_BYTES, at + offset))
            if header is not None and header.volume == volume:
                size = at + len(window)
                while more := len(file.read(_SEARCH, size)):
                    size += more
                # The smaller border: a walk that misses on the larger one searches.
                return Head(ExtentState.CLOSED, volume, header.generation, size, 0, Layout.CHANNEL, 0, header.wall)
        at += len(window)
    return None


class Found(NamedTuple):
    """A chunk in an extent. `link` is its hash where the payload was read, else empty."""

    offset: int
    header: Header
    link: bytes = b""


@dataclass(slots=True)
class Scan:
    """What a walk over an extent met: whole chunks, damaged ones, bytes that nobody could explain, the end."""

    found: list[Found] = field(default_factory=list[Found])
    damaged: list[Found] = field(default_factory=list[Found])
    skipped: int = 0
    end: int = BLOCK
    by_table: bool = False


class Table:
    """Collects the headers of an open extent for its trailer.

    Not `complete` where the extent was continued after a restart: the headers before that are read when it is closed.
    """

    def __init__(self, *, complete: bool = True) -> None:
        self._rows = bytearray()
        self.complete = complete

    def put_before(self, found: list[Found]) -> None:
        """The headers from before the restart."""
        rows = bytearray()
        for one in found:
            rows += _OFFSET.pack(one.offset) + pack_header(one.header)
        self._rows = rows + self._rows
        self.complete = True

    def add(self, offset: int, header: bytes) -> None:
        self._rows += _OFFSET.pack(offset) + header

    def pack(self) -> bytes:
        return zlib.compress(self._rows, 1)

    def __len__(self) -> int:
        return len(self._rows) // (_OFFSET.size + HEADER_BYTES)


def read_table(payload: bytes) -> list[Found]:
    """The rows of a trailer; an empty list when it does not make sense."""
    try:
        rows = zlib.decompressobj().decompress(payload, 64 << 20)
    except zlib.error:
        return []
    found: list[Found] = []
    for at in range(0, len(rows) - HEADER_BYTES - _OFFSET.size + 1, HEADER_BYTES + _OFFSET.size):
        header = unpack_header(rows, at + _OFFSET.size)
        if header is None:
            return []
        found.append(Found(_OFFSET.unpack_from(rows, at)[0], header))
    return found


def scan_table(file: MediaFile, head: Head) -> Scan | None:
    """What the trailer says, or None when there is none to believe (then `scan_chunks`)."""
    if not head.table:
        return None
    raw = file.read(HEADER_BYTES, head.table)
    header = unpack_header(raw)
    if header is None or header.kind != Kind.TABLE or not _is_of(header, head):
        return None
    payload = file.read(header.payload, head.table + HEADER_BYTES)
    if not payload_fits(header, payload):
        return None
    found = [one for one in read_table(payload) if _is_of(one.header, head)]
    if file.has_holes():  # parts were erased: the table is older than that
        found = [one for one in found if unpack_header(file.read(HEADER_BYTES, one.offset)) == one.header]
    return Scan(_linked(file, found), end=aligned(head.table + header.length), by_table=True)


def _linked(file: MediaFile, found: list[Found]) -> list[Found]:
    """Give each its hash: it stands in the header of the next chunk of its run; only each run's last is read."""
    following: dict[tuple[bytes, int, int, int], bytes] = {}
    linked: list[Found] = []
    for offset, header, _ in reversed(found):
        run = (header.channel, header.quality, header.run)
        link = following.get((*run, header.sequence + 1), b"")
        following[(*run, header.sequence)] = header.previous
        if not link:
            payload = file.read(header.payload, offset + HEADER_BYTES)
            if not payload_fits(header, payload):
                continue
            link = chunk_hash(pack_header(header), payload)
        linked.append(Found(offset, header, link))
    return linked[::-1]


def walk_headers(file: MediaFile, head: Head, end: int) -> list[Found]:
    """The headers up to `end`, payloads not looked at: for a trailer."""
    found: list[Found] = []
    at = BLOCK
    while at < end:
        header = unpack_header(file.read(HEADER_BYTES, at))
        if header is None or not _is_of(header, head):
            break
        found.append(Found(at, header))
        at = aligned(at + header.length, head.layout.align)
    return found


def scan_chunks(file: MediaFile, head: Head, start: int = BLOCK, *, search: bool = True) -> Scan:
    """Walk from chunk to chunk, believing CRCs alone.

    With `search` the walk looks for the next header behind damage or a hole; without, it ends at the first chunk
    that is not whole (the torn tail of a crash).
    """
    scan, at = Scan(end=start), start
    while at + HEADER_BYTES <= head.size:
        header = unpack_header(file.read(HEADER_BYTES, at))
        if header is not None and _is_of(header, head):
            if header.kind == Kind.TABLE:
                break
            payload = file.read(header.payload, at + HEADER_BYTES)
            if payload_fits(header, payload):
                scan.found.append(Found(at, header, chunk_hash(pack_header(header), payload)))
                at = scan.end = aligned(at + header.length, head.layout.align)
                continue
            scan.damaged.append(Found(at, header))
        if not search:
            break
        following = _next_header(file, head, at + head.layout.align)
        if following is None:
            break
        scan.skipped += following - at
        at = following
    return scan


def _is_of(header: Header, head: Head) -> bool:
    """Stale chunks of the extent's former life carry another generation: without this they would be adopted."""
    return header.volume == head.volume and header.generation == head.generation


def _next_header(file: MediaFile, head: Head, start: int) -> int | None:
    """The next offset on the layout's border where a believable header of this life stands."""
    at = start
    while at < head.size:
        window = file.read(min(_SEARCH, head.size - at), at)
        if not window:
            return None
        for offset in _marks(window):
            if (at + offset) % head.layout.align == 0:
                header = unpack_header(window, offset)
                if header is None and offset + HEADER_BYTES > len(window):
                    header = unpack_header(file.read(HEADER_BYTES, at + offset))
                if header is not None and _is_of(header, head):
                    return at + offset
        at += len(window)
    return None


def _marks(window: bytes) -> Iterator[int]:
    offset = window.find(MAGIC)
    while offset >= 0:
        yield offset
        offset = window.find(MAGIC, offset + 1)
