"""Incidents over time: which cluster is one that was there before, what people said of it, and what is told of it.

open -> confirmed or dismissed by a person -> ended: by itself when the vehicles drive on, or nobody says any more that
they stand there; one that was confirmed is not ended by silence of less than a day, for a terminal may have died in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Float, Select, Table, Text, delete, insert, select, update

from safecity.core.upper.traffic.jams import untold
from safecity.core.upper.traffic.judging import Cluster, IncidentKind
from safecity.core.upper.traffic.standing import Standing
from safecity.core.upper.traffic.sums import metadata
from safecity.kit.clock import SECOND_US
from safecity.kit.earth import metres_between
from safecity.kit.errors import ConflictError, NotFoundError
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event
from safecity.ports.database import Row, Tx

BEGAN, ENDED = "traffic.incident_began", "traffic.incident_ended"
CHANGED, DISMISSED = "traffic.incident_changed", "traffic.incident_dismissed"
SAME_METRES: Final = 60.0
SAME_WAY_DEGREES: Final = 90.0
"""Whoever came from more aside stands on the other carriageway, however near it is."""
SILENT_US: Final = 600 * SECOND_US
"""Who has said nothing for so long stands there no more, as far as anybody knows."""
LOST_US: Final = 24 * 3600 * SECOND_US
"""After so long of silence also that ends which a person confirmed."""
FORGOTTEN_US: Final = 48 * 3600 * SECOND_US
"""Later than LOST_US by more than a duty is ever away: an incident ends by what is known of its vehicles."""
STOP_US: Final = 30 * 86_400 * SECOND_US
"""So long a place where vehicles may stand is remembered."""
CLEARED_US: Final = 1_800 * SECOND_US
"""So long nothing is found where a person said that it is over: whoever clears it stands there, too."""


class State(StrEnum):
    """What people said of it."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    ENDED = "ended"


