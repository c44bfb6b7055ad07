"""Both sides of a connection: who may come in, what is answered, and what a bad line costs."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from tests.unit.jt808.callers import ALL, FIX, NOW_US, PHONE, Caller, Registry, pieces

from safecity.kit.errors import ConflictError
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.commands import (
    AskParameters,
    ParametersAnswer,
    TextMessage,
    number_parameter,
)
from safecity.protocols.jt808.framing import frame
from safecity.protocols.jt808.header import Packet, Version, write_packet
from safecity.protocols.jt808.messages import AnyBody, Raw
from safecity.protocols.jt808.outputs import (
    Answered,
    Arrived,
    Authenticated,
    Dropped,
    Over,
    Refused,
    Send,
    Unanswered,
)
from safecity.protocols.jt808.platform import LOGIN_SECONDS, MAX_FAILURES
from safecity.protocols.jt808.positions import Batch, BatchKind, Location, batch
from safecity.protocols.jt808.records import MediaAnswer, MediaData
from safecity.protocols.jt808.registrar import CODE_BYTES, Terminal, code_text, hash_code
from safecity.protocols.jt808.registration import (
    AskTime,
    Heartbeat,
    PartsMissing,
    PlatformAnswer,
    RegisterAnswer,
    RegisterResult,
    Result,
    TerminalAnswer,
    TimeAnswer,
    Unregister,
    authenticate,
)
from safecity.protocols.jt808.terminal import (
    Commanded,
    Identity,
    Online,
    Phase,
    TerminalSession,
)

# --- coming in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ALL)
def test_a_known_terminal_registers_and_authenticates(version: Version) -> None:
    registry = Registry()
    caller = Caller(registry, version)
    answer = caller.register()
    assert answer.result == RegisterResult.OK
    assert answer.code == code_text((1).to_bytes(CODE_BYTES, "big"))
    assert registry.terminals[PHONE].code_hash == hash_code(answer.code, PHONE)
    assert registry.terminals[PHONE].version is version
    outputs = caller.say(authenticate(answer.code, version, imei="867530902150717"))
    assert [one for one in outputs if isinstance(one, Authenticated)] == [
        Authenticated(PHONE, version, "867530902150717" if version is Version.V2019 else "", "")
    ]
    assert caller.session.here


def test_the_version_of_an_old_terminal_is_remembered() -> None:
    """It registered long ago and only authenticates; its registration told that it is one of 2011."""
    registry = Registry()
    code = Caller(registry, Version.V2011).register().code
    again = Caller(registry, Version.V2011)
    again.say(authenticate(code, Version.V2011))
    assert again.session.here
    (arrived,) = again.say(Raw(0x0702, b"\x04abcd" + bytes(60) + b"\x02xy"))
    assert type(arrived.message.body).__name__ == "DriverCard2011"


def test_an_unknown_terminal_is_told_so_and_shown_for_approval() -> None:
    registry = Registry(there=False)
    outputs = Caller(registry).say(Identity(phone=PHONE, version=Version.V2013, plate="皖A12345").register())
    refused = outputs[1]
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.register and refused.register.plate) == ("jt_unknown_terminal", "皖A12345")
    assert Caller(registry).register().result == RegisterResult.NO_SUCH_TERMINAL
    assert registry.codes == 0


@pytest.mark.parametrize(
    ("known", "elsewhere", "result", "reason"),
    [
        ({"enabled": False}, False, RegisterResult.NO_SUCH_TERMINAL, "jt_disabled"),
        ({"terminal_id": "7654321"}, False, RegisterResult.TERMINAL_ALREADY, "jt_other_terminal"),
        ({}, True, RegisterResult.TERMINAL_ALREADY, "jt_already_here"),
    ],
)
def test_who_may_not_register(known: dict[str, Any], elsewhere: bool, result: RegisterResult, reason: str) -> None:
    registry = Registry(**known)
    registry.elsewhere = elsewhere
    caller = Caller(registry)
    outputs = caller.say(Identity(phone=PHONE, version=Version.V2013).register())
    (answer,) = caller.heard(outputs)
    assert isinstance(answer, RegisterAnswer)
    assert (answer.result, answer.code) == (result, "")
    assert [one.reason for one in outputs if isinstance(one, Refused)] == [reason]


def test_the_code_of_another_terminal_opens_nothing() -> None:
    registry = Registry()
    registry.terminals["13900000000"] = Terminal(phone="13900000000")
    code = Caller(registry).register().code
    other = Caller(registry, phone="13900000000")
    other.register()
    outputs = other.say(authenticate(code, Version.V2013))
    assert [one.reason for one in outputs if isinstance(one, Refused)] == ["jt_wrong_code"]
    assert not other.session.here


def test_an_imei_is_bound_by_its_first_use() -> None:
    registry = Registry()
    code = Caller(registry, Version.V2019).register().code
    first = Caller(registry, Version.V2019)
    first.say(authenticate(code, Version.V2019, imei="867530902150717"))
    assert first.session.here
    for imei in ("867530902150718", ""):
        thief = Caller(registry, Version.V2019)
        outputs = thief.say(authenticate(code, Version.V2019, imei=imei))
        assert [one.reason for one in outputs if isinstance(one, Refused)] == ["jt_other_imei"]
        assert not thief.session.here


def test_guessing_ends_the_connection() -> None:
    caller = Caller(Registry(code_hash=hash_code("right", PHONE)))
    reasons = [caller.say(authenticate("wrong", Version.V2013))[-1] for _ in range(MAX_FAILURES)]
    assert reasons[-1] == Over("jt_too_many_failures")
    assert caller.say(authenticate("right", Version.V2013)) == []


def test_before_it_is_authenticated_nothing_is_believed() -> None:
    caller = Caller(Registry())
    (answer,) = caller.heard(outputs := caller.say(FIX))
    assert (answer, outputs[1].reason) == (
        PlatformAnswer(serial=1, answered=0x0200, result=Result.FAILED), "jt_not_authenticated",
    )  # fmt: skip
    beat = caller.say(Heartbeat())
    assert caller.heard(beat) == [PlatformAnswer(serial=2, answered=0x0002, result=Result.FAILED)]
    assert len(beat) == 1
    assert not any(isinstance(one, Arrived) for one in outputs)


def test_the_time_is_told_to_everybody() -> None:
    caller = Caller(Registry(), Version.V2019)
    assert caller.heard(caller.say(AskTime())) == [TimeAnswer(time="260101120000")]


def test_who_does_not_log_in_is_not_waited_for() -> None:
    session = Registry().session(now=10.0)
    assert session.next_deadline() == 10.0 + LOGIN_SECONDS
    assert session.expire(10.0 + LOGIN_SECONDS) == [Over("jt_no_login")]


# --- being here -------------------------------------------------------------------------------------------------


def test_a_position_is_answered_when_it_is_stored() -> None:
    caller = Caller(Registry())
    caller.log_in()
    (arrived,) = caller.say(FIX)
    assert isinstance(arrived, Arrived)
    assert arrived.message.body == FIX
    assert caller.heard([arrived]) == [PlatformAnswer(serial=3, answered=0x0200, result=Result.OK)]


def test_a_terminal_that_lies_about_its_number_is_not_believed() -> None:
    registry = Registry()
    registry.terminals["13900000000"] = Terminal(phone="13900000000")
    caller = Caller(registry)
    caller.log_in()
    outputs = caller.say(FIX, phone="13900000000")
    assert not any(isinstance(one, Arrived) for one in outputs)
    assert [one.reason for one in outputs if isinstance(one, Refused)] == ["jt_other_phone"]
    assert [type(one) for one in caller.say(FIX)] == [Arrived]


def test_bad_frames_do_not_end_a_connection() -> None:
    caller = Caller(Registry())
    caller.log_in()
    assert caller.raw(b"\x7e garbage \x7e") == [Dropped("jt_bad_check")]
    outputs = caller.say(Raw(0x0200, b"short"))
    assert caller.heard(outputs) == [PlatformAnswer(serial=3, answered=0x0200, result=Result.BAD_MESSAGE)]
    assert outputs[-1] == Dropped("jt_bad_body")
    encrypted = caller.say(FIX, cipher=1)
    assert caller.heard(encrypted) == [PlatformAnswer(serial=4, answered=0x0200, result=Result.UNSUPPORTED)]
    assert [type(one) for one in caller.say(FIX)] == [Arrived]


def test_nonsense_alone_is_no_terminal() -> None:
    caller = Caller(Registry())
    outputs = caller.raw(b"\x7e" + b"GET / HTTP/1.1\x7e" * 300)
    assert outputs[-1] == Over("jt_nonsense")
    assert len(outputs) < 300


def test_an_unknown_message_is_kept_and_called_unsupported() -> None:
    caller = Caller(Registry())
    caller.log_in()
    (arrived,) = caller.say(Raw(0x0F99, b"abc"))
    assert arrived.message.body == Raw(0x0F99, b"abc")
    assert caller.heard([arrived]) == [PlatformAnswer(serial=3, answered=0x0F99, result=Result.UNSUPPORTED)]


def test_what_comes_twice_is_answered_twice_and_taken_once() -> None:
    caller = Caller(Registry())
    caller.log_in()
    first = caller.say(FIX)
    caller.serial -= 1
    second = caller.say(FIX)
    assert [type(one) for one in first + second] == [Arrived, Send]
    assert caller.heard(first) == caller.heard(second)


def test_any_message_is_a_sign_of_life_and_silence_ends_it() -> None:
    caller = Caller(Registry())
    caller.log_in()
    caller.say(Heartbeat(), now=100.0)
    assert caller.session.expire(279.0) == []
    assert caller.session.expire(280.0) == [Over("jt_silent")]
    assert not caller.session.here


def test_leaving_is_heard_and_answered() -> None:
    caller = Caller(Registry(), Version.V2019)
    caller.log_in()
    outputs = caller.say(Unregister())
    assert caller.heard(outputs) == [PlatformAnswer(serial=3, answered=0x0003, result=Result.OK)]
    assert outputs[-1] == Over("jt_unregistered")


def test_a_second_login_displaces_the_first() -> None:
    registry = Registry()
    first = Caller(registry)
    first.log_in()
    assert first.session.displaced() == [Over("jt_displaced")]
    assert first.say(FIX) == []
    with pytest.raises(ConflictError):
        first.session.send(TextMessage(flag=1, text="x"), 2.0)


# --- messages in parts ------------------------------------------------------------------------------------------


def test_a_picture_in_parts_is_asked_for_again_by_its_own_message() -> None:
    caller = Caller(Registry())
    caller.log_in()
    picture = MediaData(media_id=9, kind=0, format=0, event=1, channel=1, location=FIX, data=bytes(2500))
    first, second, third = pieces(caller, picture)
    assert caller.heard(caller.raw(first) + caller.raw(third)) == [
        PlatformAnswer(serial=serial, answered=0x0801, result=Result.OK) for serial in (3, 5)
    ]
    assert caller.heard(caller.session.expire(6.0)) == [MediaAnswer(media_id=9, missing=(2,))]
    (arrived,) = caller.raw(second)
    assert arrived.message.body == picture
    assert caller.heard([arrived]) == [MediaAnswer(media_id=9)]


def test_a_batch_in_parts_is_answered_when_it_is_whole() -> None:
    caller = Caller(Registry(), Version.V2019)
    caller.log_in()
    several = batch([FIX] * 50, BatchKind.CATCH_UP, Version.V2019)
    first, second = pieces(caller, several)
    caller.raw(second)
    ask = caller.session.expire(7.0)
    assert caller.heard(ask) == [PartsMissing(serial=3, parts=(1,))]
    (arrived,) = caller.raw(first)
    assert arrived.message.body == several
    assert caller.heard([arrived]) == [PlatformAnswer(serial=3, answered=0x0704, result=Result.OK)]
    caller.raw(pieces(caller, several)[0], now=10.0)
    caller.say(Heartbeat(), now=30.0)
    assert Dropped("jt_parts_missing") in caller.session.expire(41.0)


# --- commands ---------------------------------------------------------------------------------------------------


def test_commands_and_their_answers() -> None:
    caller = Caller(Registry())
    caller.log_in()
    _, text = caller.session.send(TextMessage(flag=1, text="减速"), 2.0)
    _, ask = caller.session.send(AskParameters(ids=(0x29,)), 2.0)
    _, lost = caller.session.send(TextMessage(flag=1, text="lost"), 2.0)
    said = caller.say(TerminalAnswer(serial=text, answered=0x8300, result=Result.UNSUPPORTED))
    assert said == [Answered(text, 0x8300, Result.UNSUPPORTED, None)]
    assert caller.say(TerminalAnswer(serial=ask, answered=0x8106, result=Result.OK)) == []  # "yes, in a moment"
    body = ParametersAnswer(serial=ask, parameters=(number_parameter(0x29, 10),))
    answered, arrived = caller.say(body)
    assert answered == Answered(ask, 0x8106, Result.OK, body)
    assert arrived.answer == b""
    assert caller.session.expire(17.0) == [Unanswered(lost, 0x8300)]
    assert caller.say(TerminalAnswer(serial=lost, answered=0x8300, result=Result.OK)) == []


def test_a_terminal_that_answers_nothing_is_not_asked_for_ever() -> None:
    caller = Caller(Registry())
    caller.log_in()
    with pytest.raises(ConflictError):
        for _ in range(100):
            caller.session.send(TextMessage(flag=1, text="x"), 2.0)


# --- two sessions joined ----------------------------------------------------------------------------------------


class Loop:
    """A terminal and the platform with a line between them that loses, doubles and reorders frames."""

    def __init__(self, version: Version, seed: int, loss: float) -> None:
        self.registry = Registry()
        self.identity = Identity(phone=PHONE, version=version, plate="皖A12345", imei="867530902150717")
        self.terminal = TerminalSession(self.identity)
        self.chance = random.Random(seed)
        self.loss = loss
        self.now = 0.0
        self.got: list[str] = []
        self.commands: list[AnyBody] = []
        self.answered: list[Any] = []
        self.up = False

    def connect(self) -> None:
        self.platform = self.registry.session(self.now)
        self.up = True
        self.carry(self.terminal.connected(self.now), to_platform=True)

    def carry(self, outputs: list[Any], *, to_platform: bool) -> None:
        """Every frame is a datagram of its own here: more is lost than any TCP would lose."""
        frames = [
            b"\x7e" + part + b"\x7e" for one in outputs for part in getattr(one, "data", b"").split(b"\x7e") if part
        ]
        frames = [one for one in frames for _ in range(1 + (self.chance.random() < self.loss / 2))]
        frames = [one for one in frames if self.chance.random() >= self.loss]
        self.chance.shuffle(frames)
        for data in frames:
            if not self.up:
                return
            self.to_platform(data) if to_platform else self.to_terminal(data)

    def to_platform(self, data: bytes) -> None:
        self.after_platform(self.platform.receive(data, self.now))

    def after_platform(self, outputs: list[Any]) -> None:
        self.registry.keep(outputs)
        replies: list[Any] = []
        for one in outputs:
            match one:
                case Arrived(message=message, answer=answer):
                    match message.body:
                        case Location():
                            self.got.append(message.body.time)
                        case Batch():
                            self.got += [each.time for each in message.body.locations()[0]]
                        case _:
                            pass
                    replies.append(Send(answer))
                case Send():
                    replies.append(one)
                case Answered() | Unanswered():
                    self.answered.append(one)
                case Over():
                    self.break_off()
                case _:
                    pass
        self.carry(replies, to_platform=False)

    def to_terminal(self, data: bytes) -> None:
        self.after_terminal(self.terminal.receive(data, self.now))

    def after_terminal(self, outputs: list[Any]) -> None:
        sends: list[Any] = []
        for one in outputs:
            if isinstance(one, Commanded):
                self.commands.append(one.body)
                sends.append(self.terminal.answer(one, self.now))
            elif type(one).__name__ == "Over":
                self.break_off()
            elif not isinstance(one, Online):
                sends.append(one)
        self.carry(sends, to_platform=True)

    def break_off(self) -> None:
        self.up = False
        self.terminal.lost()

    def tick(self, seconds: float = 1.0) -> None:
        self.now += seconds
        if not self.up:
            self.connect()
        self.after_terminal(self.terminal.expire(self.now))
        if self.up:
            self.after_platform(self.platform.expire(self.now))


@pytest.mark.parametrize("version", ALL)
def test_on_a_good_line_everything_arrives_once_and_in_order(version: Version) -> None:
    loop = Loop(version, 1, 0.0)
    sent = [time_text(NOW_US + second * 1_000_000) for second in range(60)]
    for time in sent[:20]:  # before there is a connection
        loop.terminal.report(dataclasses.replace(FIX, time=time), loop.now)
    loop.tick()
    assert loop.terminal.phase is Phase.ONLINE
    for time in sent[20:]:
        loop.carry(loop.terminal.report(dataclasses.replace(FIX, time=time), loop.now), to_platform=True)
        loop.tick()
    assert loop.got == sent
    assert (loop.terminal.waiting, loop.terminal.acknowledged) == (0, 60)
    assert loop.registry.codes == 1


@pytest.mark.parametrize("seed", range(6))
def test_on_a_bad_line_nothing_is_lost(seed: int) -> None:
    loop = Loop(ALL[seed % 3], seed, 0.3)
    sent = [time_text(NOW_US + second * 1_000_000) for second in range(150)]
    for time in sent:
        loop.carry(loop.terminal.report(dataclasses.replace(FIX, time=time), loop.now), to_platform=True)
        loop.tick()
    loop.loss = 0.0
    for _ in range(400):
        loop.tick()
    assert loop.terminal.waiting == 0
    assert sorted(set(loop.got)) == sent


def test_a_batch_is_received_when_each_of_its_packets_was_answered() -> None:
    """The connection breaks behind the first packet: all positions come again over the next one."""
    terminal = TerminalSession(Identity(phone=PHONE, version=Version.V2013), code="known")
    for second in range(50):
        terminal.report(dataclasses.replace(FIX, time=time_text(NOW_US + second * 1_000_000)), 0.0)
    terminal.connected(0.0)

    def hear(serial: int, answered: int) -> None:
        body = PlatformAnswer(serial=serial, answered=answered, result=Result.OK).write(Version.V2013)
        terminal.receive(frame(write_packet(Packet(id=0x8001, phone=PHONE, serial=0, body=body))), 1.0)

    hear(0, 0x0102)
    hear(1, 0x0704)
    assert (terminal.waiting, terminal.acknowledged) == (50, 0)
    terminal.lost()
    terminal.connected(2.0)
    hear(0, 0x0102)
    hear(2, 0x0704)
    hear(1, 0x0704)
    assert (terminal.waiting, terminal.acknowledged) == (0, 50)


def test_a_command_reaches_the_terminal_and_its_answer_comes_back() -> None:
    loop = Loop(Version.V2019, 1, 0.0)
    loop.tick()
    data, serial = loop.platform.send(TextMessage(flag=1, text="前方拥堵"), loop.now)
    loop.carry([Send(data)], to_platform=False)
    assert loop.commands == [TextMessage(flag=1, text="前方拥堵")]
    assert loop.answered == [Answered(serial, 0x8300, Result.OK, None)]


def test_a_terminal_whose_code_is_worth_nothing_registers_again() -> None:
    loop = Loop(Version.V2013, 1, 0.0)
    loop.terminal.code = "from another platform"
    loop.tick()
    assert not loop.up
    loop.tick()
    assert loop.terminal.phase is Phase.ONLINE
