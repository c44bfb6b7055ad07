"""The table of tollgates. Lanes lie in the row: they are few, and change with it under one revision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, organisation_path, ref
from safecity.core.ground.tollgates.decide import Lane, Tollgate
from safecity.core.ground.words import like, search_key, sort_key
from safecity.ports.database import Row, Tx

tollgates = Table(
    "tollgates",
    metadata,
    key("tg"),
    Column("code", Text, nullable=False),
    Column("code_key", Text, nullable=True, unique=True),
    Column("name", Text, nullable=False),
    Column("sort_key", Text, nullable=False, index=True),
    Column("search_key", Text, nullable=False),
    ref("area", "ar", nullable=True),
    area_path(),
    ref("organisation", "og", nullable=True),
    organisation_path(),
    Column("longitude", Float, nullable=True),
    Column("latitude", Float, nullable=True),
    Column("lanes", Json, nullable=False),
    Column("purposes", Tags, nullable=False),
    Column("retention_days", BigInteger, nullable=False),
    Column("restricted", Boolean, nullable=False),
    Column("fuse_seconds", BigInteger, nullable=False),
    Column("reporters", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
_FIELDS = tuple(Tollgate.__dataclass_fields__)


def _values(gate: Tollgate) -> dict[str, Any]:
    values = {name: getattr(gate, name) for name in _FIELDS}
    values.update(
        code_key=gate.code or None,
        lanes=[asdict(lane) for lane in gate.lanes],
        reporters=list(gate.reporters),
        sort_key=sort_key(gate.name),
        search_key=search_key(gate.name, gate.code),
    )
    return values


def _tollgate(row: Row) -> Tollgate:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    lanes = tuple(Lane.of(lane) for lane in row["lanes"])
    values.update(lanes=lanes, reporters=tuple(row["reporters"]))
    return Tollgate(**values)


def _visible(allowed: Predicate) -> Any:
    return where(allowed, tollgates.c.area_path, organisation=tollgates.c.organisation_path)


def add(tx: Tx, gate: Tollgate) -> None:
    tx.run(insert(tollgates).values(**_values(gate)))


def save(tx: Tx, gate: Tollgate) -> None:
    values = _values(gate)
    values.pop("id")
    tx.run(update(tollgates).where(tollgates.c.id == gate.id).values(**values))


def remove(tx: Tx, gate: str) -> None:
    tx.run(delete(tollgates).where(tollgates.c.id == gate))


def find(tx: Tx, gate: str) -> Tollgate | None:
    row = tx.row(select(tollgates).where(tollgates.c.id == gate))
    return None if row is None else _tollgate(row)


def find_by_code(tx: Tx, code: str) -> Tollgate | None:
    row = tx.row(select(tollgates).where(tollgates.c.code_key == code))
    return None if row is None else _tollgate(row)


def find_many(tx: Tx, ids: list[str]) -> dict[str, Tollgate]:
    return {row["id"]: _tollgate(row) for row in tx.rows(select(tollgates).where(tollgates.c.id.in_(ids)))}


def everything(tx: Tx) -> list[Tollgate]:
    return [_tollgate(row) for row in tx.rows(select(tollgates).order_by(tollgates.c.id))]


def meant(tx: Tx, device: str, codes: Sequence[str]) -> list[Tollgate]:
    """Those that a device can mean: by the codes it names, or because it is a reporter of them. A city has thousands,
    and each camera asks with each passage: only these are read."""
    reports = type_coerce(tollgates.c.reporters, Text).contains(f'"{device}"', autoescape=True)
    query = select(tollgates).where(or_(tollgates.c.code_key.in_(codes), reports)).order_by(tollgates.c.id)
    return [_tollgate(row) for row in tx.rows(query)]


def page(
    tx: Tx, allowed: Predicate, *, after: tuple[str, str] | None, limit: int, area: str = "", q: str = ""
) -> list[tuple[str, Tollgate]]:
    """(sort key, tollgate), by name."""
    query = select(tollgates).where(_visible(allowed)).order_by(tollgates.c.sort_key, tollgates.c.id)
    if after is not None:
        key_, id_ = after
        query = query.where((tollgates.c.sort_key > key_) | ((tollgates.c.sort_key == key_) & (tollgates.c.id > id_)))
    if area:
        query = query.where(under(tollgates.c.area_path, area))
    if q:
        query = query.where(tollgates.c.search_key.like(like(q), escape="\\"))
    return [(row["sort_key"], _tollgate(row)) for row in tx.rows(query.limit(limit))]


def some_under(tx: Tx, allowed: Predicate, area: str, most: int) -> list[Tollgate]:
    """Of those that `allowed` reaches below an area (empty: everywhere), by name."""
    query = select(tollgates).where(_visible(allowed)).order_by(tollgates.c.sort_key, tollgates.c.id)
    if area:
        query = query.where(under(tollgates.c.area_path, area))
    return [_tollgate(row) for row in tx.rows(query.limit(most))]


def any_under(tx: Tx, path: str) -> bool:
    return tx.row(select(tollgates.c.id).where(under(tollgates.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    belongs = under(tollgates.c.organisation_path, organisation)
    return tx.row(select(tollgates.c.id).where(belongs).limit(1)) is not None


def demo_ids(tx: Tx) -> list[str]:
    return [row["id"] for row in tx.rows(select(tollgates.c.id).where(tollgates.c.demo))]
