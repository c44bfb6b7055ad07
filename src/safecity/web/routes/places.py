"""Areas and organisations."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.places.api import Area, Level
from safecity.web.guard import Here, Routes, Who
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, IfMatch, Page, Text, ThingId, read_revision, tag

routes = Routes("places")
Parent = Annotated[str, Query(max_length=40)]


class AreaOut(Answer):
    """A node of the government tree. `outlined`: its border is drawn."""

    id: str
    code: str
    name: str
    level: Level
    parent: str | None
    path: str
    zone: str
    revision: int
    has_children: bool = False
    outlined: bool = False


class AreaAsk(Ask):
    """`code` as GB/T 2260 (2, 4 or 6 digits, filling zeros allowed), 9 or 12 digits below; empty for a site."""

    name: Text
    code: Annotated[str, Field(max_length=12)] = ""
    parent: ThingId | None = None
    zone: Text = ""


class AreaPatch(Ask):
    """What is to change."""

    name: Text | None = None
    zone: Text | None = None


class OrganisationOut(Answer):
    """A node of the line of command."""

    id: str
    code: str
    name: str
    kind: str
    parent: str | None
    path: str
    revision: int
    has_children: bool = False


class OrganisationAsk(Ask):
    """`kind` is free: bureau, branch, station, department."""

    name: Text
    code: Text = ""
    kind: Text = ""
    parent: ThingId | None = None


class OrganisationPatch(Ask):
    """What is to change."""

    name: Text | None = None
    kind: Text | None = None


@routes.get("/areas", Action.AREA_SEE)
async def list_areas(who: Who, here: Here, parent: Parent = "", every: bool = False) -> Page[AreaOut]:
    """Children of `parent`, the top ones without it, all with `every`."""
    found, drawn = await here.places.areas(who, parent or None, everything=every), await _drawn(here)
    return Page(items=[_area(area, drawn) for area in found])


@routes.post("/areas", Action.AREA_CHANGE, status_code=201)
async def add_area(ask: AreaAsk, who: Who, here: Here, response: Response) -> AreaOut:
    """A new area."""
    area = await here.places.add_area(who, name=ask.name, code=ask.code, parent=ask.parent, zone=ask.zone)
    here.hub.changed([("area", area.id)])
    return tag(response, _area(area))


@routes.get("/areas/{area}", Action.AREA_SEE)
async def see_area(area: str, who: Who, here: Here, response: Response) -> AreaOut:
    """One area."""
    return tag(response, _area(await here.places.area(who, area), await _drawn(here)))


@routes.patch("/areas/{area}", Action.AREA_CHANGE)
async def change_area(
    area: str, ask: AreaPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> AreaOut:
    """Rename an area, or set its zone."""
    changed = await here.places.change_area(who, area, read_revision(if_match), **ask.given())
    here.hub.changed([("area", area)])
    return tag(response, _area(changed, await _drawn(here)))


@routes.delete("/areas/{area}", Action.AREA_CHANGE, status_code=204)
async def delete_area(area: str, who: Who, here: Here) -> None:
    """Remove an empty area."""
    await here.places.delete_area(who, area)
    here.hub.changed([("area", area)])


@routes.get("/organisations", Action.ORGANISATION_SEE)
async def list_organisations(who: Who, here: Here, parent: Parent = "", every: bool = False) -> Page[OrganisationOut]:
    """Children of `parent`, the top ones without it, all with `every`."""
    found = await here.places.organisations(who, parent or None, everything=every)
    return Page(items=[OrganisationOut.model_validate(one) for one in found])


@routes.post("/organisations", Action.ORGANISATION_CHANGE, status_code=201)
async def add_organisation(ask: OrganisationAsk, who: Who, here: Here, response: Response) -> OrganisationOut:
    """A new organisation."""
    made = await here.places.add_organisation(who, name=ask.name, code=ask.code, kind=ask.kind, parent=ask.parent)
    return tag(response, OrganisationOut.model_validate(made))


@routes.get("/organisations/{organisation}", Action.ORGANISATION_SEE)
async def see_organisation(organisation: str, who: Who, here: Here, response: Response) -> OrganisationOut:
    """One organisation."""
    return tag(response, OrganisationOut.model_validate(await here.places.organisation(who, organisation)))


@routes.patch("/organisations/{organisation}", Action.ORGANISATION_CHANGE)
async def change_organisation(
    organisation: str, ask: OrganisationPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> OrganisationOut:
    """Rename an organisation."""
    changed = await here.places.change_organisation(who, organisation, read_revision(if_match), **ask.given())
    return tag(response, OrganisationOut.model_validate(changed))


@routes.delete("/organisations/{organisation}", Action.ORGANISATION_CHANGE, status_code=204)
async def delete_organisation(organisation: str, who: Who, here: Here) -> None:
    """Remove an organisation without children."""
    await here.places.delete_organisation(who, organisation)


async def _drawn(here: Services) -> set[str]:
    """Paths of areas that have a border."""
    return {path for path, _ in (await here.drawing.borders()).drawn}


def _area(area: Area, drawn: Set[str] = frozenset()) -> AreaOut:
    return AreaOut(
        id=area.id, code=area.code, name=area.name, level=area.level, parent=area.parent, path=area.path,
        zone=area.zone, revision=area.revision, outlined=area.path in drawn,
    )  # fmt: skip
