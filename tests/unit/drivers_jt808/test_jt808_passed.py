"""What comes through a terminal is on the disk before it is answered, and the last of it can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.drivers_jt808.scene import PHONE, TERMINAL, US, Scene, Vehicle, open_scene

from safecity.drivers.jt808 import passed
from safecity.kit.clock import FakeClock
from safecity.model.facts.signal_calls import ApplySignal, JtTerminal
from safecity.model.facts.vehicle_calls import AskPassed, PassedUp, TerminalPassed
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.records import TerminalKey, TransparentUp
from safecity.protocols.jt808.registration import PlatformAnswer, Result, authenticate


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = await open_scene(tmp_path, FakeClock())
    yield made
    await made.platform.close()
    made.file.close()


def flush(scene: Scene) -> None:
    scene.platform.passed._store.flush()
    scene.platform.store.flush()


async def told(scene: Scene, device: str = "dv_1") -> TerminalPassed:
    return await scene.platform.through(AskPassed(device))


async def test_it_is_answered_once_it_is_on_the_disk_and_read_newest_first(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(TransparentUp(kind=0x41, data=b"\x01\x02"))
    assert vehicle.heard() == []
    vehicle.repeat()
    assert vehicle.heard() == [], "nor is the same said again"
    flush(scene)
    answers = [one for one in vehicle.heard() if isinstance(one, PlatformAnswer)]
    assert [(one.answered, one.result) for one in answers] == [(0x0900, Result.OK)] * 2
    scene.clock.advance(1.0)
    vehicle.say(TransparentUp(kind=0xF3, data=b"own"))
    now = scene.clock.now_us()
    assert (await told(scene)).items == (
        PassedUp(now, 0xF3, 3, b"own"), PassedUp(now - 1_000_000, 0x41, 2, b"\x01\x02"),
    )  # fmt: skip
    assert await told(scene, "dv_9") == TerminalPassed()


async def test_the_last_are_kept_and_of_a_long_one_the_beginning(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    for number in range(passed.MAX_PASSED + 3):
        vehicle.say(TransparentUp(kind=number, data=b"x" * 3000))
    items = (await told(scene)).items
    assert [one.kind for one in items] == list(range(passed.MAX_PASSED + 2, 2, -1))
    assert {(one.size, len(one.data)) for one in items} == {(3000, passed.MAX_PASSED_BYTES)}


async def test_what_came_and_the_key_outlive_a_kill_and_go_with_the_vehicle(tmp_path: Path) -> None:
    first = await open_scene(tmp_path, FakeClock())
    vehicle = Vehicle(first)
    vehicle.come_in()
    vehicle.say(TransparentUp(kind=0x0B, data=b"card"))
    vehicle.say(TerminalKey(e=65_537, n=bytes(range(128))))
    flush(first)
    before = await told(first)
    assert (before.e, before.n, before.key_at) == (65_537, bytes(range(128)), first.clock.now_us())
    await first.killed()
    second = await open_scene(tmp_path, first.clock)
    assert await told(second) == before
    other = JtTerminal("dv_2", PHONE)
    second.platform.configure([ApplySignal(1, US, (), (), terminals=(other,))])
    assert await told(second, "dv_2") == TerminalPassed(), "the number is another vehicle's"
    second.platform.configure([ApplySignal(1, US, (), (), terminals=(TERMINAL,))])
    assert await told(second) == TerminalPassed()
    await second.platform.close()
    second.file.close()


async def test_who_said_nothing_for_longest_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "MAX_TERMINALS", 2)
    terminals = tuple(JtTerminal(f"dv_{n}", f"1391234567{n}") for n in range(3))
    scene = await open_scene(tmp_path, FakeClock(), terminals=terminals)
    members = scene.platform._members
    for n in (0, 1, 0, 2):
        scene.clock.advance(1.0)
        scene.platform.passed.take(members[f"1391234567{n}"], TransparentUp(kind=n, data=b"x"))
    flush(scene)
    for number, count in ((0, 2), (1, 0), (2, 1)):
        assert len((await told(scene, f"dv_{number}")).items) == count
    scene.platform.passed.start()
    assert list(scene.platform.passed._rows) == ["13912345670", "13912345672"], "as they last spoke"
    await scene.platform.close()
    scene.file.close()


async def test_in_the_oldest_edition_too(scene: Scene) -> None:
    vehicle = Vehicle(scene, version=Version.V2011)
    code = vehicle.come_in()
    vehicle.say(TransparentUp(kind=1, data=b""))
    vehicle.link.connection_lost(None)
    back = Vehicle(scene, version=Version.V2011)
    back.say(authenticate(code, Version.V2011))
    assert [(one.kind, one.size) for one in (await told(scene)).items] == [(1, 0)]
