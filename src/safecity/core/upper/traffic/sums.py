"""What was driven, summed by road and minutes: in the transaction that moves the flow on, so that it is never summed
twice. The tables lie in a file of the duty's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, delete, insert, select, tuple_
from sqlalchemy.schema import CreateTable

from safecity.core.upper.flows.api import FLOW_TABLES
from safecity.core.upper.traffic.operator import Driven
from safecity.ports.database import Tx

metadata = MetaData()
sums = Table(
    "traffic_sums",
    metadata,
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("edge", BigInteger, primary_key=True, autoincrement=False),
    *(
        Column(name, BigInteger, nullable=False)
        for name in ("millimetres", "microseconds", "square", "entered", "mask")
    ),
)
notes = Table(
    "traffic_notes", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)  # fmt: skip
_AT_ONCE: Final = 400
_GONE: Final = delete(sums).where(sums.c.bucket == bindparam("of_bucket"), sums.c.edge == bindparam("of_edge"))
_NEW: Final = insert(sums)


class Sum(NamedTuple):
    """All that was driven on an edge in a bucket; see `Driven`. `mask`: the bits of those who did."""

    bucket: int
    edge: int
    millimetres: int
    microseconds: int
    square: int
    entered: int
    mask: int

    @property
    def vehicles(self) -> int:
        """So many different ones at least."""
        return self.mask.bit_count()


def make_tables(tx: Tx) -> None:
    """Those of the flow and these, where they are not there yet."""
    for table in (*FLOW_TABLES, *metadata.sorted_tables):
        tx.run(CreateTable(table, if_not_exists=True))


def salt_of(tx: Tx) -> bytes:
    """Made once, and never told."""
    found = _note(tx, "salt")
    if found is None:
        found = secrets.token_hex(16)
        tx.run(insert(notes).values(name="salt", value=found))
    return bytes.fromhex(found)


def begin_on(tx: Tx, network: str) -> bool:
    """Edges have numbers of one network: what was summed on another one is forgotten. Whether it was another."""
    if _note(tx, "network") == network:
        return False
    tx.run(delete(sums))
    tx.run(delete(notes).where(notes.c.name == "network"))
    tx.run(insert(notes).values(name="network", value=network))
    return True


def add(tx: Tx, driven: Iterable[Driven]) -> list[Sum]:
    """Sum it up; the new sums of what it touches."""
    found: dict[tuple[int, int], list[int]] = {}
    for one in driven:
        key = one.bucket, one.edge
        sum_ = found.setdefault(key, [0, 0, 0, 0, 0])
        sum_[0] += one.millimetres
        sum_[1] += one.microseconds
        sum_[2] += one.square
        sum_[3] += one.entered
        sum_[4] |= 1 << one.bit
    keys = sorted(found)
    for begin in range(0, len(keys), _AT_ONCE):
        part = keys[begin : begin + _AT_ONCE]
        for row in tx.rows(select(sums).where(tuple_(sums.c.bucket, sums.c.edge).in_(part))):
            sum_ = found[row["bucket"], row["edge"]]
            for place, name in enumerate(("millimetres", "microseconds", "square", "entered")):
                sum_[place] += row[name]
            sum_[4] |= row["mask"]
    new = [Sum(*key, *found[key]) for key in keys]
    tx.run(_GONE, [{"of_bucket": one.bucket, "of_edge": one.edge} for one in new])
    tx.run(_NEW, [one._asdict() for one in new])
    return new


def since(tx: Tx, bucket: int) -> list[Sum]:
    """Of that bucket and later ones."""
    return [_sum(row) for row in tx.rows(select(sums).where(sums.c.bucket >= bucket))]


def _note(tx: Tx, name: str) -> Any:
    row = tx.row(select(notes.c.value).where(notes.c.name == name))
    return None if row is None else row["value"]


def _sum(row: Any) -> Sum:
    return Sum(*(row[name] for name in Sum._fields))


def driven_of(outputs: Sequence[tuple[str, Any]]) -> list[Driven]:
    """Outputs of the flow without what came too late."""
    return [output for _, output in outputs if isinstance(output, Driven)]
