"""Write program streams as GB/T 28181 asks: one pack per picture, system header and map before key frames."""

from __future__ import annotations

from collections.abc import Mapping

from safecity.model.values.media import Codec
from safecity.protocols.mpegps.codes import AUDIO_ID, TYPE_OF, VIDEO_CODECS, VIDEO_ID, crc32_mpeg2

MAX_PES = 65_535
MUX_RATE = 50_000  # x 50 bytes/s; devices write anything here
_PTS_MASK = (1 << 33) - 1


def pack_header(scr_90k: int, mux_rate: int = MUX_RATE) -> bytes:
    """14 bytes (2.5.3.3); the extension of the clock is zero."""
    scr = scr_90k & _PTS_MASK
    bits = 0b01 << 46 | (scr >> 30) << 43 | 1 << 42 | (scr >> 15 & 0x7FFF) << 27 | 1 << 26 | (scr & 0x7FFF) << 11
    bits |= 1 << 10 | 1
    return b"\x00\x00\x01\xba" + bits.to_bytes(6, "big") + (mux_rate << 2 | 3).to_bytes(3, "big") + b"\xf8"


def system_header(streams: Mapping[int, Codec], mux_rate: int = MUX_RATE) -> bytes:
    """2.5.3.5 with one buffer bound per stream."""
    audio = sum(1 for codec in streams.values() if codec not in VIDEO_CODECS)
    video = len(streams) - audio
    body = (0x800001 | mux_rate << 1).to_bytes(3, "big")
    body += bytes((audio << 2, 0xE0 | video, 0x7F))
    for stream_id, codec in streams.items():
        bound = 0xE000 | 400 if codec in VIDEO_CODECS else 0xC000 | 32
        body += bytes((stream_id,)) + bound.to_bytes(2, "big")
    return b"\x00\x00\x01\xbb" + len(body).to_bytes(2, "big") + body


def stream_map(streams: Mapping[int, Codec], version: int = 0) -> bytes:
    """The PSM (2.5.4.1) with its CRC."""
    entries = b"".join(bytes((TYPE_OF[codec], stream_id, 0, 0)) for stream_id, codec in streams.items())
    body = bytes((0xE0 | version & 31, 0xFF, 0, 0)) + len(entries).to_bytes(2, "big") + entries
    head = b"\x00\x00\x01\xbc" + (len(body) + 4).to_bytes(2, "big") + body
    return head + crc32_mpeg2(head).to_bytes(4, "big")


def _time(prefix: int, value: int) -> bytes:
    value &= _PTS_MASK
    bits = prefix << 36 | (value >> 30) << 33 | 1 << 32 | (value >> 15 & 0x7FFF) << 17 | 1 << 16
    return (bits | (value & 0x7FFF) << 1 | 1).to_bytes(5, "big")


def pes(stream_id: int, payload: bytes, pts: int | None, dts: int | None = None) -> bytes:
    """The payload in as many PES packets as 65,535 bytes need; the time stands in the first alone."""
    times = b""
    flags = 0
    if pts is not None:
        if dts is not None and dts != pts:
            flags, times = 0xC0, _time(3, pts) + _time(1, dts)
        else:
            flags, times = 0x80, _time(2, pts)
    parts: list[bytes] = []
    at = 0
    while True:
        room = MAX_PES - 3 - len(times)
        piece = payload[at : at + room]
        head = bytes((0, 0, 1, stream_id)) + (len(piece) + 3 + len(times)).to_bytes(2, "big")
        # data_alignment is set where the payload begins with an access unit.
        parts.append(head + bytes((0x84 if at == 0 else 0x80, flags, len(times))) + times)
        parts.append(piece)
        at += len(piece)
        if at >= len(payload):
            return b"".join(parts)
        flags, times = 0, b""


class PsMuxer:
    """One program: a video track and perhaps an audio track. `pack` gives what goes on the wire for one picture."""

    def __init__(self, video: Codec | None, audio: Codec | None = None, *, map_everywhere: bool = False) -> None:
        self.streams: dict[int, Codec] = {}
        if video is not None:
            self.streams[VIDEO_ID] = video
        if audio is not None:
            self.streams[AUDIO_ID] = audio
        self._everywhere = map_everywhere
        self._heads = system_header(self.streams) + stream_map(self.streams)

    def video(self, annex_b: bytes, pts: int, dts: int | None = None, *, key: bool) -> bytes:
        """A picture (with its parameter sets, when key) as one pack."""
        head = pack_header(dts if dts is not None else pts)
        if key or self._everywhere:
            head += self._heads
        return head + pes(VIDEO_ID, annex_b, pts, dts)

    def audio(self, data: bytes, pts: int) -> bytes:
        """A piece of sound as one pack; AAC goes in with its ADTS head."""
        return pack_header(pts) + pes(AUDIO_ID, data, pts)
