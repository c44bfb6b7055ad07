"""SDP of GB/T 28181: written as the annexes show it, read as the field writes it, hostile input refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.protocols.sdp import MAX_MEDIA, MediaDescription, SessionDescription, parse_sdp

LIVE = (
    b"v=0\r\no=34020000002000000001 0 0 IN IP4 192.168.1.2\r\ns=Play\r\nc=IN IP4 192.168.1.2\r\nt=0 0\r\n"
    b"m=video 10000 TCP/RTP/AVP 96 98 97\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\na=rtpmap:98 H264/90000\r\n"
    b"a=rtpmap:97 MPEG4/90000\r\na=setup:passive\r\na=connection:new\r\na=streamnumber:1\r\ny=0200000123\r\n"
    b"f=v/2/6/25/1/4000a/1/8/1\r\n"
)
DOWNLOAD = (
    b"v=0\r\no=34020000001320000001 0 0 IN IP4 10.0.0.9\r\ns=Download\r\nu=34020000001320000001:3\r\n"
    b"c=IN IP4 10.0.0.9\r\nt=1700000000 1700003600\r\nm=video 6000 RTP/AVP 96\r\na=sendonly\r\n"
    b"a=rtpmap:96 PS/90000\r\na=downloadspeed:4\r\na=filesize:123456789\r\ny=1200000123\r\n"
)
TALK = b"v=0\no=- 0 0 IN IP4 1.2.3.4\ns=Play\nc=IN IP4 1.2.3.4\nt=0 0\nm=audio 9000 RTP/AVP 8\na=rtpmap:8 PCMA/8000\n"


@pytest.mark.parametrize("wire", [LIVE, DOWNLOAD])
def test_what_the_annexes_show_is_read_and_written_back_unchanged(wire: bytes) -> None:
    assert parse_sdp(wire).encode() == wire


def test_a_live_offer_is_understood() -> None:
    sdp = parse_sdp(LIVE)
    video = sdp.first("video")
    assert video is not None
    assert (sdp.name, sdp.ssrc_number, sdp.host, video.port) == ("Play", 200000123, "192.168.1.2", 10000)
    assert (video.is_tcp, video.setup, video.direction, video.stream_number) == (True, "passive", "recvonly", 1)
    assert video.payload_types == (96, 98, 97)
    assert (video.rtpmaps[96].encoding, video.rtpmaps[96].clock_rate) == ("PS", 90000)
    assert not sdp.is_history


def test_a_download_answer_is_understood() -> None:
    sdp = parse_sdp(DOWNLOAD)
    assert sdp.is_history
    assert (sdp.subject, sdp.start, sdp.end) == ("34020000001320000001:3", 1700000000, 1700003600)
    assert (sdp.media[0].download_speed, sdp.media[0].file_size) == (4.0, 123456789)


@pytest.mark.parametrize(
    ("line", "number"),
    [("streamnumber:0", 0), ("stream:1", 1), ("streamprofile:1", 1), ("streamMode:SUB", 1), ("streamMode:main", 0),
     ("stream:x", None), ("nothing:1", None)],
)  # fmt: skip
def test_the_wished_stream_is_found_under_all_its_names(line: str, number: int | None) -> None:
    assert parse_sdp(LIVE.replace(b"streamnumber:1", line.encode())).media[0].stream_number == number


def test_line_ends_blanks_case_and_unknown_lines_do_not_matter() -> None:
    odd = TALK.replace(b"m=audio", b"  hello\n\x00\nx=1\nM = audio").replace(b"a=rtpmap", b"A=RTPMAP")
    sdp = parse_sdp(odd)
    audio = sdp.first("audio")
    assert audio is not None
    assert audio.rtpmaps[8].encoding == "PCMA"
    assert audio.host == "1.2.3.4"


def test_each_medium_may_have_its_own_address() -> None:
    sdp = parse_sdp(LIVE + TALK.split(b"t=0 0\n")[1] + b"c=IN IP4 9.9.9.9\n")
    assert [media.host for media in sdp.media] == ["192.168.1.2", "9.9.9.9"]
    assert parse_sdp(sdp.encode()) == sdp


def test_an_address_of_version_6_is_written_as_such() -> None:
    sdp = SessionDescription(media=(MediaDescription("video", 1, "RTP/AVP", ("96",), host="::1"),), host="::1")
    assert b"c=IN IP6 ::1" in sdp.encode()
    assert parse_sdp(sdp.encode()).host == "::1"


@pytest.mark.parametrize("ssrc", ["", "x", "99999999999", "４", "-1"])
def test_an_unusable_ssrc_is_none(ssrc: str) -> None:
    assert parse_sdp(LIVE.replace(b"0200000123", ssrc.encode())).ssrc_number is None


def test_a_name_in_gb18030_is_read() -> None:
    assert parse_sdp(LIVE.replace(b"s=Play", "s=播放".encode("gb18030"))).name == "播放"


@pytest.mark.parametrize(
    "wire",
    [b"", b"hello", b"\xff" * 100, b"<xml/>", LIVE.replace(b"10000", b"70000"), LIVE.replace(b"10000", b"-1"),
     LIVE.replace(b"m=video 10000 TCP/RTP/AVP 96 98 97", b"m=video"), b"v=0\n" + b"a=x\n" * 2000,
     b"v=0\n" + b"m=video 1 RTP/AVP 96\n" * (MAX_MEDIA + 1), LIVE + b"a" * 70_000,
     LIVE.replace(b"c=IN IP4 192.168.1.2", b"c=IN IP4 " + b"h" * 300)],
)  # fmt: skip
def test_hostile_input_is_refused_with_one_error(wire: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_sdp(wire)
    assert caught.value.code == "sdp_invalid"


def test_a_line_break_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="line break"):
        SessionDescription(media=(), name="Play\r\nm=video").encode()


def test_truncation_anywhere_is_read_or_refused() -> None:
    for wire in (LIVE, DOWNLOAD, TALK):
        for cut in range(len(wire)):
            try:
                sdp = parse_sdp(wire[:cut])
            except InvalidError:
                continue
            assert len(sdp.media) <= 1


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for wire in (data, LIVE + data, LIVE[:90] + data):
        try:
            media = parse_sdp(wire).media
        except InvalidError:
            continue
        for line in media:
            _ = line.rtpmaps, line.fmtp(96), line.stream_number, line.file_size, line.payload_types
