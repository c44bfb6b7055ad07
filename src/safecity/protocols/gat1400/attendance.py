"""Who is registered, and from where: a claim of identity (`User-Identify`) is checked against it (GA/T 1400.4).

The protocol has no token after the login. What stands for one here is the address that somebody proved its password
from, and the connection if it is the one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import Final

CONNECTION_SECONDS: Final = 90.0
"""Longer than an idle connection is kept open: afterwards the port may be somebody else's."""
MAX_CONNECTIONS: Final = 20_000


class Standing(Enum):
    """What somebody who says who it is may do."""

    PROVEN = "proven"
    UNKNOWN = "unknown"  # register first
    FOREIGN = "foreign"  # somebody else's identity


@dataclass(slots=True)
class _Session:
    account: str
    host: str
    silent_at: float


class Attendance:
    """Sessions by device id. Times in seconds of any clock that does not go back."""

    def __init__(self, patience: float = 270.0) -> None:
        self._patience = patience
        self._sessions: dict[str, _Session] = {}
        self._connections: OrderedDict[tuple[str, int], tuple[str, float]] = OrderedDict()

    def registered(self, identity: str, account: str, peer: tuple[str, int], now: float) -> bool:
        """It proved its password. True when it came back by it."""
        fresh = identity not in self._sessions
        self._sessions[identity] = _Session(account, peer[0], now + self._patience)
        self._bind(peer, account, now)
        return fresh

    def standing(self, identity: str, peer: tuple[str, int], now: float) -> Standing:
        """Whether a request from there is of that one; it counts as a sign of life."""
        session = self._sessions.get(identity)
        if session is None:  # a gateway may be about to register another of its cameras on the same connection
            return Standing.UNKNOWN
        bound = self._bound(peer, now)
        if bound is not None and bound != session.account:
            return Standing.FOREIGN
        if session.host != peer[0]:
            others = any(one.host == peer[0] for one in self._sessions.values())
            return Standing.FOREIGN if others else Standing.UNKNOWN
        session.silent_at = now + self._patience
        self._bind(peer, session.account, now)
        return Standing.PROVEN

    def left(self, identity: str) -> bool:
        """Unregistered, or removed. True when it was there."""
        return self._sessions.pop(identity, None) is not None

    def host_of(self, identity: str) -> str:
        """The address it registered from, empty when it is not registered."""
        session = self._sessions.get(identity)
        return "" if session is None else session.host

    def expire(self, now: float) -> list[str]:
        """Those who have been silent for too long; they must register anew."""
        gone = [identity for identity, session in self._sessions.items() if session.silent_at <= now]
        for identity in gone:
            del self._sessions[identity]
        return gone

    def _bound(self, peer: tuple[str, int], now: float) -> str | None:
        account, until = self._connections.get(peer, ("", 0.0))
        return account if until > now else None

    def _bind(self, peer: tuple[str, int], account: str, now: float) -> None:
        self._connections.pop(peer, None)
        self._connections[peer] = account, now + CONNECTION_SECONDS
        if len(self._connections) > MAX_CONNECTIONS:
            self._connections.popitem(last=False)
