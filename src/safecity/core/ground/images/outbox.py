"""What is still to be told, or to be taken back, and who knows of which hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Table, Text, and_, delete, func, insert, select, update

from safecity.core.ground.images.subscribers import Subscribed, subscriptions
from safecity.core.ground.sql import key, metadata, moment, ref
from safecity.kit.ids import fresh
from safecity.ports.database import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A notification that is under way: the same objects, or the same hit, under the same number until it has
    arrived."""

    notification: str
    subscription: str
    kind: str
    objects: tuple[str, ...]
    tries: int


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
"""Under what number a library knows a hit. `at`: when it said so; UNHEARD: it never did, and may know it."""
UNHEARD: Final = 0
RECALL: Final = "Recall"
RECALL_LEFT: Final = "RecallLeft"
RECALLS: Final = (RECALL, RECALL_LEFT)
"""`kind` in the outbox of a notification that is taken back; the second where there may be none any more, or never was:
nobody said that it arrived, or what became of it when it was taken back before."""


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


def leaves(tx: Tx, one: Due) -> None:
    """It is taken back there: that may have been done, also where nobody lived to hear of it."""
    chosen = _of(one.subscription, one.notification)
    tx.run(update(outbox).where(chosen).values(kind=RECALL_LEFT, tries=one.tries + 1))


def is_known(tx: Tx, one: Due, kind: str) -> None:
    """What became of it is known after all: it is of that `kind`."""
    tx.run(update(outbox).where(_of(one.subscription, one.notification)).values(kind=kind))


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
    return _drop(tx, outbox.c.subscription == subscription)


def drop_objects(tx: Tx, ids: Sequence[str]) -> None:
    """These are not there any more."""
    tx.run(delete(outbox).where(outbox.c.object.in_(ids)))


def drop_hit(tx: Tx, hit: str) -> None:
    """It is none any more: who was still to be told of it is not."""
    _drop(tx, outbox.c.hit == hit)


def drop(tx: Tx, one: Due) -> int:
    """It is not told any more."""
    return _drop(tx, _of(one.subscription, one.notification))


def _drop(tx: Tx, chosen: Any) -> int:
    """A hit that was on its way may have arrived: should it be taken back one day, that is said there, too."""
    chosen = and_(chosen, outbox.c.kind.not_in(RECALLS))
    left = and_(chosen, outbox.c.notification != "", outbox.c.hit.is_not(None))
    for row in tx.rows(select(outbox).where(left)):
        _remember(tx, row["subscription"], row["hit"], row["notification"], UNHEARD)
    return tx.run(delete(outbox).where(chosen))


def remember_told(tx: Tx, one: Due, now: int) -> None:
    """A hit has arrived."""
    for hit in one.objects:
        _remember(tx, one.subscription, hit, one.notification, now)


def _remember(tx: Tx, subscription: str, hit: str, notification: str, at: int) -> None:
    same = and_(told_hits.c.subscription == subscription, told_hits.c.notification == notification)
    tx.run(delete(told_hits).where(told_hits.c.hit == hit, same))
    tx.run(insert(told_hits).values(
        id=fresh("nt"), subscription=subscription, hit=hit, notification=notification, at=at
    ))  # fmt: skip


def recall_hit(tx: Tx, hit: str, now: int) -> None:
    """It is none any more: who knows of it is told, also who may have heard of it without an answer of theirs. However
    often that was tried: it is asked anew to take it back."""
    theirs = and_(outbox.c.hit == hit, outbox.c.kind.not_in(RECALLS))
    tx.run(delete(outbox).where(theirs, outbox.c.notification == ""))
    tx.run(update(outbox).where(theirs).values(kind=RECALL_LEFT, due_at=now, tries=0))
    enqueue(tx, [
        {"id": fresh("no"), "subscription": row["subscription"], "object": None, "hit": hit,
         "kind": RECALL_LEFT if row["at"] == UNHEARD else RECALL,
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


def forget_subscriptions(tx: Tx, ids: Sequence[str]) -> None:
    """With what was still to be told to them."""
    tx.run(delete(outbox).where(outbox.c.subscription.in_(ids)))
    tx.run(delete(told_hits).where(told_hits.c.subscription.in_(ids)))
    tx.run(delete(subscriptions).where(subscriptions.c.id.in_(ids)))
