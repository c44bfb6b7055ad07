"""A picture that says when it was sent says so after the whole way through the platform, and still decodes."""

from __future__ import annotations

import io

import av

from safecity.media.live.packager import Packager
from safecity.model.values.media import Codec, Unit
from safecity.protocols.mpegps.mux import PsMuxer
from safecity.protocols.mpegps.session import MediaSession
from safecity.sim.encode import VideoEncoder, VideoSpec
from safecity.sim.scene.street import Street
from safecity.sim.stamp import read_stamp, stamped

AT = 1_763_686_800_123_456


def test_the_stamp_comes_out_where_viewers_sit_and_decoders_pass_over_it() -> None:
    street, encoder = Street(seed=5, channel=42, light=1.0), VideoEncoder(VideoSpec(width=320, height=180))
    units: list[Unit] = []
    muxer, session, packager = PsMuxer(Codec.H264), MediaSession(units.append), Packager("main")
    pictures = [encoder.encode(street.render(AT + n * 66_000, 320, 180), AT + n * 66_000) for n in range(5)]
    coded = [(one, stamped(one.data, AT + n)) for n, one in enumerate(pictures) if one]
    for one, data in coded:
        session.whole(muxer.video(data, one.pts, key=one.is_key), one.pts & 0xFFFFFFFF, AT)
    packets = [packager.feed(unit) for unit in units]
    assert [read_stamp(packet.frames) if packet else None for packet in packets] == [AT + n for n in range(5)]
    with av.open(io.BytesIO(b"".join(data for _, data in coded)), format="h264") as opened:
        assert len(list(opened.decode(video=0))) == 5


def test_what_carries_no_stamp_reads_as_none() -> None:
    assert read_stamp(b"\0\0\0\1\x65" + bytes(200)) is None
    assert read_stamp(stamped(b"\0\0\0\1\x65", AT)[:30]) is None
