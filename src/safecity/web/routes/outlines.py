"""Borders of areas on the map: what lies in them is theirs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.places.api import Outline
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import Answer, Ask

routes = Routes("places")
Degrees = Annotated[float, Field(ge=-180, le=180)]
Position = Annotated[list[Degrees], Field(min_length=2, max_length=2)]
OutlineRing = list[Position]


class PolygonAsk(Ask):
    """A border as GeoJSON has it (RFC 7946, WGS-84): rings whose last position is their first, holes after the ring
    that they lie in."""

    type: Literal["Polygon"]
    coordinates: list[OutlineRing]


class MultiPolygonAsk(Ask):
    """A border of several parts."""

    type: Literal["MultiPolygon"]
    coordinates: list[list[OutlineRing]]


OutlineAsk = Annotated[PolygonAsk | MultiPolygonAsk, Field(discriminator="type")]


class OutlineOut(Answer):
    """The border of an area."""

    type: Literal["MultiPolygon"] = "MultiPolygon"
    coordinates: list[list[list[list[float]]]]


@routes.get("/areas/{area}/outline", Action.AREA_SEE)
async def see_outline(area: str, who: Who, here: Here) -> OutlineOut:
    """The border; 404 where none was drawn."""
    return _out(await here.drawing.see(who, area))


@routes.put("/areas/{area}/outline", Action.AREA_CHANGE)
async def draw_outline(area: str, ask: OutlineAsk, who: Who, here: Here) -> OutlineOut:
    """Draw it: whose right reaches the nearest area above that has a border, or else the whole platform. Incidents,
    jams, closures, signs and count places that name no area lie in the smallest area whose border holds them, in what
    is above both where two claim them."""
    polygons = [ask.coordinates] if isinstance(ask, PolygonAsk) else ask.coordinates
    outline = Outline(tuple(tuple(tuple((x, y) for x, y in ring) for ring in one) for one in polygons))
    await here.drawing.draw(who, area, outline)
    here.hub.changed([("area", area)])
    return _out(outline)


@routes.delete("/areas/{area}/outline", Action.AREA_CHANGE, status_code=204)
async def erase_outline(area: str, who: Who, here: Here) -> Response:
    """Take it away."""
    await here.drawing.draw(who, area, None)
    here.hub.changed([("area", area)])
    return Response(status_code=204)


def _out(outline: Outline) -> OutlineOut:
    return OutlineOut(coordinates=[[[[x, y] for x, y in ring] for ring in one] for one in outline.polygons])
