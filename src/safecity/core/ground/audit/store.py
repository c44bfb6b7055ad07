"""The table of the audit log: only ever appended to."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, delete, insert, select

from safecity.core.ground.access.decide import Predicate
from safecity.core.ground.access.where import where
from safecity.core.ground.audit.decide import GENESIS, Entry, Record, chain_hash, clean
from safecity.core.ground.sql import Json, area_path, metadata, organisation_path
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
    organisation_path(),
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
    values["area_path"], values["organisation_path"] = values.pop("area"), values.pop("organisation")
    tx.run(insert(audit).values(seq=seq, prev_hash=previous, hash=chain_hash(seq, record, previous), **values))


def entries(tx: Tx, after: int, limit: int, up_to: int = 0) -> list[Entry]:
    """In order, for whoever proves the chain; `up_to` 0: to its end."""
    query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    if up_to:
        query = query.where(audit.c.seq <= up_to)
    return [_entry(row) for row in tx.rows(query)]


def head(tx: Tx) -> tuple[int, bytes] | None:
    """Sequence number and hash of the newest record."""
    row = tx.row(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
    return None if row is None else (row["seq"], bytes(row["hash"]))


def oldest(tx: Tx) -> tuple[int, int] | None:
    """Sequence number and time of the first record that is there."""
    row = tx.row(select(audit.c.seq, audit.c.at).order_by(audit.c.seq).limit(1))
    return None if row is None else (row["seq"], row["at"])


def first_since(tx: Tx, at: int) -> int:
    """The lowest sequence number of a record of that time or later; that of the newest record where there is none:
    the chain goes on from it."""
    row = tx.row(select(audit.c.seq).where(audit.c.at >= at).order_by(audit.c.seq).limit(1))
    last = head(tx)
    return row["seq"] if row is not None else last[0] if last is not None else 0


def drop(tx: Tx, up_to: int, limit: int) -> int:
    """Forget the oldest records up to a number, `limit` at most; how many went. The newest one stays, or the chain
    would begin anew."""
    last = head(tx)
    rows = tx.rows(select(audit.c.seq).where(audit.c.seq <= up_to).order_by(audit.c.seq).limit(limit))
    gone = [row["seq"] for row in rows if last is None or row["seq"] < last[0]]
    return tx.run(delete(audit).where(audit.c.seq.between(gone[0], gone[-1]))) if gone else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which records, newest first: those before a sequence number (0: all), in [start, end) where given."""

    before: int = 0
    actor: str = ""
    thing: str = ""
    action: str = ""
    only: str = ""
    start: int = 0
    end: int = 0


GROUPS = {
    "watching": (
        "live.watch", "playback.watch", "movement.search", "viewing.end", "export.make", "export.fetch",
        "device_footage.watch", "device_footage.fetch",
    ),
    "signing_in": ("session.begin", "session.end"),
}  # fmt: skip


def page(tx: Tx, allowed: Predicate, wanted: Wanted, limit: int) -> list[Entry]:
    """Of what the reader may see."""
    visible = where(allowed, audit.c.area_path, organisation=audit.c.organisation_path)
    query = select(audit).where(visible).order_by(audit.c.seq.desc()).limit(limit)
    for name in ("actor", "thing", "action"):
        if getattr(wanted, name):
            query = query.where(audit.c[name] == getattr(wanted, name))
    if wanted.only:
        query = query.where(audit.c.action.in_(GROUPS[wanted.only]))
    if wanted.before:
        query = query.where(audit.c.seq < wanted.before)
    if wanted.start:
        query = query.where(audit.c.at >= wanted.start)
    if wanted.end:
        query = query.where(audit.c.at < wanted.end)
    return [_entry(row) for row in tx.rows(query)]


def _entry(row: Row) -> Entry:
    values = {key: row[key] for key in row if key in Record.__dataclass_fields__}
    record = Record(area=row["area_path"], organisation=row["organisation_path"], **values)
    return Entry(row["seq"], record, bytes(row["prev_hash"]), bytes(row["hash"]))
