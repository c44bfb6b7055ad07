"""A ZIP file that is never whole in memory."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator, AsyncIterable
from typing import IO, cast


class _Outlet:
    """What a ZIP is written into, taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        return None

    def taken(self) -> bytes:
        data, self._pieces = b"".join(self._pieces), []
        return data


async def zipped(files: AsyncIterable[tuple[str, bytes]]) -> AsyncGenerator[bytes]:
    """Of (name, bytes) one after the other; stored as they came: pictures are compressed already."""
    outlet = _Outlet()
    with zipfile.ZipFile(cast("IO[bytes]", outlet), "w", zipfile.ZIP_STORED) as archive:
        async for name, data in files:
            archive.writestr(name, data)
            yield outlet.taken()
    yield outlet.taken()
