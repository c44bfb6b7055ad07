"""Passages and drives under pseudonyms, for the hours in which their keys live."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, delete, insert, select

from safecity.core.ground.sql import metadata, moment, ref
from safecity.core.upper.traveltimes.decide import Mark, TravelSection, Trip
from safecity.core.upper.traveltimes.keys import SIZE
from safecity.ports.database import Row, Tx

marks = Table(
    "travel_marks",
    metadata,
    Column("name", LargeBinary(SIZE), primary_key=True),
    Column("vehicle", LargeBinary(SIZE), nullable=False),
    ref("gate", "tg"),
    Column("lane", BigInteger, nullable=True),
    moment("at"),
    Index("ix_travel_marks_vehicle_gate_at", "vehicle", "gate", "at"),
    Index("ix_travel_marks_at", "at"),
)
drives = Table(
    "travel_trips",
    metadata,
    ref("section", "ts"),
    Column("exit", LargeBinary(SIZE), nullable=False),
    Column("entry", LargeBinary(SIZE), nullable=False),
    Column("vehicle", LargeBinary(SIZE), nullable=False),
    moment("at"),
    Column("travel_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("section", "exit", name="pk_travel_trips"),
    Index("ix_travel_trips_section_at", "section", "at"),
    Index("ix_travel_trips_entry", "entry"),
    Index("ix_travel_trips_at", "at"),
)
_MARK = tuple(Mark.__dataclass_fields__)
_TRIP = tuple(Trip.__dataclass_fields__)


def named(tx: Tx, names: Collection[bytes]) -> Mark | None:
    """The one that bears one of these names: those of a passage under the living keys."""
    row = tx.row(select(marks).where(marks.c.name.in_(names)))
    return None if row is None else Mark(*(row[name] for name in _MARK))


def put(tx: Tx, old: Mark | None, new: Mark | None) -> None:
    """What a passage says now, instead of what it said."""
    if old is not None:
        tx.run(delete(marks).where(marks.c.name == old.name))
    if new is not None:
        tx.run(insert(marks).values(**asdict(new)))


def of_vehicle(tx: Tx, vehicle: Collection[bytes], section: TravelSection, since: int, until: int) -> list[Mark]:
    """Its passages at both ends of a section, [since, until]; `vehicle`: its pseudonyms."""
    query = select(marks).where(
        marks.c.vehicle.in_(vehicle), marks.c.gate.in_((section.entry, section.exit)), marks.c.at.between(since, until)
    )
    return [Mark(*(row[name] for name in _MARK)) for row in tx.rows(query)]


def drop_trips_of(tx: Tx, section: str, mark: bytes) -> list[Trip]:
    """Those that stood on a passage that is no longer what it was."""
    stood = drives.c.section == section, (drives.c.entry == mark) | (drives.c.exit == mark)
    gone = [_trip(row) for row in tx.rows(select(drives).where(*stood))]
    if gone:
        tx.run(delete(drives).where(*stood))
    return gone


def put_trips(tx: Tx, section: str, exits: Collection[bytes], now: Collection[Trip]) -> list[Trip]:
    """The drives that end with these passages are `now`; those that came or went."""
    ending = drives.c.section == section, drives.c.exit.in_(exits)
    before = {_trip(row) for row in tx.rows(select(drives).where(*ending))}
    after = set(now)
    if before == after:
        return []
    tx.run(delete(drives).where(*ending))
    if after:
        tx.run(insert(drives), [{"section": section, **asdict(one)} for one in after])
    return [*before ^ after]


def trips_between(tx: Tx, section: str, since: int, until: int) -> list[Trip]:
    """That ended within [since, until)."""
    query = select(drives).where(drives.c.section == section, drives.c.at >= since, drives.c.at < until)
    return [_trip(row) for row in tx.rows(query.order_by(drives.c.at))]


def forget(tx: Tx, before: int) -> int:
    """Marks and drives of periods whose key is gone; how many."""
    return tx.run(delete(marks).where(marks.c.at < before)) + tx.run(delete(drives).where(drives.c.at < before))


def forget_section(tx: Tx, section: str) -> None:
    tx.run(delete(drives).where(drives.c.section == section))


def _trip(row: Row) -> Trip:
    return Trip(*(row[name] for name in _TRIP))
