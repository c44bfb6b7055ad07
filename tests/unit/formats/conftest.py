"""A few seconds of real video and sound, encoded once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest

from safecity.model.values.media import AudioParameters, Codec, VideoParameters

EncodedVideo = tuple[VideoParameters, list[tuple[bytes, int, int, bool]]]


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units of a byte stream with start codes."""
    parts = data.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part.rstrip(b"\x00") for part in parts if part]


def _encode(codec: Codec, frames: int, b_frames: int) -> EncodedVideo:
    name, h265 = ("libx264", False) if codec is Codec.H264 else ("libx265", True)
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = 320, 192, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.framerate = Fraction(25)
    options = {"preset": "ultrafast", "g": "25"}
    if h265:
        options["x265-params"] = f"keyint=25:bframes={b_frames}:log-level=none:pools=1:frame-threads=1"
    else:
        options |= {"bf": str(b_frames), "threads": "1"}
    context.options = options
    packets = []
    for number in range(frames):
        picture = np.full((192, 320, 3), (number * 5) % 255, np.uint8)
        picture[:, (number * 7) % 300 : (number * 7) % 300 + 20] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets: list[bytes] = []
    units: list[tuple[bytes, int, int, bool]] = []
    for packet in packets:
        nals = split_annex_b(bytes(packet))
        kinds = [nal[0] >> 1 & 63 if h265 else nal[0] & 31 for nal in nals]
        for nal, kind in zip(nals, kinds, strict=True):
            if kind in ((32, 33, 34) if h265 else (7, 8)) and nal not in sets:
                sets.append(nal)
        body = b"".join(
            len(nal).to_bytes(4, "big") + nal
            for nal, kind in zip(nals, kinds, strict=True)
            if kind not in ((32, 33, 34, 35, 39) if h265 else (6, 7, 8, 9))
        )
        shift = 3 * 3600  # decoding begins before showing where B frames are
        units.append((body, packet.dts * 3600 + shift, packet.pts * 3600 + shift, packet.is_keyframe))
    return VideoParameters(codec, 320, 192, tuple(sets), ""), units


@pytest.fixture(scope="session")
def video() -> Callable[[Codec, int], EncodedVideo]:
    """`video(codec, b_frames)`: 60 pictures of 320x192 at 25 a second, a key frame each second."""
    made: dict[tuple[Codec, int], EncodedVideo] = {}

    def make(codec: Codec, b_frames: int = 0) -> EncodedVideo:
        if (codec, b_frames) not in made:
            made[codec, b_frames] = _encode(codec, 60, b_frames)
        return made[codec, b_frames]

    return make


@pytest.fixture(scope="session")
def sound() -> tuple[AudioParameters, list[bytes]]:
    """About two seconds of AAC at 8,000 Hz."""
    context = av.CodecContext.create("aac", "w")
    context.sample_rate, context.layout, context.format = 8000, "mono", "fltp"
    context.time_base = Fraction(1, 8000)
    wave = np.sin(np.arange(16384) / 8).astype(np.float32).reshape(1, -1)
    packets = []
    for start in range(0, 16384, 1024):
        frame = av.AudioFrame.from_ndarray(wave[:, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, start
        packets += context.encode(frame)
    packets += context.encode(None)
    config = bytes(context.extradata or b"")
    return AudioParameters(Codec.AAC, 8000, 1, config), [bytes(packet) for packet in packets]
