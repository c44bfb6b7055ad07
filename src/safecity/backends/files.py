"""The port `Blobs` as files below one folder, of which one process writes.

A blob is written under a name nobody reads, synced, renamed to its own, and its folder synced: after a power cut it is
there whole or not at all. What a killed process left half-written is swept away at the next start.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from safecity.kit.errors import ConflictError, NotFoundError, UnavailableError
from safecity.kit.ids import fresh
from safecity.ports.blobs import BlobInfo, check_key, check_prefix

PIECE = 256 * 1024
RESERVE_BYTES = 128 * 1024 * 1024
"""Free bytes below which nothing new is written: the databases on the same disk need them more."""
_NEW = ".new"
"""No key begins with a dot, so nothing in here is ever listed or read."""

_T = TypeVar("_T")


class FileBlobs:
    """Made by `open_blobs`. Disks are waited for in threads of its own, never in the loop."""

    def __init__(self, folder: Path, lock: int) -> None:
        self._folder = folder
        self._lock = lock
        self._threads = ThreadPoolExecutor(2, "blobs")
        self._publishing = asyncio.Lock()

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> BlobInfo:
        path = self._path(key)
        await self._run(_need_space, self._folder)
        new = self._folder / _NEW / fresh("bl")
        descriptor = await self._run(os.open, new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            size = 0
            try:
                async for chunk in chunks:
                    await self._run(_write, descriptor, chunk)
                    size += len(chunk)
                await self._run(os.fsync, descriptor)
            finally:
                os.close(descriptor)
            await self._publish(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        return BlobInfo(key, size)

    async def adopt(self, key: str, file: Path) -> BlobInfo:
        path = self._path(key)
        new = self._folder / _NEW / fresh("bl")
        try:
            size = await self._run(_bring, file, new)
            await self._publish(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        await self._run(_gone, file)
        return BlobInfo(key, size)

    async def info(self, key: str) -> BlobInfo:
        found = await self._run(_size, self._path(key))
        return BlobInfo(key, found)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        descriptor = await self._run(_open, self._path(key))
        try:
            at = start
            while end is None or at < end:
                piece = await self._run(os.pread, descriptor, PIECE if end is None else min(PIECE, end - at), at)
                if not piece:
                    return
                at += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def keys(self, prefix: str) -> AsyncGenerator[str]:
        folder, _, begin = check_prefix(prefix).rpartition("/")
        found = _walk(self._folder / folder, f"{folder}/" if folder else "", begin)
        while batch := await self._run(_some, found):
            for key in batch:
                yield key

    async def delete(self, key: str) -> None:
        async with self._publishing:
            await self._run(_remove, self._path(key), self._folder)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        os.close(self._lock)

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)

    async def _publish(self, new: Path, path: Path) -> None:
        async with self._publishing:
            renaming = asyncio.ensure_future(self._run(_rename, new, path))
            try:
                await asyncio.shield(renaming)
            except asyncio.CancelledError:
                # Who gives up now must find nothing afterwards, and not a rename on its way.
                await asyncio.wait({renaming})
                if renaming.exception() is None:
                    await self._run(_remove, path, self._folder)
                raise

    async def _run(self, work: Callable[..., _T], *arguments: Any) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFoundError("no such blob", code="blob_missing") from error
        except (NotADirectoryError, FileExistsError) as error:
            raise ConflictError("the key is taken, or in the way of another", code="blob_exists") from error
        except OSError as error:
            raise UnavailableError(f"blobs: {error.strerror}", code="blobs_unavailable") from error


def open_by_url(url: str) -> FileBlobs:
    """`file:/path/blobs`."""
    return open_blobs(Path(url.partition(":")[2]))


def open_blobs(folder: Path) -> FileBlobs:
    """Open as the only writer; ConflictError `second_writer` while another process has it open."""
    (folder / _NEW).mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / f"{_NEW}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise ConflictError(f"{folder.name}: another process writes it", code="second_writer") from error
    for left in (folder / _NEW).iterdir():
        left.unlink(missing_ok=True)
    return FileBlobs(folder, lock)


def _need_space(folder: Path) -> None:
    if shutil.disk_usage(folder).free < RESERVE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    if path.is_dir():
        os.close(descriptor)
        raise IsADirectoryError(path)
    return descriptor


def _size(path: Path) -> int:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise IsADirectoryError(path)
    return found.st_size


def _bring(file: Path, new: Path) -> int:
    """A second name for the bytes where that can be had, else a copy; `file` stays until all is durable."""
    try:
        os.link(file, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise
        shutil.copyfile(file, new)
    descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _gone(file: Path) -> None:
    file.unlink(missing_ok=True)


def _rename(new: Path, path: Path) -> None:
    """Also the names of new folders must be durable, each in the one above it."""
    if path.exists():
        raise FileExistsError(path)
    fresh_folders: list[Path] = []
    folder = path.parent
    while not folder.is_dir():
        fresh_folders.append(folder)
        folder = folder.parent
    for made in reversed(fresh_folders):
        made.mkdir(mode=0o700)
    new.rename(path)
    for changed in {path.parent, *(made.parent for made in fresh_folders)}:
        _sync_folder(changed)


def _remove(path: Path, root: Path) -> None:
    """The blob, and the folders that are empty without it: a million alarms must not leave a million folders."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    folder = path.parent
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            break
        folder = folder.parent
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _walk(folder: Path, above: str, begin: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith(".") or not entry.name.startswith(begin):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{above}{entry.name}/", "")
        elif entry.is_file(follow_symlinks=False):
            yield above + entry.name


def _some(found: Iterator[str]) -> list[str]:
    return [key for key, _ in zip(found, range(1000), strict=False)]
