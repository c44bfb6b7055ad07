"""Signs, their messages, what they said last, and what they said before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, LargeBinary, Table, Text, delete, func, insert, select
from sqlalchemy import update as update_rows

from safecity.core.ground.access.api import Predicate, under, where
from safecity.core.ground.settings.api import get, put
from safecity.core.ground.signs.decide import GuidanceSign, SignMessage, SignReport, SignState
from safecity.core.ground.sql import Id, Json, area_path, key, metadata, moment, ref
from safecity.ports.database import Row, Tx

CHANGED = "signs/changed"
signs = Table(
    "signs",
    metadata,
    key("gs"),
    *(Column(name, Text, nullable=False) for name in ("name", "address", "language", "created_by")),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude")),
    *(Column(name, BigInteger, nullable=False) for name in ("direction", "lines", "columns", "revision")),
    Column("fallback", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    ref("area", "ar", nullable=True),
    area_path(),
    moment("created_at"),
    Column("key", LargeBinary, nullable=False),
)
messages = Table(
    "sign_messages",
    metadata,
    key("gm"),
    Column("sign", Id("gs"), nullable=False),
    Column("lines", Json, nullable=False),
    Column("priority", BigInteger, nullable=False),
    *(moment(name) for name in ("start", "end", "set_at")),
    *(Column(name, Text, nullable=False) for name in ("reason", "cause", "set_by", "withdrawn_by")),
    moment("withdrawn_at", nullable=True),
    Index("ix_sign_messages_sign_end", "sign", "end"),
    Index("ix_sign_messages_end", "end"),
)
reports = Table(
    "sign_reports",
    metadata,
    key("gs", "sign"),
    *(Column(name, Text, nullable=False) for name in ("state", "code", "message")),
    Column("lines", Json, nullable=False),
    moment("since", nullable=True),
    moment("at"),
)
shown = Table(
    "sign_shown",
    metadata,
    key("gh"),
    Column("sign", Id("gs"), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("state", "code", "message")),
    Column("lines", Json, nullable=False),
    moment("at"),
    Index("ix_sign_shown_sign", "sign"),
    Index("ix_sign_shown_at", "at"),
)
_SIGN = tuple(GuidanceSign.__dataclass_fields__)
_MESSAGE = tuple(SignMessage.__dataclass_fields__)


def _sign(row: Row) -> GuidanceSign:
    values: dict[str, Any] = {name: row[name] for name in _SIGN}
    values["fallback"] = tuple(row["fallback"])
    return GuidanceSign(**values)


def _values(sign: GuidanceSign) -> dict[str, Any]:
    return {name: getattr(sign, name) for name in _SIGN} | {"fallback": list(sign.fallback)}


def _message(row: Row) -> SignMessage:
    values: dict[str, Any] = {name: row[name] for name in _MESSAGE}
    values["lines"] = tuple(row["lines"])
    return SignMessage(**values)


def _report(row: Row) -> SignReport:
    return SignReport(
        sign=row["sign"], state=SignState(row["state"]), code=row["code"], message=row["message"],
        lines=tuple(row["lines"]), since=row["since"], at=row["at"],
    )  # fmt: skip


def last_change(tx: Tx) -> int:
    """Its number: who tells the signs reads them again when it is another one, in the same view of the database."""
    return int(get(tx, CHANGED, 0))


def _touch(tx: Tx) -> None:
    put(tx, CHANGED, last_change(tx) + 1)


# --- signs ---------------------------------------------------------------------------------------------------


def add(tx: Tx, sign: GuidanceSign, sealed: bytes) -> None:
    _touch(tx)
    tx.run(insert(signs).values(**_values(sign), key=sealed))


def save(tx: Tx, sign: GuidanceSign, sealed: bytes | None = None) -> None:
    _touch(tx)
    changed = _values(sign) | ({} if sealed is None else {"key": sealed})
    tx.run(update_rows(signs).where(signs.c.id == sign.id).values(**changed))


def remove(tx: Tx, sign: str) -> None:
    """With all that was to stand on it and did; the audit log remembers who wanted it."""
    _touch(tx)
    tx.run(delete(signs).where(signs.c.id == sign))
    for table in (messages, reports, shown):
        tx.run(delete(table).where(table.c.sign == sign))


def find(tx: Tx, sign: str) -> GuidanceSign | None:
    row = tx.row(select(signs).where(signs.c.id == sign))
    return None if row is None else _sign(row)


def count(tx: Tx) -> int:
    row = tx.row(select(func.count().label("n")).select_from(signs))
    return 0 if row is None else int(row["n"])


def page(
    tx: Tx, allowed: Predicate, *, after: tuple[str, str] | None, limit: int, area: str = ""
) -> list[GuidanceSign]:
    """By name."""
    query = select(signs).where(where(allowed, signs.c.area_path)).order_by(signs.c.name, signs.c.id)
    if after is not None:
        name, last = after
        query = query.where((signs.c.name > name) | ((signs.c.name == name) & (signs.c.id > last)))
    if area:
        query = query.where(under(signs.c.area_path, area))
    return [_sign(row) for row in tx.rows(query.limit(limit))]


def every(tx: Tx, allowed: Predicate) -> list[GuidanceSign]:
    """All that are told what to show."""
    query = select(signs).where(where(allowed, signs.c.area_path), signs.c.enabled.is_(True))
    return [_sign(row) for row in tx.rows(query.order_by(signs.c.id))]


def told(tx: Tx) -> list[tuple[GuidanceSign, bytes]]:
    """As `every`, with sealed keys."""
    query = select(signs).where(signs.c.enabled.is_(True)).order_by(signs.c.id)
    return [(_sign(row), row["key"]) for row in tx.rows(query)]


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path, or below."""
    return tx.row(select(signs.c.id).where(under(signs.c.area_path, path)).limit(1)) is not None


