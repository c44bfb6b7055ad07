"""Alarms as they were received, and what people did about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Table, Text, and_, delete, func, insert, select, update

from safecity.core.ground.access.api import under
from safecity.core.ground.alarms.audience import Hearing
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx


class AlarmState(StrEnum):
    """Life of an alarm."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


ALLOWED = {
    AlarmState.RAISED: {AlarmState.ACKNOWLEDGED, AlarmState.CLEARED},
    AlarmState.ACKNOWLEDGED: {AlarmState.CLEARED},
    AlarmState.CLEARED: set[AlarmState](),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """`method` and `type` as GB/T 28181 numbers them; `description` is the device's own text. `event` is its cause.

    audience             seats it is for, none: whoever may see alarms there
    sign_by, report_by   until when somebody has to take it on, and to say what came of it; None: nobody has to
    result, report       what came of it, as a code and in words
    escalated            how often it went on to others because nobody did
    due                  when somebody must be reminded next
    """

    id: str
    event: str
    channel: str | None
    device: str | None
    name: str
    area_path: str
    organisation_path: str = "/"
    tags: frozenset[str] = frozenset()
    at: int
    seen: int
    priority: int
    method: str = ""
    type: str = ""
    description: str = ""
    longitude: float | None = None
    latitude: float | None = None
    state: AlarmState = AlarmState.RAISED
    acknowledged_by: str = ""
    acknowledged_at: int | None = None
    note: str = ""
    picture: str = ""
    audience: frozenset[str] = frozenset()
    sign_by: int | None = None
    report_by: int | None = None
    reported_by: str = ""
    reported_at: int | None = None
    result: str = ""
    report: str = ""
    escalated: int = 0
    due: int | None = None
    body: dict[str, Any] = field(default_factory=dict[str, Any])


alarms = Table(
    "alarms",
    metadata,
    key("al"),
    Column("event", Text, nullable=False, unique=True),
    ref("channel", "ch", nullable=True, index=True),
    ref("device", "dv", nullable=True),
    *(Column(name, Text, nullable=False) for name in ("name", "method", "type", "description", "state", "note")),
    *(Column(name, Text, nullable=False) for name in ("acknowledged_by", "picture")),
    area_path(),
    organisation_path(),
    Column("tags", Tags, nullable=False),
    moment("at"),
    moment("seen"),
    moment("acknowledged_at", nullable=True),
    Column("priority", BigInteger, nullable=False),
    Column("longitude", Float, nullable=True),
    Column("latitude", Float, nullable=True),
    Column("body", Json, nullable=False),
    Column("audience", Tags, nullable=False, server_default=""),
    *(moment(name, nullable=True) for name in ("sign_by", "report_by", "reported_at", "due")),
    *(Column(name, Text, nullable=False, server_default="") for name in ("reported_by", "result", "report")),
    Column("escalated", BigInteger, nullable=False, server_default="0"),
    Index("ix_alarms_due", "due"),
    Index("ix_alarms_seen", "seen"),
    Index("ix_alarms_state_seen", "state", "seen"),
)


_CHANGING = (
    "state", "acknowledged_by", "acknowledged_at", "note", "picture", "priority", "type", "audience", "sign_by",
    "report_by", "reported_by", "reported_at", "result", "report", "escalated", "due",
)  # fmt: skip


def _visible(who: Hearing) -> Any:
    return who.condition(alarms.c.audience, alarms.c.area_path, alarms.c.organisation_path, alarms.c.tags)


def add(tx: Tx, alarm: Alarm) -> None:
    values = {name: getattr(alarm, name) for name in Alarm.__dataclass_fields__}
    tx.run(insert(alarms).values(**{**values, "state": str(alarm.state)}))


def of_event(tx: Tx, event: str) -> bool:
    return tx.row(select(alarms.c.id).where(alarms.c.event == event)) is not None


def of_events(tx: Tx, events: Sequence[str]) -> dict[str, Alarm]:
    """Those that were raised by these facts."""
    rows = tx.rows(select(alarms).where(alarms.c.event.in_(list(events))))
    return {alarm.event: alarm for alarm in map(_alarm, rows)}


def open_of(tx: Tx, method: str) -> list[Alarm]:
    """Those of a method that are not cleared, oldest first."""
    query = select(alarms).where(alarms.c.method == method, alarms.c.state != "cleared").order_by(alarms.c.id)
    return [_alarm(row) for row in tx.rows(query.limit(1000))]


def is_raised_after(tx: Tx, alarm: Alarm) -> bool:
    """Whether its device has raised another of that type since, and nobody has taken notice of that one."""
    later = and_(alarms.c.id > alarm.id, alarms.c.device == alarm.device, alarms.c.type == alarm.type)
    raised = alarms.c.state == str(AlarmState.RAISED)
    return tx.row(select(alarms.c.id).where(raised, later).limit(1)) is not None


def find(tx: Tx, alarm: str) -> Alarm | None:
    row = tx.row(select(alarms).where(alarms.c.id == alarm))
    return None if row is None else _alarm(row)


def save(tx: Tx, alarm: Alarm) -> None:
    values = {name: getattr(alarm, name) for name in _CHANGING}
    tx.run(update(alarms).where(alarms.c.id == alarm.id).values(**{**values, "state": str(alarm.state)}))


def find_many(tx: Tx, ids: Sequence[str]) -> dict[str, Alarm]:
    """By id."""
    return {row["id"]: _alarm(row) for row in tx.rows(select(alarms).where(alarms.c.id.in_(ids)))}


def in_state(states: Sequence[AlarmState]) -> Any:
    """Ids of alarms in one of these states, for another query."""
    return select(alarms.c.id).where(alarms.c.state.in_([str(state) for state in states]))


def remove(tx: Tx, ids: Sequence[str]) -> None:
    """Forget them, with what they were about."""
    tx.run(delete(alarms).where(alarms.c.id.in_(ids)))


def due_by(tx: Tx, now: int, limit: int) -> list[Alarm]:
    """Whose deadline has passed, the longest first."""
    query = select(alarms).where(alarms.c.due <= now).order_by(alarms.c.due).limit(limit)
    return [_alarm(row) for row in tx.rows(query)]


def next_due(tx: Tx) -> int | None:
    """When the next deadline passes."""
    row = tx.row(select(func.min(alarms.c.due).label("due")))
    return None if row is None else row["due"]


def page(
    tx: Tx, who: Hearing, *, before: str, limit: int, state: str = "", channel: str = "", area: str = "",
    priority: int = 0,
) -> list[Alarm]:  # fmt: skip
    """Newest first; ids grow with time."""
    query = select(alarms).where(_visible(who)).order_by(alarms.c.id.desc())
    if before:
        query = query.where(alarms.c.id < before)
    if state:
        query = query.where(alarms.c.state == state)
    if channel:
        query = query.where(alarms.c.channel == channel)
    if area:
        query = query.where(under(alarms.c.area_path, area))
    if priority:
        query = query.where(alarms.c.priority == priority)
    return [_alarm(row) for row in tx.rows(query.limit(limit))]


def unpictured(tx: Tx, start: int, end: int, limit: int = 200) -> list[Alarm]:
    """Alarms of a channel, seen in [start, end), of which no picture is kept; newest first."""
    query = select(alarms).where(
        alarms.c.seen >= start, alarms.c.seen < end, alarms.c.picture == "", alarms.c.channel.is_not(None)
    )
    return [_alarm(row) for row in tx.rows(query.order_by(alarms.c.seen.desc()).limit(limit))]


def forget(tx: Tx, seen_before: int, limit: int) -> int:
    """Drop the oldest ones, whatever their state; how many. Those that somebody has to report on stay as long as what
    they are about."""
    query = (
        select(alarms.c.id)
        .where(alarms.c.seen < seen_before, alarms.c.report_by.is_(None))
        .order_by(alarms.c.seen)
        .limit(limit)
    )
    gone = [row["id"] for row in tx.rows(query)]
    return tx.run(delete(alarms).where(alarms.c.id.in_(gone))) if gone else 0


def oldest(tx: Tx) -> int | None:
    """When the oldest one was seen, of those that `forget` drops."""
    row = tx.row(select(alarms.c.seen).where(alarms.c.report_by.is_(None)).order_by(alarms.c.seen).limit(1))
    return None if row is None else row["seen"]


def stock(tx: Tx, who: Hearing, *, channel: str, area: str, most: int) -> tuple[int, int | None]:
    """How many alarms there are whatever their state and priority, `most` at most, and when the oldest of them was
    seen: what a list could look at."""
    query = select(alarms.c.id, alarms.c.seen).where(_visible(who))
    if channel:
        query = query.where(alarms.c.channel == channel)
    if area:
        query = query.where(under(alarms.c.area_path, area))
    some = query.order_by(alarms.c.id.desc()).limit(most).subquery()
    row = tx.row(select(func.count().label("n"), func.min(some.c.seen).label("oldest")).select_from(some))
    return (0, None) if row is None else (int(row["n"]), row["oldest"])


def open_counts(tx: Tx, who: Hearing) -> dict[int, int]:
    """Raised alarms per priority."""
    query = (
        select(alarms.c.priority, func.count().label("n"))
        .where(_visible(who), alarms.c.state == "raised")
        .group_by(alarms.c.priority)
    )
    return {int(row["priority"]): int(row["n"]) for row in tx.rows(query)}


def _alarm(row: Row) -> Alarm:
    values: dict[str, Any] = {name: row[name] for name in Alarm.__dataclass_fields__}
    values.update(state=AlarmState(row["state"]))
    return Alarm(**values)
