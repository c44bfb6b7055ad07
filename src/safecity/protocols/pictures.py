"""From the bytes of one picture to what a `Unit` carries: 4-byte lengths, key or not, the parameters in force.

One object per video track. Input is an Annex B stretch (from PS, TS) or a list of NAL units (from RTP payload
formats); parameter sets and delimiters are taken out and remembered, and `parameters` stays the same object until a
set really changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

from safecity.model.values.media import Codec, VideoParameters
from safecity.protocols import h264, h265, mpeg4
from safecity.protocols.nalbits import START_CODE, BitReader, BitsExhausted, nal_spans, unescape

Picture = tuple[bytes, bool]
"""(data of the Unit, is_key)."""


class Pictures(Protocol):
    """What both NAL codecs and MPEG-4 offer."""

    codec: Codec
    parameters: VideoParameters | None
    bad_sets: int
    firsts: int
    """How many pictures the last stretch held that `convert` was given (0 where that cannot be told)."""

    def separate(self, data: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches of each picture where there are several in one."""
        ...

    def convert(self, data: bytes, start: int, end: int) -> Picture | None:
        """One picture in Annex B form; None when there is no slice in it."""
        ...

    def take(self, nals: Sequence[bytes]) -> Picture | None:
        """One picture as NAL units."""
        ...

    def begins_unit(self, data: bytes, start: int, end: int) -> bool:
        """The stretch begins with what can only begin an access unit."""
        ...

    def has_slice(self, data: bytes, start: int, end: int) -> bool:
        """There is a coded picture in the stretch, not parameter sets alone."""
        ...


