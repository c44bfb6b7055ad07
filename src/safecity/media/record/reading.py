"""Reading what was recorded, from every volume and every slot of a node: read-only index and pread.

An `Archive` belongs to one thread (the slot's reader thread, see `ReaderThread`). It sees what is committed, at most
about a second behind the camera. Chunks are verified at each read: header, volume, generation, CRC.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from safecity.kit.clock import Clock, SystemClock
from safecity.kit.errors import ExhaustedError, NotFoundError, UnavailableError
from safecity.media.formats.fmp4_read import read_fragment, read_init
from safecity.media.record.chunk import HEADER_BYTES, Flag, Header, payload_fits, unpack_header
from safecity.media.record.files import FileLayer, MediaFile, SystemFiles
from safecity.media.record.indexread import Absence, ShelfIndex, Span, joined
from safecity.media.record.place import channel_bytes
from safecity.media.record.rows import Entry
from safecity.model.facts.media_calls import Gap, Piece, Timeline
from safecity.model.values.media import VIDEO, CodecParameters, Quality, Unit
from safecity.ports.sqlfile import OpenSqlReader

_QUALITY: Final = {Quality.MAIN: 0, Quality.SUB: 1}
DAY_US: Final = 86_400_000_000
OPEN_FILES: Final = 32
T = TypeVar("T")


class ChunkRef(NamedTuple):
    """One chunk, at most 1 s. `start`, `end` microseconds UTC (to the millisecond); `key` of its first key frame, or 0.

    Chunks with equal (shelf, run) are of one run: same codec parameters, continuous media time.
    """

    shelf: Path
    extent: int
    offset: int
    start: int
    end: int
    payload: int
    run: int
    key: int
    flags: int

    @property
    def damaged(self) -> bool:
        return bool(self.flags & Flag.DAMAGED)


class Chunk(NamedTuple):
    """A verified chunk: its header and its body (one moof and mdat)."""

    header: Header
    body: bytes


class Archive:
    """All shelves under these volumes. Shelves that appear later are found by the next question."""

    def __init__(
        self,
        volumes: Callable[[], Sequence[Path]],
        open_reader: OpenSqlReader,
        files: FileLayer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock: Clock = clock or SystemClock()
        self._volumes = volumes
        self._open_reader = open_reader
        self._files: FileLayer = files or SystemFiles()
        self._shelves: dict[Path, ShelfIndex] = {}
        self._open: dict[tuple[Path, int], MediaFile] = {}

    def close(self) -> None:
        for shelf in self._shelves.values():
            shelf.close()
        self._shelves.clear()
        self._close_files()

    # --- searching ------------------------------------------------------------------------------------------------

    def timeline(
        self, channel: str, start: int, end: int, resolution_ms: int = 2000, quality: Quality = Quality.MAIN
    ) -> Timeline:
        """Pieces and gaps of [start, end) microseconds; pieces nearer than the resolution are joined."""
        identity = channel_bytes(channel)
        spans: list[Span] = []
        absences: list[Absence] = []
        holds: list[tuple[int, int]] = []
        for shelf, no in self._of(identity, quality):
            spans += shelf.spans(no, start // 1000, -(-end // 1000), resolution_ms)
            absences += shelf.absences(no, start, end)
            holds += shelf.holds(identity)
        pieces = _pieces(joined(spans, resolution_ms), _merged(holds), start, end)
        return Timeline(
            channel,
            tuple(pieces),
            tuple(_gaps(pieces, absences, start, end, self._clock.now_us(), resolution_ms * 1000)),
        )

    def days(
        self, channel: str, start: int, end: int, offset_minutes: int = 480, quality: Quality = Quality.MAIN
    ) -> list[int]:
        """Begins of the days (cut at `offset_minutes` from UTC) of [start, end) that have footage."""
        shift = offset_minutes * 60_000_000
        shelves = self._of(channel_bytes(channel), quality)
        found: list[int] = []
        day = (start + shift) // DAY_US * DAY_US - shift
        while day < end:
            first, last = max(day, start) // 60_000_000, (min(day + DAY_US, end) - 1) // 60_000_000
            if any(shelf.footage_in(no, first, last) for shelf, no in shelves):
                found.append(day)
            day += DAY_US
        return found

    def chunks(self, channel: str, start: int, end: int, quality: Quality = Quality.MAIN) -> list[ChunkRef]:
        """What touches [start, end) microseconds, in order of time."""
        found = [
            _ref(shelf, entry)
            for shelf, no in self._of(channel_bytes(channel), quality)
            for entry in shelf.entries(no, start // 1000, -(-end // 1000))
        ]
        found.sort(key=lambda one: (one.start, one.run))
        return found

    def key_before(self, channel: str, at: int, quality: Quality = Quality.MAIN) -> ChunkRef | None:
        """The chunk with the last key frame at or before `at` (its `key` is the frame's time, the last one <= at may
        be later in the chunk); None where there is none."""
        best: ChunkRef | None = None
        for shelf, no in self._of(channel_bytes(channel), quality):
            entry = next(shelf.keys_before(no, at // 1000), None)
            if entry is not None:
                ref = _ref(shelf, entry)
                best = ref if best is None or ref.key > best.key else best
        return best

    def key_after(self, channel: str, at: int, quality: Quality = Quality.MAIN) -> ChunkRef | None:
        """The first chunk with a key frame at or after `at`: where playback goes on behind a gap."""
        found = [
            _ref(shelf, entry)
            for shelf, no in self._of(channel_bytes(channel), quality)
            if (entry := shelf.next_key(no, -(-at // 1000))) is not None
        ]
        return min(found, key=lambda one: one.start, default=None)

    # --- reading --------------------------------------------------------------------------------------------------

    def read_chunk(self, ref: ChunkRef) -> Chunk:
        """The chunk, verified. NotFoundError (`footage_deleted`), UnavailableError (`footage_damaged`)."""
        shelf = self._shelf(ref.shelf)
        extent = shelf.extent(ref.extent) if shelf else None
        if shelf is None or extent is None:
            raise NotFoundError("footage was deleted", code="footage_deleted")
        name, generation = extent
        try:
            raw = self._file(ref.shelf, ref.extent, name).read(HEADER_BYTES + ref.payload, ref.offset)
        except FileNotFoundError as error:
            shelf.forget(ref.extent)
            raise NotFoundError("footage was deleted", code="footage_deleted") from error
        except OSError as error:
            raise UnavailableError(f"{ref.shelf}: cannot be read", code="volume_offline") from error
        header = unpack_header(raw)
        if header is None or header.generation != generation or header.payload != ref.payload:
            self._drop_file(ref.shelf, ref.extent)
            shelf.forget(ref.extent)
            code = "footage_damaged" if header is None and any(raw) else "footage_deleted"
            raise (UnavailableError if code == "footage_damaged" else NotFoundError)("footage is not there", code=code)
        body = raw[HEADER_BYTES:]
        if not payload_fits(header, body):
            raise UnavailableError("footage damaged on the disk", code="footage_damaged")
        return Chunk(header, body)

    def init_of(self, ref: ChunkRef) -> bytes:
        """ftyp and moov of the chunk's run. NotFoundError (`footage_deleted`)."""
        shelf = self._shelf(ref.shelf)
        body = shelf.init(ref.run) if shelf else None
        if body is None:
            raise NotFoundError("init segment is not there", code="footage_deleted")
        return body

    def parameters(self, ref: ChunkRef) -> tuple[CodecParameters, ...]:
        """The codec parameters of the chunk's run."""
        return read_init(self.init_of(ref))

    def units(self, ref: ChunkRef) -> list[Unit]:
        """The chunk as units again, track by track, `arrived_us` by the recording's clock."""
        header, body = self.read_chunk(ref)
        parameters = self.parameters(ref)
        by_track = {VIDEO if hasattr(one, "parameter_sets") else 1: one for one in parameters}
        damaged = bool(header.flags & Flag.DAMAGED)
        found: list[Unit] = []
        for track, samples in read_fragment(body).tracks:
            base = samples[0].dts if samples else 0
            known = by_track.get(track)
            if known is None:
                continue
            found += [
                Unit(
                    track,
                    one.data,
                    one.pts,
                    one.dts,
                    one.is_key,
                    damaged,
                    header.wall + (one.dts - base) * 100 // 9,
                    known,
                )
                for one in samples
            ]
        return found

    # --------------------------------------------------------------------------------------------------------------

    def _of(self, channel: bytes, quality: Quality) -> list[tuple[ShelfIndex, int]]:
        self._look()
        found: list[tuple[ShelfIndex, int]] = []
        for shelf in self._shelves.values():
            no = shelf.number(channel, _QUALITY[quality])
            if no is not None:
                found.append((shelf, no))
        return found

    def _look(self) -> None:
        for path, shelf in list(self._shelves.items()):
            if not shelf.is_current():  # the volume went, or the index was built anew
                shelf.close()
                del self._shelves[path]
        for volume in self._volumes():
            for name in self._files.names(volume):
                path = volume / name
                if name.startswith("shelf-") and path not in self._shelves:
                    self._shelf(path)

    def _shelf(self, path: Path) -> ShelfIndex | None:
        if path not in self._shelves:
            try:
                self._shelves[path] = ShelfIndex(path, self._open_reader(path / "index.db"))
            except UnavailableError:
                return None
        return self._shelves[path]

    def _file(self, shelf: Path, extent: int, name: str) -> MediaFile:
        key = (shelf, extent)
        if key not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            self._open[key] = self._files.open(shelf / name)
        return self._open[key]

    def _drop_file(self, shelf: Path, extent: int) -> None:
        file = self._open.pop((shelf, extent), None)
        if file is not None:
            file.close()

    def _close_files(self) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()


