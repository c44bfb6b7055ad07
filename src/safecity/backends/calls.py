"""The port `Calls` on Unix stream sockets, for processes of one machine.

A frame is a 4-byte big-endian length (of all that follows), a 1-byte kind, a 4-byte call number and a msgspec
MessagePack body; a request's body is preceded by its deadline in milliseconds (4 bytes) and by the request that it
is part of (`kit.trace`: 1 byte length, ASCII). The sockets lie in a directory of mode 0700 and the peer's user is
checked by SO_PEERCRED.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import struct
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import cast

import msgspec

from safecity.kit import errors
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.kit.trace import trace, traced
from safecity.model.facts import control_calls, media_calls, signal_calls, traffic_calls, vehicle_calls, vision_calls
from safecity.model.facts.media_calls import Failed, Message
from safecity.ports.calls import Handler, StreamHandler

logger = logging.getLogger(__name__)

MAX_FRAME = 1024 * 1024
QUEUE = 1000
"""Answers a streaming caller may have unread before its stream is cut."""

_REQUEST, _STREAM, _ANSWER, _ITEM, _END, _CANCEL = range(1, 7)
_HEAD = struct.Struct(">IBI")
_MILLISECONDS = struct.Struct(">I")


def _messages() -> tuple[type[Message], ...]:
    found: dict[str, type[Message]] = {}
    for module in (media_calls, signal_calls, control_calls, vision_calls, traffic_calls, vehicle_calls):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Message) and value is not Message:
                other = found.setdefault(value.__name__, value)
                if other is not value:
                    raise TypeError(f"two messages are called {value.__name__}")
    return tuple(found.values())


_union = _messages()[0]
for _type in _messages()[1:]:
    _union = _union | _type  # pyright: ignore[reportAssignmentType, reportUnknownVariableType]
_decoder = msgspec.msgpack.Decoder(_union)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
_encoder = msgspec.msgpack.Encoder()

_ERRORS: dict[str, type[SafecityError]] = {
    name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, SafecityError)
}


def to_failed(error: BaseException) -> Failed:
    """The wire form of an error; what is not ours becomes `internal` without its text."""
    if isinstance(error, SafecityError):
        return Failed(kind=type(error).__name__, code=error.code, message=str(error), params=error.params)
    return Failed(kind="SafecityError", code="internal", message="the other side failed; see its log")


def from_failed(failed: Failed) -> SafecityError:
    """The error a caller sees."""
    kind = _ERRORS.get(failed.kind, SafecityError)
    return kind(failed.message, code=failed.code, params=failed.params)


class _Link(asyncio.Protocol):
    """Frames in, frames out; the same on both sides."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self.transport: asyncio.Transport | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()
        self.transport = None
        self.gone()

    def data_received(self, data: bytes) -> None:
        tail = self._tail
        tail += data
        start, size = 0, len(tail)
        while size - start >= 4:
            length = int.from_bytes(tail[start : start + 4], "big")
            if not 5 <= length <= MAX_FRAME:
                logger.warning("calls frame refused length=%s", length)
                self.close()
                return
            if size - start - 4 < length:
                break
            _, kind, number = _HEAD.unpack_from(tail, start)
            body = bytes(tail[start + _HEAD.size : start + 4 + length])
            start += 4 + length
            self.frame(kind, number, body)
        del tail[:start]

    def send(self, kind: int, number: int, body: bytes = b"") -> None:
        if self.transport is not None:
            self.transport.write(_HEAD.pack(5 + len(body), kind, number) + body)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def frame(self, kind: int, number: int, body: bytes) -> None:
        raise NotImplementedError

    def gone(self) -> None:
        raise NotImplementedError


class _ClientLink(_Link):
    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._streams: dict[int, asyncio.Queue[Message | None]] = {}
        self.alive = True

    def frame(self, kind: int, number: int, body: bytes) -> None:
        if kind == _ANSWER:
            future = self._answers.pop(number, None)
            if future is not None and not future.done():
                self._settle(future, body)
        elif kind in (_ITEM, _END):
            queue = self._streams.get(number)
            if queue is None:
                return
            with contextlib.suppress(asyncio.QueueFull, msgspec.MsgspecError):
                queue.put_nowait(_decoder.decode(body) if body else None)
                return
            self._streams.pop(number, None)
            self.send(_CANCEL, number)

    @staticmethod
    def _settle(future: asyncio.Future[Message], body: bytes) -> None:
        try:
            message = _decoder.decode(body)
        except msgspec.MsgspecError as error:
            future.set_exception(UnavailableError(f"answer not understood: {error}", code="calls_version"))
            return
        if isinstance(message, Failed):
            future.set_exception(from_failed(message))
        else:
            future.set_result(message)

    def gone(self) -> None:
        self.alive = False
        for future in self._answers.values():
            if not future.done():
                future.set_exception(UnavailableError("the other process went away", code="duty_gone"))
        self._answers.clear()
        for queue in self._streams.values():
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(to_failed(UnavailableError("the other process went away", code="duty_gone")))
        self._streams.clear()

    async def call(self, message: Message, timeout: float) -> Message:
        body = _ask(message, max(1, round(timeout * 1000)))
        number = next(self._numbers)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        self.send(_REQUEST, number, body)
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError as error:
            raise UnavailableError(
                f"no answer within {timeout:g} s", code="duty_slow", params={"seconds": timeout}
            ) from error
        finally:
            if self._answers.pop(number, None) is not None:
                self.send(_CANCEL, number)

    async def stream(self, message: Message) -> AsyncGenerator[Message]:
        body = _ask(message, 0)
        number = next(self._numbers)
        queue: asyncio.Queue[Message | None] = asyncio.Queue(QUEUE)
        self._streams[number] = queue
        self.send(_STREAM, number, body)
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, Failed):
                    raise from_failed(item)
                yield item
        finally:
            if self._streams.pop(number, None) is not None:
                self.send(_CANCEL, number)