class _NalPictures:
    """The part that H.264 and H.265 share: which sets are known, and building parameters of them."""

    codec: Codec
    _build: Callable[[tuple[bytes, ...]], VideoParameters]

    def __init__(self) -> None:
        self.parameters: VideoParameters | None = None
        self.bad_sets = 0
        self.firsts = 0
        self._known: dict[tuple[int, int], bytes] = {}
        self._last: list[bytes] = []

    def _id_of(self, nal: bytes) -> tuple[int, int]:
        raise NotImplementedError

    def begins_unit(self, data: bytes, start: int, end: int) -> bool:
        raise NotImplementedError

    def has_slice(self, data: bytes, start: int, end: int) -> bool:
        raise NotImplementedError

    def separate(self, data: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Cut before each NAL unit that begins an access unit behind a slice."""
        cuts = [start]
        sliced = False
        for a, b in nal_spans(data, start, end):
            if sliced and self.begins_unit(data, a - 3, b):
                cuts.append(a - 3)
                sliced = False
            sliced = sliced or self.has_slice(data, a - 3, b)
        return list(pairwise([*cuts, end]))

    def learn(self, sets: list[bytes]) -> None:
        """Take parameter sets from the stream or from signalling (SDP); nothing happens when they are known."""
        if sets == self._last:
            return
        known = dict(self._known)
        try:
            for nal in sets:
                known[self._id_of(nal)] = nal
            if known != self._known:
                self.parameters = self._rebuilt(known)
                self._known = known
            self._last = sets
        except BitsExhausted:
            self.bad_sets += 1
        except ValueError:
            self.bad_sets += 1

    def _rebuilt(self, known: dict[tuple[int, int], bytes]) -> VideoParameters | None:
        ordered = tuple(known[key] for key in sorted(known))
        try:
            return type(self)._build(ordered)
        except ValueError:
            if self.parameters is None and not self._complete(known):
                return None  # a first SPS whose PPS is still to come
            raise

    def _complete(self, known: dict[tuple[int, int], bytes]) -> bool:
        raise NotImplementedError


class H264Pictures(_NalPictures):
    """H.264: types in the low five bits of the first byte."""

    codec = Codec.H264
    _build = staticmethod(h264.parameters_of)

    def convert(self, data: bytes, start: int, end: int) -> Picture | None:
        # nal_spans, unrolled: this runs for every picture of every stream. The search begins from the back, so that
        # the common picture (one slice behind small NAL units) is passed over once.
        last = data.rfind(START_CODE, start, end)
        if last < 0:
            return None
        parts: list[bytes] = []
        sets: list[bytes] | None = None
        key = False
        slices = firsts = 0
        here = data.find(START_CODE, start, last + 3) + 3
        while True:
            if here <= last:
                following = stop = data.find(START_CODE, here, last + 3)
            else:
                following = stop = end
            while stop > here and not data[stop - 1]:
                stop -= 1
            if stop > here + 1:
                kind = data[here] & 31
                if kind == 1 or kind == 5:
                    slices += 1
                    if data[here + 1] >= 0x80:
                        firsts += 1  # first_mb_in_slice is 0
                    if kind == 5:
                        key = True
                    parts.append((stop - here).to_bytes(4, "big"))
                    parts.append(data[here:stop])
                elif kind == 7 or kind == 8:
                    if sets is None:
                        sets = []
                    sets.append(data[here:stop])
                elif not 9 <= kind <= 12:
                    parts.append((stop - here).to_bytes(4, "big"))
                    parts.append(data[here:stop])
            if following == end:
                break
            here = following + 3
        self.firsts = firsts
        if sets is not None:
            self.learn(sets)
            if slices and not key:
                key = self._all_intra(parts)
        return (b"".join(parts), key) if slices else None

    def take(self, nals: Sequence[bytes]) -> Picture | None:
        parts: list[bytes] = []
        sets: list[bytes] = []
        key = False
        slices = 0
        for nal in nals:
            if not nal:
                continue
            kind = nal[0] & 31
            if kind in (h264.SPS, h264.PPS):
                sets.append(nal)
                continue
            if 9 <= kind <= 12:
                continue
            if kind in (1, 5):
                slices += 1
                key = key or kind == 5
            parts.append(len(nal).to_bytes(4, "big"))
            parts.append(nal)
        if sets:
            self.learn(sets)
            if slices and not key:
                key = self._all_intra(parts)
        return (b"".join(parts), key) if slices else None

    @staticmethod
    def _all_intra(parts: list[bytes]) -> bool:
        """Parameter sets before a picture of I slices that is no IDR: some encoders never send an IDR again."""
        try:
            for nal in parts[1::2]:
                if nal[0] & 31 == h264.SLICE:
                    reader = BitReader(unescape(nal[1:24]))
                    reader.ue()
                    if reader.ue() % 5 != 2:
                        return False
        except ValueError:
            return False
        return True

    def begins_unit(self, data: bytes, start: int, end: int) -> bool:
        at = data.find(START_CODE, start, min(end, start + 5))
        if at < 0 or at + 4 >= end:
            return False
        kind = data[at + 3] & 31
        return kind in h264.STARTS_UNIT or (kind in (1, 5) and data[at + 4] >= 0x80)

    def has_slice(self, data: bytes, start: int, end: int) -> bool:
        return any(data[a] & 31 in (1, 5) for a, _ in nal_spans(data, start, end))

    def _id_of(self, nal: bytes) -> tuple[int, int]:
        kind = nal[0] & 31
        if kind == h264.SPS:
            return kind, h264.parse_sps(nal).id
        return kind, BitReader(unescape(nal[1:9])).ue() & 255

    def _complete(self, known: dict[tuple[int, int], bytes]) -> bool:
        return {kind for kind, _ in known} >= {h264.SPS, h264.PPS}


class H265Pictures(_NalPictures):
    """H.265: types in six bits of the first byte."""

    codec = Codec.H265
    _build = staticmethod(h265.parameters_of)

    def convert(self, data: bytes, start: int, end: int) -> Picture | None:
        return self.take([data[a:b] for a, b in nal_spans(data, start, end)])

    def take(self, nals: Sequence[bytes]) -> Picture | None:
        parts: list[bytes] = []
        sets: list[bytes] = []
        key = False
        slices = firsts = 0
        for nal in nals:
            if len(nal) < 2 or nal[0] & 0x81 or nal[1] & 0xF8:
                continue  # not of the base layer, or no H.265 at all
            kind = (nal[0] >> 1) & 63
            if kind < 32:
                slices += 1
                if len(nal) > 2 and nal[2] >= 0x80:
                    firsts += 1  # first_slice_segment_in_pic_flag
                if 16 <= kind <= 23:
                    key = True
            elif kind <= 34:
                sets.append(nal)
                continue
            elif kind <= 38:
                continue
            parts.append(len(nal).to_bytes(4, "big"))
            parts.append(nal)
        self.firsts = firsts
        if sets:
            self.learn(sets)
        return (b"".join(parts), key) if slices else None

    def begins_unit(self, data: bytes, start: int, end: int) -> bool:
        at = data.find(START_CODE, start, min(end, start + 5))
        if at < 0 or at + 5 >= end:
            return False
        kind = (data[at + 3] >> 1) & 63
        return kind in h265.STARTS_UNIT or (kind < 32 and data[at + 5] >= 0x80)

    def has_slice(self, data: bytes, start: int, end: int) -> bool:
        return any((data[a] >> 1) & 63 < 32 for a, _ in nal_spans(data, start, end))

    def _id_of(self, nal: bytes) -> tuple[int, int]:
        kind = (nal[0] >> 1) & 63
        if kind == h265.SPS:
            return kind, h265.parse_sps(nal).id
        if kind == h265.VPS:
            return kind, nal[2] >> 4 if len(nal) > 2 else 0
        return kind, BitReader(unescape(nal[2:10])).ue() & 255

    def _complete(self, known: dict[tuple[int, int], bytes]) -> bool:
        return {kind for kind, _ in known} >= {h265.VPS, h265.SPS, h265.PPS}


class Mpeg4Pictures:
    """MPEG-4 part 2: a VOP with its headers stays as it is; the VOL is remembered."""

    codec = Codec.MPEG4

    def __init__(self) -> None:
        self.parameters: VideoParameters | None = None
        self.bad_sets = 0
        self.firsts = 0
        self._head = b""

    def convert(self, data: bytes, start: int, end: int) -> Picture | None:
        piece = data[start:end]
        if not piece.startswith(mpeg4.VOP):
            head = mpeg4.header_of(piece)
            if head and head != self._head:
                try:
                    self.parameters = mpeg4.parameters_of(head)
                    self._head = head
                except ValueError:
                    self.bad_sets += 1
        if mpeg4.VOP not in piece:
            return None
        return piece, mpeg4.is_key(piece)

    def take(self, nals: Sequence[bytes]) -> Picture | None:
        piece = b"".join(nals)
        return self.convert(piece, 0, len(piece))

    def separate(self, data: bytes, start: int, end: int) -> list[tuple[int, int]]:
        return [(start, end)]

    def begins_unit(self, data: bytes, start: int, end: int) -> bool:
        return data[start : start + 3] == START_CODE and start + 3 < end

    def has_slice(self, data: bytes, start: int, end: int) -> bool:
        return data.find(mpeg4.VOP, start, end) >= 0


_MAKERS: dict[Codec, Callable[[], Pictures]] = {
    Codec.H264: H264Pictures,
    Codec.H265: H265Pictures,
    Codec.MPEG4: Mpeg4Pictures,
}


def pictures_for(codec: Codec) -> Pictures:
    """A fresh converter; KeyError for what is no video codec of ours."""
    return _MAKERS[codec]()


def guess_codec(data: bytes, start: int, end: int) -> Codec | None:
    """What the first NAL units look like, where nobody says or somebody lies; None while it cannot be told."""
    at = data.find(START_CODE, start, end)
    for _ in range(8):
        if at < 0 or at + 5 >= end:
            return None
        first, second = data[at + 3], data[at + 4]
        if first in (0x40, 0x42, 0x44, 0x46, 0x4E) and second == 1:
            return Codec.H265
        if first in (0xB0, 0xB5, 0xB6) or (0x20 <= first <= 0x2F and start == at and first & 31 not in (1, 5, 7, 8)):
            return Codec.MPEG4
        if first & 0x9F == h264.SPS and first & 0x60:
            try:
                h264.parse_sps(data[at + 3 : min(end, at + 260)])
            except ValueError:
                return None
            return Codec.H264
        at = data.find(START_CODE, at + 3, end)
    return None
