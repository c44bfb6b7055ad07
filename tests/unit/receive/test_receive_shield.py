"""The shield of a port stands on a socket that outlives the process."""

from __future__ import annotations

import socket
import sys

import pytest

from safecity.media.receive.batch import peer_key
from safecity.media.receive.shield import Shield
from safecity.media.receive.strangers import NOTHING, Judgement, Strangers
from safecity.protocols.rtp.packets import RtpPacket, write


@pytest.mark.skipif(sys.platform != "linux", reason="filters of sockets are Linux's")
def test_a_new_life_lets_in_whom_the_life_before_had_blocked() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        port.bind(("127.0.0.1", 0))
        port.settimeout(5)
        sender.bind(("127.0.0.1", 0))
        before = Shield(port)
        before.block([(peer_key(*sender.getsockname()), 10.0)], 0.0, {})
        sender.sendto(b"dropped by the kernel", port.getsockname())
        Shield(port)
        sender.sendto(b"heard", port.getsockname())
        assert port.recv(100) == b"heard"


def flood(strangers: Strangers, sources: int, each: int, now: float, pinned: frozenset[int] = frozenset()) -> Judgement:
    """As they come, in turn; the first judgement that does something."""
    for _ in range(each):
        for source in range(sources):
            if strangers.count(source) and (judged := strangers.judge(now, pinned)) != NOTHING:
                return judged
    return NOTHING


def test_one_source_that_sends_too_much_is_blocked_and_for_longer_when_it_goes_on() -> None:
    strangers, terms = Strangers(), []
    now = 100.0
    for _ in range(6):
        ((peer, seconds),), close = flood(strangers, 1, 100_000, now)
        assert (peer, close) == (0, False)
        terms.append(seconds)
        now += seconds + 0.5
    assert terms == [10, 20, 40, 80, 160, 160]
    ((_, seconds),), _ = flood(strangers, 1, 100_000, now + 1000)
    assert seconds == 10


def test_a_crowd_in_which_nobody_sends_much_closes_the_ports_to_strangers() -> None:
    assert flood(Strangers(), 200, 1000, 100.0) == Judgement([], close=True)
    assert flood(Strangers(), 5000, 1000, 100.0) == Judgement([], close=True), "more than can be counted one by one"


def test_what_a_few_forgotten_cameras_send_is_put_up_with() -> None:
    strangers = Strangers()
    for tenth in range(200):
        assert flood(strangers, 20, 19, tenth / 10) == NOTHING


def test_a_recorder_that_sends_more_channels_than_were_asked_for_is_no_stranger() -> None:
    assert flood(Strangers(), 1, 4000, 100.0, frozenset({0})) == NOTHING


@pytest.mark.skipif(sys.platform != "linux", reason="filters of sockets are Linux's")
def test_a_stream_that_is_opened_while_strangers_are_shut_out_is_let_in() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        port.bind(("127.0.0.1", 0))
        port.settimeout(5)
        shield = Shield(port)

        def send(ssrc: int) -> None:
            sender.sendto(write(RtpPacket(96, False, 1, 1, ssrc, b"x")), port.getsockname())

        shield.block([], 0.0, [7], close=True)
        send(8)
        shield.renew(1.0, [7, 8])
        send(9)
        send(8)
        assert port.recv(100)[8:12] == (8).to_bytes(4, "big")
        shield.expire(11.0, [7, 8])
        send(9)
        assert port.recv(100)[8:12] == (9).to_bytes(4, "big"), "only one datagram of 8 had been let in"
