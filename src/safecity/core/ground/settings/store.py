"""What may be changed while running, and where the desired state of the duties stands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, insert, select, update

from safecity.core.ground.sql import Json, metadata
from safecity.ports.database import Tx

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
consumers = Table(
    "consumers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

DESIRED = "desired"


def get(tx: Tx, name: str, default: Any = None) -> Any:
    row = tx.row(select(settings.c.value).where(settings.c.name == name))
    return default if row is None else row["value"]


def put(tx: Tx, name: str, value: Any) -> None:
    changed = tx.run(
        update(settings).where(settings.c.name == name).values(value=value, revision=settings.c.revision + 1)
    )
    if not changed:
        tx.run(insert(settings).values(name=name, value=value, revision=1))


def revision_of(tx: Tx, name: str) -> int:
    """How often it was set; 0: never."""
    row = tx.row(select(settings.c.revision).where(settings.c.name == name))
    return 0 if row is None else int(row["revision"])


def everything(tx: Tx) -> dict[str, Any]:
    return {row["name"]: row["value"] for row in tx.rows(select(settings))}


def touch_desired(tx: Tx) -> None:
    """Something changed that signal or a media slot must hear of."""
    put(tx, DESIRED, int(get(tx, DESIRED, 0)) + 1)


def position(tx: Tx, consumer: str) -> int:
    row = tx.row(select(consumers.c.position).where(consumers.c.name == consumer))
    return 0 if row is None else int(row["position"])


def move(tx: Tx, consumer: str, to: int) -> None:
    """The consumer's place, in the transaction of its effect."""
    if not tx.run(update(consumers).where(consumers.c.name == consumer).values(position=to)):
        tx.run(insert(consumers).values(name=consumer, position=to))
