"""The table of devices; secrets lie in it sealed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices.decide import Device, DeviceKind, DeviceState
from safecity.core.ground.sql import Json, area_path, key, metadata, moment, organisation_path, ref
from safecity.core.ground.words import like, search_key, sort_key
from safecity.ports.database import Row, Tx

_TEXTS = (
    "kind", "name", "code", "manufacturer", "model", "firmware", "url", "sub_url", "username", "transport", "charset",
    "state", "state_code", "address", "user_agent", "version",
)  # fmt: skip
devices = Table(
    "devices",
    metadata,
    key("dv"),
    *(Column(name, Text, nullable=False) for name in _TEXTS),
    Column("code_key", Text, nullable=True, unique=True),
    Column("sort_key", Text, nullable=False, index=True),
    Column("search_key", Text, nullable=False),
    Column("secret", LargeBinary, nullable=True),
    ref("area", "ar", nullable=True),
    area_path(),
    ref("organisation", "og", nullable=True),
    organisation_path(),
    *(Column(name, Boolean, nullable=False) for name in ("enabled", "demo", "name_given")),
    moment("state_since"),
    *(Column(name, Text, nullable=False, server_default="") for name in ("told_by", "told_run")),
    Column("told_number", BigInteger, nullable=False, server_default="0"),
    moment("created_at"),
    Column("position_seconds", BigInteger, nullable=False, server_default="0"),
    Column("digests", Json, nullable=False, server_default="[]"),
    Column("revision", BigInteger, nullable=False),
)
_FIELDS = tuple(Device.__dataclass_fields__)


def _values(device: Device) -> dict[str, Any]:
    values = {name: getattr(device, name) for name in _FIELDS}
    values.update(
        kind=str(device.kind),
        state=str(device.state),
        code_key=_code_key(device.kind, device.code),
        sort_key=sort_key(device.name or device.code),
        search_key=search_key(device.name, device.code, device.manufacturer, device.address),
    )
    return values


def _code_key(kind: DeviceKind, code: str) -> str | None:
    """One camera often speaks both GB/T 28181 and GA/T 1400, under one code: it is unique within each."""
    if kind is DeviceKind.GB28181:
        return code
    return None if kind is DeviceKind.RTSP else f"{kind}/{code}"


def _device(row: Row) -> Device:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values.update(kind=DeviceKind(row["kind"]), state=DeviceState(row["state"]))
    return Device(**values)


def _visible(allowed: Predicate) -> Any:
    return where(allowed, devices.c.area_path, organisation=devices.c.organisation_path)


def add(tx: Tx, device: Device, secret: bytes | None) -> None:
    tx.run(insert(devices).values(**_values(device), secret=secret))


def save(tx: Tx, device: Device, secret: bytes | None = None) -> None:
    values = _values(device)
    values.pop("id")
    if secret is not None:
        values["secret"] = secret
    tx.run(update(devices).where(devices.c.id == device.id).values(**values))


def remove(tx: Tx, device: str) -> None:
    tx.run(delete(devices).where(devices.c.id == device))


def find(tx: Tx, device: str) -> Device | None:
    row = tx.row(select(devices).where(devices.c.id == device))
    return None if row is None else _device(row)


def find_many(tx: Tx, ids: list[str]) -> dict[str, Device]:
    return {row["id"]: _device(row) for row in tx.rows(select(devices).where(devices.c.id.in_(ids)))}


def codes_of(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The codes of those that exist."""
    wanted = list(ids)
    if not wanted:
        return {}
    query = select(devices.c.id, devices.c.code).where(devices.c.id.in_(wanted))
    return {row["id"]: row["code"] for row in tx.rows(query)}


def find_with_secret(tx: Tx, code: str, kind: DeviceKind) -> tuple[Device, bytes | None] | None:
    """As `find_by_code`, with its sealed secret."""
    row = tx.row(select(devices).where(devices.c.code_key == _code_key(kind, code)))
    return None if row is None else (_device(row), row["secret"])


