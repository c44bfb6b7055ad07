"""Files on their way: written down as their pieces come, read by whoever keeps them, gone afterwards. Their names are
our own; what a terminal calls them is nowhere in a path."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from safecity.kit.errors import NotFoundError, UnavailableError
from safecity.model.facts.vehicle_calls import AttachmentBytes, ReadAttachment

P = ParamSpec("P")
T = TypeVar("T")
MAX_SPOOLED: Final = 2 << 30
"""Bytes of all files that may be on their way."""
READ_BYTES: Final = 512 * 1024
_HASH_BYTES: Final = 1 << 20


class Spooled:
    """One file. Its methods block, `Spool` calls them beside the loop. A thread may outlive who waited for it: after
    `close` nothing is done to a number that may be another file's by then. OSError once it is closed."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._lock = threading.Lock()
        self._closed = False
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        with self._open():
            while view:
                done = os.pwrite(self._file, view, offset)
                view, offset = view[done:], offset + done

    def read(self, offset: int, size: int) -> bytes:
        with self._open():
            return os.pread(self._file, size, offset)

    def digest(self) -> bytes:
        """SHA-256 of all of it."""
        found, at = hashlib.sha256(), 0
        while data := self.read(at, _HASH_BYTES):
            found.update(data)
            at += len(data)
        return found.digest()

    @contextlib.contextmanager
    def _open(self) -> Generator[None]:
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, "closed")
            yield

    def close(self) -> None:
        with self._lock:
            self._closed = True
            os.close(self._file)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class Spool:
    """Those of all connections. UnavailableError `jt_attachment_no_room` for a disk that takes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Spooled] = {}
        self.reserved = 0

    def begin(self) -> None:
        """What a killed process left is nobody's: it was not acknowledged, and comes again."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            left.unlink()

    def reserve(self, size: int) -> bool:
        """Room for so many bytes; `release` gives it back."""
        if self.reserved + size > MAX_SPOOLED:
            return False
        self.reserved += size
        return True

    def release(self, size: int) -> None:
        self.reserved -= size

    async def open(self) -> Spooled:
        """A new one."""
        made = await self._beside(Spooled, self._folder / os.urandom(16).hex())
        self._files[made.name] = made
        return made

    async def write(self, file: Spooled, offset: int, data: bytes) -> None:
        await self._beside(file.write, offset, data)

    async def digest(self, file: Spooled) -> bytes:
        return await self._beside(file.digest)

    async def read(self, message: ReadAttachment) -> AttachmentBytes:
        """For whoever keeps it. NotFoundError for one that is gone."""
        file = self._files.get(message.spool)
        if file is None or message.offset < 0:
            raise NotFoundError("no such file", code="not_found", params={"kind": "attachment"})
        return AttachmentBytes(await self._beside(file.read, message.offset, READ_BYTES))

    def close(self, file: Spooled) -> None:
        """It is kept, or not wanted."""
        if self._files.pop(file.name, None) is not None:
            file.close()

    async def _beside(self, do: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(do, *args, **named)
        except OSError as error:
            raise UnavailableError(f"spool: {error.strerror}", code="jt_attachment_no_room") from error
