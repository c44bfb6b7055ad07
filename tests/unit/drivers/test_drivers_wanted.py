"""What is the same for every kind of device: when a live stream is opened, tried again and ended. The clock is turned
by hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest

from safecity.drivers.wanted import LINGER_SECONDS, OFFLINE_SECONDS, Session, WantedStreams
from safecity.kit.clock import FakeClock
from safecity.kit.errors import NotFoundError, UnavailableError
from safecity.model.facts.media_calls import CloseStream, Done, Message, StreamState
from safecity.model.facts.signal_calls import JtChannel
from safecity.model.values.media import Quality, StreamKey

KEY = StreamKey("ch_1", Quality.MAIN)


class City:
    """One channel on one slot, which is told things."""

    def __init__(self) -> None:
        self.channels = {"ch_1": JtChannel("ch_1", "dv_1", 1, "media-0")}
        self.told: list[CloseStream] = []

    def find_channel(self, channel: str) -> JtChannel | None:
        return self.channels.get(channel)

    def channel(self, channel: str) -> JtChannel:
        if channel not in self.channels:
            raise NotFoundError("no such channel", code="gb_unknown_channel")
        return self.channels[channel]

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        assert address == "media-0"
        assert isinstance(message, CloseStream)
        self.told.append(message)
        return Done()


class Desk(WantedStreams):
    """Its device does what it is told, unless it `fails` with a step. While it is `slow` it answers once it `may`."""

    progress_seconds = 20.0
    never_came = "never_came"
    stopped = "packets_stopped"
    patient_after = frozenset(("away",))
    opening_per_device = 4

    def __init__(self, city: City, clock: FakeClock) -> None:
        super().__init__(city, city, clock, self._task)  # type: ignore[arg-type]
        self.clock = clock
        self.fails = ""
        self.opened = self.ended = 0
        self.slow = False
        self.may = asyncio.Semaphore(0)
        self.asking: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.failures: list[str] = []

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    async def _open(self, session: Session) -> None:
        self.opened += 1
        session.slot = "media-0"
        if self.slow:
            await self._wait(session.key.channel.partition("/")[0])
        if self.fails:
            await self._failed(session, self.fails, {}, tell_slot=False)
        else:
            session.asked, session.since = True, self.clock.monotonic()

    async def _wait(self, device: str) -> None:
        self.asking[device] += 1
        self.most[device] = max(self.most[device], self.asking[device])
        await self.may.acquire()
        self.asking[device] -= 1

    async def _stop(self, session: Session, why: str = "") -> None:
        self.ended += 1
        session.asked = False

    def _slot_is_back(self, session: Session) -> None:
        session.asked = False

    def _tell_failure(self, session: Session, body: dict[str, Any]) -> None:
        self.failures.append(body["step"])

    def says(self, state: str, *, wanted: bool = True, channel: str = "ch_1") -> None:
        self.slot_says("media-0", StreamState(channel, Quality.MAIN, state, wanted))

    async def turn(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.tick()
        await self.settle()

    async def answers(self, times: int) -> None:
        """Devices say yes to so many more."""
        for _ in range(times):
            self.may.release()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def desk(city: City) -> Desk:
    return Desk(city, FakeClock())


async def test_a_stream_lingers_from_when_it_was_last_wanted(desk: Desk, city: City) -> None:
    desk.says("idle")
    await desk.turn()
    desk.says("running")
    await desk.turn(1000.0)
    desk.says("running", wanted=False)
    await desk.turn(LINGER_SECONDS - 1)
    assert (desk.opened, desk.ended) == (1, 0), "whoever changes between two cameras finds it running"
    await desk.turn(2.0)
    assert desk.ended == 1
    assert [one.reason for one in city.told] == ["not_wanted"]


async def test_pictures_that_never_come_end_the_try_and_the_next_one_comes_later(desk: Desk, city: City) -> None:
    desk.says("idle")
    await desk.turn()
    await desk.turn(19.0)
    assert not desk.failures
    await desk.turn(2.0)
    assert (desk.failures, desk.ended) == (["never_came"], 1)
    assert [(one.reason, one.params) for one in city.told] == [("never_came", {"seconds": 20.0})]
    await desk.turn(1.0)
    assert desk.opened == 2


async def test_pictures_that_stopped_get_as_long_as_a_new_try(desk: Desk) -> None:
    """A slot that opens anew after it had pictures is not measured from when they first came."""
    desk.says("idle")
    await desk.turn()
    desk.says("running")
    await desk.turn(1000.0)
    desk.says("opening")
    await desk.turn(19.0)
    assert desk.ended == 0


async def test_who_is_away_is_asked_less_often_and_the_slot_is_told(desk: Desk, city: City) -> None:
    desk.fails = "away"
    desk.says("idle")
    await desk.turn()
    assert [one.reason for one in city.told] == ["away"]
    await desk.turn(OFFLINE_SECONDS - 1)
    assert desk.opened == 1
    await desk.turn(1.5)
    assert desk.opened == 2
    assert desk.failures == ["away"], "told once"


async def test_other_failures_are_tried_again_soon(desk: Desk, city: City) -> None:
    desk.fails = "refused"
    desk.says("idle")
    await desk.turn()
    await desk.turn(1.0)
    assert desk.opened == 2
    assert not city.told


async def test_a_device_that_came_back_is_not_waited_for(desk: Desk) -> None:
    desk.fails = "away"
    desk.says("idle")
    await desk.turn()
    desk.fails = ""
    desk.device_came_back("dv_2")
    await desk.turn(1.0)
    assert desk.opened == 1, "that is another device"
    desk.device_came_back("dv_1")
    await desk.turn(1.0)
    assert desk.opened == 2


async def test_whoever_wants_it_anew_does_not_wait_for_the_back_off_of_others(desk: Desk) -> None:
    desk.fails = "away"
    desk.says("idle")
    await desk.turn()
    desk.says("idle", wanted=False)
    desk.fails = ""
    desk.says("idle")
    await desk.turn()
    assert desk.opened == 2


async def test_a_viewer_is_told_why_there_is_nothing_to_see(desk: Desk) -> None:
    desk.fails = "refused"
    with pytest.raises(UnavailableError) as caught:
        await desk.open_now(KEY)
    assert caught.value.code == "refused"
    desk.fails = ""
    await desk.open_now(KEY)
    assert desk.opened == 2, "whatever the back-off says"
    with pytest.raises(NotFoundError):
        await desk.open_now(StreamKey("ch_9", Quality.MAIN))


async def test_a_channel_that_is_gone_or_moved_is_ended(desk: Desk, city: City) -> None:
    desk.says("idle")
    await desk.turn()
    city.channels["ch_1"] = JtChannel("ch_1", "dv_1", 1, "media-1")
    desk.configured()
    await desk.turn()
    assert desk.ended == 1
    assert [one.reason for one in city.told] == ["reassigned"]


@pytest.fixture
def recorders(desk: Desk, city: City) -> Desk:
    """Cameras of two recorders, all wanted at once; neither recorder has answered yet."""
    desk.slow = True
    for recorder, cameras in (("dv_1", 30), ("dv_2", 2)):
        for number in range(cameras):
            channel = f"{recorder}/{number}"
            city.channels[channel] = JtChannel(channel, recorder, number, "media-0")
            desk.says("idle", channel=channel)
    return desk


async def test_a_recorder_is_asked_for_a_few_of_its_cameras_at_a_time(recorders: Desk) -> None:
    await recorders.turn()
    await recorders.turn(0.5)
    assert recorders.asking == {"dv_1": 4, "dv_2": 2}, "no recorder waits for another"
    await recorders.answers(32)
    assert recorders.opened == 32, "the next is asked for when one is answered, not at a tick"
    assert recorders.most == {"dv_1": 4, "dv_2": 2}


async def test_a_viewer_does_not_wait_behind_what_is_recorded(recorders: Desk) -> None:
    await recorders.turn()
    viewer = asyncio.create_task(recorders.open_now(StreamKey("dv_1/29", Quality.MAIN)))
    await recorders.settle()
    assert recorders.asking["dv_1"] == 5
    await recorders.answers(32)
    await viewer
    assert recorders.opened == 32


async def test_what_is_no_longer_wanted_is_not_asked_for_when_its_turn_comes(recorders: Desk) -> None:
    await recorders.turn()
    for number in range(10, 30):
        recorders.says("idle", wanted=False, channel=f"dv_1/{number}")
    await recorders.answers(32)
    assert recorders.opened == 12


async def test_all_devices_together_are_not_asked_for_more_than_can_be_answered_in_time(
    recorders: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.drivers.wanted.OPENING_AT_ONCE", 5)
    await recorders.turn()
    assert recorders.asking.total() == 5
    await recorders.answers(32)
    await recorders.turn(0.5)
    assert recorders.opened == 32
