"""Who floods the SIP port is not heard for a while: the kernel drops it, and the others find room in the buffer.

Reading a message to throw it away costs as much as answering it; what a camera's port of 100 Mbit/s carries would keep
a processor busy with that alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

from safecity.links import udp_filter
from safecity.links.sip_flows import Flow
from safecity.protocols.sip.guard import Patience

logger = logging.getLogger(__name__)


class SipShield:
    """Of one endpoint. Over UDP the kernel drops what comes that way; a TCP connection is closed."""

    def __init__(self, patience: Patience | None) -> None:
        """`patience` None: everything is read."""
        self._patience = patience
        self._sock: socket.socket | None = None

    def cover(self, sock: socket.socket) -> None:
        """This UDP socket. It outlives us: what the life before cut off is heard again."""
        if self._patience is not None:
            self._sock = sock
            udp_filter.detach(sock)

    def useless(self, flow: Flow) -> None:
        """A message that was broken, refused unread or not worth an answer."""
        if self._patience is None:
            return
        way = self._patience.try_it(flow.host, flow.port, asyncio.get_running_loop().time())
        if way is None:
            return
        logger.warning("flooding source cut off source=%s:%s transport=%s", way.host, way.port or "*", flow.transport)
        if flow.connection is not None:
            flow.connection.close()
        self._put(self._patience)

    def expire(self, now: float) -> None:
        """Ask for it every few seconds."""
        if self._patience is not None and self._patience.expire(now):
            self._put(self._patience)

    def _put(self, patience: Patience) -> None:
        if self._sock is None:
            return
        blocked: list[tuple[int, int]] = []
        for way in patience.cut_off:
            with contextlib.suppress(OSError):  # IPv6: limited by its allowance alone
                blocked.append((int.from_bytes(socket.inet_aton(way.host), "big"), way.port))
        if blocked:
            udp_filter.attach(self._sock, blocked)
        else:
            udp_filter.detach(self._sock)
