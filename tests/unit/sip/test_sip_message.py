"""SIP messages beyond the torture tests: what devices in the field send, limits, and the stream cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safecity.protocols.sip.fields import clean, parse_name_addr, parse_params, split_list, write_params
from safecity.protocols.sip.message import Malformed, Request, Response
from safecity.protocols.sip.parse import MAX_FIELDS, StreamDecoder, parse_message
from safecity.protocols.sip.uri import SipUri, parse_uri

KEEPALIVE = (
    b"MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bK1234567\r\n"
    b"From: <sip:34020000001320000001@3402000000>;tag=1234\r\n"
    b"To: <sip:34020000002000000001@3402000000>\r\n"
    b"Call-ID: 12345678\r\n"
    b"CSeq: 20 MESSAGE\r\n"
    b"Content-Type: Application/MANSCDP+xml\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 9\r\n\r\n<Notify/>"
)


def ok(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request), message
    return message


def test_a_keepalive_is_read_and_written_back_unchanged_but_for_the_place_of_its_length() -> None:
    message = ok(KEEPALIVE)
    assert message.from_.user == "34020000001320000001"
    assert message.content_type == "application/manscdp+xml"
    assert message.encode() == KEEPALIVE


def test_compact_folded_and_spaced_names_are_the_same_field() -> None:
    odd = KEEPALIVE.replace(b"Via:", b"v :").replace(b"Call-ID:", b"i:").replace(b"From: ", b"FROM\t:\r\n ")
    odd = odd.replace(b"Content-Length", b"l")
    message, plain = ok(odd), ok(KEEPALIVE)
    assert message.fields == plain.fields
    assert message.body == plain.body


def test_a_device_without_a_domain_is_heard() -> None:
    assert ok(KEEPALIVE.replace(b"sip:34020000002000000001@3402000000 SIP", b"sip:34020000002000000001@ SIP")).method
    evil = KEEPALIVE.replace(b"sip:34020000002000000001@3402000000 SIP", b"sip:34020000002000000001@?Route=x SIP")
    assert isinstance(parse_message(evil), Malformed)


def test_bare_line_feeds_are_line_ends() -> None:
    head, _, body = KEEPALIVE.partition(b"\r\n\r\n")
    assert ok(head.replace(b"\r\n", b"\n") + b"\n\n" + body).fields == ok(KEEPALIVE).fields


def test_bytes_that_are_no_utf8_go_back_as_they_came_and_never_reach_people() -> None:
    name = "球机".encode("gb18030")
    wire = KEEPALIVE.replace(b"From: <", b'From: "' + name + b'" <').replace(
        b"Max-Forwards", b"User-Agent: " + name + b"\r\nMax-Forwards"
    )
    message = ok(wire)
    assert name in message.encode()
    assert name in message.respond(200, tag="x").encode()
    message.get("User-Agent").encode()  # storable: no surrogate is left
    assert "\ufffd" in clean(message.from_.display)


def test_an_answer_copies_what_routes_it_and_adds_our_tag() -> None:
    answer = ok(KEEPALIVE).respond(200, tag="ours", fields=[("x-gb-ver", "3.0")])
    again = parse_message(answer.encode())
    assert isinstance(again, Response)
    assert (again.status, again.reason, again.to.tag, again.cseq) == (200, "OK", "ours", (20, "MESSAGE"))
    assert again.get("X-GB-Ver") == "3.0"
    assert again.via == ok(KEEPALIVE).via


@pytest.mark.parametrize("evil", ["a\r\nX: y", "a\nX: y", "a\rX"])
def test_a_line_break_cannot_be_written_into_a_field(evil: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        ok(KEEPALIVE).with_fields([("Subject", evil)]).encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Content-Length: 9", b"Content-Length: 10"),
        (b"Content-Length: 9", b"Content-Length: +9"),
        (b"Content-Length: 9", b"Content-Length: 9999999999999"),
        (b"Max-Forwards: 70", b"Max-Forwards: 256"),
        (b"CSeq: 20", b"CSeq: 4294967296"),
        (b"Call-ID: 12345678", b"Call-ID:"),
        (b"Via: ", b"Via SIP/2.0: "),
        (b"To: <", b"To: \x00<"[:4] + b'"'),
        (b":5060;rport", b":99999;rport"),
        (b"Max-Forwards: 70", b"X: 1\r\n" * MAX_FIELDS + b"Max-Forwards: 70"),
        (b"Max-Forwards: 70", b"Via: SIP/2.0/UDP h;branch=1" + b", SIP/2.0/UDP h" * 70),
        (b"Max-Forwards: 70", b"X: " + b"y" * 40_000),
    ],
)
def test_what_breaks_a_bound_is_refused_with_a_reason(old: bytes, new: bytes) -> None:
    refused = parse_message(KEEPALIVE.replace(old, new, 1))
    assert isinstance(refused, Malformed)
    assert refused.reason


@pytest.mark.parametrize("wire", [b"SIP/2.0 200 O\rK\r\n", KEEPALIVE.replace(b"Call-ID: 12345678", b"Call-ID: ")])
def test_what_we_would_refuse_to_read_we_never_write_as_an_answer(wire: bytes) -> None:
    tail = KEEPALIVE.partition(b"\r\n")[2] if wire.startswith(b"SIP") else b""
    refused = parse_message(wire + tail)
    assert isinstance(refused, Malformed)
    assert refused.answer is None


def test_a_datagram_above_64_kb_is_refused() -> None:
    assert isinstance(parse_message(KEEPALIVE + b"x" * 65_536), Malformed)


def test_a_broken_request_whose_way_back_is_known_gets_an_answer_no_larger_than_itself() -> None:
    wire = KEEPALIVE.replace(b"Content-Length: 9", b"Content-Length: -1")
    refused = parse_message(wire)
    assert isinstance(refused, Malformed)
    assert refused.answer is not None
    assert refused.answer.status == 400
    assert len(refused.answer.encode()) < len(wire) * 1.5


@pytest.mark.parametrize("cut", range(1, len(KEEPALIVE) * 2, 3))
def test_a_stream_survives_any_split(cut: int) -> None:
    wire = b"\r\n\r\n" + KEEPALIVE + KEEPALIVE
    decoder = StreamDecoder()
    found = decoder.feed(wire[:cut]) + decoder.feed(wire[cut:])
    assert [message.body for message in found if isinstance(message, Request)] == [b"<Notify/>"] * 2
    assert decoder.take_pings() == 1
    assert not decoder.waiting


@given(st.lists(st.integers(0, len(KEEPALIVE) * 3), max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_stream_survives_many_splits(cuts: list[int]) -> None:
    wire = KEEPALIVE * 3
    decoder, found, last = StreamDecoder(), 0, 0
    for cut in [*sorted(cuts), len(wire)]:
        found += len(decoder.feed(wire[last:cut]))
        last = cut
    assert found == 3


def test_a_stream_whose_framing_is_lost_is_broken_and_holds_nothing() -> None:
    decoder = StreamDecoder()
    bad = decoder.feed(KEEPALIVE.replace(b"Length: 9", b"Length: 9\r\nl: 8"))
    assert isinstance(bad[0], Malformed)
    assert decoder.broken
    assert decoder.feed(KEEPALIVE) == []


def test_a_stream_refuses_a_message_above_256_kb_before_it_has_arrived() -> None:
    decoder = StreamDecoder()
    found = decoder.feed(KEEPALIVE.replace(b"Content-Length: 9", b"Content-Length: 999999"))
    assert isinstance(found[0], Malformed)
    assert decoder.broken


def test_a_head_without_end_is_given_up() -> None:
    decoder = StreamDecoder()
    found = [item for _ in range(40) for item in decoder.feed(b"X: " + b"y" * 1000 + b"\r\n")]
    assert isinstance(found[0], Malformed)
    assert decoder.broken


def test_a_refused_message_with_a_known_length_does_not_harm_the_next_one() -> None:
    bad = KEEPALIVE.replace(b"CSeq: 20 MESSAGE", b"CSeq: 20 INVITE")
    first, second = StreamDecoder().feed(bad + KEEPALIVE)
    assert isinstance(first, Malformed)
    assert isinstance(second, Request)


@pytest.mark.parametrize(
    ("text", "uri", "display", "tag"),
    [
        ("<sip:1@2>;tag=a", "sip:1@2", "", "a"),
        ("sip:1@2;tag=a", "sip:1@2", "", "a"),
        ('"a \\"b\\"" <sip:1@2:5060;transport=tcp> ; tag = a', "sip:1@2:5060;transport=tcp", 'a "b"', "a"),
        ("NVR 1 <sip:1@2>", "sip:1@2", "NVR 1", ""),
        ("<sip:1@[::1]:5060>;tag=a", "sip:1@[::1]:5060", "", "a"),
    ],
)
def test_addresses_of_all_forms(text: str, uri: str, display: str, tag: str) -> None:
    address = parse_name_addr(text)
    assert (address.uri, address.display, address.tag) == (uri, display, tag)
    assert parse_name_addr(str(address)) == address


def test_uris_are_taken_apart_without_judging_the_host() -> None:
    assert parse_uri("sip:34020000001320000001@3402000000") == SipUri("34020000001320000001", "3402000000")
    assert parse_uri("SIPS:[::1]:5061;lr") == SipUri("", "::1", 5061, {"lr": None}, scheme="sips")
    assert str(parse_uri("sip:a%40b@h:1;x=y?H=v")) == "sip:a%40b@h:1;x=y?H=v"
    for bad in ("sip:", "http://x", "sip:a@h:70000", "sip:a@[::1", "sip:a@h:1x"):
        with pytest.raises(ValueError, match=r"."):
            parse_uri(bad)


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), st.none() | st.text(max_size=12), max_size=5)
)
@example({"a": ":;b=c", "b": "[;]", "c": "", "d": ' ,"'})
@settings(max_examples=60, deadline=None)
def test_parameters_survive_writing(params: dict[str, str | None]) -> None:
    kept = {name: value for name, value in params.items() if not value or "\r" not in value}
    assert parse_params(write_params(kept)) == kept


def test_lists_are_split_outside_quotes_and_brackets() -> None:
    assert split_list('"a,b" <sip:x,y@h>, , c;d="e,\\"f"') == ['"a,b" <sip:x,y@h>', 'c;d="e,\\"f"']


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_parser_raise(data: bytes) -> None:
    parse_message(data)
    parse_message(KEEPALIVE[:150] + data)
    StreamDecoder().feed(data + b"\r\n\r\n")
