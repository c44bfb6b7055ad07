"""Footage leaves the platform: the evidence is the bytes as they were kept, the viewing copy opens everywhere."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.clock import FakeClock
from safecity.kit.ids import fresh
from safecity.media.record.recorder import Recorder
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

SECOND = 1_000_000
PCMA = AudioParameters(Codec.PCMA, 8000, 1, b"", "alaw")


def encoded(width: int, height: int) -> tuple[VideoParameters, list[tuple[bytes, bool]]]:
    """Two seconds of H.264, a key frame each second, as a recorder gets it."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = {"preset": "ultrafast", "g": "25", "bf": "0", "threads": "1"}
    packets = []
    for number in range(50):
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), number * 5, np.uint8), format="rgb24")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets: list[bytes] = []
    pictures: list[tuple[bytes, bool]] = []
    for packet in packets:
        nals = [nal for nal in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]
        sets += [nal for nal in nals if nal[0] & 31 in (7, 8) and nal not in sets]
        body = b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals if nal[0] & 31 in (1, 5))
        pictures.append((body, packet.is_keyframe))
    return VideoParameters(Codec.H264, width, height, tuple(sets), ""), pictures


class Shelf:
    """A recorder turned by hand, and a camera on it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.volume = folder / "volume"
        self.volume.mkdir()
        self.channel = fresh("ch")
        spec = VolumeSpec("main", str(self.volume), extent_bytes=8 << 20)
        self.recorder = Recorder(0, [spec], clock=self.clock, open_sql=open_file)
        self.reader = self.recorder.open(StreamKey(self.channel, Quality.MAIN), RecordPolicy(), 1)
        self.recorder.turn()
        self.dts = 900_000
        self.begin = self.clock.now_us()

    def record(
        self, made: tuple[VideoParameters, list[tuple[bytes, bool]]], seconds: int, *, sound: bool = False
    ) -> None:
        parameters, pictures = made
        for number in range(seconds * 25):
            data, key = pictures[number % len(pictures)]
            now = self.clock.now_us()
            if sound:
                self.reader.offer(Unit(AUDIO, b"\xd5" * 320, self.dts, self.dts, True, False, now, PCMA))
            self.reader.offer(Unit(VIDEO, data, self.dts, self.dts, key, False, now, parameters))
            self.dts += 3600
            self.clock.advance(0.04)
            if number % 24 == 23:
                self.recorder.turn()
        self.recorder.turn()

    def silence(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.recorder.turn()
        self.dts += seconds * 90_000

    def export(self, product: str, folder: Path, **changes: Any) -> tuple[int, dict[str, Any]]:
        self.recorder.turn()
        job: dict[str, Any] = {
            "id": "ex_1",
            "product": product,
            "channel": self.channel,
            "channel_name": "门口",
            "code": "3402",
            "start_us": self.begin,
            "end_us": self.clock.now_us(),
            "volumes": [{"name": "main", "path": str(self.volume)}],
            "slots": ["media-0"],
            "out": str(folder / "out"),
            "platform": {"code": "1", "name": "city"},
            "operator": "li",
            "reason": "case 7",
            "zone": "Asia/Shanghai",
            "language": "zh",
        }
        job |= changes
        path = folder / "job.json"
        path.write_text(json.dumps(job))
        command = [sys.executable, "-m", "safecity.media.export", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        assert lines, ran.stderr
        return ran.returncode, lines[-1]


@pytest.fixture(scope="module")
def wide() -> tuple[VideoParameters, list[tuple[bytes, bool]]]:
    return encoded(320, 192)


@pytest.fixture(scope="module")
def narrow() -> tuple[VideoParameters, list[tuple[bytes, bool]]]:
    return encoded(160, 96)


@pytest.fixture
def shelf(tmp_path: Path) -> Any:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.recorder.close()


def frames_of(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def is_front(path: Path) -> bool:
    raw = path.read_bytes()
    return 0 < raw.find(b"moov") < raw.find(b"mdat")


def test_evidence_is_the_original_bytes_and_proves_itself(shelf: Shelf, tmp_path: Path, wide: Any, narrow: Any) -> None:
    shelf.record(wide, 4)
    shelf.silence(10)
    shelf.record(narrow, 4)
    status, told = shelf.export("evidence", tmp_path)
    assert status == 0
    out = tmp_path / "out"
    names = [one["name"] for one in told["files"]]
    assert sorted(names) == sorted(path.name for path in out.iterdir())
    for one in told["files"]:
        assert hashlib.sha256((out / one["name"]).read_bytes()).hexdigest() == one["sha256"]
    manifest = json.loads((out / names[-1]).read_text("utf-8"))
    assert len(manifest["files"]) == 2
    assert [len(frames_of(out / name)) for name in names[:2]] == [100, 100]
    assert any(9 * SECOND < gap["end_us"] - gap["start_us"] < 11 * SECOND for gap in told["gaps"])
    linked = 0
    for file in manifest["files"]:
        raw = (out / file["name"]).read_bytes()
        before = None
        for chunk in file["chunks"]:
            header = base64.b64decode(chunk["header"])
            body = raw[chunk["offset"] : chunk["offset"] + chunk["bytes"]]
            link = hashlib.sha256(header + body).hexdigest()
            assert link == chunk["sha256"]
            if before is not None and bytes.fromhex(before) in header:
                linked += 1
            before = link
        assert file["chain"]["interrupted"] == 0
        assert hashlib.sha256(raw[: file["init_bytes"]]).hexdigest() == file["init_sha256"]
    assert linked >= 4
    assert manifest["operator"] == "li"
    (unsigned,) = out.glob("*-manifest.json")
    assert checked(out) == (0, f"{unsigned.name}: not signed\nintact\n")
    first = out / names[0]
    raw = bytearray(first.read_bytes())
    raw[-5] ^= 1
    first.write_bytes(raw)
    status, said = checked(out)
    assert status == 1
    assert "was changed" in said


def checked(folder: Path) -> tuple[int, str]:
    """What the program beside the evidence says, run by a Python that knows nothing of us."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


