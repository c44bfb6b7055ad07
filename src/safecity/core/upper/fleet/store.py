"""Fences, and what is known of each vehicle that is held against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.settings.api import get, put
from safecity.core.ground.sql import Id, Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.fleet.fences import Fence
from safecity.core.upper.fleet.judging import Track, unpack
from safecity.core.upper.fleet.shapes import ShapeKind
from safecity.ports.database import Row, Tx

CHANGED = "fences/changed"
fences = Table(
    "fences",
    metadata,
    key("fe"),
    *(Column(name, Text, nullable=False) for name in ("name", "kind", "reason", "created_by")),
    *(Column(name, Json, nullable=False) for name in ("points", "days", "vehicles")),
    Column("metres", Float, nullable=False),
    *(Column(name, Boolean, nullable=False) for name in ("on_enter", "on_leave", "enabled", "to_terminals")),
    *(
        Column(name, BigInteger, nullable=False)
        for name in ("speed_kmh", "speed_seconds", "from_minute", "until_minute", "priority", "number", "revision")
    ),
    *(moment(name) for name in ("valid_from", "since", "created_at")),
    moment("valid_until", nullable=True),
    ref("area", "ar", nullable=True),
    area_path(),
    ref("organisation", "og", nullable=True),
    organisation_path(),
    Column("seats", Tags, nullable=False),
)
copies = Table(
    "fence_copies",
    metadata,
    Column("fence", Id("fe"), primary_key=True),
    Column("device", Id("dv"), primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("revision", "number")),
    *(Column(name, Text, nullable=False) for name in ("kind", "code")),
    moment("at"),
    Index("ix_fence_copies_device", "device"),
)
tracks = Table(
    "fence_tracks",
    metadata,
    Column("device", Id("dv"), primary_key=True),
    moment("newest"),
    Column("body", Json, nullable=False),
    Index("ix_fence_tracks_newest", "newest"),
)
_FIELDS = tuple(Fence.__dataclass_fields__)
_OLD = delete(tracks).where(tracks.c.device == bindparam("of_device"))


def _fence(row: Row) -> Fence:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["kind"] = ShapeKind(row["kind"])
    values["points"] = tuple((float(x), float(y)) for x, y in row["points"])
    values["days"], values["vehicles"] = tuple(row["days"]), tuple(row["vehicles"])
    return Fence(**values)


def _values(fence: Fence) -> dict[str, Any]:
    values = {name: getattr(fence, name) for name in _FIELDS}
    lists = {name: list(values[name]) for name in ("days", "vehicles")}
    return values | lists | {"kind": str(fence.kind), "points": [list(point) for point in fence.points]}


def last_change(tx: Tx) -> int:
    """Its number; who follows the fences reads them again when it is another one, in the same view of the database."""
    return int(get(tx, CHANGED, 0))


def _touch(tx: Tx) -> None:
    put(tx, CHANGED, last_change(tx) + 1)


def add(tx: Tx, fence: Fence) -> None:
    _touch(tx)
    tx.run(insert(fences).values(**_values(fence)))


def save(tx: Tx, fence: Fence) -> None:
    _touch(tx)
    tx.run(update(fences).where(fences.c.id == fence.id).values(**_values(fence)))


def remove(tx: Tx, fence: str) -> None:
    _touch(tx)
    tx.run(delete(fences).where(fences.c.id == fence))


def find(tx: Tx, fence: str) -> Fence | None:
    row = tx.row(select(fences).where(fences.c.id == fence))
    return None if row is None else _fence(row)


def count(tx: Tx) -> int:
    row = tx.row(select(func.count().label("n")).select_from(fences))
    return 0 if row is None else int(row["n"])


def next_number(tx: Tx) -> int:
    """For a new one; those of fences that were taken away are not given again while a terminal may have them."""
    used = (select(func.max(fences.c.number).label("last")), select(func.max(copies.c.number).label("last")))
    rows = [row for query in used if (row := tx.row(query)) is not None]
    return max([int(row["last"] or 0) for row in rows], default=0) + 1


def everything(tx: Tx) -> list[Fence]:
    """Those that are switched on."""
    return [_fence(row) for row in tx.rows(select(fences).where(fences.c.enabled.is_(True)).order_by(fences.c.id))]


def page(tx: Tx, allowed: Predicate, *, before: str, limit: int, area: str = "") -> list[Fence]:
    """The newest first."""
    rights = where(allowed, fences.c.area_path, organisation=fences.c.organisation_path)
    query = select(fences).where(rights).order_by(fences.c.id.desc())
    if before:
        query = query.where(fences.c.id < before)
    if area:
        query = query.where(under(fences.c.area_path, area))
    return [_fence(row) for row in tx.rows(query.limit(limit))]


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path, or below."""
    return tx.row(select(fences.c.id).where(under(fences.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    belongs = under(fences.c.organisation_path, organisation)
    return tx.row(select(fences.c.id).where(belongs).limit(1)) is not None


# --- tracks --------------------------------------------------------------------------------------------------


def tracks_of(tx: Tx, devices: Iterable[str]) -> dict[str, Track]:
    """By device; those that were never judged are not in it."""
    query = select(tracks).where(tracks.c.device.in_(list(devices)))
    return {row["device"]: unpack(row["newest"], row["body"]) for row in tx.rows(query)}


def put_tracks(tx: Tx, changed: Mapping[str, Track]) -> None:
    if changed:
        tx.run(_OLD, [{"of_device": device} for device in changed])
        rows = [{"device": device, "newest": one.newest, "body": one.pack()} for device, one in changed.items()]
        tx.run(insert(tracks), rows)


def forget_tracks(tx: Tx, before: int) -> int:
    """Of vehicles that told nothing since."""
    return tx.run(delete(tracks).where(tracks.c.newest < before))
