"""What a broker hands on is acknowledged once it is kept, comes again otherwise, and never fills the memory."""

from __future__ import annotations

import asyncio
import logging
from unittest.mock import Mock

import pytest

from safecity.drivers.mqtt.driver import AT_ONCE, MAX_WAITING, MAX_WAITING_BYTES
from safecity.drivers.mqtt.link import MAX_MESSAGE
from safecity.kit.errors import UnavailableError
from safecity.protocols.mqtt.packets import Publish, TooLong

from .scene import KNOWN, Scene


async def test_it_comes_as_who_it_is_and_wants_what_was_kept(scene: Scene) -> None:
    visit = await scene.visit()
    assert scene.feed.figure().state == "offline"
    said = await visit.welcome()
    # Level 4, a name and a password, no clean session.
    assert said[:8] == b"\0\4MQTT\4\xc0"
    assert said[10:] == b"\0\2sc\0\x08platform\0\x0cits-password"
    visit.say(1)
    await visit.until(1)
    figure = scene.feed.figure()
    assert (figure.state, figure.code, figure.messages, figure.taken) == ("online", "", 1, 1)


async def test_a_message_is_acknowledged_only_once_it_is_kept(scene: Scene) -> None:
    visit = await scene.let_in()
    scene.box.fails = UnavailableError("the disk is full", code="disk_full")
    visit.say(1)
    visit.say(2)
    while scene.box.asked < 5:
        scene.box.news.clear()
        await scene.box.news.wait()
    assert (scene.box.letters, visit.acknowledged) == ([], [])
    scene.box.fails = None
    await visit.until(1, 2)
    assert [one.payload for one in scene.box.letters] == [b"1", b"2"]


async def test_what_was_not_kept_when_the_line_broke_is_left_to_come_again(scene: Scene) -> None:
    visit = await scene.let_in()
    scene.box.fails = UnavailableError("the disk is full", code="disk_full")
    visit.say(1)
    visit.say(0, b"at most once")
    await scene.box.news.wait()
    visit.hang_up()
    visit = await scene.let_in(KNOWN)
    scene.box.fails = None
    visit.say(1, again=True)
    await visit.until(1)
    assert sorted(one.payload for one in scene.box.letters) == [b"1", b"at most once"]


async def test_it_comes_back_however_often_it_is_thrown_out(scene: Scene) -> None:
    for number in range(1, 6):
        visit = await scene.let_in()
        visit.say(number)
        await visit.until(number)
        visit.hang_up()
    assert [one.payload for one in scene.box.letters] == [b"1", b"2", b"3", b"4", b"5"]


async def test_a_broker_that_says_no_is_asked_again_and_said_so_once_without_who_we_are(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            visit = await scene.visit()
            await visit.packet()
            visit.writer.write(bytes.fromhex("20020005"))
            assert await visit.reader.read() == b""
        visit = await scene.visit()
        figure = scene.feed.figure()
    assert (figure.state, figure.code, figure.params["number"]) == ("offline", "mqtt_login", 5)
    assert [one.levelname for one in caplog.records if "broker away" in one.message] == ["WARNING"]
    for text in (caplog.text, repr(figure), repr(scene.feed._broker)):
        assert "its-password" not in text
        assert "platform" not in text


async def test_what_must_not_be_handed_on_is_counted_with_its_reason_and_does_not_come_again(scene: Scene) -> None:
    visit = await scene.let_in()
    visit.say(1, b"left there last week", retained=True)
    visit.say(2, bytes(MAX_MESSAGE + 1))
    visit.say(3)
    await visit.until(1, 2, 3)
    assert [one.payload for one in scene.box.letters] == [b"3"]
    assert scene.feed.figure().refused == {"mqtt_retained": 1, "mqtt_too_long": 1}


async def test_a_flood_under_one_topic_is_dropped_and_others_are_heard(scene: Scene) -> None:
    visit = await scene.let_in()
    flood = int(AT_ONCE) + 500
    for number in range(1, flood + 1):
        visit.say(number, b"x", topic="p/flood")
    visit.say(flood + 1, b"calm", topic="p/calm")
    await visit.until(*range(1, flood + 2))
    figure = scene.feed.figure()
    assert figure.refused == {"mqtt_flood": 500}
    assert scene.box.letters[-1].name == "calm"
    assert visit.acknowledged == sorted(visit.acknowledged)


async def test_while_nothing_can_be_kept_no_more_is_let_in_than_there_is_room_for(scene: Scene) -> None:
    visit = await scene.let_in()
    scene.box.fails = UnavailableError("the disk is full", code="disk_full")
    payload = bytes(2_000)
    last = 30_000

    async def pour() -> None:
        for number in range(1, last + 1):
            visit.say(number, payload, topic=f"p/{number % 500}")
            await visit.writer.drain()

    pouring = asyncio.create_task(pour())
    while scene.feed.figure().waiting < MAX_WAITING:
        scene.box.news.clear()
        await scene.box.news.wait()
    while scene.box.asked < 20:
        scene.box.news.clear()
        await scene.box.news.wait()
    assert not pouring.done()
    # What one read of the socket brings beyond it: 256 KiB.
    assert scene.feed.figure().waiting < MAX_WAITING + 256 * 1024 / len(payload) + 1
    scene.box.fails = None
    await visit.until(last)
    await pouring
    assert len(scene.box.letters) == last


@pytest.mark.parametrize(
    "message",
    [Publish("p/a", bytes(200_000), retained=True), Publish("p/" + 50_000 * "a", b"x"), TooLong(50_000 * "a", 0, 0, 9)],
    ids=["not to be handed on", "under a long name", "passed over, under a long name"],
)
async def test_what_waits_is_bounded_by_what_it_holds_whether_it_is_handed_on_or_not(
    scene: Scene, message: Publish | TooLong
) -> None:
    link = Mock(deaf=False)
    link.hold.side_effect = lambda deaf: setattr(link, "deaf", deaf)
    held = 0
    while not link.deaf:
        scene.feed.heard(link, message)
        held += len(message.topic) + len(getattr(message, "payload", b""))
    assert held < MAX_WAITING_BYTES + 300_000


async def test_a_letter_that_breaks_us_is_left_out_alone(scene: Scene) -> None:
    visit = await scene.let_in()
    scene.box.poison = b"poison"
    for number in range(1, 100):
        visit.say(number, b"poison" if number == 50 else b"good")
    await visit.until(*range(1, 100))
    assert len(scene.box.letters) == 98
    assert scene.feed.figure().refused == {"mqtt_failed": 1}


async def test_what_is_no_mqtt_ends_the_connection_and_not_the_feed(scene: Scene) -> None:
    visit = await scene.let_in()
    visit.writer.write(bytes.fromhex("32 08 00 03 70 2f 2b 00 01 78"))  # a topic with a wildcard
    assert await visit.reader.read() == b""
    visit = await scene.let_in()
    visit.say(1)
    await visit.until(1)
    assert scene.feed.figure().state == "online"
