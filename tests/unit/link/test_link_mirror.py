"""A stream of one process, watched through another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safecity.media.link.mirror import mirror
from safecity.media.link.server import MAX_BEHIND, LinkReader, LinkServer
from safecity.model.values.media import VIDEO, Codec, Quality, StreamKey, Unit, VideoParameters

KEY = StreamKey("ch_1", Quality.MAIN)
PICTURE = VideoParameters(Codec.H264, 352, 288, (b"sps", b"pps"), "avc1.42001e")


def unit(number: int, *, key: bool = False, size: int = 100) -> Unit:
    return Unit(
        VIDEO, number.to_bytes(4, "big") + bytes(size), number * 3600, number * 3600, key, False, number, PICTURE
    )


class OneStream:
    """A stream with its last group of pictures, as small as can be."""

    def __init__(self) -> None:
        self.gop = [unit(0, key=True), unit(1)]
        self.readers: list[LinkReader] = []
        self.attached, self.left = asyncio.Event(), asyncio.Event()

    def attach_from_gop(self, reader: LinkReader) -> None:
        for held in self.gop:
            reader.offer(held)
        self.readers.append(reader)
        self.attached.set()

    def detach(self, reader: LinkReader) -> None:
        self.readers.remove(reader)
        self.left.set()

    def deliver(self, unit: Unit) -> None:
        for reader in list(self.readers):
            reader.offer(unit)


@pytest.fixture
async def stream(tmp_path: Path) -> AsyncIterator[OneStream]:
    stream = OneStream()
    server = LinkServer(tmp_path, "media-0", lambda key: stream if key == KEY else None)
    await server.start()
    yield stream
    await server.close()
    await asyncio.sleep(0)


async def test_a_mirror_begins_with_the_last_key_frame_and_follows(stream: OneStream, tmp_path: Path) -> None:
    got: asyncio.Queue[Unit] = asyncio.Queue()
    task = asyncio.ensure_future(mirror(tmp_path / "media-0.sock", KEY, got.put_nowait, lambda _: None))
    await asyncio.wait_for(stream.attached.wait(), 5)
    stream.deliver(unit(2))
    assert [await asyncio.wait_for(got.get(), 5) for _ in range(3)] == [*stream.gop, unit(2)]
    task.cancel()
    await asyncio.wait_for(stream.left.wait(), 5)


async def test_a_mirror_that_does_not_read_loses_pictures_and_begins_again_at_a_key_frame(
    stream: OneStream, tmp_path: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "media-0.sock"), limit=1024)
    from safecity.media.link.wire import LinkDecoder, Skipped, encode_ask

    writer.write(encode_ask(KEY))
    await asyncio.wait_for(stream.attached.wait(), 5)
    for number in range(2, 2 + 3 * MAX_BEHIND // 100_000):
        stream.deliver(unit(number, size=100_000))
    decoder, items = LinkDecoder(), []
    while True:
        try:
            async with asyncio.timeout(0.2):
                items += decoder.feed(await reader.read(1 << 20))
        except TimeoutError:
            break
    stream.deliver(unit(9999, key=True))
    while not (items and isinstance(items[-1], Unit) and items[-1].pts == 9999 * 3600):
        items += decoder.feed(await asyncio.wait_for(reader.read(1 << 20), 5))
    skipped = next(item for item in items if isinstance(item, Skipped))
    received = [item for item in items if isinstance(item, Unit)]
    assert skipped.units > 0
    assert received[-1].is_key
    assert len(received) + skipped.units == 2 + 3 * MAX_BEHIND // 100_000 + 1
    writer.close()


async def test_a_stream_that_is_not_here_is_said_to_be_lost_and_asked_for_again(
    tmp_path: Path, stream: OneStream
) -> None:
    lost: asyncio.Queue[str] = asyncio.Queue()
    other = StreamKey("ch_2", Quality.MAIN)
    task = asyncio.ensure_future(mirror(tmp_path / "media-0.sock", other, lambda _: None, lost.put_nowait))
    assert await asyncio.wait_for(lost.get(), 5) == "not_here"
    assert await asyncio.wait_for(lost.get(), 5) == "not_here"
    task.cancel()
