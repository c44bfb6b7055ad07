"""Violations, the sections that speeds are measured over, and vehicles that are exempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.loose.api import unnamed
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.violations.decide import Evidence, Kind, State, Violation
from safecity.ports.database import Row, Tx

violations = Table(
    "violations",
    metadata,
    key("vi"),
    *(
        Column(name, Text, nullable=False)
        for name in (
            "kind", "code", "words", "state", "plate", "plate_read", "plate_colour", "vehicle_class", "place_name",
            "direction", "light", "light_source", "certificate", "origin", "reference", "first_by", "first_name",
            "second_by", "second_name", "void_reason", "void_words", "void_by", "void_name", "held_by",
        )
    ),
    *(Column(name, Float, nullable=True) for name in ("confidence", "speed_kmh", "speed_error_kmh", "limit_kmh")),
    *(Column(name, BigInteger, nullable=True) for name in ("lane", "clock_error_ms")),
    *(Column(name, BigInteger, nullable=False) for name in ("exports", "revision")),
    *(moment(name) for name in ("at", "seen", "held_until", "keep_until")),
    *(moment(name, nullable=True) for name in ("first_at", "second_at", "void_at", "exported_at")),
    ref("tollgate", "tg", nullable=True),
    ref("channel", "ch", nullable=True),
    *(Column(name, Json, nullable=False) for name in ("pictures", "details", "passages")),
    Column("unfit", Tags, nullable=False),
    Column("restricted", Boolean, nullable=False),
    area_path(),
    organisation_path(),
    UniqueConstraint("origin", "reference", name="uq_violations_origin_reference"),
    Index("ix_violations_state", "state", "id"),
    Index("ix_violations_plate", "plate", "id"),
    Index("ix_violations_keep_until", "keep_until"),
    Index("ix_violations_held_by", "held_by"),
)  # fmt: skip
violation_passages = Table(
    "violation_passages",
    metadata,
    ref("violation", "vi"),
    ref("passage", "ps", index=True),
    PrimaryKeyConstraint("violation", "passage", name="pk_violation_passages"),
)
"""Passages that a candidate stands on: what is said of them otherwise takes it back."""
_FIELDS = tuple(Violation.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What of a list is asked for; what is empty is not asked for."""

    states: tuple[str, ...] = ()
    kind: str = ""
    area: str = ""
    tollgate: str = ""
    plate: str = ""
    fit: bool | None = None
    since: int | None = None
    until: int | None = None
    not_first_by: str = ""
    free_for: str = ""
    """Held by nobody else at `now`."""
    now: int = 0
    """What is past its time then is not there, swept or not."""
    restricted: bool = False


def add(tx: Tx, one: Violation) -> None:
    """ConflictError `duplicate` where its origin proposed it before."""
    tx.run(insert(violations).values(**_values(one)))
    if one.passages:
        rows = [{"violation": one.id, "passage": passage} for passage in one.passages]
        tx.run(insert(violation_passages), rows)


def save(tx: Tx, one: Violation) -> None:
    values = _values(one)
    values.pop("id")
    tx.run(update(violations).where(violations.c.id == one.id).values(**values))


def find(tx: Tx, violation: str) -> Violation | None:
    row = tx.row(select(violations).where(violations.c.id == violation))
    return None if row is None else _violation(row)


def said_before(tx: Tx, origin: str, reference: str) -> Violation | None:
    """What an origin proposed under that name."""
    same = and_(violations.c.origin == origin, violations.c.reference == reference)
    row = tx.row(select(violations).where(same))
    return None if row is None else _violation(row)


def of_passages(tx: Tx, passages: Sequence[str]) -> list[Violation]:
    """Those that stand on one of these passages."""
    standing = select(violation_passages.c.violation).where(violation_passages.c.passage.in_(passages))
    query = select(violations).where(violations.c.id.in_(standing)).order_by(violations.c.id)
    return [_violation(row) for row in tx.rows(query)]


def page(
    tx: Tx, allowed: Predicate, wanted: Wanted, *, before: str = "", oldest_first: bool = False, limit: int
) -> list[Violation]:
    """Newest first, or oldest first; `before`: those that are older than this one."""
    query = select(violations).where(_where(allowed, wanted))
    query = query.order_by(violations.c.id.asc() if oldest_first else violations.c.id.desc())
    if before:
        query = query.where(violations.c.id < before)
    return [_violation(row) for row in tx.rows(query.limit(limit))]


