"""What is the same for every kind of device that plays its own recordings: who watches, and how far it is. The clock
is turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from safecity.drivers.played import UNWATCHED_SECONDS, Played, PlayedSessions
from safecity.drivers.progress import progress_of
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.model.facts.media_calls import CloseStream, Done, Message, StreamState
from safecity.model.facts.signal_calls import AskDevicePlayback, StartDevicePlayback, SteerDevicePlayback
from safecity.model.values.media import Quality

HOUR = 3600 * SECOND_US
WINDOW = StartDevicePlayback("dp_1", "ch_1", HOUR, 2 * HOUR)


class Desk(PlayedSessions[Played]):
    """It plays one recording; `closed` has what its slot was told."""

    per_device = 1
    stopped = "packets_stopped"

    def __init__(self) -> None:
        self.clock = FakeClock()
        super().__init__(self, self.clock, self._task)  # type: ignore[arg-type]
        self.closed: list[str] = []
        now = self.clock.monotonic()
        self._sessions["dp_1"] = Played("dp_1", "ch_1", "dv_1", "media-0", progress_of(WINDOW), now)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        assert isinstance(message, CloseStream)
        self.closed.append(message.reason)
        return Done()

    async def _end(self, session: Played, reason: str) -> None:
        assert session.name not in self._sessions

    def says(self, state: str, *, watched: bool = True, step: str = "") -> None:
        self.slot_says("media-0", StreamState("dp_1", Quality.MAIN, state, watched, step))

    async def turn(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.tick()
        for _ in range(10):
            await asyncio.sleep(0)

    def steered(self, action: str, value: float = 0.0, scale: float = 1.0) -> None:
        wish = SteerDevicePlayback("dp_1", action, value)
        self._session("dp_1").progress.steered(wish, scale, self.clock.monotonic())


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_viewer_who_left_may_come_back_for_a_while(desk: Desk) -> None:
    desk.says("running")
    await desk.turn(1000.0)
    desk.says("running", watched=False)
    await desk.turn(UNWATCHED_SECONDS - 1)
    assert not desk.closed
    await desk.turn(2.0)
    assert desk.closed == ["not_wanted"]


async def test_a_device_that_pauses_sends_nothing_and_is_not_over(desk: Desk) -> None:
    desk.says("running")
    desk.steered("pause")
    desk.says("lost")
    await desk.turn()
    assert not desk.closed
    desk.steered("resume")
    desk.says("lost")
    await desk.turn()
    assert desk.closed == ["packets_stopped"]


async def test_it_is_as_far_as_it_was_played_at_the_speed_that_the_device_took(desk: Desk) -> None:
    def at() -> float:
        return (desk.look(AskDevicePlayback("dp_1")).position - WINDOW.start) / SECOND_US

    await desk.turn(5.0)
    assert at() == 0.0, "no picture has come yet"
    desk.says("running")
    await desk.turn(10.0)
    assert at() == 10.0
    desk.steered("scale", 3.0, scale=2.0)  # it has no threefold speed
    await desk.turn(10.0)
    assert at() == 30.0
    desk.steered("seek", 600.0, scale=2.0)
    await desk.turn(1.0)
    assert at() == 602.0
    desk.steered("pause", scale=2.0)
    await desk.turn(50.0)
    assert at() == 602.0
    desk.steered("resume", scale=1.0)  # some go on at the normal speed
    await desk.turn(8.0)
    assert at() == 610.0


def test_a_download_is_counted_at_its_speed() -> None:
    wish = StartDevicePlayback("dp_1", "ch_1", 0, HOUR, download_speed=4)
    progress = progress_of(wish)
    progress.begun(100.0)
    assert progress.at(110.0) == 40 * SECOND_US
