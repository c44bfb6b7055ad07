"""Terminals that write what they should not: each thing has its reason, and costs nobody else anything."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.unit.jt808.callers import FIX, PHONE, Caller, Registry, pieces

from safecity.protocols.jt808.framing import Malformed, frame
from safecity.protocols.jt808.header import Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.messages import AnyBody, Raw
from safecity.protocols.jt808.outputs import Arrived, Dropped, Refused, Send
from safecity.protocols.jt808.positions import Batch, BatchKind, Item, batch
from safecity.protocols.jt808.records import DriverCard
from safecity.protocols.jt808.registrar import Terminal
from safecity.protocols.jt808.registration import AskTime, Heartbeat, PartsMissing, PlatformAnswer, Result
from safecity.protocols.jt808.subpackages import MAX_OPEN, Assembler


def here(version: Version = Version.V2013, **known: Any) -> Caller:
    caller = Caller(Registry(**known), version)
    caller.log_in()
    return caller


@pytest.mark.parametrize(
    ("at", "value", "reason"), [(4, 0xAB, "jt_bad_phone"), (15, 0, "jt_bad_part"), (15, 4, "jt_bad_part")]
)
def test_a_frame_is_dropped_for_what_is_wrong_with_it(at: int, value: int, reason: str) -> None:
    raw = bytearray(write_packet(Packet(id=0x0200, phone=PHONE, serial=1, body=b"12345", total=3, index=1)))
    raw[at] = value
    found = read_packet(bytes(raw))
    assert isinstance(found, Malformed)
    assert found.reason == reason


@pytest.mark.parametrize(("id_", "body"), [(0x0100, b"\0" * 20), (0x0102, b"\x20code")])
def test_a_registration_that_cannot_be_read_is_called_so(id_: int, body: bytes) -> None:
    caller = Caller(Registry(), Version.V2019)
    outputs = caller.say(Raw(id_, body))
    assert caller.heard(outputs) == [PlatformAnswer(serial=1, answered=id_, result=Result.BAD_MESSAGE)]
    assert [one.reason for one in outputs if isinstance(one, Refused)] == ["jt_bad_body"]


def test_a_batch_of_which_nothing_can_be_read_was_not_received() -> None:
    caller = here()
    several = batch([FIX, FIX], BatchKind.CATCH_UP)
    broken = dataclasses.replace(several, raw=tuple(one[:20] for one in several.raw))
    outputs = caller.say(broken)
    assert caller.heard(outputs) == [PlatformAnswer(serial=3, answered=0x0704, result=Result.BAD_MESSAGE)]
    assert outputs[-1] == Dropped("jt_bad_body")
    (arrived,) = caller.say(Batch(count=0, kind=0))
    assert isinstance(arrived, Arrived)


def test_a_long_batch_loses_no_position() -> None:
    """A day in the mountains in one message: what is answered is there."""
    caller = here()
    day = batch([dataclasses.replace(FIX, height=number) for number in range(3000)], BatchKind.CATCH_UP)
    outputs = [one for data in pieces(caller, day) for one in caller.raw(data)]
    (arrived,) = [one for one in outputs if isinstance(one, Arrived)]
    assert isinstance(arrived.message.body, Batch)
    found, missing = arrived.message.body.locations()
    assert ([one.height for one in found], missing) == (list(range(3000)), 0)


def test_a_part_under_another_number_is_none_of_ours() -> None:
    caller = here(Version.V2019)
    several = batch([FIX] * 50, BatchKind.CATCH_UP, Version.V2019)
    first, second = pieces(caller, several)
    forged = Packet(id=0x0704, phone="13900000000", serial=4, body=b"forged", version=Version.V2019, total=2, index=2)
    outputs = caller.raw(first) + caller.raw(frame(write_packet(forged)))
    assert [one.reason for one in outputs if isinstance(one, Refused)] == ["jt_other_phone"]
    assert not any(isinstance(one, Arrived) for one in outputs)
    (arrived,) = caller.raw(second)
    assert arrived.message.body == several


def test_a_message_that_is_pushed_out_by_others_is_counted_as_lost() -> None:
    assembler = Assembler()
    for serial in range(MAX_OPEN + 2):
        assembler.add(Packet(id=0x0801, phone=PHONE, serial=serial * 10, body=b"x", total=3, index=1), 0.0)
    _, gone = assembler.expire(1.0)
    assert [(one.serial, one.parts) for one in gone] == [(0, (2, 3)), (10, (2, 3))]
    assert assembler.expire(1.0) == ([], [])


def test_the_registration_of_another_number_does_not_change_how_messages_are_read() -> None:
    """A short registration tells that a terminal is one of 2011; one that is not its own tells nothing."""
    caller = here()
    caller.registry.terminals["13900000000"] = Terminal(phone="13900000000")
    outputs = caller.say(Raw(0x0100, bytes(30)), phone="13900000000")
    assert [one.reason for one in outputs if isinstance(one, Refused)] == ["jt_other_phone"]
    (arrived,) = caller.say(DriverCard(status=2, time="260101120000"))
    assert isinstance(arrived.message.body, DriverCard)


def test_the_question_for_the_time_is_a_sign_of_life_of_the_own_number_alone() -> None:
    caller = here(Version.V2019)
    caller.say(AskTime(), now=100.0)
    assert caller.session.heard_at == 100.0
    assert caller.session.expire(279.0) == []
    other = caller.say(AskTime(), now=150.0, phone="13900000000")
    assert [one.reason for one in other if isinstance(one, Refused)] == ["jt_other_phone"]
    assert caller.session.heard_at == 100.0


@pytest.mark.parametrize("body", [AskTime(), Heartbeat()])
def test_a_stranger_does_not_make_us_work_for_a_minute(body: AnyBody) -> None:
    caller = Caller(Registry(), Version.V2019)
    said = [len(caller.say(body)) for _ in range(1000)]
    assert sum(said) == 51  # fifty answers, and that the connection is over
    assert caller.session.over


def test_garbage_and_our_own_questions_are_no_sign_of_life() -> None:
    caller = here(Version.V2019)
    first, _ = pieces(caller, batch([FIX] * 50, BatchKind.CATCH_UP, Version.V2019))
    caller.raw(first, now=2.0)
    caller.raw(b"\x7e garbage \x7e", now=90.0)
    (ask,) = [one for one in caller.session.expire(8.0) if isinstance(one, Send)]
    assert caller.heard([ask]) == [PartsMissing(serial=3, parts=(2,))]
    assert caller.session.heard_at == 2.0


def test_an_item_that_ends_too_late_hides_neither_the_fix_nor_what_is_before_it() -> None:
    caller = here()
    raw = dataclasses.replace(FIX, items=(Item(0x01, b"\0\0\0\x05"),)).write() + b"\xeb\xff\x01"
    (arrived,) = caller.say(Raw(0x0200, raw))
    assert (arrived.message.body.latitude, arrived.message.body.items) == (31.23, (Item(0x01, b"\0\0\0\x05"),))
