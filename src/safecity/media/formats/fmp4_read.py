"""Reading back the fragmented MP4 that `fmp4` writes: for playback, recovery and export.

The bytes come from a disk and may be torn or foreign: everything is bounded, and what does not fit is an
InvalidError with code `bad_fragment` or `bad_init`, never another exception.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from safecity.kit.errors import InvalidError
from safecity.media.formats.fmp4 import Sample, TrackSamples
from safecity.media.formats.sample_entries import codec_string
from safecity.model.values.media import AudioParameters, Codec, CodecParameters, VideoParameters

MAX_SAMPLES = 100_000


class Box(NamedTuple):
    """A box within a buffer: `data[start:end]` is its content."""

    kind: bytes
    start: int
    end: int


class Fragment(NamedTuple):
    """One moof and mdat."""

    sequence: int
    tracks: tuple[TrackSamples, ...]


def boxes(data: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of one level; a size that does not fit ends with InvalidError."""
    at, stop = start, len(data) if end is None else end
    while at < stop:
        if stop - at < 8:
            raise InvalidError("box head cut off", code="bad_fragment")
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and stop - at >= 16:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        if size < head or at + size > stop:
            raise InvalidError(f"box {kind!r} does not fit", code="bad_fragment")
        yield Box(kind, at + head, at + size)
        at += size


def read_fragment(data: bytes | memoryview) -> Fragment:
    """The samples of a fragment, their bytes copied out; InvalidError (`bad_fragment`) for anything else."""
    try:
        top = {one.kind: one for one in boxes(data)}
        moof, mdat = top.get(b"moof"), top.get(b"mdat")
        if moof is None or mdat is None:
            raise InvalidError("no moof or no mdat", code="bad_fragment")
        sequence, tracks = 0, list[TrackSamples]()
        for one in boxes(data, moof.start, moof.end):
            if one.kind == b"mfhd":
                (sequence,) = struct.unpack_from(">I", data, one.start + 4)
            elif one.kind == b"traf":
                tracks.append(_read_traf(data, one, moof.start - 8, mdat))
        return Fragment(sequence, tuple(tracks))
    except struct.error as error:
        raise InvalidError("fragment cut off", code="bad_fragment") from error


def _read_traf(data: bytes | memoryview, traf: Box, base: int, mdat: Box) -> TrackSamples:
    inner = {one.kind: one for one in boxes(data, traf.start, traf.end)}
    try:
        tfhd, tfdt, trun = inner[b"tfhd"], inner[b"tfdt"], inner[b"trun"]
    except KeyError as error:
        raise InvalidError(f"traf without {error}", code="bad_fragment") from error
    (track,) = struct.unpack_from(">I", data, tfhd.start + 4)
    (dts,) = struct.unpack_from(">Q" if data[tfdt.start] else ">I", data, tfdt.start + 4)
    flags, count, offset = struct.unpack_from(">IIi", data, trun.start)
    if flags & 0xFFFFFF != 0xF01 or not 0 < count <= MAX_SAMPLES or trun.end - trun.start != 12 + 16 * count:
        raise InvalidError("trun of another shape", code="bad_fragment")
    at = base + offset
    samples = list[Sample]()
    for duration, size, sample_flags, shift in struct.iter_unpack(">IIIi", bytes(data[trun.start + 12 : trun.end])):
        if at < mdat.start or at + size > mdat.end:
            raise InvalidError("sample outside mdat", code="bad_fragment")
        samples.append(Sample(bytes(data[at : at + size]), dts, dts + shift, duration, not sample_flags & 0x10000))
        at += size
        dts += duration
    return TrackSamples(track - 1, samples)


