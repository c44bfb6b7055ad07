"""The table of channels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.channels.decide import Channel
from safecity.core.ground.sql import Id, Json, Tags, area_path, key, metadata, organisation_path, ref
from safecity.core.ground.words import like, search_key, sort_key
from safecity.ports.database import Row, Tx

channels = Table(
    "channels",
    metadata,
    key("ch"),
    Column("device", Id("dv"), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("code", "name", "kind", "announced", "slot")),
    *(Column(name, Text, nullable=False) for name in ("manufacturer", "model", "place")),
    Column("sort_key", Text, nullable=False),
    Column("search_key", Text, nullable=False),
    *(Column(name, Boolean, nullable=False) for name in ("name_given", "enabled", "present", "ptz")),
    ref("area", "ar", nullable=True),
    area_path(index=False),
    ref("organisation", "og", nullable=True),
    organisation_path(),
    Column("tags", Tags, nullable=False),
    *(Column(name, Json, nullable=False) for name in ("qualities", "sources", "record")),
    Column("ptz_offers", Json, nullable=True),
    Column("epoch", BigInteger, nullable=False),
    Column("longitude", Float, nullable=True),
    Column("latitude", Float, nullable=True),
    Column("ordinal", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("uq_channels_device_code", "device", "code", unique=True),
    Index("ix_channels_area_path_sort_key", "area_path", "sort_key"),
    Index("ix_channels_sort_key", "sort_key", "id"),
)
_FIELDS = tuple(Channel.__dataclass_fields__)


def _values(channel: Channel) -> dict[str, Any]:
    values = {name: getattr(channel, name) for name in _FIELDS}
    values.update(
        qualities=list(channel.qualities),
        sort_key=sort_key(channel.name),
        search_key=search_key(channel.name, channel.code, channel.place, *sorted(channel.tags)),
    )
    return values


def _channel(row: Row) -> Channel:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values.update(qualities=tuple(row["qualities"]))
    return Channel(**values)


def _visible(allowed: Predicate) -> Any:
    return where(allowed, channels.c.area_path, channels.c.tags, organisation=channels.c.organisation_path)


def add(tx: Tx, channel: Channel) -> None:
    tx.run(insert(channels).values(**_values(channel)))


def save(tx: Tx, channel: Channel) -> None:
    values = _values(channel)
    values.pop("id")
    tx.run(update(channels).where(channels.c.id == channel.id).values(**values))


def find(tx: Tx, channel: str) -> Channel | None:
    row = tx.row(select(channels).where(channels.c.id == channel))
    return None if row is None else _channel(row)


def find_many(tx: Tx, ids: list[str]) -> dict[str, Channel]:
    return {row["id"]: _channel(row) for row in tx.rows(select(channels).where(channels.c.id.in_(ids)))}


def find_by_code(tx: Tx, device: str, code: str) -> Channel | None:
    row = tx.row(select(channels).where(channels.c.device == device, channels.c.code == code))
    return None if row is None else _channel(row)


def of_device(tx: Tx, device: str, allowed: Predicate | None = None) -> list[Channel]:
    query = select(channels).where(channels.c.device == device).order_by(channels.c.ordinal, channels.c.id)
    if allowed is not None:
        query = query.where(_visible(allowed))
    return [_channel(row) for row in tx.rows(query)]


def page(
    tx: Tx,
    allowed: Predicate,
    *,
    after: tuple[str, str] | None,
    limit: int,
    area: str = "",
    device: str = "",
    q: str = "",
) -> list[tuple[str, Channel]]:
    """(sort key, channel), by name."""
    query = select(channels).where(_visible(allowed), channels.c.kind == "camera")
    if after is not None:
        key_, id_ = after
        query = query.where((channels.c.sort_key > key_) | ((channels.c.sort_key == key_) & (channels.c.id > id_)))
    if area:
        query = query.where(under(channels.c.area_path, area))
    if device:
        query = query.where(channels.c.device == device)
    if q:
        query = query.where(channels.c.search_key.like(like(q), escape="\\"))
    query = query.order_by(channels.c.sort_key, channels.c.id).limit(limit)
    return [(row["sort_key"], _channel(row)) for row in tx.rows(query)]


def everything(tx: Tx, allowed: Predicate | None = None, area: str = "") -> list[Channel]:
    query = select(channels).order_by(channels.c.id)
    if allowed is not None:
        query = query.where(_visible(allowed))
    if area:
        query = query.where(under(channels.c.area_path, area))
    return [_channel(row) for row in tx.rows(query)]


def load(tx: Tx, slots: tuple[str, ...]) -> dict[str, int]:
    """Channels per slot."""
    counted = dict.fromkeys(slots, 0)
    for row in tx.rows(select(channels.c.slot, func.count().label("n")).group_by(channels.c.slot)):
        if row["slot"] in counted:
            counted[row["slot"]] = int(row["n"])
    return counted


def placements(tx: Tx) -> list[tuple[str, str, int]]:
    """(channel, slot, epoch) of every channel that is on a slot."""
    query = select(channels.c.id, channels.c.slot, channels.c.epoch).where(channels.c.slot != "")
    return [(row["id"], row["slot"], row["epoch"]) for row in tx.rows(query)]


def remove_of_device(tx: Tx, device: str) -> list[str]:
    ids = [row["id"] for row in tx.rows(select(channels.c.id).where(channels.c.device == device))]
    tx.run(delete(channels).where(channels.c.device == device))
    return ids


def any_under(tx: Tx, path: str) -> bool:
    return tx.row(select(channels.c.id).where(under(channels.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether a channel belongs to the organisation of that path, or to one below it."""
    belongs = under(channels.c.organisation_path, organisation)
    return tx.row(select(channels.c.id).where(belongs).limit(1)) is not None


def has_any(device: ColumnElement[Any]) -> ColumnElement[bool]:
    """For queries of others: whether a device, by the column of its id, has channels."""
    return exists().where(channels.c.device == device)
