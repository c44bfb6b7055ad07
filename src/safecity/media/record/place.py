"""A volume as one slot sees it over time: opening, being ready, failing, coming back."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.kit.ids import parse
from safecity.media.record.appender import Buffer
from safecity.media.record.chain import Signer
from safecity.media.record.extent import Layout
from safecity.media.record.files import FileLayer
from safecity.media.record.index import Index, OpenRow
from safecity.media.record.janitor import Janitor, room_wanted
from safecity.media.record.revive import Revived, adopt_some, revive
from safecity.media.record.scrub import Damage, Scrubber
from safecity.media.record.shelf import Shelf, ShelfStream
from safecity.media.record.volume import Pool, open_volume, read_identity
from safecity.model.facts.media_calls import VolumeFigure, VolumeSpec
from safecity.ports.sqlfile import OpenSqlFile

logger = logging.getLogger(__name__)

READY, FULL, OFFLINE, FAILED = "ready", "full", "offline", "failed"
WRITE_FAILED: Final = "volume_write_failed"
_MOUNT_CODES: Final = frozenset({"volume_offline", "volume_foreign", "volume_damaged"})
_ERRORS: Final = {
    errno.EIO: WRITE_FAILED,
    errno.EROFS: "volume_read_only",
    errno.ENOSPC: "volume_full",
    errno.EDQUOT: "volume_full",
}
SLOW_US: Final = 60 * SECOND_US
"""So long a volume is called slow after it was."""
RETRY_US: Final = 10 * SECOND_US
CHECK_US: Final = 5 * SECOND_US
SWEEP_US: Final = 60 * SECOND_US
IDLE_US: Final = 3600 * SECOND_US
_TIGHT_BYTES: Final = 16 << 20
_FILES_A_TURN: Final = 8


class Place:
    """One volume of a slot. Lives in the writer thread; `figure` may be read from anywhere."""

    def __init__(
        self,
        spec: VolumeSpec,
        slot: int,
        files: FileLayer,
        open_sql: OpenSqlFile,
        buffer: Buffer,
        signer: Signer | None,
        known: Known,
        closed: Callable[[Place, ShelfStream, OpenRow], None],
        opened: Callable[[Place], None] = lambda place: None,
    ) -> None:
        """`opened` is called with the volume open and before anything is deleted on it."""
        self.spec = spec
        self.path = Path(spec.path)
        self.state: str = OFFLINE
        self.code: str = "volume_offline"
        self.shelf: Shelf | None = None
        self.janitor: Janitor | None = None
        self.scrubber: Scrubber | None = None
        self.revived = Revived()
        self._slot = slot
        self._files = files
        self._open_sql = open_sql
        self._buffer = buffer
        self._signer = signer
        self._known = known
        self._closed = closed
        self._opened = opened
        self._retry_at = 0
        self._check_at = 0
        self._sweep_at = 0
        self._slow_until = 0
        self._now = 0
        self.figure = self._figure()

    @property
    def usable(self) -> bool:
        return self.state == READY

    def open(self, now: int) -> None:
        """Try to make it ready; leaves state and code behind, raises nothing."""
        try:
            self._open(now)
        except (OSError, SafecityError) as error:
            self._retry_at = now + RETRY_US
            code = self._why_not(error)
            if code != self.code or self.state == READY:
                logger.warning("volume not usable name=%s code=%s why=%s", self.spec.name, code, error)
            self.state, self.code = OFFLINE, code
        else:
            self._retry_at = 0
            self.state, self.code = READY, ""
            logger.info("volume ready name=%s adopted=%d", self.spec.name, self.revived.adopted_chunks)
        self.figure = self._figure()

    def fail(self, error: Exception, now: int) -> None:
        """Out of service at once. After an I/O error nothing is tried again in this process; a mount that went away,
        a disk that somebody else filled and one that became read-only are looked at again."""
        code = self._why(error)
        self.state, self.code = FAILED if code == WRITE_FAILED else OFFLINE, code
        self._retry_at = now + RETRY_US
        logger.error("volume out of service name=%s code=%s why=%s", self.spec.name, self.code, error)
        shelf, self.shelf, self.janitor = self.shelf, None, None
        self._stop_scrubbing()
        if shelf is not None:
            with contextlib.suppress(Exception):  # it is lost anyway
                shelf.close(clean=False)
        self.figure = self._figure()

    def _why_not(self, error: OSError | SafecityError) -> str:
        """Why it cannot be opened."""
        code = error.code if isinstance(error, SafecityError) else "volume_error"
        if code in ("volume_error", "database_unavailable"):
            found = self._why(error)
            return "volume_error" if found == WRITE_FAILED else found
        return code

    def slow(self, now: int) -> None:
        """Streams had to be left out because the disk did not keep up."""
        if now >= self._slow_until:
            logger.warning("volume too slow, recordings have gaps name=%s", self.spec.name)
        self._slow_until = now + SLOW_US
        self.figure = self._figure()

    def _why(self, error: Exception) -> str:
        """The code of what is wrong with the volume."""
        if isinstance(error, SafecityError) and error.code in _MOUNT_CODES:
            return error.code
        number = error.errno if isinstance(error, OSError) else None
        if number is not None and number in _ERRORS:
            return _ERRORS[number]
        try:
            if read_identity(self._files, self.path) is None:
                return "volume_offline"
            # The index speaks of its disk in words of its own: look at the disk.
            if number is None and self._files.read_only(self.path):
                return "volume_read_only"
            if number is None and self._files.space(self.path).free < _TIGHT_BYTES:
                return "volume_full"
        except SafecityError as wrong:
            return wrong.code
        except OSError:
            pass
        return WRITE_FAILED

    def tend(self, now: int, streams: int) -> None:
        """Once a turn: come back, notice that the mount is gone, make room. Errors of the media reach the caller."""
        self._now = now
        if self.state == OFFLINE and now >= self._retry_at:
            self.open(now)
        shelf, janitor = self.shelf, self.janitor
        if shelf is None or janitor is None:
            return
        adopt_some(shelf.pool, shelf.index, self.revived, _FILES_A_TURN)
        if now >= self._check_at:
            self._check_at = now + CHECK_US
            shelf.pool.ensure_mounted()
            janitor.note_keeps()
            # A small volume keeps a sixteenth free, not two extents for each of its streams.
            most = max(1, shelf.pool.total_bytes() // shelf.pool.extent_bytes // 16)
            left, wanted = shelf.pool.extents_left(), min(most, room_wanted(shelf.layout, streams))
            if left < wanted:
                self.make_room(now, wanted - left)
            elif self.state == FULL:
                self.state, self.code = READY, ""
            self.figure = self._figure()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_US
            if shelf.roll_idle(now - IDLE_US):
                shelf.commit()
            janitor.sweep(now)

    def scrub(self) -> list[Damage]:
        """Verify a little of what was written long ago; what cannot be read at all is left to the next reader."""
        if self.scrubber is None:
            return []
        try:
            return self.scrubber.step()
        except OSError as error:
            logger.error("footage unreadable name=%s why=%s", self.spec.name, error)
            return []

    def _stop_scrubbing(self) -> None:
        if self.scrubber is not None:
            self.scrubber.close()
            self.scrubber = None

    def make_room(self, now: int, extents: int) -> bool:
        """Delete by the rules until so many more extents can be taken; False when only what must stay is left."""
        shelf, janitor = self.shelf, self.janitor
        if shelf is None or janitor is None:
            return False
        goal = shelf.pool.extents_left() + extents
        while (left := shelf.pool.extents_left()) < goal:
            # Parts of shared extents free bytes but no extent: go on until whole ones come free.
            if not janitor.sweep(now, (goal - left) * shelf.pool.extent_bytes, punch=False).removals:
                janitor.punch_all()  # holes give space back where the file system is the limit
                break
        if shelf.pool.extents_left() > 0:
            if self.state == FULL:
                self.state, self.code = READY, ""
            return True
        if self.state != FULL:
            logger.error("volume full, only held footage is left name=%s", self.spec.name)
        self.state, self.code = FULL, "volume_full"
        return False

    def close(self) -> None:
        """Stop cleanly."""
        self._stop_scrubbing()
        if self.shelf is not None:
            try:
                self.shelf.close(clean=True)
            except (OSError, SafecityError) as error:
                logger.error("volume not closed cleanly name=%s why=%s", self.spec.name, error)
            self.shelf = self.janitor = None

    def _open(self, now: int) -> None:
        files, path = self._files, self.path
        identity = open_volume(files, path, self._known.get(self.spec.name))
        self._known.put(self.spec.name, identity.uuid)
        pool = Pool(
            files, path, identity, self._slot, extent_bytes=self.spec.extent_bytes, max_bytes=self.spec.max_bytes
        )
        files.make_folder(pool.shelf)
        files.sync_folder(path)
        layout = layout_of(self.spec, files)
        index = self._open_index(pool.shelf / "index.db", now)
        try:
            self.revived = revive(files, pool, index, layout, self._slot)
        except BaseException:
            index.close()
            raise
        shelf = Shelf(
            pool, index, layout, self._buffer,
            slot=self._slot, signer=self._signer, digest=lambda body: hashlib.sha256(body).digest()[:16],
            closed=lambda stream, row: self._closed(self, stream, row),
        )  # fmt: skip
        for extent, channel_no in self.revived.continued:
            shelf.adopt(extent, channel_no, now)
        self.shelf, self.janitor, self.scrubber = shelf, Janitor(shelf), Scrubber(shelf)
        self._opened(self)

    def _open_index(self, path: Path, now: int) -> Index:
        """The index; one that is no database any more is put aside, and the media tell again what they hold."""
        try:
            return Index(self._open_sql(path))
        except UnavailableError as error:
            if error.code != "file_damaged":
                raise
            logger.error("index damaged, built anew from the media path=%s why=%s", path, error)
        for suffix in ("", "-wal", "-shm"):
            if self._files.exists(path.with_name(path.name + suffix)):
                self._files.rename(path.with_name(path.name + suffix), path.with_name(f"index.lost-{now}.db{suffix}"))
        return Index(self._open_sql(path))

    def _figure(self) -> VolumeFigure:
        shelf, janitor = self.shelf, self.janitor
        total = free = 0
        if shelf is not None:
            try:
                total = shelf.pool.total_bytes()
                free = min(total, shelf.pool.extents_left() * shelf.pool.extent_bytes)
            except OSError:
                total = free = 0
        return VolumeFigure(
            name=self.spec.name,
            path=self.spec.path,
            state=self.state,
            layout=shelf.layout.name.lower() if shelf else self.spec.layout,
            mode="direct" if shelf and shelf.pool.direct else "buffered",
            total_bytes=total,
            free_bytes=free,
            recorded_bytes=janitor.recorded_bytes if janitor else 0,
            held_bytes=janitor.held_bytes if janitor else 0,
            code=self.code or ("volume_slow" if self._now < self._slow_until else ""),
        )


class Known:
    """Which volume was where: a small file of the slot, outside every volume, so that a missing one is noticed."""

    def __init__(self, files: FileLayer, path: Path | None) -> None:
        self._files = files
        self._path = path
        self._uuids: dict[str, str] = {}
        if path is not None and files.exists(path):
            try:
                self._uuids = cast(dict[str, str], json.loads(files.read_text(path)))
            except ValueError:
                logger.warning("list of known volumes unreadable path=%s", path)

    def get(self, name: str) -> UUID | None:
        text = self._uuids.get(name)
        return UUID(text) if text else None

    def put(self, name: str, uuid: UUID) -> None:
        if self._uuids.get(name) != str(uuid):
            self._uuids[name] = str(uuid)
            if self._path is not None:
                self._files.write_text(self._path, json.dumps(self._uuids) + "\n", replace=True)


def layout_of(spec: VolumeSpec, files: FileLayer) -> Layout:
    """`auto`: shared on spinning disks, and where whole extents per channel would eat a small volume."""
    if spec.layout == "channel":
        return Layout.CHANNEL
    if spec.layout == "shared":
        return Layout.SHARED
    path = Path(spec.path)
    total = spec.max_bytes or files.space(path).total
    small = total < 512 * spec.extent_bytes
    return Layout.SHARED if small or files.spinning(path) else Layout.CHANNEL


def channel_bytes(channel: str) -> bytes:
    """The 16 bytes of a shown channel id; other names (a device's own playback) get theirs by hash."""
    try:
        return parse("ch", channel).bytes
    except SafecityError:
        return hashlib.sha256(channel.encode()).digest()[:16]
