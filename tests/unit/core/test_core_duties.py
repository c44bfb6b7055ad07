"""The desired state is pushed to who is behind, and again to who comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from safecity.backends.calls import MAX_FRAME
from safecity.backends.database import SqlDatabase, open_database
from safecity.core.ground.access.api import Vault
from safecity.core.ground.channels.api import Board, Channel
from safecity.core.ground.duties.api import Duties, DutySettings, Keepalive, TicketKeys, desired, policy
from safecity.core.ground.duties.parts import signal_parts, slot_parts
from safecity.core.ground.exports.store import Hold, add_hold, release_hold
from safecity.core.ground.settings.api import Platform, Settings, touch_desired
from safecity.kit.clock import FakeClock
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.kit.ids import fresh
from safecity.media.slot.parts import Parts
from safecity.model.facts.media_calls import (
    ApplyAssignments,
    Assignment,
    Done,
    Message,
    PlaceHold,
    PushedSource,
    RecordPolicy,
    RtspSource,
    SlotSettings,
    StreamState,
)
from safecity.model.facts.signal_calls import ApplySignal, DeviceFigures, GbChannel, GbDevice, PlatformIdentity
from safecity.model.values.media import Quality


class Duty:
    """Answers calls; its stream tells one state and then waits to be broken."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Message]] = []
        self.down: set[str] = set()
        self.breaks = asyncio.Event()
        self.state: StreamState | None = None

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        if address in self.down:
            raise UnavailableError("down", code="duty_gone")
        self.asked.append((address, message))
        return DeviceFigures(devices=()) if type(message).__name__ == "AskDevices" else Done()

    async def stream(self, address: str, message: Message) -> AsyncIterator[Message]:
        if self.state is not None:
            yield self.state
        await self.breaks.wait()
        raise UnavailableError("broken", code="duty_gone")

    async def close(self) -> None:
        return None

    def count(self, address: str, kind: type[Any]) -> int:
        return sum(1 for to, message in self.asked if to == address and isinstance(message, kind))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    made = open_database(f"sqlite:///{tmp_path}/control.db")
    yield made
    await made.close()


def duties(database: SqlDatabase, duty: Duty, board: Board) -> Duties:
    vault = Vault(b"k" * 32)
    settings = Settings(database, Platform(code="3" * 20))
    keys = TicketKeys(database, vault, FakeClock())
    settled = DutySettings(slots=("media-0",), data_dir="/data")
    return Duties(database, duty, vault, settings, board, keys, settled, FakeClock())


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_only_who_is_behind_is_told(database: SqlDatabase) -> None:
    duty = Duty()
    made = duties(database, duty, Board())
    await made.push()
    await made.push()
    assert (duty.count("signal", ApplySignal), duty.count("media-0", ApplyAssignments)) == (1, 1)
    duty.down.add("media-0")
    await database.write(touch_desired)
    await made.push()
    duty.down.clear()
    await made.push()
    assert (duty.count("signal", ApplySignal), duty.count("media-0", ApplyAssignments)) == (2, 2)


async def test_a_slot_that_comes_back_is_told_everything_and_forgotten_meanwhile(database: SqlDatabase) -> None:
    duty, board = Duty(), Board()
    channel = fresh("ch")
    duty.state = StreamState(channel, Quality.MAIN, "running", True)
    task = asyncio.create_task(duties(database, duty, board).run())
    await until(lambda: duty.count("media-0", ApplyAssignments) == 1 and board.streams_of(channel))
    keys = next(m for _, m in duty.asked if isinstance(m, SlotSettings)).ticket_keys
    assert [len(key) for key in keys] == [32]
    duty.state = None
    duty.breaks.set()
    await until(lambda: duty.count("media-0", ApplyAssignments) >= 2)
    assert board.streams_of(channel) == {}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_ticket_keys_turn_daily_and_the_one_before_stays_good(database: SqlDatabase) -> None:
    clock = FakeClock()
    keys = TicketKeys(database, Vault(b"k" * 32), clock)
    assert await keys.refresh()
    (first,) = keys.keys
    assert not await keys.refresh()
    clock.advance(25 * 3600)
    assert await keys.refresh()
    assert keys.keys[1] == first
    again = TicketKeys(database, Vault(b"k" * 32), clock)
    await again.refresh()
    assert again.keys == keys.keys


