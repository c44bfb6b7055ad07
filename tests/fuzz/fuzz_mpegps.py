"""Program streams, transport streams and bare video at hostile splits: no exception, bounded buffers, sane units."""

from __future__ import annotations

from pathlib import Path

from safecity.model.values.media import VIDEO, Codec, Unit
from safecity.protocols.mpegps.mux import PsMuxer
from safecity.protocols.mpegps.session import MediaSession
from safecity.protocols.nalbits import split_lengths

_VECTORS = Path(__file__).resolve().parents[1] / "vectors"
_PICTURES = [
    b"\0\0\0\1\x09" + part
    for part in (_VECTORS / "h26x" / "two_slices_320x240.h264").read_bytes().split(b"\0\0\0\1\x09")[1:3]
]
_MUXER = PsMuxer(Codec.H264, Codec.AAC)

SEEDS = [
    b"\x07" + b"".join(_MUXER.video(picture, n * 3600, key=n == 0) for n, picture in enumerate(_PICTURES)),
    b"\x00" + _MUXER.audio(b"\xff\xf1\x60\x40\x01\xff\xfc" + b"x" * 8, 0),
    b"\x80" + (_VECTORS / "mpegps" / "ffmpeg_h264_aac.ts").read_bytes()[: 188 * 20],
    b"\x03" + (_VECTORS / "mpegps" / "ffmpeg_h264.ps").read_bytes()[:4000],
    b"\x11" + _PICTURES[0],
]


def one_input(data: bytes) -> None:
    """The first byte chooses the split; every 16th piece is lost."""
    if not data:
        return
    units: list[Unit] = []
    session = MediaSession(units.append)
    step = data[0] * 3 + 1
    for number, at in enumerate(range(1, len(data), step)):
        if number % 16 == 15:
            session.lost()
            continue
        session.feed(data[at : at + step], number // 3 * 3600, number * 13_000)
        if number % 3 == 2:
            session.boundary(number * 13_000)
    session.boundary(10_000_000)
    last = -1
    for unit in units:
        assert unit.data
        assert unit.pts >= 0
        if unit.track == VIDEO:
            assert unit.dts > last
            last = unit.dts
            if getattr(unit.parameters, "codec", None) in (Codec.H264, Codec.H265):
                assert split_lengths(unit.data)
