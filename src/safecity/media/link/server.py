"""The owner's side: gives the units of its streams to other processes of the node."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from safecity.kit.errors import InvalidError
from safecity.media.link.wire import Ask, LinkDecoder, UnitEncoder, encode_ended, encode_skipped
from safecity.model.values.media import VIDEO, StreamKey, Unit

logger = logging.getLogger(__name__)

MAX_BEHIND = 4 * 1024 * 1024
"""Bytes a link may have unsent before it skips to the next key frame."""
MAX_LINKS = 256
ASK_SECONDS = 5.0


class Source(Protocol):
    """What the link needs of a stream; `media.streams.Stream` is one."""

    def attach_from_gop(self, reader: LinkReader) -> None:
        """Give the reader the units since the last key frame at once, and all that follow."""
        ...

    def detach(self, reader: LinkReader) -> None:
        """Give no more."""
        ...


class LinkReader(asyncio.Protocol):
    """One connection: a bounded reader of one stream on this side, a socket on the other."""

    def __init__(self, find: Callable[[StreamKey], Source | None], links: set[LinkReader]) -> None:
        self._find = find
        self._links = links
        self._decoder = LinkDecoder()
        self._encoder = UnitEncoder()
        self._source: Source | None = None
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._behind = False
        self._skipped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        peer = transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", peer)[1] not in (os.getuid(), 0) or len(self._links) >= MAX_LINKS:
            transport.abort()
            return
        self._transport = transport
        self._links.add(self)
        transport.set_write_buffer_limits(high=MAX_BEHIND)
        self._deadline = asyncio.get_running_loop().call_later(ASK_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._links.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._source is not None:
            self._source.detach(self)
            self._source = None
        self._transport = None

    def data_received(self, data: bytes) -> None:
        try:
            items = self._decoder.feed(data)
        except InvalidError as error:
            logger.warning("unit link refused why=%s", error)
            self.close()
            return
        for item in items:
            if isinstance(item, Ask) and self._source is None:
                if self._deadline is not None:
                    self._deadline.cancel()
                source = self._find(item.key)
                if source is None:
                    self.ended("not_here")
                    return
                self._source = source
                source.attach_from_gop(self)

    def offer(self, unit: Unit) -> None:
        """As every reader: never waits, never raises."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._behind or transport.get_write_buffer_size() > MAX_BEHIND:
            self._behind = not (
                unit.track == VIDEO and unit.is_key and transport.get_write_buffer_size() < MAX_BEHIND // 2
            )
            if self._behind:
                self._skipped += 1
                return
            transport.write(encode_skipped(self._skipped))
            self._skipped = 0
        for frame in self._encoder.encode(unit):
            transport.write(frame)

    def ended(self, reason: str) -> None:
        """The stream is over: say so and close."""
        if self._transport is not None:
            self._transport.write(encode_ended(reason))
            self._transport.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class LinkServer:
    """Listens on `<folder>/<address>.sock`."""

    def __init__(self, folder: Path, address: str, find: Callable[[StreamKey], Source | None]) -> None:
        self._path = folder / f"{address}.sock"
        self._find = find
        self._links: set[LinkReader] = set()
        self._server: asyncio.AbstractServer | None = None

    async def start(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: LinkReader(self._find, self._links), str(self._path)
        )

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.close()
        self._path.unlink(missing_ok=True)
