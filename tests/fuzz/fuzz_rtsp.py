"""RTSP: the decoder, a client that talks to noise, a server that is talked to by noise."""

from __future__ import annotations

from safecity.protocols.rtsp.auth import ClientAuth
from safecity.protocols.rtsp.client import ClientSession
from safecity.protocols.rtsp.message import RtspDecoder, RtspRequest, RtspResponse
from safecity.protocols.rtsp.server import ServerAuth, ServerSession
from safecity.protocols.rtsp.transport import parse_rtp_info, parse_rtsp_url, parse_session, parse_transports
from safecity.protocols.sdp import parse_sdp

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
URL = parse_rtsp_url("rtsp://10.0.0.9/live")


def one_input(data: bytes) -> None:
    half = len(data) // 2
    whole, cut = RtspDecoder(), RtspDecoder()
    items = whole.feed(data)
    assert cut.feed(data[:half]) + cut.feed(data[half:]) == items
    for item in items:
        if isinstance(item, RtspRequest | RtspResponse):
            for text in (item.get("Transport"), item.get("Session"), item.get("RTP-Info")):
                parse_transports(text), parse_session(text), parse_rtp_info(text)
    for schemes in (None, ServerAuth("r", {"u": "p"}, ("Digest", "Basic"))):
        server = ServerSession(lambda path: parse_sdp(SDP), session="S", nonce="n", auth=schemes, server_ports=(1, 2))
        server.receive(data, 0.0)
        server.expire(1000.0)
    for transport in ("tcp", "udp"):
        client = ClientSession(URL, ClientAuth("u", "p", "c"), transport=transport)
        client.start(0.0)
        for part in (b"RTSP/1.0 200 OK\r\n\r\n", data, RtspResponse(200, "OK", (), SDP).encode(), data):
            client.receive(part, 0.0)
        client.ports(40000, 0.0)
        client.receive(data, 0.0)
        client.expire(1000.0)


SEEDS = [
    b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 7;timeout=5\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n",
    b'RTSP/1.0 401 No\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\n$\x00\x00\x03abc',
    b"SETUP rtsp://h/live/trackID=0 RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP;unicast;client_port=5-6\r\n\r\n",
    b"PLAY rtsp://h/live RTSP/1.0\r\nCSeq: 4\r\nSession: S\r\nAuthorization: Basic dTpw\r\n\r\n$\x01\x00\x01a",
]
