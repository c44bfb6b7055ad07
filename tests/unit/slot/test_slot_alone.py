"""Hours without control and without signal, and a death in the middle of them: recording goes on, everything that was
told still holds, what happened waits in little room and is told when somebody listens again."""

from __future__ import annotations

import asyncio
import base64
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.clock import FakeClock
from safecity.kit.errors import ForbiddenError, UnavailableError
from safecity.kit.ids import fresh
from safecity.media.receive.feed import SessionRecord
from safecity.media.receive.receiver import Receiver
from safecity.media.record.place import channel_bytes
from safecity.media.record.reading import Archive, ReaderThread
from safecity.media.record.recorder import Recorder
from safecity.media.slot import outbox as outbox_module
from safecity.media.slot.relay import Relay
from safecity.media.slot.slot import Parts, Slot
from safecity.media.slot.state import SlotFile
from safecity.media.streams import LOST, RUNNING, Streams
from safecity.model.facts.control_calls import Publish, Published
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import (
    Assignment,
    Message,
    PlaceHold,
    PushedSource,
    RecordPolicy,
    SlotSettings,
    StaleEpoch,
    StartRecording,
    VolumeSpec,
)
from safecity.model.facts.signal_calls import AskKeyFrame
from safecity.model.values.media import VIDEO, Codec, Quality, StreamKey, Unit, VideoParameters
from safecity.model.values.ticket import MAX_LIFE_SECONDS, Ticket, sign, verify

SECOND = 1_000_000
HOURS = 2
KEY = b"k" * 32
SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300ca3c60c658")
H264 = VideoParameters(Codec.H264, 1920, 1080, (SPS, bytes.fromhex("68ebecb22c")), "avc1.640028")


class Nobody:
    """Control and signal: away, until they come."""

    def __init__(self) -> None:
        self.away = True
        self.told: list[Event] = []
        self.asked: list[Message] = []

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        self.asked.append(message)
        if self.away or address != "control" or not isinstance(message, Publish):
            raise UnavailableError(f"{address} is away", code="duty_down")
        self.told += message.events
        return Published(len(message.events))


class Life:
    """One life of a slot, without sockets and without threads; the clock is ours."""

    def __init__(self, folder: Path, clock: FakeClock, nobody: Any, ports: dict[int, socket.socket]) -> None:
        self.clock = clock
        self.state = SlotFile(open_file(folder / "media-0.db"))
        self.recorder = Recorder(
            0, (), clock=clock, open_sql=open_file, memory=folder / "volumes.json", facts=self.says
        )
        self.streams = Streams()
        self.relay = Relay(self.state.outbox, nobody)
        self.reader = ReaderThread(lambda: Archive(lambda: self.recorder.shelves, open_reader, clock=clock))
        self.slot = Slot(
            Parts(
                address="media-0", state=self.state, streams=self.streams, recorder=self.recorder, reader=self.reader,
                receiver=Receiver(self.streams, ports, {}, clock=clock), relay=self.relay, calls=nobody, clock=clock,
                links=folder, make_volume=lambda volume: Path(volume.path).mkdir(exist_ok=True),
            )
        )  # fmt: skip
        self.slot.resume()
        self.recorder.turn()
        self.running = asyncio.get_running_loop().create_task(self.relay.run())

    def says(self, facts: Any) -> None:
        if hasattr(self, "slot"):
            self.slot.recorder_says(facts)

    async def die(self) -> None:
        """As by kill -9: what was not durable is gone."""
        self.relay.flush()
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        for place in self.recorder._places:
            if place.shelf is not None:
                place.shelf.index.sql.close()
        self.reader.close()
        self.state.close()


