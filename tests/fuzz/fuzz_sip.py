"""SIP: datagrams, streams, transactions and answers."""

from __future__ import annotations

from contextlib import suppress

from safecity.protocols.sip.message import Malformed, Request
from safecity.protocols.sip.parse import StreamDecoder, parse_message
from safecity.protocols.sip.transactions import Transactions, stamp_source
from safecity.protocols.sip.uri import parse_uri


def one_input(data: bytes) -> None:
    message = parse_message(data)
    decoder = StreamDecoder()
    half = len(data) // 2
    found = [*decoder.feed(data[:half]), *decoder.feed(data[half:])]
    layer = Transactions()
    for item in [message, *found]:
        if isinstance(item, Malformed):
            if item.answer is not None:
                assert not isinstance(parse_message(item.answer.encode()), Malformed)
            continue
        again = parse_message(item.encode())
        assert not isinstance(again, Malformed), again.reason
        assert again.body == item.body
        _ = item.expires, item.content_type
        if isinstance(item, Request):
            stamp_source(item, "192.0.2.1", 5060)
            item.respond(200, tag="t").encode()
            with suppress(ValueError):
                parse_uri(item.uri)
        layer.received(item, "flow", False, 0.0)
    layer.expire(100.0)


SEEDS = [
    b'MESSAGE sip:1@2 SIP/2.0\r\nVia: SIP/2.0/UDP h:1;rport;branch=z9hG4bK1\r\nFrom: "a" <sip:1@2>;tag=1\r\n'
    b"To: <sip:2@2>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContact: <sip:1@h>;expires=5\r\nl: 2\r\n\r\nhi",
    b"SIP/2.0 200 OK\r\nv: SIP/2.0/TCP h;branch=z9hG4bK1, SIP/2.0/UDP g\r\nf: sip:1@2;tag=1\r\nt: sip:2@2;tag=2\r\n"
    b"i: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
]
