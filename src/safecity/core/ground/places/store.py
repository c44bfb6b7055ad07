"""Tables of areas and organisations."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import BigInteger, Column, Table, Text, delete, insert, select, update

from safecity.core.ground.access.api import ROOT, Predicate, where
from safecity.core.ground.places.decide import Area, Level, Organisation
from safecity.core.ground.sql import key, metadata, ref
from safecity.ports.database import Row, Tx

_Place = TypeVar("_Place", Area, Organisation)
areas = Table(
    "areas",
    metadata,
    key("ar"),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    ref("parent", "ar", nullable=True, index=True),
    Column("path", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False, unique=True),
    Column("zone", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
organisations = Table(
    "organisations",
    metadata,
    key("og"),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    ref("parent", "og", nullable=True, index=True),
    Column("path", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False, unique=True),
    Column("revision", BigInteger, nullable=False),
)


def find_area(tx: Tx, area: str) -> Area | None:
    row = tx.row(select(areas).where(areas.c.id == area))
    return None if row is None else _area(row)


def area_at(tx: Tx, path: str) -> Area | None:
    row = tx.row(select(areas).where(areas.c.path == path))
    return None if row is None else _area(row)


def area_by_code(tx: Tx, code: str) -> Area | None:
    row = tx.row(select(areas).where(areas.c.code == code).limit(1)) if code else None
    return None if row is None else _area(row)


def list_areas(tx: Tx, allowed: Predicate, parent: str | None, *, everything: bool, limit: int) -> list[Area]:
    query = select(areas).where(where(allowed, areas.c.path)).order_by(areas.c.path).limit(limit)
    if not everything:
        query = query.where(areas.c.parent.is_(None) if parent is None else areas.c.parent == parent)
    return [_area(row) for row in tx.rows(query)]


def children_of(tx: Tx, allowed: Predicate, parent: str) -> list[Area]:
    """Directly below an area."""
    return list_areas(tx, allowed, parent, everything=False, limit=20_000)


def tops_of(tx: Tx, allowed: Predicate) -> list[Area]:
    """Where the tree begins for somebody: nobody of a district sees the province above it."""
    found = list_areas(tx, allowed, None, everything=False, limit=20_000)
    if found:
        return found
    return _tops(list_areas(tx, allowed, None, everything=True, limit=20_000))


def _tops(places: list[_Place]) -> list[_Place]:
    """Those with none of the others above them. They come by path, so that whatever lies below one follows it."""
    tops: list[_Place] = []
    for place in places:
        if not tops or not place.path.startswith(tops[-1].path):
            tops.append(place)
    return tops


def areas_by_path(tx: Tx, paths: list[str]) -> dict[str, Area]:
    return {row["path"]: _area(row) for row in tx.rows(select(areas).where(areas.c.path.in_(paths)))}


def add_area(tx: Tx, area: Area) -> None:
    tx.run(insert(areas).values(**{name: getattr(area, name) for name in Area.__dataclass_fields__}))


def save_area(tx: Tx, area: Area) -> None:
    values = {"name": area.name, "zone": area.zone, "revision": area.revision}
    tx.run(update(areas).where(areas.c.id == area.id).values(**values))


def delete_area(tx: Tx, area: str) -> None:
    tx.run(delete(areas).where(areas.c.id == area))


def has_children(tx: Tx, area: str) -> bool:
    return tx.row(select(areas.c.id).where(areas.c.parent == area).limit(1)) is not None


def find_organisation(tx: Tx, organisation: str) -> Organisation | None:
    row = tx.row(select(organisations).where(organisations.c.id == organisation))
    return None if row is None else _organisation(row)


def list_organisations(
    tx: Tx, allowed: Predicate, parent: str | None, *, everything: bool, limit: int
) -> list[Organisation]:
    visible = where(allowed, ROOT, organisation=organisations.c.path)
    query = select(organisations).where(visible).order_by(organisations.c.path).limit(limit)
    if not everything:
        query = query.where(organisations.c.parent.is_(None) if parent is None else organisations.c.parent == parent)
    return [_organisation(row) for row in tx.rows(query)]


def organisation_tops(tx: Tx, allowed: Predicate) -> list[Organisation]:
    """Where the line of command begins for somebody."""
    own = list_organisations(tx, allowed, None, everything=True, limit=20_000)
    return _tops(own)


def organisations_by_path(tx: Tx, paths: list[str]) -> dict[str, Organisation]:
    query = select(organisations).where(organisations.c.path.in_(paths))
    return {row["path"]: _organisation(row) for row in tx.rows(query)}


def add_organisation(tx: Tx, organisation: Organisation) -> None:
    values = {name: getattr(organisation, name) for name in Organisation.__dataclass_fields__}
    tx.run(insert(organisations).values(**values))


def save_organisation(tx: Tx, organisation: Organisation) -> None:
    values = {"name": organisation.name, "kind": organisation.kind, "revision": organisation.revision}
    tx.run(update(organisations).where(organisations.c.id == organisation.id).values(**values))


def delete_organisation(tx: Tx, organisation: str) -> None:
    tx.run(delete(organisations).where(organisations.c.id == organisation))


def organisation_has_children(tx: Tx, organisation: str) -> bool:
    return tx.row(select(organisations.c.id).where(organisations.c.parent == organisation).limit(1)) is not None


def _area(row: Row) -> Area:
    values: dict[str, Any] = {name: row[name] for name in Area.__dataclass_fields__}
    values.update(level=Level(row["level"]))
    return Area(**values)


def _organisation(row: Row) -> Organisation:
    return Organisation(**{name: row[name] for name in Organisation.__dataclass_fields__})
