"""All file access of the store goes through this small layer, so that a test can cut the power under it.

The real one writes with O_DIRECT where the file system allows it: a first-touch page of page cache costs about 10 us,
a direct write from a reused buffer next to nothing (docs/design/0003-recording-store.md). O_DIRECT is not durability:
the bytes may still lie in the drive's cache until `sync` or `sync_volume`.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

BLOCK = 4096
"""Every direct write begins, ends and lies in memory on this border."""

_FALLOC_KEEP_SIZE = 1
_FALLOC_PUNCH_HOLE = 2


class Space(NamedTuple):
    """Bytes of a file system; `free` is what an ordinary writer may still take."""

    total: int
    free: int


class MediaFile(Protocol):
    """One open extent. Offsets and lengths of `write` are multiples of BLOCK."""

    def write(self, view: memoryview, offset: int) -> None:
        """Write all of it; not durable before a sync. OSError as the system says it."""
        ...

    def read(self, length: int, offset: int) -> bytes:
        """Up to `length` bytes; fewer at the end of the file."""
        ...

    def allocate(self, length: int) -> None:
        """Make the file `length` bytes long with space behind every byte (fills punched holes too)."""
        ...

    def punch(self, offset: int, length: int) -> None:
        """Give the space of these bytes back; they read as zeros. OSError EOPNOTSUPP where impossible."""
        ...

    def has_holes(self) -> bool:
        """Whether parts were punched or never allocated."""
        ...

    def sync(self) -> None:
        """Durable (fdatasync). After an error nothing may be believed about this file's last writes."""
        ...

    def close(self) -> None:
        """Release it; says nothing about durability."""
        ...


class FileLayer(Protocol):
    """What the store needs of a file system."""

    def direct(self, folder: Path) -> bool:
        """Whether files in this folder can be written with O_DIRECT."""
        ...

    def open(self, path: Path, *, write: bool = False, create: bool = False, direct: bool = False) -> MediaFile: ...

    def exists(self, path: Path) -> bool: ...

    def names(self, folder: Path) -> list[str]:
        """Sorted names; an absent folder has none."""
        ...

    def make_folder(self, path: Path) -> None: ...

    def rename(self, source: Path, target: Path) -> None:
        """Atomic; durable only after `sync_folder` of both folders."""
        ...

    def remove(self, path: Path) -> None: ...

    def read_text(self, path: Path) -> str: ...

    def write_text(self, path: Path, text: str, *, replace: bool) -> None:
        """Write at once and durably (temporary file, fsync, rename, fsync of the folder).

        FileExistsError when it is there and `replace` is not.
        """
        ...

    def sync_folder(self, path: Path) -> None: ...

    def sync_volume(self, path: Path) -> None:
        """syncfs: all files of the file system that holds `path`."""
        ...

    def space(self, path: Path) -> Space: ...

    def read_only(self, path: Path) -> bool:
        """Whether the file system takes no writes: mounted so, or made so by the system after an error."""
        ...

    def spinning(self, path: Path) -> bool:
        """Whether the system says that a rotating disk lies under it."""
        ...


_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


class _SystemFile:
    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor

    def write(self, view: memoryview, offset: int) -> None:
        while view:
            done = os.pwrite(self._fd, view, offset)
            view, offset = view[done:], offset + done

    def read(self, length: int, offset: int) -> bytes:
        parts: list[bytes] = []
        while length > 0:
            part = os.pread(self._fd, length, offset)
            if not part:
                break
            parts.append(part)
            length, offset = length - len(part), offset + len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def allocate(self, length: int) -> None:
        try:
            os.posix_fallocate(self._fd, 0, length)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
            os.ftruncate(self._fd, length)

    def punch(self, offset: int, length: int) -> None:
        mode = ctypes.c_int(_FALLOC_PUNCH_HOLE | _FALLOC_KEEP_SIZE)
        result = _libc.fallocate(ctypes.c_int(self._fd), mode, ctypes.c_int64(offset), ctypes.c_int64(length))
        _check(result, "fallocate(PUNCH_HOLE)")

    def has_holes(self) -> bool:
        status = os.fstat(self._fd)
        return status.st_blocks * 512 < status.st_size

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class SystemFiles:
    """The operating system's files."""

    def direct(self, folder: Path) -> bool:
        """Try it: some overlay, network and FUSE file systems refuse at open, some at the first write."""
        probe = folder / f".direct-{os.getpid()}"
        try:
            descriptor = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_DIRECT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            with mmap.mmap(-1, BLOCK) as page:
                os.pwrite(descriptor, page, 0)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)

    def open(self, path: Path, *, write: bool = False, create: bool = False, direct: bool = False) -> MediaFile:
        flags = os.O_CLOEXEC | (os.O_RDWR if write else os.O_RDONLY)
        flags |= (os.O_CREAT | os.O_EXCL) if create else 0
        flags |= os.O_DIRECT if direct else 0
        return _SystemFile(os.open(path, flags, 0o640))

    def exists(self, path: Path) -> bool:
        return path.exists()

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []

    def make_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def remove(self, path: Path) -> None:
        path.unlink()

    def read_text(self, path: Path) -> str:
        return path.read_text("utf-8")

    def write_text(self, path: Path, text: str, *, replace: bool) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if replace:
            temporary.rename(path)
        else:
            try:
                os.link(temporary, path)
            finally:
                temporary.unlink()
        self.sync_folder(path.parent)

    def sync_folder(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_volume(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.syncfs(ctypes.c_int(descriptor)), "syncfs")
        finally:
            os.close(descriptor)

    def space(self, path: Path) -> Space:
        status = os.statvfs(path)
        return Space(status.f_frsize * status.f_blocks, status.f_frsize * status.f_bavail)

    def read_only(self, path: Path) -> bool:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)

    def spinning(self, path: Path) -> bool:
        device = path.stat().st_dev
        block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
        for queue in (block / "queue", block / ".." / "queue"):  # a partition's queue is its disk's
            try:
                return (queue / "rotational").read_text().strip() == "1"
            except OSError:
                continue
        return False


def aligned(length: int, border: int = BLOCK) -> int:
    """`length` rounded up to `border`, a power of two."""
    return (length + border - 1) & ~(border - 1)


def blocks_of(file: MediaFile, start: int, end: int, step: int = 1 << 20) -> Iterator[tuple[int, bytes]]:
    """Read [start, end) in pieces of `step`: (offset, bytes)."""
    while start < end:
        part = file.read(min(step, end - start), start)
        if not part:
            return
        yield start, part
        start += len(part)
