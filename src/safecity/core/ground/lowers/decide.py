"""What a library below us is, what we ask of it, and how that is said. Pure."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.kit.weburl import WebUrl, read_url
from safecity.protocols.gat1400.codes import public_id
from safecity.protocols.gat1400.dispositions import write_disposition, write_removal
from safecity.protocols.gat1400.envelope import write_list, write_one
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.resources import BY_NAME, DETAILS, Resource
from safecity.protocols.gat1400.subscriptions import Operation, write_cancellation, write_subscription

DAY_US: Final = 86_400 * SECOND_US
SUBSCRIBABLE: Final = {3: "APE", 4: "APEStatus", 7: "Tollgate", 9: "Lane", 13: "MotorVehicle"}
"""`SubscribeDetail` that may be asked for. What tells of persons is not among them."""
FORMS: Final = ("json", "xml")
TERM_US: Final = 180 * DAY_US
"""`EndTime` of a subscription that goes on until somebody withdraws it: so far ahead, again and again."""
RENEW_US: Final = 30 * DAY_US
"""It is moved on when no more is left."""
AGAIN_US: Final = DAY_US
"""What stands at a library is said again after so long, for one that forgot it without a word."""
LEAST_APART_US: Final = 60 * SECOND_US
"""No sooner is it said again to one that registers over and over."""
MAX_SUBSCRIPTIONS: Final = 50
"""Of one library, that are in force."""
MAX_INTERVAL: Final = 3600
GIVE_UP: Final = 13
"""Tries after which a library is no longer asked to forget something that it refuses to; an hour and more."""
CODE: Final = "lower_url"


class OrderKind(StrEnum):
    """What a library is asked for."""

    SUBSCRIPTION = "subscription"
    DISPOSITION = "disposition"


class OrderState(StrEnum):
    """Whether we still want it. What has ended never comes back: it would be a new one."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lower:
    """A library below us that somebody gave the address of. It is a device here, too, by which it registers and sends.

    url          http(s)://host:port, from an administrator and never from the library
    username     who we are there; empty: our own code
    form         of the bodies that it takes, `json` or `xml`
    watches      whether watches go down to it
    leaving      since when nobody wants it any more: it goes once everything was taken back there
    last_error   why it was not reached, or what it refused, when it was asked last; heard_at: its last answer
    """

    id: str
    device: str
    url: str
    username: str = ""
    form: str = "json"
    watches: bool = True
    leaving: int | None = None
    last_error: str = ""
    heard_at: int | None = None
    created_at: int = 0
    revision: int = 1

    @property
    def address(self) -> WebUrl:
        """To which the path of a resource is added."""
        return read_url(self.url, CODE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One thing that we ask of a library, under the same `number` for ever. Times in microseconds UTC.

    about       of a subscription `{"details"}`, of a disposition what to look for
    end         as it was said there; `until`: when it is really over, None: it is moved on
    due_at      when it is to be said next, None: there is nothing to say
    tries       since it arrived last; counted before it leaves
    placed_at   when the library took it last
    received    objects that came for it, each counted once; heard_at: when the last came
    """

    id: str
    device: str
    kind: OrderKind
    number: str
    watch: str | None = None
    title: str
    reason: str = ""
    about: dict[str, Any]
    begin: int
    end: int
    until: int | None = None
    state: OrderState = OrderState.ACTIVE
    due_at: int | None
    tries: int = 0
    placed_at: int | None = None
    last_error: str = ""
    received: int = 0
    heard_at: int | None = None
    created_by: str
    created_at: int
    ended_by: str = ""
    ended_at: int | None = None
    ending: str = ""
    revision: int = 1

    @property
    def details(self) -> frozenset[int]:
        """Numbers of `SubscribeDetail`."""
        return frozenset(self.about.get("details", ()))


@dataclass(frozen=True, slots=True)
class Ourselves:
    """As a library is to know us; `receive` is where it sends to, up to the path."""

    code: str
    name: str
    receive: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent: `body` in the words of the JSON form."""

    method: str
    target: str
    body: dict[str, Any]


def check_url(text: str) -> str:
    """`http(s)://host[:port]` as it is kept. InvalidError `lower_url`: also for one with a path, for that is given by
    the standard."""
    url = read_url(text.strip(), CODE)
    if url.target != "/":
        raise InvalidError("a path", code=CODE)
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{'https' if url.tls else 'http'}://{host}:{url.port}"


def check_details(details: Iterable[int]) -> list[int]:
    """InvalidError `lower_details` for none, or for what is not asked of libraries."""
    found = sorted(set(details))
    if not found or not set(found) <= SUBSCRIBABLE.keys():
        raise InvalidError("details", code="lower_details", params={"choices": ", ".join(map(str, SUBSCRIBABLE))})
    return found


def number_of(kind: OrderKind, organisation: str, order: str, now: int) -> str:
    """33 digits, unlike those of any other order of the same second."""
    return public_id(organisation, str(kind), now, zlib.crc32(order.encode()))


def whole_seconds(us: int) -> int:
    """As the wire tells times."""
    return us - us % SECOND_US


def next_end(one: Order, now: int) -> int:
    """`EndTime` when it is said now: moved on where it lasts until it is withdrawn."""
    if one.until is not None or one.end - now > RENEW_US:
        return one.end
    return whole_seconds(now + TERM_US)


def said(one: Order, us: Ourselves, library: str) -> Request:
    """An order that is in force is placed, under its number, as often as it is said; another one is cancelled in its
    place. `library`: its code."""
    resource, fields = _fields(one, us, library)
    if one.state is OrderState.ACTIVE:
        return Request("POST", f"/VIID/{resource.path}", write_list(resource, [fields]))
    undo = write_cancellation if one.kind is OrderKind.SUBSCRIPTION else write_removal
    done = undo(
        fields, organisation=us.name, person=one.ended_by or us.name, at=one.ended_at or one.end,
        reason=one.ending or "over",
    )  # fmt: skip
    return Request("PUT", f"/VIID/{resource.path}/{one.number}", write_one(resource, done))


def _fields(one: Order, us: Ourselves, library: str) -> tuple[Resource, dict[str, Any]]:
    who = (one.created_by or us.name, us.name)
    if one.kind is OrderKind.SUBSCRIPTION:
        return BY_NAME["Subscribe"], write_subscription(
            identity=one.number, title=one.title, details=one.details, library=library, applicant=who, begin=one.begin,
            end=one.end, receive_addr=f"{us.receive}/VIID/SubscribeNotifications",
            interval_seconds=int(one.about.get("interval", 0)), reason=one.reason,
        )  # fmt: skip
    return BY_NAME["Disposition"], write_disposition(
        identity=one.number, title=one.title, plate=one.about["plate"], priority=one.about["priority"], applicant=who,
        begin=one.begin, end=one.end, made=one.created_at,
        receive_addr=f"{us.receive}/VIID/DispositionNotifications", reason=one.reason,
        case_number=one.about.get("case", ""),
    )  # fmt: skip


def ended(one: Order, state: OrderState, *, by: str, why: str, now: int) -> Order:
    """It is wanted no more; the library is told, unless it cannot know of it."""
    known = one.placed_at is not None or one.tries > 0
    return replace(
        one, state=state, ended_by=by, ended_at=now, ending=why, due_at=now if known else None, tries=0,
        revision=one.revision + 1,
    )  # fmt: skip


def refusal(one: Order | None, now: int, *, ours: bool) -> str:
    """Why what a library sends under a number is not taken; empty: it is. `one`: what that library was asked under it;
    `ours`: any library was. Under a number that nobody here gave it speaks of its own accord."""
    if one is None:
        return "asked of another library" if ours else ""
    if one.state is not OrderState.ACTIVE or (one.until is not None and one.until <= now):
        return "not asked for any more"
    return ""


def asked_for(one: Order, of: ViidObject) -> bool:
    """Whether a subscription is to such an object."""
    return bool(one.details & frozenset(DETAILS.get(of.resource.name, ())))


def mark(operation: Operation, of: ViidObject) -> str:
    """By which an object of a notification is known again, short, for thousands are kept: what is sent twice under one
    number is one."""
    name = f"{of.resource.name}/{of.id}".encode()
    return f"{int(operation)}{hashlib.blake2b(name, digest_size=8).hexdigest()}"
