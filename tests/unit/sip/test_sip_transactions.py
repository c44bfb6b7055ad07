"""Transactions told the time: two layers joined by a wire that loses, doubles and swaps what it likes."""

from __future__ import annotations

import random

import pytest

from safecity.protocols.sip.message import Malformed, Request, Response
from safecity.protocols.sip.parse import parse_message
from safecity.protocols.sip.steps import Answered, Arrived, Key, Output, Send, Stray, TimedOut
from safecity.protocols.sip.transactions import Transactions, stamp_source


def request(method: str = "MESSAGE", branch: str = "z9hG4bKabc", cseq: int = 1) -> Request:
    fields = [
        ("Via", f"SIP/2.0/UDP 10.0.0.1:5060;rport;branch={branch}"),
        ("From", "<sip:a@x>;tag=1"),
        ("To", "<sip:b@x>"),
        ("Call-ID", "c"),
        ("CSeq", f"{cseq} {method}"),
    ]
    return Request(method, "sip:b@x", fields)


def ack_to(invite: Request, response: Response) -> Request:
    changed = [("CSeq", f"{invite.cseq.number} ACK"), ("To", response.get("To")),
               ("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKack")]  # fmt: skip
    return Request("ACK", invite.uri, invite.with_fields(changed).fields)


def sent(outputs: list[Output]) -> list[Request | Response]:
    messages: list[Request | Response] = []
    for output in outputs:
        if isinstance(output, Send):
            message = parse_message(output.data)
            assert not isinstance(message, Malformed)
            messages.append(message)
    return messages


def sends_until(layer: Transactions, end: float) -> tuple[list[float], list[Output]]:
    """When the layer sent something up to `end`, and what else it said."""
    times: list[float] = []
    others: list[Output] = []
    while (at := layer.next_deadline()) is not None and at <= end:
        for output in layer.expire(at):
            if isinstance(output, Send):
                times.append(round(at, 3))
            else:
                others.append(output)
    return times, others


def test_a_request_over_udp_is_repeated_ever_more_slowly_and_given_up_after_32_seconds() -> None:
    layer = Transactions()
    key, _ = layer.send(request(), "f", False, 0.0)
    times, others = sends_until(layer, 100.0)
    assert times[:5] == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert others == [TimedOut(key)]
    assert len(layer) == 0
    assert layer.next_deadline() is None


def test_over_tcp_nothing_is_repeated() -> None:
    layer = Transactions()
    key, _ = layer.send(request(), "f", True, 0.0)
    assert sends_until(layer, 100.0) == ([], [TimedOut(key)])


def test_an_invite_is_repeated_until_something_rings_and_then_waits() -> None:
    layer = Transactions()
    invite = request("INVITE")
    layer.send(invite, "f", False, 0.0)
    assert sends_until(layer, 4.0)[0] == [0.5, 1.5, 3.5]
    layer.received(invite.respond(180, tag="t"), "f", False, 4.0)
    assert sends_until(layer, 100.0) == ([], [])


def test_each_final_answer_is_told_once() -> None:
    layer = Transactions()
    message = request()
    key, _ = layer.send(message, "f", False, 0.0)
    answer = message.respond(200, tag="t")
    assert layer.received(answer, "f", False, 0.1) == [Answered(key, answer, "f")]
    assert layer.received(answer, "f", False, 0.2) == []
    assert sends_until(layer, 10.0) == ([], [])
    assert layer.received(answer, "f", False, 11.0) == [Stray(answer)]


def test_a_repeated_request_gets_the_same_bytes_again_and_is_delivered_once() -> None:
    layer = Transactions()
    message = request()
    [arrived] = layer.received(message, "f", False, 0.0)
    assert isinstance(arrived, Arrived)
    assert layer.received(request(), "f", False, 0.1) == []  # not answered yet: absorbed
    [first] = layer.answer(arrived.key, message.respond(200, tag="t"), 0.2)
    assert layer.received(request(), "f", False, 0.3) == [first]
    assert layer.answer(arrived.key, message.respond(500, tag="t"), 0.4) == []
    sends_until(layer, 40.0)
    assert len(layer) == 0


def test_an_invite_nobody_answers_at_once_gets_a_100() -> None:
    layer = Transactions()
    layer.received(request("INVITE"), "f", False, 0.0)
    [trying] = sent(layer.expire(0.2))
    assert isinstance(trying, Response)
    assert trying.status == 100
    assert trying.to.tag == ""


