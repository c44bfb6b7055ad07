"""Simulated guidance signs: the sign's side of the wire over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Final

from safecity.kit.clock import Clock, SystemClock
from safecity.protocols.signs import CONTENT_TYPE, MAX_MESSAGE, PATH, Show, SignFace, WireError, read, write

MAX_HEAD: Final = 8 << 10
PATIENCE_SECONDS: Final = 10.0


class SimSign:
    """One sign. `changed` is told what stands on it whenever it is told something."""

    def __init__(
        self, key: str, *, fallback: tuple[str, ...] = (), clock: Clock | None = None,
        changed: Callable[[tuple[str, ...]], None] = lambda lines: None,
    ) -> None:  # fmt: skip
        self._key = key
        self._fallback = fallback
        self._clock = clock or SystemClock()
        self._changed = changed
        self._server: asyncio.Server | None = None
        self.face = self._new_face()
        self.requests = 0
        self.port = 0

    def _new_face(self) -> SignFace:
        return SignFace(secrets.token_hex(8), self._fallback, self._clock.monotonic())

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands on it now."""
        return self.face.lines(self._clock.monotonic())

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Answer on that port from now on; 0: any, the same again after `stop`."""
        self._server = await asyncio.start_server(self._serve, host, port or self.port, limit=MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Answer nobody; what stands on it stays until its time is over."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def restart(self) -> None:
        """As after a power cut: it knows nothing of what it was told."""
        self.face = self._new_face()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, body = await self._answer(reader)
                head = f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
                await writer.drain()
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            pass  # whoever asks so badly is not answered
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        length = int(fields.get("content-length", "0"))
        if not 0 <= length <= MAX_MESSAGE:
            return "413 Content Too Large", b""
        body = await reader.readexactly(length)
        if target.partition("?")[0] != PATH:
            return "404 Not Found", b""
        if method != "POST":
            return "405 Method Not Allowed", b""
        try:
            show = read(body, self._key, Show)
        except WireError as error:
            return "403 Forbidden" if error.code == "sign_key_wrong" else "400 Bad Request", b""
        self.requests += 1
        shown = self.face.take(show, self._clock.monotonic())
        self._changed(shown.lines)
        return "200 OK", write(shown, self._key)


async def play(host: str, port: int, key: str, fallback: tuple[str, ...], told: Callable[[str], None]) -> None:
    """One sign until cancelled; `told` gets what stands on it, each time that it becomes something else."""
    last: list[tuple[str, ...]] = [()]

    def changed(lines: tuple[str, ...]) -> None:
        if lines != last[0]:
            last[0] = lines
            told(" / ".join(lines) or "(dark)")

    sign = SimSign(key, fallback=fallback, changed=changed)
    await sign.start(host, port)
    told(f"listening: http://{host}:{sign.port}{PATH}")
    try:
        while True:
            changed(sign.lines)
            await asyncio.sleep(0.5)
    finally:
        await sign.stop()
