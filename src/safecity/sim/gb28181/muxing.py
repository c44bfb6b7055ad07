"""Access units into what goes into RTP: program stream, and what goes by that name with some makers."""

from __future__ import annotations

from safecity.model.values.media import Codec
from safecity.protocols.mpegps.codes import AUDIO_ID, TYPE_OF, VIDEO_ID, crc32_mpeg2
from safecity.protocols.mpegps.mux import pack_header, pes, stream_map, system_header
from safecity.sim.encode import Coded
from safecity.sim.gb28181.faults import Faults

TS_PACKET = 188
_PMT_PID, _VIDEO_PID, _AUDIO_PID = 0x100, 0x101, 0x102


class Muxer:
    """One stream of one session. `write` gives the bytes that share one RTP timestamp."""

    def __init__(self, video: Codec, sound: Codec | None, faults: Faults) -> None:
        self._streams: dict[int, Codec] = {VIDEO_ID: video}
        if sound is not None:
            self._streams[AUDIO_ID] = sound
        self._faults = faults
        self._mapped = False
        self._counters: dict[int, int] = {}

    def write(self, unit: Coded) -> bytes:
        """One picture or piece of sound."""
        if self._faults.container == "ts":
            return self._ts(unit)
        if self._faults.container == "es":
            return unit.data if unit.is_video else b""
        head = pack_header(unit.pts)
        if unit.is_video and unit.is_key:
            head += system_header(self._streams)
            if not (self._faults.no_psm or (self._faults.first_psm and self._mapped)):
                head += stream_map(self._streams)
                self._mapped = True
        return head + self._pes(unit)

    def _pes(self, unit: Coded) -> bytes:
        stream_id = VIDEO_ID if unit.is_video else AUDIO_ID
        if not self._faults.pes_zero or not unit.is_video:
            return pes(stream_id, unit.data, unit.pts)
        # The head of a PES packet with its time is that of an empty one; the length says "unknown".
        head = pes(stream_id, b"", unit.pts)
        return head[:4] + b"\0\0" + head[6:] + unit.data

    def _ts(self, unit: Coded) -> bytes:
        parts: list[bytes] = []
        if unit.is_video and unit.is_key:
            parts += [self._section(0, _pat()), self._section(_PMT_PID, self._pmt())]
        pid = _VIDEO_PID if unit.is_video else _AUDIO_PID
        data = pes(VIDEO_ID if unit.is_video else AUDIO_ID, unit.data, unit.pts)
        first = True
        while data:
            room = TS_PACKET - 4
            field = b""
            if first and unit.is_video:  # the program clock
                base = unit.pts & (1 << 33) - 1
                field = bytes((7, 0x50 if unit.is_key else 0x10)) + (base << 15 | 0x3F << 9).to_bytes(6, "big")
            if len(data) < room - len(field):
                missing = room - len(field) - len(data)
                if field:
                    field = bytes((7 + missing,)) + field[1:] + b"\xff" * missing
                else:
                    field = bytes((missing - 1,)) + (b"\0" + b"\xff" * (missing - 2) if missing > 1 else b"")
            piece, data = data[: room - len(field)], data[room - len(field) :]
            parts.append(self._ts_head(pid, first, bool(field)) + field + piece)
            first = False
        return b"".join(parts)

    def _ts_head(self, pid: int, start: bool, adaptation: bool) -> bytes:
        counter = self._counters[pid] = (self._counters.get(pid, -1) + 1) & 15
        return bytes((0x47, start << 6 | pid >> 8, pid & 0xFF, (0x30 if adaptation else 0x10) | counter))

    def _section(self, pid: int, section: bytes) -> bytes:
        whole = b"\0" + section + crc32_mpeg2(section).to_bytes(4, "big")
        return self._ts_head(pid, True, False) + whole + b"\xff" * (TS_PACKET - 4 - len(whole))

    def _pmt(self) -> bytes:
        streams = b"".join(
            bytes((TYPE_OF[codec], 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0))
            for codec, pid in zip(self._streams.values(), (_VIDEO_PID, _AUDIO_PID), strict=False)
        )
        body = bytes((0, 1, 0xC1, 0, 0, 0xE0 | _VIDEO_PID >> 8, _VIDEO_PID & 0xFF, 0xF0, 0)) + streams
        return bytes((2, 0xB0, len(body) + 4)) + body


def _pat() -> bytes:
    body = bytes((0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | _PMT_PID >> 8, _PMT_PID & 0xFF))
    return bytes((0, 0xB0, len(body) + 4)) + body
