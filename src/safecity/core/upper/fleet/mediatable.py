"""Rows of what vehicles took. A row lies where its vehicle lay when it came, and names its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    LargeBinary,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
)

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.loose.api import unnamed
from safecity.core.ground.sql import area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx

vehicle_media = Table(
    "vehicle_media",
    metadata,
    key("vm"),
    ref("device", "dv"),
    *(Column(name, BigInteger, nullable=False) for name in ("number", "channel", "size")),
    *(Column(name, Text, nullable=False) for name in ("kind", "format", "cause", "blob")),
    *(Column(name, Text, nullable=False, server_default="") for name in ("event", "name")),
    Column("digest", LargeBinary, nullable=False),
    Column("proven", Boolean, nullable=False),
    *(Column(name, Float, nullable=True) for name in ("longitude", "latitude")),
    *(moment(name) for name in ("at", "seen")),
    area_path(index=False),
    organisation_path(),
    Index("ix_vehicle_media_device_number_digest", "device", "number", "digest"),
    Index("ix_vehicle_media_device_at", "device", "at"),
    Index("ix_vehicle_media_device_seen", "device", "seen"),
    Index("ix_vehicle_media_seen", "seen"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleMedium:
    """A picture, sound or film that a vehicle took; words and numbers as of `model.facts.vehicle_calls.KeepMedia`.

    size, digest   bytes, and their SHA-256
    blob           where they lie
    event, name    of an attachment: the fact that its alarm was raised by, and what the terminal calls the file
    proven         the bytes begin as those of a JPEG do, and say a size that can be shown
    """

    id: str
    device: str
    number: int
    channel: int
    kind: str
    format: str
    cause: str
    at: int
    seen: int
    size: int
    digest: bytes
    blob: str
    proven: bool
    longitude: float | None = None
    latitude: float | None = None
    event: str = ""
    name: str = ""
    area_path: str = "/"
    organisation_path: str = "/"


_FIELDS = tuple(VehicleMedium.__dataclass_fields__)


def add(tx: Tx, one: VehicleMedium) -> None:
    tx.run(insert(vehicle_media).values(**{name: getattr(one, name) for name in _FIELDS}))


def is_known(
    tx: Tx, device: str, number: int, digest: bytes, *, at: int, seen: int, event: str = "", name: str = ""
) -> bool:
    """Whether the vehicle brought these bytes under that number, and for that alarm, before. Numbers begin anew when it
    is switched on, and a camera that sees nothing takes the same bytes each time: what was taken at another time is
    another, as far as both say when that was."""
    table = vehicle_media.c
    same = and_(
        table.device == device, table.number == number, table.digest == digest, table.event == event, table.name == name
    )
    if at != seen:
        same = and_(same, or_(table.at == at, table.at == table.seen))
    return tx.row(select(table.id).where(same).limit(1)) is not None


def came_since(tx: Tx, device: str, since: int) -> int:
    """How many a vehicle brought since then."""
    table = vehicle_media.c
    row = tx.row(select(func.count().label("n")).where(table.device == device, table.seen >= since))
    return 0 if row is None else int(row["n"])


def bytes_since(tx: Tx, device: str, since: int) -> int:
    """Bytes of attachments that a vehicle brought since then."""
    table = vehicle_media.c
    mine = and_(table.device == device, table.seen >= since, table.event != "")
    row = tx.row(select(func.coalesce(func.sum(table.size), 0).label("n")).where(mine))
    return 0 if row is None else int(row["n"])


def find(tx: Tx, medium: str) -> VehicleMedium | None:
    row = tx.row(select(vehicle_media).where(vehicle_media.c.id == medium))
    return None if row is None else _medium(row)


def page(
    tx: Tx, allowed: Predicate, device: str, *, oldest: int, without: Sequence[int], known: Sequence[int],
    before: tuple[int, str] | None, limit: int,
) -> list[VehicleMedium]:  # fmt: skip
    """Of one vehicle, those that came after `oldest`, taken last first, none of the cameras `without`; while
    there are such, of attachments only those of cameras that are `known` to be others. `before`:
    (at, id) of the last one shown."""
    table = vehicle_media.c
    rights: Any = where(allowed, table.area_path, organisation=table.organisation_path)
    query = select(vehicle_media).where(rights, table.device == device, table.seen > oldest)
    if without:
        query = query.where(table.channel.not_in(without), or_(table.event == "", table.channel.in_(known)))
    if before is not None:
        at, last = before
        query = query.where(or_(table.at < at, and_(table.at == at, table.id < last)))
    return [_medium(row) for row in tx.rows(query.order_by(table.at.desc(), table.id.desc()).limit(limit))]


def owners(tx: Tx) -> list[str]:
    """Vehicles of which something is kept."""
    return [row["device"] for row in tx.rows(select(vehicle_media.c.device).distinct())]


def forget(tx: Tx, oldest: int, gone_vehicles: Sequence[str], now: int, limit: int) -> int:
    """Those that came then or before, and of these vehicles all, with their bytes; how many."""
    table = vehicle_media.c
    due = or_(table.seen <= oldest, table.device.in_(gone_vehicles))
    query = select(table.id, table.blob).where(due).order_by(table.seen).limit(limit)
    gone = tx.rows(query)
    unnamed(tx, [row["blob"] for row in gone], now)
    tx.run(delete(vehicle_media).where(table.id.in_([row["id"] for row in gone])))
    return len(gone)


def _medium(row: Row) -> VehicleMedium:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["digest"] = bytes(row["digest"])
    return VehicleMedium(**values)
