"""Alarms as they were received, and what people did about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Table, Text, delete, func, insert, select, update

from safecity.core.ground.access.api import Predicate, under, where
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
    """`method` and `type` as GB/T 28181 numbers them; `description` is the device's own text. `event` is its cause."""

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
    Index("ix_alarms_seen", "seen"),
    Index("ix_alarms_state_seen", "state", "seen"),
)


def _visible(allowed: Predicate) -> Any:
    return where(allowed, alarms.c.area_path, alarms.c.tags, organisation=alarms.c.organisation_path)


def add(tx: Tx, alarm: Alarm) -> None:
    values = {name: getattr(alarm, name) for name in Alarm.__dataclass_fields__}
    tx.run(insert(alarms).values(**{**values, "state": str(alarm.state)}))


def of_event(tx: Tx, event: str) -> bool:
    return tx.row(select(alarms.c.id).where(alarms.c.event == event)) is not None


def open_of(tx: Tx, method: str) -> list[Alarm]:
    """Those of a method that are not cleared, oldest first."""
    query = select(alarms).where(alarms.c.method == method, alarms.c.state != "cleared").order_by(alarms.c.id)
    return [_alarm(row) for row in tx.rows(query.limit(1000))]


def find(tx: Tx, alarm: str) -> Alarm | None:
    row = tx.row(select(alarms).where(alarms.c.id == alarm))
    return None if row is None else _alarm(row)


def save(tx: Tx, alarm: Alarm) -> None:
    tx.run(
        update(alarms)
        .where(alarms.c.id == alarm.id)
        .values(
            state=str(alarm.state),
            acknowledged_by=alarm.acknowledged_by,
            acknowledged_at=alarm.acknowledged_at,
            note=alarm.note,
            picture=alarm.picture,
        )
    )


def page(
    tx: Tx, allowed: Predicate, *, before: str, limit: int, state: str = "", channel: str = "", area: str = "",
    priority: int = 0,
) -> list[Alarm]:  # fmt: skip
    """Newest first; ids grow with time."""
    query = select(alarms).where(_visible(allowed)).order_by(alarms.c.id.desc())
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
    """Drop the oldest ones, whatever their state; how many."""
    query = select(alarms.c.id).where(alarms.c.seen < seen_before).order_by(alarms.c.seen).limit(limit)
    gone = [row["id"] for row in tx.rows(query)]
    return tx.run(delete(alarms).where(alarms.c.id.in_(gone))) if gone else 0


def oldest(tx: Tx) -> int | None:
    """When the oldest one was seen."""
    row = tx.row(select(alarms.c.seen).order_by(alarms.c.seen).limit(1))
    return None if row is None else row["seen"]


def open_counts(tx: Tx, allowed: Predicate) -> dict[int, int]:
    """Raised alarms per priority."""
    query = (
        select(alarms.c.priority, func.count().label("n"))
        .where(_visible(allowed), alarms.c.state == "raised")
        .group_by(alarms.c.priority)
    )
    return {int(row["priority"]): int(row["n"]) for row in tx.rows(query)}


def _alarm(row: Row) -> Alarm:
    values: dict[str, Any] = {name: row[name] for name in Alarm.__dataclass_fields__}
    values.update(state=AlarmState(row["state"]))
    return Alarm(**values)
