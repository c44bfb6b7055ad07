"""Opening a shelf: finish what the last life left half done, adopt the tail that was written but not yet indexed.

Nothing is ever deleted here because it is *missing* somewhere: a row without a file is marked, a file without a row is
read and adopted. Only what a deletion row says was deleted is given back to the pool.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final

from safecity.media.record.adopt import Adopter
from safecity.media.record.appender import OpenExtent
from safecity.media.record.chunk import HEADER_BYTES
from safecity.media.record.extent import (
    ExtentState,
    Head,
    Layout,
    Scan,
    Table,
    guess_head,
    scan_chunks,
    scan_table,
    unpack_head,
)
from safecity.media.record.files import BLOCK, FileLayer, MediaFile, aligned
from safecity.media.record.index import CLOSED, MISSING, OPEN, ExtentRow, Index
from safecity.media.record.phasetwo import free_extents, punch_holes
from safecity.media.record.rows import unpack
from safecity.media.record.volume import SUFFIX, Pool

logger = logging.getLogger(__name__)

_TORN_US: Final = 2_000_000
"""What a cut may tear: a second of footage that was on its way, and the one that followed it."""

FIRST_FILES: Final = 16
"""Files without a row that are adopted before recording begins: those of the last second have none."""


@dataclass(slots=True)
class Revived:
    """What opening found."""

    clean: bool = True
    adopted_chunks: int = 0
    adopted_extents: int = 0
    missing_extents: int = 0
    unreadable: list[str] = field(default_factory=list[str])
    backlog: list[str] = field(default_factory=list[str])
    """Files without a row that are still to be looked at (the index was lost): some in each turn."""
    continued: list[tuple[OpenExtent, int | None]] = field(default_factory=list[tuple[OpenExtent, int | None]])


def revive(files: FileLayer, pool: Pool, index: Index, layout: Layout, slot: int) -> Revived:
    """Make index and media agree again, committed on return."""
    revived = Revived(clean=bool(index.meta("clean")) or index.meta("clean") is None)
    pool.ensure_mounted()
    free_extents(pool, index)
    punch_holes(pool, index)
    names = {name for name in files.names(pool.shelf) if name.endswith(SUFFIX)}
    adopter = Adopter(index)
    rows = index.open_rows()
    written: dict[int, int] = {}
    for row in rows.values():  # the minutes under way become finished ones, so that nothing is counted twice
        written[row.extent_no] = max(written.get(row.extent_no, 0), row.written)
        index.close_minute(row)
    _tell_open_uses(index)
    index.add("DELETE FROM open_minute", ())
    known: set[str] = set()
    for extent in index.extents(OPEN):
        known.add(extent.name)
        if extent.name not in names:
            logger.warning("extent missing name=%s", extent.name)
            index.written(extent.no, extent.written, MISSING)
            revived.missing_extents += 1
            continue
        start = max(BLOCK, extent.written, written.get(extent.no, 0))
        _go_on(pool, index, extent, start, adopter, revived, layout, slot)
    all_known = known | {row[0] for row in index.sql.execute("SELECT name FROM extent WHERE state IN (2, 3, 4)")}
    adopter.finish()
    revived.backlog = sorted(names - all_known)
    index.set_meta("clean", 0)
    index.commit()
    revived.adopted_chunks = adopter.chunks
    adopt_some(pool, index, revived, FIRST_FILES)
    if adopter.chunks:
        logger.info(
            "footage adopted shelf=%s chunks=%d extents=%d", pool.shelf, adopter.chunks, revived.adopted_extents
        )
    return revived


def adopt_some(pool: Pool, index: Index, revived: Revived, most: int) -> None:
    """Read up to `most` files of the backlog into the index; recording goes on meanwhile."""
    if not revived.backlog:
        return
    adopter = Adopter(index)
    names, revived.backlog = revived.backlog[:most], revived.backlog[most:]
    for name in names:
        _adopt_file(pool, index, name, adopter, revived)
    adopter.finish()
    index.commit()
    revived.adopted_chunks += adopter.chunks
    if not revived.backlog:
        logger.info("footage without index adopted shelf=%s extents=%d", pool.shelf, revived.adopted_extents)


def _tell_open_uses(index: Index) -> None:
    """Bytes of open minutes were not yet counted in extents that were still open."""
    still_open = {extent.no for extent in index.extents(OPEN)}
    for row in index.open_rows().values():
        for entry in unpack(row.chunks, row.minute):
            if entry.extent in still_open:
                size = aligned(HEADER_BYTES + entry.payload, 64)
                index.use(entry.extent, row.channel_no, size, entry.start, entry.end)


def _go_on(
    pool: Pool,
    index: Index,
    extent: ExtentRow,
    start: int,
    adopter: Adopter,
    revived: Revived,
    layout: Layout,
    slot: int,
) -> None:
    file = pool.open(extent.name)
    try:
        head = unpack_head(file.read(BLOCK, 0))
        if head is None or head.generation != extent.generation or head.state is ExtentState.FREE:
            revived.unreadable.append(extent.name)
            index.written(extent.no, start, CLOSED)
            return
        if head.state is ExtentState.CLOSED:
            # The head was written in the second whose commit is missing: the trailer ends the walk.
            scan = scan_chunks(file, head, start, search=False)
            adopter.take(extent.no, head.layout, scan.found, file)
            index.written(extent.no, scan.end, CLOSED)
            return
        scan = scan_chunks(file, head, start, search=False)
        adopter.take(extent.no, head.layout, scan.found, file)
        index.written(extent.no, scan.end, OPEN)
        channels = {one.header.channel for one in scan.found} if head.layout is Layout.CHANNEL else set[bytes]()
        owner = _owner(index, extent.no, channels)
        if head.layout is not layout or (head.layout is Layout.CHANNEL and owner is None):
            index.written(extent.no, scan.end, CLOSED)
            return
        tail = file.read(scan.end & (BLOCK - 1), scan.end & ~(BLOCK - 1))
    finally:
        file.close()
    continued = OpenExtent(
        extent.no, extent.name, extent.generation, pool.open(extent.name, write=True),
        volume=pool.volume, size=extent.size, layout=head.layout, slot=slot, created=extent.created,
        position=scan.end, tail=tail, table=Table(complete=False),
        reread=lambda: pool.open(extent.name),
    )  # fmt: skip
    revived.continued.append((continued, owner if head.layout is Layout.CHANNEL else None))


def _owner(index: Index, extent_no: int, channels: set[bytes]) -> int | None:
    rows = index.sql.execute("SELECT channel_no FROM extent_channel WHERE extent_no = ?", (extent_no,))
    numbers = {row[0] for row in rows}
    numbers |= (
        {number for (channel, _), number in index.channels().items() if channel in channels} if not rows else set()
    )
    return next(iter(numbers)) if len(numbers) == 1 else None


def _adopt_file(pool: Pool, index: Index, name: str, adopter: Adopter, revived: Revived) -> None:
    """A file without a row: its first commit never came, or the index is an older one."""
    file = pool.open(name)
    try:
        block = file.read(BLOCK, 0)
        head = unpack_head(block) or guess_head(file, pool.volume)
        scan = Scan()
        if head is not None and head.volume == pool.volume and head.state is not ExtentState.FREE:
            scan = scan_table(file, head) or scan_chunks(file, head)
        if head is not None and scan.found:
            add_extent(index, name, head, scan, adopter, file)
            revived.adopted_extents += 1
    finally:
        file.close()
    if scan.found:
        return
    if _was_never_written(block, head, scan, pool.volume):
        logger.info("extent without a whole chunk goes to the pool name=%s damaged=%d", name, len(scan.damaged))
        pool.give_back(name)
    else:
        logger.warning("extent not understood, left alone name=%s damaged=%d", name, len(scan.damaged))
        revived.unreadable.append(name)


def _was_never_written(block: bytes, head: Head | None, scan: Scan, volume: bytes) -> bool:
    """Whether it holds nothing, or at most a torn last second. What another volume, a later version or a sick disk
    left there is not ours to throw away."""
    if head is None:
        return not any(block)
    times = [one.header.wall for one in scan.damaged]
    return head.volume == volume and (not times or max(times) - min(times) <= _TORN_US)


def add_extent(index: Index, name: str, head: Head, scan: Scan, adopter: Adopter, file: MediaFile) -> int:
    """A row for an extent found on the disk, closed, with its chunks."""
    number = index.extent(name, head.generation, head.size, head.layout, head.created)
    index.written(number, scan.end, CLOSED)
    adopter.take(number, head.layout, scan.found, file)
    return number
