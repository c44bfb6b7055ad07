"""Jams over time: which of those found now is one that was there before, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np
from sqlalchemy import BigInteger, Column, Float, LargeBinary, Table, Text, delete, insert, select, update

from safecity.core.upper.traffic.live import Now
from safecity.core.upper.traffic.sums import metadata
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event
from safecity.ports.database import Tx
from safecity.roads.conditions.levels import jams as jams_of
from safecity.roads.network.arrays import RoadNetwork

BEGAN, ENDED = "traffic.jam_began", "traffic.jam_ended"
LEAST_METRES: Final = 50.0
"""Shorter is a red light."""

jams = Table(
    "traffic_jams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("edges", LargeBinary, nullable=False),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude", "metres", "speed")),
)
untold = Table(
    "traffic_untold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
_encode = msgspec.msgpack.Encoder().encode
_decode_edges = msgspec.msgpack.Decoder(tuple[int, ...]).decode
_decode_event = msgspec.msgpack.Decoder(Event).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownJam:
    """Edges in ascending order; degrees of its middle, metres along it, m/s."""

    id: str
    began_at: int
    edges: tuple[int, ...]
    longitude: float
    latitude: float
    metres: float
    speed: float
    ended_at: int | None = None


def found(network: RoadNetwork, now: Now) -> list[KnownJam]:
    """The jams of a moment, without names, the longest first."""
    edges = np.flatnonzero(now.jammed).astype(np.int32)
    if not len(edges):
        return []
    number, a = jams_of(network.arrays, edges), network.arrays
    result: list[KnownJam] = []
    for one in range(int(number.max()) + 1):
        part = edges[number == one]
        lengths = a.edge_length[part].astype(np.float64)
        metres = float(lengths.sum())
        if metres < LEAST_METRES:
            continue
        middle = int(part[np.searchsorted(np.cumsum(lengths), metres / 2)])
        line = network.line(middle)
        lon, lat = line[len(line) // 2 - 1 : len(line) // 2 + 1].mean(axis=0)
        speed = metres / float((lengths / now.speed[part]).sum())
        result.append(
            KnownJam(
                id="", began_at=now.at, edges=tuple(part.tolist()), longitude=float(lon), latitude=float(lat),
                metres=metres, speed=speed,
            )
        )  # fmt: skip
    return sorted(result, key=lambda one: -one.metres)


def followed(known: Iterable[KnownJam], new: Sequence[KnownJam], at: int) -> tuple[list[KnownJam], list[KnownJam]]:
    """(those that last or began, those that ended). A jam is the one before that it shares most road with; of those
    that grew together the oldest goes on."""
    left = {one.id: one for one in known}
    lasting: list[KnownJam] = []
    for one in new:
        edges = frozenset(one.edges)
        same = [old for old in left.values() if edges.intersection(old.edges)]
        if same:
            old = min(same, key=lambda each: (each.began_at, each.id))
            del left[old.id]
            lasting.append(replace(one, id=old.id, began_at=old.began_at))
        else:
            lasting.append(replace(one, id=fresh("jm"), began_at=at))
    return lasting, [replace(one, ended_at=at) for one in left.values()]


def lasting(tx: Tx) -> list[KnownJam]:
    """Those that have not ended."""
    return [_jam(row) for row in tx.rows(select(jams).where(jams.c.ended_at.is_(None)))]


def keep(tx: Tx, new: Sequence[KnownJam], ended: Sequence[KnownJam], at: int) -> None:
    """With what is to be told of them, in one transaction."""
    known = {one.id for one in lasting(tx)}
    for one in new:
        if one.id in known:
            tx.run(update(jams).where(jams.c.id == one.id).values(**_values(one)))
        else:
            tx.run(insert(jams).values(**_values(one)))
            _tell(tx, BEGAN, one, at)
    for one in ended:
        tx.run(update(jams).where(jams.c.id == one.id).values(ended_at=one.ended_at))
        _tell(tx, ENDED, one, at)


def end_all(tx: Tx, at: int) -> None:
    """They lay on another network."""
    keep(tx, (), [replace(one, ended_at=at) for one in lasting(tx)], at)


def waiting(tx: Tx) -> list[Event]:
    """What the bus has not heard yet, oldest first."""
    return [_decode_event(row["body"]) for row in tx.rows(select(untold).order_by(untold.c.id).limit(100))]


def told(tx: Tx, events: Sequence[Event]) -> None:
    """The bus has them."""
    tx.run(delete(untold).where(untold.c.id.in_([one.id for one in events])))


def forget(tx: Tx, before: int) -> int:
    """Those that ended earlier."""
    return tx.run(delete(jams).where(jams.c.ended_at < before))


def _tell(tx: Tx, kind: str, one: KnownJam, at: int) -> None:
    body = {
        "longitude": one.longitude, "latitude": one.latitude, "metres": round(one.metres),
        "speed_kmh": round(one.speed * 3.6, 1), "began_at": one.began_at,
    }  # fmt: skip
    event = Event(kind=kind, subject=one.id, at=at, seen=at, origin="traffic", body=body)
    tx.run(insert(untold).values(id=event.id, body=_encode(event)))


def _values(one: KnownJam) -> dict[str, Any]:
    return {
        "id": one.id, "began_at": one.began_at, "ended_at": one.ended_at, "edges": _encode(one.edges),
        "longitude": one.longitude, "latitude": one.latitude, "metres": one.metres, "speed": one.speed,
    }  # fmt: skip


def _jam(row: Any) -> KnownJam:
    values: dict[str, Any] = {name: row[name] for name in KnownJam.__dataclass_fields__}
    values["edges"] = _decode_edges(row["edges"])
    return KnownJam(**values)