class ReaderThread:
    """The slot's one reading thread: an `Archive` and whoever asks it. At most `limit` questions wait."""

    def __init__(self, archive: Callable[[], Archive], limit: int = 256) -> None:
        self._make = archive
        self._limit = limit
        self._queue: deque[Callable[[Archive], None]] = deque()
        self._ready = threading.Semaphore(0)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    async def ask(self, question: Callable[[Archive], T]) -> T:
        """Run it there. ExhaustedError (`disk_busy`) when too many wait."""
        return await asyncio.wrap_future(self.submit(question))

    def submit(self, question: Callable[[Archive], T]) -> Future[T]:
        """The same without an event loop."""
        if len(self._queue) >= self._limit or self._stopping:
            raise ExhaustedError("too many reads wait", code="disk_busy")
        future: Future[T] = Future()

        def act(archive: Archive) -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(question(archive))
            except BaseException as error:
                future.set_exception(error)

        self._queue.append(act)
        self._ready.release()
        return future

    def close(self) -> None:
        """Answer what waits, then stop."""
        self._stopping = True
        self._ready.release()
        self._thread.join(10)

    def _run(self) -> None:
        archive = self._make()
        while True:
            self._ready.acquire()
            if self._queue:
                self._queue.popleft()(archive)
            elif self._stopping:
                break
        archive.close()


