"""What searches of vehicles found, as tables for a spreadsheet. Each asks anew, and is written down like the search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Response

from safecity.core.ground.access.api import Action
from safecity.kit.csvtext import BOM, line
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import CSV_TABLE
from safecity.web.routes.vehicles import (
    ClonesWish,
    CompanionsWish,
    RouteOut,
    RouteWish,
    accompanied,
    doubled,
    routed,
)

routes = Routes("vehicles")
ROUTE = (
    "at", "plate", "near_miss", "tollgate_name", "longitude", "latitude", "lane", "direction", "speed_kmh",
    "clock_doubtful", "seconds_since", "km_since", "kmh_since", "stay", "impossible", "id",
)  # fmt: skip
COMPANIONS = ("plate", "times", "places", "at", "tollgate_name", "seconds", "passage", "other")
CLONES = (
    "plate", "start_at", "start_tollgate_name", "end_at", "end_tollgate_name", "km", "seconds", "kmh", "start", "end",
)  # fmt: skip


@routes.get("/vehicles/route.csv", Action.PASSAGE_SEE, response_class=Response, responses=CSV_TABLE)
async def save_route(who: Who, here: Here, asked: RouteWish) -> Response:
    """A row for each passage, oldest first, with the leg that led to it (`seconds_since` the one before, ...)."""
    return _table("route", ROUTE, _stops(await routed(who, here, asked, "route_csv")))


@routes.get("/vehicles/companions.csv", Action.PASSAGE_SEE, response_class=Response, responses=CSV_TABLE)
async def save_companions(who: Who, here: Here, asked: CompanionsWish) -> Response:
    """A row for each meeting; `seconds` above 0: the other one came later."""
    found = await accompanied(who, here, asked, "companions_csv")
    rows = (
        {"plate": one.plate, "times": len(one.meetings), "places": one.places, **each.model_dump(mode="json")}
        for one in found.items
        for each in one.meetings
    )
    return _table("companions", COMPANIONS, rows)


@routes.get("/vehicles/clones.csv", Action.PASSAGE_SEE, response_class=Response, responses=CSV_TABLE)
async def save_clones(who: Who, here: Here, asked: ClonesWish) -> Response:
    """A row for each pair of passages that no one vehicle can have made."""
    found = await doubled(who, here, asked, "cloned_plates_csv")
    rows = (
        {
            **(said := one.model_dump(mode="json")),
            "start_at": said["start"]["at"], "start_tollgate_name": said["start"]["tollgate_name"],
            "end_at": said["end"]["at"], "end_tollgate_name": said["end"]["tollgate_name"],
            "start": said["start"]["id"], "end": said["end"]["id"],
        }
        for one in found.items
    )  # fmt: skip
    return _table("clones", CLONES, rows)


def _stops(route: RouteOut) -> Iterable[dict[str, Any]]:
    to = {leg.end: leg for leg in route.legs}
    for number, one in enumerate(route.passages):
        said, leg = one.model_dump(mode="json"), to.get(number)
        if leg is not None:
            said |= {
                "seconds_since": leg.seconds, "km_since": leg.km, "kmh_since": leg.kmh, "stay": leg.stay,
                "impossible": leg.impossible,
            }  # fmt: skip
        yield said


def _table(name: str, columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> Response:
    text = BOM + line(columns) + "".join(line(row.get(column) for column in columns) for row in rows)
    heads = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv", headers=heads)
