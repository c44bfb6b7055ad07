"""RTP headers, RTCP, RFC 4571 framing, and a whole source fed with hostile packets."""

from __future__ import annotations

import contextlib

from safecity.media.receive.source import RtpSource
from safecity.model.values.media import Codec, Unit
from safecity.protocols.mpegps.mux import PsMuxer
from safecity.protocols.rtp import rtcp
from safecity.protocols.rtp.framing import FramingError, TcpDeframer, frame
from safecity.protocols.rtp.packets import packetise, parse, payload_span

_PACK = PsMuxer(Codec.H264).video(
    b"\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\0\0\0\1\x68\xce\x3c\x80\0\0\1\x65\x88" + b"x" * 90, 0, key=True
)
SEEDS = [
    b"".join(map(frame, packetise(_PACK, sequence=65_530, timestamp=0, ssrc=9, size=20))),
    b"$\0" + frame(packetise(_PACK, sequence=1, timestamp=0, ssrc=9)[0]),
    b"\xff" * 256 + frame(packetise(_PACK, sequence=1, timestamp=0, ssrc=9)[0]),
    rtcp.sender_report(9, 1 << 40, 5, 6, 7) + rtcp.goodbye(9),
]


def one_input(data: bytes) -> None:
    """As one packet, as reports, as a connection."""
    rtcp.parse(data)
    span = payload_span(data, 0, len(data))
    assert span is None or 12 <= span[0] <= span[1] <= len(data)
    parse(data)
    units: list[Unit] = []
    source = RtpSource(9, units.append, 90_000)
    deframer = TcpDeframer()
    step = 1 + len(data) % 97
    with contextlib.suppress(FramingError):
        for at in range(0, len(data), step):
            for number, wire in enumerate(deframer.feed(data[at : at + step])):
                packet = parse(wire)
                if packet is not None:
                    now = at * 0.01 + number * 0.001
                    source.accept(packet.sequence, packet.timestamp, packet.marker, packet.payload, now, int(now * 1e6))
                    source.report(1, now, "fuzz")
    source.expire_held(1e9, 1)
    source.media.boundary(1)
