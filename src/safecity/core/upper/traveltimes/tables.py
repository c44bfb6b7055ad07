"""Sections that travel times are measured over, and what each took by five minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy import update as sql_update

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.access.api import under as below
from safecity.core.ground.sql import Json, area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.traveltimes.decide import TravelSection
from safecity.core.upper.traveltimes.filtering import Times
from safecity.kit.clock import SECOND_US
from safecity.ports.database import Row, Tx

sections = Table(
    "travel_sections",
    metadata,
    key("ts"),
    Column("name", Text, nullable=False),
    ref("entry", "tg", index=True),
    ref("exit", "tg", index=True),
    *(Column(name, Json, nullable=False) for name in ("entry_lanes", "exit_lanes")),
    *(Column(name, Float, nullable=False) for name in ("length_m", "slowest_kmh", "fastest_kmh")),
    Column("enabled", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    area_path(),
    organisation_path(),
)
times = Table(
    "travel_times",
    metadata,
    ref("section", "ts"),
    moment("bucket"),
    *(Column(name, BigInteger, nullable=False) for name in ("vehicles", "left_out", "median_us", "low_us", "high_us")),
    Column("length_m", Float, nullable=False),
    PrimaryKeyConstraint("section", "bucket", name="pk_travel_times"),
    Index("ix_travel_times_bucket", "bucket"),
)
"""Sums alone: no vehicle, and nothing that tells of one."""
DAY_US: Final = 86_400 * SECOND_US
_SECTION = tuple(TravelSection.__dataclass_fields__)
_TIMES = tuple(Times.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a section took in the five minutes from `at` on; its length then."""

    at: int
    length_m: float
    times: Times


def add(tx: Tx, one: TravelSection) -> None:
    tx.run(insert(sections).values(**_values(one)))


def save(tx: Tx, one: TravelSection) -> None:
    values = _values(one)
    values.pop("id")
    tx.run(sql_update(sections).where(sections.c.id == one.id).values(**values))


def remove(tx: Tx, section: str) -> None:
    """With all that was measured over it."""
    tx.run(delete(times).where(times.c.section == section))
    tx.run(delete(sections).where(sections.c.id == section))


def find(tx: Tx, section: str) -> TravelSection | None:
    row = tx.row(select(sections).where(sections.c.id == section))
    return None if row is None else _section(row)


def page(tx: Tx, allowed: Predicate, *, before: str, limit: int, area: str = "") -> list[TravelSection]:
    """Newest first."""
    rights = where(allowed, sections.c.area_path, organisation=sections.c.organisation_path)
    query = select(sections).where(rights).order_by(sections.c.id.desc())
    if before:
        query = query.where(sections.c.id < before)
    if area:
        query = query.where(below(sections.c.area_path, area))
    return [_section(row) for row in tx.rows(query.limit(limit))]


def sections_at(tx: Tx, gates: set[str]) -> list[TravelSection]:
    """Those in use that begin or end at one of these checkpoints."""
    ends = or_(sections.c.entry.in_(gates), sections.c.exit.in_(gates))
    return [_section(row) for row in tx.rows(select(sections).where(ends, sections.c.enabled.is_(True)))]


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path."""
    return tx.row(select(sections.c.id).where(below(sections.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    belongs = below(sections.c.organisation_path, organisation)
    return tx.row(select(sections.c.id).where(belongs).limit(1)) is not None


def put_times(tx: Tx, section: TravelSection, bucket: int, found: Times | None) -> None:
    """What the bucket says now, instead of what it said."""
    tx.run(delete(times).where(times.c.section == section.id, times.c.bucket == bucket))
    if found is not None:
        said = {name: getattr(found, name) for name in _TIMES}
        tx.run(insert(times).values(section=section.id, bucket=bucket, length_m=section.length_m, **said))


def history(tx: Tx, section: str, since: int, until: int, limit: int) -> list[Bucket]:
    """Oldest first, [since, until)."""
    query = select(times).where(times.c.section == section, times.c.bucket >= since, times.c.bucket < until)
    return [_bucket(row) for row in tx.rows(query.order_by(times.c.bucket).limit(limit))]


def at_buckets(tx: Tx, section: str, buckets: Sequence[int]) -> list[Bucket]:
    """Of these five minutes those in which somebody arrived."""
    query = select(times).where(times.c.section == section, times.c.bucket.in_(buckets))
    return [_bucket(row) for row in tx.rows(query)]


def forget_times(tx: Tx, before: int) -> int:
    """Of those that began earlier the oldest day; how many went."""
    oldest = tx.row(select(func.min(times.c.bucket).label("bucket")))
    if oldest is None or oldest["bucket"] is None:
        return 0
    return tx.run(delete(times).where(times.c.bucket < min(before, oldest["bucket"] + DAY_US)))


def _values(one: TravelSection) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in _SECTION}
    return values | {"entry_lanes": list(one.entry_lanes), "exit_lanes": list(one.exit_lanes)}


def _section(row: Row) -> TravelSection:
    values: dict[str, Any] = {name: row[name] for name in _SECTION}
    for name in ("entry_lanes", "exit_lanes"):
        values[name] = tuple(row[name])
    return TravelSection(**values)


def _bucket(row: Row) -> Bucket:
    return Bucket(row["bucket"], row["length_m"], Times(*(row[name] for name in _TIMES)))
