"""A picture is put before the row that names it: whenever the process dies in between, it goes, and no other does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.files import FileBlobs, open_blobs
from safecity.core.ground.loose.api import Loose, named, unnamed
from safecity.kit.clock import FakeClock
from safecity.kit.errors import UnavailableError
from safecity.ports.blobs import only

DAY = 86_400.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    made = open_database(f"sqlite:///{tmp_path}/control.db")
    yield made
    await made.close()


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[FileBlobs]:
    made = open_blobs(tmp_path / "blobs")
    yield made
    await made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def loose(database: SqlDatabase, blobs: FileBlobs, clock: FakeClock) -> Loose:
    return Loose(database, blobs, clock)


async def keys(blobs: FileBlobs) -> list[str]:
    return sorted([key async for key in blobs.keys("")])


async def test_what_the_transaction_named_stays_and_what_it_did_not_name_goes(
    loose: Loose, database: SqlDatabase, blobs: FileBlobs
) -> None:
    async with loose.bringing([("p/kept", b"1"), ("p/said-before", b"2")]):
        await database.write(lambda tx: named(tx, ["p/kept"]))
    assert await loose.sweep() == 1
    assert await keys(blobs) == ["p/kept"]
    assert await loose.sweep() == 0


async def test_a_picture_on_its_way_stays_whatever_the_clock_does(
    loose: Loose, database: SqlDatabase, blobs: FileBlobs, clock: FakeClock
) -> None:
    async with loose.bringing([("p/slow", b"1")]):
        clock.step_wall(400 * DAY)
        assert await loose.sweep() == 0
        clock.step_wall(-800 * DAY)
        assert await loose.sweep() == 0
        await database.write(lambda tx: named(tx, ["p/slow"]))
        assert await loose.sweep() == 0
    assert await loose.sweep() == 0
    assert await keys(blobs) == ["p/slow"]


async def test_what_a_dead_process_left_goes_at_the_next_start(
    loose: Loose, database: SqlDatabase, blobs: FileBlobs, clock: FakeClock
) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with loose.bringing([("p/left", b"1")]):
            raise asyncio.CancelledError
    # In this life its transaction might still be under way in another thread.
    assert await loose.sweep() == 0
    assert await Loose(database, blobs, clock).sweep() == 1
    assert await keys(blobs) == []


async def test_what_could_not_be_put_or_filed_goes(loose: Loose, blobs: FileBlobs) -> None:
    async def work() -> None:
        async with loose.bringing([("p/1", b"1"), ("p/2", b"2")]):
            raise UnavailableError("the disk is full", code="disk_full")

    with pytest.raises(UnavailableError):
        await work()
    assert await keys(blobs) == ["p/1", "p/2"]
    assert await loose.sweep() == 2
    assert await keys(blobs) == []


async def test_what_is_not_wanted_any_more_goes_and_may_be_said_twice(
    loose: Loose, database: SqlDatabase, blobs: FileBlobs
) -> None:
    await blobs.put("p/old", only(b"1"))
    for _ in range(2):
        await database.write(lambda tx: unnamed(tx, ["p/old", "p/old", "p/never-was"], 7))
    assert await loose.sweep() == 2
    assert await keys(blobs) == []


class Interrupted:
    """A database that does something between one look and the next."""

    def __init__(self, database: SqlDatabase, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.database = database
        self.meanwhile: Callable[[], Awaitable[None]] | None = meanwhile
        self.write = database.write

    async def read(self, work: Any) -> Any:
        found = await self.database.read(work)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return found


async def test_a_picture_that_is_named_while_the_sweep_looks_stays(
    database: SqlDatabase, blobs: FileBlobs, clock: FakeClock
) -> None:
    going_on = asyncio.Event()

    async def ends() -> None:
        going_on.set()
        await bringing

    loose = Loose(Interrupted(database, ends), blobs, clock)  # type: ignore[arg-type]
    put = asyncio.Event()

    async def bring() -> None:
        async with loose.bringing([("p/1", b"1")]):
            put.set()
            await going_on.wait()
            await database.write(lambda tx: named(tx, ["p/1"]))

    bringing = asyncio.create_task(bring())
    await put.wait()
    assert await loose.sweep() == 0, "it was listed as loose, ended, and was named meanwhile"
    assert await keys(blobs) == ["p/1"]


async def test_thousands_are_swept_beside_one_that_is_on_its_way(
    loose: Loose, database: SqlDatabase, blobs: FileBlobs
) -> None:
    await database.write(lambda tx: unnamed(tx, [f"p/{number}" for number in range(1234)], 0))
    async with loose.bringing([("p/slow", b"1")]):
        assert await loose.sweep() == 1234
    assert await loose.sweep() == 1
