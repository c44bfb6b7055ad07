"""Ships as devices: who is here, where it is, who is not in the list, and what lies and floods may cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.drivers_ais.scene import MMSI, SHIP, US, Scene, open_scene

from safecity.drivers import rows
from safecity.drivers.ais.driver import SILENT_SECONDS
from safecity.drivers.ais.roll import PLACE_SECONDS
from safecity.drivers.presence import MAX_STRANGERS
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.model.facts.signal_calls import AisShip, ApplySignal, AskDevices
from safecity.protocols.ais.messages import (
    AidToNavigation,
    ClassAPosition,
    ClassBName,
    LongRange,
    StaticAndVoyage,
)
from safecity.protocols.ais.sentences import Malformed

# --- coming and going, and what it is ----------------------------------------------------------------------------


async def test_a_ship_in_the_list_is_online_once_it_is_heard_and_tells_where_it_is(scene: Scene) -> None:
    scene.say(scene.fix(speed=10.0, course=90.0, status=0))
    online, position = scene.events()
    assert (online.kind, online.subject, online.body["version"]) == ("device.went_online", "dv_1", "AIS class A")
    assert online.body["address"] == "10.1.1.1:40000"
    body = position.body
    assert (position.kind, body["code"], body["travels"], body["reasons"]) == (
        "position.received", str(MMSI), "water", [],
    )  # fmt: skip
    assert (body["longitude"], body["latitude"], body["direction"]) == (118.3, 31.3, 90.0)
    assert body["speed"] == pytest.approx(5.144, abs=0.001)
    assert position.at == scene.clock.now_us() // SECOND_US * SECOND_US


async def test_what_it_says_of_itself_is_told_when_it_changes(scene: Scene) -> None:
    voyage = StaticAndVoyage(mmsi=MMSI, name="HAI XUN 06", call_sign="BXYZ", imo=9134270)
    scene.say(voyage)
    scene.say(voyage)
    (told,) = scene.events("device.described")
    assert (told.body["name"], told.body["model"]) == ("HAI XUN 06", "IMO 9134270 BXYZ")
    scene.say(ClassBName(mmsi=MMSI, name="HAI XUN 07"))
    assert scene.events("device.described")[-1].body["name"] == "HAI XUN 07"


async def test_a_ship_that_is_not_heard_any_more_goes_offline(scene: Scene) -> None:
    scene.say(scene.fix())
    scene.pass_time(SILENT_SECONDS - 1)
    assert scene.events("device.went_offline") == []
    scene.pass_time(1)
    (offline,) = scene.events("device.went_offline")
    assert (offline.body["why"], offline.body["silent_seconds"]) == ("keepalive", 900)


async def test_who_was_online_before_a_crash_has_its_full_patience(tmp_path: Path) -> None:
    clock = FakeClock()
    before = await open_scene(tmp_path, clock)
    before.say(before.fix(), StaticAndVoyage(mmsi=MMSI, name="HAI XUN 06"))
    before.ships.store.flush()
    await before.ships.close()
    before.file.close()
    after = await open_scene(tmp_path, clock)
    after.say(StaticAndVoyage(mmsi=MMSI, name="HAI XUN 06"))
    assert len(after.events("device.went_online")) == len(after.events("device.described")) == 1
    after.pass_time(SILENT_SECONDS)
    assert len(after.events("device.went_offline")) == 1
    await after.ships.close()
    after.file.close()


async def test_a_ship_that_is_switched_off_or_taken_out_is_not_listened_to(scene: Scene) -> None:
    scene.say(scene.fix())
    scene.ships.configure([ApplySignal(2, US, (), (), ships=(AisShip("dv_1", str(MMSI), enabled=False),))])
    scene.say(scene.fix(118.301))
    assert [one.kind for one in scene.events()] == ["device.went_online", "position.received", "device.went_offline"]
    scene.ships.configure([ApplySignal(3, US, (), ())])
    scene.say(scene.fix(118.302))
    figures = scene.ships.figures(AskDevices())
    assert (figures.devices, [one.code for one in figures.unknown]) == ((), [str(MMSI)])
    assert len(scene.events("position.received")) == 1


async def test_a_buoy_is_a_device_like_any_other(tmp_path: Path) -> None:
    made = await open_scene(tmp_path, FakeClock(), (AisShip("dv_2", "994121234"),))
    made.say(AidToNavigation(mmsi=994121234, name="LIGHT BUOY NUMBER 12", more="A", longitude=121.9, latitude=31.1))
    assert made.events("device.described")[0].body["name"] == "LIGHT BUOY NUMBER 12A"
    (position,) = made.events("position.received")
    assert (position.body["longitude"], position.body["speed"]) == (121.9, None)
    await made.ships.close()
    made.file.close()


# --- strangers ----------------------------------------------------------------------------------------------------


async def test_a_stranger_is_listed_by_its_name_until_it_is_added(scene: Scene) -> None:
    scene.say(ClassAPosition(mmsi=413000001, longitude=118.0, latitude=31.0), ClassBName(mmsi=413000001, name="FISHER"))
    (stranger,) = scene.ships.figures(AskDevices()).unknown
    assert (stranger.code, stranger.kind, stranger.user_agent, stranger.attempts) == ("413000001", "ais", "FISHER", 2)
    assert scene.events() == []
    scene.ships.configure([ApplySignal(2, US, (), (), ships=(SHIP, AisShip("dv_3", "413000001")))])
    assert scene.ships.figures(AskDevices()).unknown == ()
    scene.say(ClassAPosition(mmsi=413000001, longitude=118.0, latitude=31.0))
    assert scene.events("position.received")[0].subject == "dv_3"


async def test_who_makes_up_numbers_fills_no_memory_and_drives_nobody_out(scene: Scene) -> None:
    scene.say(ClassBName(mmsi=413000001, name="FISHER"), peer="10.2.2.2:1")
    for number in range(5_000):
        if number % 10 == 0:
            scene.say(ClassBName(mmsi=413000001, name="FISHER"), peer="10.2.2.2:1")
        scene.say(ClassBName(mmsi=500_000_000 + number), peer=f"10.6.6.6:{number}")
    unknown = scene.ships.figures(AskDevices()).unknown
    assert len(unknown) == MAX_STRANGERS
    assert "413000001" in [one.code for one in unknown]
    assert scene.ships.tally.counts["ais_many_strangers"] == 5_000 - 100


# --- what is not believed -------------------------------------------------------------------------------------------


async def test_one_number_used_from_two_places_moves_the_ship_to_neither(scene: Scene) -> None:
    scene.say(scene.fix(118.3, 31.3))
    for step in range(1, 4):
        scene.pass_time(10)
        scene.say(scene.fix(121.9, 31.1), scene.fix(118.3 + step * 0.0005, 31.3))
    told = scene.events("position.received")
    believed = [one.body["longitude"] for one in told if one.body["longitude"] is not None]
    assert believed == [118.3, 118.3005, 118.301, 118.3015]
    assert {one.body["reasons"][0] for one in told if one.body["longitude"] is None} == {"ais_two_places"}
    (figure,) = scene.ships.figures(AskDevices()).devices
    assert figure.code_of_refusal == "ais_two_places"
    scene.pass_time(3600)
    assert scene.ships.figures(AskDevices()).devices[0].code_of_refusal == ""


async def test_a_place_nothing_is_heard_from_gives_way_to_the_other(scene: Scene) -> None:
    scene.say(scene.fix(118.3, 31.3))
    scene.pass_time(PLACE_SECONDS - 1)
    scene.say(scene.fix(121.9, 31.1))
    scene.pass_time(2)
    scene.say(scene.fix(121.9, 31.1001))
    assert [one.body["longitude"] for one in scene.events("position.received")] == [118.3, None, 121.9]


async def test_two_receivers_that_hear_the_same_tell_it_once(scene: Scene) -> None:
    scene.clock.advance(20)
    first, second = scene.fix(118.3), scene.fix(118.3001)
    scene.say(first, peer="10.1.1.1:1")
    scene.say(first, peer="10.1.1.2:1")
    scene.clock.advance(5)
    later = scene.fix(118.3005)
    scene.say(later)
    scene.say(second)  # a slow line: behind what is known
    assert [one.body["longitude"] for one in scene.events("position.received")] == [118.3, 118.3005]


async def test_a_clock_that_is_set_back_freezes_no_ship(scene: Scene) -> None:
    scene.say(scene.fix(118.3))
    scene.clock.step_wall(-3600)
    scene.clock.advance(10)
    scene.say(scene.fix(118.3005))
    assert [one.body["longitude"] for one in scene.events("position.received")] == [118.3, 118.3005]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (ClassAPosition(mmsi=MMSI), "ais_no_place"),
        (ClassAPosition(mmsi=MMSI, longitude=0.0, latitude=0.0), "ais_null_island"),
        (ClassAPosition(mmsi=MMSI, longitude=118.0, latitude=31.0, second=63), "ais_out_of_order"),
    ],
)
async def test_a_place_that_cannot_be_moves_nobody_and_says_why(
    scene: Scene, wrong: ClassAPosition, reason: str
) -> None:  # fmt: skip
    for _ in range(50):
        scene.say(wrong)
    told = scene.events("position.received")
    assert {(one.body["longitude"], *one.body["reasons"]) for one in told} == {(None, reason)}
    assert len(told) == 5  # as often as it comes it would fill the history


async def test_a_place_told_by_satellite_is_believed_and_marked_when_it_is_late(scene: Scene) -> None:
    scene.say(LongRange(mmsi=MMSI, longitude=118.3, latitude=31.3, late=True))
    (told,) = scene.events("position.received")
    assert (told.body["longitude"], told.body["reasons"]) == (118.3, ["ais_late"])


# --- floods and full disks ----------------------------------------------------------------------------------------


async def test_a_ship_that_floods_is_taken_once_a_second_and_others_as_ever(tmp_path: Path) -> None:
    made = await open_scene(tmp_path, FakeClock(), (SHIP, AisShip("dv_2", "413000002")))
    for step in range(500):
        made.say(made.fix(118.3 + step * 1e-5))
    made.say(made.fix(118.4, mmsi=413000002))
    by_ship = [one.subject for one in made.events("position.received")]
    assert (by_ship.count("dv_1"), by_ship.count("dv_2")) == (20, 1)
    assert made.ships.tally.counts["ais_flood"] == 480
    await made.ships.close()
    made.file.close()


async def test_a_name_that_changes_with_every_message_is_not_believed_as_often(scene: Scene) -> None:
    for number in range(100):
        scene.say(ClassBName(mmsi=MMSI, name=f"SHIP {number}"))
    assert len(scene.events("device.described")) == 5


async def test_while_nothing_can_be_kept_positions_are_dropped_and_counted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.say(scene.fix(118.3))
    monkeypatch.setattr(rows, "MAX_GATHERED", 1)
    scene.say(scene.fix(118.4))
    assert scene.ships.tally.counts["ais_no_room"] == 1
    monkeypatch.undo()
    scene.ships.store.flush()
    scene.clock.advance(60)
    scene.say(scene.fix(118.301))
    assert [one.body["longitude"] for one in scene.events("position.received")] == [118.3, 118.301]


async def test_what_was_no_sentence_is_counted_by_its_reason(scene: Scene) -> None:
    scene.hand_on([Malformed(b"", "nmea_noise"), Malformed(b"", "ais_unread_message")])
    assert dict(scene.ships.tally.counts) == {"nmea_noise": 1}
