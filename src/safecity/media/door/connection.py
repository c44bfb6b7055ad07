"""One connection on the media port, from the first byte to the last.

The handler of an opened connection writes prepared frames with `send`; what the kernel does not take at once waits
in the transport, whose size the handler watches (`full`, `waiting_bytes`): nobody ever waits for a slow viewer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import msgspec

from safecity.kit.errors import InvalidError
from safecity.media.door import messages
from safecity.model.values.ticket import Ticket
from safecity.protocols import websocket
from safecity.protocols.websocket import FrameDecoder, Request

HIGH_WATER_BYTES = 64 * 1024
"""More waiting than this and the connection says that it is full."""
MESSAGES_PER_SECOND = 100
_NOTSENT_LOWAT_BYTES = 256 * 1024
_ALIVE = websocket.frame_head(websocket.PING, 0) + messages.text({"type": "alive"})


class Handler(Protocol):
    """What an opened connection serves."""

    def message(self, fields: Mapping[str, Any]) -> None:
        """A JSON object came from the client; `fields["type"]` is a string."""
        ...

    def drained(self) -> None:
        """The connection was full and has room again."""
        ...

    def closed(self) -> None:
        """The connection is gone."""
        ...


class Owner(Protocol):
    """What a connection asks of the door."""

    def opened(self, connection: Connection) -> None: ...
    def request(self, connection: Connection, request: Request) -> None: ...
    def gone(self, connection: Connection) -> None: ...
    def count(self, what: str) -> None: ...
    def now(self) -> float: ...


class Connection(asyncio.Protocol):
    """A viewer, or somebody who wants to become one."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._decoder: FrameDecoder | None = None
        self._handler: Handler | None = None
        self._budget = float(MESSAGES_PER_SECOND)
        self._budget_at = 0.0
        self.ticket: Ticket | None = None
        self.peer = ""
        self.since = 0.0
        self.heard = 0.0
        self.ending_since: float | None = None
        self.full = False

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self.since = self.heard = self._owner.now()
        peer: tuple[Any, ...] | None = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        raw = transport.get_extra_info("socket")
        if raw is not None:
            # What waits should wait here, where it can be dropped, and not in megabytes of kernel buffer.
            with contextlib.suppress(OSError, AttributeError):
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOTSENT_LOWAT_BYTES)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        self.heard = self._owner.now()
        if self.ending_since is not None:
            return
        if self._decoder is None:
            self._head += data
            try:
                request = websocket.parse_request(self._head)
            except InvalidError:
                self._owner.count("bad_http")
                self.answer(400, "Bad Request")
                return
            if request is not None:
                self._head = b""
                self._owner.request(self, request)
            return
        self._feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.gone(self)
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed()
        self._transport = None

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self._handler is not None and self.ending_since is None:
            self._handler.drained()

    # --- for the door ---

    def answer(self, status: int, reason: str, body: str = "") -> None:
        """A plain HTTP answer, then the end."""
        self._write(websocket.plain_answer(status, reason, body))
        self._finish()

    def accept(self, request: Request) -> None:
        """Become a WebSocket; InvalidError when the request is none."""
        key = request.key
        self._decoder = FrameDecoder()
        self._write(websocket.accept(key))

    def serve(self, ticket: Ticket, make: Callable[[Connection], Handler], rest: bytes = b"") -> None:
        """From now on `make(self)` handles what comes; `rest` is what came already."""
        self.ticket = ticket
        self._handler = make(self)
        if rest and self.ending_since is None:
            self._feed(rest)

    def ping(self) -> None:
        """Ask for a sign of life, and give one that a browser's script can see."""
        self._write(_ALIVE)

    def abort(self) -> None:
        """Leave at once, dropping what waits."""
        if self._transport is not None:
            self._transport.abort()

    # --- for the handler ---

    def send(self, frames: bytes) -> None:
        """Write whole WebSocket frames; the bytes are shared, never copied here."""
        if self._transport is not None and self.ending_since is None:
            self._transport.write(frames)

    def say(self, fields: Mapping[str, Any]) -> None:
        """Write a JSON message."""
        self.send(messages.text(fields))

    @property
    def waiting_bytes(self) -> int:
        """What the kernel has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    @property
    def opened(self) -> bool:
        """The ticket was good and a handler serves."""
        return self._handler is not None

    def end(self, code: str, close: int = websocket.NORMAL) -> None:
        """Say why and close; whoever does not take it in time is cut off by the door."""
        if self.ending_since is None:
            self._write(messages.text({"type": "end", "code": code}) + websocket.close_frame(close, code))
            self._finish()

    # --- inside ---

    def _feed(self, data: bytes) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        try:
            for message in decoder.feed(data):
                self._received(message)
                if self.ending_since is not None:
                    return
        except websocket.Fault as fault:
            self._owner.count("bad_websocket")
            self._write(websocket.close_frame(fault.close, str(fault)))
            self._finish()

    def _received(self, message: websocket.Message) -> None:
        self._spend()
        match message.opcode:
            case websocket.CLOSE:
                self._write(websocket.frame_head(websocket.CLOSE, len(message.content[:2])) + message.content[:2])
                self._finish()
            case websocket.PING:
                self._write(websocket.frame_head(websocket.PONG, len(message.content)) + message.content)
            case websocket.TEXT:
                fields = _fields(message.content)
                if self._handler is not None:
                    self._handler.message(fields)
            case websocket.BINARY:
                raise websocket.Fault("text is expected", websocket.UNSUPPORTED)
            case _:
                pass  # a pong: that something came is enough

    def _spend(self) -> None:
        now = self.heard
        self._budget = min(MESSAGES_PER_SECOND, self._budget + (now - self._budget_at) * MESSAGES_PER_SECOND)
        self._budget_at = now
        self._budget -= 1
        if self._budget < 0:
            raise websocket.Fault("too many messages", websocket.POLICY)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and self.ending_since is None:
            self._transport.write(data)

    def _finish(self) -> None:
        if self._transport is not None and self.ending_since is None:
            self.ending_since = self._owner.now()
            self._transport.close()


def _fields(content: bytes) -> Mapping[str, Any]:
    try:
        fields = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise websocket.Fault("not JSON", websocket.BAD_TEXT) from error
    if not isinstance(fields, dict):
        raise websocket.Fault("not a JSON object", websocket.POLICY)
    fields = cast("dict[str, Any]", fields)
    if not isinstance(fields.get("type"), str):
        raise websocket.Fault("no type", websocket.POLICY)
    return fields
