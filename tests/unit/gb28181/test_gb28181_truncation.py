"""Every text of the protocol cut at every byte: read as far as it goes, or refused with one kind of error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181.mansrtsp import Answer, Play, read_mansrtsp, write_mansrtsp
from safecity.protocols.gb28181.ptz import Move, decode_ptz, encode_ptz
from safecity.protocols.gb28181.session import GbSession, Purpose, read_session, write_session
from safecity.protocols.gb28181.times import parse_local
from safecity.protocols.sip.digest import Challenge, answer_challenge, parse_challenge, parse_credentials
from safecity.protocols.sip.fields import parse_name_addr, parse_via

SDP = write_session(
    GbSession(
        owner="34020000001310000001", purpose=Purpose.DOWNLOAD, host="192.0.2.1", port=10_000, tcp=True, setup="active",
        ssrc=1_020_000_123, start=1_767_225_600, end=1_767_229_200, source="34020000001310000001:0", download_speed=4,
        file_size=9, stream_number=1, format="v/2/6/25/1/4000a/1/8/1",
    )
)  # fmt: skip
CHALLENGE = Challenge("3402000000", "abc", "SM3", "auth", 'with "quotes"', True)
CREDENTIALS = answer_challenge(CHALLENGE, "34020000001310000001", "secret", "REGISTER", "sip:x@y", cnonce="c")


def text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("wire", "read", "error"),
    [
        (SDP, read_session, InvalidError),
        (write_mansrtsp(Play(7, start=12.5, end=99.0)), read_mansrtsp, InvalidError),
        (write_mansrtsp(Play(7, scale=-2.0)), read_mansrtsp, InvalidError),
        (write_mansrtsp(Answer(200, 7, "OK", 5, 6)), read_mansrtsp, InvalidError),
        (encode_ptz(Move(80, -80, 3)).encode(), text(decode_ptz), InvalidError),
        (str(CHALLENGE).encode(), text(parse_challenge), ValueError),
        (str(CREDENTIALS).encode(), text(parse_credentials), ValueError),
        (b'"A \\"B\\"" <sip:34@[2001:db8::1]:5060;transport=udp>;tag=1', text(parse_name_addr), ValueError),
        (b"SIP/2.0/UDP [2001:db8::1]:5060;rport=1;branch=z9hG4bK1;received=192.0.2.9", text(parse_via), ValueError),
        (b"2026-01-02T03:04:05.678+08:00", text(parse_local), ValueError),
    ],
    ids=["sdp", "seek", "scale", "answer", "ptz", "challenge", "credentials", "address", "via", "time"],
)
def test_cut_anywhere_it_is_read_or_refused(
    wire: bytes, read: Callable[[bytes], object], error: type[Exception]
) -> None:
    whole = read(wire)
    for cut in range(len(wire)):
        for data in (wire[:cut], wire[cut:], wire[:cut] + b"\xff" + wire[cut:], wire[:cut] + wire[cut + 1 :]):
            try:
                read(data)
            except error:
                continue
    assert read(wire) == whole
