"""Who speaks in another's name: the other one has no part in it, and whoever looks is told who did it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.unit.drivers_jt808.scene import PHONE, TERMINAL, US, Scene, Vehicle, open_scene

from safecity.drivers.jt808 import reports
from safecity.kit.clock import FakeClock
from safecity.model.facts.signal_calls import ApplySignal, AskDevices, JtTerminal
from safecity.protocols.jt808.framing import frame
from safecity.protocols.jt808.header import Packet, Version, write_packet
from safecity.protocols.jt808.positions import BatchKind, batch
from safecity.protocols.jt808.registration import Heartbeat, Unregister, authenticate
from safecity.protocols.jt808.terminal import Identity

OTHER = "13900000000"


def refusals(scene: Scene) -> dict[str, str]:
    """By device, as the pages show them."""
    return {one.device: one.code_of_refusal for one in scene.platform.figures(AskDevices()).devices}


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_terminal_that_lies_about_its_number_harms_itself_alone(scene: Scene, at_once: bool) -> None:
    scene.platform.configure([ApplySignal(2, US, (), (), terminals=(TERMINAL, JtTerminal("dv_2", OTHER)))])
    liar = Vehicle(scene)
    liar.come_in()
    lies = [
        frame(
            write_packet(
                Packet(id=0x0200, phone=OTHER, serial=n, body=liar.fix().write(), version=Version.V2019)
            )
        )
        for n in range(5)
    ]  # fmt: skip
    for data in [b"".join(lies)] if at_once else lies:
        liar.link.data_received(data)
    assert scene.events("position.received") == []
    assert scene.events("device.refused") == []  # the other one is not called a liar
    assert refusals(scene) == {"dv_1": "jt_other_phone", "dv_2": ""}
    assert liar.wire.over
    Vehicle(scene).come_in()
    assert refusals(scene)["dv_1"] == "jt_other_phone"  # coming in again does not settle it
    scene.clock.advance(3600)
    assert refusals(scene)["dv_1"] == ""


async def test_who_registers_in_the_name_of_one_that_is_here_is_told_of(scene: Scene) -> None:
    Vehicle(scene).come_in()
    Vehicle(scene, "10.6.6.6").say(Identity(phone=PHONE).register())
    assert refusals(scene) == {"dv_1": "jt_already_here"}
    assert scene.events("device.refused") == []


async def test_who_fails_in_the_name_of_one_that_is_here_makes_it_no_failure_of_that_one(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    stranger = Vehicle(scene, "10.6.6.6")
    stranger.say(Identity(phone=PHONE).register())
    stranger.say(authenticate("guessed", Version.V2019))
    stranger.say(vehicle.fix())
    assert refusals(scene) == {"dv_1": "jt_already_here"}
    vehicle.say(Unregister())
    stranger.say(authenticate("guessed", Version.V2019))
    assert refusals(scene) == {"dv_1": "jt_wrong_code"}


async def test_a_registration_that_cannot_be_read_is_listed(scene: Scene) -> None:
    stranger = Vehicle(scene)
    body = Identity(phone=OTHER).register().write(Version.V2019)[:20]
    packet = Packet(id=0x0100, phone=OTHER, serial=1, body=body, version=Version.V2019)
    stranger.link.data_received(frame(write_packet(packet)))
    (unknown,) = scene.platform.figures(AskDevices()).unknown
    assert unknown.code == OTHER


async def test_time_that_passes_is_no_sign_of_life(scene: Scene) -> None:
    """We ask for a part that is missing: that is our word, not the terminal's."""
    vehicle = Vehicle(scene)
    vehicle.come_in()
    heard = scene.platform.figures(AskDevices()).devices[0].last_keepalive
    several = batch([vehicle.fix()] * 50, BatchKind.CATCH_UP, Version.V2019).write(Version.V2019)
    part = Packet(
        id=0x0704, phone=PHONE, serial=9, body=several[:1000], version=Version.V2019, total=2, index=1
    )  # fmt: skip
    vehicle.link.data_received(frame(write_packet(part)))
    scene.pass_time(6)
    vehicle.link.data_received(b"\x7egarbage\x7e")
    assert scene.platform.figures(AskDevices()).devices[0].last_keepalive == heard
    scene.pass_time(175)
    (gone,) = scene.events("device.went_offline")
    assert gone.body["silent_seconds"] == 181


async def test_a_clock_that_is_set_makes_no_silence(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(Heartbeat())
    scene.clock.step_wall(-86_400)
    scene.pass_time(181)
    (gone,) = scene.events("device.went_offline")
    assert gone.body["silent_seconds"] == 181


async def test_what_is_dropped_is_counted_by_reason_and_does_not_fill_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            vehicle.link.data_received(b"\x7egarbage\x7e")
        Vehicle(scene).say(authenticate("guessed", Version.V2019))
    assert scene.platform.tally.counts == {"jt_bad_check": 100, "jt_wrong_code": 1}
    assert len(caplog.records) == 8
    assert "jt_bad_check" in caplog.text
    assert PHONE in caplog.text


async def test_a_batch_too_many_stays_in_the_terminal_and_one_that_is_cut_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "POSITIONS_AT_ONCE", 100.0)
    scene = await open_scene(tmp_path, FakeClock())
    vehicle = Vehicle(scene)
    vehicle.come_in()
    cut = batch([vehicle.fix()] * 3, BatchKind.CATCH_UP, Version.V2019)
    body = cut.write(Version.V2019)[:-10]
    packet = Packet(id=0x0704, phone=PHONE, serial=50, body=body, version=Version.V2019)
    vehicle.link.data_received(frame(write_packet(packet)))
    assert len(scene.events("position.received")) == 2
    assert scene.platform.tally.counts == {"jt_cut_batch": 1}
    for _ in range(30):
        vehicle.say(batch([vehicle.fix()] * 30, BatchKind.CATCH_UP, Version.V2019))
    scene.platform.store.flush()
    assert len(vehicle.heard()) == 1 + (100 - 2) // 30
    scene.clock.advance(60.0)
    vehicle.serial -= 1
    vehicle.say(batch([vehicle.fix()] * 30, BatchKind.CATCH_UP, Version.V2019))
    scene.platform.store.flush()
    assert len(vehicle.heard()) == 1
    await scene.platform.close()
    scene.file.close()
