"""The border of the media plane: a stream of access units (DESIGN: above it nothing handles packets).

A `Unit` is one access unit of one track. Its bytes are shared and never changed; in one process it passes by
reference, between processes over the unit link.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

VIDEO: Final = 0
AUDIO: Final = 1
CLOCK_HZ: Final = 90_000


class Quality(StrEnum):
    """Which of a channel's streams."""

    MAIN = "main"
    SUB = "sub"


class Codec(StrEnum):
    """Codecs the media plane carries; others are counted and dropped at the door."""

    H264 = "h264"
    H265 = "h265"
    MPEG4 = "mpeg4"
    AAC = "aac"
    PCMA = "pcma"
    PCMU = "pcmu"


@dataclass(frozen=True, slots=True)
class VideoParameters:
    """What a decoder must know before the first picture.

    `parameter_sets` are raw NAL units without start code or length, in order VPS, SPS, PPS (H.265) or SPS, PPS
    (H.264); for MPEG-4 part 2 the one VOS/VOL header. `codec_string` is RFC 6381 (`avc1.640028`,
    `hvc1.1.6.L93.B0`). `fps` is 0 where the stream does not say.
    """

    codec: Codec
    width: int
    height: int
    parameter_sets: tuple[bytes, ...]
    codec_string: str
    fps: float = 0.0


@dataclass(frozen=True, slots=True)
class AudioParameters:
    """`config` is the AudioSpecificConfig (ISO/IEC 14496-3) for AAC, empty for G.711."""

    codec: Codec
    sample_rate: int
    channels: int
    config: bytes = b""
    codec_string: str = ""


CodecParameters = VideoParameters | AudioParameters


class Unit(NamedTuple):
    """One access unit (one picture, or one piece of sound).

    data        H.264/H.265: NAL units each behind a 4-byte big-endian length, parameter sets and AUD left out;
                AAC: raw frame without ADTS; G.711: bytes as they came
    pts, dts    media time in 1/90,000 s, unwrapped, continuous within one run, any origin
    is_key      a decoder can start here (always true for audio)
    damaged     packets of it, or of what it refers to, were lost
    arrived_us  wall clock of its last packet, microseconds UTC
    parameters  in force for it; a new object that is not equal to the last one begins a new run
    """

    track: int
    data: bytes
    pts: int
    dts: int
    is_key: bool
    damaged: bool
    arrived_us: int
    parameters: CodecParameters


class StreamKey(NamedTuple):
    """Names a stream in the whole platform: the shown channel id (`ch_...`) and the quality."""

    channel: str
    quality: Quality
