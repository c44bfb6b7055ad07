"""A volume: a folder with an identity, a pool of free extents, and one shelf per slot.

<volume>/safecity-volume.json   uuid and open generation; missing means *offline*, never empty
<volume>/free/*.sce             recycled extents; taken by rename, so slots need no lock among them
<volume>/shelf-N/               index.db and the extents in use by slot N
"""

from __future__ import annotations

import errno
import json
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from safecity.kit.errors import ExhaustedError, UnavailableError
from safecity.kit.ids import new_id
from safecity.media.record.extent import ExtentState, Head, Layout, pack_head, unpack_head
from safecity.media.record.files import BLOCK, FileLayer, MediaFile, aligned

IDENTITY: Final = "safecity-volume.json"
FREE: Final = "free"
SUFFIX: Final = ".sce"
_RECOUNT: Final = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a volume is; `generation` counts its openings by any slot."""

    uuid: UUID
    generation: int

    def text(self) -> str:
        return json.dumps({"format": 1, "uuid": str(self.uuid), "generation": self.generation}) + "\n"


def read_identity(files: FileLayer, path: Path) -> Identity | None:
    """The identity, None where there is none; UnavailableError (`volume_damaged`) for a file that says nothing."""
    if not files.exists(path / IDENTITY):
        return None
    try:
        raw = cast(dict[str, object], json.loads(files.read_text(path / IDENTITY)))
        if raw["format"] != 1:
            raise ValueError(f"format {raw['format']!r}")
        return Identity(UUID(str(raw["uuid"])), int(cast(int, raw["generation"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"{path}: identity unreadable", code="volume_damaged") from error


def open_volume(files: FileLayer, path: Path, known: UUID | None) -> Identity:
    """Count one opening. A folder never seen before becomes a volume; a known one must still be itself.

    UnavailableError with code `volume_offline` (the folder or its identity is gone: unmounted), `volume_foreign`
    (another volume is mounted here), `volume_damaged`; OSError as the system says it.
    """
    identity = read_identity(files, path)
    if identity is None:
        used = [name for name in files.names(path) if name == FREE or name.startswith("shelf-")]
        if known is not None or not files.exists(path) or used:
            raise UnavailableError(f"{path}: no volume is mounted here", code="volume_offline")
        identity = Identity(new_id(), 0)
        try:
            files.write_text(path / IDENTITY, identity.text(), replace=False)
        except FileExistsError:  # another slot made it a volume in this moment
            identity = read_identity(files, path) or identity
    elif known is not None and identity.uuid != known:
        raise UnavailableError(f"{path}: another volume is mounted here", code="volume_foreign")
    identity = Identity(identity.uuid, identity.generation + 1)
    files.write_text(path / IDENTITY, identity.text(), replace=True)
    files.make_folder(path / FREE)
    files.sync_folder(path)
    return identity


class Pool:
    """Takes extents from the volume and gives them back, for one shelf."""

    def __init__(
        self, files: FileLayer, path: Path, identity: Identity, slot: int, *, extent_bytes: int, max_bytes: int
    ) -> None:
        self._files = files
        self._path = path
        self._identity = identity
        self._slot = slot
        self._max_bytes = max_bytes
        self._asked = 0
        self._in_use = 0
        self.extent_bytes = extent_bytes
        self.shelf = path / f"shelf-{slot}"
        self.direct = files.direct(path)
        # Generations of all openings of all slots differ: the opening is their upper half, the slot its lowest byte.
        self._generation = ((identity.generation & 0x7FFF_FFFF) << 32) | (slot & 0xFF)

    @property
    def volume(self) -> bytes:
        return self._identity.uuid.bytes

    def ensure_mounted(self) -> None:
        """UnavailableError (`volume_offline`) once the identity has gone: nothing may be written or deleted then."""
        identity = read_identity(self._files, self._path)
        if identity is None:
            raise UnavailableError(f"{self._path}: volume went away", code="volume_offline")
        if identity.uuid != self._identity.uuid:
            raise UnavailableError(f"{self._path}: another volume is mounted here", code="volume_foreign")

    def take(self, layout: Layout, now_us: int) -> tuple[str, int, MediaFile]:
        """A fresh extent as (name, generation, open file). ExhaustedError (`volume_full`)."""
        self.ensure_mounted()
        name = self._rename_one() or self._make_one()
        self._in_use += 1
        self._files.sync_folder(self._path / FREE)
        self._files.sync_folder(self.shelf)
        self._generation += 0x100
        generation = self._generation
        file = self._files.open(self.shelf / name, write=True, direct=self.direct)
        try:
            file.allocate(self.extent_bytes)  # refills what was punched
            head = Head(ExtentState.OPEN, self.volume, generation, self.extent_bytes, self._slot, layout, 0, now_us)
            # Not synced alone: it becomes durable with the first chunks, before a row speaks of them. Until then the
            # durable head says FREE, and whatever a crash leaves behind it is nobody's.
            write_head(file, head)
        except OSError as error:
            file.close()
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self._files.remove(self.shelf / name)
                self._in_use -= 1
                raise ExhaustedError(f"{self._path}: no space", code="volume_full") from error
            raise
        return name, generation, file

    def open(self, name: str, *, write: bool = False) -> MediaFile:
        return self._files.open(self.shelf / name, write=write, direct=write and self.direct)

    def give_back(self, name: str) -> None:
        """Mark it free, durably, then move it to the pool. Does nothing when it is not there (done before)."""
        self.ensure_mounted()  # else "not there" would be taken for "done"
        path = self.shelf / name
        if not self._files.exists(path):
            return
        file = self._files.open(path, write=True)
        try:
            old = unpack_head(file.read(BLOCK, 0))
            generation = old.generation if old else 0
            write_head(
                file,
                Head(ExtentState.FREE, self.volume, generation, self.extent_bytes, self._slot, Layout.CHANNEL, 0, 0),
            )
            file.sync()
        finally:
            file.close()
        self._files.rename(path, self._path / FREE / name)
        self._in_use -= 1
        self._files.sync_folder(self.shelf)
        self._files.sync_folder(self._path / FREE)

    def punch(self, name: str, spans: Sequence[tuple[int, int]]) -> None:
        """Make these (start, length) of an extent unreadable, durably; whole blocks give their space back."""
        self.ensure_mounted()
        if not self._files.exists(self.shelf / name):
            return
        file = self._files.open(self.shelf / name, write=True)
        try:
            for start, length in spans:
                _punch(file, start, start + length)
            file.sync()
        finally:
            file.close()

    def sync_volume(self) -> None:
        """One syncfs for all of this second."""
        self._files.sync_volume(self._path)

    def extents_left(self) -> int:
        """How many more can be taken without deleting anything."""
        free = len(self._names(self._path / FREE))
        space = self._files.space(self._path)
        room = max(0, space.free - self._reserve(space.total)) // self.extent_bytes
        if self._max_bytes:
            room = min(room, max(0, self._max_bytes // self.extent_bytes - free - self._used()))
        return free + room

    def total_bytes(self) -> int:
        """What recordings may fill, by the setting or by the file system."""
        total = self._files.space(self._path).total
        return min(self._max_bytes, total) if self._max_bytes else total

    def _used(self) -> int:
        """Extents in the shelves of all slots. Own changes count at once, those of others after some questions."""
        if self._asked % _RECOUNT == 0:
            shelves = [name for name in self._files.names(self._path) if name.startswith("shelf-")]
            self._in_use = sum(len(self._names(self._path / name)) for name in shelves)
        self._asked += 1
        return self._in_use

    def _names(self, folder: Path) -> list[str]:
        return [name for name in self._files.names(folder) if name.endswith(SUFFIX)]

    def _reserve(self, total: int) -> int:
        """Left for the index and for others on the same file system: 1 %, at most 2 GiB."""
        return min(total // 100, 2 << 30)

    def _rename_one(self) -> str | None:
        for name in self._names(self._path / FREE):
            try:
                self._files.rename(self._path / FREE / name, self.shelf / name)
            except FileNotFoundError:
                continue  # another slot was quicker
            return name
        return None

    def _make_one(self) -> str:
        if self.extents_left() < 1:
            raise ExhaustedError(f"{self._path}: full", code="volume_full")
        name = os.urandom(8).hex() + SUFFIX
        self._files.open(self.shelf / name, write=True, create=True).close()
        return name


def _punch(file: MediaFile, start: int, end: int) -> None:
    first, last = aligned(start), end & ~(BLOCK - 1)
    if first < last:
        try:
            file.punch(first, last - first)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                raise
            _overwrite(file, first, last)  # no holes here: the bytes go, the space stays
    if first > end:
        _overwrite(file, start, end)
    else:
        _overwrite(file, start, first)
        _overwrite(file, max(last, first), end)


def _overwrite(file: MediaFile, start: int, end: int) -> None:
    zeros = memoryview(bytes(1 << 20))
    while start < end:
        part = min(end - start, len(zeros))
        file.write(zeros[:part], start)
        start += part


def write_head(file: MediaFile, head: Head) -> None:
    """Block 0, from a page of its own: direct writes want aligned memory."""
    with mmap.mmap(-1, BLOCK) as page:
        page[:] = pack_head(head)
        with memoryview(page) as view:
            file.write(view, 0)