def test_a_viewing_copy_of_plain_footage_is_only_rewrapped(shelf: Shelf, tmp_path: Path, wide: Any) -> None:
    shelf.record(wide, 4)
    shelf.silence(10)
    shelf.record(wide, 4)
    status, told = shelf.export("viewing", tmp_path)
    assert status == 0
    [file] = told["files"]
    path = tmp_path / "out" / file["name"]
    assert is_front(path)
    frames = frames_of(path)
    assert len(frames) == 200
    seconds = [float(frame.pts * frame.time_base) for frame in frames]
    assert all(0 < two - one < 0.1 for one, two in itertools.pairwise(seconds))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [file["name"]]


def test_a_changed_size_and_g711_become_one_file_through_the_child(
    shelf: Shelf, tmp_path: Path, wide: Any, narrow: Any
) -> None:
    shelf.record(wide, 4, sound=True)
    shelf.record(narrow, 4, sound=True)
    status, told = shelf.export("viewing", tmp_path)
    assert status == 0, told
    path = tmp_path / "out" / told["files"][0]["name"]
    assert is_front(path)
    frames = frames_of(path)
    assert 190 <= len(frames) <= 200
    assert {(frame.width, frame.height) for frame in frames} == {(320, 192)}
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert 7.0 < heard / 8000 < 8.6


def test_the_range_begins_where_its_first_picture_can_be_decoded(shelf: Shelf, tmp_path: Path, wide: Any) -> None:
    shelf.record(wide, 10)
    status, told = shelf.export("viewing", tmp_path, start_us=shelf.begin + 4_500_000, end_us=shelf.begin + 7 * SECOND)
    assert status == 0
    frames = frames_of(tmp_path / "out" / told["files"][0]["name"])
    assert 62 <= len(frames) <= 90
    assert frames[0].key_frame


def test_an_empty_range_says_so(shelf: Shelf, tmp_path: Path, wide: Any) -> None:
    shelf.record(wide, 2)
    status, told = shelf.export("viewing", tmp_path, start_us=1, end_us=SECOND)
    assert (status, told) == (1, {"failed": {"code": "export_nothing_recorded", "params": {}}})
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bad_job_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text('{"id": "x"}')
    ran = subprocess.run([sys.executable, "-m", "safecity.media.export", str(path)], capture_output=True, check=False)
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["failed"]["code"] == "export_bad_job"
