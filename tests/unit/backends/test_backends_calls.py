"""Calls over Unix sockets: what only these can meet."""

from __future__ import annotations

import asyncio
from pathlib import Path

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.model.facts.media_calls import AskStreams, Done, Message


async def test_garbage_on_the_socket_closes_that_connection_alone(tmp_path: Path) -> None:
    async def done(_: AskStreams) -> Message:
        return Done()

    calls, server = UnixCalls(tmp_path), UnixCallServer(tmp_path)
    await server.serve("media-0", {AskStreams: done}, {})
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "media-0.sock"))
    writer.write(b"\xff" * 64)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert await calls.call("media-0", AskStreams(), timeout=60) == Done()
    await calls.close()
    await server.close()
    await asyncio.sleep(0)
