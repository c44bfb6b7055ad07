"""The server's side of a small view library over HTTP: digest, Subscribes and Dispositions from the library above."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from safecity.kit.clock import Clock
from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.envelope import (
    CONTENT_TYPE,
    Refused,
    Status,
    StatusCode,
    read_body,
    read_list,
    write_json,
    write_status,
    write_statuses,
)
from safecity.protocols.gat1400.login import Account, Doorkeeper, Verdict
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.resources import RESOURCES

MAX_BODY: Final = 16 << 20
MAX_HEAD: Final = 16 << 10
TIMEOUT_SECONDS: Final = 30.0
TAKEN: Final = frozenset({"subscribes", "dispositions"})


class LowerDoor:
    """One request on each connection. `asked` keeps method and path of each that was let in, oldest first."""

    def __init__(
        self, clock: Clock, taken: Callable[[ViidObject], None], *, username: str = "", password: str = "",
    ) -> None:  # fmt: skip
        """`taken` gets each object that the library above sends. No password: everybody may send."""
        self._clock = clock
        self._taken = taken
        self._account = Account(username, password) if password else None
        self._keeper = Doorkeeper("lower", lambda: secrets.token_urlsafe(12))
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.asked: list[tuple[str, str]] = []
        self.kinds: list[str] = []
        """Media types of the bodies that came."""
        self.port = 0

    async def open(self, host: str = "127.0.0.1") -> None:
        """Listen; again on the same port where it did before."""
        self._server = await asyncio.start_server(self._serve, host, self.port, limit=MAX_HEAD, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Nobody is there any more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()
            serving = list(self._serving)
            for one in serving:
                one.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    writer.write(await self._answer(reader))
                    await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._serving.discard(task)

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        heads = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in lines if one)}
        length = int(heads.get("content-length", "0"))
        if not 0 <= length <= MAX_BODY:
            return self._said(413, target, StatusCode.INVALID_OPERATION)
        body = await reader.readexactly(length)
        if self._account is not None:
            account = self._account
            verdict, _ = self._keeper.judge(
                self._clock.monotonic(), heads.get("authorization", ""), method, target,
                lambda name: account if name == account.username else None, "",
            )  # fmt: skip
            if verdict is not Verdict.GOOD:
                (challenge,) = self._keeper.challenge(self._clock.monotonic(), stale=verdict is Verdict.STALE)
                return self._said(401, target, StatusCode.INVALID_OPERATION, f"WWW-Authenticate: {challenge}\r\n")
        self.asked.append((method, urlsplit(target).path))
        kind = heads.get("content-type", "")
        self.kinds.append(kind)
        return self._taken_in(method, target, kind, body)

    def _taken_in(self, method: str, target: str, kind: str, body: bytes) -> bytes:
        parts = urlsplit(target).path.strip("/").split("/")
        name = parts[1].lower() if len(parts) in (2, 3) and parts[0] == "VIID" else ""
        if name not in TAKEN:
            return self._said(404, target, StatusCode.INVALID_OPERATION)
        if method != ("PUT" if len(parts) == 3 else "POST"):
            return self._said(405, target, StatusCode.INVALID_OPERATION)
        try:
            objects = read_list(RESOURCES[name], read_body(kind, body))
        except InvalidError:
            return self._said(400, target, StatusCode.JSON_FORMAT)
        statuses: list[Status] = []
        for one in objects:
            if isinstance(one, Refused):
                statuses.append(Status(target, StatusCode.JSON_CONTENT, one.field, one.id))
                continue
            self._taken(one)
            statuses.append(Status(target, id=one.id))
        return _response(200, write_json(write_statuses(statuses, self._clock.now_us())))

    def _said(self, status: int, target: str, code: StatusCode, more: str = "") -> bytes:
        body = write_json(write_status(Status(target, code, "no"), self._clock.now_us()))
        return _response(status, body, more)


def _response(status: int, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode("latin-1") + body