def test_a_200_to_an_invite_is_repeated_until_the_ack_which_is_told_once() -> None:
    layer = Transactions()
    invite = request("INVITE")
    [arrived] = layer.received(invite, "f", False, 0.0)
    assert isinstance(arrived, Arrived)
    answer = invite.respond(200, tag="t")
    layer.answer(arrived.key, answer, 0.1)
    assert sends_until(layer, 2.0)[0] == [0.6, 1.6]
    ack = ack_to(invite, answer)
    assert layer.received(ack, "f", False, 2.0) == [Arrived(arrived.key, ack, "f")]
    assert layer.received(ack, "f", False, 2.1) == []
    assert sends_until(layer, 100.0) == ([], [])
    assert layer.received(ack, "f", False, 100.0) == [Stray(ack)]


def test_a_200_nobody_acknowledges_is_reported() -> None:
    layer = Transactions()
    invite = request("INVITE")
    [arrived] = layer.received(invite, "f", True, 0.0)
    assert isinstance(arrived, Arrived)
    layer.answer(arrived.key, invite.respond(200, tag="t"), 0.0)
    times, others = sends_until(layer, 100.0)
    assert len(times) == 10
    assert others == [TimedOut(arrived.key)]


def test_an_invite_that_nobody_here_answers_is_reported_in_the_end() -> None:
    layer = Transactions()
    [arrived] = layer.received(request("INVITE"), "f", False, 0.0)
    assert isinstance(arrived, Arrived)
    assert sends_until(layer, 1000.0) == ([0.2], [TimedOut(arrived.key)])


def test_a_refused_invite_is_acknowledged_by_the_layer_itself() -> None:
    client, server = Transactions(), Transactions()
    invite = request("INVITE")
    key, _ = client.send(invite, "s", False, 0.0)
    [arrived] = server.received(invite, "c", False, 0.0)
    assert isinstance(arrived, Arrived)
    refusal = invite.respond(486, tag="t")
    server.answer(arrived.key, refusal, 0.1)
    outputs = client.received(refusal, "s", False, 0.2)
    assert outputs[1] == Answered(key, refusal, "s")
    [ack] = sent(outputs)
    assert isinstance(ack, Request)
    assert ack.method == "ACK"
    assert ack.via.branch == invite.via.branch
    assert ack.to.tag == "t"
    assert server.received(ack, "c", False, 0.3) == []
    assert sends_until(server, 100.0) == ([], [])
    assert client.received(refusal, "s", False, 0.4) == outputs[:1]  # the refusal again: the ACK again


def test_our_ack_to_a_200_goes_out_again_when_the_200_comes_again() -> None:
    layer = Transactions()
    invite = request("INVITE")
    key, _ = layer.send(invite, "f", False, 0.0)
    answer = invite.respond(200, tag="t")
    layer.received(answer, "f", False, 0.1)
    assert layer.received(answer, "f", False, 0.2) == []
    [first] = layer.acknowledge(key, ack_to(invite, answer))
    assert layer.received(answer, "f", False, 0.3) == [first]


def test_cancel_waits_until_the_other_side_has_said_anything() -> None:
    layer = Transactions()
    invite = request("INVITE")
    key, _ = layer.send(invite, "f", False, 0.0)
    assert layer.cancel(key, 0.1) == []
    [cancel] = sent(layer.received(invite.respond(100), "f", False, 0.2))
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.via, cancel.cseq) == ("CANCEL", invite.via, (1, "CANCEL"))
    assert layer.cancel(key, 0.3) == []


def test_a_cancel_is_answered_and_handed_up_for_the_invite_it_means() -> None:
    layer = Transactions()
    invite = request("INVITE")
    [arrived] = layer.received(invite, "f", False, 0.0)
    assert isinstance(arrived, Arrived)
    cancel = request("CANCEL")
    outputs = layer.received(cancel, "f", False, 0.1)
    [ok] = sent(outputs)
    assert isinstance(ok, Response)
    assert ok.status == 200
    assert outputs[-1] == Arrived(arrived.key, cancel, "f")
    [gone] = sent(layer.received(request("CANCEL", "z9hG4bKother"), "f", False, 0.2))
    assert isinstance(gone, Response)
    assert gone.status == 481


