"""A case: what it is for, who may read and write it, how it lives, and what lies in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError, InvalidError

DAY_US: Final = 86_400 * SECOND_US
MOST_ENTRIES: Final = 2_000
MOST_RESULTS: Final = 100
"""Chosen results of one entry."""
MOST_STRETCHES: Final = 50
MOST_BYTES: Final = 64 << 20
"""Of the pictures of one entry."""
LONGEST_US: Final = DAY_US
"""Of one stretch of footage, as of one export."""
_MEMBERS: Final = ("user:", "organisation:")
MOST_MEMBERS: Final = 50


class CaseState(StrEnum):
    """Life of a case. What it refers to is held from deletion while it is open."""

    OPEN = "open"
    CLOSED = "closed"


ALLOWED: Final = {CaseState.OPEN: {CaseState.CLOSED}, CaseState.CLOSED: {CaseState.OPEN}}


class EntryKind(StrEnum):
    """What somebody put into a case."""

    SEARCH = "search"
    FOOTAGE = "footage"
    ALARM = "alarm"
    NOTE = "note"


class ResultKind(StrEnum):
    """What an entry refers to. A stretch is footage of one channel."""

    PASSAGE = "passage"
    VIOLATION = "violation"
    STRETCH = "stretch"
    ALARM = "alarm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """An investigation that gathers evidence.

    purpose            what everything in it was looked at for, as with passages; it never changes
    ground             the legal ground, in words
    readers, writers   seats (`user:ID`, `organisation:ID`) beside the owner; they narrow rights and never give one
    keep_until         None while it is open; then it is forgotten with all that it kept
    """

    id: str
    number: str
    title: str
    purpose: str
    ground: str
    state: CaseState = CaseState.OPEN
    owner: str
    owner_name: str
    readers: frozenset[str] = frozenset()
    writers: frozenset[str] = frozenset()
    area: str | None = None
    area_path: str = "/"
    organisation: str | None = None
    organisation_path: str = "/"
    opened_at: int
    closed_at: int | None = None
    closed_name: str = ""
    closing: str = ""
    keep_until: int | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class CasePicture:
    """A copy of its own in `Blobs`: the original may be forgotten. `kind` as GA/T 1400 numbers pictures."""

    key: str
    sha256: str
    size: int
    kind: str
    format: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What was put in, by whom and when.

    stock      what a search looked through: `passages`, `violations`, `recordings`, `alarms`; empty for what is none
    question   what it asked for
    looked     what it looked at: see docs/design/0019-cases.md
    """

    id: str
    case: str
    kind: EntryKind
    stock: str = ""
    question: dict[str, Any] = field(default_factory=dict[str, Any])
    looked: dict[str, Any] = field(default_factory=dict[str, Any])
    words: str = ""
    by: str
    by_name: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One thing that an entry refers to, as it was then: whoever reads it needs the rights that the thing itself asks.

    source             id of the original, which may be forgotten meanwhile; empty for a stretch
    at, until          of a stretch its beginning and end
    audience           of an alarm: the seats that it is for
    hold               what keeps a stretch from deletion; None where nothing does (any more)
    """

    id: str
    case: str
    entry: str
    kind: ResultKind
    source: str = ""
    at: int
    until: int | None = None
    plate: str = ""
    place_name: str = ""
    tollgate: str | None = None
    channel: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    area_path: str = "/"
    organisation_path: str = "/"
    tags: frozenset[str] = frozenset()
    audience: frozenset[str] = frozenset()
    restricted: bool = False
    hold: str | None = None
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    pictures: tuple[CasePicture, ...] = ()


@dataclass(frozen=True, slots=True)
class EntrySeen:
    """An entry with what of it is for who reads; `withheld`: how much is not."""

    entry: Entry
    results: list[Result]
    withheld: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes when a case, or an entry of it, is deleted. `only_here`: things whose originals are forgotten already;
    `held_seconds`: footage that nothing else of it keeps from then on."""

    entries: int = 0
    results: int = 0
    pictures: int = 0
    picture_bytes: int = 0
    only_here: int = 0
    held_seconds: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSettings:
    """How long a closed case is kept."""

    closed_days: int = 730


def check(one: Case) -> Case:
    """InvalidError `case_invalid` names the field that is wrong."""
    for name in ("number", "title", "ground"):
        if not getattr(one, name).strip():
            raise InvalidError(f"{name}: empty", code="case_invalid", params={"field": name})
    for name in ("readers", "writers"):
        seats: frozenset[str] = getattr(one, name)
        if len(seats) > MOST_MEMBERS or not all(seat.startswith(_MEMBERS) for seat in seats):
            raise InvalidError(f"{name}: not members", code="case_invalid", params={"field": name})
    return one


def move_to(one: Case, state: CaseState) -> Case:
    """ConflictError `case_state` when it is that already."""
    if state not in ALLOWED[one.state]:
        raise ConflictError(f"{one.id} is {one.state}", code="case_state", params={"state": str(one.state)})
    return replace(one, state=state, revision=one.revision + 1)


def check_open(one: Case) -> None:
    """ConflictError `case_closed`: nothing is put into it or taken out of it any more."""
    if one.state is not CaseState.OPEN:
        raise ConflictError("the case is closed", code="case_closed", params={"number": one.number})