def _ask(message: Message, milliseconds: int) -> bytes:
    request = trace().encode("ascii")
    return _MILLISECONDS.pack(milliseconds) + bytes((len(request),)) + request + _encode(message)


def _encode(message: Message) -> bytes:
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME - 128:
        raise errors.InvalidError(f"{type(message).__name__} is too large for one call", code="call_too_large")
    return body


class UnixCalls:
    """The caller's side; connects when first needed and again after a loss."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._links: dict[str, _ClientLink] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def _link(self, address: str) -> _ClientLink:
        link = self._links.get(address)
        if link is not None and link.alive:
            return link
        async with self._locks.setdefault(address, asyncio.Lock()):
            link = self._links.get(address)
            if link is not None and link.alive:
                return link
            path = str(self._directory / f"{address}.sock")
            try:
                _, link = await asyncio.get_running_loop().create_unix_connection(_ClientLink, path)
            except OSError as error:
                raise UnavailableError(
                    f"{address} is not running", code="duty_down", params={"duty": address}
                ) from error
            self._links[address] = link
            return link

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        link = await self._link(address)
        return await link.call(message, timeout)

    async def stream(self, address: str, message: Message) -> AsyncGenerator[Message]:
        link = await self._link(address)
        async with contextlib.aclosing(link.stream(message)) as items:
            async for item in items:
                yield item

    async def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()


class _ServerLink(_Link):
    def __init__(
        self,
        owner: UnixCallServer,
        handlers: Mapping[type[Message], Handler],
        streams: Mapping[type[Message], StreamHandler],
    ) -> None:
        super().__init__()
        self._owner = owner
        self._handlers = handlers
        self._streams = streams
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, user, _ = struct.unpack("3i", credentials)
        if user not in (os.getuid(), 0):
            logger.warning("calls peer refused uid=%s", user)
            self.close()
            return
        self._owner.links.add(self)

    def gone(self) -> None:
        self._owner.links.discard(self)
        for task in self._tasks.values():
            task.cancel()

    def frame(self, kind: int, number: int, body: bytes) -> None:
        if kind == _CANCEL:
            task = self._tasks.get(number)
            if task is not None:
                task.cancel()
            return
        if kind not in (_REQUEST, _STREAM) or len(body) < 5:
            return
        milliseconds = _MILLISECONDS.unpack_from(body)[0]
        start = 5 + body[4]
        asked = body[start:]
        run = self._answer(number, asked, milliseconds / 1000) if kind == _REQUEST else self._yield(number, asked)
        with traced(body[5:start].decode("ascii", "replace")):
            task = asyncio.get_running_loop().create_task(run)
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def _answer(self, number: int, body: bytes, timeout: float) -> None:
        try:
            message = _decoder.decode(body)
            handler = self._handlers.get(type(message))
            if handler is None:
                raise errors.InvalidError(f"not answered here: {type(message).__name__}", code="call_unknown")
            async with asyncio.timeout(timeout):
                answer = await handler(message)
            frame = _encode(answer)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            frame = _encoder.encode(_reported(error))
        self.send(_ANSWER, number, frame)

    async def _yield(self, number: int, body: bytes) -> None:
        frame = b""
        try:
            message = _decoder.decode(body)
            handler = self._streams.get(type(message))
            if handler is None:
                raise errors.InvalidError(f"not streamed here: {type(message).__name__}", code="call_unknown")
            async with contextlib.aclosing(handler(message)) as items:
                async for item in items:
                    await self.writable.wait()
                    self.send(_ITEM, number, _encode(item))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            frame = _encoder.encode(_reported(error))
        self.send(_END, number, frame)


def _reported(error: Exception) -> Failed:
    if isinstance(error, msgspec.MsgspecError):
        return Failed(kind="InvalidError", code="calls_version", message=str(error))
    if isinstance(error, TimeoutError):
        return Failed(kind="UnavailableError", code="duty_slow", message="the deadline passed")
    if not isinstance(error, SafecityError):
        logger.error("call failed error=%r", error, exc_info=error)
    return to_failed(error)


class UnixCallServer:
    """The answering side of one process: one socket per address it serves."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._servers: list[tuple[asyncio.AbstractServer, Path]] = []
        self.links: set[_ServerLink] = set()

    async def serve(
        self,
        address: str,
        handlers: Mapping[type[Message], Handler],
        streams: Mapping[type[Message], StreamHandler],
    ) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{address}.sock"
        # A leftover of a killed predecessor: the supervisor starts one process per address, so it has no owner.
        path.unlink(missing_ok=True)
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: _ServerLink(self, handlers, streams), str(path), backlog=256
        )
        path.chmod(0o600)
        self._servers.append((server, path))

    async def close(self) -> None:
        for server, path in self._servers:
            server.close()
            path.unlink(missing_ok=True)
        self._servers.clear()
        for link in list(self.links):
            link.close()
