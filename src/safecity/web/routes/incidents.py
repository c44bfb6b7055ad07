"""Vehicles that stand where others drive, and what people say of it."""

from __future__ import annotations

from typing import Literal

from safecity.core.ground.access.api import Action, Actor, Thing, authorize
from safecity.core.ground.audit.api import note
from safecity.kit.errors import NotFoundError
from safecity.model.facts.traffic_calls import AskIncidents, IncidentsFound, JudgeIncident, RoadIncident
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.traffic import asked, least_vehicles
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, Moment, Words

routes = Routes("traffic")
Verdict = Literal["confirmed", "dismissed", "known_stop", "cleared"]


class RoadIncidentOut(Answer):
    """At least so many `vehicles` stand at a place where others drive. `kind`: `stopped`, or `accident`, a probable
    one: two or more, and traffic behind them much slower than usual. `state`: `open`, `confirmed`, `dismissed` or
    `ended`; `why` it ended: they drove on (`moved`), nobody says any more that they stand there (`silent`; `lost`:
    for a day, of one that was confirmed), or a person said so (`cleared`)."""

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


class RoadIncidentsOut(Answer):
    """Those that last, the newest first. Of fewer vehicles than `least` only those are told that a person confirmed."""

    items: list[RoadIncidentOut]
    least: int


class VerdictAsk(Ask):
    """`confirmed`; `dismissed`: it is none, until they drive on; `known_stop`: nor is it for 30 days when one stands
    there; `cleared`: it is over."""

    verdict: Verdict
    note: Words = ""


@routes.get("/traffic/incidents", Action.TRAFFIC_SEE, fails=(503,))
async def list_road_incidents(who: Who, here: Here) -> RoadIncidentsOut:
    """Stopped vehicles and probable accidents of now."""
    least = least_vehicles(who)
    found = await asked(here, AskIncidents(least), IncidentsFound)
    return RoadIncidentsOut(items=[_incident(one) for one in found.incidents], least=least)


@routes.post("/traffic/incidents/{road_incident}/verdict", Action.TRAFFIC_CHANGE, fails=(404, 409, 503))
async def judge_road_incident(road_incident: str, ask: VerdictAsk, who: Who, here: Here) -> RoadIncidentOut:
    """What a person says of it; written down. Roads lie in no area: for those who may change traffic everywhere."""
    authorize(who, Action.TRAFFIC_CHANGE, Thing("road_incident", id=road_incident))
    found = await asked(here, AskIncidents(least_vehicles(who), dismissed=True), IncidentsFound)
    if all(one.id != road_incident for one in found.incidents):
        # Nobody decides about what they may not know of, and nothing is decided that is written down nowhere.
        raise NotFoundError("no such incident", code="not_found", params={"kind": "incident"})
    await _write_down(here, who, road_incident, ask)
    answer = await asked(here, JudgeIncident(road_incident, ask.verdict, who.name), IncidentsFound)
    return _incident(answer.incidents[0])


async def _write_down(here: Services, who: Actor, incident: str, ask: VerdictAsk) -> None:
    """Before it is said to the duty."""
    thing = Thing("road_incident", id=incident)
    await here.database.write(
        lambda tx: note(tx, who, Action.TRAFFIC_CHANGE, thing, incident, verdict=ask.verdict, note=ask.note)
    )


def _incident(one: RoadIncident) -> RoadIncidentOut:
    names = ("id", "kind", "state", "vehicles", "began_at", "changed_at", "decided_by", "why")
    return RoadIncidentOut.model_validate(
        {name: getattr(one, name) for name in names} | {"longitude": one.place[0], "latitude": one.place[1]}
    )
