"""The picture of an alarm is kept when it comes, is seen when the footage is long gone, and goes in its turn."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.core.ground.alarms import pictures
from safecity.kit.errors import NotFoundError
from safecity.model.facts.media_calls import AskPicture, Picture

CODE = "34020000001320000001"


@pytest.fixture
async def channel(house: Any, admin: Any) -> str:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "gate", "ptz_type": 1})
    return (await admin.ok("GET", "channels"))["items"][0]["id"]


class Decoder:
    """Says what it was given."""

    async def as_jpeg(self, fmp4: bytes, width: int) -> bytes:
        return b"\xff\xd8" + fmp4


async def alarm(house: Any, channel: str) -> None:
    await house.publish("alarm.received", channel, {"channel": channel, "priority": "2", "method": "5"})
    house.clock.advance(3)


async def kept(house: Any) -> list[str]:
    return [key async for key in house.services.blobs.keys("alarm-pictures/")]


async def test_it_is_kept_once_and_outlives_the_footage(house: Any, admin: Any, channel: str) -> None:
    house.services.pictures = Decoder()
    house.calls.answers[AskPicture] = lambda ask: Picture(ask.at, "h264", b"key frame")
    await alarm(house, channel)
    assert await house.services.alarm_pictures.step() == 1
    assert await house.services.alarm_pictures.step() == 0, "once is enough"
    (asked,) = house.calls.of(AskPicture)
    assert (asked.channel, asked.at) == (channel, house.clock.now_us() - 3_000_000)
    house.calls.answers[AskPicture] = NotFoundError("recycled", code="no_picture")
    (one,) = (await admin.ok("GET", "alarms"))["items"]
    answer = await admin.ask("GET", f"alarms/{one['id']}/picture")
    assert (answer.status_code, answer.content) == (200, b"\xff\xd8key frame")
    await admin.ok("POST", f"alarms/{one['id']}/acknowledge", {"note": "seen"})
    assert (await admin.ask("GET", f"alarms/{one['id']}/picture")).status_code == 200


async def test_one_that_was_not_kept_is_looked_for_in_the_footage(house: Any, admin: Any, channel: str) -> None:
    house.services.pictures = Decoder()
    house.calls.answers[AskPicture] = lambda ask: Picture(ask.at, "h264", b"footage")
    await alarm(house, channel)
    (one,) = (await admin.ok("GET", "alarms"))["items"]
    assert (await admin.ask("GET", f"alarms/{one['id']}/picture")).content == b"\xff\xd8footage"


async def test_a_slot_that_is_away_is_asked_again_but_not_for_ever(house: Any, channel: str) -> None:
    house.calls.answers[AskPicture] = NotFoundError("not yet", code="no_picture")
    await alarm(house, channel)
    for _ in range(pictures.TRIES + 3):
        assert await house.services.alarm_pictures.step() == 0
    assert len(house.calls.of(AskPicture)) == pictures.TRIES
    house.calls.answers[AskPicture] = lambda ask: Picture(ask.at, "h264", b"late")
    await alarm(house, channel)
    assert await house.services.alarm_pictures.step() == 1, "a new alarm is a new try"


async def test_a_camera_that_alarms_all_day_fills_no_disk(
    house: Any, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_PER_CHANNEL_DAY", 3)
    house.calls.answers[AskPicture] = lambda ask: Picture(ask.at, "h264", b"x")
    for _ in range(5):
        await alarm(house, channel)
        await house.services.alarm_pictures.step()
    assert len(await kept(house)) == 3
    house.clock.advance(86_400)
    await alarm(house, channel)
    await house.services.alarm_pictures.step()
    assert len(await kept(house)) == 4, "a new day"


async def test_pictures_past_their_days_go_and_the_others_stay(house: Any, channel: str) -> None:
    house.calls.answers[AskPicture] = lambda ask: Picture(ask.at, "h264", b"x")
    await alarm(house, channel)
    await house.services.alarm_pictures.step()
    house.clock.advance(86_400 * 89)
    await alarm(house, channel)
    await house.services.alarm_pictures.step()
    assert await house.services.alarm_pictures.sweep() == 0
    house.clock.advance(86_400 * 2)
    assert await house.services.alarm_pictures.sweep() == 1
    assert len(await kept(house)) == 1