ALLOWED: Final = {
    State.OPEN: {State.CONFIRMED, State.DISMISSED, State.ENDED},
    State.CONFIRMED: {State.DISMISSED, State.ENDED},
    State.DISMISSED: {State.ENDED},
    State.ENDED: set[State](),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where one vehicle may stand until then, or (`every_kind`) where nothing is an incident; for those that
    came in that `course` (None: from wherever)."""

    longitude: float
    latitude: float
    until: int
    every_kind: bool
    course: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Where vehicles stand, and the `course` in which they came: degrees from north, None where it was not kept.
    `why` it ended: `moved`, `silent`, `lost` (confirmed, and silent for a day), or `cleared` by a person."""

    id: str
    kind: IncidentKind
    state: State
    longitude: float
    latitude: float
    vehicles: int
    began_at: int
    changed_at: int
    decided_by: str = ""
    why: str = ""
    course: float | None = None

    def move_to(self, state: State, at: int, *, by: str = "", why: str = "") -> Incident:
        """ConflictError where it cannot become that."""
        if state not in ALLOWED[self.state]:
            raise ConflictError(f"{self.id} is {self.state}", code="incident_state", params={"state": str(self.state)})
        return replace(self, state=state, changed_at=at, decided_by=by or self.decided_by, why=why)


standing = Table(
    "traffic_standing",
    metadata,
    Column("vehicle", Text, primary_key=True),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude", "course")),
    *(Column(name, BigInteger, nullable=False) for name in ("since", "last")),
)
incidents = Table(
    "traffic_incidents",
    metadata,
    Column("id", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("kind", "state", "decided_by", "why")),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude")),
    *(Column(name, BigInteger, nullable=False) for name in ("vehicles", "began_at", "changed_at")),
)
stops = Table(
    "traffic_stops",
    metadata,
    Column("id", Text, primary_key=True),
    *(Column(name, Float, nullable=False) for name in ("longitude", "latitude")),
    Column("until", BigInteger, nullable=False),
    Column("every_kind", Boolean, nullable=False),
)
courses = Table(
    "traffic_courses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("course", Float, nullable=False),
)
"""Of incidents and stops. A table of its own: files from before it have none, and go on."""
_encode = msgspec.msgpack.Encoder().encode
_INCIDENT: Final = tuple(name for name in Incident.__dataclass_fields__ if name != "course")
_STOP: Final = tuple(name for name in Stop.__dataclass_fields__ if name != "course")
_STANDING: Final = tuple(name for name in Standing._fields if name != "left")


def followed(
    known: Iterable[Incident], now: Sequence[Cluster], stood: Sequence[Standing],
    kind_of: Callable[[Cluster], IncidentKind | None], quiet: Sequence[Stop], at: int,
) -> list[Incident]:  # fmt: skip
    """Those that began, changed or ended. `now`: where vehicles stand; `stood`: all that did and have not left, however
    long ago they said so; `quiet`: where vehicles may stand."""
    changed: list[Incident] = []
    taken: set[int] = set()
    for one in known:
        here = [n for n, cluster in enumerate(now) if _near(one, cluster)]
        # Who said that a vehicle may stand there did not say that nobody may drive into it.
        harmless = one.state is State.DISMISSED and one.kind is IncidentKind.STOPPED
        taken |= {n for n in here if not (harmless and kind_of(now[n]) is IncidentKind.ACCIDENT)}
        if here:
            grown = one.kind is IncidentKind.STOPPED and any(kind_of(now[n]) is IncidentKind.ACCIDENT for n in here)
            vehicles = max(now[n].vehicles for n in here)
            if (grown or vehicles > one.vehicles) and one.state is not State.DISMISSED:
                kind = IncidentKind.ACCIDENT if grown else one.kind
                changed.append(replace(one, kind=kind, vehicles=max(vehicles, one.vehicles), changed_at=at))
            continue
        silent = [each for each in stood if _near(one, each)]
        if not silent:
            changed.append(one.move_to(State.ENDED, at, why="moved"))
            continue
        confirmed, silence = one.state is State.CONFIRMED, at - max(each.last for each in silent)
        if silence > (LOST_US if confirmed else SILENT_US):
            changed.append(one.move_to(State.ENDED, at, why="lost" if confirmed else "silent"))
    for n, cluster in enumerate(now):
        kind = None if n in taken else kind_of(cluster)
        if kind is not None and not _allowed(kind, cluster, quiet, at):
            changed.append(
                Incident(
                    id=fresh("ti"), kind=kind, state=State.OPEN, longitude=cluster.longitude,
                    latitude=cluster.latitude, vehicles=cluster.vehicles, began_at=cluster.since, changed_at=at,
                    course=cluster.course,
                )
            )  # fmt: skip
    return changed


def stand(tx: Tx, told: Iterable[Standing]) -> None:
    """What vehicles say now: in the transaction that moves the flow on."""
    latest = {one.vehicle: one for one in told}
    if not latest:
        return
    tx.run(delete(standing).where(standing.c.vehicle.in_(list(latest))))
    rows = [{name: getattr(one, name) for name in _STANDING} for one in latest.values() if not one.left]
    if rows:
        tx.run(insert(standing), rows)


def standing_now(tx: Tx) -> list[Standing]:
    """All that stood when they were last heard of."""
    return [Standing(*(row[name] for name in _STANDING)) for row in tx.rows(select(standing))]


def lasting(tx: Tx) -> list[Incident]:
    """Those that have not ended."""
    query = _with_course(incidents).where(incidents.c.state != str(State.ENDED)).order_by(incidents.c.id)
    return [_incident(row) for row in tx.rows(query)]


def keep(tx: Tx, changed: Iterable[Incident], at: int) -> None:
    """With what is to be told of them, in one transaction."""
    for one in changed:
        row = tx.row(select(incidents).where(incidents.c.id == one.id))
        values = {name: str(value) if isinstance(value, StrEnum) else value for name, value in _values(one).items()}
        if row is None:
            tx.run(insert(incidents).values(**values))
            _keep_course(tx, one.id, one.course)
        else:
            tx.run(update(incidents).where(incidents.c.id == one.id).values(**values))
        if row is None or row["state"] != str(State.DISMISSED):  # of one that was none nothing more is told
            event = Event(
                kind=_kind(one, new=row is None), subject=one.id, at=at, seen=at, origin="traffic",
                body=_body(one),
            )  # fmt: skip
            tx.run(insert(untold).values(id=event.id, body=_encode(event)))


def _kind(one: Incident, *, new: bool) -> str:
    if new:
        return BEGAN
    return {State.ENDED: ENDED, State.DISMISSED: DISMISSED}.get(one.state, CHANGED)


def decide(tx: Tx, incident: str, verdict: str, by: str, at: int) -> Incident:
    """`confirmed`, `dismissed`, `known_stop` (dismissed, and vehicles may stand there), or `cleared` (ended).

    NotFoundError for one that is not there, ConflictError `incident_state` for one that cannot become that."""
    row = tx.row(_with_course(incidents).where(incidents.c.id == incident))
    if row is None:
        raise NotFoundError("no such incident", code="not_found", params={"kind": "incident"})
    old = _incident(row)
    if verdict == "cleared":
        now = old.move_to(State.ENDED, at, by=by, why="cleared")
    elif verdict == "confirmed":
        now = old.move_to(State.CONFIRMED, at, by=by)
    else:
        now = old.move_to(State.DISMISSED, at, by=by)
    if verdict in ("known_stop", "cleared"):
        over = verdict == "cleared"
        values = old.longitude, old.latitude, at + (CLEARED_US if over else STOP_US), over
        name = fresh("st")
        tx.run(insert(stops).values(id=name, **dict(zip(_STOP, values, strict=True))))
        _keep_course(tx, name, old.course)
    keep(tx, [now], at)
    return now


def known_stops(tx: Tx) -> list[Stop]:
    """Where vehicles may stand."""
    return [Stop(*(row[name] for name in (*_STOP, "course"))) for row in tx.rows(_with_course(stops))]


def forget(tx: Tx, now: int, ended_before: int) -> None:
    """Incidents that ended earlier, stops that are past their time, and vehicles that nobody heard of for two days."""
    tx.run(delete(incidents).where(incidents.c.state == str(State.ENDED), incidents.c.changed_at < ended_before))
    tx.run(delete(stops).where(stops.c.until < now))
    gone = (courses.c.id.not_in(select(table.c.id)) for table in (incidents, stops))
    tx.run(delete(courses).where(*gone))
    # As long as an incident lasts, somebody who never left it is what it lasts for.
    tx.run(delete(standing).where(standing.c.last < now - FORGOTTEN_US))


def _allowed(kind: IncidentKind, cluster: Cluster, quiet: Iterable[Stop], at: int) -> bool:
    here = (
        one for one in quiet
        if at < one.until and _near(one, cluster)
    )  # fmt: skip
    return any(one.every_kind or kind is IncidentKind.STOPPED for one in here)


def _near(one: Incident | Stop, other: Cluster | Standing) -> bool:
    """Whether both are one place, on the same carriageway."""
    turn = 0.0 if one.course is None else abs((one.course - other.course + 180) % 360 - 180)
    near = metres_between((one.longitude, one.latitude), (other.longitude, other.latitude)) <= SAME_METRES
    return near and turn <= SAME_WAY_DEGREES


def _with_course(table: Table) -> Select[Any]:
    return select(table, courses.c.course).outerjoin(courses, courses.c.id == table.c.id)


def _keep_course(tx: Tx, of: str, course: float | None) -> None:
    if course is not None:
        tx.run(insert(courses).values(id=of, course=course))


def _body(one: Incident) -> dict[str, Any]:
    return {
        "incident": str(one.kind), "state": str(one.state), "longitude": one.longitude, "latitude": one.latitude,
        "vehicles": one.vehicles, "began_at": one.began_at, "why": one.why,
    }  # fmt: skip


def _values(one: Incident) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _INCIDENT}


def _incident(row: Row) -> Incident:
    values: dict[str, Any] = {name: row[name] for name in (*_INCIDENT, "course")}
    values["kind"], values["state"] = IncidentKind(row["kind"]), State(row["state"])
    return Incident(**values)
