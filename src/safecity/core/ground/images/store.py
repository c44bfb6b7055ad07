"""Objects of the view library, subscriptions to them, and what is still to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.kit.ids import fresh
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A notification that is under way: the same objects, or the same hit, under the same number until it has
    arrived."""

    notification: str
    subscription: str
    kind: str
    objects: tuple[str, ...]
    tries: int


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
outbox = Table(
    "image_outbox",
    metadata,
    key("no"),
    ref("subscription", "su"),
    ref("object", "vo", nullable=True, index=True),
    ref("hit", "ht", nullable=True, index=True),
    Column("kind", Text, nullable=False),
    Column("notification", Text, nullable=False),
    moment("due_at"),
    Column("tries", BigInteger, nullable=False),
    Index("ix_image_outbox_subscription_due_at", "subscription", "due_at"),
    Index("ix_image_outbox_due_at", "due_at"),
)
told_hits = Table(
    "image_told_hits",
    metadata,
    key("nt"),
    ref("subscription", "su", index=True),
    ref("hit", "ht", index=True),
    Column("notification", Text, nullable=False),
    moment("at"),
)
"""Under what number a library knows a hit."""
RECALL: Final = "Recall"
RECALL_LEFT: Final = "RecallLeft"
RECALLS: Final = (RECALL, RECALL_LEFT)
"""`kind` in the outbox of a notification that is taken back; the second where that left already and nobody said what
became of it."""
_FIELDS = tuple(Kept.__dataclass_fields__)
_SUBSCRIBED = tuple(Subscribed.__dataclass_fields__)


_PLAIN = subscriptions.c.watch.is_(None)


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
    chosen = select(objects).where(objects.c.kind == kind, objects.c.keep_until > now, readable)
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
    chosen = chosen.order_by(objects.c.at.desc(), objects.c.id.desc()).offset(query.start).limit(query.count)
    return [_kept(row) for row in tx.rows(chosen)]


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
    tx.run(delete(outbox).where(outbox.c.object.in_(ids)))
    return tx.run(delete(objects).where(objects.c.id.in_(ids)))


def expired(tx: Tx, now: int, limit: int) -> list[Kept]:
    query = select(objects).where(objects.c.keep_until <= now).order_by(objects.c.keep_until).limit(limit)
    return [_kept(row) for row in tx.rows(query)]


# --- subscriptions -------------------------------------------------------------------------------------------------


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


def add_subscription(tx: Tx, one: Subscribed) -> None:
    tx.run(
        insert(subscriptions).values(**{name: getattr(one, name) for name in _SUBSCRIBED} | {"state": str(one.state)})
    )


def save_subscription(tx: Tx, one: Subscribed) -> None:
    values = {name: getattr(one, name) for name in _SUBSCRIBED if name != "id"} | {"state": str(one.state)}
    tx.run(update(subscriptions).where(subscriptions.c.id == one.id).values(**values))


def forget_subscriptions(tx: Tx, ids: Sequence[str]) -> None:
    """With what was still to be told to them."""
    tx.run(delete(outbox).where(outbox.c.subscription.in_(ids)))
    tx.run(delete(told_hits).where(told_hits.c.subscription.in_(ids)))
    tx.run(delete(subscriptions).where(subscriptions.c.id.in_(ids)))


# --- outbox --------------------------------------------------------------------------------------------------------


