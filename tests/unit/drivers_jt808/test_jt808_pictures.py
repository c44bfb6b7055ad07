"""Pictures that terminals took: on the disk before the terminal may forget them, and no longer than they may stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.drivers_jt808.scene import PHONE, TERMINAL, US, Scene, Vehicle, open_scene

from safecity.drivers.jt808.pictures import MOST, Pictures
from safecity.kit.clock import FakeClock
from safecity.kit.errors import NotFoundError
from safecity.model.facts.signal_calls import ApplySignal
from safecity.model.facts.vehicle_calls import AskTerminalPicture, AskTerminalPictures
from safecity.protocols.jt808.records import MediaAnswer, MediaData

DAY = 86_400
JPEG = b"\xff\xd8 picture \xff\xd9"


@pytest.fixture
async def bus(tmp_path: Path) -> Any:
    clock = FakeClock()
    pictures = Pictures(tmp_path / "pictures", clock.now_us, clock.monotonic, days=30)
    scene = await open_scene(tmp_path, clock, pictures=pictures)
    vehicle = Vehicle(scene)
    vehicle.come_in()
    yield vehicle
    await scene.platform.close()
    scene.file.close()


def taken(vehicle: Vehicle, number: int = 7, data: bytes = JPEG, event: int = 2) -> MediaData:
    return MediaData(
        media_id=number, kind=0, format=0, event=event, channel=1, location=vehicle.fix(), data=data
    )  # fmt: skip


def answered(vehicle: Vehicle) -> list[Any]:
    vehicle.scene.platform.store.flush()
    return vehicle.heard()


async def listed(scene: Scene, **more: Any) -> tuple[Any, ...]:
    return (await scene.platform.pictures_of(AskTerminalPictures("dv_1", **more))).items


async def test_a_picture_is_there_once_the_terminal_may_forget_it(bus: Vehicle) -> None:
    bus.say(taken(bus))
    assert answered(bus) == [MediaAnswer(media_id=7)]
    (one,) = await listed(bus.scene)
    assert (one.media, one.format, one.cause, one.channel, one.bytes) == ("picture", "jpeg", "robbery", 1, len(JPEG))
    assert one.at == bus.scene.clock.now_us() // 1_000_000 * 1_000_000, "its own time"
    assert (await bus.scene.platform.picture(AskTerminalPicture("dv_1", one.name))).data == JPEG


async def test_what_was_sent_again_is_there_once_and_another_of_the_same_number_beside_it(bus: Vehicle) -> None:
    for data in (JPEG, JPEG, b"another after a new start"):
        bus.say(taken(bus, data=data))
        assert answered(bus) == [MediaAnswer(media_id=7)]
        bus.scene.clock.advance(1)
    assert len(await listed(bus.scene)) == 2


async def test_a_disk_that_takes_nothing_leaves_the_picture_with_the_terminal(
    bus: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safecity.drivers.jt808.pictures._write", full)
    bus.say(taken(bus))
    assert answered(bus) == []
    monkeypatch.undo()
    bus.serial -= 1
    bus.say(taken(bus))
    assert answered(bus) == [MediaAnswer(media_id=7)]
    assert len(await listed(bus.scene)) == 1


async def test_they_go_after_their_time_with_their_device_and_when_they_are_too_many(
    bus: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST == 1_000
    monkeypatch.setattr("safecity.drivers.jt808.pictures.MOST", 3)
    scene = bus.scene
    for number in range(5):
        bus.say(taken(bus, number, str(number).encode()))
        scene.clock.advance(60)
    names = [one.name for one in await listed(scene)]
    assert [name[17:25] for name in names] == ["00000004", "00000003", "00000002"]
    assert [one.name for one in await listed(scene, before=names[0], limit=1)] == names[1:2]
    scene.pass_time(29 * DAY)
    assert len(await listed(scene)) == 3
    scene.pass_time(2 * DAY)
    assert await listed(scene) == ()
    bus.say(taken(bus, 9))
    scene.platform.configure([ApplySignal(2, US, (), (), terminals=())])
    scene.platform.configure([ApplySignal(3, US, (), (), terminals=(TERMINAL,))])
    assert await listed(scene) == ()


@pytest.mark.parametrize("name", ["../../signal.db", "nothing", "0000000000000000-00000007-0-0-0-1", ""])
async def test_no_name_leads_out_of_the_folder(bus: Vehicle, name: str) -> None:
    bus.say(taken(bus))
    for device in ("dv_1", "dv_2", "../dv_1"):
        with pytest.raises(NotFoundError):
            await bus.scene.platform.picture(AskTerminalPicture(device, name))
    assert PHONE
