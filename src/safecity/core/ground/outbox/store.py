"""Events that wait for the bus. No bound: they lie in the same database as what they tell of, and a disk that is full
for the one is full for the other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Column, LargeBinary, Table, delete, func, select

from safecity.core.ground.sql import metadata
from safecity.model.facts.envelope import Event
from safecity.ports.database import Tx

outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode


def add(tx: Tx, events: Sequence[Event]) -> None:
    """Keep the events, in the transaction of what they tell, until the bus has them."""
    if not events:
        return
    row = tx.row(select(func.max(outbox.c.number).label("last")))
    first = ((row["last"] if row is not None else None) or 0) + 1
    tx.add(outbox, [{"number": first + index, "body": _encode(event)} for index, event in enumerate(events)])


def pending(tx: Tx, limit: int) -> list[tuple[int, Event]]:
    """The oldest, in the order they happened."""
    rows = tx.rows(select(outbox).order_by(outbox.c.number).limit(limit))
    return [(row["number"], _decode(row["body"])) for row in rows]


def waiting_since(tx: Tx) -> int | None:
    """When the oldest that the bus does not have yet was told; None where it has all."""
    return next((event.seen for _, event in pending(tx, 1)), None)


def forget(tx: Tx, up_to: int) -> None:
    """The bus has them."""
    tx.run(delete(outbox).where(outbox.c.number <= up_to))
