"""Blobs: named byte objects that are larger than a row and need no more structure: pictures, results of exports."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safecity.kit.errors import InvalidError

MAX_KEY = 500
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"
_KEY = re.compile(rf"{_PART}(/{_PART}){{0,9}}")
_PREFIX = re.compile(rf"({_PART}/){{0,9}}({_PART})?")


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What is known of one without reading it."""

    key: str
    size: int


class Blobs(Protocol):
    """Named byte objects. A key is written once; a reader never sees a half-written one.

    A key is parts joined by `/`, each of ASCII letters, digits, `.`, `_` and `-`, none beginning with `.` or `-`; no
    key is also the folder of another. InvalidError `blob_key` for anything else, NotFoundError `blob_missing` for one
    that is not there, UnavailableError `blobs_unavailable` when the store cannot (a full disk, a lost one).
    """

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> BlobInfo:
        """Durable and whole on return. When `chunks` raises or the caller is cancelled, nothing is there afterwards.

        ConflictError `blob_exists` when the key is taken.
        """
        ...

    async def adopt(self, key: str, file: Path) -> BlobInfo:
        """`put` of a local file that is given away: gone from its place afterwards, and not copied where possible."""
        ...

    async def info(self, key: str) -> BlobInfo: ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Bytes [start, end) in pieces; what lies behind the end of the blob is not there and no error.

        One that is deleted meanwhile is read to its end or breaks off with UnavailableError, never with other bytes.
        """
        ...

    def keys(self, prefix: str) -> AsyncGenerator[str]:
        """All keys that begin with `prefix` (`alarms/`, `alarms/al_1`), in any order."""
        ...

    async def delete(self, key: str) -> None:
        """Gone on return; not there is no error."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close."""
        ...


def check_key(key: str) -> str:
    """The key itself; InvalidError `blob_key` when it is none."""
    if len(key) > MAX_KEY or _KEY.fullmatch(key) is None:
        raise InvalidError(f"not a key of a blob: {key[:80]!r}", code="blob_key")
    return key


def check_prefix(prefix: str) -> str:
    """The beginning of a key; InvalidError `blob_key` when none can begin so."""
    if len(prefix) > MAX_KEY or _PREFIX.fullmatch(prefix) is None:
        raise InvalidError(f"no key begins so: {prefix[:80]!r}", code="blob_key")
    return prefix


async def only(data: bytes) -> AsyncGenerator[bytes]:
    """What is in memory already, for `put`."""
    yield data
