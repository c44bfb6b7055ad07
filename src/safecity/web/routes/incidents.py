"""Vehicles that stand where others drive, and what people say of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, allowed, authorize
from safecity.core.ground.audit.api import note
from safecity.kit.errors import NotFoundError
from safecity.model.facts.traffic_calls import AskIncidents, IncidentsFound, JudgeIncident, RoadIncident
from safecity.web.guard import Here, Routes, Who
from safecity.web.lying import Places, lying, told_to
from safecity.web.routes.traffic import LEAST_VEHICLES, asked
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, Moment, Words

routes = Routes("traffic")
Verdict = Literal["confirmed", "dismissed", "known_stop", "cleared"]


class RoadIncidentOut(Answer):
    """At least so many `vehicles` stand at a place where others drive. `kind`: `stopped`, or `accident`, a probable
    one: two or more, and traffic behind them much slower than usual. `state`: `open`, `confirmed`, `dismissed` or
    `ended`; `why` it ended: they drove on (`moved`), nobody says any more that they stand there (`silent`; `lost`:
    for a day, of one that was confirmed), or a person said so (`cleared`). `area`: the one whose border it lies in,
    null where none was drawn; `judgeable`: whether the reader may say what it is."""

    id: str
    kind: Literal["stopped", "accident"]
    state: Literal["open", "confirmed", "dismissed", "ended"]
    longitude: float
    latitude: float
    vehicles: int
    began_at: Moment
    changed_at: Moment
    decided_by: str
    why: str
    area: str | None
    area_name: str
    judgeable: bool


class RoadIncidentsOut(Answer):
    """Those that last, the newest first. Of fewer vehicles than `least` only those are told that a person confirmed,
    and those in areas whose vehicles the reader sees anyway."""

    items: list[RoadIncidentOut]
    least: int


class VerdictAsk(Ask):
    """`confirmed`; `dismissed`: it is none, until they drive on; `known_stop`: nor is it for 30 days when one stands
    there; `cleared`: it is over."""

    verdict: Verdict
    note: Words = ""


@routes.get("/traffic/incidents", Action.TRAFFIC_SEE, fails=(404, 503))
async def list_road_incidents(
    who: Who, here: Here, area: Annotated[str, Query(max_length=40)] = ""
) -> RoadIncidentsOut:
    """Stopped vehicles and probable accidents of now: in areas of the reader, and where no border was drawn."""
    inside = (await here.places.area(who, area)).path if area else ROOT
    found, places = await _known(here, who, dismissed=False)
    items = [_incident(who, one, places) for one in found if places.path(one.place).startswith(inside)]
    everything = allowed(who, Action.DEVICE_SEE, Thing("road_incident"))
    return RoadIncidentsOut(items=items, least=1 if everything else LEAST_VEHICLES)


@routes.post("/traffic/incidents/{road_incident}/verdict", Action.TRAFFIC_CHANGE, fails=(404, 409, 503))
async def judge_road_incident(road_incident: str, ask: VerdictAsk, who: Who, here: Here) -> RoadIncidentOut:
    """What a person says of it; written down. For those who may change traffic in the area that it lies in, or
    everywhere where no border was drawn."""
    # Nobody decides about what they may not know of, and nothing is decided that is written down nowhere.
    found, places = await _known(here, who, dismissed=True)
    one = next((one for one in found if one.id == road_incident), None)
    if one is None:
        raise NotFoundError("no such incident", code="not_found", params={"kind": "incident"})
    thing = _thing(one, places)
    authorize(who, Action.TRAFFIC_CHANGE, thing)
    await here.database.write(
        lambda tx: note(tx, who, Action.TRAFFIC_CHANGE, thing, road_incident, verdict=ask.verdict, note=ask.note)
    )
    answer = await asked(here, JudgeIncident(road_incident, ask.verdict, who.name), IncidentsFound)
    return _incident(who, answer.incidents[0], places)


async def _known(here: Services, who: Actor, *, dismissed: bool) -> tuple[list[RoadIncident], Places]:
    """As `who` may know them, and where they lie."""
    found = (await asked(here, AskIncidents(1, dismissed=dismissed), IncidentsFound)).incidents
    places = await lying(here, [one.place for one in found])
    return [one for one in found if _may_know(who, one, _thing(one, places))], places


def _may_know(who: Actor, one: RoadIncident, thing: Thing) -> bool:
    many = one.vehicles >= LEAST_VEHICLES or one.state == "confirmed"
    return told_to(who, thing) and (many or allowed(who, Action.DEVICE_SEE, thing))


def _thing(one: RoadIncident, places: Places) -> Thing:
    return Thing("road_incident", places.path(one.place), id=one.id)


def _incident(who: Actor, one: RoadIncident, places: Places) -> RoadIncidentOut:
    names = ("id", "kind", "state", "vehicles", "began_at", "changed_at", "decided_by", "why")
    area = places.area(one.place)
    more = {
        "longitude": one.place[0], "latitude": one.place[1], "area": area.id if area else None,
        "area_name": area.name if area else "",
        "judgeable": allowed(who, Action.TRAFFIC_CHANGE, _thing(one, places)),
    }  # fmt: skip
    return RoadIncidentOut.model_validate({name: getattr(one, name) for name in names} | more)
