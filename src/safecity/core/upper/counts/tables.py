"""Places where vehicles are counted, and the sums: as they came or by the minute, and by five minutes.

Sums alone: no vehicle, and nothing that leads to one. The five minutes are a function of the periods that begin in
them, computed anew with each of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy import update as sql_update

from safecity.core.ground.access.api import Predicate, where
from safecity.core.ground.access.api import under as below
from safecity.core.ground.sql import area_path, key, metadata, moment, organisation_path, ref
from safecity.core.upper.counts.decide import BUCKET_US, DAY_US, LONGEST_US, MAX_PLACES, SUMS, Counted, CountPoint
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ExhaustedError
from safecity.kit.ids import fresh
from safecity.ports.database import Row, Tx

points = Table(
    "count_points",
    metadata,
    key("cp"),
    *(Column(name, Text, nullable=False) for name in ("origin", "key", "source", "place")),
    Column("lane", BigInteger, nullable=True),
    Column("name", Text, nullable=False),
    ref("tollgate", "tg", nullable=True, index=True),
    *(Column(name, Float, nullable=True) for name in ("longitude", "latitude", "bearing")),
    Column("lanes", BigInteger, nullable=False),
    area_path(),
    organisation_path(),
    UniqueConstraint("origin", "key", name="uq_count_points_origin_key"),
)


def _sums(name: str) -> Table:
    return Table(
        name,
        metadata,
        ref("point", "cp"),
        moment("at"),
        *(Column(one, BigInteger, nullable=False) for one in SUMS),
        PrimaryKeyConstraint("point", "at", name=f"pk_{name}"),
        Index(f"ix_{name}_at", "at"),
    )


periods = _sums("count_periods")
buckets = _sums("counts")
_POINT: Final = tuple(CountPoint.__dataclass_fields__)


def known(tx: Tx, wanted: CountPoint) -> CountPoint:
    """The point of that origin and key: as it is said to be now, made where there is none. Its id is its own.

    ExhaustedError `count_places` for a new place of a user who has named too many."""
    row = tx.row(select(points).where(points.c.origin == wanted.origin, points.c.key == wanted.key))
    if row is None:
        _make_room(tx, wanted)
        made = replace(wanted, id=fresh("cp"))
        tx.run(insert(points).values(key=made.key, **{name: getattr(made, name) for name in _POINT}))
        return made
    old = _point(row)
    now = replace(wanted, id=old.id)
    if now != old:
        values = {name: getattr(now, name) for name in _POINT if name != "id"}
        tx.run(sql_update(points).where(points.c.id == old.id).values(**values))
    return now


def _make_room(tx: Tx, wanted: CountPoint) -> None:
    user, told, _ = wanted.origin.partition("/")
    if not told or wanted.tollgate is not None:  # checkpoints and their lanes are made by those who may
        return
    theirs = points.c.origin.startswith(f"{user}/", autoescape=True)
    row = tx.row(select(func.count().label("number")).where(points.c.tollgate.is_(None), theirs))
    if row is not None and row["number"] >= MAX_PLACES:
        raise ExhaustedError("too many places", code="count_places", params={"limit": MAX_PLACES})


def find(tx: Tx, point: str) -> CountPoint | None:
    row = tx.row(select(points).where(points.c.id == point))
    return None if row is None else _point(row)


def at_gate(tx: Tx, origin: str, gate: str) -> list[CountPoint]:
    """Those of an origin at a checkpoint."""
    return [_point(row) for row in tx.rows(select(points).where(points.c.tollgate == gate, points.c.origin == origin))]


def at_gates(tx: Tx) -> list[CountPoint]:
    """Those at checkpoints."""
    return [_point(row) for row in tx.rows(select(points).where(points.c.tollgate.is_not(None)))]


def page(
    tx: Tx, allowed: Predicate, *, before: str, limit: int, area: str = "", tollgate: str = "", every_lane: bool = False
) -> list[CountPoint]:
    """Newest first. Without `every_lane` a checkpoint is shown as a whole."""
    rights = where(allowed, points.c.area_path, organisation=points.c.organisation_path)
    query = select(points).where(rights).order_by(points.c.id.desc())
    if before:
        query = query.where(points.c.id < before)
    if area:
        query = query.where(below(points.c.area_path, area))
    if tollgate:
        query = query.where(points.c.tollgate == tollgate)
    if not every_lane:
        query = query.where(points.c.tollgate.is_(None) | points.c.lane.is_(None))
    return [_point(row) for row in tx.rows(query.limit(limit))]


def placed(tx: Tx) -> list[CountPoint]:
    """Those that lie on the map."""
    return [_point(row) for row in tx.rows(select(points).where(points.c.longitude.is_not(None)))]


def remove(tx: Tx, point: str) -> None:
    """With all that was counted there."""
    for table in (periods, buckets):
        tx.run(delete(table).where(table.c.point == point))
    tx.run(delete(points).where(points.c.id == point))


def any_under(tx: Tx, path: str) -> bool:
    """Whether one lies in the area of that path."""
    return tx.row(select(points.c.id).where(below(points.c.area_path, path)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether one belongs to the organisation of that path, or to one below it."""
    belongs = below(points.c.organisation_path, organisation)
    return tx.row(select(points.c.id).where(belongs).limit(1)) is not None