def enqueue(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """In the transaction that keeps the object."""
    if rows:
        tx.run(insert(outbox), rows)


def due(tx: Tx, now: int) -> list[tuple[str, str, str, str]]:
    """(queue, subscription, kind, notification) of what is to be told now, oldest first; a notification without a
    number is a new one. Of a subscription whose last notification did not arrive nothing is due before that one is;
    what it will not delete holds up nothing. Each subscription is a queue of its own; all watches that one library
    asked for are one, for there may be thousands of them behind one address that does not answer."""
    columns = (
        outbox.c.subscription, outbox.c.kind, outbox.c.notification, subscriptions.c.device, subscriptions.c.address,
        subscriptions.c.watch,
    )  # fmt: skip
    waiting = select(outbox.c.subscription).where(
        outbox.c.notification != "", outbox.c.due_at > now, outbox.c.kind.not_in(RECALLS)
    )
    query = (
        select(*columns)
        .join_from(outbox, subscriptions, subscriptions.c.id == outbox.c.subscription, isouter=True)
        .where(outbox.c.due_at <= now, outbox.c.subscription.not_in(waiting))
        .group_by(*columns)
        .order_by(func.min(outbox.c.id))
        .limit(50)
    )
    return [
        (
            row["subscription"] if row["watch"] is None else f"{row['device']} {row['address']}",
            row["subscription"], row["kind"], row["notification"],
        )
        for row in tx.rows(query)
    ]  # fmt: skip


def claim(tx: Tx, subscription: str, kind: str, notification: str, now: int, limit: int) -> Due | None:
    """Give the next objects the number of their notification; it stays theirs."""
    query = (
        select(outbox.c.id)
        .where(
            outbox.c.subscription == subscription,
            outbox.c.kind == kind,
            outbox.c.notification == "",
            outbox.c.due_at <= now,
        )
        .order_by(outbox.c.id)
        .limit(limit)
    )
    ids = [row["id"] for row in tx.rows(query)]
    if not ids:
        return None
    tx.run(update(outbox).where(outbox.c.id.in_(ids)).values(notification=notification))
    return under_way(tx, subscription, notification)


def under_way(tx: Tx, subscription: str, notification: str) -> Due | None:
    rows = tx.rows(select(outbox).where(_of(subscription, notification)).order_by(outbox.c.id))
    if not rows:
        return None
    return Due(
        notification=notification, subscription=subscription, kind=rows[0]["kind"],
        objects=tuple(row["hit"] or row["object"] for row in rows), tries=rows[0]["tries"],
    )  # fmt: skip


def release(tx: Tx, one: Due, wanted: Sequence[str]) -> None:
    """These objects of a notification did not fit into it: they go with the next one."""
    chosen = _of(one.subscription, one.notification) & outbox.c.object.in_(wanted)
    tx.run(update(outbox).where(chosen).values(notification="", tries=0))


def put_off(tx: Tx, one: Due, due_at: int) -> None:
    tx.run(update(outbox).where(_of(one.subscription, one.notification)).values(due_at=due_at, tries=one.tries + 1))


def left_unheard(tx: Tx, one: Due) -> None:
    """It was asked for, and no answer came."""
    tx.run(update(outbox).where(_of(one.subscription, one.notification)).values(kind=RECALL_LEFT))


def put_off_beside(tx: Tx, of: Subscribed, due_at: int) -> None:
    """Nor are the other watches of a library worth a try before then, whose address does not answer."""
    beside = select(subscriptions.c.id).where(
        subscriptions.c.device == of.device, subscriptions.c.address == of.address, subscriptions.c.watch.is_not(None)
    )
    chosen = and_(outbox.c.subscription.in_(beside), outbox.c.due_at < due_at)
    tx.run(update(outbox).where(chosen).values(due_at=due_at))


def told(tx: Tx, one: Due) -> int:
    return tx.run(delete(outbox).where(_of(one.subscription, one.notification)))


def drop_untold(tx: Tx, subscription: str) -> int:
    """What is still to be told to a subscription that is over; what it was told and is taken back stays to be said."""
    return tx.run(delete(outbox).where(outbox.c.subscription == subscription, outbox.c.kind.not_in(RECALLS)))


def drop_hit(tx: Tx, hit: str) -> None:
    """It is none any more: who was still to be told of it is not."""
    tx.run(delete(outbox).where(outbox.c.hit == hit, outbox.c.kind.not_in(RECALLS)))


def remember_told(tx: Tx, one: Due, now: int) -> None:
    """A hit has arrived."""
    rows = [
        {"id": fresh("nt"), "subscription": one.subscription, "hit": hit, "notification": one.notification, "at": now}
        for hit in one.objects
    ]
    tx.run(insert(told_hits), rows)


def recall_hit(tx: Tx, hit: str, now: int) -> None:
    """It is none any more: who knows of it is told, also who may have heard of it without an answer of theirs."""
    theirs = and_(outbox.c.hit == hit, outbox.c.kind.not_in(RECALLS))
    tx.run(delete(outbox).where(theirs, outbox.c.notification == ""))
    tx.run(update(outbox).where(theirs).values(kind=RECALL, due_at=now, tries=0))
    enqueue(tx, [
        {"id": fresh("no"), "subscription": row["subscription"], "object": None, "hit": hit, "kind": RECALL,
         "notification": row["notification"], "due_at": now, "tries": 0}
        for row in tx.rows(select(told_hits).where(told_hits.c.hit == hit))
    ])  # fmt: skip
    tx.run(delete(told_hits).where(told_hits.c.hit == hit))


def waiting(tx: Tx, subscription: Sequence[str]) -> dict[str, int]:
    """How much is still to be told, by subscription."""
    query = select(outbox.c.subscription, func.count().label("n")).where(outbox.c.subscription.in_(subscription))
    return {row["subscription"]: int(row["n"]) for row in tx.rows(query.group_by(outbox.c.subscription))}


def lose(tx: Tx, wanted: Sequence[str]) -> None:
    """These objects are past their time: who was still to be told of them never will be."""
    columns = outbox.c.subscription, func.count(func.distinct(outbox.c.object)).label("lost")
    for row in tx.rows(select(*columns).where(outbox.c.object.in_(wanted)).group_by(outbox.c.subscription)):
        chosen = subscriptions.c.id == row["subscription"]
        tx.run(update(subscriptions).where(chosen).values(lost=subscriptions.c.lost + row["lost"]))


def _of(subscription: str, notification: str) -> Any:
    return and_(outbox.c.subscription == subscription, outbox.c.notification == notification)


def _kept(row: Row) -> Kept:
    return Kept(**{name: row[name] for name in _FIELDS})


def _subscribed(row: Row) -> Subscribed:
    values: dict[str, Any] = {name: row[name] for name in _SUBSCRIBED}
    values["state"] = SubscriptionState(row["state"])
    return Subscribed(**values)
