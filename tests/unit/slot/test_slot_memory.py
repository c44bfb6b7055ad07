"""What a slot remembers over its own death, and how its facts reach control."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.media.receive.feed import SessionRecord
from safecity.media.slot.board import Board
from safecity.media.slot.relay import Relay
from safecity.media.slot.state import SlotFile
from safecity.media.streams import RUNNING, Streams
from safecity.model.facts.control_calls import Publish, Published
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import (
    Assignment,
    Message,
    PlaceHold,
    PushedSource,
    RecordPolicy,
    RtspSource,
    SlotSettings,
    StaleEpoch,
    StartRecording,
    StreamState,
    VolumeSpec,
)
from safecity.model.values.media import Quality, StreamKey

KEY = StreamKey("ch_1", Quality.MAIN)


def assignment(channel: str, epoch: int = 1) -> Assignment:
    sources: dict[str, RtspSource | PushedSource] = {"main": PushedSource(), "sub": RtspSource("rtsp://c/1", "u", "p")}
    return Assignment(channel, epoch, sources, RecordPolicy(priority=2))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "media-0.db"


@pytest.fixture
def state(path: Path) -> Iterator[SlotFile]:
    state = SlotFile(open_file(path))
    yield state
    state.close()


def test_everything_told_is_there_after_a_restart(path: Path) -> None:
    state = SlotFile(open_file(path))
    settings = SlotSettings("p", (b"k" * 32,), (VolumeSpec("main", "/v"),), "city")
    state.keep_settings(settings)
    state.keep_assignments(7, [assignment("ch_1"), assignment("ch_2", 3)])
    state.keep_demand("ch_1", StartRecording("ch_1", until=5))
    session = SessionRecord("ch_1", Quality.MAIN, 77, "udp", 10000, confirmed=True)
    state.keep_sessions([session])
    hold = PlaceHold("ho_1", "ch_1", 1, 2, "case")
    state.keep_holds({"ho_1": hold, "ho_2": hold}, 7)
    state.keep_holds({"ho_2": None}, 8)
    state.close()
    again = SlotFile(open_file(path))
    assert again.settings() == settings
    assert again.assignments() == (7, [assignment("ch_1"), assignment("ch_2", 3)])
    assert again.demands() == [StartRecording("ch_1", until=5)]
    assert again.sessions() == [session]
    assert again.holds() == {"ho_1": (hold, 7), "ho_2": None}
    again.keep_sessions([])
    assert again.sessions() == []
    again.close()


def test_an_epoch_never_goes_back_even_after_a_release(state: SlotFile) -> None:
    state.keep_assignments(1, [assignment("ch_1", 5)])
    state.keep_assignments(2, [])
    assert state.stale([assignment("ch_1", 4), assignment("ch_2")]) == (StaleEpoch("ch_1", 4, 5),)
    assert state.stale([assignment("ch_1", 5)]) == ()


class Control:
    """Takes facts, unless it is away or dislikes one."""

    def __init__(self) -> None:
        self.away = True
        self.taken: list[str] = []
        self.asked = asyncio.Event()

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        self.asked.set()
        if self.away:
            raise UnavailableError("away", code="duty_down")
        assert isinstance(message, Publish)
        if any(event.subject == "bad" for event in message.events):
            raise InvalidError("bad fact")
        self.taken += [event.subject for event in message.events]
        return Published(len(message.events))


async def test_facts_wait_for_control_and_a_bad_one_holds_up_nobody(
    state: SlotFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.media.slot.relay.FIRST_WAIT_SECONDS", 0.001)
    control: Any = Control()
    relay = Relay(state.outbox, control)
    for name in ("one", "bad", "two"):
        relay.add([Event(kind="a.b", subject=name, at=1, seen=1)])
    assert state.outbox.waiting(1) == []
    relay.flush()
    assert len(state.outbox.waiting(10)) == 3
    running = asyncio.create_task(relay.run())
    await control.asked.wait()
    assert control.taken == []
    control.away = False
    async with asyncio.timeout(60):
        while state.outbox.waiting(1) or not control.taken:
            await asyncio.sleep(0)
    assert control.taken == ["one", "two"]
    assert relay.refused == 1
    running.cancel()


async def test_who_watches_hears_first_all_and_then_each_change() -> None:
    streams, wanted = Streams(), {"now": False}
    board = Board(lambda _: wanted["now"], lambda _: 0)
    stream = streams.ensure(KEY)
    board.tell(stream)
    watching = board.watch()
    first = await anext(watching)
    assert (first.state, first.wanted) == ("idle", False)
    wanted["now"] = True
    board.tell(stream)
    stream.tell(RUNNING, 5)
    board.tell(stream)
    board.tell(stream)
    # Two changes came before we looked: the newest is told once.
    second = await anext(watching)
    assert (second.state, second.wanted, second.since) == ("running", True, 5)
    board.forget(KEY)
    assert await anext(watching) == StreamState("ch_1", Quality.MAIN, "idle", False)
    await watching.aclose()
