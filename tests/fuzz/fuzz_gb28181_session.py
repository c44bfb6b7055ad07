"""SDP and MANSRTSP of devices, and PTZCmd of upper platforms."""

from __future__ import annotations

import contextlib

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181.mansrtsp import read_mansrtsp, write_mansrtsp
from safecity.protocols.gb28181.ptz import decode_ptz, encode_ptz
from safecity.protocols.gb28181.session import read_session, write_session

SEEDS = [
    b"v=0\r\no=1 0 0 IN IP4 1.2.3.4\r\ns=Play\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=video 10 TCP/RTP/AVP 96 98\r\n"
    b"a=setup:passive\r\na=rtpmap:96 PS/90000\r\ny=0100000001\r\nf=v/2/6/25/1/4000a/1/8/1\r\n",
    b"PLAY MANSRTSP/1.0\r\nCSeq: 1\r\nRange: npt=1.5-now\r\nScale: -2\r\n\r\n",
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nRTP-Info: seq=1;rtptime=2\r\n\r\n",
    b"A50F0186012C1078",
]


def one_input(data: bytes) -> None:
    with contextlib.suppress(InvalidError):
        session = read_session(data)
        again = read_session(write_session(session))
        assert (again.ssrc, again.port, again.tcp) == (session.ssrc, session.port, session.tcp)
    with contextlib.suppress(InvalidError):
        act = read_mansrtsp(data)
        assert type(read_mansrtsp(write_mansrtsp(act))) is type(act)
    with contextlib.suppress(InvalidError):
        command = decode_ptz(data.decode("ascii", "replace"))
        assert decode_ptz(encode_ptz(command)) == command
