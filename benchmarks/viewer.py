"""A viewer without a browser: one WebSocket to the media port, messages as they come, no more work than that."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, NamedTuple

KEY, DELTA, SOUND = 2, 3, 4


class Message(NamedTuple):
    """`kind` 0 is text; `wall` is microseconds UTC, of binary messages alone."""

    kind: int
    wall: int
    payload: bytes

    def fields(self) -> dict[str, Any]:
        """Of a text."""
        return json.loads(self.payload)


class Viewer:
    """Open it with a URL that the API gave."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Viewer:
        """Connect and shake hands."""
        host, _, rest = url.removeprefix("ws://").partition("/")
        name, _, port = host.partition(":")
        reader, writer = await asyncio.open_connection(name, int(port), limit=1 << 22)
        writer.write(
            f"GET /{rest} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise ConnectionError(head[:200].decode("latin-1"))
        return cls(reader, writer)

    def say(self, **fields: Any) -> None:
        """A text message."""
        self._frame(1, json.dumps(fields).encode())

    def _frame(self, opcode: int, content: bytes) -> None:
        """Masked, as clients must."""
        mask = os.urandom(4)
        body = bytes(byte ^ mask[place & 3] for place, byte in enumerate(content))
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
        self._writer.write(bytes([0x80 | opcode]) + size + mask + body)

    async def read(self) -> Message:
        """The next one; IncompleteReadError or ConnectionError at the end. Pings are answered on the way."""
        while True:
            opcode, content = await self._next()
            if opcode == 2:
                return Message(content[0], int.from_bytes(content[1:9], "big"), content[17:])
            if opcode == 1:
                return Message(0, 0, content)
            if opcode == 8:
                raise ConnectionError(f"closed: {content[2:].decode('utf-8', 'replace')}")
            if opcode == 9:
                self._frame(10, content)

    async def _next(self) -> tuple[int, bytes]:
        reader = self._reader
        head = await reader.readexactly(2)
        size = head[1] & 127
        if size == 126:
            size = int.from_bytes(await reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await reader.readexactly(8), "big")
        return head[0] & 15, await reader.readexactly(size)

    async def until(self, *kinds: int) -> Message:
        """The next message of one of these kinds; ConnectionError when the server ends it first."""
        while True:
            message = await self.read()
            if message.kind in kinds:
                return message
            if message.kind == 0 and message.fields().get("type") == "end":
                raise ConnectionError(f"ended: {message.fields()}")

    def close(self) -> None:
        """Go away."""
        self._writer.close()
