"""The bus hears of each new or corrected passage with the commit that makes it, and never what the vehicle was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.passages.vehicles import NOON, gate, seen

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.outbox import store as outbox
from safecity.core.ground.outbox.api import Relay
from safecity.core.ground.passages import api as passages
from safecity.core.ground.passages.api import Place, Sighting, file, forget
from safecity.core.ground.settings.api import Platform, Settings
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import UnavailableError
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event, Mode

GOLDEN = Path(__file__).resolve().parents[2] / "vectors" / "events"
NAMES = ["passage.recorded", "passage.withdrawn"]


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EmbeddedBus]:
    made = EmbeddedBus(open_file, tmp_path / "bus.db")
    yield made
    await made.close()


class City:
    """A place, and what waits to be told of it."""

    def __init__(self, database: SqlDatabase, place: Place) -> None:
        self.database = database
        self.place = place

    async def files(self, *many: Sighting) -> None:
        await self.database.write(lambda tx: file(tx, self.place, [replace(each, id=fresh("sg")) for each in many]))

    async def told(self) -> list[Event]:
        """What was written since it was asked last."""

        def work(tx: Any) -> list[Event]:
            found = outbox.pending(tx, 1000)
            if found:
                outbox.forget(tx, found[-1][0])
            return [event for _, event in found]

        return await self.database.write(work)

    async def heard(self) -> list[tuple[str, bool | None]]:
        return [(event.kind.partition(".")[2], event.body.get("corrected")) for event in await self.told()]


@pytest.fixture
def city(database: SqlDatabase) -> City:
    return City(database, gate())


async def test_a_camera_that_says_the_same_passage_ten_times_is_told_once(city: City) -> None:
    await city.files(*[seen(1, plate="皖A12345")] * 10)
    await city.files(seen(1, plate="皖A12345"))
    for number in range(2, 11):
        await city.files(seen(number, number * 0.3, plate="皖A12345"))
    (event,) = await city.told()
    assert (event.kind, event.subject, event.body["corrected"]) == ("passage.recorded", city.place.id, False)
    found = await city.database.read(lambda tx: passages.read(tx, event))
    assert found is not None
    assert (found.plate, found.sightings) == ("皖A12345", 10)


async def test_what_is_corrected_taken_back_or_better_known_is_told_and_a_mere_echo_is_not(city: City) -> None:
    await city.files(seen(1, plate="皖A12345", confidence=0.5))
    assert await city.heard() == [("recorded", False)]
    await city.files(seen(2, 0.5, plate="皖A12345", origin="reader", lane=None))
    assert await city.heard() == []
    await city.files(seen(4, 0.1, origin="laser", speed_kmh=70.0))
    assert await city.heard() == [("recorded", True)], "its speed is known now"
    await city.files(seen(3, 0.6, plate="皖A12346"))
    assert await city.heard() == [("recorded", False)], "another vehicle passed"
    await city.files(seen(3, 0.6, plate="皖A1234B"))
    assert await city.heard() == [("withdrawn", None), ("recorded", False)]
    await city.database.write(lambda tx: forget(tx, "camera", ["3"], NOON))
    assert await city.heard() == [("withdrawn", None)]


async def test_what_was_not_committed_is_not_told(city: City) -> None:
    def work(tx: Any) -> None:
        file(tx, city.place, [seen(1, plate="皖A12345")])
        raise UnavailableError("the disk is full", code="disk_full")

    with pytest.raises(UnavailableError):
        await city.database.write(work)
    assert await city.told() == []


async def test_an_event_carries_no_plate_and_leads_to_nothing_once_the_passage_is_past_its_time(city: City) -> None:
    await city.files(seen(1, plate="皖A12345", transponder="E200-7", brand="BRANDNAME"))
    (event,) = await city.told()
    text = msgspec.json.encode(event).decode()
    assert not any(word in text for word in ("12345", "E200", "BRANDNAME"))
    late = msgspec.structs.replace(event, seen=event.seen + 31 * 86_400 * SECOND_US)
    assert await city.database.read(lambda tx: passages.read(tx, late)) is None


async def test_what_a_camera_kept_while_it_was_offline_is_marked_so(city: City) -> None:
    await city.files(seen(1, plate="皖A12345", seen=NOON + 3600 * SECOND_US))
    assert [event.mode for event in await city.told()] == [Mode.BACKFILL]


async def test_bodies_are_those_of_the_golden_events(city: City) -> None:
    await city.files(seen(1, plate="皖A12345"))
    await city.database.write(lambda tx: forget(tx, "camera", ["1"], NOON))
    told = await city.told()
    assert [event.kind for event in told] == NAMES
    for event in told:
        golden = json.loads((GOLDEN / f"{event.kind}.v1.json").read_text("utf-8"))
        assert golden["body"].keys() == event.body.keys()
        assert golden["purpose"].split(",") == sorted(golden["purpose"].split(","))


class Deaf:
    """A bus that takes nothing until it is mended, and then dies after it took."""

    def __init__(self, bus: EmbeddedBus) -> None:
        self.bus = bus
        self.troubles = ["before", "after"]

    async def publish(self, events: Sequence[Event]) -> int:
        trouble = self.troubles.pop(0) if self.troubles else ""
        if trouble == "before":
            raise UnavailableError("no bus", code="bus_unavailable")
        new = await self.bus.publish(events)
        if trouble == "after":
            raise UnavailableError("lost on the way back", code="bus_unavailable")
        return new


async def test_every_event_reaches_the_bus_once_and_in_order_whatever_breaks(city: City, bus: EmbeddedBus) -> None:
    for number in range(30):
        await city.files(seen(number, number * 10.0, plate=f"皖A{number:05d}"))
    relay = Relay(city.database, Deaf(bus), Settings(city.database, Platform(code="34020000002000000001")))  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await relay.step()
    assert await relay.step() == 30
    assert await relay.step() == 0
    found = [event for _, event in await bus.pull("test", ("passage.*",), 1000)]
    assert [event.at for event in found] == [NOON + number * 10 * SECOND_US for number in range(30)]
    assert {event.origin for event in found} == {"34020000002000000001/control"}
