"""Cases, their entries, and what those refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Table, Text, delete, func, insert, or_, select, update

from safecity.core.ground.access.api import under
from safecity.core.ground.loose.api import unnamed
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.cases.decide import Case, CasePicture, CaseState, Entry, EntryKind, Result, ResultKind
from safecity.core.upper.cases.rights import Standing
from safecity.ports.database import Row, Tx

cases = Table(
    "cases",
    metadata,
    key("ca"),
    ref("owner", "us"),
    *(
        Column(name, Text, nullable=False)
        for name in ("number", "title", "purpose", "ground", "state", "owner_name", "closed_name", "closing")
    ),
    *(Column(name, Tags, nullable=False) for name in ("readers", "writers")),
    ref("area", "ar", nullable=True),
    area_path(),
    ref("organisation", "og", nullable=True),
    organisation_path(),
    moment("opened_at"),
    *(moment(name, nullable=True) for name in ("closed_at", "keep_until")),
    Column("revision", BigInteger, nullable=False),
    Index("ix_cases_keep_until", "keep_until"),
)
entries = Table(
    "case_entries",
    metadata,
    key("ce"),
    ref("case", "ca"),
    *(Column(name, Text, nullable=False) for name in ("kind", "stock", "words", "by", "by_name")),
    *(Column(name, Json, nullable=False) for name in ("question", "looked")),
    moment("at"),
    Index("ix_case_entries_case", "case", "id"),
)
results = Table(
    "case_results",
    metadata,
    key("cr"),
    ref("case", "ca"),
    ref("entry", "ce", index=True),
    *(Column(name, Text, nullable=False) for name in ("kind", "source", "plate", "place_name")),
    moment("at"),
    moment("until", nullable=True),
    ref("tollgate", "tg", nullable=True),
    ref("channel", "ch", nullable=True),
    ref("hold", "ho", nullable=True),
    *(Column(name, Float, nullable=True) for name in ("longitude", "latitude")),
    area_path(index=False),
    organisation_path(),
    *(Column(name, Tags, nullable=False) for name in ("tags", "audience")),
    Column("restricted", Boolean, nullable=False),
    *(Column(name, Json, nullable=False) for name in ("details", "pictures")),
    Index("ix_case_results_case", "case", "id"),
)
_CASE = tuple(Case.__dataclass_fields__)
_ENTRY = tuple(Entry.__dataclass_fields__)
_RESULT = tuple(Result.__dataclass_fields__)


def add(tx: Tx, one: Case) -> None:
    tx.run(insert(cases).values(**_case_values(one)))


def save(tx: Tx, one: Case) -> None:
    values = _case_values(one)
    values.pop("id")
    tx.run(update(cases).where(cases.c.id == one.id).values(**values))


def find(tx: Tx, case: str) -> Case | None:
    row = tx.row(select(cases).where(cases.c.id == case))
    return None if row is None else _case(row)


def page(
    tx: Tx, who: Standing, *, before: str, limit: int, state: str = "", text: str = "", now: int = 0
) -> list[Case]:
    """Newest first; `text` is looked for in number and title. What is past its time is not there, swept or not."""
    query = select(cases).where(who.condition(cases), or_(cases.c.keep_until.is_(None), cases.c.keep_until > now))
    if before:
        query = query.where(cases.c.id < before)
    if state:
        query = query.where(cases.c.state == state)
    if text:
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(*(cases.c[name].like(pattern, escape="\\") for name in ("number", "title"))))
    return [_case(row) for row in tx.rows(query.order_by(cases.c.id.desc()).limit(limit))]


def entry_counts(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    """By case."""
    query = select(entries.c.case, func.count().label("n")).where(entries.c.case.in_(ids)).group_by(entries.c.case)
    return {row["case"]: int(row["n"]) for row in tx.rows(query)} if ids else {}


def add_entry(tx: Tx, one: Entry, many: Sequence[Result]) -> None:
    """With what it refers to."""
    values = {name: getattr(one, name) for name in _ENTRY}
    tx.run(insert(entries).values(**{**values, "kind": str(one.kind)}))
    if many:
        tx.run(insert(results), [_result_values(result) for result in many])


def find_entry(tx: Tx, case: str, entry: str) -> Entry | None:
    row = tx.row(select(entries).where(entries.c.case == case, entries.c.id == entry))
    return None if row is None else _entry(row)


def entry_page(tx: Tx, case: str, *, before: str, limit: int) -> list[Entry]:
    """Newest first."""
    query = select(entries).where(entries.c.case == case).order_by(entries.c.id.desc()).limit(limit)
    if before:
        query = query.where(entries.c.id < before)
    return [_entry(row) for row in tx.rows(query)]


def results_of(tx: Tx, ids: Sequence[str]) -> dict[str, list[Result]]:
    """By entry, in the order of time."""
    found: dict[str, list[Result]] = {name: [] for name in ids}
    if ids:
        query = select(results).where(results.c.entry.in_(ids)).order_by(results.c.at, results.c.id)
        for row in tx.rows(query):
            found[row["entry"]].append(_result(row))
    return found


def results_of_case(tx: Tx, case: str) -> list[Result]:
    """In the order of time."""
    query = select(results).where(results.c.case == case).order_by(results.c.at, results.c.id)
    return [_result(row) for row in tx.rows(query)]


def find_result(tx: Tx, case: str, result: str) -> Result | None:
    row = tx.row(select(results).where(results.c.case == case, results.c.id == result))
    return None if row is None else _result(row)


def set_hold(tx: Tx, result: str, hold: str | None) -> None:
    tx.run(update(results).where(results.c.id == result).values(hold=hold))


def unhold(tx: Tx, case: str) -> None:
    """None of its stretches is held any more."""
    tx.run(update(results).where(results.c.case == case).values(hold=None))


def remove_entry(tx: Tx, entry: str, now: int) -> None:
    """With what it refers to; its pictures are swept away."""
    gone = results_of(tx, [entry])[entry]
    unnamed(tx, [picture.key for one in gone for picture in one.pictures], now)
    tx.run(delete(results).where(results.c.entry == entry))
    tx.run(delete(entries).where(entries.c.id == entry))


def remove(tx: Tx, case: str, now: int) -> None:
    """All of it."""
    gone = results_of_case(tx, case)
    unnamed(tx, [picture.key for one in gone for picture in one.pictures], now)
    for table in (results, entries):
        tx.run(delete(table).where(table.c.case == case))
    tx.run(delete(cases).where(cases.c.id == case))


def expired(tx: Tx, now: int) -> Case | None:
    """One whose time is over."""
    row = tx.row(select(cases).where(cases.c.keep_until <= now).order_by(cases.c.keep_until).limit(1))
    return None if row is None else _case(row)


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path, or below."""
    return tx.row(select(cases.c.id).where(under(cases.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    return tx.row(select(cases.c.id).where(under(cases.c.organisation_path, organisation)).limit(1)) is not None


def _case_values(one: Case) -> dict[str, Any]:
    return {**{name: getattr(one, name) for name in _CASE}, "state": str(one.state)}


def _case(row: Row) -> Case:
    values: dict[str, Any] = {name: row[name] for name in _CASE}
    values["state"] = CaseState(row["state"])
    return Case(**values)


def _entry(row: Row) -> Entry:
    values: dict[str, Any] = {name: row[name] for name in _ENTRY}
    values["kind"] = EntryKind(row["kind"])
    return Entry(**values)


def _result_values(one: Result) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in _RESULT}
    return {**values, "kind": str(one.kind), "pictures": [asdict(picture) for picture in one.pictures]}


def _result(row: Row) -> Result:
    values: dict[str, Any] = {name: row[name] for name in _RESULT}
    pictures = tuple(CasePicture(**picture) for picture in row["pictures"])
    values.update(kind=ResultKind(row["kind"]), pictures=pictures)
    return Result(**values)
