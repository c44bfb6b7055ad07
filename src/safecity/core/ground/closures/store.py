"""The table of closures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Table, Text, delete, func, insert, or_, select

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.closures.decide import Closure, ClosureKind
from safecity.core.ground.sql import Json, area_path, key, metadata, moment, ref
from safecity.ports.database import Row, Tx

closures = Table(
    "closures",
    metadata,
    key("cl"),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("line", Json, nullable=False),
    Column("both_ways", Boolean, nullable=False),
    moment("start"),
    moment("end", nullable=True),
    ref("area", "ar", nullable=True),
    area_path(),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
)
_FIELDS = tuple(Closure.__dataclass_fields__)


def _closure(row: Row) -> Closure:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values.update(kind=ClosureKind(row["kind"]), line=tuple((x, y) for x, y in row["line"]))
    return Closure(**values)


def _lasts(at: int) -> Any:
    return or_(closures.c.end.is_(None), closures.c.end > at)


def add(tx: Tx, closure: Closure) -> None:
    values = {name: getattr(closure, name) for name in _FIELDS}
    tx.run(insert(closures).values(**values | {"kind": str(closure.kind), "line": [list(p) for p in closure.line]}))


def find(tx: Tx, closure: str) -> Closure | None:
    row = tx.row(select(closures).where(closures.c.id == closure))
    return None if row is None else _closure(row)


def remove(tx: Tx, closure: str) -> None:
    tx.run(delete(closures).where(closures.c.id == closure))


def lasting(tx: Tx, at: int) -> list[Closure]:
    """In force at a time, or later."""
    return [_closure(row) for row in tx.rows(select(closures).where(_lasts(at)).order_by(closures.c.id))]


def count(tx: Tx, at: int) -> int:
    """How many `lasting` would be."""
    row = tx.row(select(func.count().label("number")).select_from(closures).where(_lasts(at)))
    return 0 if row is None else int(row["number"])


def page(tx: Tx, allowed: Predicate, at: int, *, before: str, limit: int) -> list[Closure]:
    """Those that have not ended, the newest first."""
    query = select(closures).where(where(allowed, closures.c.area_path), _lasts(at)).order_by(closures.c.id.desc())
    if before:
        query = query.where(closures.c.id < before)
    return [_closure(row) for row in tx.rows(query.limit(limit))]


def sweep(tx: Tx, ended_before: int) -> int:
    """Forget those that ended earlier; the audit log remembers them."""
    return tx.run(delete(closures).where(closures.c.end < ended_before))


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path."""
    return tx.row(select(closures.c.id).where(under(closures.c.area_path, path)).limit(1)) is not None
