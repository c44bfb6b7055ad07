"""What the platform's side of a connection decides, for its caller to carry out in order."""

from __future__ import annotations

from typing import NamedTuple

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import AnyBody, Message
from safecity.protocols.jt808.registration import Register


class Send(NamedTuple):
    """Put these bytes on the connection."""

    data: bytes


class Arrived(NamedTuple):
    """A message of the authenticated terminal. Send `answer` (may be empty) once it is stored."""

    message: Message
    answer: bytes


class Registered(NamedTuple):
    """It was given a new code: store the hash and the terminal id before anything else."""

    phone: str
    register: Register
    version: Version
    code_hash: bytes


class Authenticated(NamedTuple):
    """It is here. A session of the same phone elsewhere is over by that; store an IMEI that is new."""

    phone: str
    version: Version
    imei: str
    software: str


class Refused(NamedTuple):
    """Somebody was turned away; `register` where it said what it is."""

    phone: str
    reason: str
    register: Register | None
    version: Version


class Answered(NamedTuple):
    """Of what was sent with `serial`. `result` of a general answer, OK where a body came; `body` may be None."""

    serial: int
    id: int
    result: int
    body: AnyBody | None


class Unanswered(NamedTuple):
    """Nothing came in time."""

    serial: int
    id: int


class Dropped(NamedTuple):
    """Something that was no message, or came too late to be one."""

    reason: str


class Over(NamedTuple):
    """Close the connection."""

    reason: str


Output = Send | Arrived | Registered | Authenticated | Refused | Answered | Unanswered | Dropped | Over
