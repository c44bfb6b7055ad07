"""SDP of GB/T 28181 and RTSP."""

from __future__ import annotations

from safecity.kit.errors import InvalidError
from safecity.protocols.sdp import parse_sdp


def one_input(data: bytes) -> None:
    try:
        sdp = parse_sdp(data)
    except InvalidError:
        return
    for media in sdp.media:
        _ = media.rtpmaps, media.fmtp(96), media.stream_number, media.file_size, media.download_speed, media.setup
    parse_sdp(sdp.encode())


SEEDS = [
    b"v=0\r\no=1 0 0 IN IP4 1.2.3.4\r\ns=Playback\r\nu=1:3\r\n"
    b"c=IN IP4 1.2.3.4\r\nt=1 2\r\nm=video 10000 TCP/RTP/AVP 96\r\n"
    b"a=rtpmap:96 PS/90000\r\na=fmtp:96 a=b;c\r\na=setup:passive\r\na=streamnumber:1\r\ny=0200000123\r\nf=v/2\r\n",
]
