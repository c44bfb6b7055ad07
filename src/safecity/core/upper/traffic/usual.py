"""Usual days: sums that are an hour old or more go into what is usual for an edge on such a day at such a time, and
what is usual becomes factors for the router.

Where an edge says too little of a quarter of an hour, its hour speaks for it, then those edges of its class that say
too little as well (the others are where everybody drives, and where the jams are), then its whole class, and at last
the empty road.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import BigInteger, Column, Table, bindparam, delete, func, insert, select, tuple_

from safecity.core.upper.traffic.sums import metadata, sums
from safecity.kit.clock import SECOND_US
from safecity.kit.daykinds import kind_of
from safecity.ports.database import Tx
from safecity.roads.compiled import F32, F64, I32, I64
from safecity.roads.conditions.blend import DAY_KINDS, HOURS, QUARTERS
from safecity.roads.network.arrays import RoadNetwork, free_speeds

LEAST: Final = 5
"""Vehicles that say what is usual."""
MOST: Final = 2_000
"""Vehicles of one edge and quarter after which the past counts half: roads change."""
MAX_EDGES: Final = 20_000
"""With a table of their own, those of which most is known: 2.7 KB each."""
HOUR_US: Final = 3_600 * SECOND_US
_AT_ONCE: Final = 400

usual = Table(
    "traffic_usual",
    metadata,
    Column("edge", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, BigInteger, nullable=False) for name in ("millimetres", "microseconds", "entered")),
)
_GONE: Final = delete(usual).where(usual.c.edge == bindparam("of_edge"), usual.c.slot == bindparam("of_slot"))
_NEW: Final = insert(usual)


class Usual(NamedTuple):
    """All that was driven on an edge in a slot: kind of day (working day, Saturday, Sunday) and quarter of an hour."""

    edge: int
    slot: int
    millimetres: int
    microseconds: int
    entered: int


@dataclass(frozen=True, slots=True)
class Factors:
    """By how much slower than empty: `rows` [E] names a row of `slow` [U, 672], quarters of an hour from Monday on."""

    rows: I32
    slow: F32


def slot_of(bucket: int, zone: tzinfo, special: Mapping[str, str] = MappingProxyType({})) -> int:
    """Of a bucket's begin, by the local clock; `special`: see `kit.daykinds`."""
    day, quarter = _local(bucket // (60 * SECOND_US), zone)
    return kind_of(day, special) * QUARTERS + quarter


@lru_cache(maxsize=1 << 12)
def _local(minute: int, zone: tzinfo) -> tuple[date, int]:
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone)
    return local.date(), (local.hour * 60 + local.minute) // 15


def fold(tx: Tx, before: int, zone: tzinfo, special: Mapping[str, str] = MappingProxyType({})) -> int:
    """Sums of buckets that began earlier become part of the usual, and are gone: of the oldest hour at once; how many.
    In one transaction, so that nothing is folded twice."""
    first = tx.row(select(func.min(sums.c.bucket).label("bucket")))
    if first is None or first["bucket"] is None:
        return 0
    before = min(before, int(first["bucket"]) + HOUR_US)
    old = tx.rows(select(sums).where(sums.c.bucket < before))
    found: dict[tuple[int, int], list[int]] = {}
    for row in old:
        one = found.setdefault((row["edge"], slot_of(row["bucket"], zone, special)), [0, 0, 0])
        for place, name in enumerate(("millimetres", "microseconds", "entered")):
            one[place] += row[name]
    keys = sorted(found)
    for begin in range(0, len(keys), _AT_ONCE):
        part = keys[begin : begin + _AT_ONCE]
        for row in tx.rows(select(usual).where(tuple_(usual.c.edge, usual.c.slot).in_(part))):
            one, half = found[row["edge"], row["slot"]], row["entered"] > MOST
            for place, name in enumerate(("millimetres", "microseconds", "entered")):
                one[place] += row[name] // 2 if half else row[name]
    tx.run(_GONE, [{"of_edge": edge, "of_slot": slot} for edge, slot in keys])
    tx.run(_NEW, [Usual(*key, *found[key])._asdict() for key in keys])
    tx.run(delete(sums).where(sums.c.bucket < before))
    return len(old)