def find_by_code(tx: Tx, code: str, kind: DeviceKind = DeviceKind.GB28181) -> Device | None:
    row = tx.row(select(devices).where(devices.c.code_key == _code_key(kind, code)))
    return None if row is None else _device(row)


def of_account(tx: Tx, kind: DeviceKind, username: str) -> list[tuple[Device, bytes | None]]:
    """Devices of a kind that sign in under that name, with sealed secrets; without one of its own a device signs in
    with its code."""
    own = (devices.c.username == username) | ((devices.c.username == "") & (devices.c.code == username))
    query = select(devices).where(devices.c.kind == str(kind), own).order_by(devices.c.id).limit(1000)
    return [(_device(row), row["secret"]) for row in tx.rows(query)]


def secret_of(tx: Tx, device: str) -> bytes | None:
    row = tx.row(select(devices.c.secret).where(devices.c.id == device))
    return None if row is None else row["secret"]


def page(
    tx: Tx,
    allowed: Predicate,
    *,
    after: tuple[str, str] | None,
    limit: int,
    area: str = "",
    q: str = "",
    kind: str = "",
) -> list[tuple[str, Device]]:
    """(sort key, device), by name."""
    query = select(devices).where(_visible(allowed)).order_by(devices.c.sort_key, devices.c.id)
    if after is not None:
        query = query.where(_behind(after))
    if area:
        query = query.where(under(devices.c.area_path, area))
    if q:
        query = query.where(devices.c.search_key.like(like(q), escape="\\"))
    if kind:
        query = query.where(devices.c.kind == kind)
    return [(row["sort_key"], _device(row)) for row in tx.rows(query.limit(limit))]


def in_area(
    tx: Tx,
    allowed: Predicate,
    area: str | None,
    *,
    after: tuple[str, str] | None,
    limit: int,
    pictures: bool = False,
) -> list[tuple[str, Device]]:
    """(sort key, device), by name: those directly in an area, not below. `pictures`: without those that have none."""
    here = devices.c.area.is_(None) if area is None else devices.c.area == area
    query = select(devices).where(_visible(allowed), here)
    if pictures:
        giving = devices.c.kind.in_([str(kind) for kind in DeviceKind if kind.gives_pictures])
        perhaps = devices.c.kind.in_([str(kind) for kind in DeviceKind if kind.may_give_pictures])
        query = query.where(giving | (perhaps & channels.has_any(devices.c.id)))
    query = query.order_by(devices.c.sort_key, devices.c.id)
    if after is not None:
        query = query.where(_behind(after))
    return [(row["sort_key"], _device(row)) for row in tx.rows(query.limit(limit))]


def _behind(place: tuple[str, str]) -> ColumnElement[bool]:
    """What follows (sort key, id) in a list by name."""
    key, one = place
    return (devices.c.sort_key > key) | ((devices.c.sort_key == key) & (devices.c.id > one))


def everything(tx: Tx, kind: DeviceKind | None = None) -> list[tuple[Device, bytes | None]]:
    """All, with sealed secrets: for the desired state."""
    query = select(devices).order_by(devices.c.id)
    if kind is not None:
        query = query.where(devices.c.kind == str(kind))
    return [(_device(row), row["secret"]) for row in tx.rows(query)]


def any_under(tx: Tx, path: str) -> bool:
    return tx.row(select(devices.c.id).where(under(devices.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether a device belongs to the organisation of that path, or to one below it."""
    belongs = under(devices.c.organisation_path, organisation)
    return tx.row(select(devices.c.id).where(belongs).limit(1)) is not None


def count(tx: Tx) -> int:
    row = tx.row(select(func.count().label("n")).select_from(devices))
    return int(row["n"]) if row else 0


def demo_ids(tx: Tx) -> list[str]:
    return [row["id"] for row in tx.rows(select(devices.c.id).where(devices.c.demo))]
