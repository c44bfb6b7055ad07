"""The table of the audit log: only ever appended to."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, insert, select

from safecity.core.ground.access.decide import Predicate
from safecity.core.ground.access.where import where
from safecity.core.ground.audit.decide import GENESIS, Entry, Record, chain_hash, clean
from safecity.core.ground.sql import Json, area_path, metadata
from safecity.ports.database import Row, Tx

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    *(
        Column(name, Text, nullable=False)
        for name in ("actor", "actor_name", "session", "address", "action", "kind", "thing", "thing_name")
    ),
    area_path(index=False),
    *(Column(name, Text, nullable=False) for name in ("outcome", "reason", "request")),
    Column("details", Json, nullable=False),
    Column("prev_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_thing_at", "thing", "at"),
    Index("ix_audit_actor_at", "actor", "at"),
)


def append(tx: Tx, record: Record) -> None:
    """Add to the chain, in the transaction of what it tells: one does not happen without the other."""
    record = clean(record)
    last = tx.row(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
    seq, previous = (last["seq"] + 1, bytes(last["hash"])) if last else (1, GENESIS)
    values = asdict(record)
    values["area_path"] = values.pop("area")
    tx.run(insert(audit).values(seq=seq, prev_hash=previous, hash=chain_hash(seq, record, previous), **values))


def entries(tx: Tx, after: int, limit: int) -> list[Entry]:
    """In order, for the verifier."""
    return [_entry(row) for row in tx.rows(select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit))]


def page(
    tx: Tx, allowed: Predicate, *, before: int, limit: int, actor: str = "", thing: str = "", action: str = ""
) -> list[Entry]:
    """Newest first, of what the reader may see."""
    query = select(audit).where(where(allowed, audit.c.area_path)).order_by(audit.c.seq.desc()).limit(limit)
    for column, value in ((audit.c.actor, actor), (audit.c.thing, thing), (audit.c.action, action)):
        if value:
            query = query.where(column == value)
    if before:
        query = query.where(audit.c.seq < before)
    return [_entry(row) for row in tx.rows(query)]


def _entry(row: Row) -> Entry:
    values = {key: row[key] for key in row if key not in {"seq", "prev_hash", "hash", "area_path"}}
    return Entry(row["seq"], Record(area=row["area_path"], **values), bytes(row["prev_hash"]), bytes(row["hash"]))
