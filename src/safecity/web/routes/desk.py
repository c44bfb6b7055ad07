"""Saved walls and tours."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.desk.api import Saved
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import Answer, Ask, IfMatch, Page, Text, ThingId, read_revision, tag

routes = Routes("desk")


class Layout(Ask):
    """`size` tiles and what is in each."""

    size: Annotated[int, Field(ge=1, le=64)]
    tiles: Annotated[list[ThingId | None], Field(max_length=64)]


class ViewAsk(Ask):
    """A wall under a name."""

    name: Text
    layout: Layout
    shared: bool = False


class ViewOut(Answer):
    """`mine`: the reader may change it."""

    id: str
    name: str
    layout: Layout
    shared: bool
    mine: bool
    revision: int


class TourAsk(Ask):
    """Channels shown in turn, each for `seconds`, `size` at once."""

    name: Text
    seconds: Annotated[int, Field(ge=3, le=3600)] = 15
    channels: Annotated[list[ThingId], Field(max_length=1000)]
    size: Annotated[int, Field(ge=1, le=64)] = 1
    shared: bool = False


class TourOut(Answer):
    """`mine`: the reader may change it."""

    id: str
    name: str
    seconds: int
    channels: list[str]
    size: int
    shared: bool
    mine: bool
    revision: int


@routes.get("/views", Action.VIEW_SEE)
async def list_views(who: Who, here: Here) -> Page[ViewOut]:
    """Own ones and shared ones."""
    return Page(items=[_view(saved, who) for saved in await here.desk.page(who, "vw")])


@routes.post("/views", Action.VIEW_CHANGE, status_code=201)
async def add_view(ask: ViewAsk, who: Who, here: Here, response: Response) -> ViewOut:
    """Keep a wall."""
    body = {"layout": ask.layout.model_dump()}
    return tag(response, _view(await here.desk.add(who, "vw", ask.name, body, shared=ask.shared), who))


@routes.get("/views/{view}", Action.VIEW_SEE)
async def see_view(view: str, who: Who, here: Here, response: Response) -> ViewOut:
    """One of them."""
    return tag(response, _view(await here.desk.see(who, "vw", view), who))


@routes.put("/views/{view}", Action.VIEW_CHANGE)
async def change_view(
    view: str, ask: ViewAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> ViewOut:
    """Change it."""
    body = {"layout": ask.layout.model_dump()}
    revision = read_revision(if_match)
    changed = await here.desk.change(who, "vw", view, revision, ask.name, body, shared=ask.shared)
    return tag(response, _view(changed, who))


@routes.delete("/views/{view}", Action.VIEW_CHANGE, status_code=204)
async def delete_view(view: str, who: Who, here: Here) -> None:
    """Forget it."""
    await here.desk.remove(who, "vw", view)


@routes.get("/tours", Action.VIEW_SEE)
async def list_tours(who: Who, here: Here) -> Page[TourOut]:
    """Own ones and shared ones."""
    return Page(items=[_tour(saved, who) for saved in await here.desk.page(who, "tr")])


@routes.post("/tours", Action.VIEW_CHANGE, status_code=201)
async def add_tour(ask: TourAsk, who: Who, here: Here, response: Response) -> TourOut:
    """Keep a tour."""
    return tag(response, _tour(await here.desk.add(who, "tr", ask.name, _body(ask), shared=ask.shared), who))


@routes.get("/tours/{tour}", Action.VIEW_SEE)
async def see_tour(tour: str, who: Who, here: Here, response: Response) -> TourOut:
    """One of them."""
    return tag(response, _tour(await here.desk.see(who, "tr", tour), who))


@routes.put("/tours/{tour}", Action.VIEW_CHANGE)
async def change_tour(
    tour: str, ask: TourAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> TourOut:
    """Change it."""
    revision = read_revision(if_match)
    changed = await here.desk.change(who, "tr", tour, revision, ask.name, _body(ask), shared=ask.shared)
    return tag(response, _tour(changed, who))


@routes.delete("/tours/{tour}", Action.VIEW_CHANGE, status_code=204)
async def delete_tour(tour: str, who: Who, here: Here) -> None:
    """Forget it."""
    await here.desk.remove(who, "tr", tour)


def _body(ask: TourAsk) -> dict[str, Any]:
    return {"seconds": ask.seconds, "channels": ask.channels, "size": ask.size}


def _view(saved: Saved, who: Actor) -> ViewOut:
    return ViewOut(
        id=saved.id, name=saved.name, layout=Layout(**saved.body["layout"]), shared=bool(saved.area_path),
        mine=saved.owner == who.user, revision=saved.revision,
    )  # fmt: skip


def _tour(saved: Saved, who: Actor) -> TourOut:
    return TourOut(
        id=saved.id, name=saved.name, **saved.body, shared=bool(saved.area_path), mine=saved.owner == who.user,
        revision=saved.revision,
    )  # fmt: skip