def test_what_is_disabled_or_gone_is_not_recorded() -> None:
    channel = Channel(id="ch_1", device="dv_1", code="1", name="x", record={"mode": "continuous", "quality": "sub"})
    assert policy(channel, "Asia/Shanghai").mode == "continuous"
    assert policy(channel, "Asia/Shanghai").quality is Quality.MAIN, "it has no sub stream"
    for change in ({"enabled": False}, {"present": False}):
        gone = Channel(id="ch_1", device="dv_1", code="1", name="x", record=channel.record, **change)
        assert policy(gone, "Asia/Shanghai").mode == "off"


def test_what_does_not_fit_into_one_frame_goes_to_signal_in_parts() -> None:
    identity = PlatformIdentity("3" * 20, "3" * 10, "10.0.0.1")
    devices = tuple(GbDevice(f"dv_{n}", f"{n:020}", "secret") for n in range(200))
    channels = tuple(GbChannel(f"ch_{n}", f"dv_{n % 200}", f"{n:020}", "media-0") for n in range(500))
    whole = ApplySignal(7, identity, devices, channels)
    assert signal_parts(whole) == [whole]
    parts = signal_parts(whole, 10_000)
    assert [(part.part, part.parts, part.revision) for part in parts] == [(n, len(parts), 7) for n in range(len(parts))]
    assert all(len(msgspec.msgpack.encode(part)) < 11_000 for part in parts)
    assert tuple(d for part in parts for d in part.devices) == devices
    assert tuple(c for part in parts for c in part.channels) == channels
    empty = ApplySignal(8, identity, (), ())
    assert signal_parts(empty) == [empty]


def test_twenty_thousand_channels_reach_a_slot_whole_in_whatever_order_their_parts_come() -> None:
    source = RtspSource("rtsp://10.1.2.3:554/Streaming/Channels/101", "operator", "a long password of a camera")
    assignments = tuple(
        Assignment(f"ch_{number:026}", 3, {"main": source, "sub": PushedSource()}, RecordPolicy())
        for number in range(20_000)
    )
    holds = tuple(PlaceHold(f"ho_{number}", f"ch_{number:026}", 1, 2, "case") for number in range(300))
    whole = ApplyAssignments(9, assignments, holds=holds, released=("ho_old", "ho_older"))
    parts = slot_parts(whole)
    assert len(parts) > 3
    assert all(len(msgspec.msgpack.encode(part)) < MAX_FRAME - 1024 for part in parts)
    collecting = Parts()
    assert collecting.add(slot_parts(ApplyAssignments(8, assignments))[0]) is None  # control changed its mind
    assert [collecting.add(part) for part in reversed(parts)] == [None] * (len(parts) - 1) + [whole]
    assert [collecting.add(part) for part in parts[:-1]] == [None] * (len(parts) - 1), "nothing is left of before"
    small = ApplyAssignments(10, assignments[:3])
    assert slot_parts(small) == [small]
    assert collecting.add(small) == small
    for part, count in ((1, 1), (-1, 2), (0, 0), (0, 100_000)):
        with pytest.raises(InvalidError):
            collecting.add(ApplyAssignments(11, (), part, count))


async def test_every_slot_hears_of_every_hold_and_of_what_was_released(database: SqlDatabase) -> None:
    """A channel may have been on another slot before: its footage there is held too."""
    duty = Duty()
    made = duties(database, duty, Board())
    hold = Hold(
        id=fresh("ho"), channel=fresh("ch"), channel_name="x", area_path="/", tags=frozenset(), start=1, end=2,
        reason="case", placed_by="a", placed_at=1, slot="media-7",
    )  # fmt: skip
    gone = replace(hold, id=fresh("ho"))

    def work(tx: Any) -> None:
        for one in (hold, gone):
            add_hold(tx, one)
        release_hold(tx, gone.id, FakeClock().now_us())
        touch_desired(tx)

    await database.write(work)
    await made.push()
    (told,) = [message for _, message in duty.asked if isinstance(message, ApplyAssignments)]
    assert told.holds == (PlaceHold(hold.id, hold.channel, 1, 2, "case"),)
    assert told.released == (gone.id,)


@pytest.mark.parametrize(("source", "told"), [("system", True), ("ntp", True), ("manual", False)])
def test_devices_are_told_the_time_unless_they_shall_keep_their_own(source: str, told: bool) -> None:
    platform = Platform(clock_source=source)
    assert desired(1, platform, [], [], [], Keepalive()).signal.identity.send_date is told
