"""Keep flooding senders from disturbing the others on a port: the kernel drops their datagrams.

The filter itself is `links.udp_filter`: whatever it drops never takes room in the socket's buffer and never wakes us.
Who is to be blocked is found by `strangers` and by the router.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from safecity.links import udp_filter
from safecity.media.receive.batch import peer_address
from safecity.media.receive.strangers import BLOCK_SECONDS, MAX_BLOCKED

MAX_ALLOWED = 1000


class Shield:
    """The blocked of one socket. `expected` are the SSRCs of the streams that are expected on it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._until: dict[int, float] = {}
        self._closed_until = 0.0
        self.blocks = 0
        # The socket outlives us: what the life before blocked, perhaps all but its own streams, nobody would unblock.
        udp_filter.detach(sock)

    def block(
        self, peers: Iterable[tuple[int, float]], now: float, expected: Iterable[int], *, close: bool = False
    ) -> None:
        """Drop what these sources send, each for so many seconds; `close`: pass expected streams alone for a while."""
        for peer, seconds in peers:
            self._until[peer] = now + seconds
        if close or len(self._until) > MAX_BLOCKED:
            self._closed_until = now + BLOCK_SECONDS
        self._attach(now, expected)

    def renew(self, now: float, expected: Iterable[int]) -> None:
        """Other streams are expected than before."""
        if self._closed_until > now:
            self._attach(now, expected)

    def expire(self, now: float, expected: Iterable[int]) -> None:
        """Let those in again whose time is over."""
        over = [peer for peer, until in self._until.items() if until <= now]
        for peer in over:
            del self._until[peer]
        opened = 0 < self._closed_until <= now
        if opened:
            self._closed_until = 0.0
        if over or opened:
            self._attach(now, expected)

    @property
    def blocked(self) -> tuple[int, ...]:
        """The sources that are blocked now."""
        return tuple(self._until)

    def _attach(self, now: float, expected: Iterable[int]) -> None:
        self.blocks += 1
        if not self._until and not self._closed_until:
            udp_filter.detach(self._sock)
            return
        blocked: list[tuple[int, int]] = []
        for peer in tuple(self._until)[-MAX_BLOCKED:]:
            host, port = peer_address(peer)
            blocked.append((int.from_bytes(socket.inet_aton(host), "big"), port))
        udp_filter.attach(self._sock, blocked, list(expected)[:MAX_ALLOWED] if self._closed_until > now else None)
