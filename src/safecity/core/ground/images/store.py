"""Objects of the view library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Index, Select, Table, Text, UniqueConstraint, and_, delete, func, insert, select, update

from safecity.core.ground.access.api import under
from safecity.core.ground.images.outbox import drop_objects
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx
from safecity.protocols.gat1400.queries import Query
from safecity.protocols.gat1400.vehicles import clean_plate


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An object as it came, without its pictures. `pictures` lists them: `{"key", "place", "kind", "format"}`."""

    id: str
    device: str
    kind: str
    object_id: str
    about: str
    tollgate: str
    plate: str
    at: int
    seen: int
    keep_until: int
    purposes: frozenset[str]
    area_path: str
    organisation_path: str
    digest: str
    body: dict[str, Any]
    pictures: list[dict[str, Any]]


objects = Table(
    "image_objects",
    metadata,
    key("vo"),
    ref("device", "dv"),
    *(Column(name, Text, nullable=False) for name in ("kind", "object_id", "about", "tollgate", "plate", "digest")),
    moment("at"),
    moment("seen"),
    moment("keep_until"),
    Column("purposes", Tags, nullable=False),
    area_path(),
    organisation_path(),
    Column("body", Json, nullable=False),
    Column("pictures", Json, nullable=False),
    UniqueConstraint("device", "kind", "object_id", name="uq_image_objects_device_kind_object_id"),
    Index("ix_image_objects_kind_at", "kind", "at"),
    Index("ix_image_objects_keep_until", "keep_until"),
)
_FIELDS = tuple(Kept.__dataclass_fields__)
MAX_COUNTED: Final = 100_000
"""A quarter of a second on one core; of a million it would be seconds, for a number that nobody reads to its end."""


def known(tx: Tx, device: str, kind: str, ids: Sequence[str]) -> dict[str, Kept]:
    """What a sender sent before, by its own identifiers."""
    query = select(objects).where(objects.c.device == device, objects.c.kind == kind, objects.c.object_id.in_(ids))
    return {row["object_id"]: _kept(row) for row in tx.rows(query)}


def put(tx: Tx, kept: Kept, *, new: bool) -> None:
    values = {name: getattr(kept, name) for name in _FIELDS}
    if new:
        tx.run(insert(objects).values(**values))
    else:
        values.pop("id")
        tx.run(update(objects).where(objects.c.id == kept.id).values(**values))


def put_new(tx: Tx, many: Sequence[Kept]) -> None:
    """All at once."""
    tx.run(insert(objects), [{name: getattr(kept, name) for name in _FIELDS} for kept in many])


def find(tx: Tx, ids: Sequence[str]) -> list[Kept]:
    return [_kept(row) for row in tx.rows(select(objects).where(objects.c.id.in_(ids)).order_by(objects.c.id))]


def search(tx: Tx, readable: Any, kind: str, query: Query, now: int) -> list[Kept]:
    """Newest first; `readable` says which rows the asker may see."""
    chosen = _matching(select(objects), readable, kind, query, now)
    chosen = chosen.order_by(objects.c.at.desc(), objects.c.id.desc()).offset(query.start).limit(query.count)
    return [_kept(row) for row in tx.rows(chosen)]


def count(tx: Tx, readable: Any, kind: str, query: Query, now: int) -> int:
    """How many there are of what `search` shows page by page; at most `MAX_COUNTED`."""
    chosen = _matching(select(objects.c.id), readable, kind, query, now).limit(MAX_COUNTED).subquery()
    row = tx.row(select(func.count().label("n")).select_from(chosen))
    return 0 if row is None else int(row["n"])


def _matching(chosen: Select[Any], readable: Any, kind: str, query: Query, now: int) -> Select[Any]:
    chosen = chosen.where(objects.c.kind == kind, objects.c.keep_until > now, readable)
    if query.ids:
        chosen = chosen.where(objects.c.object_id.in_(query.ids))
    if query.device:
        chosen = chosen.where(objects.c.about == query.device)
    if query.tollgate:
        chosen = chosen.where(objects.c.tollgate == query.tollgate)
    if query.plate:
        chosen = chosen.where(objects.c.plate == clean_plate(query.plate))
    if query.since is not None:
        chosen = chosen.where(objects.c.at >= query.since)
    if query.until is not None:
        chosen = chosen.where(objects.c.at < query.until)
    return chosen


def of_kind(tx: Tx, device: str, kind: str, now: int, limit: int) -> list[Kept]:
    """What a device sent of a kind, as far as it is still kept, newest first."""
    mine = (objects.c.device == device, objects.c.kind == kind, objects.c.keep_until > now)
    return [_kept(row) for row in tx.rows(select(objects).where(*mine).order_by(objects.c.id.desc()).limit(limit))]


def own(device: str) -> Any:
    """Rows a device sent itself."""
    return objects.c.device == device


def lying_under(area: str, organisation: str) -> Any:
    """Rows of an area and an organisation that are for others at all."""
    return and_(
        objects.c.purposes != "", under(objects.c.area_path, area), under(objects.c.organisation_path, organisation)
    )


def remove(tx: Tx, ids: Sequence[str]) -> int:
    """With what was still to be told of them."""
    drop_objects(tx, ids)
    return tx.run(delete(objects).where(objects.c.id.in_(ids)))


def expired(tx: Tx, now: int, limit: int) -> list[Kept]:
    query = select(objects).where(objects.c.keep_until <= now).order_by(objects.c.keep_until).limit(limit)
    return [_kept(row) for row in tx.rows(query)]


def _kept(row: Row) -> Kept:
    return Kept(**{name: row[name] for name in _FIELDS})
