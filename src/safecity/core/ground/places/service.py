"""Commands and queries of the two trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from safecity.core.ground.access.api import PLATFORM, ROOT, Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places import store
from safecity.core.ground.places.borders import forget_outline
from safecity.core.ground.places.decide import (
    Area,
    Organisation,
    check_name,
    check_zone,
    fits_below,
    level_of,
    path_below,
    significant,
)
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx


class Places:
    """Rights are given in parts of either tree, or where both meet."""

    def __init__(
        self, database: Database, in_use: Callable[[Tx, str], bool], belongs: Callable[[Tx, str], bool]
    ) -> None:
        """`in_use` tells whether anything lies in the area of that path, or anybody has rights there; `belongs` whether
        anything or anybody belongs to the organisation of that path."""
        self._database = database
        self._in_use = in_use
        self._belongs = belongs

    async def areas(self, who: Actor, parent: str | None = None, *, everything: bool = False) -> list[Area]:
        """Children of an area (None: the top ones that `who` may see), or all."""
        allowed = scope(who, Action.AREA_SEE)

        def work(tx: Tx) -> list[Area]:
            if everything:
                return store.list_areas(tx, allowed, None, everything=True, limit=20_000)
            return store.tops_of(tx, allowed) if parent is None else store.children_of(tx, allowed, parent)

        return await self._database.read(work)

    async def area(self, who: Actor, area: str) -> Area:
        """One; what `who` may not see looks like what is not there."""

        def work(tx: Tx) -> Area:
            found = find_area(tx, area)
            if not scope(who, Action.AREA_SEE).allows(Thing("area", found.path, id=area)):
                raise NotFoundError("no such area", code="not_found", params={"kind": "area"})
            return found

        return await self._database.read(work)

    async def add_area(
        self, who: Actor, *, name: str, code: str = "", parent: str | None = None, zone: str = ""
    ) -> Area:
        """A new area below `parent`."""
        name, code = check_name(name), significant(code) if code else ""
        check_zone(zone)

        def work(tx: Tx) -> Area:
            above = None if parent is None else find_area(tx, parent)
            authorize(who, Action.AREA_CHANGE, Thing("area", above.path if above else ROOT))
            return create_area(tx, who, name=name, code=code, above=above, zone=zone)

        return await self._database.write(work)

    async def change_area(
        self, who: Actor, area: str, revision: int | None, *, name: str | None = None, zone: str | None = None
    ) -> Area:
        """Rename, or set the zone."""
        if zone is not None:
            check_zone(zone)

        def work(tx: Tx) -> Area:
            old = find_area(tx, area)
            authorize(who, Action.AREA_CHANGE, Thing("area", old.path, id=area))
            _same_revision(revision, old.revision)
            new = replace(
                old,
                name=old.name if name is None else check_name(name),
                zone=old.zone if zone is None else zone,
                revision=old.revision + 1,
            )
            store.save_area(tx, new)
            note(tx, who, Action.AREA_CHANGE, Thing("area", old.path, id=area), new.name, before=old.name)
            return new

        return await self._database.write(work)

    async def delete_area(self, who: Actor, area: str) -> None:
        """Remove an empty area; ConflictError `area_in_use`."""

        def work(tx: Tx) -> None:
            old = find_area(tx, area)
            thing = Thing("area", old.path, id=area)
            authorize(who, Action.AREA_CHANGE, thing)
            if store.has_children(tx, area) or self._in_use(tx, old.path):
                raise ConflictError("not empty", code="area_in_use", params={"name": old.name})
            store.delete_area(tx, area)
            forget_outline(tx, area)
            note(tx, who, "area.delete", thing, old.name)

        await self._database.write(work)

    async def organisations(
        self, who: Actor, parent: str | None = None, *, everything: bool = False
    ) -> list[Organisation]:
        """Children of an organisation (None: the top ones that `who` may see), or all."""
        allowed = scope(who, Action.ORGANISATION_SEE)

        def work(tx: Tx) -> list[Organisation]:
            if parent is None and not everything:
                return store.organisation_tops(tx, allowed)
            return store.list_organisations(tx, allowed, parent, everything=everything, limit=20_000)

        return await self._database.read(work)

    async def organisation(self, who: Actor, organisation: str) -> Organisation:
        """One."""
        allowed = scope(who, Action.ORGANISATION_SEE)

        def work(tx: Tx) -> Organisation:
            found = find_organisation(tx, organisation)
            if not allowed.allows(_thing(found)):
                raise NotFoundError("no such organisation", code="not_found", params={"kind": "organisation"})
            return found

        return await self._database.read(work)

    async def add_organisation(
        self, who: Actor, *, name: str, code: str = "", kind: str = "", parent: str | None = None
    ) -> Organisation:
        """A new organisation below `parent`."""
        name = check_name(name)

        def work(tx: Tx) -> Organisation:
            above = None if parent is None else find_organisation(tx, parent)
            authorize(who, Action.ORGANISATION_CHANGE, PLATFORM if above is None else _thing(above))
            new = fresh("og")
            path = path_below(above.path if above else ROOT, new.partition("_")[2])
            made = Organisation(id=new, code=code, name=name, kind=kind, parent=parent, path=path)
            store.add_organisation(tx, made)
            note(tx, who, Action.ORGANISATION_CHANGE, _thing(made), name)
            return made

        return await self._database.write(work)

    async def change_organisation(
        self, who: Actor, organisation: str, revision: int | None, *, name: str | None = None, kind: str | None = None
    ) -> Organisation:
        """Rename."""

        def work(tx: Tx) -> Organisation:
            old = find_organisation(tx, organisation)
            authorize(who, Action.ORGANISATION_CHANGE, _thing(old))
            _same_revision(revision, old.revision)
            new = replace(
                old,
                name=old.name if name is None else check_name(name),
                kind=old.kind if kind is None else kind,
                revision=old.revision + 1,
            )
            store.save_organisation(tx, new)
            note(tx, who, Action.ORGANISATION_CHANGE, _thing(new), new.name)
            return new

        return await self._database.write(work)

    async def delete_organisation(self, who: Actor, organisation: str) -> None:
        """Remove an organisation to which nothing belongs; ConflictError `organisation_in_use`."""

        def work(tx: Tx) -> None:
            old = find_organisation(tx, organisation)
            authorize(who, Action.ORGANISATION_CHANGE, _thing(old))
            if store.organisation_has_children(tx, organisation) or self._belongs(tx, old.path):
                raise ConflictError("not empty", code="organisation_in_use", params={"name": old.name})
            store.delete_organisation(tx, organisation)
            note(tx, who, "organisation.delete", _thing(old), old.name)

        await self._database.write(work)


def create_area(tx: Tx, who: Actor, *, name: str, code: str, above: Area | None, zone: str) -> Area:
    """Make an area inside a transaction of somebody who may."""
    if not fits_below(code, above.code if above else ""):
        raise InvalidError(
            "code does not belong below the parent", code="area_code_outside",
            params={"code": code, "parent": above.code if above else ""},
        )  # fmt: skip
    if store.area_by_code(tx, code):
        raise ConflictError("code taken", code="area_code_taken", params={"code": code})
    new = fresh("ar")
    path = path_below(above.path if above else ROOT, code or new.partition("_")[2])
    parent = above.id if above else None
    area = Area(id=new, code=code, name=name, level=level_of(code), parent=parent, path=path, zone=zone)
    store.add_area(tx, area)
    note(tx, who, Action.AREA_CHANGE, Thing("area", path, id=new), name, code=code)
    return area


def find_area(tx: Tx, area: str) -> Area:
    """NotFoundError when there is none."""
    found = store.find_area(tx, area)
    if found is None:
        raise NotFoundError("no such area", code="not_found", params={"kind": "area"})
    return found


def find_organisation(tx: Tx, organisation: str) -> Organisation:
    found = store.find_organisation(tx, organisation)
    if found is None:
        raise NotFoundError("no such organisation", code="not_found", params={"kind": "organisation"})
    return found


def _thing(organisation: Organisation) -> Thing:
    return Thing("organisation", id=organisation.id, organisation=organisation.path)


def _same_revision(given: int | None, current: int) -> None:
    if given is not None and given != current:
        raise ConflictError("changed meanwhile", code="changed_meanwhile")