# --- messages ------------------------------------------------------------------------------------------------


def _lasts(at: int) -> Any:
    return (messages.c.end > at) & messages.c.withdrawn_at.is_(None)


def add_message(tx: Tx, message: SignMessage) -> None:
    _touch(tx)
    values = {name: getattr(message, name) for name in _MESSAGE}
    tx.run(insert(messages).values(**values | {"lines": list(message.lines)}))


def find_message(tx: Tx, sign: str, message: str) -> SignMessage | None:
    row = tx.row(select(messages).where(messages.c.id == message, messages.c.sign == sign))
    return None if row is None else _message(row)


def withdraw(tx: Tx, message: str, by: str, at: int) -> None:
    _touch(tx)
    tx.run(update_rows(messages).where(messages.c.id == message).values(withdrawn_by=by, withdrawn_at=at))


def lasting(tx: Tx, at: int, sign: str = "") -> dict[str, list[SignMessage]]:
    """Those in force or to come, by sign."""
    query = select(messages).where(_lasts(at))
    found: dict[str, list[SignMessage]] = {}
    for row in tx.rows(query.where(messages.c.sign == sign) if sign else query):
        found.setdefault(row["sign"], []).append(_message(row))
    return found


def messages_of(tx: Tx, sign: str, *, at: int, past: bool, before: str, limit: int) -> list[SignMessage]:
    """The newest first; with those that are over (`past`) or without."""
    query = select(messages).where(messages.c.sign == sign).order_by(messages.c.id.desc())
    if not past:
        query = query.where(_lasts(at))
    if before:
        query = query.where(messages.c.id < before)
    return [_message(row) for row in tx.rows(query.limit(limit))]


# --- what they say -------------------------------------------------------------------------------------------


def reports_of(tx: Tx, ids: Iterable[str]) -> dict[str, SignReport]:
    """By sign; those that were never asked are not in it."""
    query = select(reports).where(reports.c.sign.in_(list(ids)))
    return {row["sign"]: _report(row) for row in tx.rows(query)}


def keep_report(tx: Tx, report: SignReport, history: str) -> None:
    """What a sign says now, and as a line of its history with that id."""
    line = {
        "sign": report.sign, "state": str(report.state), "code": report.code, "message": report.message,
        "lines": list(report.lines), "at": report.at,
    }  # fmt: skip
    tx.run(delete(reports).where(reports.c.sign == report.sign))
    tx.run(insert(reports).values(**line, since=report.since))
    tx.run(insert(shown).values(**line, id=history))


def history(tx: Tx, sign: str, *, before: str, limit: int) -> list[tuple[str, SignReport]]:
    """The newest first, with ids."""
    query = select(shown).where(shown.c.sign == sign).order_by(shown.c.id.desc())
    if before:
        query = query.where(shown.c.id < before)
    return [(row["id"], _report({**row, "since": None})) for row in tx.rows(query.limit(limit))]


def sweep(tx: Tx, before: int) -> int:
    """Forget what is over for so long; the audit log remembers."""
    return tx.run(delete(messages).where(messages.c.end < before)) + tx.run(delete(shown).where(shown.c.at < before))