class Alone:
    """A slot over its lives, a camera that sends a picture a second, and one that flaps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.nobody = Nobody()
        self.steady, self.flapping, self.asked = (StreamKey(fresh("ch"), Quality.MAIN) for _ in range(3))
        self.dts = 90_000
        self.ports: dict[int, socket.socket] = {}
        self.life = self.start()

    def start(self) -> Life:
        self.life = Life(self.folder, self.clock, self.nobody, self.ports)
        return self.life

    def tell(self) -> None:
        """What control says before it goes away."""
        self.use_volumes("main")
        source = {"main": PushedSource()}
        modes = ((self.steady, "continuous"), (self.flapping, "continuous"), (self.asked, "off"))
        self.life.slot.apply(
            1, [Assignment(key.channel, 2, dict(source), RecordPolicy(mode=mode)) for key, mode in modes]
        )

    def use_volumes(self, *names: str) -> None:
        volumes = tuple(VolumeSpec(name, str(self.folder / name), extent_bytes=1 << 20) for name in names)
        self.life.slot.use_settings(SlotSettings("city", (KEY,), volumes))

    async def pass_time(self, seconds: int) -> None:
        for second in range(seconds):
            now = self.clock.now_us()
            for key in (self.steady, self.asked):
                stream = self.life.streams.ensure(key)
                if stream.state != RUNNING:
                    stream.tell(RUNNING, now)
                stream.deliver(Unit(VIDEO, bytes(400), self.dts, self.dts, True, False, now, H264))
            if second % 20 == 0:
                flapping = self.life.streams.ensure(self.flapping)
                flapping.tell(LOST if flapping.state == RUNNING else RUNNING, now, "gb_packets_stopped")
            self.dts += 90_000
            self.clock.advance(1)
            if second % 30 == 29 or second == seconds - 1:
                self.life.recorder.turn()
                self.life.slot.tick()
                self.life.relay.flush()
                await asyncio.sleep(0)

    def ticket(self, seconds: int = MAX_LIFE_SECONDS) -> str:
        now = self.clock.now_us() // SECOND
        return sign(Ticket("s1", "user", self.steady.channel, "live", Quality.MAIN, now + seconds), KEY)

    def check(self, ticket: str) -> Ticket:
        return verify(ticket, self.life.slot.access.keys, self.clock.now_us() / SECOND)


@pytest.fixture
async def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Alone]:
    monkeypatch.setattr(outbox_module, "CALM", 100)
    monkeypatch.setattr("safecity.media.slot.relay.FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr("safecity.media.slot.relay.LAST_WAIT_SECONDS", 0.001)
    made = Alone(tmp_path)
    yield made
    await made.life.die()


async def test_a_slot_goes_on_for_hours_with_nobody_to_ask(alone: Alone) -> None:
    alone.tell()
    await alone.pass_time(30)
    begin = alone.clock.now_us()
    alone.life.slot.start_recording(StartRecording(alone.asked.channel, until=begin + HOURS * 3600 * SECOND))
    old = alone.ticket()
    assert alone.check(old).channel == alone.steady.channel
    viewings = 0
    for hour in range(HOURS):
        for _ in range(6):
            await alone.pass_time(600)
            alone.life.slot._viewing_ended(alone.check(alone.ticket()), 60.0)
            viewings += 1
        if hour == HOURS // 2:
            await alone.life.die()
            alone.clock.advance(1)
            alone.start()
        assert alone.life.relay.waiting < 100 + 3 * 3 + viewings + 10, "what waits does not grow with the flapping"
    await alone.pass_time(10)

    with pytest.raises(ForbiddenError) as caught:
        alone.check(old)
    assert caught.value.code == "ticket_expired", "nobody needs control to know that"
    slot = alone.life.slot
    assert sorted(slot.assignments) == sorted(key.channel for key in (alone.steady, alone.flapping, alone.asked))
    assert {one.epoch for one in slot.assignments.values()} == {2}
    end = alone.clock.now_us()
    for key in (alone.steady, alone.asked):
        timeline = await alone.life.reader.ask(lambda archive, k=key: archive.timeline(k.channel, begin, end))
        recorded = sum(piece.end - piece.start for piece in timeline.pieces)
        # The death cost what was not durable: here a turn is half a minute, in the real thing it is a second.
        assert recorded > (HOURS * 3600 - 35) * SECOND, key
    assert alone.asked.channel not in slot.recorders, "what was asked for until a time ended then"

    waiting = alone.life.relay.waiting
    alone.nobody.away = False
    async with asyncio.timeout(30):
        while alone.life.relay.waiting:
            await asyncio.sleep(0)
    told = alone.nobody.told
    assert len(told) >= waiting > 0
    assert sum(event.kind == "viewing.ended" for event in told) == viewings, "who watched what is told each time"
    flaps = [event for event in told if event.subject == alone.flapping.channel and event.kind.startswith("stream.")]
    assert len(flaps) < 120
    assert sum(event.body.get("stands_for", 1) for event in flaps) > HOURS * 3600 // 20 - 10
    state = alone.life.streams.ensure(alone.flapping).state
    assert flaps[-1].kind == ("stream.lost" if state == LOST else "stream.recovered"), "the last state is the true one"
    assert alone.life.relay.dropped == 0


async def test_an_older_epoch_changes_nothing_of_its_channel_and_does_not_hold_up_the_others(alone: Alone) -> None:
    alone.tell()
    slot = alone.life.slot
    source = {"main": PushedSource()}
    stale = Assignment(alone.steady.channel, 1, dict(source), RecordPolicy(mode="off"))
    fine = Assignment(alone.asked.channel, 3, dict(source), RecordPolicy(mode="continuous"))
    assert slot.apply(2, [stale, fine]) == (StaleEpoch(alone.steady.channel, 1, 2),)

    def check() -> None:
        kept = alone.life.slot.assignments
        assert {name: one.epoch for name, one in kept.items()} == {alone.steady.channel: 2, alone.asked.channel: 3}
        assert kept[alone.steady.channel].record.mode == "continuous"
        assert set(alone.life.slot.recorders) == {alone.steady.channel, alone.asked.channel}

    check()
    await alone.life.die()
    alone.start()
    check()


async def test_a_recording_by_hand_comes_with_its_channel_and_leaves_with_it(alone: Alone) -> None:
    alone.tell()
    slot, channel = alone.life.slot, fresh("ch")
    demand = StartRecording(channel, until=alone.clock.now_us() + 3600 * SECOND)
    others = list(slot.assignments.values())
    came = Assignment(channel, 2, {"main": PushedSource()}, RecordPolicy(mode="off"), demand=demand)
    slot.apply(2, [*others, came])
    assert slot.recorders[channel].demanded
    await alone.life.die()
    slot = alone.start().slot
    assert slot.recorders[channel].demanded, "it goes on after a death"
    slot.apply(3, others)
    assert channel not in slot.recorders
    assert alone.life.state.demands() == []
    slot.apply(4, [*others, came])
    slot.apply(5, [*others, Assignment(channel, 2, {"main": PushedSource()}, RecordPolicy(mode="off"))])
    assert alone.life.state.demands() == [], "it was ended while the channel was here"


async def test_what_control_signed_with_keys_of_before_is_good_after_a_death(alone: Alone) -> None:
    alone.tell()
    await alone.life.die()
    alone.start()
    assert alone.check(alone.ticket()).subject == "user"
    forged = alone.ticket().replace(alone.ticket()[-5:], base64.urlsafe_b64encode(b"none")[:5].decode())
    with pytest.raises(ForbiddenError):
        alone.check(forged)


async def test_a_hold_is_remembered_over_a_death_for_a_volume_that_comes_later(alone: Alone) -> None:
    alone.tell()
    await alone.pass_time(10)
    placing = asyncio.ensure_future(
        alone.life.slot.holding.place(PlaceHold("ho_1", alone.steady.channel, 1, 2, "case"))
    )
    await asyncio.sleep(0)
    alone.life.recorder._run_commands()
    await placing
    await alone.life.die()
    alone.start()
    alone.use_volumes("main", "second")
    alone.life.recorder.turn()
    index = sqlite3.connect(alone.folder / "second" / "shelf-0" / "index.db")
    assert index.execute("SELECT id, reason FROM hold").fetchall() == [("ho_1", "case")]
    index.close()


async def test_days_of_a_channel_that_is_not_recorded_now_are_known_to_the_volumes(alone: Alone) -> None:
    alone.tell()
    alone.life.recorder.turn()
    policy = RecordPolicy(mode="off", retention_days=3)
    alone.life.slot.apply(2, [Assignment(alone.asked.channel, 2, {"main": PushedSource()}, policy)])
    alone.life.recorder.turn()
    janitor = alone.life.recorder._places[0].janitor
    assert janitor is not None
    assert janitor.keeps[(channel_bytes(alone.asked.channel), 0)].days == 3


async def test_a_slot_that_came_back_asks_its_cameras_for_a_key_frame(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system kept of their packets may hold none, and the next one may be seconds away."""
    monkeypatch.setattr("safecity.media.slot.keyframes.RESUMED_SECONDS", 0.001)
    alone.tell()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        number = port.getsockname()[1]
        session = SessionRecord(alone.steady.channel, Quality.MAIN, 77, "udp", number, confirmed=True)
        alone.life.state.keep_sessions([session])
        await alone.life.die()
        alone.ports = {number: port}
        alone.start()
        wanted = AskKeyFrame(alone.steady.channel, Quality.MAIN)
        async with asyncio.timeout(30):
            while wanted not in alone.nobody.asked:
                await asyncio.sleep(0.001)
        assert not [one for one in alone.nobody.asked if isinstance(one, AskKeyFrame) and one != wanted]


async def test_a_playback_that_nobody_watches_and_nobody_remembers_ends_by_itself(alone: Alone) -> None:
    """Signalling was killed while a vehicle played what it had recorded: nobody else would ever tell it to stop."""
    slot, key = alone.life.slot, StreamKey("dp_forgotten", Quality.MAIN)
    stream = slot.expect(key)
    stream.tell(RUNNING, alone.clock.now_us())

    def pass_seconds(seconds: int) -> None:
        for _ in range(seconds):
            alone.clock.advance(1)
            slot.tick()

    slot._lent[key] = 1  # a viewer at another slot
    pass_seconds(300)
    assert stream.state == RUNNING
    del slot._lent[key]
    pass_seconds(100)
    assert stream.state == RUNNING, "whoever left may come back"
    pass_seconds(30)
    assert slot.parts.streams.get(key) is None
