"""One body for every engine of the port `Leases`: two channels, three slots, and a clock that is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from tests.contract.servers import POSTGRES, postgresql_schema

from safecity.backends.database import open_database
from safecity.backends.leases import SqlLeases
from safecity.kit.errors import ConflictError
from safecity.ports.leases import Lease, Leases

NOW, LATER = 1_000_000, 2_000_000

Open = Callable[[], AbstractAsyncContextManager[Leases]]


def tables(url: str) -> Open:
    """Tables of control's database."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Leases]:
        database = open_database(url)
        yield SqlLeases(database)
        await database.close()

    return opened


@contextmanager
def sqlite(folder: Path) -> Iterator[Open]:
    """In a file."""
    yield tables(f"sqlite:///{folder}/control.db")


@contextmanager
def postgresql(_: Path) -> Iterator[Open]:
    """On a server."""
    with postgresql_schema() as url:
        yield tables(url)


ENGINES = {"sqlite": sqlite} | ({"postgresql": postgresql} if POSTGRES else {})


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    with ENGINES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
async def leases(engine: Open) -> AsyncIterator[Leases]:
    async with engine() as opened:
        for slot in ("media-0", "media-1"):
            await opened.live(slot, until=LATER)
        yield opened


async def test_the_first_who_asks_gets_it_and_the_second_does_not(leases: Leases) -> None:
    assert await leases.take(["channel/a", "channel/b"], "media-0", now=NOW) == [
        Lease("channel/a", "media-0", 1),
        Lease("channel/b", "media-0", 1),
    ]
    assert await leases.take(["channel/b", "channel/c"], "media-1", now=NOW) == [Lease("channel/c", "media-1", 1)]
    assert (await leases.find(["channel/a", "channel/b", "channel/d"])).keys() == {"channel/a", "channel/b"}


async def test_asking_again_for_ones_own_changes_nothing(leases: Leases) -> None:
    first = await leases.take(["channel/a"], "media-0", now=NOW)
    assert await leases.take(["channel/a", "channel/a"], "media-0", now=NOW) == first


async def test_of_many_who_ask_at_once_one_gets_it(leases: Leases) -> None:
    slots = [f"media-{number}" for number in range(20)]
    for slot in slots:
        await leases.live(slot, until=LATER)
    answers = await asyncio.gather(*(leases.take(["channel/a"], slot, now=NOW) for slot in slots))
    assert sum(map(len, answers)) == 1


async def test_what_a_dead_owner_held_is_taken_under_a_higher_epoch(leases: Leases) -> None:
    await leases.take(["channel/b", "channel/a"], "media-0", now=NOW)
    assert await leases.ended("media-0") == [Lease("channel/a", "media-0", 1), Lease("channel/b", "media-0", 1)]
    assert await leases.take(["channel/a"], "media-1", now=NOW) == [Lease("channel/a", "media-1", 2)]
    assert await leases.held("media-0") == [Lease("channel/b", "media-0", 1)], "nobody took it yet"


async def test_an_owner_that_comes_back_in_time_goes_on_under_its_old_epoch(leases: Leases) -> None:
    before = await leases.take(["channel/a"], "media-0", now=NOW)
    await leases.ended("media-0")
    await leases.live("media-0", until=LATER)
    assert await leases.take(["channel/a"], "media-1", now=NOW) == []
    assert await leases.take(["channel/a"], "media-0", now=NOW) == before


async def test_an_owner_that_said_nothing_is_dead_when_its_time_is_up_and_not_before(leases: Leases) -> None:
    await leases.take(["channel/a"], "media-0", now=NOW)
    await leases.live("media-1", until=LATER * 2)
    assert await leases.take(["channel/a"], "media-1", now=LATER - 1) == []
    assert await leases.take(["channel/a"], "media-1", now=LATER) == [Lease("channel/a", "media-1", 2)]


async def test_a_promise_that_comes_late_shortens_nothing(leases: Leases) -> None:
    await leases.take(["channel/a"], "media-0", now=NOW)
    await leases.live("media-0", until=NOW - 1)
    assert await leases.take(["channel/a"], "media-1", now=NOW) == []


async def test_the_dead_and_the_unknown_take_nothing(leases: Leases) -> None:
    for who, now in (("media-9", NOW), ("media-0", LATER)):
        with pytest.raises(ConflictError) as refused:
            await leases.take(["channel/a"], who, now=now)
        assert refused.value.code == "owner_not_live"
    assert await leases.find(["channel/a"]) == {}


async def test_what_was_given_back_is_free_and_its_epoch_is_not_forgotten(leases: Leases) -> None:
    await leases.release(await leases.take(["channel/a"], "media-0", now=NOW))
    assert await leases.find(["channel/a"]) == {}
    assert await leases.take(["channel/a"], "media-1", now=NOW) == [Lease("channel/a", "media-1", 2)]


async def test_who_gives_back_too_late_takes_nothing_away_from_the_new_owner(leases: Leases) -> None:
    old = await leases.take(["channel/a"], "media-0", now=NOW)
    await leases.ended("media-0")
    new = await leases.take(["channel/a"], "media-1", now=NOW)
    await leases.release(old)
    assert await leases.held("media-1") == new


async def test_owners_and_epochs_survive_a_restart(engine: Open) -> None:
    async with engine() as first:
        await first.live("media-0", until=LATER)
        held = await first.take(["channel/a"], "media-0", now=NOW)
    async with engine() as second:
        await second.live("media-1", until=LATER)
        assert await second.held("media-0") == held
        assert await second.take(["channel/a"], "media-1", now=NOW) == []


async def test_a_whole_slot_moves_in_one_go(leases: Leases) -> None:
    names = [f"channel/{number:04}" for number in range(1500)]
    assert len(await leases.take(names, "media-0", now=NOW)) == 1500
    moved = await leases.ended("media-0")
    assert [lease.name for lease in moved] == names
    taken = await leases.take([lease.name for lease in moved], "media-1", now=NOW)
    assert {lease.epoch for lease in taken} == {2}
    assert len(taken) == 1500
