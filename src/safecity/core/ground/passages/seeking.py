"""Looking for passages: every question begins with who asks and what for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.passages.store import SPANS, Passage, passages, read_row
from safecity.ports.database import Row, Tx

PLATES = 500
"""In one statement: engines have a limit of values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What somebody looks for. Fields that are empty are not asked for.

    plates         one of these, to the letter; None: whatever the plate
    vehicle_class  or the beginning of a code: `H` are lorries of all sizes
    before         (at, id) of the passage after which the next part begins
    """

    purpose: str
    now: int
    restricted: bool = False
    area: str = ""
    tollgate: str = ""
    plates: tuple[str, ...] | None = None
    plate_colour: str = ""
    plate_class: str = ""
    colour: str = ""
    vehicle_class: str = ""
    direction: str = ""
    lane: int | None = None
    since: int | None = None
    until: int | None = None
    before: tuple[int, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Glimpse:
    """As much of a passage as movement is judged by."""

    id: str
    place: str
    tollgate: str | None
    at: int
    plate: str
    confidence: float | None
    clock_doubtful: bool


_GLIMPSE = tuple(passages.c[name] for name in Glimpse.__dataclass_fields__)


# Not as the bare column: an engine that believes it had better begin with the area sorts all passages of a city to show
# the newest hundred. Time, place or plate leads, and the area is looked at in what they lead to.
_area: Any = func.coalesce(passages.c.area_path, "")


def _readable(allowed: Predicate, asked: Asked) -> Any:
    rights = where(allowed, _area, organisation=passages.c.organisation_path)
    # What is past its time is gone for everybody from that moment on, whenever it is swept away.
    conditions = [rights, passages.c.keep_until > asked.now, passages.c.purposes.like(f"%|{asked.purpose}|%")]
    if not asked.restricted:
        conditions.append(passages.c.restricted.is_(False))
    return and_(*conditions)


def _wanted(allowed: Predicate, asked: Asked) -> Any:
    """Without the plates."""
    conditions = [_readable(allowed, asked)]
    if asked.area:
        conditions.append(under(_area, asked.area))
    if asked.tollgate:
        conditions.append(passages.c.place == asked.tollgate)
    if asked.since is not None:
        conditions.append(passages.c.at >= asked.since)
    if asked.until is not None:
        conditions.append(passages.c.at < asked.until)
    if asked.lane is not None:
        conditions.append(passages.c.lane == asked.lane)
    for name in ("plate_colour", "plate_class", "colour", "direction"):
        if getattr(asked, name):
            conditions.append(passages.c[name] == getattr(asked, name))
    if asked.vehicle_class:
        conditions.append(passages.c.vehicle_class.startswith(asked.vehicle_class, autoescape=True))
    if asked.before is not None:
        at, id_ = asked.before
        # The first condition says nothing new; it is the one that an index serves.
        conditions += [passages.c.at <= at, or_(passages.c.at < at, passages.c.id < id_)]
    return and_(*conditions)


def _newest_first(query: Any, limit: int) -> Any:
    return query.order_by(passages.c.at.desc(), passages.c.id.desc()).limit(limit)


def page(tx: Tx, allowed: Predicate, asked: Asked) -> list[Passage]:
    """Newest first."""
    found = [read_row(row) for row in _by_plates(tx, select(passages).where(_wanted(allowed, asked)), asked)]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[: asked.limit]


def _by_plates(tx: Tx, query: Any, asked: Asked) -> list[Row]:
    """The newest of each part of the plates."""
    if asked.plates is None:
        return tx.rows(_newest_first(query, asked.limit))
    found: list[Row] = []
    for start in range(0, len(asked.plates), PLATES):
        some = passages.c.plate.in_(asked.plates[start : start + PLATES])
        found += tx.rows(_newest_first(query.where(some), asked.limit))
    return found


def walk(tx: Tx, allowed: Predicate, asked: Asked) -> list[tuple[int, str, str]]:
    """(at, id, plate) of passages that have one, newest first: for whoever judges the plate."""
    columns = (passages.c.at, passages.c.id, passages.c.plate)
    query = select(*columns).where(_wanted(allowed, asked), passages.c.plate != "")
    return [(row["at"], row["id"], row["plate"]) for row in tx.rows(_newest_first(query, asked.limit))]


def whole(tx: Tx, ids: Sequence[str]) -> list[Passage]:
    """Of ids that `walk` answered in the same transaction; newest first."""
    rows = tx.rows(select(passages).where(passages.c.id.in_(ids)))
    return sorted((read_row(row) for row in rows), key=lambda one: (one.at, one.id), reverse=True)


def kept(tx: Tx, ids: Sequence[str]) -> set[str]:
    """Those of these that are not forgotten."""
    found: set[str] = set()
    for start in range(0, len(ids), PLATES):
        query = select(passages.c.id).where(passages.c.id.in_(ids[start : start + PLATES]))
        found |= {row["id"] for row in tx.rows(query)}
    return found


def glimpses(tx: Tx, allowed: Predicate, asked: Asked) -> list[Glimpse]:
    """Of passages that have a plate, newest first."""
    query = select(*_GLIMPSE).where(_wanted(allowed, asked), passages.c.plate != "")
    found = [_glimpse(row) for row in _by_plates(tx, query, asked)]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[: asked.limit]


def around(tx: Tx, allowed: Predicate, asked: Asked, spans: Sequence[tuple[int, int]]) -> list[Glimpse]:
    """At the place asked for, within any of the spans [since, until]; at most `limit`."""
    found: list[Glimpse] = []
    for start in range(0, len(spans), SPANS):
        within = or_(*(passages.c.at.between(since, until) for since, until in spans[start : start + SPANS]))
        query = select(*_GLIMPSE).where(_wanted(allowed, asked), within, passages.c.plate != "")
        found += [_glimpse(row) for row in tx.rows(query.order_by(passages.c.at).limit(asked.limit - len(found)))]
        if len(found) >= asked.limit:
            break
    return found


def stock(tx: Tx, allowed: Predicate, asked: Asked, most: int) -> tuple[int, int | None]:
    """How many passages there are whatever their plate, `most` at most, and when the oldest of them was: what a
    question could look at."""
    some = select(passages.c.id).where(_wanted(allowed, asked)).limit(most).subquery()
    count = tx.row(select(func.count().label("n")).select_from(some))
    oldest = tx.row(
        select(passages.c.at).where(_wanted(allowed, asked)).order_by(passages.c.at, passages.c.id).limit(1)
    )
    return 0 if count is None else int(count["n"]), None if oldest is None else oldest["at"]


def first_seen(tx: Tx, allowed: Predicate, asked: Asked, plates: Sequence[str]) -> dict[str, int]:
    """By plate: when the oldest passage was that is still kept and may be looked at."""
    found: dict[str, int] = {}
    for start in range(0, len(plates), PLATES):
        some = passages.c.plate.in_(plates[start : start + PLATES])
        columns = (passages.c.plate, func.min(passages.c.at).label("first"))
        query = select(*columns).where(some, _readable(allowed, asked)).group_by(passages.c.plate)
        found |= {row["plate"]: row["first"] for row in tx.rows(query)}
    return found


def distinct_plates(tx: Tx, after: str, limit: int) -> list[tuple[str, int]]:
    """All plates that there are, in order, a part at a time, and when each was seen last; for a cache that shows none
    of them."""
    columns = (passages.c.plate, func.max(passages.c.at).label("seen"))
    query = select(*columns).where(passages.c.plate > after).group_by(passages.c.plate).order_by(passages.c.plate)
    return [(row["plate"], row["seen"]) for row in tx.rows(query.limit(limit))]


def plates_of(tx: Tx, ids: Sequence[str]) -> list[tuple[str, int]]:
    """For the same cache: of these passages."""
    columns = (passages.c.plate, passages.c.at)
    rows = tx.rows(select(*columns).where(passages.c.id.in_(ids), passages.c.plate != ""))
    return [(row["plate"], row["at"]) for row in rows]


def _glimpse(row: Row) -> Glimpse:
    return Glimpse(**{name: row[name] for name in Glimpse.__dataclass_fields__})
