"""Asking time servers over real sockets: the clearest answer counts, silence and refusals have names, guessers none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from safecity.kit.clock import FakeClock
from safecity.kit.errors import UnavailableError
from safecity.links.ntp import ROUNDS, ask_time
from safecity.protocols import ntp

Say = Callable[[bytes], list[bytes]]


class Server(asyncio.DatagramProtocol):
    def __init__(self, say: Say) -> None:
        self._say = say
        self.asked = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked += 1
        for reply in self._say(data):
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def server(say: Say) -> AsyncIterator[tuple[int, Server]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Server(say), local_addr=("127.0.0.1", 0))
    yield transport.get_extra_info("sockname")[1], protocol
    transport.close()
    await asyncio.sleep(0)


def at(clock: FakeClock, ahead_us: int, **more: Any) -> Say:
    """A server whose clock is ahead of ours by so much."""

    def say(question: bytes) -> list[bytes]:
        now = clock.now_us() + ahead_us
        reply = ntp.answer(question, now, now, **more)
        return [] if reply is None else [reply]

    return say


async def test_the_offset_of_this_clock_is_found() -> None:
    clock = FakeClock()
    async with server(at(clock, 2_500_000)) as (port, asked):
        found = await ask_time("127.0.0.1", port, clock)
    assert found.offset_us == pytest.approx(2_500_000, abs=2)
    assert asked.asked == ROUNDS


async def test_the_answer_that_travelled_least_counts() -> None:
    clock = FakeClock()
    delays = iter([0.4, 0.01, 0.3, 0.2])

    def late(question: bytes) -> list[bytes]:
        reply = at(clock, 0)(question)
        clock.advance(next(delays))  # on its way back
        return reply

    async with server(late) as (port, _):
        found = await ask_time("127.0.0.1", port, clock)
    assert found.delay_us == pytest.approx(10_000, abs=2)
    assert found.offset_us == pytest.approx(-5_000, abs=2)


async def test_guesses_before_the_true_answer_are_not_listened_to() -> None:
    clock = FakeClock()

    def guessed(question: bytes) -> list[bytes]:
        true = at(clock, 1_000_000)(question)[0]
        other = at(clock, 9_000_000)(question)[0]
        return [other[:24] + bytes(8) + other[32:], b"x", question, true]

    async with server(guessed) as (port, _):
        assert (await ask_time("127.0.0.1", port, clock)).offset_us == pytest.approx(1_000_000, abs=2)


@pytest.mark.parametrize(
    ("leap", "stratum", "letters", "code"),
    [(3, 2, b"", "ntp_unsynchronised"), (0, 16, b"", "ntp_unsynchronised"), (0, 0, b"RATE", "ntp_refused")],
)
async def test_a_server_that_says_no_is_not_asked_again(leap: int, stratum: int, letters: bytes, code: str) -> None:
    clock = FakeClock()

    def say(question: bytes) -> list[bytes]:
        reply = at(clock, 0, leap=leap, stratum=stratum)(question)[0]
        return [reply[:12] + letters + reply[16:] if letters else reply]

    async with server(say) as (port, asked):
        with pytest.raises(UnavailableError) as refused:
            await ask_time("127.0.0.1", port, clock)
    assert (refused.value.code, refused.value.params["server"]) == (code, "127.0.0.1")
    assert asked.asked == 1


async def test_silence_ends_at_the_deadline_and_nobody_there_at_once() -> None:
    clock = FakeClock()
    async with server(lambda _: []) as (port, _):
        with pytest.raises(UnavailableError) as silent:
            await ask_time("127.0.0.1", port, clock, timeout=0.05)
    assert silent.value.code == "ntp_no_answer"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError) as gone:
        await ask_time("127.0.0.1", port, clock, timeout=30)
    assert gone.value.code == "ntp_unreachable"


async def test_a_name_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    with pytest.raises(UnavailableError) as unknown:
        await ask_time("ntp.example", 123, FakeClock())
    assert unknown.value.code == "ntp_unknown_host"
