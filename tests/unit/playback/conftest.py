"""A recording made of known pictures, and a viewer who writes down what it gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from safecity.kit.clock import FakeClock
from safecity.media.door.messages import HEAD_BYTES
from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment, init_segment
from safecity.media.formats.fmp4_read import read_fragment
from safecity.media.playback.footage import Clip
from safecity.media.playback.session import PlaybackSession
from safecity.model.values.media import AUDIO, VIDEO, AudioParameters, Codec, Quality, VideoParameters
from safecity.model.values.ticket import Ticket

SECOND = 1_000_000
T0 = 1_700_000_000 * SECOND
SPS = bytes.fromhex("6742c01ed9005005bb016a02020280000003008000001e478c19f0")
NARROW = VideoParameters(Codec.H264, 640, 360, (SPS, bytes.fromhex("68cb83cb20")), "avc1.42c01e")
WIDE = VideoParameters(Codec.H264, 1280, 720, (SPS, bytes.fromhex("68cb83cb20")), "avc1.42c01e")
PCMA = AudioParameters(Codec.PCMA, 8000, 1)
AAC = AudioParameters(Codec.AAC, 16_000, 1, b"\x14\x08", "mp4a.40.2")


class MadeFootage:
    """Pictures at 25 a second, a key frame each 2 s, chunks of 1 s; the data of a picture is its time."""

    def __init__(self) -> None:
        self.clips: list[Clip] = []
        self.bodies: dict[int, bytes] = {}
        self.inits: dict[object, bytes] = {}
        self.loads = 0

    def record(
        self,
        start: int,
        seconds: int,
        *,
        run: int,
        parameters: VideoParameters = NARROW,
        sound: AudioParameters | None = None,
        silent: Collection[int] = (),
        key_at: int = 0,
        begins: float = 0,
    ) -> None:
        """`silent`: seconds without sound; `key_at`: which picture of a second is the key frame, if it has one;
        `begins`: seconds of the run's media time before the first picture.

        The data of a sound is its time too, where that is AAC.
        """
        self.inits[run] = init_segment([parameters, sound] if sound else [parameters])
        for second in range(seconds):
            wall = start + second * SECOND
            samples: list[Sample] = []
            for number in range(25):
                dts = 1000 + run * 90_000_000 + round(begins * 90_000) + (second * 25 + number) * 3600
                taken = wall + number * 40_000
                samples.append(Sample(taken.to_bytes(8, "big"), dts, dts, 3600, number == key_at and second % 2 == 0))
            made = [TrackSamples(VIDEO, samples)]
            if sound and second not in silent:
                made.append(TrackSamples(AUDIO, _sound(sound, samples[0].dts, second, wall)))
            # An index counts in milliseconds, rounded down.
            key = wall + max(0, key_at * 40_000 - 900) if second % 2 == 0 else -1
            clip = Clip(wall, wall + SECOND, key, run, len(self.clips))
            self.bodies[len(self.clips)] = fragment(second + 1, made)
            self.clips.append(clip)

    def record_sound_alone(self, start: int, seconds: int, *, run: int) -> None:
        """What a camera leaves whose sound comes before its first key frame."""
        self.inits[run] = init_segment([AAC])
        for second in range(seconds):
            wall = start + second * SECOND
            made = [TrackSamples(AUDIO, _sound(AAC, 1000 + second * 90_000, second, wall))]
            self.bodies[len(self.clips)] = fragment(second + 1, made)
            self.clips.append(Clip(wall, wall + SECOND, -1, run, len(self.clips)))

    def quiet(self, clip: int, *, after_packet: int, seconds: float) -> int:
        """Take the sound out of a clip behind a packet, for so long; answers where it goes on, in its media time."""
        sequence, (video, sound) = read_fragment(self.bodies[clip])
        samples = list(sound.samples)
        last = samples[after_packet]
        hole = round(seconds * 90_000)
        rest = [one for one in samples[after_packet + 1 :] if one.dts >= last.dts + last.duration + hole]
        samples[after_packet:] = [last._replace(duration=rest[0].dts - last.dts), *rest]
        self.bodies[clip] = fragment(sequence, [video, TrackSamples(AUDIO, samples)])
        return rest[0].dts - samples[0].dts

    def after(self, at: int, limit: int) -> Sequence[Clip]:
        return [one for one in self.clips if one.end > at][:limit]

    def before(self, at: int, limit: int) -> Sequence[Clip]:
        return [one for one in reversed(self.clips) if one.start < at][:limit]

    def load(self, clip: Clip) -> bytes:
        self.loads += 1
        return self.bodies[clip.where]

    def init(self, clip: Clip) -> bytes:
        return self.inits[clip.init]

    def cause(self, start: int, end: int) -> str:
        return "network"


def _sound(sound: AudioParameters, dts: int, second: int, wall: int) -> list[Sample]:
    """One second of it: G.711 in packets of 20 ms, AAC in frames of 1024 samples that pay no heed to seconds."""
    if sound.codec is Codec.PCMA:
        return [Sample(b"s" * 160, dts + n * 1800, dts + n * 1800, 1800, True) for n in range(50)]
    lasts = 1024 * 90_000 // sound.sample_rate
    begins = [
        n * lasts - second * 90_000 for n in range(-(-second * 90_000 // lasts), -(-(second + 1) * 90_000 // lasts))
    ]
    return [Sample((wall + at * 100 // 9).to_bytes(8, "big"), dts + at, dts + at, lasts, True) for at in begins]


@dataclass
class Got:
    """One picture or frame of sound as it came: when it was taken, where it lies on the viewer's line."""

    taken: int
    media: int
    lasts: int
    is_key: bool


