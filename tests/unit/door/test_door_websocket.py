"""The server's side of RFC 6455 against what a client may send, good and bad."""

from __future__ import annotations

import os
import struct

import pytest

from safecity.kit.errors import InvalidError
from safecity.protocols import websocket
from safecity.protocols.websocket import Fault, FrameDecoder, Message, accept, frame_head, parse_request

OPENING = (
    b"GET /v1/live/abc?x=1 HTTP/1.1\r\nHost: city:8081\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def masked(opcode: int, content: bytes, *, fin: bool = True) -> bytes:
    mask = os.urandom(4)
    first = (0x80 if fin else 0) | opcode
    size = len(content)
    head = bytes((first, 0x80 | size)) if size < 126 else struct.pack(">BBH", first, 0x80 | 126, size)
    return head + mask + bytes(byte ^ mask[n & 3] for n, byte in enumerate(content))


def test_the_answer_is_that_of_the_standards_example() -> None:
    request = parse_request(OPENING + b"rest")
    assert request is not None
    assert request.path == "/v1/live/abc"
    assert request.rest == b"rest"
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in accept(request.key)


def test_a_request_is_whole_only_with_its_last_byte() -> None:
    for cut in range(len(OPENING)):
        assert parse_request(OPENING[:cut]) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"NONSENSE\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 2000,
    ],
)
def test_what_is_no_request_is_refused(bad: bytes) -> None:
    with pytest.raises(InvalidError):
        parse_request(bad)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Upgrade: websocket", b"Upgrade: h2c"),
        (b"keep-alive, Upgrade", b"keep-alive"),
        (b"Version: 13", b"Version: 8"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"!!!!"),
    ],
)
def test_a_bad_opening_is_refused(old: bytes, new: bytes) -> None:
    request = parse_request(OPENING.replace(old, new))
    assert request is not None
    with pytest.raises(InvalidError):
        _ = request.key


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_any_split_gives_the_same_messages(step: int) -> None:
    wire = (
        masked(1, b"hello")
        + masked(1, b"one ", fin=False)
        + masked(9, b"ping")
        + masked(0, b"two", fin=True)
        + masked(2, b"x" * 300)
        + masked(8, b"\x03\xe8")
    )
    decoder, found = FrameDecoder(), list[Message]()
    for start in range(0, len(wire), step):
        found += decoder.feed(wire[start : start + step])
    assert found == [(1, b"hello"), (9, b"ping"), (1, b"one two"), (2, b"x" * 300), (8, b"\x03\xe8")]


@pytest.mark.parametrize(
    ("wire", "close"),
    [
        (b"\x81\x05hello", websocket.PROTOCOL_ERROR),
        (masked(0x41, b"x"), websocket.PROTOCOL_ERROR),
        (masked(3, b"x"), websocket.PROTOCOL_ERROR),
        (masked(9, b"x" * 126), websocket.PROTOCOL_ERROR),
        (masked(9, b"x", fin=False), websocket.PROTOCOL_ERROR),
        (masked(0, b"x"), websocket.PROTOCOL_ERROR),
        (masked(1, b"x", fin=False) + masked(1, b"y"), websocket.PROTOCOL_ERROR),
        (masked(1, b"x" * 4097), websocket.TOO_BIG),
        (b"\x81\xff" + struct.pack(">Q", 2**62), websocket.TOO_BIG),
        (masked(1, b"x" * 4000, fin=False) + masked(0, b"y" * 200), websocket.TOO_BIG),
        (masked(1, b"", fin=False) + masked(0, b"", fin=False) * 70, websocket.POLICY),
    ],
)
def test_a_client_that_breaks_the_rules_is_told_which(wire: bytes, close: int) -> None:
    with pytest.raises(Fault) as caught:
        FrameDecoder().feed(wire)
    assert caught.value.close == close


def test_heads_have_the_shortest_form() -> None:
    assert frame_head(2, 125) == b"\x82\x7d"
    assert frame_head(2, 126) == b"\x82\x7e\x00\x7e"
    assert frame_head(2, 65536) == b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"
