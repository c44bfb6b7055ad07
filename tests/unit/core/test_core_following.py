"""Following the bus: nothing is lost that cannot be taken now, and nothing keeps back what comes after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from safecity.backends.bus import EmbeddedBus
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.following import Follower
from safecity.kit.errors import UnavailableError
from safecity.model.facts.envelope import Event

KIND = "position.received"


class Reader(Follower):
    """Breaks at what is called `bad`; takes nothing while `away`."""

    def __init__(self, bus: EmbeddedBus) -> None:
        super().__init__(bus, "readers", (KIND,), 10)
        self.taken: list[str] = []
        self.away = False

    async def take(self, events: Sequence[Event]) -> None:
        if self.away:
            raise UnavailableError("no database", code="database_down")
        if any(event.id == "bad" for event in events):
            raise ZeroDivisionError
        self.taken += [event.id for event in events]


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EmbeddedBus]:
    made = EmbeddedBus(open_file, tmp_path / "bus.db")
    await made.publish([Event(kind=KIND, subject="dv_1", at=1, seen=1, id=name) for name in ("a", "bad", "b")])
    yield made
    await made.close()


async def test_what_nobody_foresaw_is_set_aside_and_the_rest_is_taken(bus: EmbeddedBus) -> None:
    reader = Reader(bus)
    assert await reader.step() == 3
    assert (reader.taken, reader.failed) == (["a", "b"], 1)
    assert await reader.step() == 0, "it is told no more"


async def test_what_cannot_be_taken_now_is_told_again(bus: EmbeddedBus) -> None:
    reader = Reader(bus)
    reader.away = True
    with pytest.raises(UnavailableError):
        await reader.step()
    reader.away = False
    await reader.step()
    assert (reader.taken, reader.failed) == (["a", "b"], 1)
