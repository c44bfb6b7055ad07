"""`recover`: build the index of a shelf anew from its media alone.

Extents are taken in the order of their generations; the trailer is believed first, an extent without one is walked
chunk by chunk. What the old index still tells and the media cannot (holds, gaps, deletions, checkpoints, how long each
is kept) is carried over where it can be read. The old index is kept beside, never deleted.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from safecity.kit.errors import ConflictError, SafecityError, UnavailableError
from safecity.media.record.adopt import Adopter
from safecity.media.record.extent import ExtentState, Head, guess_head, scan_chunks, scan_table, unpack_head
from safecity.media.record.files import BLOCK, FileLayer, SystemFiles
from safecity.media.record.index import Index
from safecity.media.record.revive import add_extent
from safecity.media.record.volume import SUFFIX, read_identity
from safecity.ports.sqlfile import OpenSqlFile, Row, SqlFile

logger = logging.getLogger(__name__)
_NEW: Final = "index.recovered.db"
_KEPT: Final = ("hold", "gap", "deletion", "checkpoint", "keep")


@dataclass(slots=True)
class RecoverReport:
    """What was found."""

    shelf: str
    extents: int = 0
    by_table: int = 0
    chunks: int = 0
    damaged: int = 0
    skipped_bytes: int = 0
    orphans: int = 0
    kept_rows: int = 0
    unreadable: list[str] = field(default_factory=list[str])
    old_index: str = ""


def recover_shelf(
    shelf: Path,
    open_sql: OpenSqlFile,
    *,
    files: FileLayer | None = None,
    now_us: int,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> RecoverReport:
    """Rebuild `shelf`/index.db. The slot that writes the shelf must be stopped.

    ConflictError (`second_writer`) when it is not; UnavailableError (`volume_offline`) without an identity.
    """
    files = files or SystemFiles()
    identity = read_identity(files, shelf.parent)
    if identity is None:
        raise UnavailableError(f"{shelf.parent}: no volume is mounted here", code="volume_offline")
    report = RecoverReport(str(shelf))
    kept = _old_rows(shelf / "index.db", files, open_sql)
    for name in files.names(shelf):
        if name.startswith(_NEW):
            files.remove(shelf / name)
    index = Index(open_sql(shelf / _NEW))
    try:
        _rebuild(shelf, identity.uuid.bytes, files, index, report, progress)
        _carry_over(index, kept, report)
        index.set_meta("clean", 0)
        index.commit()
    finally:
        index.close()
    report.old_index = _exchange(shelf, files, now_us)
    logger.info("index rebuilt shelf=%s extents=%d chunks=%d", shelf, report.extents, report.chunks)
    return report


def _rebuild(
    shelf: Path,
    volume: bytes,
    files: FileLayer,
    index: Index,
    report: RecoverReport,
    progress: Callable[[int, int], None],
) -> None:
    names = [name for name in files.names(shelf) if name.endswith(SUFFIX)]
    heads: list[tuple[int, str, Head]] = []
    for name in names:
        file = files.open(shelf / name)
        try:
            head = unpack_head(file.read(BLOCK, 0)) or guess_head(file, volume)
        finally:
            file.close()
        if head is None or head.volume != volume:
            report.unreadable.append(name)
        elif head.state is not ExtentState.FREE:
            heads.append((head.generation, name, head))
    adopter = Adopter(index)
    for done, (_, name, head) in enumerate(sorted(heads)):
        progress(done, len(heads))
        file = files.open(shelf / name)
        try:
            scan = scan_table(file, head) or scan_chunks(file, head)
            if scan.found:
                add_extent(index, name, head, scan, adopter, file)
                report.extents += 1
        finally:
            file.close()
        report.by_table += scan.by_table
        report.damaged += len(scan.damaged)
        report.skipped_bytes += scan.skipped
    adopter.finish()
    report.chunks, report.orphans = adopter.chunks, adopter.orphans


def _old_rows(path: Path, files: FileLayer, open_sql: OpenSqlFile) -> dict[str, list[Row]]:
    """What only the old index knows, as far as it can be read; channels by their id."""
    if not files.exists(path):
        return {}
    kept: dict[str, list[Row]] = {}
    try:
        sql = open_sql(path)
    except ConflictError:
        raise
    except Exception as error:
        logger.warning("old index unreadable path=%s why=%s", path, error)
        return {}
    with contextlib.closing(sql):
        _read_kept(sql, kept)
    return kept


def _read_kept(sql: SqlFile, kept: dict[str, list[Row]]) -> None:
    for table in ("channel", *_KEPT):
        try:
            kept[table] = sql.execute(f"SELECT * FROM {table}")  # noqa: S608 (own names)
        except Exception as error:
            logger.warning("old table unreadable table=%s why=%s", table, error)


def _carry_over(index: Index, kept: dict[str, list[Row]], report: RecoverReport) -> None:
    numbers = {row[0]: index.channel(bytes(row[1]), row[2]) for row in kept.get("channel", [])}
    for table in _KEPT:
        for row in kept.get(table, []):
            values = list(row)
            if table == "deletion":
                values[0] = None
                values[1] = numbers.get(row[1])
            elif table != "hold":
                values[0] = numbers.get(row[0])
            marks = ",".join("?" * len(values))
            index.add(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608
            report.kept_rows += 1


def _exchange(shelf: Path, files: FileLayer, now_us: int) -> str:
    """The new index takes the place; the old one stays beside under another name."""
    old = ""
    for suffix in ("", "-wal", "-shm"):
        if files.exists(shelf / f"index.db{suffix}"):
            old = old or f"index.lost-{now_us}.db"
            files.rename(shelf / f"index.db{suffix}", shelf / f"{old}{suffix}")
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            files.rename(shelf / f"{_NEW}{suffix}", shelf / f"index.db{suffix}")
    files.rename(shelf / _NEW, shelf / "index.db")
    with contextlib.suppress(OSError, SafecityError):
        files.remove(shelf / f"{_NEW}.lock")
    files.sync_folder(shelf)
    return old
