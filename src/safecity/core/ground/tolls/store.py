"""The table of tolls."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Table, Text, delete, insert, or_, select, update

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.sql import Json, area_path, key, metadata, moment, ref
from safecity.core.ground.tolls.decide import Crossing, Gantry, Price, Toll
from safecity.ports.database import Row, Tx

tolls = Table(
    "tolls",
    metadata,
    key("tl"),
    Column("name", Text, nullable=False),
    Column("gantries", Json, nullable=False),
    Column("border", Json, nullable=False),
    Column("crossing", Text, nullable=False),
    Column("prices", Json, nullable=False),
    Column("begins", Text, nullable=False),
    Column("ends", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    ref("area", "ar", nullable=True),
    area_path(),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    Column("revision", BigInteger, nullable=False),
)
_FIELDS = tuple(Toll.__dataclass_fields__)


def _toll(row: Row) -> Toll:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    prices = [
        Price(since, until, amount, tuple(vehicles), tuple(days))
        for since, until, amount, vehicles, days in row["prices"]
    ]
    values.update(
        gantries=tuple(Gantry(*each) for each in row["gantries"]), border=tuple((x, y) for x, y in row["border"]),
        crossing=Crossing(row["crossing"]), prices=tuple(prices),
    )  # fmt: skip
    return Toll(**values)


def _values(toll: Toll) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(toll, name) for name in _FIELDS}
    prices = [[one.since, one.until, one.amount, [*one.vehicles], [*one.days]] for one in toll.prices]
    gantries = [[one.longitude, one.latitude, one.bearing] for one in toll.gantries]
    border = [[x, y] for x, y in toll.border]
    return values | {"gantries": gantries, "border": border, "crossing": str(toll.crossing), "prices": prices}


def add(tx: Tx, toll: Toll) -> None:
    tx.run(insert(tolls).values(**_values(toll)))


def save(tx: Tx, toll: Toll) -> None:
    tx.run(update(tolls).where(tolls.c.id == toll.id).values(**_values(toll)))


def find(tx: Tx, toll: str) -> Toll | None:
    row = tx.row(select(tolls).where(tolls.c.id == toll))
    return None if row is None else _toll(row)


def remove(tx: Tx, toll: str) -> None:
    tx.run(delete(tolls).where(tolls.c.id == toll))


def every(tx: Tx) -> list[Toll]:
    return [_toll(row) for row in tx.rows(select(tolls).order_by(tolls.c.id))]


def page(tx: Tx, allowed: Predicate, *, after: tuple[str, str] | None, limit: int) -> list[Toll]:
    """By name."""
    query = select(tolls).where(where(allowed, tolls.c.area_path)).order_by(tolls.c.name, tolls.c.id)
    if after is not None:
        name, toll = after
        query = query.where(or_(tolls.c.name > name, (tolls.c.name == name) & (tolls.c.id > toll)))
    return [_toll(row) for row in tx.rows(query.limit(limit))]


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path."""
    return tx.row(select(tolls.c.id).where(under(tolls.c.area_path, path)).limit(1)) is not None


def any_at_all(tx: Tx) -> bool:
    return tx.row(select(tolls.c.id).limit(1)) is not None
