"""RFC 4475: what is valid parses and survives writing, what is not is refused; nothing escapes as an exception."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from safecity.protocols.sip.message import Malformed, Request, Response
from safecity.protocols.sip.parse import StreamDecoder, parse_message
from safecity.protocols.sip.uri import parse_uri

_spec = importlib.util.spec_from_file_location("rfc4475", Path(__file__).with_name("rfc4475.py"))
assert _spec is not None
assert _spec.loader is not None
rfc4475 = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rfc4475)

GOOD = {**rfc4475.VALID, **rfc4475.APPLICATION}


@pytest.mark.parametrize("name", GOOD)
def test_a_valid_torture_message_parses_and_is_written_back_equal(name: str) -> None:
    message = parse_message(GOOD[name])
    assert not isinstance(message, Malformed), message.reason
    again = parse_message(message.encode())
    assert not isinstance(again, Malformed), again.reason
    strip = [field for field in message.fields if field[0] != "Content-Length"]
    assert [field for field in again.fields if field[0] != "Content-Length"] == strip
    assert (again.body, again.via, again.from_, again.to) == (message.body, message.via, message.from_, message.to)


@pytest.mark.parametrize("name", rfc4475.INVALID)
def test_an_invalid_torture_message_is_refused(name: str) -> None:
    refused = parse_message(rfc4475.INVALID[name])
    assert isinstance(refused, Malformed)
    assert refused.reason
    if refused.answer is not None:
        assert not isinstance(parse_message(refused.answer.encode()), Malformed)


@pytest.mark.parametrize("name", [*GOOD, *rfc4475.INVALID])
def test_a_torture_message_cut_anywhere_raises_nothing(name: str) -> None:
    wire = {**GOOD, **rfc4475.INVALID}[name]
    for cut in range(0, len(wire), 1 if len(wire) < 1500 else 7):
        parse_message(wire[:cut])
        decoder = StreamDecoder()
        decoder.feed(wire[:cut])
        decoder.feed(wire[cut:])


def test_the_short_tortuous_invite_is_understood() -> None:
    message = parse_message(rfc4475.WSINV)
    assert isinstance(message, Request)
    assert message.to.tag == "1918181833n"
    assert message.from_.display == 'J Rosenberg \\"'
    assert message.from_.tag == "98asjd8"
    assert message.cseq == (9, "INVITE")
    assert message.get("Max-Forwards") == "0068"
    assert message.get("Subject", "absent") == ""
    assert message.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert len(message.all("Via")) == 3
    assert message.via.branch == "390skdjuw"
    assert message.contacts[0].params == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert len(message.body) == 150


def test_unusual_characters_keep_their_meaning() -> None:
    message = parse_message(rfc4475.INTMETH)
    assert isinstance(message, Request)
    assert message.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.params["fromparam''~+*_!.-%"] == "работающий"
    assert parse_uri(message.uri).host == "example.com"
    assert message.uri in message.encode().decode()


def test_a_percent_sign_is_an_escape_only_in_uris() -> None:
    message = parse_message(rfc4475.VALID["esc02"])
    assert isinstance(message, Request)
    assert message.method == "RE%47IST%45R"
    assert len(message.contacts) == 2
    escaped = parse_message(rfc4475.VALID["esc01"])
    assert isinstance(escaped, Request)
    assert parse_uri(escaped.uri).user == "sips:user@example.com"


def test_what_follows_the_content_length_of_a_datagram_is_ignored() -> None:
    message = parse_message(rfc4475.DBLREQ)
    assert isinstance(message, Request)
    assert (message.method, message.body) == ("REGISTER", b"")


def test_two_messages_in_one_stream_are_two() -> None:
    first, second = StreamDecoder().feed(rfc4475.DBLREQ)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, second.method) == ("REGISTER", "INVITE")


def test_reasons_may_be_strange_or_missing() -> None:
    strange, missing = parse_message(rfc4475.UNREASON), parse_message(rfc4475.NOREASON)
    assert isinstance(strange, Response)
    assert isinstance(missing, Response)
    assert strange.reason.startswith("= 2**3")
    assert (missing.status, missing.reason) == (100, "")


def test_a_binary_body_comes_through_untouched() -> None:
    message = parse_message(rfc4475.MPART01)
    assert isinstance(message, Request)
    assert bytes(range(256)) in message.body