@dataclass
class Player:
    """A viewer with a session."""

    footage: MadeFootage
    clock: FakeClock
    start: int = 0
    bound: int = 0
    full: bool = False
    waiting_bytes: int = 0
    said: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    pictures: list[Got] = field(default_factory=list[Got])
    heads: dict[int, int] = field(default_factory=dict[int, int])
    """Which wall clock each message of pictures names for the place on the line where it begins."""
    raw_sound: list[int] = field(default_factory=list[int])
    voice: list[Got] = field(default_factory=list[Got])
    inits: int = 0
    sound_inits: list[bytes] = field(default_factory=list[bytes])
    thumbs: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    asked: list[int] = field(default_factory=list[int])
    """What those answer."""
    ended: str = ""
    session: Any = None

    def begin(self) -> None:
        ticket = Ticket("s", "u", "ch", "playback", Quality.MAIN, 0, start=self.start, end=self.bound)

        async def in_thread(work: Callable[[], Any]) -> Any:
            await asyncio.sleep(0)
            return work()

        connection: Any = self
        self.session = PlaybackSession(connection, ticket, self.footage, in_thread, self.clock)

    async def tell(self, kind: str, **fields: Any) -> None:
        self.session.message({"type": kind, **fields})
        await self.settle()

    async def settle(self) -> None:
        for _ in range(200):
            await asyncio.sleep(0)

    async def watch(self, seconds: float) -> None:
        """Let time pass as a browser does, telling how much is buffered."""
        for _ in range(round(seconds * 2)):
            shown = self.session._shown_now()
            self.clock.advance(0.5)
            left = max(0, round((self.session._line.end - shown) / 90) - 500)
            await self.tell("ahead", ms=left)

    def say(self, fields: Mapping[str, Any]) -> None:
        self.said.append(fields)

    def end(self, code: str) -> None:
        self.ended = code

    def send(self, frames: bytes) -> None:
        at = 0
        while at < len(frames):
            opcode, size, head = frames[at] & 15, frames[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(frames[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(frames[at + 2 : at + 10], "big"), 10
            self._message(opcode, frames[at + head : at + head + size])
            at += head + size

    def _message(self, opcode: int, content: bytes) -> None:
        if opcode == 1:
            self.said.append(json.loads(content))
            return
        kind, payload = content[0], content[HEAD_BYTES:]
        if kind == 1:
            self.inits += 1
        elif kind in (2, 3):
            [track] = read_fragment(payload).tracks
            assert track.track == VIDEO
            assert track.samples[0].is_key == (kind == 2)
            self.pictures += _got(track.samples)
            self.heads[int.from_bytes(content[9:17], "big")] = int.from_bytes(content[1:9], "big")
        elif kind == 6:
            self.sound_inits.append(payload)
        elif kind == 7:
            [track] = read_fragment(payload).tracks
            assert track.track == AUDIO
            assert track.samples[0].dts == int.from_bytes(content[9:17], "big")
            self.voice += _got(track.samples)
        elif kind == 4:
            self.raw_sound.append(int.from_bytes(content[9:17], "big"))
        elif kind == 5:
            self.thumbs.append((int.from_bytes(content[1:9], "big"), payload))
            self.asked.append(int.from_bytes(content[9:17], "big"))

    def shown_at(self, media: int) -> int:
        """When the picture at this place of the line was taken."""
        return next(one.taken for one in reversed(self.pictures) if one.media <= media)

    def last(self, kind: str) -> Mapping[str, Any]:
        return next(one for one in reversed(self.said) if one["type"] == kind)


def _got(samples: Sequence[Sample]) -> list[Got]:
    return [Got(int.from_bytes(one.data, "big"), one.pts, one.duration, one.is_key) for one in samples]


@pytest.fixture
def footage() -> MadeFootage:
    return MadeFootage()


@pytest.fixture
def t0() -> int:
    return T0


@pytest.fixture
def pcma() -> AudioParameters:
    return PCMA


@pytest.fixture
def aac() -> AudioParameters:
    return AAC


@pytest.fixture
def wide() -> VideoParameters:
    return WIDE


@pytest.fixture
def play(footage: MadeFootage) -> Any:
    players: list[Player] = []

    def make(**fields: Any) -> Player:
        player = Player(footage, FakeClock(T0 + 3600 * SECOND), **fields)
        players.append(player)
        player.begin()
        return player

    yield make
    for player in players:
        player.session.closed()
