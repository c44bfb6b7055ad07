"""RTSP: messages cut anywhere, fields of all sorts, and a client joined to a server without any socket."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.model.values.media import AUDIO, VIDEO, Codec
from safecity.protocols.rtsp import client, server
from safecity.protocols.rtsp.auth import ClientAuth
from safecity.protocols.rtsp.client import ClientSession
from safecity.protocols.rtsp.message import (
    Interleaved,
    Malformed,
    RtspDecoder,
    RtspRequest,
    RtspResponse,
    interleave,
    response_to,
)
from safecity.protocols.rtsp.server import ServerAuth, ServerSession
from safecity.protocols.rtsp.tracks import choose_tracks
from safecity.protocols.rtsp.transport import (
    Transport,
    control_url,
    parse_rtp_info,
    parse_rtsp_url,
    parse_session,
    parse_transports,
)
from safecity.protocols.sdp import SessionDescription, parse_sdp

# The example of RFC 2326, 10.4, and one packet between two answers.
DESCRIBE = b"DESCRIBE rtsp://server.example.com/fizzle/foo RTSP/1.0\r\nCSeq: 312\r\nAccept: application/sdp\r\n\r\n"
ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 312\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
PACKET = b"$\x00\x00\x04abcd"
WIRE = ANSWER + PACKET + DESCRIBE + PACKET + ANSWER

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
    b"a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z2QAKKzZQHgCJ+WEAAADAAQAAAMA8DxgxlgA,aOvjyyLA\r\n"
    b"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=control:trackID=1\r\n"
    b"a=fmtp:97 streamtype=5;mode=AAC-hbr;config=1408;SizeLength=13;IndexLength=3;IndexDeltaLength=3\r\n"
    b"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=2\r\n"
)
URL = parse_rtsp_url("rtsp://10.0.0.9:8554/live?channel=1&subtype=0")


def no_auth() -> ClientAuth:
    return ClientAuth("", "", "c")


# --- messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(len(WIRE) + 1))
def test_a_stream_survives_any_split(cut: int) -> None:
    whole = RtspDecoder().feed(WIRE)
    assert [type(item) for item in whole] == [RtspResponse, Interleaved, RtspRequest, Interleaved, RtspResponse]
    decoder = RtspDecoder()
    assert decoder.feed(WIRE[:cut]) + decoder.feed(WIRE[cut:]) == whole
    assert not decoder.waiting


def test_messages_are_written_as_they_are_read() -> None:
    answer, _, request, *_ = RtspDecoder().feed(WIRE)
    assert isinstance(answer, RtspResponse)
    assert isinstance(request, RtspRequest)
    assert request.encode() == DESCRIBE
    bare = replace_fields(answer)
    assert RtspDecoder().feed(bare.encode()) == [answer]
    assert interleave(0, b"abcd") == PACKET


def replace_fields(answer: RtspResponse) -> RtspResponse:
    return answer._replace(fields=tuple(field for field in answer.fields if field[0] != "Content-Length"))


def test_bare_line_feeds_and_folded_fields_are_understood() -> None:
    wire = b"RTSP/1.0 200\nCSeq: 1\nPublic: DESCRIBE,\n PLAY\n\n" + PACKET + ANSWER
    first, packet, second = RtspDecoder().feed(wire)
    assert isinstance(first, RtspResponse)
    assert first.get("public") == "DESCRIBE, PLAY"
    assert isinstance(packet, Interleaved)
    assert isinstance(second, RtspResponse)


def test_bytes_between_packets_are_passed_over_and_counted() -> None:
    decoder = RtspDecoder()
    items = decoder.feed(b"\x80\x60junk" + PACKET + b"\xff\xfe" + ANSWER)
    assert [type(item) for item in items] == [Interleaved, RtspResponse]
    assert decoder.skipped == 8
    for _ in range(40):
        decoder.feed(b"\xff" * 10_000)
    assert decoder.broken


@pytest.mark.parametrize("head", [b"Content-Length: -1", b"Content-Length: 99999999", b"Content-Length: x"])
def test_a_length_that_cannot_be_used_breaks_the_connection(head: bytes) -> None:
    decoder = RtspDecoder()
    items = decoder.feed(b"RTSP/1.0 200 OK\r\n" + head + b"\r\n\r\n" + ANSWER)
    assert isinstance(items[0], Malformed)
    assert decoder.broken


def test_a_line_break_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="line break"):
        RtspRequest("PLAY", "rtsp://h/", (("Range", "a\r\nX: y"),)).encode()


@given(st.lists(st.binary(max_size=80), max_size=10))
@settings(max_examples=100, deadline=None)
def test_no_bytes_raise(parts: list[bytes]) -> None:
    decoder = RtspDecoder()
    for part in parts:
        for item in decoder.feed(part):
            if isinstance(item, RtspRequest):
                response_to(item, 200).encode()


# --- fields -----------------------------------------------------------------------------------------------------


def test_transport_fields_of_many_writers() -> None:
    [first, second] = parse_transports("RTP/AVP;unicast;client_port=3456-3457;mode=play, rtp/avp/tcp;interleaved=0-1")
    assert first == Transport(tcp=False, client_ports=(3456, 3457))
    assert second == Transport(tcp=True, channels=(0, 1))
    [given] = parse_transports("RTP/AVP/UDP; unicast ;server_port=5000;ssrc=0A0B0C0D;source=10.0.0.1")
    assert (given.server_ports, given.ssrc) == ((5000, 5001), 0x0A0B0C0D)
    assert parse_transports("RAW/RAW/UDP;x, RTP/AVP;client_port=99999-1")[0].client_ports is None
    for transport in (first, second, given):
        assert parse_transports(str(transport)) == [transport]


def test_session_and_rtp_info() -> None:
    assert parse_session("12345678;timeout=30") == ("12345678", 30)
    assert parse_session(" abc ; timeout = x") == ("abc", 60)
    info = "url=rtsp://h/a/trackID=0;seq=1;rtptime=4294967295,url=trackID=1;seq=9;rtptime=x,;,"
    assert parse_rtp_info(info) == {"rtsp://h/a/trackID=0": 4294967295}


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("", "trackID=1", "rtsp://10.0.0.9:8554/live?channel=1&subtype=0/trackID=1"),
        ("rtsp://10.0.0.9:8554/live/", "trackID=1", "rtsp://10.0.0.9:8554/live/trackID=1"),
        ("rtsp://10.0.0.9:8554/live", "trackID=1", "rtsp://10.0.0.9:8554/live/trackID=1"),
        ("", "rtsp://192.168.1.2/other/track1", "rtsp://10.0.0.9:8554/other/track1"),
        ("http://evil/", "*", "rtsp://10.0.0.9:8554/live?channel=1&subtype=0"),
        ("rtsp://evil:1/live/", "a b", "rtsp://10.0.0.9:8554/live/"),
    ],
)
def test_control_urls_are_joined_as_the_field_does_and_never_lead_elsewhere(base: str, control: str, url: str) -> None:
    assert control_url(URL, base, control) == url


@pytest.mark.parametrize(
    "url", ["http://h/", "rtsp:///x", "rtsp://h/ x", "rtsp://h\r\n/", "file:///etc", "rtsp://h:99999/"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rtsp_url(url)


def test_credentials_never_stay_in_a_url() -> None:
    url = parse_rtsp_url("rtsp://admin:secret@10.0.0.9/live")
    assert str(url) == "rtsp://10.0.0.9/live"
    assert "secret" not in repr(ClientAuth("admin", "secret", "c"))


# --- tracks -----------------------------------------------------------------------------------------------------


def test_the_tracks_of_a_camera_are_chosen() -> None:
    offer = choose_tracks(parse_sdp(SDP), URL, "rtsp://10.0.0.9:8554/live/")
    video, audio = offer.tracks
    assert (video.kind, video.codec, video.url) == (VIDEO, Codec.H264, "rtsp://10.0.0.9:8554/live/trackID=0")
    assert [nal[0] & 31 for nal in video.parameter_sets] == [7, 8]
    assert (audio.kind, audio.codec, audio.clock_rate) == (AUDIO, Codec.AAC, 16000)
    assert audio.audio is not None
    assert (audio.audio.sample_rate, audio.audio.channels, audio.audio.config) == (16000, 1, b"\x14\x08")
    assert offer.unsupported == ()


def test_static_payload_types_h265_and_unknown_codecs() -> None:
    text = (
        b"v=0\r\nm=video 0 RTP/AVP 26\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\n"
        b"a=fmtp:98 sprop-vps=QAEM; sprop-sps=!!!;sprop-pps=RAHA\r\nm=audio 0 RTP/AVP 8\r\n"
        b"m=audio 0 RTP/AVP 0\r\n"
    )
    offer = choose_tracks(parse_sdp(text), URL, "")
    assert [track.codec for track in offer.tracks] == [Codec.H265, Codec.PCMA]
    assert offer.tracks[0].parameter_sets[0] == b"\x40\x01\x0c"
    assert offer.unsupported == ("video/unknown",)


# --- a client joined to a server ----------------------------------------------------------------------------------


class Joined:
    """Both sessions; `run` carries bytes to and fro until both are silent."""

    def __init__(self, one: ClientSession, other: ServerSession, step: int = 1000) -> None:
        self.client, self.server, self.step = one, other, step
        self.client_says: list[client.Output] = []
        self.server_says: list[server.Output] = []
        self.requests: list[bytes] = []
        self.now = 0.0

    def run(self, outputs: list[client.Output]) -> None:
        queue: list[object] = list(outputs)
        while queue:
            output = queue.pop(0)
            if isinstance(output, client.Send):
                self.requests.append(output.data)
                for at in range(0, len(output.data), self.step):
                    queue += self.server.receive(output.data[at : at + self.step], self.now)
            elif isinstance(output, server.Send):
                for at in range(0, len(output.data), self.step):
                    queue += self.client.receive(output.data[at : at + self.step], self.now)
            elif isinstance(output, client.NeedPorts):
                self.client_says.append(output)
                queue += self.client.ports(40000 + 2 * output.track, self.now)
            elif isinstance(output, (client.Described, client.Playing, client.Media, client.Failed)):
                self.client_says.append(output)
            else:
                self.server_says.append(output)

    def last(self) -> client.Output:
        return self.client_says[-1]


def describe(path: str) -> SessionDescription | None:
    return parse_sdp(SDP) if path == "/live?channel=1&subtype=0" else None


def joined(auth: ClientAuth | None = None, server_auth: ServerAuth | None = None, **options: object) -> Joined:
    step = int(str(options.pop("step", 1000)))
    url = options.pop("url", URL)
    one = ClientSession(url, auth or no_auth(), **options)  # type: ignore[arg-type]
    other = ServerSession(describe, session="S1", nonce="n1", auth=server_auth, server_ports=(6000, 6001))
    return Joined(one, other, step)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_client_plays_over_the_connection_whatever_the_split(step: int) -> None:
    pair = joined(step=step)
    pair.run(pair.client.start(0.0))
    playing = pair.last()
    assert isinstance(playing, client.Playing)
    assert [track.codec for track in playing.tracks] == [Codec.H264, Codec.AAC]
    play = pair.server_says[-1]
    assert isinstance(play, server.Play)
    assert {number: transport.channels for number, transport in play.tracks.items()} == {0: (0, 1), 1: (2, 3)}
    wire = pair.server.packet(1, b"\x80audio")
    assert wire is not None
    assert pair.client.receive(wire, 0.0) == [client.Media(1, False, b"\x80audio")]
    report = pair.client.control_packet(1, b"\x81rtcp")
    assert report is not None
    assert pair.server.receive(report, 0.0) == [server.FromPeer(1, b"\x81rtcp")]
    assert pair.server.next_deadline() is None


def test_a_client_plays_over_udp() -> None:
    pair = joined(transport="udp")
    pair.run(pair.client.start(0.0))
    playing, play = pair.last(), pair.server_says[-1]
    assert isinstance(playing, client.Playing)
    assert isinstance(play, server.Play)
    assert playing.server_ports == ((6000, 6001), (6000, 6001))
    assert [transport.client_ports for transport in play.tracks.values()] == [(40000, 40001), (40002, 40003)]
    assert pair.client.control_packet(0, b"x") is None


@pytest.mark.parametrize("schemes", [("Digest",), ("Basic",), ("Basic", "Digest")])
@pytest.mark.parametrize(("algorithm", "qop"), [("MD5", ""), ("SHA-256", "auth"), ("MD5", "auth")])
def test_a_client_signs_in(schemes: tuple[str, ...], algorithm: str, qop: str) -> None:
    access = ServerAuth("camera", {"admin": "密码:1"}, schemes, algorithm, qop)
    pair = joined(ClientAuth("admin", "密码:1", "cnonce"), access)
    pair.run(pair.client.start(0.0))
    assert isinstance(pair.last(), client.Playing)
    if "Digest" in schemes:
        assert not any(b"Basic" in request for request in pair.requests)


@pytest.mark.parametrize(
    ("auth", "url", "step"),
    [
        (ClientAuth("admin", "wrong", "c"), URL, "rtsp_unauthorized"),
        (no_auth(), URL, "rtsp_unauthorized"),
        (ClientAuth("admin", "right", "c"), replace(URL, rest="/nothing"), "rtsp_not_found"),
    ],
)
def test_each_failure_names_its_step(auth: ClientAuth, url: object, step: str) -> None:
    pair = joined(auth, ServerAuth("camera", {"admin": "right"}), url=url)
    pair.run(pair.client.start(0.0))
    failed = pair.last()
    assert isinstance(failed, client.Failed)
    assert failed.step == step
    assert sum(b"Authorization" in request for request in pair.requests) <= 2


@pytest.mark.parametrize(
    ("sdp", "step"),
    [
        (b"v=0\r\nm=audio 0 RTP/AVP 8\r\n", "rtsp_no_video"),
        (b"v=0\r\nm=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n", "codec_unsupported"),
        (b"", "rtsp_no_video"),
    ],
)
def test_an_offer_we_cannot_use_names_its_step(sdp: bytes, step: str) -> None:
    session = ClientSession(URL, no_auth())
    session.start(0.0)
    session.receive(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", 0.0)
    body = RtspResponse(200, "OK", (("CSeq", "2"),), sdp).encode()
    [failed] = session.receive(body, 0.0)
    assert isinstance(failed, client.Failed)
    assert failed.step == step


def test_a_camera_that_says_nothing_is_given_up() -> None:
    session = ClientSession(URL, no_auth())
    session.start(0.0)
    assert session.expire(7.9) == []
    assert session.next_deadline() == 8.0
    [failed] = session.expire(8.0)
    assert failed == client.Failed("rtsp_timeout", {"method": "OPTIONS"})
    assert session.expire(100.0) == []


def test_a_camera_that_refuses_options_leaves_out_transport_and_cseq_and_likes_no_range_is_played() -> None:
    session = ClientSession(URL, no_auth())
    session.start(0.0)
    session.receive(b"RTSP/1.0 551 Option not supported\r\n\r\n", 0.0)
    session.receive(RtspResponse(200, "OK", (), SDP).encode(), 0.0)
    for _ in range(2):
        session.receive(b"RTSP/1.0 200 OK\r\nSession: 7\r\n\r\n", 0.0)
    [again] = session.receive(b"RTSP/1.0 457 Invalid Range\r\n\r\n", 0.0)
    assert isinstance(again, client.Send)
    assert b"Range" not in again.data
    [playing] = session.receive(b"RTSP/1.0 200 OK\r\nRTP-Info: url=trackID=1;rtptime=5\r\n\r\n", 0.0)
    assert isinstance(playing, client.Playing)
    assert playing.rtp_times == (None, 5)


def test_packets_before_the_answer_to_play_are_not_lost_and_channels_may_be_others_than_asked() -> None:
    session = ClientSession(URL, no_auth())
    session.start(0.0)
    session.receive(b"RTSP/1.0 200 OK\r\n\r\n", 0.0)
    session.receive(RtspResponse(200, "OK", (), SDP).encode(), 0.0)
    session.receive(b"RTSP/1.0 200 OK\r\nSession: 7\r\nTransport: RTP/AVP/TCP;interleaved=4-5\r\n\r\n", 0.0)
    session.receive(b"RTSP/1.0 200 OK\r\nTransport: RTP/AVP/TCP;interleaved=6-7\r\n\r\n", 0.0)
    outputs = session.receive(interleave(4, b"early") + b"RTSP/1.0 200 OK\r\n\r\n" + interleave(9, b"stray"), 0.0)
    assert outputs[0] == client.Media(0, False, b"early")
    assert isinstance(outputs[1], client.Playing)
    assert session.strays == 1


def test_a_session_is_kept_alive_and_survives_a_renewed_challenge() -> None:
    pair = joined(ClientAuth("admin", "right", "c"), ServerAuth("camera", {"admin": "right"}))
    pair.run(pair.client.start(0.0))
    before = len(pair.requests)
    assert pair.client.next_deadline() == 30.0
    pair.run(pair.client.expire(30.0))
    assert pair.requests[before].startswith(b"GET_PARAMETER")
    pair.server._nonce = "n2"
    pair.run(pair.client.expire(60.0))
    pair.run(pair.client.expire(90.0))
    assert not pair.client.over


def test_a_session_the_camera_forgot_is_over() -> None:
    pair = joined()
    pair.run(pair.client.start(0.0))
    [ping] = pair.client.expire(30.0)
    assert isinstance(ping, client.Send)
    number = next(line for line in ping.data.split(b"\r\n") if line.startswith(b"CSeq"))
    [failed] = pair.client.receive(b"RTSP/1.0 454 Session Not Found\r\n" + number + b"\r\n\r\n", 31.0)
    assert isinstance(failed, client.Failed)


def test_a_teardown_ends_both_sides() -> None:
    pair = joined()
    pair.run(pair.client.start(0.0))
    pair.run(pair.client.teardown())
    assert pair.server_says[-1] == server.Over("teardown")
    assert pair.client.next_deadline() is None


def test_a_silent_udp_client_is_given_up_by_the_server() -> None:
    pair = joined(transport="udp")
    pair.run(pair.client.start(0.0))
    assert pair.server.expire(64.0) == []
    pair.server.alive(64.0)
    assert pair.server.expire(128.0) == []
    assert pair.server.expire(130.0) == [server.Over("silent")]


def test_requests_of_the_camera_are_answered() -> None:
    session = ClientSession(URL, no_auth())
    session.start(0.0)
    [answer] = session.receive(b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 9\r\n\r\n", 0.0)
    assert isinstance(answer, client.Send)
    assert answer.data.startswith(b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("RECORD rtsp://h/live RTSP/1.0", 501),
        ("PLAY rtsp://h/live RTSP/1.0", 455),
        ("PAUSE rtsp://h/live RTSP/1.0", 454),
        ("SETUP rtsp://h/live/trackID=99 RTSP/1.0", 404),
        ("SETUP rtsp://h/live?channel=1&subtype=0/trackID=0 RTSP/1.0\r\nTransport: RTP/AVP;multicast", 461),
        ("TEARDOWN rtsp://h/live RTSP/1.0\r\nSession: x", 454),
    ],
)
def test_a_server_refuses_what_it_cannot_do(request_line: str, status: int) -> None:
    session = ServerSession(describe, session="S", nonce="n")
    [answer] = session.receive(f"{request_line}\r\nCSeq: 1\r\n\r\n".encode(), 0.0)
    assert isinstance(answer, server.Send)
    assert answer.data.startswith(f"RTSP/1.0 {status} ".encode())
