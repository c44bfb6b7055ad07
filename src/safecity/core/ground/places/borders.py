"""Borders of areas in the database, and drawing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Table, delete, insert, select

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places import store
from safecity.core.ground.places.decide import Area
from safecity.core.ground.places.outline import Borders, Outline, Point, above_all
from safecity.core.ground.settings.api import get, put
from safecity.core.ground.sql import Json, key, metadata
from safecity.kit.errors import NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

CHANGED = "borders"
outlines = Table("area_outlines", metadata, key("ar", "area"), Column("polygons", Json, nullable=False))
_read: dict[str, Borders] = {}
"""Those that were read last, under the name of their last change, which is like no other in any database."""


class Drawing:
    """What people do with borders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def see(self, who: Actor, area: str) -> Outline:
        """NotFoundError for an area that `who` may not see, or that has none."""

        def work(tx: Tx) -> Outline | None:
            _visible(tx, who, area)
            return _found(tx, area)

        found = await self._database.read(work)
        if found is None:
            raise NotFoundError("no border", code="not_found", params={"kind": "outline"})
        return found

    async def draw(self, who: Actor, area: str, outline: Outline | None) -> None:
        """Draw the border of an area, or (None) take it away: with the right over the nearest area above it that has
        one, for whoever has that may say what lies in its parts; over the whole platform where there is none."""

        def work(tx: Tx) -> None:
            found = _visible(tx, who, area)
            thing = Thing("area", found.path, id=area)
            authorize(who, Action.AREA_CHANGE, thing)
            authorize(who, Action.AREA_CHANGE, Thing("area", _above(tx, found.path), id=area))
            tx.run(delete(outlines).where(outlines.c.area == area))
            if outline is not None:
                tx.run(insert(outlines).values(area=area, polygons=outline.polygons))
            touch(tx)
            note(tx, who, Action.AREA_CHANGE, thing, found.name, outline=outline is not None)

        await self._database.write(work)

    async def area_at(self, longitude: float, latitude: float) -> str:
        """The path of the area that a place lies in, `/` where nobody drew one."""
        return await self._database.read(lambda tx: borders(tx).area_at(longitude, latitude) or ROOT)

    async def borders(self) -> Borders:
        return await self._database.read(borders)


def borders(tx: Tx) -> Borders:
    """All of them."""
    change = str(get(tx, CHANGED, ""))
    if not change:
        return Borders()
    known = _read.get(change)
    if known is None:
        query = select(store.areas.c.path, outlines.c.polygons).join(outlines, outlines.c.area == store.areas.c.id)
        known = Borders(tuple((row["path"], _outline(row["polygons"])) for row in tx.rows(query)))
        _read.clear()
        _read[change] = known
    return known


def area_at(tx: Tx, longitude: float | None, latitude: float | None) -> Area | None:
    """The area that a place lies in, as far as borders say; None where they do not, or where several claim it."""
    if longitude is None or latitude is None:
        return None
    path = borders(tx).area_at(longitude, latitude)
    return None if path is None else store.area_at(tx, path)


def claimed_by(tx: Tx, who: Actor, action: Action, kind: str, *lines: Sequence[Point]) -> Area | None:
    """What is above all areas that lines run through (one of one point lies there); None where none is. ForbiddenError
    unless `who` may do `action` to things of that kind in each of them."""
    drawn = borders(tx)
    paths = sorted({path for line in lines for path in drawn.areas_of(line)})
    for path in paths:
        authorize(who, action, Thing(kind, path))
    return store.area_at(tx, above_all(paths)) if paths else None


def forget_outline(tx: Tx, area: str) -> None:
    """The area goes."""
    if tx.run(delete(outlines).where(outlines.c.area == area)):
        touch(tx)


def touch(tx: Tx) -> None:
    """Whoever reads them next reads them anew."""
    put(tx, CHANGED, fresh("ar"))


def _visible(tx: Tx, who: Actor, area: str) -> Area:
    found = store.find_area(tx, area)
    if found is None or not scope(who, Action.AREA_SEE).allows(Thing("area", found.path, id=area)):
        raise NotFoundError("no such area", code="not_found", params={"kind": "area"})
    return found


def _above(tx: Tx, path: str) -> str:
    above = [one for one, _ in borders(tx).drawn if one != path and path.startswith(one)]
    return max(above, key=len, default=ROOT)


def _found(tx: Tx, area: str) -> Outline | None:
    row = tx.row(select(outlines.c.polygons).where(outlines.c.area == area))
    return None if row is None else _outline(row["polygons"])


def _outline(polygons: Any) -> Outline:
    return Outline(tuple(tuple(tuple((x, y) for x, y in ring) for ring in polygon) for polygon in polygons))
