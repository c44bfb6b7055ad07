"""The shield of a port stands on a socket that outlives the process."""

from __future__ import annotations

import socket
import sys

import pytest

from safecity.media.receive.batch import peer_key
from safecity.media.receive.shield import Shield


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
        before.block(peer_key(*sender.getsockname()), 0.0, {})
        sender.sendto(b"dropped by the kernel", port.getsockname())
        Shield(port)
        sender.sendto(b"heard", port.getsockname())
        assert port.recv(100) == b"heard"
