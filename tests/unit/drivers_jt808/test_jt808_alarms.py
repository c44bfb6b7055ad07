"""An alarm is raised once and never lost: over batches, doubles, restarts of a terminal, and floods."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.unit.drivers_jt808.scene import PHONE, Scene, Vehicle, open_scene

from safecity.kit.clock import FakeClock
from safecity.protocols.jt808.active_safety import AlarmMark, DriverState
from safecity.protocols.jt808.alarms import Alarm, mask
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.positions import BatchKind, Item, Location, batch
from safecity.protocols.jt808.registration import authenticate


@pytest.fixture
async def vehicle(scene: Scene) -> Vehicle:
    made = Vehicle(scene)
    made.come_in()
    return made


def ago(vehicle: Vehicle, seconds: int, *alarms: Alarm, **more: Any) -> Location:
    at = time_text(vehicle.scene.clock.now_us() - seconds * 1_000_000)
    return vehicle.fix(time=at, alarm=mask(alarms), **more)


def catch_up(vehicle: Vehicle, *locations: Location) -> None:
    vehicle.say(batch(list(locations), BatchKind.CATCH_UP, Version.V2019))


def raised(scene: Scene) -> list[str]:
    return [one.body["type"] for one in scene.events("alarm.received")]


async def test_an_alarm_that_goes_on_over_several_batches_and_the_next_position_is_one(
    scene: Scene, vehicle: Vehicle
) -> None:
    speeding = Alarm.OVER_SPEED
    catch_up(vehicle, ago(vehicle, 400), ago(vehicle, 300, speeding))
    catch_up(vehicle, ago(vehicle, 200, speeding), ago(vehicle, 100, speeding))
    vehicle.say(ago(vehicle, 0, speeding))
    assert raised(scene) == ["jt808-1"]
    vehicle.say(ago(vehicle, 0))
    vehicle.say(ago(vehicle, 0, speeding))
    assert raised(scene) == ["jt808-1", "jt808-1"]


async def test_a_catch_up_between_live_positions_raises_its_own_once_and_hides_none(
    scene: Scene, vehicle: Vehicle
) -> None:
    vehicle.say(ago(vehicle, 0))
    catch_up(vehicle, ago(vehicle, 400, Alarm.SOS))
    catch_up(vehicle, ago(vehicle, 300, Alarm.SOS))
    assert raised(scene) == ["jt808-0"]
    vehicle.say(ago(vehicle, 0, Alarm.SOS))  # pressed anew, whatever was in the tunnel
    assert raised(scene) == ["jt808-0", "jt808-0"]


async def test_a_later_catch_up_raises_what_an_earlier_one_ended_with(scene: Scene, vehicle: Vehicle) -> None:
    vehicle.say(ago(vehicle, 0))
    catch_up(vehicle, ago(vehicle, 400, Alarm.SOS))
    vehicle.link.connection_lost(None)
    back = Vehicle(scene)
    back.come_in()
    scene.clock.advance(3600)
    back.say(ago(back, 0))
    catch_up(back, ago(back, 600, Alarm.SOS))
    assert raised(scene) == ["jt808-0", "jt808-0"]


async def test_a_catch_up_whose_answer_got_lost_raises_nothing_twice(scene: Scene, vehicle: Vehicle) -> None:
    past = [ago(vehicle, 300), ago(vehicle, 200, Alarm.COLLISION), ago(vehicle, 100)]
    vehicle.say(past[1])  # live, and its answer got lost
    vehicle.say(past[2])
    for _ in range(2):
        catch_up(vehicle, *past)
    assert raised(scene) == ["jt808-29"]


TIRED = DriverState(
    alarm_id=0, flag=1, kind=1, level=2, fatigue=8, speed=60, height=1, latitude_micro=1, longitude_micro=1,
    time="260101120000", vehicle_status=0,
    mark=AlarmMark(terminal_id="0000001", time="260101120000", number=0, attachments=2),
)  # fmt: skip


def with_item(vehicle: Vehicle, alarm: DriverState) -> Location:
    return vehicle.fix(items=(Item(0x65, alarm.write(Version.V2013)),))


async def test_a_terminal_that_counts_from_zero_again_is_heard(scene: Scene, vehicle: Vehicle) -> None:
    next_day = dataclasses.replace(TIRED, mark=dataclasses.replace(TIRED.mark, time="260102080000"))
    for one in (TIRED, TIRED, next_day, next_day):
        vehicle.say(with_item(vehicle, one))
    assert raised(scene) == ["jsatl-65-1", "jsatl-65-1"]


async def test_an_sos_is_heard_through_a_flood_of_other_alarms(scene: Scene, vehicle: Vehicle) -> None:
    for _ in range(60):
        vehicle.say(vehicle.fix())
        vehicle.say(vehicle.fix(alarm=mask((Alarm.POWER_LOW,))))
    vehicle.say(vehicle.fix(alarm=mask((Alarm.SOS,))))
    assert raised(scene)[-1] == "jt808-0"


async def test_an_alarm_over_the_limit_is_said_to_be_and_raised_when_there_is_room(
    scene: Scene, vehicle: Vehicle
) -> None:
    for number in range(60):
        vehicle.say(vehicle.fix(height=number))
        vehicle.say(vehicle.fix(height=number, alarm=mask((Alarm.POWER_LOW,))))
    before = len(raised(scene))
    last = scene.events("position.received")[-1]
    assert (before, last.body["reasons"]) == (40, ["jt_alarm_limit"])
    scene.clock.advance(30.0)
    vehicle.say(vehicle.fix(height=99, alarm=mask((Alarm.POWER_LOW,))))
    vehicle.say(vehicle.fix(height=98, alarm=mask((Alarm.POWER_LOW,))))
    assert len(raised(scene)) == before + 1
    assert scene.events("position.received")[-1].body["reasons"] == []


async def test_an_alarm_of_active_safety_over_the_limit_is_raised_when_it_is_sent_again(
    scene: Scene, vehicle: Vehicle
) -> None:
    marks = [dataclasses.replace(TIRED, alarm_id=number) for number in range(60)]
    for one in marks:
        vehicle.say(with_item(vehicle, one))
    assert len(raised(scene)) == 40
    scene.clock.advance(60.0)
    for one in marks:
        vehicle.say(with_item(vehicle, one))
    assert len(raised(scene)) == 60


async def test_an_alarm_that_is_set_is_not_raised_by_a_catch_up(scene: Scene, vehicle: Vehicle) -> None:
    vehicle.say(ago(vehicle, 0, Alarm.SOS))
    catch_up(vehicle, ago(vehicle, 60, Alarm.SOS))
    assert raised(scene) == ["jt808-0"]


async def test_a_covered_camera_is_an_alarm_once_until_it_was_seen_free(scene: Scene, vehicle: Vehicle) -> None:
    """Bits of item 14 (JT/T 1078) beside those of the position, under numbers of their own."""

    def seen(video: int, *alarms: Alarm) -> None:
        vehicle.say(vehicle.fix(alarm=mask(alarms), items=(Item(0x14, video.to_bytes(4, "big")),)))

    for video in (0, 0b10, 1 << 31 | 0b10, 0b100010, 0, 0b10):
        seen(video, Alarm.OVER_SPEED)
    assert raised(scene) == ["jt808-1", "jt1078-1", "jt1078-5", "jt1078-1"]
    kinds = [(one.body["method"], one.body["priority"]) for one in scene.events("alarm.received")]
    assert kinds == [(4, 3), (5, 3), (5, 2), (5, 3)]
    for position in scene.events("position.received"):
        assert position.body["alarms"] == 0b10, "as the position has them"


# --- of which camera, store and kind ----------------------------------------------------------------------------


def told(vehicle: Vehicle, video: int | None = None, **items: int) -> Location:
    """A position with these items: `video` is 0x14, `i15` to `i18` those that say more."""
    sizes = {"i15": 4, "i16": 4, "i17": 2, "i18": 2}
    more = [Item(int(name[1:], 16), value.to_bytes(sizes[name], "big")) for name, value in items.items()]
    first = [] if video is None else [Item(0x14, video.to_bytes(4, "big"))]
    return vehicle.fix(items=(*first, *more))


LOST, COVERED, STORAGE, DRIVING = (1 << bit for bit in (0, 1, 2, 5))


async def test_each_camera_store_and_kind_is_an_alarm_of_its_own_once(scene: Scene, vehicle: Vehicle) -> None:
    vehicle.say(told(vehicle, LOST | COVERED, i15=0b101, i16=1 << 31))
    vehicle.say(told(vehicle, LOST | COVERED, i15=0b111, i16=1 << 31))
    assert raised(scene) == ["jt1078-15-0", "jt1078-15-2", "jt1078-16-31", "jt1078-15-1"]
    vehicle.say(told(vehicle, LOST, i15=0b001))
    vehicle.say(told(vehicle, LOST | STORAGE | DRIVING, i15=0b101, i17=1 << 12 | 1, i18=0b110))
    assert raised(scene)[4:] == ["jt1078-15-2", "jt1078-17-0", "jt1078-17-12", "jt1078-18-1", "jt1078-18-2"]
    by_type = {one.body["type"]: one.body for one in scene.events("alarm.received")}
    assert [by_type[f"jt1078-{one}"]["priority"] for one in ("15-0", "16-31", "17-0", "18-1")] == [4, 3, 4, 2]
    assert {one["method"] for one in by_type.values()} == {5}
    assert [by_type[f"jt1078-{one}"]["code"] for one in ("15-2", "16-31", "17-0")] == ["3", "32", PHONE]


async def test_the_bit_that_says_only_that_some_camera_is_lost_is_not_raised_beside_the_camera(
    scene: Scene, vehicle: Vehicle
) -> None:
    vehicle.say(told(vehicle, LOST))
    vehicle.say(told(vehicle, LOST, i15=0b10))
    vehicle.say(told(vehicle, LOST, i15=0))  # it does not say which, but still that there is one
    assert raised(scene) == ["jt1078-0", "jt1078-15-1", "jt1078-0"]


async def test_an_item_that_is_left_out_while_its_alarm_goes_on_raises_nothing_anew(
    scene: Scene, vehicle: Vehicle
) -> None:
    for location in (
        told(vehicle, COVERED, i16=0b10), told(vehicle, COVERED), told(vehicle, COVERED, i16=0b10), told(vehicle),
        told(vehicle, COVERED, i16=0b10),
    ):  # fmt: skip
        vehicle.say(location)
    assert raised(scene) == ["jt1078-16-1", "jt1078-16-1"], "anew once it was gone"


async def test_what_makers_put_there_is_no_alarm(scene: Scene, vehicle: Vehicle) -> None:
    vehicle.say(told(vehicle, i18=0xFFF8))
    vehicle.say(vehicle.fix(items=(Item(0x15, b"\1\2"), Item(0x17, b"\1\2\3"), Item(0x18, b"\0\1\x50"))))
    assert raised(scene) == ["jt1078-18-0"], "three bytes have the degree of fatigue"


async def test_cameras_that_are_lost_stay_known_when_signalling_is_killed(tmp_path: Path) -> None:
    first = await open_scene(tmp_path, FakeClock())
    vehicle = Vehicle(first)
    code = vehicle.come_in()
    everything = {"i15": 0xFFFFFFFF, "i16": 0xFFFFFFFF, "i17": 0xFFFF, "i18": 0b111}
    for _ in range(200):  # as fast as alarms may be raised
        vehicle.say(told(vehicle, LOST | COVERED | STORAGE | DRIVING, **everything))
        first.clock.advance(1.0)
    assert len(raised(first)) == len(set(raised(first))) == 32 + 32 + 16 + 3
    await first.killed()
    second = await open_scene(tmp_path, first.clock)
    back = Vehicle(second)
    back.say(authenticate(code, Version.V2019))
    back.say(told(back, LOST | COVERED | STORAGE | DRIVING, **everything))
    assert len(raised(second)) == 83, "none anew"
    back.say(told(back))
    back.say(told(back, DRIVING, i18=0b100))
    assert raised(second)[83:] == ["jt1078-18-2"]
    await second.platform.close()
    second.file.close()
