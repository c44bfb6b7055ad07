"""Libraries below us, what is asked of them, and which notifications came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from safecity.core.ground.lowers.decide import Lower, Order, OrderKind, OrderState
from safecity.core.ground.sql import Json, key, metadata, moment, ref
from safecity.kit.ids import fresh
from safecity.ports.database import Row, Tx

libraries = Table(
    "lower_libraries",
    metadata,
    key("lw"),
    ref("device", "dv"),
    *(Column(name, Text, nullable=False) for name in ("url", "username", "form", "last_error")),
    Column("secret", LargeBinary, nullable=True),
    Column("watches", Boolean, nullable=False),
    *(moment(name, nullable=True) for name in ("leaving", "heard_at")),
    moment("created_at"),
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("device", name="uq_lower_libraries_device"),
)
orders = Table(
    "lower_orders",
    metadata,
    key("lo"),
    ref("device", "dv"),
    ref("watch", "wa", nullable=True, index=True),
    *(
        Column(name, Text, nullable=False)
        for name in ("kind", "number", "title", "reason", "state", "last_error", "created_by", "ended_by", "ending")
    ),
    Column("about", Json, nullable=False),
    *(moment(name) for name in ("begin", "end", "created_at")),
    *(moment(name, nullable=True) for name in ("until", "due_at", "placed_at", "heard_at", "ended_at")),
    *(Column(name, BigInteger, nullable=False) for name in ("tries", "received", "revision")),
    UniqueConstraint("device", "kind", "number", name="uq_lower_orders_device_kind_number"),
    Index("ix_lower_orders_due_at", "due_at"),
    Index("ix_lower_orders_kind_state", "kind", "state"),
)
heard = Table(
    "lower_heard",
    metadata,
    key("lh"),
    ref("order", "lo"),
    Column("notification", Text, nullable=False),
    Column("marks", Json, nullable=False),
    moment("at"),
    UniqueConstraint("order", "notification", name="uq_lower_heard_order_notification"),
    Index("ix_lower_heard_at", "at"),
)
_LOWER = tuple(Lower.__dataclass_fields__)
_ORDER = tuple(Order.__dataclass_fields__)


def find(tx: Tx, device: str) -> tuple[Lower, bytes | None] | None:
    """With its sealed password."""
    row = tx.row(select(libraries).where(libraries.c.device == device))
    return None if row is None else (_lower(row), row["secret"])


def everything(tx: Tx) -> list[tuple[Lower, bytes | None]]:
    """All of them; a city has some dozens of districts."""
    return [(_lower(row), row["secret"]) for row in tx.rows(select(libraries).order_by(libraries.c.id))]


def add(tx: Tx, one: Lower, secret: bytes | None) -> None:
    tx.run(insert(libraries).values(**{name: getattr(one, name) for name in _LOWER}, secret=secret))


def save(tx: Tx, one: Lower, secret: bytes | None = None) -> None:
    """Without a secret the one that is kept stays."""
    values = {name: getattr(one, name) for name in _LOWER if name != "id"}
    if secret is not None:
        values["secret"] = secret
    tx.run(update(libraries).where(libraries.c.id == one.id).values(**values))


def forget(tx: Tx, device: str) -> None:
    """With all that was asked of it."""
    mine = select(orders.c.id).where(orders.c.device == device)
    tx.run(delete(heard).where(heard.c.order.in_(mine)))
    tx.run(delete(orders).where(orders.c.device == device))
    tx.run(delete(libraries).where(libraries.c.device == device))


# --- orders --------------------------------------------------------------------------------------------------------


def add_order(tx: Tx, one: Order) -> None:
    tx.run(insert(orders).values(**_values(one)))


def save_order(tx: Tx, one: Order) -> None:
    tx.run(update(orders).where(orders.c.id == one.id).values(**_values(one)))


def order(tx: Tx, one: str) -> Order | None:
    row = tx.row(select(orders).where(orders.c.id == one))
    return None if row is None else _order(row)


def numbered(tx: Tx, device: str, kind: OrderKind, number: str) -> Order | None:
    """What a library was asked under that number."""
    query = select(orders).where(orders.c.device == device, orders.c.kind == str(kind), orders.c.number == number)
    row = tx.row(query)
    return None if row is None else _order(row)


def is_ours(tx: Tx, kind: OrderKind, number: str) -> bool:
    """Whether any library was asked for something under that number."""
    query = select(orders.c.id).where(orders.c.kind == str(kind), orders.c.number == number).limit(1)
    return tx.row(query) is not None


def orders_of(
    tx: Tx, device: str, kind: OrderKind | None = None, *, limit: int = 0, active: bool = False
) -> list[Order]:
    """Of one library, newest first."""
    query = select(orders).where(orders.c.device == device).order_by(orders.c.id.desc())
    if kind is not None:
        query = query.where(orders.c.kind == str(kind))
    if active:
        query = query.where(orders.c.state == str(OrderState.ACTIVE))
    return [_order(row) for row in tx.rows(query.limit(limit) if limit else query)]


def counts(tx: Tx, device: str, kind: OrderKind) -> dict[str, int]:
    """Of orders in force: `all`, and `placed`, those that the library took."""
    query = select(func.count().label("n"), func.count(orders.c.placed_at).label("placed")).where(
        orders.c.device == device, orders.c.kind == str(kind), orders.c.state == str(OrderState.ACTIVE)
    )
    row = tx.row(query)
    return {"all": int(row["n"]), "placed": int(row["placed"])} if row is not None else {"all": 0, "placed": 0}


def in_force(tx: Tx, kind: OrderKind) -> list[Order]:
    query = select(orders).where(orders.c.kind == str(kind), orders.c.state == str(OrderState.ACTIVE))
    return [_order(row) for row in tx.rows(query.order_by(orders.c.id))]


def over(tx: Tx, now: int) -> list[Order]:
    """In force as it says, and past their time."""
    query = select(orders).where(orders.c.state == str(OrderState.ACTIVE), orders.c.until <= now)
    return [_order(row) for row in tx.rows(query.order_by(orders.c.id).limit(500))]


def due(tx: Tx, device: str, now: int, limit: int) -> list[Order]:
    """What is to be said to a library now, in the order in which it was asked for."""
    query = select(orders).where(orders.c.device == device, orders.c.due_at <= now).order_by(orders.c.id).limit(limit)
    return [_order(row) for row in tx.rows(query)]


def put_off(tx: Tx, device: str, due_at: int) -> None:
    """A library does not answer: nothing is said to it before then."""
    tx.run(update(orders).where(orders.c.device == device, orders.c.due_at < due_at).values(due_at=due_at))


def say_again(tx: Tx, device: str, now: int, before: int) -> int:
    """All that stands at a library, unless it was said since `before`, and what is still to be said; how many."""
    standing = (orders.c.state == str(OrderState.ACTIVE)) & (
        orders.c.placed_at.is_(None) | (orders.c.placed_at < before)
    )
    waiting = orders.c.due_at.is_not(None) & (orders.c.tries > 0)
    chosen = update(orders).where(orders.c.device == device, standing | waiting)
    return tx.run(chosen.values(due_at=now))


def past(tx: Tx, before: int, limit: int) -> list[str]:
    """Ended before then, and nothing is left to say of them."""
    query = select(orders.c.id).where(orders.c.ended_at < before, orders.c.due_at.is_(None)).limit(limit)
    return [row["id"] for row in tx.rows(query)]


def forget_orders(tx: Tx, ids: Sequence[str]) -> None:
    tx.run(delete(heard).where(heard.c.order.in_(ids)))
    tx.run(delete(orders).where(orders.c.id.in_(ids)))


# --- notifications ------------------------------------------------------------------------------------------------


def marks(tx: Tx, order: str, notification: str) -> frozenset[str] | None:
    """Of the objects that came with it; None: it did not come."""
    row = tx.row(select(heard.c.marks).where(heard.c.order == order, heard.c.notification == notification))
    return None if row is None else frozenset(row["marks"])


def put_marks(tx: Tx, order: str, notification: str, all_of: frozenset[str], now: int) -> None:
    values = {"marks": sorted(all_of), "at": now}
    known = (heard.c.order == order) & (heard.c.notification == notification)
    if not tx.run(update(heard).where(known).values(**values)):
        tx.run(insert(heard).values(id=fresh("lh"), order=order, notification=notification, **values))


def forget_marks(tx: Tx, order: str, notification: str) -> None:
    tx.run(delete(heard).where(heard.c.order == order, heard.c.notification == notification))


def sweep_marks(tx: Tx, before: int) -> int:
    return tx.run(delete(heard).where(heard.c.at < before))


def _values(one: Order) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _ORDER} | {"kind": str(one.kind), "state": str(one.state)}


def _lower(row: Row) -> Lower:
    return Lower(**{name: row[name] for name in _LOWER})


def _order(row: Row) -> Order:
    values: dict[str, Any] = {name: row[name] for name in _ORDER}
    values |= {"kind": OrderKind(row["kind"]), "state": OrderState(row["state"])}
    return Order(**values)