def test_peers_without_unique_branches_are_matched_as_rfc_2543_says() -> None:
    layer = Transactions()
    first, second = request(branch="1"), request(branch="1", cseq=2)
    [one] = layer.received(first, "f", False, 0.0)
    [two] = layer.received(second, "f", False, 0.0)
    assert isinstance(one, Arrived)
    assert isinstance(two, Arrived)
    assert one.key != two.key
    assert layer.received(request(branch="1"), "f", False, 0.1) == []


def test_an_answer_to_nothing_and_an_ack_to_nothing_are_strays() -> None:
    layer = Transactions()
    answer = request().respond(200, tag="t")
    assert layer.received(answer, "f", False, 0.0) == [Stray(answer)]
    ack = request("ACK")
    assert layer.received(ack, "f", False, 0.0) == [Stray(ack)]
    assert len(layer) == 0


def test_what_is_answered_makes_room_for_what_is_new() -> None:
    layer = Transactions(limit=3)
    for number in range(10):
        assert not layer.full
        message = request(branch=f"z9hG4bK{number}")
        [arrived] = layer.received(message, "f", False, 0.0)
        assert isinstance(arrived, Arrived)
        layer.answer(arrived.key, message.respond(200, tag="t"), 0.0)
    assert len(layer) == 3
    assert len(sent(layer.received(request(branch="z9hG4bK9"), "f", False, 0.1))) == 1
    sends_until(layer, 100.0)
    assert (len(layer), len(layer._answered)) == (0, 0)


def test_a_full_layer_says_so() -> None:
    layer = Transactions(limit=2)
    for number in range(2):
        assert not layer.full
        layer.received(request(branch=f"z9hG4bK{number}"), "f", False, 0.0)
    assert layer.full


def test_the_top_via_tells_where_a_request_came_from() -> None:
    natted = request()
    stamp_source(natted, "203.0.113.9", 40000)
    assert natted.get("Via") == "SIP/2.0/UDP 10.0.0.1:5060;rport=40000;branch=z9hG4bKabc;received=203.0.113.9"
    several = Request("MESSAGE", "sip:b@x", [("Via", "SIP/2.0/UDP h;branch=1, SIP/2.0/UDP g;branch=2")])
    stamp_source(several, "203.0.113.9", 40000)
    assert several.all("Via") == ["SIP/2.0/UDP h;branch=1;received=203.0.113.9", "SIP/2.0/UDP g;branch=2"]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_two_layers_over_a_bad_wire_agree_on_every_request(seed: int, method: str) -> None:
    chance = random.Random(seed)
    client, server = Transactions(), Transactions()
    now, wire = 0.0, []
    asked: dict[Key, str] = {}
    delivered: list[str] = []
    answered: list[Key] = []

    def carry(outputs: list[Output], to_server: bool) -> None:
        for output in outputs:
            if isinstance(output, Send):
                for _ in range(chance.choice((0, 1, 1, 1, 2))):
                    wire.append((now + chance.uniform(0.01, 0.4), len(wire), to_server, output.data))
            elif isinstance(output, Arrived) and output.request.method == method:
                delivered.append(output.request.via.branch)
                status = chance.choice((200, 404))
                carry(server.answer(output.key, output.request.respond(status, tag="t"), now), False)
            elif isinstance(output, Answered) and output.response.status >= 200:
                answered.append(output.key)
                if method == "INVITE" and output.response.status == 200:
                    ack = ack_to(request("INVITE", "z9hG4bK", output.response.cseq.number), output.response)
                    carry(client.acknowledge(output.key, ack), True)

    for number in range(10):
        message = request(method, f"z9hG4bK{number}", number + 1)
        key, outputs = client.send(message, "s", False, now)
        asked[key] = message.via.branch
        carry(outputs, True)
    while now < 100.0:
        now += 0.05
        due = sorted(item for item in wire if item[0] <= now)
        wire[:] = [item for item in wire if item[0] > now]
        for _, _, to_server, data in due:
            message = parse_message(data)
            assert not isinstance(message, Malformed)
            carry((server if to_server else client).received(message, "f", False, now), not to_server)
        carry(client.expire(now), True)
        carry(server.expire(now), False)
    assert sorted(delivered) == sorted(asked.values())
    assert sorted(answered) == sorted(asked)
    assert (len(client), len(server)) == (0, 0)
