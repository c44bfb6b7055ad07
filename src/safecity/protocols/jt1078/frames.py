"""From media packets to frames and access units: one terminal's channel, whose order this platform gave.

Pieces are joined by their marks; a frame that lacks a piece is given out as damaged, since a decoder makes something of
it. The payload type is a hint, the bytes decide the codec; time stamps that stand still, as some makers send, are
replaced by the time of arrival.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from safecity.model.values.media import VIDEO, Codec, Unit
from safecity.protocols.jt1078.packets import Kind, MediaPacket, PayloadType, Piece
from safecity.protocols.jt1078.voice import NAMES, Voice
from safecity.protocols.mpegps.codes import TYPE_OF
from safecity.protocols.mpegps.sound import Sound, SoundTrack
from safecity.protocols.pictures import Pictures, guess_codec, pictures_for
from safecity.protocols.sound.room import SoundRoom
from safecity.protocols.timeline import Timeline

MAX_FRAME: Final = 4 * 1024 * 1024
MAX_PIECES: Final = 8192
_SOUND_ALONE_US: Final = 3_000_000
"""So long sound waits for a picture."""


class Frame(NamedTuple):
    """One frame's bytes; `damaged`: a piece of it is missing."""

    kind: int
    payload_type: int
    timestamp_ms: int | None
    data: bytes
    damaged: bool