def read_init(data: bytes | memoryview) -> tuple[CodecParameters, ...]:
    """The parameters an init segment was made from (`fps` is not told there); InvalidError (`bad_init`)."""
    try:
        moov = _child(data, Box(b"", 0, len(data)), b"moov")
        found = list[CodecParameters]()
        for one in boxes(data, moov.start, moov.end):
            if one.kind == b"trak":
                table = one
                for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
                    table = _child(data, table, kind)
                found.append(_read_entry(data, next(boxes(data, table.start + 8, table.end))))
        if not found:
            raise InvalidError("no track", code="bad_init")
        return tuple(found)
    except (struct.error, StopIteration, IndexError) as error:
        raise InvalidError("init segment cut off", code="bad_init") from error
    except InvalidError as error:
        raise InvalidError(str(error), code="bad_init") from error


def _child(data: bytes | memoryview, parent: Box, kind: bytes) -> Box:
    for one in boxes(data, parent.start, parent.end):
        if one.kind == kind:
            return one
    raise InvalidError(f"no {kind!r}", code="bad_init")


def _read_entry(data: bytes | memoryview, entry: Box) -> CodecParameters:
    match entry.kind:
        case b"avc1":
            return _read_video(data, entry, Codec.H264)
        case b"hvc1":
            return _read_video(data, entry, Codec.H265)
        case b"mp4v":
            return _read_video(data, entry, Codec.MPEG4)
        case b"mp4a" | b"alaw" | b"ulaw":
            channels, _, _, rate = struct.unpack_from(">HHIH", data, entry.start + 16)
            codec = {b"mp4a": Codec.AAC, b"alaw": Codec.PCMA, b"ulaw": Codec.PCMU}[entry.kind]
            config = b""
            if codec is Codec.AAC:
                esds = _child(data, Box(b"", entry.start + 28, entry.end), b"esds")
                config = _read_specific(bytes(data[esds.start + 4 : esds.end]))
            plain = AudioParameters(codec, rate, channels, config)
            return AudioParameters(codec, rate, channels, config, codec_string(plain))
        case other:
            raise InvalidError(f"unknown sample entry {other!r}", code="bad_init")


def _read_video(data: bytes | memoryview, entry: Box, codec: Codec) -> VideoParameters:
    width, height = struct.unpack_from(">HH", data, entry.start + 24)
    inside = Box(b"", entry.start + 78, entry.end)
    if codec is Codec.MPEG4:
        esds = _child(data, inside, b"esds")
        sets: tuple[bytes, ...] = (_read_specific(bytes(data[esds.start + 4 : esds.end])),)
    elif codec is Codec.H264:
        config = _child(data, inside, b"avcC")
        raw = bytes(data[config.start : config.end])
        spss, at = _read_sets(raw, 6, raw[5] & 31)
        ppss, _ = _read_sets(raw, at + 1, raw[at])
        sets = spss + ppss
    else:
        config = _child(data, inside, b"hvcC")
        raw = bytes(data[config.start : config.end])
        sets, at = (), 23
        for _ in range(raw[22]):
            (count,) = struct.unpack_from(">H", raw, at + 1)
            nals, at = _read_sets(raw, at + 3, count)
            sets += nals
    plain = VideoParameters(codec, width, height, sets, "")
    return VideoParameters(codec, width, height, sets, codec_string(plain))


def _read_sets(raw: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = list[bytes]()
    for _ in range(count):
        (size,) = struct.unpack_from(">H", raw, at)
        if at + 2 + size > len(raw):
            raise InvalidError("parameter set cut off", code="bad_init")
        found.append(raw[at + 2 : at + 2 + size])
        at += 2 + size
    return tuple(found), at


def _read_specific(esds: bytes) -> bytes:
    """The DecoderSpecificInfo of an elementary stream descriptor (ISO/IEC 14496-1, 7.2.6)."""
    at, skip = 0, {3: 3, 4: 13}
    while at < len(esds):
        tag, size, at = esds[at], 0, at + 1
        for _ in range(4):
            byte = esds[at]
            size, at = size << 7 | byte & 127, at + 1
            if not byte & 0x80:
                break
        if tag == 5:
            return esds[at : at + size]
        at += skip.get(tag, size)
    return b""
