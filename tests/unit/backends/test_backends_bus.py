"""The embedded bus and the outboxes that feed it: sweeping, frames of Calls, control that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safecity.backends.bus import EmbeddedBus
from safecity.backends.outbox import SqlOutbox, relay
from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import UnavailableError
from safecity.model.facts.control_calls import Publish, Published, Pull, Pulled
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Message


def event(number: int, kind: str = "alarm.received", subject: str = "ch_1") -> Event:
    return Event(kind=kind, subject=subject, at=number, seen=number, id=f"ev_{kind}_{number}")


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EmbeddedBus]:
    bus = EmbeddedBus(open_file, tmp_path / "bus.db")
    yield bus
    await bus.close()


async def test_what_a_known_consumer_has_not_read_is_never_swept_away(bus: EmbeddedBus) -> None:
    await bus.publish([event(1), event(2)])
    first = await bus.pull("slow", [], 1)
    await bus.acknowledge("slow", first[0][0])
    assert await bus.sweep(100) == 1
    assert [e.at for _, e in await bus.pull("slow", [], 10)] == [2]


async def test_a_consumer_that_was_forgotten_holds_up_no_sweeping(bus: EmbeddedBus) -> None:
    await bus.publish([event(1), event(2)])
    await bus.pull("gone", [], 1)
    await bus.acknowledge("reads", 2)
    assert await bus.sweep(100) == 0
    await bus.forget("gone")
    assert await bus.sweep(100) == 2


class FlakyControl:
    """Refuses the first calls, as control does while it restarts, and once takes a batch without answering."""

    def __init__(self, bus: EmbeddedBus, refusals: int) -> None:
        self.bus, self.refusals, self.published = bus, refusals, asyncio.Event()

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        assert isinstance(message, Publish)
        self.refusals -= 1
        if self.refusals == 0:
            await self.bus.publish(message.events)
        if self.refusals >= 0:
            raise UnavailableError("away")
        new = await self.bus.publish(message.events)
        self.published.set()
        return Published(new=new)

    def stream(self, address: str, message: Message) -> object:
        raise NotImplementedError

    async def close(self) -> None: ...


async def test_an_outbox_loses_and_doubles_nothing_while_control_is_away(bus: EmbeddedBus, tmp_path: Path) -> None:
    file = open_file(tmp_path / "signal.db")
    outbox = SqlOutbox(file)
    with file.transaction():
        outbox.add([event(1), event(2)])
    control = FlakyControl(bus, refusals=3)
    task = asyncio.ensure_future(relay(outbox, control, retry_seconds=0.0))  # type: ignore[arg-type]
    await asyncio.wait_for(control.published.wait(), 10)
    while outbox.waiting:
        await asyncio.sleep(0)
    task.cancel()
    assert [e.at for _, e in await bus.pull("a", [], 10)] == [1, 2]
    file.close()


def test_numbers_grow_within_a_run_and_a_restart_is_another_run(tmp_path: Path) -> None:
    file = open_file(tmp_path / "signal.db")
    outbox = SqlOutbox(file)
    outbox.add([event(1), event(2)])
    first = [e for _, e in outbox.pending()]
    outbox.forget(2)
    outbox.add([event(3)])
    again = SqlOutbox(file)
    (third,) = (e for _, e in again.pending())
    assert [e.number for e in (*first, third)] == [1, 2, 3], "a number is never given twice"
    assert first[0].incarnation == first[1].incarnation != third.incarnation
    file.close()


async def test_a_state_change_that_fails_leaves_no_event(tmp_path: Path) -> None:
    file = open_file(tmp_path / "signal.db")
    outbox = SqlOutbox(file)
    with pytest.raises(RuntimeError), file.transaction():
        outbox.add([event(1)])
        raise RuntimeError
    assert outbox.pending() == []
    file.close()


async def test_a_pull_over_calls_never_outgrows_a_frame(bus: EmbeddedBus) -> None:
    big = [
        Event(kind="catalog.received", subject="dv", at=n, seen=n, id=f"ev_big_{n}", body={"t": "x" * 100_000})
        for n in range(30)
    ]
    await bus.publish(big)
    handlers, _ = bus.handlers()
    seen: list[int] = []
    while True:
        answer = await handlers[Pull](Pull(consumer="a", kinds=(), limit=100))
        assert isinstance(answer, Pulled)
        if not answer.events:
            break
        assert sum(len(event.body["t"]) for event in answer.events) < 1_000_000
        seen += [event.at for event in answer.events]
        await bus.acknowledge("a", answer.positions[-1])
    assert seen == list(range(30))