def _ref(shelf: ShelfIndex, entry: Entry) -> ChunkRef:
    key = (entry.start + entry.first_key) * 1000 if entry.first_key >= 0 else 0
    return ChunkRef(
        shelf.path, entry.extent, entry.offset, entry.start * 1000, entry.end * 1000, entry.payload, entry.run, key,
        entry.flags,
    )  # fmt: skip


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def _pieces(spans: list[Span], holds: list[tuple[int, int]], start: int, end: int) -> list[Piece]:
    """Cut to the range and at the borders of holds."""
    pieces: list[Piece] = []
    for span in spans:
        one, two = max(start, span.start * 1000), min(end, span.end * 1000)
        length = max(1, (span.end - span.start) * 1000)
        borders = [one, *(at for hold in holds for at in hold if one < at < two), two]
        for left, right in pairwise(borders):
            held = any(begin <= left and right <= stop for begin, stop in holds)
            size = span.bytes * (right - left) // length
            if right > left:
                pieces.append(Piece(left, right, held, "backfill" if span.backfilled else "live", size))
    return pieces


def _gaps(pieces: list[Piece], absences: list[Absence], start: int, end: int, now: int, least: int) -> list[Gap]:
    """What no shelf has, each with the cause that was written down, `unknown` where none was."""
    holes: list[tuple[int, int]] = []
    at = start
    for piece in pieces:
        if piece.start > at:
            holes.append((at, piece.start))
        at = max(at, piece.end)
    holes.append((at, end))
    first, last = (pieces[0].start, pieces[-1].end) if pieces else (end, start)
    known = sorted(
        Absence(one.start, one.end or min(end, max(now, one.start)), one.cause, one.detail) for one in absences
    )
    gaps: list[Gap] = []
    for left, right in holes:
        at = left
        for one in known:
            begin, stop = max(at, one.start), min(right, one.end)
            if stop <= begin:
                continue
            if begin - at > least and first <= at < last:
                gaps.append(Gap(at, begin, "unknown"))
            gaps.append(Gap(begin, stop, one.cause, one.detail))
            at = stop
        if right - at > least and first <= at < last:
            gaps.append(Gap(at, right, "unknown"))
    return [gap for gap in gaps if gap.end - gap.start >= 1000]
