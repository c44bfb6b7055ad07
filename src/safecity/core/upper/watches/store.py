"""Watches and their hits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.alarms.api import AlarmState, Hearing, in_state
from safecity.core.ground.sql import Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.watches.decide import Hit, HitState, Watch, WatchState
from safecity.ports.database import Row, Tx

watches = Table(
    "watches",
    metadata,
    key("wa"),
    *(
        Column(name, Text, nullable=False)
        for name in (
            "plate", "plate_colour", "colour", "vehicle_class", "reason", "case_number", "purpose", "state",
            "proposed_by", "proposed_name", "decided_by", "decided_name", "decision", "ended_by", "ended_name",
            "ending",
        )
    ),
    *(Column(name, Boolean, nullable=False) for name in ("near", "restricted")),
    *(Column(name, BigInteger, nullable=False) for name in ("priority", "changed", "revision")),
    *(moment(name) for name in ("valid_from", "valid_until", "proposed_at")),
    *(moment(name, nullable=True) for name in ("decided_at", "ended_at", "keep_until")),
    ref("area", "ar", nullable=True),
    area_path(),
    ref("organisation", "og", nullable=True),
    organisation_path(),
    *(Column(name, Tags, nullable=False) for name in ("seats", "further")),
    Column("origin", Text, nullable=True, unique=True),
    Index("ix_watches_state", "state", "id"),
    Index("ix_watches_changed", "changed"),
    Index("ix_watches_keep_until", "keep_until"),
)  # fmt: skip
hits = Table(
    "hits",
    metadata,
    key("ht"),
    ref("watch", "wa"),
    ref("passage", "ps", index=True),
    ref("alarm", "al", index=True),
    *(Column(name, Text, nullable=False) for name in ("state", "kind", "plate", "place_name", "direction")),
    *(Column(name, BigInteger, nullable=True) for name in ("differs", "lane")),
    Column("speed_kmh", Float, nullable=True),
    ref("tollgate", "tg", nullable=True),
    ref("device", "dv", nullable=True),
    moment("at"),
    moment("raised_at"),
    *(Column(name, Boolean, nullable=False) for name in ("late", "restricted")),
    area_path(),
    organisation_path(),
    Column("audience", Tags, nullable=False),
    UniqueConstraint("watch", "passage", name="uq_hits_watch_passage"),
)
_FIELDS = tuple(Watch.__dataclass_fields__)
_HIT = tuple(Hit.__dataclass_fields__)


def add(tx: Tx, watch: Watch) -> None:
    tx.run(insert(watches).values(**{name: getattr(watch, name) for name in _FIELDS}))


def save(tx: Tx, watch: Watch) -> None:
    values = {name: getattr(watch, name) for name in _FIELDS if name != "id"}
    tx.run(update(watches).where(watches.c.id == watch.id).values(**values))


def next_change(tx: Tx) -> int:
    """The number of a change that is being made."""
    row = tx.row(select(func.max(watches.c.changed).label("last")))
    return ((row["last"] if row is not None else None) or 0) + 1


def changed_since(tx: Tx, number: int) -> list[Watch]:
    """In the order they changed."""
    query = select(watches).where(watches.c.changed > number).order_by(watches.c.changed)
    return [_watch(row) for row in tx.rows(query)]


def approved(tx: Tx) -> list[Watch]:
    """All of them, whether their time has come or is over."""
    query = select(watches).where(watches.c.state == str(WatchState.APPROVED)).order_by(watches.c.id)
    return [_watch(row) for row in tx.rows(query)]


def find(tx: Tx, watch: str) -> Watch | None:
    row = tx.row(select(watches).where(watches.c.id == watch))
    return None if row is None else _watch(row)


def find_many(tx: Tx, ids: Sequence[str]) -> dict[str, Watch]:
    return {row["id"]: _watch(row) for row in tx.rows(select(watches).where(watches.c.id.in_(ids)))}


def of_origin(tx: Tx, origin: str) -> Watch | None:
    """What another library asked for under that name."""
    row = tx.row(select(watches).where(watches.c.origin == origin))
    return None if row is None else _watch(row)


def waiting_of(tx: Tx, proposer: str) -> int:
    """Proposals of one that nobody has decided on."""
    mine = (watches.c.proposed_by == proposer, watches.c.state == str(WatchState.PROPOSED))
    row = tx.row(select(func.count().label("n")).where(*mine))
    return 0 if row is None else int(row["n"])


def page(
    tx: Tx, allowed: Predicate, *, before: str, limit: int, state: str = "", area: str = "", text: str = ""
) -> list[Watch]:
    """Newest first; `text` stands in the plate, the case number or the reason."""
    rights = where(allowed, watches.c.area_path, organisation=watches.c.organisation_path)
    query = select(watches).where(rights).order_by(watches.c.id.desc())
    if before:
        query = query.where(watches.c.id < before)
    if state:
        query = query.where(watches.c.state == state)
    if area:
        query = query.where(under(watches.c.area_path, area))
    if text:
        columns = (watches.c.plate, watches.c.case_number, watches.c.reason)
        query = query.where(or_(*(column.contains(text, autoescape=True) for column in columns)))
    return [_watch(row) for row in tx.rows(query.limit(limit))]


def over(tx: Tx, now: int, limit: int) -> list[Watch]:
    """Those whose time is over and that do not say so yet."""
    states = [str(WatchState.PROPOSED), str(WatchState.APPROVED)]
    query = select(watches).where(watches.c.state.in_(states), watches.c.valid_until <= now)
    return [_watch(row) for row in tx.rows(query.order_by(watches.c.valid_until).limit(limit))]


def next_over(tx: Tx) -> int | None:
    """When the next one's time is over."""
    states = [str(WatchState.PROPOSED), str(WatchState.APPROVED)]
    row = tx.row(select(func.min(watches.c.valid_until).label("due")).where(watches.c.state.in_(states)))
    return None if row is None else row["due"]


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path, or below."""
    return tx.row(select(watches.c.id).where(under(watches.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    belongs = under(watches.c.organisation_path, organisation)
    return tx.row(select(watches.c.id).where(belongs).limit(1)) is not None


def past(tx: Tx, now: int, limit: int) -> list[str]:
    """Ended so long ago that they are forgotten."""
    query = select(watches.c.id).where(watches.c.keep_until <= now).order_by(watches.c.keep_until).limit(limit)
    return [row["id"] for row in tx.rows(query)]


def remove(tx: Tx, ids: Sequence[str]) -> list[str]:
    """With their hits; the alarms of those."""
    alarms = [row["alarm"] for row in tx.rows(select(hits.c.alarm).where(hits.c.watch.in_(ids)))]
    tx.run(delete(hits).where(hits.c.watch.in_(ids)))
    tx.run(delete(watches).where(watches.c.id.in_(ids)))
    return alarms


# --- hits ----------------------------------------------------------------------------------------------------


def add_hit(tx: Tx, hit: Hit) -> None:
    """ConflictError `duplicate` where the watch has met the passage before."""
    tx.run(insert(hits).values(**{name: getattr(hit, name) for name in _HIT}))


def save_hit(tx: Tx, hit: Hit) -> None:
    values = {name: getattr(hit, name) for name in _HIT if name != "id"}
    tx.run(update(hits).where(hits.c.id == hit.id).values(**values))


def find_hit(tx: Tx, hit: str) -> Hit | None:
    row = tx.row(select(hits).where(hits.c.id == hit))
    return None if row is None else _hit(row)


def hit_of_alarm(tx: Tx, alarm: str) -> Hit | None:
    row = tx.row(select(hits).where(hits.c.alarm == alarm))
    return None if row is None else _hit(row)


def hits_of_passages(tx: Tx, passages: Sequence[str]) -> dict[str, list[Hit]]:
    """By passage."""
    found: dict[str, list[Hit]] = {}
    for row in tx.rows(select(hits).where(hits.c.passage.in_(passages)).order_by(hits.c.id)):
        found.setdefault(row["passage"], []).append(_hit(row))
    return found


def live_hits(tx: Tx, watch: str) -> list[Hit]:
    """Of one watch."""
    query = select(hits).where(hits.c.watch == watch, hits.c.state == str(HitState.LIVE))
    return [_hit(row) for row in tx.rows(query.order_by(hits.c.id))]


def hit_counts(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    """By watch: hits that nobody took back."""
    query = select(hits.c.watch, func.count().label("n")).where(
        hits.c.watch.in_(ids), hits.c.state != str(HitState.TAKEN_BACK)
    )
    return {row["watch"]: int(row["n"]) for row in tx.rows(query.group_by(hits.c.watch))}


def hit_page(
    tx: Tx, hears: Hearing, approves: Predicate, proposer: str, restricted: bool, *, before: str, limit: int,
    watch: str = "", kind: str = "", duty: Sequence[AlarmState] = (),
) -> list[Hit]:  # fmt: skip
    """Newest first: those that are for who asks, those of a place where they approve watches, and of watches that they
    proposed. `duty`: live ones whose alarm is in one of these states."""
    mine = hears.condition(hits.c.audience, hits.c.area_path, hits.c.organisation_path)
    answered = where(approves, hits.c.area_path, organisation=hits.c.organisation_path)
    own = hits.c.watch.in_(select(watches.c.id).where(watches.c.proposed_by == proposer))
    query = select(hits).where(or_(mine, answered, own)).order_by(hits.c.id.desc())
    if not restricted:
        query = query.where(hits.c.restricted.is_(False))
    if before:
        query = query.where(hits.c.id < before)
    if watch:
        query = query.where(hits.c.watch == watch)
    if kind:
        query = query.where(hits.c.kind == kind)
    if duty:
        query = query.where(hits.c.state == str(HitState.LIVE), hits.c.alarm.in_(in_state(duty)))
    return [_hit(row) for row in tx.rows(query.limit(limit))]


def _watch(row: Row) -> Watch:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["state"] = WatchState(row["state"])
    return Watch(**values)


def _hit(row: Row) -> Hit:
    values: dict[str, Any] = {name: row[name] for name in _HIT}
    values["state"] = HitState(row["state"])
    return Hit(**values)