def counts(tx: Tx, allowed: Predicate, wanted: Wanted) -> dict[str, int]:
    """By state."""
    query = select(violations.c.state, func.count().label("n")).where(_where(allowed, wanted))
    return {row["state"]: int(row["n"]) for row in tx.rows(query.group_by(violations.c.state))}


def _where(allowed: Predicate, wanted: Wanted) -> Any:
    conditions: list[Any] = [where(allowed, violations.c.area_path, organisation=violations.c.organisation_path)]
    conditions.append(violations.c.keep_until > wanted.now)
    if not wanted.restricted:
        conditions.append(violations.c.restricted.is_(False))
    if wanted.states:
        conditions.append(violations.c.state.in_(wanted.states))
    for name in ("kind", "tollgate", "plate"):
        if getattr(wanted, name):
            conditions.append(violations.c[name] == getattr(wanted, name))
    if wanted.area:
        conditions.append(under(violations.c.area_path, wanted.area))
    if wanted.fit is not None:
        conditions.append((violations.c.unfit == "") if wanted.fit else (violations.c.unfit != ""))
    if wanted.since is not None:
        conditions.append(violations.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(violations.c.at < wanted.until)
    if wanted.not_first_by:
        conditions.append(violations.c.first_by != wanted.not_first_by)
    if wanted.free_for:
        mine = violations.c.held_by == wanted.free_for
        conditions.append(or_(mine, violations.c.held_until <= wanted.now))
    return and_(*conditions)


def hold(tx: Tx, ids: Sequence[str], user: str, until: int) -> None:
    """For one who judges. No change of what they say: the revision stays."""
    tx.run(update(violations).where(violations.c.id.in_(ids)).values(held_by=user, held_until=until))


def held(tx: Tx, user: str, now: int) -> list[str]:
    """What somebody holds and has not judged."""
    mine = and_(violations.c.held_by == user, violations.c.held_until > now)
    return [row["id"] for row in tx.rows(select(violations.c.id).where(mine))]


def let_go(tx: Tx, ids: Sequence[str]) -> None:
    """Free for everybody again."""
    tx.run(update(violations).where(violations.c.id.in_(ids)).values(held_by="", held_until=0))


def forget(tx: Tx, now: int, limit: int) -> int:
    """What is past its time, with its pictures; how many."""
    query = select(violations).where(violations.c.keep_until <= now).order_by(violations.c.keep_until).limit(limit)
    gone = [_violation(row) for row in tx.rows(query)]
    ids = [one.id for one in gone]
    unnamed(tx, [picture.key for one in gone for picture in one.pictures], now)
    tx.run(delete(violation_passages).where(violation_passages.c.violation.in_(ids)))
    tx.run(delete(violations).where(violations.c.id.in_(ids)))
    return len(ids)


def oldest_open(tx: Tx) -> int | None:
    """When the oldest of those happened that wait for a review; None where nothing waits."""
    open_ = violations.c.state.in_((str(State.PROPOSED), str(State.REVIEWED)))
    row = tx.row(select(func.min(violations.c.at).label("at")).where(open_))
    return None if row is None else row["at"]


def kept(tx: Tx, ids: Sequence[str]) -> dict[str, State]:
    """Those of these that are still there, with how they stand."""
    found: dict[str, State] = {}
    for start in range(0, len(ids), 500):  # engines have a limit of values
        query = select(violations.c.id, violations.c.state).where(violations.c.id.in_(ids[start : start + 500]))
        found.update((row["id"], State(row["state"])) for row in tx.rows(query))
    return found


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path, or below."""
    return tx.row(select(violations.c.id).where(under(violations.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    belongs = under(violations.c.organisation_path, organisation)
    return tx.row(select(violations.c.id).where(belongs).limit(1)) is not None


def _values(one: Violation) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in _FIELDS}
    said = {"kind": str(one.kind), "state": str(one.state), "passages": list(one.passages)}
    return {**values, **said, "pictures": [asdict(picture) for picture in one.pictures]}


def _violation(row: Row) -> Violation:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    pictures = tuple(Evidence(**picture) for picture in row["pictures"])
    values.update(
        kind=Kind(row["kind"]), state=State(row["state"]), passages=tuple(row["passages"]),
        pictures=tuple(replace(one, box=None if one.box is None else tuple(one.box)) for one in pictures),
    )  # fmt: skip
    return Violation(**values)
