"""Fragmented MP4 (ISO/IEC 14496-12, CMAF-like), written by hand: no encoder library in the recorder's process.

The time scale of every track is 90,000 Hz, so the numbers of a `Unit` go into the boxes as they are. The id of a
track is its number in the `Unit` plus one (video 1, audio 2). Sample bytes are never copied before the caller's
own join: `fragment_head` makes moof and mdat head, the samples follow in the order given.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError
from safecity.media.formats.sample_entries import box, codec_string, full_box, sample_entry
from safecity.model.values.media import AUDIO, CLOCK_HZ, VIDEO, AudioParameters, CodecParameters, VideoParameters

KEY_FLAGS: Final = 0x02000000
"""Sample flags: depends on nothing, is a sync sample."""
DELTA_FLAGS: Final = 0x01010000
"""Sample flags: depends on others, is no sync sample."""

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_DATA = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
_EMPTY_TABLES = b"".join(
    (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
)
_TRUN_FLAGS = 0x000F01  # data offset; duration, size, flags and composition offset of each sample
_TRAF_HEAD = struct.Struct(">I4s I4sII I4sIQ I4sIIi")
_ROW = struct.Struct(">IIIi")
_MOOF_HEAD = struct.Struct(">I4s I4sII")
_ONE = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIIi IIIi I4s")


class Sample(NamedTuple):
    """One sample; `dts`, `pts` and `duration` in 1/90,000 s, `dts` not negative."""

    data: bytes
    dts: int
    pts: int
    duration: int
    is_key: bool


class TrackSamples(NamedTuple):
    """The samples of one track within a fragment, in decoding order."""

    track: int
    samples: Sequence[Sample]


def track_of(parameters: CodecParameters) -> int:
    """VIDEO or AUDIO."""
    return VIDEO if isinstance(parameters, VideoParameters) else AUDIO


def init_segment(parameters: Sequence[CodecParameters]) -> bytes:
    """ftyp and moov for these tracks, at most one of video and one of audio.

    InvalidError (`bad_parameter_set`) when the parameter sets cannot be told to a player.
    """
    tracks = sorted(parameters, key=track_of)
    if not tracks or len({track_of(one) for one in tracks}) != len(tracks):
        raise InvalidError("an init segment takes one video and one audio track at most", code="bad_parameter_set")
    header = struct.pack(">IIII", 0, 0, CLOCK_HZ, 0) + b"\x00\x01\x00\x00\x01\x00" + bytes(10) + _MATRIX + bytes(24)
    moov = [full_box(b"mvhd", 0, 0, header, struct.pack(">I", AUDIO + 2))]
    moov += [_trak(one) for one in tracks]
    moov.append(box(b"mvex", *(_trex(track_of(one)) for one in tracks)))
    return box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6iso5cmfcmp41") + box(b"moov", *moov)


def fragment_head(sequence: int, tracks: Sequence[TrackSamples]) -> bytes:
    """moof and the head of mdat; the caller appends the samples' bytes, track by track in this order."""
    if len(tracks) == 1 and len(tracks[0].samples) == 1:
        return _one_sample(sequence, tracks[0].track, tracks[0].samples[0])
    sizes = [64 + 16 * len(one.samples) for one in tracks]  # of each traf
    moof_size = 24 + sum(sizes)
    parts = [_MOOF_HEAD.pack(moof_size, b"moof", 16, b"mfhd", 0, sequence & 0xFFFFFFFF)]
    offset = moof_size + 8
    for one, size in zip(tracks, sizes, strict=True):
        samples = one.samples
        if not samples:
            raise InvalidError("a track of a fragment needs a sample", code="bad_fragment")
        parts.append(
            _TRAF_HEAD.pack(
                size, b"traf",
                16, b"tfhd", 0x020000, one.track + 1,
                20, b"tfdt", 0x01000000, samples[0].dts,
                20 + 16 * len(samples), b"trun", 0x01000000 | _TRUN_FLAGS, len(samples), offset,
            )
        )  # fmt: skip
        for data, dts, pts, duration, is_key in samples:
            parts.append(_ROW.pack(duration, len(data), KEY_FLAGS if is_key else DELTA_FLAGS, pts - dts))
            offset += len(data)
    parts.append(struct.pack(">I4s", offset - moof_size, b"mdat"))
    return b"".join(parts)


def fragment(sequence: int, tracks: Sequence[TrackSamples]) -> bytes:
    """moof and mdat. Time of decoding is 64 bits; composition offsets may be negative."""
    parts = [fragment_head(sequence, tracks)]
    parts += [sample.data for one in tracks for sample in one.samples]
    return b"".join(parts)


def mime_codecs(parameters: Sequence[CodecParameters]) -> str:
    """`video/mp4; codecs="avc1.4d401f,mp4a.40.2"`, to be shown to MediaSource."""
    tracks = sorted(parameters, key=track_of)
    kind = "audio/mp4" if all(isinstance(one, AudioParameters) for one in tracks) else "video/mp4"
    return f'{kind}; codecs="{",".join(codec_string(one) for one in tracks)}"'


def _one_sample(sequence: int, track: int, sample: Sample) -> bytes:
    """The live path: a fragment of one picture in one pack."""
    data, dts, pts, duration, is_key = sample
    size = len(data)
    return _ONE.pack(
        104, b"moof",
        16, b"mfhd", 0, sequence & 0xFFFFFFFF,
        80, b"traf",
        16, b"tfhd", 0x020000, track + 1,
        20, b"tfdt", 0x01000000, dts,
        36, b"trun", 0x01000000 | _TRUN_FLAGS, 1, 112,
        duration, size, KEY_FLAGS if is_key else DELTA_FLAGS, pts - dts,
        size + 8, b"mdat",
    )  # fmt: skip


def _trak(parameters: CodecParameters) -> bytes:
    track = track_of(parameters)
    if isinstance(parameters, VideoParameters):
        size = struct.pack(">II", parameters.width << 16, parameters.height << 16)
        handler, media_header, volume = b"vide", full_box(b"vmhd", 0, 1, bytes(8)), 0
    else:
        size = bytes(8)
        handler, media_header, volume = b"soun", full_box(b"smhd", 0, 0, bytes(4)), 0x0100
    head = struct.pack(">IIIII", 0, 0, track + 1, 0, 0) + bytes(8) + struct.pack(">HHHH", 0, 0, volume, 0)
    table = box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry(parameters)), _EMPTY_TABLES)
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, CLOCK_HZ, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"safecity\0"),
        box(b"minf", media_header, box(b"dinf", _DATA), table),
    )
    return box(b"trak", full_box(b"tkhd", 0, 3, head, _MATRIX, size), media)


def _trex(track: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", track + 1, 1, 0, 0, 0))
