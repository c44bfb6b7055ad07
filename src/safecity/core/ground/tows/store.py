"""The table of tows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, Table, Text, delete, func, insert, select, update

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.sql import area_path, key, metadata, moment, ref
from safecity.core.ground.tows.decide import Tow, TowReason, TowState
from safecity.ports.database import Row, Tx

_TEXTS = ("reason", "plate", "words", "state", "taken_to", "created_by", "changed_by")
tows = Table(
    "tows",
    metadata,
    key("tw"),
    *(Column(name, Text, nullable=False) for name in _TEXTS),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude")),
    ref("area", "ar", nullable=True),
    area_path(),
    moment("created_at"),
    moment("changed_at"),
    moment("ended_at", nullable=True),
    Column("revision", BigInteger, nullable=False),
)
_FIELDS = tuple(Tow.__dataclass_fields__)
_LASTS = tows.c.ended_at.is_(None)


def _tow(row: Row) -> Tow:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values.update(reason=TowReason(row["reason"]), state=TowState(row["state"]))
    return Tow(**values)


def _values(tow: Tow) -> dict[str, Any]:
    return {name: getattr(tow, name) for name in _FIELDS} | {"reason": str(tow.reason), "state": str(tow.state)}


def add(tx: Tx, tow: Tow) -> None:
    tx.run(insert(tows).values(**_values(tow)))


def save(tx: Tx, tow: Tow) -> None:
    tx.run(update(tows).where(tows.c.id == tow.id).values(**_values(tow)))


def find(tx: Tx, tow: str) -> Tow | None:
    row = tx.row(select(tows).where(tows.c.id == tow))
    return None if row is None else _tow(row)


def count(tx: Tx) -> int:
    """How many are not over."""
    row = tx.row(select(func.count().label("number")).select_from(tows).where(_LASTS))
    return 0 if row is None else int(row["number"])


def page(tx: Tx, allowed: Predicate, *, over: bool, before: str, limit: int) -> list[Tow]:
    """Those that are not over, or (`over`) those that are, the newest first."""
    query = select(tows).where(where(allowed, tows.c.area_path), ~_LASTS if over else _LASTS).order_by(tows.c.id.desc())
    if before:
        query = query.where(tows.c.id < before)
    return [_tow(row) for row in tx.rows(query.limit(limit))]


def sweep(tx: Tx, before: int) -> int:
    """Forget those that ended earlier, or of which nobody said anything since; the audit log remembers that they
    were."""
    return tx.run(delete(tows).where(func.coalesce(tows.c.ended_at, tows.c.changed_at) < before))


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path."""
    return tx.row(select(tows.c.id).where(under(tows.c.area_path, path)).limit(1)) is not None
