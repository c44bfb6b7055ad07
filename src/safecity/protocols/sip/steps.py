"""What the transaction layer takes and gives: its timers and the outputs its caller carries out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from safecity.protocols.sip.message import Message, Request, Response

MAGIC = "z9hG4bK"

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds (RFC 3261, table 4). `trying_after` is when an unanswered INVITE gets its 100."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    trying_after: float = 0.2

    @property
    def give_up(self) -> float:
        """Timers B, F, H, J, L, M."""
        return 64 * self.t1


class State(Enum):
    """Of any of the four machines."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Send(NamedTuple):
    """Put these bytes out on that flow."""

    data: bytes
    flow: object


class Arrived(NamedTuple):
    """A new request; answer it with `answer(key, ...)`. For an ACK (to a 2xx) `key` is that of its INVITE."""

    key: Key
    request: Request
    flow: object


class Answered(NamedTuple):
    """A response to a request of ours: provisional or final. Each final one comes once."""

    key: Key
    response: Response
    flow: object


class TimedOut(NamedTuple):
    """Nobody answered our request (408), or nobody acknowledged our answer."""

    key: Key


class Stray(NamedTuple):
    """A response or ACK that belongs to no transaction: counted, else ignored."""

    message: Message


Output = Send | Arrived | Answered | TimedOut | Stray
