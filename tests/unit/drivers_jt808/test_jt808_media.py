"""What a terminal took: it hears that it came once it is kept, never before; what is lost on the way comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.drivers_jt808.scene import Scene, Vehicle, open_scene

from safecity.drivers.jt808 import media
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import ExhaustedError, NotFoundError, RefusedError, SafecityError, UnavailableError
from safecity.model.facts.vehicle_calls import KeepMedia, PhotographFrom, TerminalDid
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.records import MediaAnswer, MediaData, PictureAnswer, TakePicture
from safecity.protocols.jt808.registration import PlatformAnswer, Result, TerminalAnswer, authenticate


class Keeper:
    """Control: it keeps each thing once, fails as often as it was told to, and waits while its `door` is shut."""

    def __init__(self) -> None:
        self.kept: list[KeepMedia] = []
        self.asked = 0
        self.fails: list[SafecityError] = []
        self.door = asyncio.Event()
        self.door.set()

    async def keep(self, fact: KeepMedia) -> None:
        self.asked += 1
        await self.door.wait()
        if self.fails:
            raise self.fails.pop(0)
        if (fact.device, fact.number, fact.data) not in [(one.device, one.number, one.data) for one in self.kept]:
            self.kept.append(fact)


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    monkeypatch.setattr(media, "AGAIN_SECONDS", (0.0, 0.0, 0.0))
    return Keeper()


@pytest.fixture
async def scene(tmp_path: Path, keeper: Keeper) -> AsyncIterator[Scene]:
    made = await open_scene(tmp_path, FakeClock(), keep_media=keeper.keep)
    yield made
    await made.platform.close()
    made.file.close()


def picture(vehicle: Vehicle, number: int = 9, **more: Any) -> MediaData:
    values: dict[str, Any] = {
        "media_id": number, "kind": 0, "format": 0, "event": 3, "channel": 2, "location": vehicle.fix(),
        "data": b"\xff\xd8" + bytes(2500),
    }  # fmt: skip
    return MediaData(**{**values, **more})


async def settled(scene: Scene) -> None:
    """Until nothing is under way any more."""
    while scene.platform.media._tasks:
        await asyncio.gather(*scene.platform.media._tasks)
    scene.platform.store.flush()


def whole(vehicle: Vehicle) -> list[int]:
    """Numbers that the terminal was told to be whole."""
    return [one.media_id for one in vehicle.heard() if isinstance(one, MediaAnswer) and not one.missing]


async def test_it_is_whole_once_it_is_kept_and_says_what_when_where_and_why(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    keeper.door.clear()
    at = scene.clock.now_us() // SECOND_US * SECOND_US - 60 * SECOND_US
    vehicle.say(picture(vehicle, location=vehicle.fix(time=time_text(at))))
    await asyncio.sleep(0)
    scene.platform.store.flush()
    parts = vehicle.heard()
    assert [type(one) for one in parts] == [PlatformAnswer, PlatformAnswer], "each part but the last"
    keeper.door.set()
    await settled(scene)
    assert whole(vehicle) == [9]
    (one,) = keeper.kept
    assert (one.device, one.number, one.channel) == ("dv_1", 9, 2)
    assert (one.kind, one.format, one.cause) == ("picture", "jpeg", "collision")
    assert (one.at, one.seen) == (at, scene.clock.now_us())
    assert (one.longitude, one.latitude, len(one.data)) == (121.47, 31.23, 2502)


async def test_a_repeat_while_it_is_on_its_way_is_not_answered_from_memory(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    keeper.door.clear()
    vehicle.say(picture(vehicle))
    vehicle.repeat()
    await asyncio.sleep(0)
    assert whole(vehicle) == []
    keeper.fails = [NotFoundError("no such device", code="not_found")]
    keeper.door.set()
    await settled(scene)
    assert whole(vehicle) == []
    assert keeper.asked == 1
    vehicle.repeat()
    await settled(scene)
    assert whole(vehicle) == [9]


async def test_where_our_answer_was_lost_it_comes_again_and_is_kept_once(scene: Scene, keeper: Keeper) -> None:
    first = Vehicle(scene)
    code = first.come_in()
    body = picture(first)
    first.say(body)
    first.link.connection_lost(None)
    await settled(scene)
    second = Vehicle(scene, "10.2.2.2")
    second.say(authenticate(code, Version.V2019))
    scene.platform.store.flush()
    second.heard()
    second.say(body)
    await settled(scene)
    assert whole(second) == [9]
    assert len(keeper.kept) == 1


async def test_over_a_new_connection_too_it_is_answered_though_the_old_one_brought_it(
    scene: Scene, keeper: Keeper
) -> None:
    first = Vehicle(scene)
    code = first.come_in()
    body = picture(first)
    keeper.door.clear()
    first.say(body)
    first.link.connection_lost(None)
    second = Vehicle(scene, "10.2.2.2")
    second.say(authenticate(code, Version.V2019))
    second.say(body)
    keeper.door.set()
    await settled(scene)
    assert whole(second) == [9]
    assert keeper.asked == 1


async def test_control_that_just_starts_anew_is_asked_again(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    away = [UnavailableError("gone", code="duty_unreachable") for _ in media.AGAIN_SECONDS]
    keeper.fails = list(away)
    vehicle.say(picture(vehicle))
    await settled(scene)
    assert whole(vehicle) == [9]
    keeper.fails = [*away, *away]  # away for long: the terminal keeps it
    vehicle.say(picture(vehicle, 10))
    await settled(scene)
    assert whole(vehicle) == []
    assert scene.platform.tally.counts[media.NOT_KEPT] == 1
    keeper.fails = []
    vehicle.repeat()
    await settled(scene)
    assert whole(vehicle) == [10]


async def test_a_flood_of_one_is_left_with_it_and_others_are_not_kept_waiting(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    for number in range(round(media.ITEMS_AT_ONCE) + 5):
        vehicle.say(picture(vehicle, number, data=b"x"))
        await settled(scene)
    assert len(keeper.kept) == media.ITEMS_AT_ONCE
    assert scene.platform.tally.counts[media.FLOOD] == 5
    assert len(whole(vehicle)) == media.ITEMS_AT_ONCE
    scene.pass_time(60)
    for number in range(100, 130):
        vehicle.say(picture(vehicle, number, data=b"x"))
        await settled(scene)
    assert len(whole(vehicle)) == media.ITEMS_PER_MINUTE
    keeper.fails = [ExhaustedError("full", code="vehicle_media_full")]
    scene.pass_time(60)
    vehicle.say(picture(vehicle, 200, data=b"x"))
    await settled(scene)
    assert whole(vehicle) == []


async def test_what_waits_for_a_slow_disk_is_bounded(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    keeper.door.clear()
    for number in range(media.MAX_OF_ONE + 3):
        vehicle.say(picture(vehicle, number, data=b"x"))
    await asyncio.sleep(0)
    assert keeper.asked == media.MAX_OF_ONE
    assert scene.platform.tally.counts[media.NO_ROOM] == 3
    keeper.door.set()
    await settled(scene)
    assert len(whole(vehicle)) == media.MAX_OF_ONE


@pytest.mark.parametrize(
    ("location", "place", "is_own_time"),
    [({"status": 0}, None, True), ({"time": "0" * 12}, (121.47, 31.23), False)],
)
async def test_a_place_or_a_time_that_cannot_be_true_is_not_said(
    scene: Scene, keeper: Keeper, location: dict[str, Any], place: tuple[float, float] | None, is_own_time: bool
) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    old = {"time": time_text(scene.clock.now_us() - 3600 * SECOND_US)}
    vehicle.say(picture(vehicle, location=vehicle.fix(**(old | location)), kind=7, format=9, event=200))
    await settled(scene)
    (one,) = keeper.kept
    assert (one.longitude, one.latitude) == (place or (None, None))
    assert (one.at != one.seen) == is_own_time
    assert (one.kind, one.format, one.cause) == ("7", "9", "200")


async def test_in_the_oldest_edition_it_says_no_place(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene, version=Version.V2011)
    vehicle.come_in()
    vehicle.say(picture(vehicle, location=None, data=b"\xff\xd8old"))
    await settled(scene)
    (one,) = keeper.kept
    assert (one.data, one.longitude, one.at) == (b"\xff\xd8old", None, one.seen)


async def test_an_end_while_it_is_on_its_way_answers_nothing(scene: Scene, keeper: Keeper) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    keeper.door.clear()
    vehicle.say(picture(vehicle))
    await asyncio.sleep(0)
    await scene.platform.close()
    assert whole(vehicle) == []
    assert not scene.platform.media._tasks


# --- when asked -------------------------------------------------------------------------------------------------


async def asked(scene: Scene, vehicle: Vehicle) -> tuple[asyncio.Future[TerminalDid], int]:
    waiting = asyncio.ensure_future(scene.platform.give(PhotographFrom("dv_1", 2)))
    await asyncio.sleep(0)
    assert vehicle.heard() == [TakePicture(channel=2, command=1, save=0)]
    (serial,) = vehicle.link.session._waiting
    return waiting, serial


async def test_a_picture_that_was_asked_for_is_told_by_its_number(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, serial = await asked(scene, vehicle)
    vehicle.say(TerminalAnswer(serial=serial, answered=TakePicture.ID, result=Result.OK))
    vehicle.say(PictureAnswer(serial=serial, result=0, media_ids=(7,)))
    assert (await waiting).media == (7,)


async def test_a_plain_yes_is_enough_where_nothing_more_comes(scene: Scene) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, serial = await asked(scene, vehicle)
    vehicle.say(TerminalAnswer(serial=serial, answered=TakePicture.ID, result=Result.OK))
    scene.pass_time(16)
    assert (await waiting).media == ()
    assert not vehicle.link.session._agreed


@pytest.mark.parametrize(("result", "code"), [(1, "terminal_failed"), (2, "terminal_no_camera")])
async def test_a_camera_that_takes_none_is_told(scene: Scene, result: int, code: str) -> None:
    vehicle = Vehicle(scene)
    vehicle.come_in()
    waiting, serial = await asked(scene, vehicle)
    vehicle.say(PictureAnswer(serial=serial, result=result))
    with pytest.raises(RefusedError) as refused:
        await waiting
    assert refused.value.code == code


def test_what_is_known_by_number_is_known_by_words() -> None:
    body = MediaData(media_id=1, kind=2, format=4, event=7, channel=1, location=None, data=b"")
    fact = media.fact_of("dv_1", body, 5)
    assert (fact.kind, fact.format, fact.cause, fact.at) == ("video", "wmv", "distance", 5)
