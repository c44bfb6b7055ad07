"""The child that decodes one picture: a JPEG comes out, and nothing else can."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import av
import pytest

from safecity.media.formats.fmp4 import Sample, TrackSamples, fragment, init_segment
from safecity.model.values.media import VIDEO, Codec

COMMAND = [sys.executable, "-m", "safecity.media.formats.av_picture"]


@pytest.fixture
def picture(video: Callable[..., Any]) -> bytes:
    parameters, units = video(Codec.H265, 0)
    sample = Sample(units[0][0], 0, 0, 90_000, True)
    return init_segment([parameters]) + fragment(1, [TrackSamples(VIDEO, [sample])])


def size_of(jpeg: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(jpeg), format="image2pipe") as container:
        frame = next(container.decode(video=0))
    return frame.width, frame.height


def test_a_picture_becomes_a_jpeg(picture: bytes) -> None:
    ran = subprocess.run(COMMAND, input=picture, capture_output=True, check=True)
    assert ran.stdout[:2] == b"\xff\xd8"
    assert size_of(ran.stdout) == (320, 192)


def test_a_smaller_one_is_made_on_request(picture: bytes) -> None:
    ran = subprocess.run([*COMMAND, "--width", "160"], input=picture, capture_output=True, check=True)
    assert size_of(ran.stdout) == (160, 96)


@pytest.mark.parametrize("rubbish", [b"", b"x" * 1000, b"\x00\x00\x00\x08moov" * 50])
def test_rubbish_is_refused_with_a_status(rubbish: bytes) -> None:
    ran = subprocess.run(COMMAND, input=rubbish, capture_output=True, check=False)
    assert ran.returncode == 2
    assert ran.stdout == b""


def test_a_pool_serves_one_after_another(picture: bytes) -> None:
    requests = b"".join(
        struct.pack(">IH", len(one), width) + one for one, width in ((picture, 0), (b"rubbish", 0), (picture, 64))
    )
    ran = subprocess.run([*COMMAND, "--pool"], input=requests, capture_output=True, check=True)
    answers, at = [], 0
    while at < len(ran.stdout):
        (size,) = struct.unpack_from(">I", ran.stdout, at)
        answers.append(ran.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    assert [one[:2] for one in answers] == [b"\xff\xd8", b"", b"\xff\xd8"]
