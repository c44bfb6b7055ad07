"""A disk that takes nothing, a control that is away: terminals keep what cannot be kept here, memory stays small."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.drivers_jt808.scene import PHONE, Scene, Vehicle

from safecity.backends import outbox
from safecity.drivers import rows as store
from safecity.kit.errors import UnavailableError
from safecity.model.facts.signal_calls import AskDevices
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.registration import (
    Heartbeat,
    PlatformAnswer,
    RegisterAnswer,
    Result,
    Unregister,
    authenticate,
)
from safecity.protocols.jt808.terminal import Identity


@contextlib.contextmanager
def full_disk(scene: Scene) -> Iterator[None]:
    @contextlib.contextmanager
    def refuse() -> Iterator[None]:
        raise UnavailableError("no room", code="disk_full")
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene.file, "transaction", refuse)
        yield


async def test_what_a_full_disk_cannot_take_stays_in_the_terminal(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_GATHERED", 10)
    vehicle = Vehicle(scene)
    vehicle.come_in()
    before = len(scene.events())
    with full_disk(scene):
        for height in range(50):
            vehicle.say(vehicle.fix(height=height))
            scene.platform.store.flush()
        assert vehicle.heard() == []
    told = scene.events()[before:]
    assert [one.body["altitude"] for one in told] == list(range(10))
    assert len(vehicle.heard()) == 10  # the others come again
    assert scene.platform.tally.counts == {"jt_no_room": 40}
    vehicle.serial -= 1
    vehicle.say(vehicle.fix(height=49))
    scene.platform.store.flush()
    assert len(vehicle.heard()) == 1
    assert scene.events()[-1].body["altitude"] == 49


async def test_terminals_that_come_and_go_while_the_disk_is_full_do_not_fill_the_memory(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hear nothing, so they try again and again; when there is room the last that happened is told."""
    monkeypatch.setattr(store, "MAX_GATHERED", 10)
    first = Vehicle(scene)
    code = first.come_in()
    scene.outbox.forget(1_000)
    with full_disk(scene):
        for _ in range(100):
            vehicle = Vehicle(scene)
            vehicle.say(authenticate(code, Version.V2019))
            vehicle.say(Unregister())
            scene.platform.store.flush()
        Vehicle(scene).say(authenticate(code, Version.V2019))
        scene.platform.store.flush()
    kinds = scene.kinds()
    assert len(kinds) <= 10 + 3
    presence = [kind for kind in kinds if kind in ("device.went_online", "device.went_offline")]
    assert presence[-2:] == ["device.went_offline", "device.went_online"]
    assert scene.platform.figures(AskDevices()).devices[0].state == "online"


async def test_answers_that_wait_for_a_full_disk_are_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_ANSWERS", 20)
    vehicle = Vehicle(scene)
    vehicle.come_in()
    with full_disk(scene):
        vehicle.say(vehicle.fix())
        for _ in range(200):
            vehicle.say(Heartbeat())
        stranger = Vehicle(scene)
        for _ in range(5):
            stranger.say(authenticate("guessed", Version.V2019))
    scene.platform.store.flush()
    assert len(vehicle.heard()) == 20
    assert stranger.wire.over  # that a connection ends is never left out


async def test_while_control_is_away_too_long_terminals_keep_their_positions(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered would go as the oldest of what waits for control, and nobody would have it."""
    monkeypatch.setattr(outbox, "MAX_PENDING", 20)
    vehicle = Vehicle(scene)
    vehicle.come_in()
    for height in range(50):
        vehicle.say(vehicle.fix(height=height))
        scene.platform.store.flush()
    answered = vehicle.heard()
    assert all(isinstance(one, PlatformAnswer) and one.result == Result.OK for one in answered)
    kept: list[Any] = [one.body["altitude"] for one in scene.events("position.received")]
    assert kept == list(range(len(answered)))
    assert 0 < len(answered) < 20
    scene.outbox.forget(1_000)
    vehicle.serial -= 1
    vehicle.say(vehicle.fix(height=49))
    assert [one.body["altitude"] for one in scene.events("position.received")] == [49]


async def test_the_platform_stops_with_a_full_disk_too(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    with full_disk(scene):
        vehicle.say(vehicle.fix())
        await scene.platform.close()
    assert vehicle.wire.over
    assert vehicle.heard() == []


async def test_no_code_is_told_that_a_full_disk_did_not_take(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    with full_disk(scene):
        vehicle.say(Identity(phone=PHONE).register())
        scene.platform.store.flush()
        assert vehicle.heard() == []
    scene.platform.store.flush()
    (answer,) = vehicle.heard()
    assert isinstance(answer, RegisterAnswer)
    assert answer.result == 0
