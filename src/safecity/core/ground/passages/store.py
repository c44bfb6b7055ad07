"""Passages, and the sightings they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Table,
    Text,
    UniqueConstraint,
    delete,
    or_,
    select,
    update,
)

from safecity.core.ground.passages.decide import KeptPicture, Sighting, Source
from safecity.core.ground.sql import Json, Tags, area_path, key, metadata, moment, organisation_path, ref
from safecity.ports.database import Row, Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """One vehicle at one place. `place` is the tollgate, or the device where no tollgate is known.

    purposes, restricted, keep_until   what it may be looked at for, by whom, and how long: checked at every read
    """

    id: str
    place: str
    tollgate: str | None
    device: str | None
    area_path: str
    organisation_path: str
    purposes: frozenset[str]
    restricted: bool
    keep_until: int
    at: int
    seen: int
    lane: int | None
    plate: str
    confidence: float | None
    plate_colour: str
    plate_class: str
    colour: str
    vehicle_class: str
    brand: str
    speed_kmh: float | None
    direction: str
    transponder: str
    sources: frozenset[str]
    sightings: int
    pictures: int
    clock_doubtful: bool


passages = Table(
    "passages",
    metadata,
    key("ps"),
    Column("place", Text, nullable=False),
    ref("tollgate", "tg", nullable=True),
    ref("device", "dv", nullable=True),
    area_path(),
    organisation_path(),
    Column("purposes", Tags, nullable=False),
    Column("restricted", Boolean, nullable=False),
    moment("keep_until"),
    moment("at"),
    moment("seen"),
    Column("lane", BigInteger, nullable=True),
    Column("confidence", Float, nullable=True),
    Column("speed_kmh", Float, nullable=True),
    *(
        Column(name, Text, nullable=False)
        for name in (
            "plate", "plate_colour", "plate_class", "colour", "vehicle_class", "brand", "direction", "transponder",
        )
    ),
    Column("sources", Tags, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("sightings", "pictures")),
    Column("clock_doubtful", Boolean, nullable=False),
    Index("ix_passages_at", "at", "id"),
    Index("ix_passages_place_at", "place", "at"),
    Index("ix_passages_plate_at", "plate", "at"),
    Index("ix_passages_keep_until", "keep_until"),
)  # fmt: skip
sightings = Table(
    "sightings",
    metadata,
    key("sg"),
    ref("passage", "ps", index=True),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("digest", Text, nullable=False),
    moment("at"),
    moment("seen"),
    Column("body", Json, nullable=False),
    UniqueConstraint("origin", "reference", name="uq_sightings_origin_reference"),
)
_FIELDS = tuple(Passage.__dataclass_fields__)
SPANS = 50
"""Stretches of time in one query."""
_OWN = ("id", "source", "origin", "reference", "at", "seen")
_SAID = tuple(name for name in Sighting.__dataclass_fields__ if name not in _OWN)


def find(tx: Tx, passage: str) -> Passage | None:
    row = tx.row(select(passages).where(passages.c.id == passage))
    return None if row is None else read_row(row)


def near(tx: Tx, place: str, spans: Sequence[tuple[int, int]]) -> list[Passage]:
    """At a place within any of the spans [since, until]."""
    found: list[Passage] = []
    for start in range(0, len(spans), SPANS):
        within = or_(*(passages.c.at.between(since, until) for since, until in spans[start : start + SPANS]))
        query = select(passages).where(passages.c.place == place, within).order_by(passages.c.at)
        found += [read_row(row) for row in tx.rows(query)]
    return found


def add(tx: Tx, many: Sequence[Passage]) -> None:
    tx.add(passages, [{name: getattr(passage, name) for name in _FIELDS} for passage in many])


def save(tx: Tx, passage: Passage) -> None:
    values = {name: getattr(passage, name) for name in _FIELDS if name != "id"}
    tx.run(update(passages).where(passages.c.id == passage.id).values(**values))


def remove(tx: Tx, ids: Sequence[str]) -> int:
    """With their sightings."""
    tx.run(delete(sightings).where(sightings.c.passage.in_(ids)))
    return tx.run(delete(passages).where(passages.c.id.in_(ids)))


def expired(tx: Tx, now: int, limit: int) -> list[str]:
    """Past their time."""
    query = select(passages.c.id).where(passages.c.keep_until <= now).order_by(passages.c.keep_until).limit(limit)
    return [row["id"] for row in tx.rows(query)]


def sightings_of(tx: Tx, ids: Sequence[str]) -> dict[str, list[Sighting]]:
    """By passage, in the order they came."""
    found: dict[str, list[Sighting]] = {name: [] for name in ids}
    if ids:
        for row in tx.rows(select(sightings).where(sightings.c.passage.in_(ids)).order_by(sightings.c.id)):
            found[row["passage"]].append(_sighting(row))
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """A sighting as it is kept: its id, the passage and the place it is filed under, the digest of what it says."""

    sighting: str
    passage: str
    place: str
    digest: str


def known(tx: Tx, origin: str, references: Sequence[str]) -> dict[str, Known]:
    """By reference, of what an origin said before."""
    columns = (sightings.c.id, sightings.c.passage, sightings.c.reference, sightings.c.digest, passages.c.place)
    query = select(*columns).join(passages, passages.c.id == sightings.c.passage)
    rows = tx.rows(query.where(sightings.c.origin == origin, sightings.c.reference.in_(references)))
    return {row["reference"]: Known(row["id"], row["passage"], row["place"], row["digest"]) for row in rows}


def passages_of(tx: Tx, origin: str, references: Sequence[str]) -> list[str]:
    """Those that what an origin said is part of."""
    return sorted({one.passage for one in known(tx, origin, references).values()})


def add_sightings(tx: Tx, many: Sequence[tuple[str, Sighting, str]]) -> None:
    """(passage, sighting, digest) each."""
    tx.add(sightings, [{"passage": passage, "digest": digest, **_row(one)} for passage, one, digest in many])


def save_sighting(tx: Tx, one: Sighting) -> None:
    """With other pictures: its words are what they were."""
    tx.run(update(sightings).where(sightings.c.id == one.id).values(body=_row(one)["body"]))


def remove_sighting(tx: Tx, sighting: str) -> None:
    tx.run(delete(sightings).where(sightings.c.id == sighting))


def _row(one: Sighting) -> dict[str, Any]:
    body: dict[str, Any] = {name: getattr(one, name) for name in _SAID}
    body["pictures"] = [asdict(picture) for picture in one.pictures]
    return {**{name: getattr(one, name) for name in _OWN}, "source": str(one.source), "body": body}


def _sighting(row: Row) -> Sighting:
    body: dict[str, Any] = dict(row["body"])
    pictures = tuple(KeptPicture(**picture) for picture in body.pop("pictures"))
    own: dict[str, Any] = {name: row[name] for name in _OWN}
    return Sighting(**{**own, "source": Source(row["source"])}, **body, pictures=pictures)


def read_row(row: Row) -> Passage:
    """A row of `passages`."""
    return Passage(**{name: row[name] for name in _FIELDS})
