"""A file layer under which the power can be cut.

It forgets what was not synced, applies an arbitrary part of it in arbitrary order, tears writes at sectors of 512 B or
blocks of 4 KiB, and loses renames and new names whose directory was not synced. O_DIRECT is a write to the drive's
cache like any other. `index.db` lies on the real disk: SQLite's commits are taken for what they promise.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from safecity.media.record.files import BLOCK, MediaFile, Space


class PowerCut(BaseException):
    """Nothing happens after this."""


class Inode:
    def __init__(self) -> None:
        self.now = bytearray()
        self.durable = bytearray()
        self.waiting: list[Callable[[bytearray, random.Random | None], None]] = []


class PowerCutFiles:
    def __init__(self) -> None:
        self.entries: dict[Path, Inode] = {}
        self.durable_entries: dict[Path, Inode] = {}
        self.moves: list[tuple[set[Path], Callable[[dict[Path, Inode]], None]]] = []
        self.folders: set[Path] = set()
        self.new_folders: set[Path] = set()
        """Made, but their names are not durable yet: they may be lost with all that is in them."""
        self.operations = 0
        self.cut_at: int | None = None
        self.dead = False
        self.log: list[str] = []
        self.failing_sync: set[Path] = set()
        """Folders of volumes whose disk answers an error."""
        self.full = False
        self.read_only_folders: set[Path] = set()
        """Folders of volumes that the system has made read-only."""
        self.unmounted: set[Path] = set()
        self.free_bytes = 1 << 40

    # --- the power ------------------------------------------------------------------------------------------------

    def step(self, what: str, path: Path | None = None) -> None:
        if self.dead:
            raise PowerCut
        if path is not None and self.read_only_folders & {path, *path.parents}:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        self.operations += 1
        self.log.append(what)
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.dead = True
            raise PowerCut

    def after_cut(self, seed: int) -> PowerCutFiles:
        """What is on the disk when the power is back."""
        chance = random.Random(seed)
        again = PowerCutFiles()
        entries = dict(self.durable_entries)
        for _, move in self.moves:
            if chance.random() < 0.5:
                move(entries)
        for path, inode in entries.items():
            survivor = Inode()
            content = bytearray(inode.durable)
            writes = [one for one in inode.waiting if chance.random() < 0.6]
            chance.shuffle(writes)
            for one in writes:
                one(content, chance)
            survivor.now, survivor.durable = bytearray(content), content
            again.entries[path] = survivor
        lost = {path for path in sorted(self.new_folders) if chance.random() < 0.5}
        for path in lost:
            shutil.rmtree(path, ignore_errors=True)  # and the index in it
        again.entries = {path: one for path, one in again.entries.items() if not lost & set(path.parents)}
        again.durable_entries = dict(again.entries)
        again.folders = {path for path in self.folders if not lost & {path, *path.parents}}
        return again

    # --- FileLayer ------------------------------------------------------------------------------------------------

    def direct(self, folder: Path) -> bool:
        return True

    def open(self, path: Path, *, write: bool = False, create: bool = False, direct: bool = False) -> MediaFile:
        if create:
            self.step(f"create {path.name}", path)
            inode = Inode()
            self.entries[path] = inode
            self.moves.append(({path.parent}, lambda entries: entries.__setitem__(path, inode)))
        if path not in self.entries:
            raise FileNotFoundError(errno.ENOENT, str(path))
        return PowerCutFile(self, path, self.entries[path], direct)

    def exists(self, path: Path) -> bool:
        if any(path.is_relative_to(one) for one in self.unmounted):
            return path in self.unmounted
        return path in self.entries or path in self.folders or path.exists()

    def names(self, folder: Path) -> list[str]:
        if any(folder.is_relative_to(one) for one in self.unmounted):
            return []
        found = {path.relative_to(folder).parts[0] for path in (*self.entries, *self.folders) if folder in path.parents}
        return sorted(found)

    def make_folder(self, path: Path) -> None:
        if path not in self.folders:
            self.new_folders.add(path)
        self.folders.add(path)
        path.mkdir(parents=True, exist_ok=True)

    def rename(self, source: Path, target: Path) -> None:
        self.step(f"rename {source.name}", source)
        if source not in self.entries and source.exists():
            source.rename(target)  # an index: it lies on the real disk
            return
        if source not in self.entries:
            raise FileNotFoundError(errno.ENOENT, str(source))
        inode = self.entries.pop(source)
        self.entries[target] = inode

        def move(entries: dict[Path, Inode]) -> None:
            if entries.get(source) is inode:
                del entries[source]
            entries[target] = inode

        self.moves.append(({source.parent, target.parent}, move))

    def remove(self, path: Path) -> None:
        self.step(f"remove {path.name}", path)
        if path not in self.entries and path.exists():
            path.unlink()
            return
        del self.entries[path]
        self.moves.append(({path.parent}, lambda entries: entries.pop(path, None)))

    def read_text(self, path: Path) -> str:
        return bytes(self.entries[path].now).decode()

    def write_text(self, path: Path, text: str, *, replace: bool) -> None:
        self.step(f"write_text {path.name}", path)
        if path in self.entries and not replace:
            raise FileExistsError(errno.EEXIST, str(path))
        inode = Inode()
        inode.now = bytearray(text.encode())
        inode.durable = bytearray(inode.now)
        self.entries[path] = self.durable_entries[path] = inode

    def sync_folder(self, path: Path) -> None:
        self.step(f"sync_folder {path.name}")
        self.new_folders = {one for one in self.new_folders if one.parent != path}
        for folders, move in self.moves:
            folders.discard(path)
            if not folders:
                move(self.durable_entries)
        self.moves = [one for one in self.moves if one[0]]

    def sync_volume(self, path: Path) -> None:
        self.step("sync_volume")
        if path in self.failing_sync:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        for inode in self.entries.values():
            settle(inode)
        for _, move in self.moves:
            move(self.durable_entries)
        self.moves = []
        self.new_folders.clear()

    def space(self, path: Path) -> Space:
        return Space(1 << 41, 0 if self.full else self.free_bytes)

    def read_only(self, path: Path) -> bool:
        return path in self.read_only_folders

    def spinning(self, path: Path) -> bool:
        return False


class PowerCutFile:
    def __init__(self, files: PowerCutFiles, path: Path, inode: Inode, direct: bool) -> None:
        self._files = files
        self._path = path
        self._inode = inode
        self._direct = direct

    def write(self, view: memoryview, offset: int) -> None:
        self._files.step(f"write {self._path.name} {offset} {len(view)}", self._path)
        if self._files.full:
            raise OSError(errno.ENOSPC, "full")
        if self._direct:
            assert offset % BLOCK == 0
            assert len(view) % BLOCK == 0
        data = bytes(view)
        put(self._inode.now, offset, data)

        def replay(content: bytearray, chance: random.Random | None) -> None:
            if chance is None or chance.random() < 0.5:
                put(content, offset, data)
                return
            size = chance.choice([512, 4096])  # torn: some sectors are new, some are what they were
            for at in range(0, len(data), size):
                if chance.random() < 0.5:
                    put(content, offset + at, data[at : at + size])

        self._inode.waiting.append(replay)

    def read(self, length: int, offset: int) -> bytes:
        if self._direct:
            raise OSError(errno.EINVAL, "direct reads want aligned memory")
        return bytes(self._inode.now[offset : offset + length])

    def allocate(self, length: int) -> None:
        self._files.step(f"allocate {self._path.name}", self._path)
        if self._files.full:
            raise OSError(errno.ENOSPC, "full")
        put(self._inode.now, length, b"")
        self._inode.waiting.append(lambda content, chance: put(content, length, b""))

    def punch(self, offset: int, length: int) -> None:
        self._files.step(f"punch {self._path.name} {offset} {length}", self._path)
        put(self._inode.now, offset, bytes(length))
        self._inode.waiting.append(lambda content, chance: put(content, offset, bytes(length)))

    def has_holes(self) -> bool:
        return True

    def sync(self) -> None:
        self._files.step(f"sync {self._path.name}")
        if self._files.failing_sync & set(self._path.parents):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        settle(self._inode)

    def close(self) -> None:
        pass


def put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def settle(inode: Inode) -> None:
    for one in inode.waiting:
        one(inode.durable, None)
    inode.waiting = []
