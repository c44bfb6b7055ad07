"""A port for media over TCP when the process may open no more files."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket

import pytest

from safecity.media.receive import tcp
from safecity.media.receive.tcp import TcpListener


class Socket(socket.socket):
    """Listens; takes nobody while `full`."""

    full = True
    asked = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        self.asked += 1
        if self.full:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


@pytest.fixture
def listening() -> Socket:
    made = Socket(socket.AF_INET, socket.SOCK_STREAM)
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made


async def test_where_no_file_is_left_the_loop_is_not_spun_and_the_connection_is_taken_later(
    listening: Socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tcp, "ACCEPT_PAUSE_SECONDS", 0.1)
    caplog.set_level(logging.INFO)
    taken: list[socket.socket] = []
    came = asyncio.Event()

    def accepted(number: int, sock: socket.socket, address: tuple[str, int]) -> None:
        taken.append(sock)
        came.set()

    listener = TcpListener(10_000, listening, accepted)
    caller = socket.create_connection(listening.getsockname())
    try:
        turns = 0
        async with asyncio.timeout(30):
            while listening.asked < 3:
                turns += 1
                await asyncio.sleep(0)
            assert listener.failures == listening.asked
            assert turns > 50, "asked at every turn of the loop"
            listening.full = False
            await came.wait()
        said = [record.message for record in caplog.records]
        assert [one.split(" port")[0] for one in said] == ["connections cannot be taken", "connections are taken again"]
        assert listener.failures >= 3
    finally:
        listener.close()
        for one in (caller, listening, *taken):
            one.close()


async def test_a_listener_that_rests_can_be_closed(listening: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "ACCEPT_PAUSE_SECONDS", 0.01)
    listener = TcpListener(10_000, listening, lambda *_: pytest.fail("nobody is taken"))
    caller = socket.create_connection(listening.getsockname())
    async with asyncio.timeout(30):
        while not listener.failures:
            await asyncio.sleep(0)
    listener.close()
    listening.full = False
    asked = listening.asked
    await asyncio.sleep(0.05)
    assert listening.asked == asked
    caller.close()
    listening.close()
