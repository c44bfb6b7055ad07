"""Where what moves was seen last: one row for each device and code, whatever it sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Float, Table, Text, bindparam, delete, insert, select

from safecity.core.ground.sql import Id, metadata, moment
from safecity.ports.database import Tx

positions = Table(
    "positions",
    metadata,
    Column("device", Id("dv"), primary_key=True),
    Column("code", Text, primary_key=True),
    moment("at"),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude")),
    *(Column(name, Float, nullable=True) for name in ("speed", "direction", "altitude")),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """WGS-84 degrees, km/h, degrees from north, metres. `code` is the device's own or that of a channel of it."""

    device: str
    code: str
    at: int
    longitude: float
    latitude: float
    speed: float | None = None
    direction: float | None = None
    altitude: float | None = None


_OLD = delete(positions).where(
    positions.c.device == bindparam("of_device"), positions.c.code == bindparam("of_code")
)  # fmt: skip


def put(tx: Tx, places: Sequence[Position]) -> None:
    """The last that came counts, whatever time the device thinks it is. Each device and code once."""
    if places:
        tx.run(_OLD, [{"of_device": one.device, "of_code": one.code} for one in places])
        tx.run(
            insert(positions), [{name: getattr(one, name) for name in Position.__dataclass_fields__} for one in places]
        )


def of_devices(tx: Tx, devices: Iterable[str]) -> dict[tuple[str, str], Position]:
    """By device and code."""
    query = select(positions).where(positions.c.device.in_(list(devices)))
    found = (Position(**{name: row[name] for name in Position.__dataclass_fields__}) for row in tx.rows(query))
    return {(position.device, position.code): position for position in found}


def forget(tx: Tx, device: str) -> None:
    tx.run(delete(positions).where(positions.c.device == device))
