"""The event envelope: one shape for every fact that leaves the process where it happened.

Maps one to one on CloudEvents 1.0; see docs/design/0004-events.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from safecity.kit.ids import fresh
from safecity.kit.trace import trace


class Mode(StrEnum):
    """Rules ignore every mode but live unless they ask for another."""

    LIVE = "live"
    TEST = "test"
    EXERCISE = "exercise"
    BACKFILL = "backfill"
    REPLAY = "replay"


class Event(Struct, frozen=True, kw_only=True):
    """A fact.

    id        `ev_...`; consumers are idempotent by it, the bus drops doubles by it
    kind      past tense, dotted: `alarm.raised`, `device.went_online`
    subject   ordering key, a shown id or a code: events of one subject stay in order
    at, seen  microseconds UTC: by the source's clock, and when we received it
    origin    platform and node: `34020000002000000001/node-1`
    cause     id of the event that this one follows from, empty where there is none
    correlation  the request whose work this is (`kit.trace`), empty where nobody asked
    area, organisation   materialised paths (`/34/3402/340202/`) of where the subject lay and to whom it belonged at
              birth, empty where unknown: rights over the fact follow them
    incarnation, number   which run of its origin sent it, and its place in what that run sent: clocks step back,
              these do not; 0 where an origin does not count
    body      plain data, additive only; a change of meaning is a new kind
    """

    kind: str
    subject: str
    at: int
    seen: int
    id: str = field(default_factory=lambda: fresh("ev"))
    version: int = 1
    origin: str = ""
    area: str = ""
    organisation: str = ""
    incarnation: str = ""
    number: int = 0
    purpose: str = ""
    cause: str = ""
    correlation: str = field(default_factory=trace)
    mode: Mode = Mode.LIVE
    body: dict[str, Any] = field(default_factory=dict)
