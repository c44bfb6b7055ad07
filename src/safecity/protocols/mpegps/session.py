"""One device's media as it comes in RTP, made into `Unit`s: program stream, transport stream or bare video.

The device's words (payload type, program stream map) are hints; the bytes decide. The caller hands over the payload
of consecutive RTP packets of one time stamp, joined or not, says where a time stamp ended and where packets are
missing, and gets units through `deliver`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safecity.model.values.media import CLOCK_HZ, VIDEO, Codec, Unit
from safecity.protocols.mpegps.codes import UNSUPPORTED, VIDEO_TYPES
from safecity.protocols.mpegps.demux import PsDemuxer, read_time
from safecity.protocols.mpegps.sound import Sound, SoundTrack
from safecity.protocols.mpegts import TsDemuxer, looks_like_ts
from safecity.protocols.pictures import Picture, Pictures, guess_codec, pictures_for
from safecity.protocols.timeline import JUMP_90K, Timeline

_PACK = b"\x00\x00\x01\xba"
EARLY = 2048
"""Bytes that are kept until it is clear what they are."""
MAX_PICTURE = 8 * 1024 * 1024
_AUDIO_ALONE_US = 3_000_000
"""So long sound waits for a picture."""


class MediaSession:
    """Counters are plain attributes: `units`, `damaged`, `before_key`, `oversize`, `doubles`."""

    __slots__ = (
        "_anchor",
        "_arrived_us",
        "_audio_id",
        "_broken",
        "_demuxer",
        "_dts",
        "_early",
        "_first_us",
        "_hole",
        "_in_video",
        "_last_dts",
        "_later",
        "_next",
        "_origin",
        "_pictures",
        "_pts",
        "_rtp",
        "_sound",
        "_spans",
        "_started",
        "_types",
        "_video_id",
        "_video_size",
        "_video_time",
        "audio_declared",
        "before_key",
        "container",
        "damaged",
        "deliver",
        "oversize",
        "units",
        "unsupported",
        "unsupported_sound",
    )

    def __init__(self, deliver: Callable[[Unit], None], origin: int = 90_000) -> None:
        self.deliver = deliver
        self.container = ""
        self.unsupported = ""
        self.unsupported_sound = ""
        self.units = self.damaged = self.before_key = self.oversize = 0
        self.audio_declared = False
        self._origin = origin
        self._demuxer: PsDemuxer | TsDemuxer | None = None
        self._arrived_us = 0
        self._first_us = 0
        self._rtp = 0
        # video
        self._pictures: Pictures | None = None
        self._video_id = -1
        self._spans: list[tuple[bytes, int, int]] = []
        self._video_size = 0
        self._pts: int | None = None
        self._dts: int | None = None
        self._next: tuple[int | None, int | None] | None = None
        self._hole = False
        self._broken = False
        self._started = False
        self._video_time = Timeline(origin)
        self._last_dts = -1
        self._anchor: tuple[int, int] | None = None
        self._types: dict[int, int] = {}
        self._in_video = False
        self._audio_id = -1
        self._sound = SoundTrack()
        self._later: list[Sound] = []
        self._early: bytes = b""

    @property
    def pictures(self) -> Pictures | None:
        """The video track, once its codec is known."""
        return self._pictures

    @property
    def recognised(self) -> bool:
        """Packs, TS packets or NAL units have been found."""
        return bool(self.container)

    @property
    def resyncs(self) -> int:
        """How often bytes were no header where one was due."""
        return self._demuxer.resyncs if self._demuxer else 0

    def begin(self, origin: int) -> None:
        """Before the first packet: the media time that the first unit shall have."""
        self._origin = origin
        self._video_time = Timeline(origin)

    # --- what comes in --------------------------------------------------------------------------------------

    def feed(self, data: bytes, timestamp: int, arrived_us: int) -> None:
        """Payload bytes of packets with this RTP time stamp."""
        self._rtp = timestamp
        self._arrived_us = arrived_us
        demuxer = self._demuxer
        if demuxer is not None:
            demuxer.feed(data)
        elif self.container and data[:4] != _PACK:
            self.payload(data, 0, len(data))
        else:
            self._recognise(data)

    def whole(self, data: bytes, timestamp: int, arrived_us: int) -> None:
        """`feed` and `boundary` in one: all payload of one RTP time stamp.

        Nearly every picture between key frames is a pack header and one PES packet that fills the rest; it takes a
        short way here, which is for speed alone: without it the result would be the same.
        """
        demuxer = self._demuxer
        pictures = self._pictures
        if (
            demuxer is not None
            and demuxer.idle
            and pictures is not None
            and self._started
            and not self._spans
            and data[:4] == _PACK
            and len(data) > 40
            and data[4] & 0xC0 == 0x40
        ):
            size = len(data)
            at = 14 + (data[13] & 7)
            if (
                data[at : at + 3] == b"\x00\x00\x01"
                and data[at + 3] == self._video_id
                and at + 6 + (data[at + 4] << 8 | data[at + 5]) == size
                and data[at + 6] & 0xC0 == 0x80
                and data[at + 7] & 0xC0 == 0x80
                and data[at + 8] >= 5
                and at + 9 + data[at + 8] < size
            ):
                self._arrived_us = arrived_us
                self._rtp = timestamp
                picture = pictures.convert(data, at + 9 + data[at + 8], size)
                if picture is not None and pictures.firsts == 1:
                    pts = read_time(data, at + 9)
                    self._anchor = (pts, timestamp)
                    hole, self._hole = self._hole, False
                    self._emit(pictures, picture, pts, None, hole)
                    return
        self.feed(data, timestamp, arrived_us)
        self.boundary(arrived_us)

    def take(self, codec: Codec, nals: Sequence[bytes], timestamp: int, hole: bool, arrived_us: int) -> None:
        """One picture that came by a payload format of its own (RFC 6184, RFC 7798) instead of a program stream."""
        self.container = "nal"
        self._rtp = timestamp
        self._arrived_us = arrived_us
        self._pts = self._dts = None
        pictures = self._pictures
        if pictures is None or pictures.codec is not codec:
            self._pictures = pictures = pictures_for(codec)
            self._started = False
        self._broken = self._broken or hole
        picture = pictures.take(nals)
        if picture is not None:
            self._emit(pictures, picture, self._raw_time(), None, hole)

    def boundary(self, arrived_us: int) -> None:
        """A time stamp ended (marker bit, or the next packet carries another one)."""
        demuxer = self._demuxer
        if demuxer is not None and not demuxer.idle:
            demuxer.boundary()
            if demuxer.open:
                return
        self._arrived_us = arrived_us
        if self._spans:
            self._finish_picture()

    def lost(self) -> None:
        """Packets are missing between what was fed and what comes."""
        if self._demuxer is not None:
            self._demuxer.lost()
        self._hole = True
        self._broken = True
        self._sound.lost()

    def _recognise(self, data: bytes) -> None:
        if not self._first_us:
            self._first_us = self._arrived_us
        data = self._early + data
        at = data.find(b"\x00\x00\x01")
        if looks_like_ts(data):
            self.container = "ts"
            self._demuxer = TsDemuxer(self)
        elif _PACK in data or (at >= 0 and at + 3 < len(data) and data[at + 3] in (0xBB, 0xBC, 0xE0, 0xC0)):
            self.container = "ps"
            self._demuxer = PsDemuxer(self)
        elif at >= 0 and guess_codec(data, 0, len(data)) is not None:
            self.container = "es"
            self._early = b""
            self.payload(data, 0, len(data))
            return
        else:
            self._early = data[-EARLY:]
            return
        self._early = b""
        self._demuxer.feed(data)

    # --- what the demuxer says ------------------------------------------------------------------------------

    def mapped(self, types: dict[int, int]) -> None:
        for kind in types.values():
            if kind in UNSUPPORTED and kind in VIDEO_TYPES:
                self.unsupported = UNSUPPORTED[kind]
            elif kind not in VIDEO_TYPES:
                self.audio_declared = True
                if kind in UNSUPPORTED:
                    self.unsupported_sound = UNSUPPORTED[kind]
        self._sound.mapped(types.get(self._audio_id))
        self._types = types

    def video_begins(self, stream_id: int, pts: int | None, dts: int | None, new_pack: bool) -> bool:
        if stream_id != self._video_id:
            if self._video_id >= 0:
                return False
            self._video_id = stream_id
        self._in_video = True
        if not self._spans:
            self._pts, self._dts = pts, dts
        elif new_pack or (pts is not None and pts != self._pts):
            self._next = (pts, dts)  # the first bytes will tell whether the picture goes on
        return True

    def audio_begins(self, stream_id: int, pts: int | None) -> bool:
        if stream_id != self._audio_id:
            if self._audio_id >= 0:
                return False
            self._audio_id = stream_id
            self._sound.mapped(self._types.get(stream_id))
        self._in_video = False
        self._sound.begins(pts)
        return True

    def payload(self, data: bytes, start: int, end: int) -> None:
        if not self._in_video and self._demuxer is not None:
            self._sound.add(data[start:end])
            return
        if self._next is not None:
            times = self._next
            self._next = None
            if self._goes_on(data, start, end, times[0]):
                if times[0] is not None and not self._has_slice():
                    self._pts, self._dts = times  # parameter sets with a time of their own, before their picture
            else:
                self._finish_picture()
                self._pts, self._dts = times
        self._video_size += end - start
        if self._video_size > MAX_PICTURE:
            self._drop_oversize()
            return
        self._spans.append((data, start, end))

    def payload_ends(self) -> None:
        if not self._in_video:
            sound = self._sound.ends()
            if sound is not None:
                self._later.append(sound)
            if not self._spans:
                self._deliver_sound()
        elif self.container == "ts" and self._spans:
            self._finish_picture()  # in TS a PES packet is a whole picture

    # --- pictures -------------------------------------------------------------------------------------------

    def _drop_oversize(self) -> None:
        self.oversize += 1
        self._spans.clear()
        self._video_size = 0
        self._hole = self._broken = True

    def _goes_on(self, data: bytes, start: int, end: int, pts: int | None) -> bool:
        """Whether a PES packet belongs to the picture under way, judged by what it begins with."""
        pictures = self._pictures
        if data.find(b"\x00\x00\x01", start, min(end, start + 4)) < 0:
            return True
        if pts is not None and pts != self._pts:
            return not self._has_slice()
        return pictures is None or not pictures.begins_unit(data, start, end) or not self._has_slice()

    def _joined(self) -> tuple[bytes, int, int]:
        spans = self._spans
        if len(spans) == 1:
            return spans[0]
        data = b"".join([piece[a:b] for piece, a, b in spans])
        return data, 0, len(data)

    def _has_slice(self) -> bool:
        pictures = self._pictures
        if pictures is None:
            return True
        return pictures.has_slice(*self._joined())

    def _raw_time(self) -> int:
        """The PES's time, or where it has none the RTP time stamp in its place."""
        pts = self._pts
        if pts is not None:
            self._anchor = (pts, self._rtp)
            return pts
        if self._anchor is None:
            self._anchor = (self._rtp, self._rtp)
        base, rtp = self._anchor
        return (base + ((self._rtp - rtp) & 0xFFFFFFFF)) & ((1 << 33) - 1)

    def _deliver_sound(self) -> None:
        """Sound follows the picture it came with; before the first key frame it is left out."""
        later, self._later = self._later, []
        wanted = self._started or self._arrived_us - self._first_us >= _AUDIO_ALONE_US
        for sound in later if wanted else ():
            for unit in self._sound.units(sound, self._video_time, self._origin, self._arrived_us):
                self.units += 1
                self.deliver(unit)

    def _finish_picture(self) -> None:
        self._convert_picture()
        if self._later:
            self._deliver_sound()

    def _convert_picture(self) -> None:
        data, start, end = self._joined()
        self._spans = []
        self._video_size = 0
        hole, self._hole = self._hole, False
        pictures = self._pictures
        picture = pictures.convert(data, start, end) if pictures is not None else None
        if picture is None:
            codec = guess_codec(data, start, end)
            if codec is None or (pictures is not None and pictures.codec is codec):
                self.before_key += pictures is None
                return
            self._pictures = pictures = pictures_for(codec)
            self._started = False
            picture = pictures.convert(data, start, end)
            if picture is None:
                return
        raw, decode = self._raw_time(), self._dts
        self._pts = self._dts = None
        if pictures is not None and pictures.firsts > 1:
            # Several pictures in one PES packet, as in files: each is a unit, at the stream's own pace.
            step = (
                round(CLOCK_HZ / pictures.parameters.fps) if pictures.parameters and pictures.parameters.fps else 3600
            )
            for number, (a, b) in enumerate(pictures.separate(data, start, end)):
                one = pictures.convert(data, a, b)
                if one is not None:
                    self._emit(pictures, one, raw + number * step, None, hole)
        elif pictures is not None:
            self._emit(pictures, picture, raw, decode, hole)

    def _emit(self, pictures: Pictures, picture: Picture, raw: int, decode: int | None, hole: bool) -> None:
        payload, key = picture
        parameters = pictures.parameters
        if parameters is None or not (key or self._started):
            self.before_key += 1
            return
        arrived = self._arrived_us
        if decode is None:
            pts = dts = self._video_time.place(raw, arrived)
        else:
            dts = self._video_time.place(decode, arrived)
            ahead = raw - decode
            pts = dts + ahead if 0 <= ahead < JUMP_90K else dts
        if dts <= self._last_dts:
            dts = self._last_dts + 1
            pts = max(pts, dts)
        self._last_dts = dts
        if key:
            self._started = True
            self._broken = hole
        self.units += 1
        self.damaged += self._broken
        self.deliver(Unit(VIDEO, payload, pts, dts, key, self._broken, arrived, parameters))
