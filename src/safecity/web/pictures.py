"""Coded pictures become JPEG in a child process that may crash: decoders of foreign video never run in here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from safecity.kit.errors import ExhaustedError, UnavailableError

COMMAND: Final = (sys.executable, "-m", "safecity.media.formats.av_picture")
MAX_JPEG: Final = 16 << 20
PATIENCE_SECONDS: Final = 10.0


class Pictures:
    """At most two decoders at once, and a short queue."""

    def __init__(self, command: Sequence[str] = COMMAND, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """`command` is the decoder, which takes `--width N` and the coded picture, and gives the JPEG."""
        self._command = command
        self._patience = patience_seconds
        self._slots = asyncio.Semaphore(2)
        self._waiting = 0

    async def as_jpeg(self, fmp4: bytes, width: int) -> bytes:
        """Decode one picture, at most `width` wide (0: as it is). UnavailableError `picture_unreadable`."""
        if self._waiting >= 32:
            raise ExhaustedError("too many pictures at once", code="too_many_pictures", params={"seconds": 1})
        self._waiting += 1
        try:
            async with self._slots:
                return await self._decode(fmp4, width)
        finally:
            self._waiting -= 1

    async def _decode(self, fmp4: bytes, width: int) -> bytes:
        child = await asyncio.create_subprocess_exec(
            *self._command, "--width", str(width),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._patience):
                jpeg = await _answered(child, fmp4)
                if len(jpeg) <= MAX_JPEG:
                    await child.wait()
        except TimeoutError as error:
            raise UnavailableError("the decoder took too long", code="picture_unreadable") from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.communicate()  # a child whose output nobody takes is not over, not even when it was killed
        if child.returncode != 0 or not jpeg.startswith(b"\xff\xd8"):
            raise UnavailableError("the decoder failed", code="picture_unreadable")
        return jpeg


async def _answered(child: asyncio.subprocess.Process, fmp4: bytes) -> bytes:
    """All that it says; once that is all it need not have listened to the end, and one that talks without end may never
    have begun to."""
    telling = asyncio.get_running_loop().create_task(_told(child, fmp4))
    try:
        return await _said(child)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _said(child: asyncio.subprocess.Process) -> bytes:
    """All of it, or a little more than any picture has: foreign video may make a decoder talk without end."""
    assert child.stdout is not None
    said = bytearray()
    while len(said) <= MAX_JPEG and (piece := await child.stdout.read(1 << 16)):
        said += piece
    return bytes(said)


async def _told(child: asyncio.subprocess.Process, fmp4: bytes) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(fmp4)
        await child.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        child.stdin.close()
