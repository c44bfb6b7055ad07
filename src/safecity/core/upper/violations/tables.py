"""Sections that speeds are measured over, and vehicles that no violation counts for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Table, Text, and_, delete, insert, or_, select, update

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.sql import area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.violations.sections import Section
from safecity.ports.database import Row, Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemption:
    """A vehicle on duty: what it does within the time counts for no violation. `until` None: until somebody ends it."""

    id: str
    plate: str
    duty: str
    reason: str
    since: int
    until: int | None = None
    area: str | None = None
    area_path: str = "/"
    organisation_path: str = "/"
    added_by: str = ""
    added_at: int = 0


sections = Table(
    "violation_sections",
    metadata,
    key("sc"),
    *(Column(name, Text, nullable=False) for name in ("name", "certificate")),
    ref("entry", "tg", index=True),
    ref("exit", "tg", index=True),
    *(Column(name, Float, nullable=False) for name in ("length_m", "length_error_m", "limit_kmh", "tolerance_kmh")),
    *(Column(name, BigInteger, nullable=False) for name in ("entry_clock_error_ms", "exit_clock_error_ms", "revision")),
    Column("enabled", Boolean, nullable=False),
    area_path(),
    organisation_path(),
)
exemptions = Table(
    "violation_exemptions",
    metadata,
    key("xe"),
    *(Column(name, Text, nullable=False) for name in ("plate", "duty", "reason", "added_by")),
    *(moment(name) for name in ("since", "added_at")),
    moment("until", nullable=True),
    ref("area", "ar", nullable=True),
    area_path(),
    organisation_path(),
    Index("ix_violation_exemptions_plate", "plate"),
)
_SECTION = tuple(Section.__dataclass_fields__)
_EXEMPTION = tuple(Exemption.__dataclass_fields__)


def add_section(tx: Tx, one: Section) -> None:
    tx.run(insert(sections).values(**{name: getattr(one, name) for name in _SECTION}))


def save_section(tx: Tx, one: Section) -> None:
    values = {name: getattr(one, name) for name in _SECTION if name != "id"}
    tx.run(update(sections).where(sections.c.id == one.id).values(**values))


def remove_section(tx: Tx, section: str) -> None:
    tx.run(delete(sections).where(sections.c.id == section))


def find_section(tx: Tx, section: str) -> Section | None:
    row = tx.row(select(sections).where(sections.c.id == section))
    return None if row is None else _section(row)


def section_page(tx: Tx, allowed: Predicate, *, before: str, limit: int) -> list[Section]:
    """Newest first."""
    rights = where(allowed, sections.c.area_path, organisation=sections.c.organisation_path)
    query = select(sections).where(rights).order_by(sections.c.id.desc())
    if before:
        query = query.where(sections.c.id < before)
    return [_section(row) for row in tx.rows(query.limit(limit))]


def sections_at(tx: Tx, gates: set[str]) -> list[Section]:
    """Those in use that begin or end at one of these checkpoints."""
    ends = or_(sections.c.entry.in_(gates), sections.c.exit.in_(gates))
    return [_section(row) for row in tx.rows(select(sections).where(ends, sections.c.enabled.is_(True)))]


def add_exemption(tx: Tx, one: Exemption) -> None:
    tx.run(insert(exemptions).values(**{name: getattr(one, name) for name in _EXEMPTION}))


def end_exemption(tx: Tx, exemption: str, now: int) -> None:
    tx.run(update(exemptions).where(exemptions.c.id == exemption).values(until=now))


def forget_exemptions(tx: Tx, ended_by: int, limit: int) -> int:
    """Those that had ended by then: they name plates, and cover nothing that could still be judged; how many."""
    query = select(exemptions.c.id).where(exemptions.c.until <= ended_by).order_by(exemptions.c.until).limit(limit)
    ids = [row["id"] for row in tx.rows(query)]
    tx.run(delete(exemptions).where(exemptions.c.id.in_(ids)))
    return len(ids)


def find_exemption(tx: Tx, exemption: str) -> Exemption | None:
    row = tx.row(select(exemptions).where(exemptions.c.id == exemption))
    return None if row is None else _exemption(row)


def exemption_page(tx: Tx, allowed: Predicate, *, before: str, limit: int, plate: str) -> list[Exemption]:
    """Newest first; those that have ended are shown too."""
    rights = where(allowed, exemptions.c.area_path, organisation=exemptions.c.organisation_path)
    query = select(exemptions).where(rights).order_by(exemptions.c.id.desc())
    if before:
        query = query.where(exemptions.c.id < before)
    if plate:
        query = query.where(exemptions.c.plate == plate)
    return [_exemption(row) for row in tx.rows(query.limit(limit))]


def exempt(tx: Tx, plate: str, at: int, area: str, organisation: str) -> Exemption | None:
    """The exemption that covers a vehicle at a time and a place."""
    lasts = or_(exemptions.c.until.is_(None), exemptions.c.until > at)
    query = select(exemptions).where(and_(exemptions.c.plate == plate, exemptions.c.since <= at, lasts))
    for row in tx.rows(query.order_by(exemptions.c.id)):
        one = _exemption(row)
        if area.startswith(one.area_path) and organisation.startswith(one.organisation_path):
            return one
    return None


def _section(row: Row) -> Section:
    values: dict[str, Any] = {name: row[name] for name in _SECTION}
    return Section(**values)


def _exemption(row: Row) -> Exemption:
    return Exemption(**{name: row[name] for name in _EXEMPTION})
