"""One body for every engine of the port `Blobs`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from safecity.backends.files import open_blobs
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError
from safecity.ports.blobs import BlobInfo, Blobs, only

Open = Callable[[], AbstractAsyncContextManager[Blobs]]


def files(folder: Path) -> Open:
    """Files below a folder."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Blobs]:
        blobs = open_blobs(folder / "blobs")
        yield blobs
        await blobs.close()

    return opened


ENGINES: dict[str, Callable[[Path], Open]] = {"files": files}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def blobs(engine: Open) -> AsyncIterator[Blobs]:
    async with engine() as opened:
        yield opened


async def read(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.read(key, start, end)])


async def keys(blobs: Blobs, prefix: str = "") -> list[str]:
    return sorted([key async for key in blobs.keys(prefix)])


async def breaks_after(data: bytes) -> AsyncGenerator[bytes]:
    yield data
    raise OSError("the cable was pulled")


async def test_what_was_put_is_read_whole_and_in_ranges(blobs: Blobs) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for number in range(10):
            yield bytes([number]) * 100_000

    whole = b"".join(bytes([number]) * 100_000 for number in range(10))
    assert await blobs.put("exports/ex_1/a.mp4", pieces()) == BlobInfo("exports/ex_1/a.mp4", 1_000_000)
    assert await blobs.info("exports/ex_1/a.mp4") == BlobInfo("exports/ex_1/a.mp4", 1_000_000)
    assert await read(blobs, "exports/ex_1/a.mp4") == whole
    for start, end in ((0, 0), (0, 1), (99_999, 100_001), (300_000, 999_999), (999_999, None), (5, 5_000_000)):
        assert await read(blobs, "exports/ex_1/a.mp4", start, end) == whole[start:end]
    assert await read(blobs, "exports/ex_1/a.mp4", 2_000_000) == b""


async def test_nothing_is_something_too(blobs: Blobs) -> None:
    await blobs.put("empty", only(b""))
    assert await read(blobs, "empty") == b""
    assert await keys(blobs) == ["empty"]


async def test_a_key_is_written_once(blobs: Blobs) -> None:
    await blobs.put("r/1", only(b"first"))
    with pytest.raises(ConflictError) as refused:
        await blobs.put("r/1", only(b"second"))
    assert refused.value.code == "blob_exists"
    assert await read(blobs, "r/1") == b"first"


async def test_of_two_who_write_at_once_one_wins_whole(blobs: Blobs) -> None:
    async def slowly(letter: bytes) -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield letter * 1000
            await asyncio.sleep(0)

    done = await asyncio.gather(blobs.put("r/1", slowly(b"a")), blobs.put("r/1", slowly(b"b")), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["BlobInfo", "ConflictError"]
    assert await read(blobs, "r/1") in (b"a" * 20_000, b"b" * 20_000)


async def test_a_broken_upload_leaves_nothing(blobs: Blobs) -> None:
    with pytest.raises(OSError, match="cable"):
        await blobs.put("r/1.mp4", breaks_after(b"half"))
    assert await keys(blobs, "r/") == []
    await blobs.put("r/1.mp4", only(b"whole"))
    assert await read(blobs, "r/1.mp4") == b"whole"


async def test_a_half_written_one_is_never_seen_and_one_given_up_leaves_nothing(blobs: Blobs) -> None:
    half, never = asyncio.Event(), asyncio.Event()

    async def stops() -> AsyncGenerator[bytes]:
        yield b"half"
        half.set()
        await never.wait()

    putting = asyncio.ensure_future(blobs.put("r/1", stops()))
    await half.wait()
    assert await keys(blobs) == []
    with pytest.raises(NotFoundError):
        await blobs.info("r/1")
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await keys(blobs) == []
    await blobs.put("r/1", only(b"again"))


async def test_a_local_file_is_given_away(blobs: Blobs, tmp_path: Path) -> None:
    made = tmp_path / "made.mp4"
    made.write_bytes(b"made")
    assert await blobs.adopt("exports/1/made.mp4", made) == BlobInfo("exports/1/made.mp4", 4)
    assert not made.exists()
    assert await read(blobs, "exports/1/made.mp4") == b"made"
    made.write_bytes(b"other")
    with pytest.raises(ConflictError):
        await blobs.adopt("exports/1/made.mp4", made)
    assert made.read_bytes() == b"other", "refused, so still the giver's"


async def test_listing_is_by_the_beginning_of_the_key(blobs: Blobs) -> None:
    for key in ("alarms/1.jpg", "alarms/10.jpg", "alarms/2/a.jpg", "alarms2/1.jpg", "exports/1"):
        await blobs.put(key, only(b"."))
    assert await keys(blobs, "alarms/") == ["alarms/1.jpg", "alarms/10.jpg", "alarms/2/a.jpg"]
    assert await keys(blobs, "alarms/1") == ["alarms/1.jpg", "alarms/10.jpg"]
    assert await keys(blobs, "al") == ["alarms/1.jpg", "alarms/10.jpg", "alarms/2/a.jpg", "alarms2/1.jpg"]
    assert await keys(blobs, "nothing/") == []
    assert len(await keys(blobs)) == 5


async def test_what_is_deleted_is_gone_and_its_key_is_free(blobs: Blobs) -> None:
    await blobs.put("r/deep/1", only(b"1"))
    await blobs.put("r/2", only(b"2"))
    await blobs.delete("r/deep/1")
    await blobs.delete("r/deep/1")
    await blobs.delete("r/never/was")
    assert await keys(blobs) == ["r/2"]
    with pytest.raises(NotFoundError) as missing:
        await read(blobs, "r/deep/1")
    assert missing.value.code == "blob_missing"
    await blobs.put("r/deep", only(b"a key where a folder was"))
    assert await read(blobs, "r/deep") == b"a key where a folder was"


async def test_a_folder_is_not_a_blob(blobs: Blobs) -> None:
    await blobs.put("r/1", only(b"1"))
    with pytest.raises(NotFoundError):
        await blobs.info("r")
    with pytest.raises(NotFoundError):
        await read(blobs, "r")


TRICKS = ("", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".new/x", "a/.b", "-rf")
LETTERS = ("a\\b", "a\0b", "a b", "ä", "a\n")
LONG = ("a/" * 11 + "b", "x" * 501)


@pytest.mark.parametrize("key", [*TRICKS, *LETTERS, *LONG])
async def test_a_key_that_could_lead_elsewhere_is_refused(blobs: Blobs, key: str) -> None:
    for attempt in (blobs.put(key, only(b".")), blobs.info(key), read(blobs, key), blobs.delete(key)):
        with pytest.raises(InvalidError) as refused:
            await attempt
        assert refused.value.code == "blob_key"


async def test_a_prefix_that_could_lead_elsewhere_is_refused(blobs: Blobs) -> None:
    for prefix in ("../", "/", ".new/", "a/../"):
        with pytest.raises(InvalidError):
            await keys(blobs, prefix)


async def test_all_is_there_after_a_restart_but_what_was_half_written(engine: Open) -> None:
    async with engine() as first:
        await first.put("r/1", only(b"one"))
        with pytest.raises(OSError, match="cable"):
            await first.put("r/2", breaks_after(b"two"))
    async with engine() as second:
        assert await keys(second) == ["r/1"]
        assert await read(second, "r/1") == b"one"
