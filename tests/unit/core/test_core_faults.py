"""The platform's own faults stand among the alarms, once each, and clear when they are over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.database import SqlDatabase, open_database
from safecity.core.ground.alarms.api import Alarm, AlarmState, find
from safecity.core.ground.intake.api import PLATFORM, Effects, Intake
from safecity.media.record.facts import FootageDamaged, VolumeChanged
from safecity.media.slot.facts import of_recorder
from safecity.model.facts.envelope import Event, Mode
from safecity.model.values.media import Quality, StreamKey

NOW = 1_790_000_000_000_000
Tell = Callable[..., Any]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    made = open_database(f"sqlite:///{tmp_path}/control.db")
    yield made
    await made.close()


@pytest.fixture
def tell(database: SqlDatabase) -> Tell:
    """Give events to the core; the alarms that changed, as they stand now."""
    intake = Intake(lambda tx, device: pytest.fail("no new channels here"), ("media-0",))

    async def give(*events: Event) -> list[Alarm]:
        effects = Effects()

        def work(tx: Any) -> list[Alarm]:
            for event in events:
                intake.apply(tx, event, effects)
            return [found for kind, thing in effects.changed if kind == "alarm" and (found := find(tx, thing))]

        return await database.write(work)

    return give


def volume(state: str, code: str = "", *, slot: str = "media-0") -> Event:
    (event,) = of_recorder(f"home/{slot}", [VolumeChanged("main", state, code)], NOW)
    return event


async def test_a_failed_disk_is_an_alarm_of_the_first_priority_until_it_is_ready_again(tell: Tell) -> None:
    (raised,) = await tell(volume("failed", "volume_write_failed"))
    assert (raised.method, raised.type, raised.priority) == (PLATFORM, "volume_write_failed", 1)
    assert raised.state is AlarmState.RAISED
    assert raised.body["params"]["volume"] == "main"
    (cleared,) = await tell(volume("ready"))
    assert (cleared.id, cleared.state) == (raised.id, AlarmState.CLEARED)


async def test_a_restarted_slot_that_tells_the_same_again_raises_nothing_new(tell: Tell) -> None:
    assert len(await tell(volume("full", "volume_full"))) == 1
    assert await tell(volume("full", "volume_full")) == []
    assert len(await tell(volume("full", "volume_full", slot="media-1"))) == 1, "another slot's shelf is another fault"


async def test_an_event_that_comes_twice_is_applied_once(tell: Tell) -> None:
    event = volume("offline", "volume_offline")
    assert len(await tell(event)) == 1
    assert len(await tell(volume("ready"))) == 1
    assert await tell(event) == [], "the bus delivers at least once"


async def test_a_volume_that_is_ready_from_the_start_is_no_news(tell: Tell) -> None:
    assert await tell(volume("ready")) == []


async def test_what_is_only_an_exercise_raises_no_fault(tell: Tell) -> None:
    event = volume("failed", "volume_write_failed")
    made_up = Event(kind=event.kind, subject="main", at=NOW, seen=NOW, mode=Mode.EXERCISE, body=event.body)
    assert await tell(made_up) == []


async def test_damage_is_one_alarm_for_an_extent_however_many_chunks_are_hit(tell: Tell) -> None:
    key = StreamKey("ch_01m89ph1kte3svjyyb7bs4gb30", Quality.MAIN)
    facts = [FootageDamaged(key, NOW, "main", "e-7.sce"), FootageDamaged(key, NOW + 1, "main", "e-7.sce")]
    (raised,) = await tell(*of_recorder("home/media-0", facts, NOW))
    assert (raised.type, raised.priority, raised.body["params"]["extent"]) == ("footage_damaged", 1, "e-7.sce")
    (other,) = await tell(*of_recorder("home/media-0", [FootageDamaged(None, NOW, "main", "e-8.sce")], NOW))
    assert other.name == "main", "nobody knows any more whose footage it was"
    assert await tell(volume("ready")) == [], "a ready volume mends no footage"


def clock(state: str, offset_us: int = 0) -> Event:
    return Event(
        kind="clock.measured", subject="platform", at=NOW, seen=NOW, body={"state": state, "offset_us": offset_us}
    )


async def test_a_wrong_clock_is_an_alarm_until_it_is_right_again_whoever_restarts_meanwhile(tell: Tell) -> None:
    assert await tell(clock("good")) == []
    (raised,) = await tell(clock("off", 2_500_000))
    assert (raised.method, raised.type, raised.body["params"]) == (PLATFORM, "clock_off", {"seconds": "+2.500"})
    assert await tell(clock("off", 2_600_000)) == [], "told anew after a restart"
    assert await tell(clock("silent")) == [], "nobody knows whether it is right now"
    (cleared,) = await tell(clock("good"))
    assert (cleared.id, cleared.state) == (raised.id, AlarmState.CLEARED)


async def test_servers_that_begin_to_disagree_are_another_trouble_than_a_wrong_clock(tell: Tell) -> None:
    (off,) = await tell(clock("off", 2_500_000))
    cleared, raised = await tell(clock("disagreeing", 45_000_000))
    assert (cleared.id, raised.type, raised.priority) == (off.id, "clock_disagreeing", 3)
    assert await tell(volume("ready")) == [], "a volume that is ready sets no clock"
