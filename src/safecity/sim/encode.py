"""Coded pictures and sound of the simulated cameras: PyAV at the edge, Annex B out.

A video encoder here has no delay: one picture in, one access unit out, so that what a benchmark measures is the
platform and not the simulator.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, NamedTuple

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import Codec
from safecity.protocols.sound.g711 import alaw
from safecity.sim.scene.sprites import Frame

_ENCODERS: Final = {Codec.H264: "libx264", Codec.H265: "libx265", Codec.MPEG4: "mpeg4"}
_X265: Final = (
    "log-level=none:pools=none:frame-threads=1:repeat-headers=1:no-info=1:no-open-gop=1:"
    "bframes=0:ref=1:rc-lookahead=0:no-sao=1:no-deblock=1:me=dia:subme=0:ctu=16:cutree=0:weightp=0:aq-mode=0:scenecut=0"
)


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """How a camera codes one of its streams. `gop_seconds` is the distance of key frames."""

    codec: Codec = Codec.H264
    width: int = 640
    height: int = 360
    fps: int = 15
    kbps: int = 600
    gop_seconds: float = 2.0


class Coded(NamedTuple):
    """One access unit as it leaves the encoder: video in Annex B (H.264/H.265) or as a VOP (MPEG-4), G.711 bytes, or
    AAC with its ADTS head. `pts` in 1/90,000 s (33 bits), `at_us` when it was seen or heard."""

    is_video: bool
    data: bytes
    pts: int
    is_key: bool
    at_us: int


def pts_of(at_us: int) -> int:
    """Media time of a wall-clock moment; wraps every 26.5 hours as PES times do."""
    return at_us * 9 // 100 & ((1 << 33) - 1)


class VideoEncoder:
    """One coded stream. Not thread-safe."""

    def __init__(self, spec: VideoSpec) -> None:
        self.spec = spec
        name = _ENCODERS[spec.codec]
        context: Any = av.CodecContext.create(name, "w")
        context.width, context.height, context.pix_fmt = spec.width, spec.height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, spec.fps), Fraction(spec.fps, 1)
        context.bit_rate = spec.kbps * 1000
        context.gop_size = max(1, round(spec.gop_seconds * spec.fps))
        context.max_b_frames = 0
        context.thread_count = 1
        options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}
        if spec.codec is Codec.H264:
            # A bounded buffer keeps key frames from being many times a P-frame, as cameras with CBR do.
            options |= {"maxrate": f"{spec.kbps}k", "bufsize": f"{spec.kbps}k", "x264-params": "scenecut=0"}
        elif spec.codec is Codec.H265:
            options["x265-params"] = _X265
        context.options = {} if spec.codec is Codec.MPEG4 else options
        self._context = context
        self._count = 0

    def encode(self, frame: Frame, at_us: int, *, key: bool = False) -> Coded | None:
        """The access unit of this picture; `key` makes it a key frame."""
        picture: Any = av.VideoFrame.from_ndarray(frame.buffer.reshape(-1, frame.width), format="yuv420p")
        picture.pts = self._count
        picture.time_base = Fraction(1, self.spec.fps)
        if key:
            picture.pict_type = PictureType.I
        self._count += 1
        packets = [packet for packet in self._context.encode(picture) if packet.size]
        if not packets:
            return None
        data = b"".join(bytes(packet) for packet in packets)
        return Coded(True, data, pts_of(at_us), bool(packets[0].is_keyframe), at_us)


def still(frame: Frame) -> bytes:
    """The picture as JPEG."""
    context: Any = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj420p"
    context.time_base = Fraction(1)
    context.options = {"qmin": "5", "qmax": "5", "strict": "unofficial"}
    picture: Any = av.VideoFrame.from_ndarray(frame.buffer.reshape(-1, frame.width), format="yuv420p")
    picture = picture.reformat(format="yuvj420p")
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])


class SoundLoop:
    """Endless sound of one codec, cut into frames of equal length: a soft hum, and a pip on each whole second."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.sample_rate = 16_000 if codec is Codec.AAC else 8_000
        self._frames = _frames(codec)
        samples = 1024 if codec is Codec.AAC else 320
        self.frame_us = samples * SECOND_US // self.sample_rate
        self._next = 0

    def until(self, at_us: int) -> list[Coded]:
        """The frames that end before `at_us`; after a pause it goes on from now."""
        number = at_us // self.frame_us
        if not number - 50 < self._next <= number:
            self._next = number
        due: list[Coded] = []
        while self._next < number:
            begun = self._next * self.frame_us
            due.append(Coded(False, self._frames[self._next % len(self._frames)], pts_of(begun), True, begun))
            self._next += 1
        return due


@functools.cache
def _frames(codec: Codec) -> list[bytes]:
    """One loop of coded sound: 1 s of G.711 (25 frames of 40 ms), 8 s of AAC (125 frames of 1024 samples)."""
    if codec is Codec.AAC:
        return _aac_frames()
    coded = alaw(tone(8_000).tolist()) if codec is Codec.PCMA else _ulaw(tone(8_000))
    return [coded[start : start + 320] for start in range(0, len(coded), 320)]


def tone(rate: int) -> NDArray[np.int16]:
    """One second of what is heard: 220 Hz quietly, 1,000 Hz loud in its first 80 ms."""
    at = np.arange(rate, dtype=np.float64) / rate
    wave = 600 * np.sin(2 * np.pi * 220 * at)
    pip = rate * 8 // 100
    wave[:pip] += 9000 * np.sin(2 * np.pi * 1000 * at[:pip])
    return wave.astype(np.int16)


def _aac_frames() -> list[bytes]:
    rate, loop = 16_000, 125
    context: Any = av.CodecContext.create("aac", "w")
    context.sample_rate, context.layout, context.format = rate, "mono", "fltp"
    context.bit_rate, context.time_base = 24_000, Fraction(1, rate)
    # Three rounds, of which the middle one is kept: what a frame refers to before it is then the loop's own end.
    wave = np.tile(tone(rate), 24).astype(np.float32) / 32768
    coded: list[bytes] = []
    for start in range(0, len(wave) - 1023, 1024):
        frame: Any = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        coded += [bytes(packet) for packet in context.encode(frame) if packet.size]
    return [_adts(frame) for frame in coded[loop : 2 * loop]]


def _adts(frame: bytes) -> bytes:
    """AAC LC, 16 kHz (index 8), one channel (ISO/IEC 13818-7, 6.2)."""
    bits = 0xFFF << 44 | 0b0001 << 40 | 0b01 << 38 | 8 << 34 | 1 << 30 | (len(frame) + 7) << 13 | 0x7FF << 2
    return bits.to_bytes(7, "big") + frame


def _ulaw(wave: NDArray[np.int16]) -> bytes:
    """ITU-T G.711, u-law."""
    value = wave.astype(np.int32) >> 2
    size = np.minimum(np.abs(value), 8158) + 33
    exponent = np.zeros_like(size)
    for limit in (63, 127, 255, 511, 1023, 2047, 4095):
        exponent += size > limit
    mantissa = size >> (exponent + 1) & 0x0F
    return (~(np.where(value < 0, 0x80, 0) | exponent << 4 | mantissa) & 0xFF).astype(np.uint8).tobytes()
