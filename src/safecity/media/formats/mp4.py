"""Plain, progressive MP4 with moov in front: what every player opens.

Samples are gathered in a part file while their tables grow; the end writes head and samples into one file. Times are
1/90,000 s; each track begins at its own offset by an edit where it does not begin at once.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from safecity.kit.errors import InvalidError
from safecity.media.formats.fmp4 import track_of
from safecity.media.formats.sample_entries import box, full_box, sample_entry
from safecity.model.values.media import CLOCK_HZ, CodecParameters, VideoParameters

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_COPY = 1 << 20
GROUP_BYTES = 1 << 20
"""Samples of one track that lie behind one another make a chunk of at most this."""


class _Track:
    def __init__(self, parameters: CodecParameters) -> None:
        self.parameters = parameters
        self.sizes = array("I")
        self.times = array("q")
        self.shifts = array("i")
        self.keys = array("I")
        self.chunks: list[tuple[int, int]] = []  # offset within the samples, count
        self.chunk_bytes = 0
        self.end = 0

    def durations(self) -> list[int]:
        following = [*self.times[1:], self.end]
        return [max(0, then - now) for now, then in zip(self.times, following, strict=True)]


class Mp4Writer:
    """Write with `add` in decoding order per track, then `finish`. `path` appears only then."""

    def __init__(self, path: Path, parameters: Sequence[CodecParameters]) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.samples")
        self._file = self._part.open("w+b")
        self._tracks = {track_of(one): _Track(one) for one in parameters}
        if not parameters or len(self._tracks) != len(parameters):
            raise InvalidError("one video and one audio track at most", code="bad_parameter_set")
        self._size = 0
        self._last: int | None = None

    def add(self, track: int, data: bytes, dts: int, shift: int, duration: int, *, key: bool) -> None:
        """One sample; `shift` is presentation minus decoding time. Times must not go back within a track."""
        one = self._tracks[track]
        if one.times and dts <= one.times[-1]:
            dts = one.times[-1] + 1
        if self._last != track or one.chunk_bytes + len(data) > GROUP_BYTES or not one.chunks:
            one.chunks.append((self._size, 0))
            one.chunk_bytes = 0
        offset, count = one.chunks[-1]
        one.chunks[-1] = (offset, count + 1)
        one.chunk_bytes += len(data)
        self._last = track
        one.sizes.append(len(data))
        one.times.append(dts)
        one.shifts.append(shift)
        one.end = dts + max(1, duration)
        if key:
            one.keys.append(len(one.sizes))
        self._file.write(data)
        self._size += len(data)

    def finish(self) -> None:
        """Write the file; durable on return. InvalidError when nothing was added."""
        tracks = {number: one for number, one in self._tracks.items() if len(one.sizes)}
        if not tracks:
            self.abandon()
            raise InvalidError("no sample", code="bad_fragment")
        begin = min(one.times[0] for one in tracks.values())
        wide = self._size > 0xF000_0000
        head = 16 if wide else 8
        kind = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2avc1mp41")
        base = len(kind) + len(self._moov(tracks, begin, 0, wide)) + head
        moov = self._moov(tracks, begin, base, wide)
        part = self._path.with_name(f".{self._path.name}.part")
        with part.open("wb") as out:
            out.write(kind + moov)
            out.write(
                struct.pack(">I4sQ", 1, b"mdat", self._size + 16)
                if wide
                else struct.pack(">I4s", self._size + 8, b"mdat")
            )
            self._file.seek(0)
            while block := self._file.read(_COPY):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self._path)
        self.abandon()

    def abandon(self) -> None:
        """Leave nothing half-written."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _moov(self, tracks: dict[int, _Track], begin: int, base: int, wide: bool) -> bytes:
        length = max(one.end - begin for one in tracks.values())
        header = struct.pack(">QQIQ", 0, 0, CLOCK_HZ, length) + b"\x00\x01\x00\x00\x01\x00" + bytes(10) + _MATRIX
        mvhd = full_box(b"mvhd", 1, 0, header, bytes(24), struct.pack(">I", 3))
        return box(b"moov", mvhd, *(_trak(number, one, begin, base, wide) for number, one in sorted(tracks.items())))


def _trak(number: int, track: _Track, begin: int, base: int, wide: bool) -> bytes:
    length, delay = track.end - track.times[0], track.times[0] - begin
    parameters = track.parameters
    if isinstance(parameters, VideoParameters):
        size = struct.pack(">II", parameters.width << 16, parameters.height << 16)
        handler, media_header, volume = b"vide", full_box(b"vmhd", 0, 1, bytes(8)), 0
    else:
        size = bytes(8)
        handler, media_header, volume = b"soun", full_box(b"smhd", 0, 0, bytes(4)), 0x0100
    tkhd = struct.pack(">QQIIQ", 0, 0, number + 1, 0, length + delay) + bytes(8) + struct.pack(">HHHH", 0, 0, volume, 0)
    first_shift = max(0, track.shifts[0])
    edits = [struct.pack(">QqHH", length, first_shift, 1, 0)]
    if delay:
        edits.insert(0, struct.pack(">QqHH", delay, -1, 1, 0))
    edit = box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(edits)), *edits))
    reference = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    media = box(
        b"mdia",
        full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, CLOCK_HZ, length, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"safecity\0"),
        box(b"minf", media_header, box(b"dinf", reference), _stbl(track, base, wide)),
    )
    return box(b"trak", full_box(b"tkhd", 1, 3, tkhd, _MATRIX, size), edit, media)


def _stbl(track: _Track, base: int, wide: bool) -> bytes:
    parts = [full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry(track.parameters))]
    times = [(len(list(group)), value) for value, group in groupby(track.durations())]
    parts.append(_table(b"stts", 0, [struct.pack(">II", *one) for one in times]))
    if any(track.shifts):
        shifts = [(len(list(group)), value) for value, group in groupby(track.shifts)]
        parts.append(_table(b"ctts", 1, [struct.pack(">Ii", *one) for one in shifts]))
    if len(track.keys) < len(track.sizes):
        parts.append(_table(b"stss", 0, [struct.pack(">I", one) for one in track.keys]))
    runs: list[bytes] = []
    last = 0
    for at, (_, count) in enumerate(track.chunks):
        if count != last:
            runs.append(struct.pack(">III", at + 1, count, 1))
            last = count
    parts.append(_table(b"stsc", 0, runs))
    sizes = b"".join(struct.pack(">I", one) for one in track.sizes)
    parts.append(full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(track.sizes)), sizes))
    form = ">Q" if wide else ">I"
    offsets = [struct.pack(form, (base + offset) if base else 0) for offset, _ in track.chunks]
    parts.append(_table(b"co64" if wide else b"stco", 0, offsets))
    return box(b"stbl", *parts)


def _table(kind: bytes, version: int, rows: list[bytes]) -> bytes:
    return full_box(kind, version, 0, struct.pack(">I", len(rows)), *rows)