class _Joining:
    """The frame under way of one kind (video, sound, data)."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.first: MediaPacket | None = None
        self.damaged = False
        self.expected = -1

    def take(self) -> Frame | None:
        first, parts = self.first, self.parts
        self.first, self.parts, self.size = None, [], 0
        if first is None:
            return None
        return Frame(first.kind, first.payload_type, first.timestamp_ms, b"".join(parts), self.damaged)


class FrameJoiner:
    """Packets of one channel in the order they came, frames out. `lost` counts holes in the sequence numbers."""

    def __init__(self) -> None:
        self._joining = {"video": _Joining(), "sound": _Joining(), "data": _Joining()}
        self._expected = -1
        self.lost = 0
        self.oversize = 0

    def add(self, packet: MediaPacket) -> list[Frame]:
        """The frames that are whole now, and those that will not get whole any more."""
        name = "video" if packet.is_video else "sound" if packet.kind == Kind.AUDIO else "data"
        joining = self._joining[name]
        # Some makers count all packets of a channel, some each kind by itself: it is a hole when neither fits.
        hole = joining.expected >= 0 and packet.sequence not in (joining.expected, self._expected)
        joining.expected = self._expected = (packet.sequence + 1) & 0xFFFF
        self.lost += hole
        frames: list[Frame] = []
        begins = packet.piece in (Piece.WHOLE, Piece.FIRST)
        if joining.first is not None and (begins or hole):
            joining.damaged = True
            if begins or packet.timestamp_ms != joining.first.timestamp_ms:
                frames += _some(joining.take())
        if joining.first is None:
            joining.first, joining.damaged = packet, not begins
        joining.parts.append(packet.payload)
        joining.size += len(packet.payload)
        if joining.size > MAX_FRAME or len(joining.parts) > MAX_PIECES:
            self.oversize += 1
            joining.take()
        elif packet.piece in (Piece.WHOLE, Piece.LAST):
            frames += _some(joining.take())
        return frames


def _some(frame: Frame | None) -> list[Frame]:
    return [] if frame is None else [frame]


class MediaStream:
    """Packets of one channel in, `Unit`s out through `deliver`: the first is a key frame, or sound alone after a while.

    Counters are plain attributes: `units`, `damaged`, `before_key`; `unsupported` names a codec of pictures that we do
    not carry, `voice` what of its sound cannot be heard, and why. `room` is shared by all streams of the process.
    """

    def __init__(
        self, deliver: Callable[[Unit], None], origin: int = 90_000, room: SoundRoom | None = None, aal2: bool = False
    ) -> None:  # fmt: skip
        self.deliver = deliver
        self.voice = Voice(room or SoundRoom(), aal2)
        self.frames = FrameJoiner()
        self.units = self.damaged = self.before_key = 0
        self.unsupported = ""
        self._origin = origin
        self._pictures: Pictures | None = None
        self._started = False
        self._broken = False
        self._time = Timeline(origin, bits=64)
        self._last_dts = -1
        self._last_ms: int | None = None
        self._last_raw = 0
        self._last_us = 0
        self._first_us = 0
        self._sound = SoundTrack()

    @property
    def pictures(self) -> Pictures | None:
        """The video track, once its codec is known."""
        return self._pictures

    def add(self, packet: MediaPacket, arrived_us: int) -> None:
        """One packet, in the order of the connection."""
        self._first_us = self._first_us or arrived_us
        lost = self.frames.lost
        for frame in self.frames.add(packet):
            if frame.kind <= Kind.B_FRAME:
                self._video(frame, arrived_us)
            elif frame.kind == Kind.AUDIO:
                self._audio(frame, arrived_us)
        if packet.is_video and self.frames.lost > lost:
            self._broken = True

    def _raw(self, frame: Frame, arrived_us: int) -> int:
        """Ticks of 1/90,000 s."""
        stamp = frame.timestamp_ms
        if stamp is None or stamp == self._last_ms:
            raw = self._last_raw + max(1, (arrived_us - self._last_us) * 9 // 100)
        else:
            raw = stamp * 90
        self._last_ms, self._last_raw, self._last_us = stamp, raw, arrived_us
        return raw

    def _video(self, frame: Frame, arrived_us: int) -> None:
        data = frame.data
        pictures = self._pictures
        picture = pictures.convert(data, 0, len(data)) if pictures is not None else None
        if picture is None:
            codec = guess_codec(data, 0, len(data))
            if codec is None or (pictures is not None and pictures.codec is codec):
                self.before_key += pictures is None
                if frame.payload_type not in (PayloadType.H264, PayloadType.H265):
                    self.unsupported = NAMES.get(frame.payload_type, str(frame.payload_type))
                return
            self._pictures = pictures = pictures_for(codec)
            self._started = False
            picture = pictures.convert(data, 0, len(data))
        if picture is None or pictures is None:
            return
        payload, key = picture
        parameters = pictures.parameters
        if parameters is None or not (key or self._started):
            self.before_key += 1
            return
        dts = max(self._time.place(self._raw(frame, arrived_us), arrived_us), self._last_dts + 1)
        self._last_dts = dts
        if key:
            self._started, self._broken = True, frame.damaged
        self._broken = self._broken or frame.damaged
        self.units += 1
        self.damaged += self._broken
        self.deliver(Unit(VIDEO, payload, dts, dts, key, self._broken, arrived_us, parameters))

    def _audio(self, frame: Frame, arrived_us: int) -> None:
        if not self._started and arrived_us - self._first_us < _SOUND_ALONE_US:
            return
        for heard in self.voice.take(frame.payload_type, frame.data, frame.timestamp_ms, frame.damaged, arrived_us):
            if frame.damaged and heard.codec is Codec.AAC:
                self._sound.lost()
                continue
            self._sound.mapped(TYPE_OF[heard.codec])
            pts = None if heard.timestamp_ms is None else heard.timestamp_ms * 90
            sound: Sound = pts, heard.data
            for unit in self._sound.units(sound, self._time, self._origin, arrived_us):
                self.units += 1
                self.deliver(unit)


def packetise(
    data: bytes,
    *,
    phone: str,
    channel: int,
    kind: Kind,
    payload_type: int,
    sequence: int,
    timestamp_ms: int,
    since_key_ms: int = 0,
    since_frame_ms: int = 0,
    long_phone: bool = False,
    size: int = 950,
) -> list[MediaPacket]:
    """The packets of one frame, with consecutive sequence numbers."""
    parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    last = len(parts) - 1
    packets: list[MediaPacket] = []
    for index, part in enumerate(parts):
        if not last:
            piece = Piece.WHOLE
        else:
            piece = Piece.FIRST if index == 0 else Piece.LAST if index == last else Piece.MIDDLE
        packets.append(
            MediaPacket(
                phone=phone, channel=channel, kind=kind, piece=piece, payload_type=payload_type,
                sequence=(sequence + index) & 0xFFFF, payload=part, marker=index == last, timestamp_ms=timestamp_ms,
                since_key_ms=min(since_key_ms, 0xFFFF), since_frame_ms=min(since_frame_ms, 0xFFFF),
                long_phone=long_phone,
            )
        )  # fmt: skip
    return packets
