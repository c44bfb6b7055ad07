"""Subscriptions to the view library, and those who are told what a watch meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, UniqueConstraint, insert, select, update

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.sql import Json, area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx


class SubscriptionState(StrEnum):
    """Life of a subscription."""

    PENDING = "pending"
    ACTIVE = "active"
    REFUSED = "refused"
    CANCELLED = "cancelled"


ALLOWED = {
    SubscriptionState.PENDING: {SubscriptionState.ACTIVE, SubscriptionState.REFUSED, SubscriptionState.CANCELLED},
    SubscriptionState.ACTIVE: {SubscriptionState.CANCELLED, SubscriptionState.REFUSED},
    SubscriptionState.REFUSED: {SubscriptionState.ACTIVE},
    SubscriptionState.CANCELLED: set[SubscriptionState](),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscribed:
    """What a library asks to be told. `address` is host and port as somebody allowed it; `lost` counts what could not
    be told before it was past its time or the library locked out, and what the library would not take. `watch`: it
    asked for a watch, and is told what that meets; `subscribe_id` is the watch, too. Of hits that were told and are
    none: `recalled` where it took that back, `not_recalled` where it would not or could not be told."""

    id: str
    device: str
    subscribe_id: str
    state: SubscriptionState
    body: dict[str, Any]
    address: str
    area_path: str
    organisation_path: str
    created_at: int
    decided_by: str = ""
    delivered: int = 0
    lost: int = 0
    last_error: str = ""
    revision: int = 1
    watch: str | None = None
    recalled: int = 0
    not_recalled: int = 0


subscriptions = Table(
    "image_subscriptions",
    metadata,
    key("su"),
    ref("device", "dv"),
    *(Column(name, Text, nullable=False) for name in ("subscribe_id", "state", "address", "decided_by", "last_error")),
    Column("body", Json, nullable=False),
    area_path(),
    organisation_path(),
    moment("created_at"),
    *(Column(name, BigInteger, nullable=False) for name in ("delivered", "lost", "revision")),
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in ("recalled", "not_recalled")),
    ref("watch", "wa", nullable=True, index=True),
    UniqueConstraint("device", "subscribe_id", name="uq_image_subscriptions_device_subscribe_id"),
)
_SUBSCRIBED = tuple(Subscribed.__dataclass_fields__)
_PLAIN = subscriptions.c.watch.is_(None)


def subscription(tx: Tx, one: str) -> Subscribed | None:
    row = tx.row(select(subscriptions).where(subscriptions.c.id == one))
    return None if row is None else _subscribed(row)


def subscription_of(tx: Tx, device: str, subscribe_id: str) -> Subscribed | None:
    query = select(subscriptions).where(
        _PLAIN, subscriptions.c.device == device, subscriptions.c.subscribe_id == subscribe_id
    )  # fmt: skip
    row = tx.row(query)
    return None if row is None else _subscribed(row)


def subscriptions_of(tx: Tx, device: str) -> list[Subscribed]:
    query = select(subscriptions).where(_PLAIN, subscriptions.c.device == device).order_by(subscriptions.c.id)
    return [_subscribed(row) for row in tx.rows(query)]


def in_force(tx: Tx) -> list[Subscribed]:
    query = select(subscriptions).where(_PLAIN, subscriptions.c.state == "active").order_by(subscriptions.c.id)
    return [_subscribed(row) for row in tx.rows(query)]


def page(tx: Tx, allowed: Predicate, *, before: str, limit: int) -> list[Subscribed]:
    """Newest first."""
    visible = where(allowed, subscriptions.c.area_path, organisation=subscriptions.c.organisation_path)
    query = select(subscriptions).where(_PLAIN, visible).order_by(subscriptions.c.id.desc()).limit(limit)
    if before:
        query = query.where(subscriptions.c.id < before)
    return [_subscribed(row) for row in tx.rows(query)]


def of_watches(tx: Tx, watches: Sequence[str]) -> dict[str, Subscribed]:
    """By watch, of those that a library asked for."""
    rows = tx.rows(select(subscriptions).where(subscriptions.c.watch.in_(watches)))
    return {row["watch"]: _subscribed(row) for row in rows}


def add(tx: Tx, one: Subscribed) -> None:
    tx.run(
        insert(subscriptions).values(**{name: getattr(one, name) for name in _SUBSCRIBED} | {"state": str(one.state)})
    )


def save(tx: Tx, one: Subscribed) -> None:
    values = {name: getattr(one, name) for name in _SUBSCRIBED if name != "id"} | {"state": str(one.state)}
    tx.run(update(subscriptions).where(subscriptions.c.id == one.id).values(**values))


def _subscribed(row: Row) -> Subscribed:
    values: dict[str, Any] = {name: row[name] for name in _SUBSCRIBED}
    values["state"] = SubscriptionState(row["state"])
    return Subscribed(**values)