def known(tx: Tx) -> list[Usual]:
    """All that is usual."""
    return [Usual(*(row[name] for name in Usual._fields)) for row in tx.rows(select(usual))]


def forget(tx: Tx) -> None:
    """It was of another network."""
    tx.run(delete(usual))


def factors(network: RoadNetwork, what: Iterable[Usual], headroom: float) -> Factors | None:
    """For `RoadTimes.of` with the same `headroom`; None where nothing is known."""
    table = np.array([tuple(one) for one in what], np.int64).reshape(-1, len(Usual._fields))
    if not len(table):
        return None
    classes = network.arrays.edge_class.astype(np.int64)
    free = free_speeds(network).astype(np.float64)
    edge, slot = table[:, 0], table[:, 1]
    # Seconds that the way would take on an empty road, seconds that it took, vehicles.
    parts: F64 = np.stack((table[:, 2] / 1000 / free[edge], table[:, 3] / 1e6, table[:, 4]), axis=1).astype(np.float64)
    by_class = np.full((int(classes.max()) + 1, DAY_KINDS, QUARTERS), headroom)
    for few in (np.ones(len(edge), bool), _quiet(edge, slot, table[:, 4])):
        by_class = _slow(_summed(classes[edge[few]], slot[few], parts[few], len(by_class)), by_class, headroom)
    most = np.bincount(edge, table[:, 4], network.edges)
    chosen = np.sort(np.argsort(-most, kind="stable")[: min(MAX_EDGES, int(np.count_nonzero(most)))])
    number = np.full(network.edges, -1, np.int64)
    number[chosen] = np.arange(len(chosen))
    inside = number[edge] >= 0
    mine = _summed(number[edge[inside]], slot[inside], parts[inside], len(chosen))
    slow = np.concatenate((by_class, _slow(mine, by_class[classes[chosen]], headroom)))
    rows = np.where(number >= 0, number + len(by_class), classes).astype(np.int32)
    week = [kind for kind, days in enumerate((5, 1, 1)) for _ in range(days)]
    return Factors(rows, slow[:, week].reshape(len(slow), -1).astype(np.float32))


def _quiet(edge: I64, slot: I64, entered: I64) -> np.ndarray:
    """Whether the edge of each row says too little of that hour to speak for itself, [n] bool."""
    _, which = np.unique(edge * DAY_KINDS * HOURS + slot // (QUARTERS // HOURS), return_inverse=True)
    return np.bincount(which, entered)[which] < LEAST


def _summed(which: np.ndarray, slot: np.ndarray, parts: F64, count: int) -> F64:
    """[count, DAY_KINDS, QUARTERS, 3]"""
    size = count * DAY_KINDS * QUARTERS
    place = which * DAY_KINDS * QUARTERS + slot
    columns: list[F64] = [np.bincount(place, parts[:, n], size).astype(np.float64) for n in range(parts.shape[1])]
    return np.stack(columns, axis=1).reshape(count, DAY_KINDS, QUARTERS, -1)


def _slow(own: F64, otherwise: F64, headroom: float) -> F64:
    """Factors [n, DAY_KINDS, QUARTERS], never below 1: of the quarter, else of the hour, else `otherwise`."""
    hours = np.repeat(own.reshape(len(own), DAY_KINDS, HOURS, -1, 3).sum(axis=3), QUARTERS // HOURS, axis=2)
    result = otherwise
    for level in (hours, own):
        enough = level[..., 2] >= LEAST
        factor = level[..., 1] / np.maximum(level[..., 0], 1e-9) * headroom
        result = np.where(enough, factor, result)
    return np.maximum(result, 1.0)
