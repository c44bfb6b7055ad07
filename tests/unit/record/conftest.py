"""A stream that never was, and a recorder without threads: a day of it passes in a moment."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.clock import FakeClock
from safecity.kit.ids import fresh
from safecity.media.record.check import CheckReport, check_shelf
from safecity.media.record.chunk import Flag
from safecity.media.record.facts import Fact
from safecity.media.record.files import FileLayer, SystemFiles
from safecity.media.record.reading import Archive
from safecity.media.record.recorder import TURN_SECONDS, Recorder
from safecity.media.record.stream import StreamRecorder
from safecity.model.facts.media_calls import RecordPolicy, VolumeSpec
from safecity.model.values.media import (
    AUDIO,
    VIDEO,
    AudioParameters,
    Codec,
    Quality,
    StreamKey,
    Unit,
    VideoParameters,
)

sys.path.insert(0, str(Path(__file__).parent))
from powercut import PowerCut, PowerCutFiles

SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300ca3c60c658")
PPS = bytes.fromhex("68ebecb22c")
H264 = VideoParameters(Codec.H264, 1920, 1080, (SPS, PPS), "avc1.640028")
H264_OTHER = VideoParameters(Codec.H264, 1280, 720, (SPS, PPS + b"\x01"), "avc1.640028")
G711 = AudioParameters(Codec.PCMA, 8000, 1, b"", "alaw")


class Camera:
    """25 pictures a second, a key frame every `gop`; its bytes depend on seed and picture number alone."""

    def __init__(self, seed: int, clock: FakeClock, *, size: int = 2000, gop: int = 50, sound: bool = False) -> None:
        self.clock = clock
        self.parameters: VideoParameters = H264
        self.sound = sound
        self.gop = gop
        self.count = 0
        self.dts = 90_000 * seed
        self._random = random.Random(seed)
        self._block = self._random.randbytes(4 * size)
        self._size = size

    def picture(self) -> list[Unit]:
        at = self.clock.now_us()
        key = self.count % self.gop == 0
        size = self._size * 3 if key else self._size + self.count % 100
        data = self.count.to_bytes(4, "big") + self._block[:size]
        units = [Unit(VIDEO, data, self.dts, self.dts, key, False, at, self.parameters)]
        if self.sound:
            units.append(Unit(AUDIO, self._block[:320], self.dts, self.dts, True, False, at, G711))
        self.count += 1
        self.dts += 3600
        return units


class World:
    """Clock, volumes, recorder, cameras; `pass_time` moves them all."""

    def __init__(self, folder: Path, files: FileLayer | None = None, **settings: Any) -> None:
        self.folder = folder
        self.files = files or SystemFiles()
        self.clock = FakeClock()
        self._due = 0.0
        self.facts: list[Fact] = []
        self.settings = {"extent_bytes": 1 << 20, "layout": "channel", "max_bytes": 64 << 20, **settings}
        self.names = ["one"]
        self.cameras: dict[StreamKey, tuple[Camera, StreamRecorder]] = {}
        self.recorder = self.start()
        self._archive: Archive | None = None

    def specs(self) -> list[VolumeSpec]:
        found: list[VolumeSpec] = []
        for name in self.names:
            (self.folder / name).mkdir(exist_ok=True)
            found.append(VolumeSpec(name, str(self.folder / name), **self.settings))
        return found

    def start(self) -> Recorder:
        self.recorder = Recorder(
            0,
            self.specs(),
            clock=self.clock,
            open_sql=open_file,
            memory=self.folder / "volumes.json",
            files=self.files,
            facts=self.facts.extend,
        )
        self.recorder.turn()
        return self.recorder

    def add_camera(
        self, seed: int = 1, policy: RecordPolicy | None = None, key: StreamKey | None = None, **kind: Any
    ) -> StreamKey:
        key = key or StreamKey(fresh("ch"), Quality.MAIN)
        stream = self.recorder.open(key, policy or RecordPolicy(), 1)
        self.cameras[key] = (Camera(seed, self.clock, **kind), stream)
        return key

    def reopen(self) -> None:
        """The same streams on a recorder started anew; the cameras never noticed."""
        self.start()
        for key, (camera, stream) in list(self.cameras.items()):
            self.cameras[key] = (camera, self.recorder.open(key, stream.policy, stream.epoch + 1))

    def pass_time(self, seconds: float, *, silent: frozenset[StreamKey] = frozenset(), turns: bool = True) -> None:
        """Pictures every 40 ms, a turn of the recorder every TURN_SECONDS."""
        for _ in range(round(seconds * 25)):
            for key, (camera, stream) in self.cameras.items():
                for unit in camera.picture():
                    if key not in silent:
                        stream.offer(unit)
            self.clock.advance(0.04)
            if turns and self.clock.monotonic() >= self._due:
                self._due = self.clock.monotonic() + TURN_SECONDS
                self.recorder.turn()

    @property
    def archive(self) -> Archive:
        """A fresh reader, as another process would have it."""
        if self._archive is not None:
            self._archive.close()
        self._archive = Archive(lambda: [self.folder / name for name in self.names], open_reader, self.files)
        return self._archive

    def die(self) -> None:
        """The process is gone without a word; what SQLite committed stays."""
        for place in self.recorder._places:
            if place.shelf is not None:
                place.shelf.index.sql.close()
                place.shelf = None

    def cut_power(self, seed: int) -> None:
        assert isinstance(self.files, PowerCutFiles)
        self.die()
        self.files = self.files.after_cut(seed)

    def check(self, name: str = "one") -> CheckReport:
        return check_shelf(self.folder / name / "shelf-0", open_reader, files=self.files)

    def pictures(self, key: StreamKey) -> list[int]:
        """Numbers of the pictures that can be read back."""
        archive = self.archive
        units = [unit for ref in archive.chunks(key.channel, 0, 1 << 60) for unit in archive.units(ref)]
        return [int.from_bytes(unit.data[:4], "big") for unit in units if unit.track == VIDEO]

    def beginnings(self, key: StreamKey) -> list[str]:
        """How each run of the stream begins: with a `key` frame, as one that `continues`, or with `nothing`."""
        runs: dict[tuple[str, int], str] = {}
        archive = self.archive
        for ref in archive.chunks(key.channel, 0, 1 << 60):
            how = "key" if ref.key == ref.start else "continues" if ref.flags & Flag.CONTINUES else "nothing"
            runs.setdefault((str(ref.shelf), ref.run), how)
        return list(runs.values())

    def end(self) -> None:
        try:
            self.recorder.close()
        except PowerCut:
            self.die()
        if self._archive is not None:
            self._archive.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.end()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Any]:
    made: list[World] = []

    def make(files: FileLayer | None = None, **settings: Any) -> World:
        made.append(World(tmp_path, files, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()
