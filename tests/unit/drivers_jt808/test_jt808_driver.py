"""Vehicle terminals as devices: who comes in, what becomes of positions and alarms, and what a crash may cost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.unit.drivers_jt808.scene import PHONE, TERMINAL, US, Scene, Vehicle, open_scene

from safecity.drivers.jt808.link import Limits
from safecity.drivers.jt808.translate import priority
from safecity.kit.clock import FakeClock
from safecity.model.facts.envelope import Mode
from safecity.model.facts.signal_calls import ApplySignal, AskDevices, JtTerminal
from safecity.protocols.jt808.active_safety import AlarmMark, DriverState
from safecity.protocols.jt808.alarms import Alarm, mask
from safecity.protocols.jt808.checks import NO_FIX, NULL_ISLAND, time_text
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.positions import BatchKind, Item, batch
from safecity.protocols.jt808.registration import (
    Heartbeat,
    PlatformAnswer,
    RegisterAnswer,
    Result,
    Unregister,
    authenticate,
)
from safecity.protocols.jt808.terminal import Identity

# --- coming and going -------------------------------------------------------------------------------------------


async def test_a_terminal_in_the_list_comes_in_and_is_described(scene: Scene) -> None:
    Vehicle(scene).come_in()
    described, registered, online = scene.events()
    assert [one.kind for one in (described, registered, online)] == [
        "device.described", "device.registered", "device.went_online",
    ]  # fmt: skip
    assert described.body["name"] == "皖A12345"
    assert online.subject == "dv_1"
    assert (online.body["address"], online.body["version"]) == ("10.1.1.1:40000", "JT/T 808-2019")
    (figure,) = scene.platform.figures(AskDevices()).devices
    assert (figure.device, figure.state) == ("dv_1", "online")


async def test_a_code_is_told_only_once_it_is_on_the_disk(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.say(Identity(phone=PHONE).register())
    assert vehicle.heard() == []
    scene.platform.store.flush()
    (answer,) = vehicle.heard()
    assert isinstance(answer, RegisterAnswer)
    rows = scene.file.execute("SELECT body FROM terminal")
    assert len(rows) == 1
    assert answer.code.encode() not in rows[0][0]


async def test_an_unknown_terminal_is_listed_until_it_is_added(scene: Scene) -> None:
    stranger = Vehicle(scene)
    for _ in range(2):
        stranger.say(Identity(phone="13800000000", plate="皖B00001", model="BOX").register(), phone="13800000000")
    (figure,) = scene.platform.figures(AskDevices()).unknown
    assert (figure.code, figure.kind, figure.attempts, figure.user_agent) == ("13800000000", "jt808", 2, "皖B00001 BOX")
    scene.platform.configure([ApplySignal(2, US, (), (), terminals=(TERMINAL, JtTerminal("dv_2", "13800000000")))])
    assert scene.platform.figures(AskDevices()).unknown == ()
    assert scene.events() == []


async def test_it_is_offline_three_heartbeats_after_its_last_word(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    scene.pass_time(170)
    vehicle.say(Heartbeat())
    scene.pass_time(179)
    assert "device.went_offline" not in scene.kinds()
    scene.pass_time(2)
    (gone,) = scene.events("device.went_offline")
    assert (gone.body["why"], gone.body["silent_seconds"]) == ("keepalive", 181)
    assert vehicle.wire.over


async def test_a_short_loss_of_the_line_is_no_news(scene: Scene) -> None:
    first = Vehicle(scene)
    code = first.come_in()
    first.link.connection_lost(None)
    scene.pass_time(60)
    second = Vehicle(scene, "10.2.2.2")
    second.say(authenticate(code, Version.V2019))
    scene.pass_time(150)
    assert [kind for kind in scene.kinds() if kind.startswith("device.went")] == ["device.went_online"]
    scene.pass_time(60)
    assert scene.kinds()[-1] == "device.went_offline"


async def test_leaving_is_told_at_once(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(Unregister())
    (gone,) = scene.events("device.went_offline")
    assert gone.body["why"] == "unregistered"
    assert vehicle.heard() == [PlatformAnswer(serial=3, answered=0x0003, result=Result.OK)]


async def test_a_second_login_with_the_code_takes_over(scene: Scene) -> None:
    first = Vehicle(scene)
    code = first.come_in()
    second = Vehicle(scene, "10.2.2.2")
    second.say(Identity(phone=PHONE).register())
    scene.platform.store.flush()
    (answer,) = second.heard()
    assert isinstance(answer, RegisterAnswer)
    assert answer.code == ""  # nobody registers in the name of one that is here
    second.say(authenticate(code, Version.V2019))
    scene.platform.store.flush()
    assert first.wire.over
    second.say(second.fix())
    assert len(scene.events("position.received")) == 1


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_terminal_that_was_taken_out_is_cut_off_and_forgotten(scene: Scene, at_once: bool) -> None:
    vehicle = Vehicle(scene)
    code = vehicle.come_in()
    if not at_once:
        scene.platform.configure([ApplySignal(2, US, (), ())])
    scene.platform.configure([ApplySignal(3, US, (), (), terminals=(JtTerminal("dv_2", PHONE),))])
    scene.platform.store.flush()
    assert vehicle.wire.over
    again = Vehicle(scene)
    again.say(authenticate(code, Version.V2019))
    scene.platform.store.flush()
    assert again.heard() == [PlatformAnswer(serial=1, answered=0x0102, result=Result.FAILED)]


async def test_a_disabled_terminal_is_out_and_told_so(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    scene.platform.configure([ApplySignal(2, US, (), (), terminals=(JtTerminal("dv_1", PHONE, False),))])
    assert scene.events("device.went_offline")[0].body["why"] == "offline"
    again = Vehicle(scene)
    again.say(Identity(phone=PHONE).register())
    assert scene.events("device.refused")[0].body["reason"] == "jt_disabled"
    again.say(Identity(phone=PHONE).register())
    assert len(scene.events("device.refused")) == 1  # one a minute is enough


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = FakeClock()
    before = await open_scene(tmp_path, clock)
    vehicle = Vehicle(before)
    code = vehicle.come_in()
    vehicle.say(vehicle.fix(alarm=mask((Alarm.SOS,))))
    before.platform.store.flush()
    before.outbox.forget(1_000)
    await before.killed()
    after = await open_scene(tmp_path, clock)
    (figure,) = after.platform.figures(AskDevices()).devices
    assert figure.state == "online"
    back = Vehicle(after)
    back.say(authenticate(code, Version.V2019))
    back.say(back.fix(alarm=mask((Alarm.SOS,))))
    assert after.kinds() == ["position.received"]  # neither online nor the alarm is news
    after.pass_time(181)
    assert after.kinds()[-1] == "device.went_offline"
    await after.platform.close()
    after.file.close()


async def test_a_terminal_that_was_replaced_while_signalling_was_away_is_bound_to_nothing(tmp_path: Path) -> None:
    """Removed and added again: its code, and the box it was bound to, are forgotten, whenever that is heard of."""
    clock = FakeClock()
    before = await open_scene(tmp_path, clock)
    code = Vehicle(before).come_in(terminal_id="0000007")
    await before.killed()
    after = await open_scene(tmp_path, clock, terminals=(JtTerminal("dv_2", PHONE),))
    (figure,) = after.platform.figures(AskDevices()).devices
    assert figure.state == "never"
    old = Vehicle(after)
    old.say(authenticate(code, Version.V2019))
    assert old.heard() == []
    after.platform.store.flush()
    assert old.heard() == [PlatformAnswer(serial=1, answered=0x0102, result=Result.FAILED)]
    Vehicle(after).come_in(terminal_id="0000008")
    await after.platform.close()
    after.file.close()


async def test_a_damaged_row_costs_its_terminal_a_registration_and_nobody_else(tmp_path: Path) -> None:
    clock = FakeClock()
    before = await open_scene(tmp_path, clock)
    Vehicle(before).come_in()
    before.file.execute("UPDATE terminal SET body = substr(body, 1, 9)")
    await before.killed()
    after = await open_scene(tmp_path, clock)
    Vehicle(after).come_in()
    await after.platform.close()
    after.file.close()


# --- what they report -------------------------------------------------------------------------------------------


async def test_a_position_is_answered_when_it_is_kept(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(vehicle.fix(items=(Item(0x01, b"\0\0\x03\xe8"),)))
    assert vehicle.heard() == []
    (position,) = scene.events("position.received")
    assert vehicle.heard() == [PlatformAnswer(serial=3, answered=0x0200, result=Result.OK)]
    body = position.body
    assert (body["latitude"], body["longitude"], body["speed"], body["direction"]) == (31.23, 121.47, 10.0, 90.0)
    assert (body["mileage"], body["reasons"], position.mode, position.subject) == (100_000, [], Mode.LIVE, "dv_1")


async def test_what_cannot_be_true_moves_nobody_and_is_kept_with_its_reason(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(vehicle.fix(status=0, latitude_micro=0, longitude_micro=0, time="000000000000"))
    (position,) = scene.events("position.received")
    assert (position.body["latitude"], position.body["longitude"]) == (None, None)
    assert position.body["reasons"] == [NO_FIX, NULL_ISLAND, "jt_no_time"]
    assert position.at // 1_000_000 == scene.clock.now_us() // 1_000_000


async def test_numbers_that_no_vehicle_has_are_not_told_as_true(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    own = Item(0x14, b"\x01\x02")  # another maker's, under the number of the video alarms
    vehicle.say(vehicle.fix(speed_tenths=0xFFFF, direction=0xFFFF, height=65_382, items=(own,)))
    (position,) = scene.events("position.received")
    body = position.body
    assert (body["speed"], body["direction"], body["altitude"]) == (None, None, None)
    assert body["reasons"] == ["jt_bad_direction", "jt_bad_speed", "jt_bad_height", "jt_unread_items"]
    assert (body["latitude"], body["longitude"]) == (31.23, 121.47)


async def test_a_clock_that_is_years_behind_is_told_as_such(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(vehicle.fix(time=time_text(scene.clock.now_us() - 1024 * 7 * 86_400 * 1_000_000)))
    month_ago = scene.clock.now_us() // 1_000_000 * 1_000_000 - 30 * 86_400 * 1_000_000
    vehicle.say(batch([vehicle.fix(time=time_text(month_ago))], BatchKind.CATCH_UP, Version.V2019))
    live, caught_up = scene.events("position.received")
    assert (live.body["time_us"], live.body["reasons"]) == (scene.clock.now_us(), ["jt_time_old"])
    assert (caught_up.body["time_us"], caught_up.body["reasons"]) == (month_ago, ["jt_time_long_ago"])
    assert caught_up.at == scene.clock.now_us()  # filed where somebody looks


async def test_an_alarm_is_raised_when_its_bit_rises(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    for alarms in ((), (Alarm.OVER_SPEED,), (Alarm.OVER_SPEED, Alarm.SOS), (Alarm.SOS,), (), (Alarm.SOS,)):
        vehicle.say(vehicle.fix(alarm=mask(alarms)))
    raised = [(one.body["method"], one.body["type"], one.body["priority"]) for one in scene.events("alarm.received")]
    assert raised == [(4, "jt808-1", 3), (4, "jt808-0", 1), (4, "jt808-0", 1)]


async def test_a_catch_up_is_history_and_its_alarms_are_heard(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    now = scene.clock.now_us()
    past = [vehicle.fix(time=time_text(now - back * 1_000_000)) for back in (300, 200, 100)]
    past[1] = dataclasses.replace(past[1], alarm=mask((Alarm.COLLISION,)))
    vehicle.say(batch(past, BatchKind.CATCH_UP, Version.V2019))
    positions = scene.events("position.received")
    assert [one.mode for one in positions] == [Mode.BACKFILL] * 3
    assert [round((now - one.at) / 1e6) for one in positions] == [300, 200, 100]
    (alarm,) = scene.events("alarm.received")
    assert (alarm.body["type"], alarm.mode, round((now - alarm.at) / 1e6)) == ("jt808-29", Mode.LIVE, 200)
    vehicle.say(batch([vehicle.fix()], BatchKind.NORMAL, Version.V2019))
    assert scene.events("position.received")[-1].mode is Mode.LIVE


async def test_an_alarm_of_active_safety_is_raised_once(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    mark = AlarmMark(terminal_id="0000001", time="260101120000", number=1, attachments=2)
    tired = DriverState(
        alarm_id=7, flag=1, kind=1, level=2, fatigue=8, speed=60, height=1, latitude_micro=1, longitude_micro=1,
        time="260101120000", vehicle_status=0, mark=mark,
    )  # fmt: skip
    for one in (tired, tired, dataclasses.replace(tired, flag=2)):
        vehicle.say(vehicle.fix(items=(Item(0x65, one.write(Version.V2013)),)))
    (alarm,) = scene.events("alarm.received")
    assert (alarm.body["method"], alarm.body["type"], alarm.body["priority"]) == (5, "jsatl-65-1", 2)


async def test_who_floods_is_not_answered_and_may_say_it_again(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    for _ in range(500):
        vehicle.say(vehicle.fix())
    kept = len(scene.events("position.received"))
    assert 300 < kept < 500
    assert len(vehicle.heard()) == kept
    scene.pass_time(60)
    vehicle.serial -= 1
    vehicle.say(vehicle.fix())  # the last one again
    scene.platform.store.flush()
    assert len(vehicle.heard()) == 1


async def test_connections_of_one_address_are_counted(tmp_path: Path) -> None:
    limited = await open_scene(tmp_path, FakeClock(), Limits(per_address=2, altogether=4, per_second=100))
    here = [Vehicle(limited, "10.1.1.1") for _ in range(3)]
    assert [one.wire.over for one in here] == [False, False, True]
    there = [Vehicle(limited, f"10.2.2.{number}") for number in range(3)]
    assert [one.wire.over for one in there] == [False, False, True]
    here[0].link.connection_lost(None)
    assert not Vehicle(limited, "10.1.1.1").wire.over
    await limited.platform.close()
    limited.file.close()


async def test_new_connections_of_one_address_come_slowly(tmp_path: Path) -> None:
    limited = await open_scene(tmp_path, FakeClock(), Limits(per_second=1.0))
    opened = [Vehicle(limited) for _ in range(12)]
    assert sum(one.wire.over for one in opened) == 2
    limited.clock.advance(2.0)
    assert not Vehicle(limited).wire.over
    await limited.platform.close()
    limited.file.close()


async def test_who_sends_faster_than_anybody_needs_to_is_read_slower_and_loses_nothing(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    beats = 0
    while not vehicle.wire.paused:
        vehicle.say(Heartbeat())
        beats += 1
    assert 1000 < beats < 4000
    scene.pass_time(5)
    assert not vehicle.wire.paused
    vehicle.say(Heartbeat())
    assert not vehicle.wire.paused
    scene.platform.store.flush()
    assert len(vehicle.heard()) == beats + 1
    vehicle.link.data_received(b"\x7e" * 100_000)
    scene.pass_time(30)  # never so long that it would be taken for silent
    assert not vehicle.wire.paused


async def test_who_does_not_read_the_last_word_is_cut_off(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    vehicle.say(Unregister())
    scene.platform.store.flush()
    assert (vehicle.wire.over, vehicle.wire.cut) == (True, False)
    scene.pass_time(9)
    assert not vehicle.wire.cut
    vehicle.say(Heartbeat())  # and goes on talking
    scene.pass_time(2)
    assert vehicle.wire.cut


@pytest.mark.parametrize(
    ("bit", "level"), [(Alarm.SOS, 1), (Alarm.FATIGUE, 2), (Alarm.OVER_SPEED, 3), (Alarm.POWER_LOW, 4)]
)
def test_how_urgent_an_alarm_is(bit: Alarm, level: int) -> None:
    assert priority(bit) == level
