"""Saved walls, tours, and who holds which camera's PTZ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, delete, insert, select, update

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.desk.cruises import Cruise
from safecity.core.ground.sql import Id, Json, area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx


def _saved(name: str, kind: str) -> Table:
    return Table(
        name,
        metadata,
        key(kind),
        ref("owner", "us", index=True),
        Column("name", Text, nullable=False),
        area_path(index=False),
        organisation_path(),
        Column("body", Json, nullable=False),
        Column("revision", BigInteger, nullable=False),
    )


views = _saved("views", "vw")
tours = _saved("tours", "tr")
ptz_locks = Table(
    "ptz_locks",
    metadata,
    Column("channel", Id("ch"), primary_key=True),
    ref("owner", "us"),
    Column("owner_name", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("priority", BigInteger, nullable=False),
    moment("taken_at"),
    moment("expires_at"),
)
cruises = Table(
    "cruises",
    metadata,
    Column("channel", Id("ch"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("points", Json, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("speed", "dwell")),
)
TABLES = {"vw": views, "tr": tours}


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """A view or a tour. With an empty area it is its owner's alone, else whoever sees the area and organisation."""

    id: str
    owner: str
    name: str
    area_path: str
    organisation_path: str = "/"
    body: dict[str, Any]
    revision: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PtzLock:
    """Who steers a camera. `priority` 1 is the highest."""

    channel: str
    owner: str
    owner_name: str
    session: str
    priority: int
    taken_at: int
    expires_at: int


def page(tx: Tx, kind: str, allowed: Predicate) -> list[Saved]:
    table = TABLES[kind]
    visible = where(allowed, table.c.area_path, owner=table.c.owner, organisation=table.c.organisation_path)
    query = select(table).where(visible).order_by(table.c.id)
    return [_saved_row(row) for row in tx.rows(query.limit(1000))]


def find(tx: Tx, kind: str, saved: str) -> Saved | None:
    table = TABLES[kind]
    row = tx.row(select(table).where(table.c.id == saved))
    return None if row is None else _saved_row(row)


def add(tx: Tx, kind: str, saved: Saved) -> None:
    tx.run(insert(TABLES[kind]).values(**{name: getattr(saved, name) for name in Saved.__dataclass_fields__}))


def save(tx: Tx, kind: str, saved: Saved) -> None:
    table = TABLES[kind]
    values = {name: getattr(saved, name) for name in ("name", "area_path", "organisation_path", "body", "revision")}
    tx.run(update(table).where(table.c.id == saved.id).values(**values))


def remove(tx: Tx, kind: str, saved: str) -> None:
    table = TABLES[kind]
    tx.run(delete(table).where(table.c.id == saved))


def lock_of(tx: Tx, channel: str) -> PtzLock | None:
    row = tx.row(select(ptz_locks).where(ptz_locks.c.channel == channel))
    return None if row is None else PtzLock(**{name: row[name] for name in PtzLock.__dataclass_fields__})


def put_lock(tx: Tx, lock: PtzLock) -> None:
    tx.run(delete(ptz_locks).where(ptz_locks.c.channel == lock.channel))
    tx.run(insert(ptz_locks).values(**{name: getattr(lock, name) for name in PtzLock.__dataclass_fields__}))


def drop_lock(tx: Tx, channel: str) -> None:
    tx.run(delete(ptz_locks).where(ptz_locks.c.channel == channel))


def cruises_of(tx: Tx, channel: str) -> list[Cruise]:
    query = select(cruises).where(cruises.c.channel == channel).order_by(cruises.c.number)
    return [_cruise_row(row) for row in tx.rows(query)]


def cruise_of(tx: Tx, channel: str, number: int) -> Cruise | None:
    row = tx.row(select(cruises).where(cruises.c.channel == channel, cruises.c.number == number))
    return None if row is None else _cruise_row(row)


def put_cruise(tx: Tx, channel: str, number: int, cruise: Cruise | None) -> None:
    tx.run(delete(cruises).where(cruises.c.channel == channel, cruises.c.number == number))
    if cruise is not None:
        values = {name: getattr(cruise, name) for name in Cruise.__dataclass_fields__}
        tx.run(insert(cruises).values(**{**values, "points": list(cruise.points)}))


def _cruise_row(row: Row) -> Cruise:
    return Cruise(
        channel=row["channel"], number=row["number"], points=tuple(row["points"]), speed=row["speed"],
        dwell=row["dwell"],
    )  # fmt: skip


def _saved_row(row: Row) -> Saved:
    return Saved(**{name: row[name] for name in Saved.__dataclass_fields__})
