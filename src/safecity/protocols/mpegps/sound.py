"""The sound of a program: PES payloads in, units of G.711 or AAC out."""

from __future__ import annotations

from typing import Final

from safecity.model.values.media import AUDIO, AudioParameters, Codec, Unit
from safecity.protocols import aac
from safecity.protocols.mpegps.codes import CODEC_OF, UNSUPPORTED
from safecity.protocols.timeline import JUMP_90K, Timeline

MAX_SOUND: Final = 64 * 1024
MAX_ADTS: Final = 8192

_G711: Final = {codec: AudioParameters(codec, 8000, 1) for codec in (Codec.PCMA, Codec.PCMU)}


Sound = tuple[int | None, bytes]
"""Time of the PES packet, its payload."""


class SoundTrack:
    """One track. Where the stream map is silent the bytes decide: ADTS heads are AAC, all else is G.711 A-law."""

    __slots__ = ("_kind", "_last", "_parameters", "_parts", "_pts", "_rest", "_size", "_time", "oversize")

    def __init__(self) -> None:
        self.oversize = 0
        self._kind: int | None = None
        self._parameters: AudioParameters | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._pts: int | None = None
        self._rest = b""
        self._time: Timeline | None = None
        self._last = -1

    def mapped(self, kind: int | None) -> None:
        """The stream type of the map, None where it says nothing of this track."""
        self._kind = kind

    def lost(self) -> None:
        """Bytes are missing: half an ADTS frame is of no use."""
        self._rest = b""

    def begins(self, pts: int | None) -> None:
        """A PES packet begins."""
        self._pts = pts
        self._size = 0
        self._parts = []

    def add(self, data: bytes) -> None:
        """Some of its payload."""
        self._size += len(data)
        if self._size <= MAX_SOUND:
            self._parts.append(data)

    def ends(self) -> Sound | None:
        """It is whole: its time and its bytes, None when there is nothing to be had of it."""
        data = b"".join(self._parts)
        self._parts = []
        if self._size > MAX_SOUND:
            self.oversize += 1
            return None
        return None if not data or self._kind in UNSUPPORTED else (self._pts, data)

    def units(self, sound: Sound, video: Timeline, origin: int, arrived_us: int) -> list[Unit]:
        """The units of it. One clock with the pictures keeps them together; a clock of its own begins on arrival."""
        pts, data = sound
        codec = CODEC_OF.get(self._kind) if self._kind is not None else None
        if codec is Codec.AAC or (codec is None and data[0] == 0xFF and aac.read_adts(data) is not None):
            return self._aac(pts, data, video, origin, arrived_us)
        parameters = _G711[Codec.PCMU if codec is Codec.PCMU else Codec.PCMA]
        return [self._unit(data, self._place(pts, video, origin, arrived_us), arrived_us, parameters)]

    def _aac(self, pts: int | None, sound: bytes, video: Timeline, origin: int, arrived_us: int) -> list[Unit]:
        sound = self._rest + sound
        units: list[Unit] = []
        at = samples = 0
        base: int | None = None
        while (frame := aac.read_adts(sound, at)) is not None:
            data, at, config = frame
            parameters = self._parameters
            if parameters is None or parameters.config != config:
                try:
                    parameters = self._parameters = aac.parameters_of(config)
                except ValueError:
                    break
            if base is None:
                base = self._place(pts, video, origin, arrived_us)
            units.append(self._unit(data, base + samples * 90_000 // parameters.sample_rate, arrived_us, parameters))
            samples += aac.SAMPLES_PER_FRAME
        rest = sound[at:]
        self._rest = rest if rest[:1] == b"\xff" and len(rest) < MAX_ADTS else b""
        return units

    def _place(self, raw: int | None, video: Timeline, origin: int, arrived_us: int) -> int:
        if self._time is None:
            if video.last is not None:
                apart = video.delta(raw) if raw is not None else 0
                origin = video.last + apart if -JUMP_90K < apart < JUMP_90K else video.last
            self._time = Timeline(max(0, origin))
        if raw is None:
            return origin if self._time.last is None else self._time.last + 1
        return self._time.place(raw, arrived_us)

    def _unit(self, data: bytes, pts: int, arrived_us: int, parameters: AudioParameters) -> Unit:
        pts = max(pts, self._last + 1)
        self._last = pts
        return Unit(AUDIO, data, pts, pts, True, False, arrived_us, parameters)
