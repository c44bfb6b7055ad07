"""Holds and export jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Float, Index, Table, Text, delete, insert, select, update

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx


class JobState(StrEnum):
    """Life of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Footage no deletion may touch, [start, end). `case`: it was placed for that case and goes with it."""

    id: str
    channel: str
    channel_name: str
    area_path: str
    organisation_path: str = "/"
    tags: frozenset[str]
    start: int
    end: int
    reason: str
    placed_by: str
    placed_at: int
    slot: str
    case: str | None = None
    released_at: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A job; `files` are `{name, bytes, sha256}`, names made by us alone. `code` says why it failed."""

    id: str
    owner: str
    owner_name: str
    channel: str
    channel_name: str
    area_path: str
    organisation_path: str = "/"
    tags: frozenset[str]
    start: int
    end: int
    product: str
    reason: str
    language: str = "zh"
    state: JobState = JobState.WAITING
    progress: float = 0.0
    files: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    gaps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    created_at: int = 0
    finished_at: int | None = None


holds = Table(
    "holds",
    metadata,
    key("ho"),
    ref("channel", "ch", index=True),
    *(Column(name, Text, nullable=False) for name in ("channel_name", "reason", "placed_by", "slot")),
    area_path(index=False),
    organisation_path(),
    Column("tags", Tags, nullable=False),
    *(moment(name) for name in ("start", "end", "placed_at")),
    moment("released_at", nullable=True),
    ref("case", "ca", nullable=True, index=True),
)
exports = Table(
    "exports",
    metadata,
    key("ex"),
    ref("owner", "us"),
    ref("channel", "ch"),
    *(Column(name, Text, nullable=False) for name in ("owner_name", "channel_name", "product", "reason", "language")),
    *(Column(name, Text, nullable=False) for name in ("state", "code")),
    area_path(index=False),
    organisation_path(),
    Column("tags", Tags, nullable=False),
    *(moment(name) for name in ("start", "end", "created_at")),
    moment("finished_at", nullable=True),
    Column("progress", Float, nullable=False),
    *(Column(name, Json, nullable=False) for name in ("files", "gaps", "params")),
    Index("ix_exports_state", "state"),
)


def _visible(table: Table, allowed: Predicate, owner: Any = None) -> Any:
    return where(allowed, table.c.area_path, table.c.tags, owner, table.c.organisation_path)


def page_holds(tx: Tx, allowed: Predicate, *, before: str, limit: int, channel: str = "") -> list[Hold]:
    query = select(holds).where(_visible(holds, allowed), holds.c.released_at.is_(None))
    if before:
        query = query.where(holds.c.id < before)
    if channel:
        query = query.where(holds.c.channel == channel)
    return [_hold(row) for row in tx.rows(query.order_by(holds.c.id.desc()).limit(limit))]


def find_hold(tx: Tx, hold: str) -> Hold | None:
    row = tx.row(select(holds).where(holds.c.id == hold))
    return None if row is None else _hold(row)


def current_holds(tx: Tx, since: int) -> list[Hold]:
    """Those in force, and those released after `since`."""
    query = select(holds).where(holds.c.released_at.is_(None) | (holds.c.released_at > since)).order_by(holds.c.id)
    return [_hold(row) for row in tx.rows(query)]


def holds_of_case(tx: Tx, case: str) -> list[Hold]:
    """Those in force that were placed for it."""
    query = select(holds).where(holds.c.case == case, holds.c.released_at.is_(None)).order_by(holds.c.id)
    return [_hold(row) for row in tx.rows(query)]


def add_hold(tx: Tx, hold: Hold) -> None:
    tx.run(insert(holds).values(**{name: getattr(hold, name) for name in Hold.__dataclass_fields__}))


def release_hold(tx: Tx, hold: str, at: int) -> None:
    tx.run(update(holds).where(holds.c.id == hold).values(released_at=at))


def page_exports(tx: Tx, allowed: Predicate, *, before: str, limit: int) -> list[Export]:
    query = select(exports).where(_visible(exports, allowed, exports.c.owner))
    if before:
        query = query.where(exports.c.id < before)
    return [_export(row) for row in tx.rows(query.order_by(exports.c.id.desc()).limit(limit))]


def find_export(tx: Tx, export: str) -> Export | None:
    row = tx.row(select(exports).where(exports.c.id == export))
    return None if row is None else _export(row)


def in_state(tx: Tx, *states: JobState) -> list[Export]:
    query = select(exports).where(exports.c.state.in_([str(s) for s in states])).order_by(exports.c.id)
    return [_export(row) for row in tx.rows(query)]


def add_export(tx: Tx, export: Export) -> None:
    tx.run(insert(exports).values(**_values(export)))


def save_export(tx: Tx, export: Export) -> None:
    values = _values(export)
    values.pop("id")
    tx.run(update(exports).where(exports.c.id == export.id).values(**values))


def remove_export(tx: Tx, export: str) -> None:
    tx.run(delete(exports).where(exports.c.id == export))


def _values(export: Export) -> dict[str, Any]:
    values = {name: getattr(export, name) for name in Export.__dataclass_fields__}
    return {**values, "state": str(export.state)}


def _hold(row: Row) -> Hold:
    return Hold(**{name: row[name] for name in Hold.__dataclass_fields__})


def _export(row: Row) -> Export:
    values: dict[str, Any] = {name: row[name] for name in Export.__dataclass_fields__}
    values.update(state=JobState(row["state"]))
    return Export(**values)
