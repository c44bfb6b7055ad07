"""What a subscriber says on one connection, and when it gives a broker up; no sockets, a day in a millisecond."""

from __future__ import annotations

import pytest

from safecity.protocols.mqtt.packets import PING, PROTOCOL_311, Connect, Publish, write_publish
from safecity.protocols.mqtt.session import Ended, Listening, Session

LIMIT = 65_539
WELCOME = bytes.fromhex("20 02 00 00")
KNOWN = bytes.fromhex("20 02 01 00")
GRANTED = bytes.fromhex("90 03 00 01 01")


def begin(*, topic: str = "p/+") -> Session:
    session = Session(Connect(client_id="sc", version=PROTOCOL_311, keep_alive=30), topic, LIMIT, 0.0)
    assert session.output(0.0)[:1] == b"\x10"
    return session


def listening() -> Session:
    session = begin()
    session.feed(WELCOME + GRANTED, 1.0)
    session.output(1.0)
    return session


def test_it_subscribes_once_it_is_welcome_and_says_whether_the_broker_kept_what_came() -> None:
    session = begin()
    assert session.feed(KNOWN, 1.0) == []
    assert session.output(1.0).hex(" ") == "82 08 00 01 00 03 70 2f 2b 01"
    # What was kept may come before the answer.
    early = Publish("p/a", b"x", 1, 4)
    assert session.feed(write_publish(early, PROTOCOL_311) + GRANTED, 2.0) == [early, Listening(True)]
    session.acknowledge(4)
    assert session.output(2.0).hex() == "40020004"


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ("20 02 00 01", Ended("mqtt_version", 1)),
        ("20 02 00 02", Ended("mqtt_client_id", 2)),
        ("20 02 00 04", Ended("mqtt_login", 4)),
        ("20 02 00 05", Ended("mqtt_login", 5)),
        ("20 02 00 03", Ended("mqtt_refused", 3)),
        ("20 02 00 00 90 03 00 01 80", Ended("mqtt_not_allowed", 0x80)),
        ("90 03 00 01 01", Ended("mqtt_malformed")),  # before the welcome
        ("20 02 00 00 20 02 00 00", Ended("mqtt_malformed")),  # twice
    ],
)
def test_a_broker_that_says_no_is_told_apart(answer: str, end: Ended) -> None:
    session = begin()
    assert session.feed(bytes.fromhex(answer), 1.0) == [end]
    assert session.over
    session.output(1.0)
    session.acknowledge(1)
    assert session.output(1.0) == b""


def test_a_broker_that_grants_less_is_listened_to_and_said_so() -> None:
    session = begin()
    assert session.feed(WELCOME + bytes.fromhex("90 03 00 01 00"), 1.0) == [Listening(False, at_least_once=False)]


def test_whoever_never_answers_is_given_up() -> None:
    session = begin()
    assert session.expire(19.9) == []
    assert session.expire(20.0) == [Ended("mqtt_silent")]
    half = begin()
    half.feed(WELCOME, 5.0)  # and never an answer to the subscription
    assert half.feed(write_publish(Publish("p/a", b"x"), PROTOCOL_311), 24.0) == [Publish("p/a", b"x")]
    assert half.expire(25.0) == [Ended("mqtt_silent")]


def test_it_asks_whether_the_broker_is_there_and_gives_it_up_when_it_is_not() -> None:
    session = listening()
    assert session.next_deadline() == 16.0
    assert session.expire(16.0) == []
    assert session.output(16.0) == PING
    assert session.feed(bytes.fromhex("d0 00"), 17.0) == []
    assert session.expire(31.0) == []
    assert session.output(31.0) == PING
    assert session.expire(50.9) == []
    assert session.expire(51.0) == [Ended("mqtt_silent")]


def test_while_we_let_nothing_in_silence_says_nothing_and_the_broker_still_hears_from_us() -> None:
    session = listening()
    pings = 0
    for second in range(2, 3600):
        assert session.expire(float(second), deaf=True) == []
        pings += session.output(float(second)) == PING
    assert pings > 3600 / 30
    session.expire(3600.0, deaf=True)
    assert session.feed(write_publish(Publish("p/a", b"x"), PROTOCOL_311), 3601.0) == [Publish("p/a", b"x")]
    assert not session.over


def test_a_longer_or_shorter_keep_alive_of_the_broker_counts() -> None:
    session = Session(Connect(client_id="sc", keep_alive=30), "p/+", LIMIT, 0.0)
    session.output(0.0)
    session.feed(bytes.fromhex("20 06 00 00 03 13 00 0a") + bytes.fromhex("90 04 00 01 00 01"), 0.0)
    session.output(0.0)
    assert session.next_deadline() == 5.0
    assert session.feed(bytes.fromhex("e0 02 8e 00"), 1.0) == [Ended("mqtt_taken_over", 0x8E)]
