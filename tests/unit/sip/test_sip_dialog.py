"""Dialogs from both ends: the same id mirrored, CSeq that counts, routes and targets that are kept."""

from __future__ import annotations

from safecity.protocols.sip.dialog import Dialog, DialogId, Order
from safecity.protocols.sip.message import Request, Response

INVITE = Request(
    "INVITE",
    "sip:ch@10.0.0.2",
    [
        ("Via", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1"),
        ("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"),
        ("From", "<sip:platform@x>;tag=mine"),
        ("To", "<sip:ch@x>"),
        ("Call-ID", "c"),
        ("CSeq", "7 INVITE"),
        ("Contact", "<sip:platform@10.0.0.1:5060>"),
    ],
)


def pair() -> tuple[Dialog, Dialog]:
    answer = INVITE.respond(200, tag="theirs", fields=[("Contact", "<sip:ch@10.0.0.2:5061>")])
    return Dialog.by_client(INVITE, answer), Dialog.by_server(INVITE, "theirs")


def test_both_ends_hold_the_same_dialog_mirrored() -> None:
    client, server = pair()
    assert client.id == DialogId("c", "mine", "theirs")
    assert server.id == DialogId("c", "theirs", "mine")
    assert client.target == "sip:ch@10.0.0.2:5061"
    assert server.target == "sip:platform@10.0.0.1:5060"
    assert client.route == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert server.route == ["<sip:p1;lr>", "<sip:p2;lr>"]


def test_the_ack_keeps_the_number_of_its_invite_and_what_follows_counts_on() -> None:
    client, server = pair()
    ack, info, bye = client.ack(), client.request("INFO", body=b"PLAY"), client.request("BYE")
    assert [item.cseq for item in (ack, info, bye)] == [(7, "ACK"), (8, "INFO"), (9, "BYE")]
    assert [server.judge(item) for item in (ack, info, bye)] == [Order.NEXT] * 3
    again = client.request("INVITE", contact="sip:platform@10.0.0.1:5060")
    assert (again.cseq.number, client.ack().cseq.number) == (10, 10)


def test_requests_of_the_other_end_are_judged_by_dialog_and_order() -> None:
    client, server = pair()
    late, bye = server.request("INFO"), server.request("BYE")
    assert client.judge(bye) is Order.NEXT
    assert client.judge(bye) is Order.NEXT  # the field repeats numbers
    assert client.judge(late) is Order.OLD
    stranger = Dialog(DialogId("other", "a", "b"), server.local, server.remote, "sip:x@y", [], local_cseq=0)
    assert client.judge(stranger.request("BYE")) is Order.FOREIGN


def test_a_notify_or_re_invite_moves_the_target() -> None:
    client, server = pair()
    client.judge(server.request("NOTIFY", contact="sip:ch@10.0.0.9:5060"))
    assert client.request("BYE").uri == "sip:ch@10.0.0.9:5060"
    client.refreshed(Response(200, "OK", [("Contact", "<sip:ch@10.0.0.10>")]))
    client.refreshed(Response(404, "Not Found", [("Contact", "<sip:ch@10.0.0.11>")]))
    assert client.target == "sip:ch@10.0.0.10"


def test_without_a_contact_the_address_of_the_other_end_must_do() -> None:
    bare = Request("INVITE", "sip:ch@10.0.0.2", [field for field in INVITE.fields if field[0] != "Contact"])
    assert Dialog.by_client(bare, bare.respond(200, tag="t")).target == "sip:ch@10.0.0.2"
    assert Dialog.by_server(bare, "t").target == "sip:platform@x"


def test_an_answer_without_a_tag_makes_a_dialog_whose_other_tag_is_empty() -> None:
    """RFC 3261, 12.1.2: old devices write none."""
    dialog = Dialog.by_client(INVITE, INVITE.respond(200))
    assert dialog.id.remote_tag == ""
    bye = dialog.request("BYE")
    assert "tag" not in bye.to.params
