"""One body for every engine of the port `Bus`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from safecity.backends.bus import EmbeddedBus
from safecity.backends.sqlitefile import open_file
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus

Open = Callable[[], AbstractAsyncContextManager[Bus]]


def embedded(folder: Path) -> Open:
    """One SQL file in control."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Bus]:
        bus = EmbeddedBus(open_file, folder / "bus.db")
        yield bus
        await bus.close()

    return opened


ENGINES: dict[str, Callable[[Path], Open]] = {"embedded": embedded}


def event(number: int, kind: str = "alarm.received", subject: str = "ch_1") -> Event:
    return Event(kind=kind, subject=subject, at=number, seen=number, id=f"ev_{kind}_{number}")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def bus(engine: Open) -> AsyncIterator[Bus]:
    async with engine() as opened:
        yield opened


async def test_each_consumer_gets_all_in_order_and_only_once_it_acknowledged_goes_on(bus: Bus) -> None:
    await bus.publish([event(1), event(2), event(3)])
    first = await bus.pull("a", ["alarm.received"], 2)
    assert [e.at for _, e in first] == [1, 2]
    assert [e.at for _, e in await bus.pull("a", ["alarm.received"], 2)] == [1, 2], "not acknowledged: again"
    await bus.acknowledge("a", first[-1][0])
    assert [e.at for _, e in await bus.pull("a", ["alarm.received"], 2)] == [3]
    assert [e.at for _, e in await bus.pull("b", [], 10)] == [1, 2, 3]


async def test_the_same_event_published_twice_is_there_once(bus: Bus) -> None:
    assert await bus.publish([event(1), event(1)]) == 1
    assert await bus.publish([event(1), event(2)]) == 1
    assert len(await bus.pull("a", [], 10)) == 2


async def test_kinds_are_chosen_exactly_or_by_family(bus: Bus) -> None:
    await bus.publish([event(1, "device.went_online"), event(2, "device_x.went"), event(3, "alarm.received")])
    assert [e.at for _, e in await bus.pull("a", ["device.*"], 10)] == [1]
    assert [e.at for _, e in await bus.pull("b", ["device.*", "alarm.received"], 10)] == [1, 3]


async def test_acknowledging_never_goes_back_but_rewinding_does(bus: Bus) -> None:
    await bus.publish([event(1), event(2)])
    last = (await bus.pull("a", [], 10))[-1][0]
    await bus.acknowledge("a", last)
    await bus.acknowledge("a", 0)
    assert await bus.pull("a", [], 10) == []
    await bus.rewind("a", 0)
    assert len(await bus.pull("a", [], 10)) == 2


async def test_events_and_positions_survive_a_restart(engine: Open) -> None:
    async with engine() as first:
        await first.publish([event(1), event(2)])
        await first.acknowledge("a", (await first.pull("a", [], 1))[0][0])
    async with engine() as again:
        assert [e.at for _, e in await again.pull("a", [], 10)] == [2]
        assert await again.publish([event(2)]) == 0, "a double is known after a restart too"


async def test_two_who_publish_and_one_who_reads_meanwhile_lose_nothing(bus: Bus) -> None:
    async def publish(first: int) -> None:
        for number in range(first, 200, 2):
            await bus.publish([event(number, subject=f"ch_{number % 2}")])

    async def read() -> list[Event]:
        seen: list[Event] = []
        async with contextlib.aclosing(bus.bell()) as bell:
            async for _ in bell:
                while batch := await bus.pull("a", [], 7):
                    seen += [e for _, e in batch]
                    await bus.acknowledge("a", batch[-1][0])
                if len(seen) == 200:
                    return seen
        return seen

    _, _, seen = await asyncio.gather(publish(0), publish(1), read())
    for subject in ("ch_0", "ch_1"):
        times = [e.at for e in seen if e.subject == subject]
        assert times == sorted(times), "in order within a subject"


async def test_a_bell_rings_for_what_was_published_meanwhile(bus: Bus) -> None:
    async with contextlib.aclosing(bus.bell()) as bell:
        await anext(bell)
        await bus.publish([event(1)])
        await bus.publish([event(2)])
        await asyncio.wait_for(anext(bell), 5)
