"""The table of scenes: one for each channel that has any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, delete, insert, select, update

from safecity.core.ground.sql import Json, Tags, key, metadata, moment
from safecity.ports.database import Row, Tx
from safecity.vision.enforcement.scene import Scene, read_scene, write_scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A scene, on whose picture, and who drew it last."""

    channel: str
    scene: Scene
    changed_by: str
    changed_at: int
    revision: int = 1


scenes = Table(
    "scenes",
    metadata,
    key("ch", "channel"),
    Column("body", Json, nullable=False),
    Column("signals", Tags, nullable=False),
    Column("changed_by", Text, nullable=False),
    moment("changed_at"),
    Column("revision", BigInteger, nullable=False),
)


def find(tx: Tx, channel: str) -> Drawn | None:
    row = tx.row(select(scenes).where(scenes.c.channel == channel))
    return None if row is None else _drawn(row)


def save(tx: Tx, one: Drawn, *, new: bool) -> None:
    values: dict[str, Any] = {
        "body": write_scene(one.scene), "signals": one.scene.signals, "changed_by": one.changed_by,
        "changed_at": one.changed_at, "revision": one.revision,
    }  # fmt: skip
    if new:
        tx.run(insert(scenes).values(channel=one.channel, **values))
    else:
        tx.run(update(scenes).where(scenes.c.channel == one.channel).values(**values))


def remove(tx: Tx, channel: str) -> int:
    return tx.run(delete(scenes).where(scenes.c.channel == channel))


def everything(tx: Tx) -> dict[str, Scene]:
    """By channel."""
    return {row["channel"]: _drawn(row).scene for row in tx.rows(select(scenes))}


def of_signal(tx: Tx, signal: str) -> list[str]:
    """Channels on whose scene the signal holds for somebody."""
    query = select(scenes.c.channel).where(scenes.c.signals.contains(f"|{signal}|", autoescape=True))
    return [row["channel"] for row in tx.rows(query)]


def _drawn(row: Row) -> Drawn:
    return Drawn(
        channel=row["channel"], scene=read_scene(row["body"]), changed_by=row["changed_by"],
        changed_at=row["changed_at"], revision=row["revision"],
    )  # fmt: skip
