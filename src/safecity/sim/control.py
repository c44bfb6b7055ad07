"""The door to a running simulation: one JSON object per line over a Unix socket, one answer per line.

    say(Path("data/demo/door.sock"), {"op": "fault", "device": "3402...", "loss": 0.01})

Answers are `{"ok": true, ...}` or `{"ok": false, "error": "..."}`; `{"op": "help"}` names the operations.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from pathlib import Path
from typing import Any

Operation = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
MAX_LINE = 64 * 1024


@contextlib.contextmanager
def _short(path: Path) -> Generator[str]:
    """A name of the socket that fits into the 107 bytes of `sockaddr_un`, however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def say(door: Path, request: Mapping[str, Any], *, timeout: float = 10.0) -> dict[str, Any]:
    """Ask and wait. OSError where nobody listens, RuntimeError with the reason where the operation failed."""
    with _short(door) as name, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(timeout)
        line.connect(name)
        line.sendall(json.dumps(dict(request)).encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            piece = line.recv(65536)
            if not piece:
                break
            data += piece
    answer: dict[str, Any] = json.loads(data or b"{}")
    if not answer.get("ok"):
        raise RuntimeError(str(answer.get("error", "no answer")))
    return answer


class Door:
    """The listening side: `operations` by name."""

    def __init__(self, path: Path, operations: Mapping[str, Operation]) -> None:
        self._path = path
        self._operations = operations
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; only this user may knock."""
        self._path.unlink(missing_ok=True)
        with _short(self._path) as name:
            self._server = await asyncio.start_unix_server(self._serve, name, limit=MAX_LINE)
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request: dict[str, Any] = json.loads(line)
            name = str(request.pop("op", "help"))
            operation = self._operations.get(name)
            if operation is None:
                return {"ok": name == "help", "operations": sorted(self._operations), "error": f"no operation {name!r}"}
            return {"ok": True, **await operation(request)}
        except Exception as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}
