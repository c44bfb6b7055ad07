"""Coded pictures become JPEG in a child process that may crash: decoders of foreign video never run in here."""

from __future__ import annotations

import asyncio
import sys

from safecity.kit.errors import ExhaustedError, UnavailableError

MODULE = "safecity.media.formats.av_picture"
MAX_JPEG = 16 * 1024 * 1024


class Pictures:
    """At most two decoders at once, and a short queue."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(2)
        self._waiting = 0

    async def as_jpeg(self, fmp4: bytes, width: int) -> bytes:
        """Decode one picture, at most `width` wide (0: as it is). UnavailableError `picture_unreadable`."""
        if self._waiting >= 32:
            raise ExhaustedError("too many pictures at once", code="too_many_pictures", params={"seconds": 1})
        self._waiting += 1
        try:
            async with self._slots:
                return await _decode(fmp4, width)
        finally:
            self._waiting -= 1


async def _decode(fmp4: bytes, width: int) -> bytes:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        "--width",
        str(width),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(10):
            jpeg, _ = await child.communicate(fmp4)
    except TimeoutError as error:
        raise UnavailableError("the decoder took too long", code="picture_unreadable") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not jpeg.startswith(b"\xff\xd8") or len(jpeg) > MAX_JPEG:
        raise UnavailableError("the decoder failed", code="picture_unreadable")
    return jpeg