def period(tx: Tx, point: str, at: int) -> Counted | None:
    """What was told of the period that begins then."""
    row = tx.row(select(periods).where(periods.c.point == point, periods.c.at == at))
    return None if row is None else _counted(row)


def overlaps(tx: Tx, point: str, since: int, until: int) -> bool:
    """Whether another period shares time with [since, until); the one that is the same is not another."""
    query = select(periods.c.at, periods.c.seconds).where(
        periods.c.point == point, periods.c.at > since - LONGEST_US, periods.c.at < until
    )
    same = since, (until - since) // SECOND_US
    return any(
        row["at"] + row["seconds"] * SECOND_US > since and (row["at"], row["seconds"]) != same for row in tx.rows(query)
    )


def put(tx: Tx, point: str, told: Iterable[tuple[int, Counted | None]]) -> None:
    """What periods say now, by their begin (None: nothing), instead of what they said; and the five minutes that they
    begin in."""
    new = list(told)
    tx.run(delete(periods).where(periods.c.point == point, periods.c.at.in_([at for at, _ in new])))
    rows = [_row(point, at, one) for at, one in new if one is not None]
    if rows:
        tx.run(insert(periods), rows)
    for bucket in sorted({at - at % BUCKET_US for at, _ in new}):
        inside = select(periods).where(
            periods.c.point == point, periods.c.at >= bucket, periods.c.at < bucket + BUCKET_US
        )
        parts = [_counted(row) for row in tx.rows(inside)]
        tx.run(delete(buckets).where(buckets.c.point == point, buckets.c.at == bucket))
        if parts:
            tx.run(insert(buckets).values(**_row(point, bucket, sum(parts, Counted()))))


def sums(
    tx: Tx, which: Collection[str], since: int, until: int, step_us: int, *, limit: int | None = None
) -> dict[str, list[tuple[int, Counted]]]:
    """By point, in steps, oldest first: of [since, until). Of one point at most `limit` steps."""
    table = periods if step_us < BUCKET_US else buckets
    step = (table.c.at - table.c.at % step_us).label("step")
    query = (
        select(table.c.point, step, *(func.sum(table.c[one]).label(one) for one in SUMS))
        .where(table.c.point.in_(which), table.c.at >= since, table.c.at < until)
        .group_by(table.c.point, step)
        .order_by(step)
    )
    found: dict[str, list[tuple[int, Counted]]] = {point: [] for point in which}
    for row in tx.rows(query if limit is None else query.limit(limit)):
        found[row["point"]].append((int(row["step"]), _counted(row)))
    return found


def forget(tx: Tx, minutes_before: int, before: int) -> int:
    """Of periods and of five minutes that began earlier the oldest day each; how many went."""
    gone = 0
    for table, limit in ((periods, minutes_before), (buckets, before)):
        oldest = tx.row(select(func.min(table.c.at).label("at")))
        if oldest is not None and oldest["at"] is not None:
            gone += tx.run(delete(table).where(table.c.at < min(limit, oldest["at"] + DAY_US)))
    return gone


def _row(point: str, at: int, one: Counted) -> dict[str, Any]:
    return {"point": point, "at": at, **{name: getattr(one, name) for name in SUMS}}


def _counted(row: Row) -> Counted:
    return Counted(**{name: int(row[name]) for name in SUMS})


def _point(row: Row) -> CountPoint:
    return CountPoint(**{name: row[name] for name in _POINT})
