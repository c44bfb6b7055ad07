"""`check`: does the index tell the truth about the media, and is the chain of hashes whole? Reads, never mends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from safecity.media.record.chain import EMPTY, Checkpoint, minute_digest, verified
from safecity.media.record.chunk import HEADER_BYTES, Header, Kind, unpack_header
from safecity.media.record.extent import Found, Head, scan_chunks, unpack_head
from safecity.media.record.files import BLOCK, FileLayer, MediaFile, SystemFiles
from safecity.media.record.index import CLOSED, MISSING, OPEN
from safecity.media.record.rows import Entry, unpack
from safecity.media.record.volume import SUFFIX, read_identity
from safecity.ports.sqlfile import OpenSqlReader, SqlFile

MAX_FINDINGS: Final = 1000


class Finding(NamedTuple):
    """One thing that is not as it should be. Codes: `extent_missing`, `extent_unreadable`, `extent_unknown`,
    `chunk_missing` (a row without footage), `chunk_damaged`, `chunk_unindexed` (footage without a row),
    `chain_broken`, `digest_wrong`, `checkpoint_wrong`, `volume_foreign`."""

    code: str
    extent: str = ""
    channel: str = ""
    at: int = 0


@dataclass(slots=True)
class CheckReport:
    """Of one shelf."""

    shelf: str
    extents: int = 0
    chunks: int = 0
    bytes: int = 0
    chains: int = 0
    checkpoints: int = 0
    mismatches: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def good(self) -> bool:
        return self.mismatches == 0

    def note(self, finding: Finding) -> None:
        self.mismatches += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)


def check_shelf(
    shelf: Path,
    open_reader: OpenSqlReader,
    *,
    files: FileLayer | None = None,
    deep: bool = True,
    keys: Mapping[bytes, bytes] | None = None,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> CheckReport:
    """Compare one shelf's index with its extents; `deep` reads every byte and follows every chain.

    `keys` are the public keys of checkpoints by key id. UnavailableError when there is no index.
    """
    return _Check(shelf, open_reader(shelf / "index.db"), files or SystemFiles(), deep, keys or {}, progress).run()


class _Check:
    def __init__(
        self,
        shelf: Path,
        sql: SqlFile,
        files: FileLayer,
        deep: bool,
        keys: Mapping[bytes, bytes],
        progress: Callable[[int, int], None],
    ) -> None:
        self.shelf = shelf
        self.sql = sql
        self.files = files
        self.deep = deep
        self.keys = keys
        self.progress = progress
        self.report = CheckReport(str(shelf))
        self.links: dict[tuple[bytes, int, int], dict[int, tuple[bytes, bytes]]] = {}
        """(channel, quality, run) -> sequence -> (previous, own hash)."""
        self.by_place: dict[tuple[int, int], bytes] = {}
        self.entries: dict[int, list[tuple[int, Entry]]] = {}
        self.minutes: dict[tuple[int, int], list[Entry]] = {}
        self.names: dict[int, bytes] = {}

    def run(self) -> CheckReport:
        try:
            identity = read_identity(self.files, self.shelf.parent)
            if identity is None:
                self.report.note(Finding("volume_foreign"))
                return self.report
            self._read_rows()
            rows = self.sql.execute("SELECT no, name, generation, state FROM extent ORDER BY no")
            for done, (number, name, generation, state) in enumerate(rows):
                self.progress(done, len(rows))
                if state == MISSING:
                    self.report.note(Finding("extent_missing", name))
                elif state in (OPEN, CLOSED):
                    self._extent(number, name, generation, identity.uuid)
            self._unknown_files({row[1] for row in rows})
            if self.deep:
                self._chains()
                self._digests()
                self._checkpoints(identity.uuid.bytes)
        finally:
            self.sql.close()
        return self.report

    def _read_rows(self) -> None:
        for number, channel in self.sql.execute("SELECT no, id FROM channel"):
            self.names[number] = bytes(channel)
        for table in ("pack", "open_minute"):
            rows = self.sql.execute(f"SELECT channel_no, minute, chunks FROM {table}")  # noqa: S608 (own names)
            for channel_no, minute, chunks in rows:
                entries = list(unpack(bytes(chunks), minute))
                self.minutes.setdefault((channel_no, minute), []).extend(entries)
                for entry in entries:
                    self.entries.setdefault(entry.extent, []).append((channel_no, entry))

    def _extent(self, number: int, name: str, generation: int, volume: UUID) -> None:
        path = self.shelf / name
        if not self.files.exists(path):
            self.report.note(Finding("extent_missing", name))
            return
        file = self.files.open(path)
        try:
            head = unpack_head(file.read(BLOCK, 0))
            if head is None or head.generation != generation or head.volume != volume.bytes:
                self.report.note(Finding("extent_unreadable", name))
                return
            self.report.extents += 1
            if self.deep:
                self._compare(number, name, file, head)
            else:
                for channel_no, entry in self.entries.get(number, []):
                    header = unpack_header(file.read(HEADER_BYTES, entry.offset))
                    self._judge(name, channel_no, entry, header, generation)
        finally:
            file.close()

    def _compare(self, number: int, name: str, file: MediaFile, head: Head) -> None:
        scan = scan_chunks(file, head)
        found = {one.offset: one for one in scan.found}
        damaged = {one.offset for one in scan.damaged}
        known = {entry.offset for _, entry in self.entries.get(number, [])}
        limit = max(known, default=0)
        for channel_no, entry in self.entries.get(number, []):
            one = found.get(entry.offset)
            if one is None and entry.offset in damaged:
                self.report.note(Finding("chunk_damaged", name, self._channel(channel_no), entry.start * 1000))
            else:
                self._judge(name, channel_no, entry, one.header if one else None, head.generation)
        deleted = self.sql.execute("SELECT start, start + length FROM punch WHERE extent_no = ?", (number,))
        for one in scan.found:
            self._link(number, one)
            # What lies behind the last committed chunk is the second under way, or a tail to be adopted.
            if one.header.kind == Kind.MEDIA and one.offset not in known and one.offset < limit:
                if any(start <= one.offset < end for start, end in deleted):
                    continue  # its hole is still to be made
                self.report.note(Finding("chunk_unindexed", name, one.header.channel.hex(), one.header.wall))

    def _judge(self, name: str, channel_no: int, entry: Entry, header: Header | None, generation: int) -> None:
        self.report.chunks += 1
        self.report.bytes += entry.payload
        if (
            header is None
            or header.generation != generation
            or header.payload != entry.payload
            or header.channel != self.names.get(channel_no)
        ):
            self.report.note(Finding("chunk_missing", name, self._channel(channel_no), entry.start * 1000))

    def _link(self, number: int, one: Found) -> None:
        header = one.header
        run = (header.channel, header.quality, header.run)
        self.links.setdefault(run, {})[header.sequence] = (header.previous, one.link)
        self.by_place[(number, one.offset)] = one.link

    def _chains(self) -> None:
        for (channel, _, _), links in self.links.items():
            self.report.chains += 1
            for sequence, (previous, _) in links.items():
                before = links.get(sequence - 1)
                if before is not None and before[1] != previous:
                    self.report.note(Finding("chain_broken", "", channel.hex(), sequence))

    def _digests(self) -> None:
        """Minutes whose chunks are all there must give the digest that was kept."""
        rows = self.sql.execute(
            "SELECT channel_no, minute, chunks, digest FROM digest ORDER BY channel_no, minute, part"
        )
        taken: dict[tuple[int, int], int] = {}
        sums: dict[tuple[int, int], int] = {}
        for channel_no, minute, chunks, _ in rows:
            sums[(channel_no, minute)] = sums.get((channel_no, minute), 0) + chunks
        for channel_no, minute, chunks, digest in rows:
            key = (channel_no, minute)
            entries = self.minutes.get(key, [])
            if len(entries) < sums[key]:
                continue  # expired or erased in part: the digest proves what is held elsewhere
            start = taken.get(key, 0)
            taken[key] = start + chunks
            value = EMPTY
            for entry in entries[start : start + chunks]:
                value = minute_digest(value, self.by_place.get((entry.extent, entry.offset), b""))
            if value != bytes(digest):
                self.report.note(Finding("digest_wrong", "", self._channel(channel_no), minute * 60_000_000))

    def _checkpoints(self, volume: bytes) -> None:
        rows = self.sql.execute(
            "SELECT c.id, c.quality, p.run, p.sequence, p.at, p.head, p.key_id, p.signature "
            "FROM checkpoint p JOIN channel c ON c.no = p.channel_no"
        )
        for channel, quality, run, sequence, at, head, key_id, signature in rows:
            self.report.checkpoints += 1
            point = Checkpoint(volume, bytes(channel), quality, run, sequence, at, bytes(head))
            public = self.keys.get(bytes(key_id))
            link = self.links.get((bytes(channel), quality, run), {}).get(sequence)
            if (public is not None and not verified(point, bytes(signature), public)) or (
                link is not None and link[1] != bytes(head)
            ):
                self.report.note(Finding("checkpoint_wrong", "", bytes(channel).hex(), at))

    def _unknown_files(self, known: set[str]) -> None:
        for name in self.files.names(self.shelf):
            if name.endswith(SUFFIX) and name not in known:
                self.report.note(Finding("extent_unknown", name))

    def _channel(self, number: int) -> str:
        return self.names.get(number, b"").hex()
