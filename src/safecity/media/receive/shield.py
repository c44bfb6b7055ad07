"""Keep one flooding sender from disturbing the others on its port: the kernel drops its datagrams.

Classic BPF on the socket (SO_ATTACH_FILTER): whatever it drops never takes room in the socket's buffer and never
wakes us. A UDP socket's filter sees the datagram from its UDP header on.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from safecity.media.receive.batch import peer_address

STRANGER_LIMIT: Final = 2_000
"""Unexpected datagrams per second and source before it is blocked. Some ten cameras that were not told to stop send
fewer; what is below costs us next to nothing."""
FEED_LIMIT: Final = 10_000
"""Datagrams per second of one expected stream (about 110 Mbit/s) before it is blocked; also the unexpected ones of a
source that sends an expected stream as well, as a recorder with many channels may."""
BLOCK_SECONDS: Final = 10.0
MAX_BLOCKED: Final = 64
MAX_STRANGERS: Final = 256

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_LD_W, _LD_H, _ST, _LDM, _JEQ, _RET = 0x20, 0x28, 0x02, 0x60, 0x15, 0x06
_NET_SOURCE: Final = 0xFFF00000 + 12  # SKF_NET_OFF: the IPv4 source address
_PASS: Final = 0x7FFFFFFF


class Pinned(Protocol):
    """What the shield wants to know of an expected stream."""

    peer: int


def _op(code: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


def program(blocked: Iterable[tuple[int, int]], allowed: Iterable[int] | None) -> bytes:
    """Drop these (host, port; port 0: all of the host); where `allowed` is given, pass only those SSRCs."""
    code = [_op(_LD_W, 0, 0, _NET_SOURCE), _op(_ST, 0, 0, 0), _op(_LD_H, 0, 0, 0), _op(_ST, 0, 0, 1)]
    for host, port in blocked:
        if port:
            code += [_op(_LDM, 0, 0, 0), _op(_JEQ, 0, 3, host), _op(_LDM, 0, 0, 1), _op(_JEQ, 0, 1, port)]
        else:
            code += [_op(_LDM, 0, 0, 0), _op(_JEQ, 0, 1, host)]
        code.append(_op(_RET, 0, 0, 0))
    if allowed is not None:
        code.append(_op(_LD_W, 0, 0, 8 + 8))  # behind the UDP header: the SSRC; a shorter datagram is dropped
        for ssrc in allowed:
            code += [_op(_JEQ, 0, 1, ssrc), _op(_RET, 0, 0, _PASS)]
        code.append(_op(_RET, 0, 0, 0))
    else:
        code.append(_op(_RET, 0, 0, _PASS))
    return b"".join(code)


class Shield:
    """The strangers and the blocked of one socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._strangers: dict[int, int] = {}
        self._counted_since = 0.0
        self._others = 0
        self._until: dict[int, float] = {}
        self._closed_until = 0.0
        self.blocks = 0
        # The socket outlives us: what the life before blocked, perhaps all but its own streams, nobody would unblock.
        self._detach()

    def _detach(self) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

    def stranger(self, peer: int) -> int:
        """Count one unexpected datagram; how many of this source stand in the count now."""
        strangers = self._strangers
        count = strangers.get(peer, 0) + 1
        if count == 1 and len(strangers) >= MAX_STRANGERS:
            self._others += 1
            return self._others
        strangers[peer] = count
        return count

    def judge(self, now: float, expected: Mapping[int, Pinned]) -> list[int]:
        """Block whoever sent too much since the last judgement; the peers newly blocked.

        With more sources than can be counted the port passes only the expected SSRCs for a while.
        """
        elapsed = max(0.05, now - self._counted_since)
        limit = STRANGER_LIMIT * max(elapsed, 0.5)
        found = [peer for peer, count in self._strangers.items() if count > limit]
        if found:
            pinned = {source.peer for source in expected.values()}
            found = [p for p in found if p not in pinned or self._strangers[p] > FEED_LIMIT * max(elapsed, 0.5)]
        if self._others > limit or len(self._until) + len(found) > MAX_BLOCKED:
            self._closed_until = now + BLOCK_SECONDS
        elif elapsed < 1.0 and not found:
            return []
        for peer in found[:MAX_BLOCKED]:
            self._until[peer] = now + BLOCK_SECONDS
        self._strangers.clear()
        self._others = 0
        self._counted_since = now
        if found or self._closed_until > now:
            self._attach(now, expected)
        return found

    def block(self, peer: int, now: float, expected: Mapping[int, Pinned]) -> None:
        """Block one source."""
        self._until[peer] = now + BLOCK_SECONDS
        self._attach(now, expected)

    def expire(self, now: float, expected: Mapping[int, Pinned]) -> None:
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

    def _attach(self, now: float, expected: Mapping[int, Pinned]) -> None:
        self.blocks += 1
        if sys.platform != "linux":
            return
        if not self._until and not self._closed_until:
            self._detach()
            return
        blocked: list[tuple[int, int]] = []
        for peer in tuple(self._until)[-MAX_BLOCKED:]:
            host, port = peer_address(peer)
            blocked.append((int.from_bytes(socket.inet_aton(host), "big"), port))
        code = program(blocked, list(expected)[:1000] if self._closed_until > now else None)
        held = ctypes.create_string_buffer(code, len(code))
        head = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))
        self._sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)
