"""More searches that are put into a case: the way of a vehicle, its companions, plates on two vehicles, alarms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.alarms.api import AlarmState
from safecity.core.ground.vehicles.api import FASTEST_KMH, Wish
from safecity.core.upper.cases.api import AlarmsAsked, Company
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.case_entries import CaseEntryOut, Chosen, added
from safecity.web.shapes import Ask, OptionalMoment, ThingId, Words

routes = Routes("cases")
Plate = Annotated[str, Field(min_length=2, max_length=20)]
AreaAsked = Annotated[str, Field(max_length=40)]


class VehicleAsked(Ask):
    """A whole plate, and the time and area that were asked for; `near`: also what readers take for this plate."""

    plate: Plate
    near: bool = False
    area: AreaAsked = ""
    start: OptionalMoment = None
    end: OptionalMoment = None
    words: Words = ""

    def wish(self) -> Wish:
        """What for is the case's own."""
        return Wish(
            purpose="", reason=self.words, plate=self.plate, near=self.near, area=self.area, since=self.start,
            until=self.end,
        )  # fmt: skip


class CaseRouteAsk(VehicleAsked):
    """The way of a vehicle, with the passages chosen of it."""

    stay_minutes: Annotated[int, Field(ge=1, le=100_000)] = 60
    chosen: Chosen = Field(default_factory=list[str])


class CaseCompanionsAsk(VehicleAsked):
    """Who was there with a vehicle, with the plates chosen of them."""

    seconds: Annotated[int, Field(ge=1, le=600)] = 30
    times: Annotated[int, Field(ge=2, le=100)] = 3
    places: Annotated[int, Field(ge=1, le=100)] = 2
    chosen: Annotated[list[Plate], Field(max_length=20)] = Field(default_factory=list[str])


class PairAsk(Ask):
    """The two passages of a plate on two vehicles."""

    start: ThingId
    end: ThingId


class CaseClonesAsk(Ask):
    """Plates that two vehicles carry, with the pairs chosen of them."""

    area: AreaAsked = ""
    start: OptionalMoment = None
    end: OptionalMoment = None
    kmh: Annotated[int, Field(ge=60, le=1000)] = round(FASTEST_KMH)
    chosen: Annotated[list[PairAsk], Field(max_length=50)] = Field(default_factory=list[PairAsk])
    words: Words = ""


class CaseAlarmListAsk(Ask):
    """A list of alarms as it was asked for, with those chosen of it."""

    state: AlarmState | Literal[""] = ""
    channel: Annotated[str, Field(max_length=40)] = ""
    area: AreaAsked = ""
    priority: Annotated[int, Field(ge=0, le=4)] = 0
    chosen: Annotated[list[ThingId], Field(max_length=50)] = Field(default_factory=list[str])
    words: Words = ""


@routes.post("/cases/{case}/routes", Action.CASE_WRITE, status_code=201)
async def add_route_to_case(case: str, ask: CaseRouteAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put the way of a vehicle into it: when it was seen first, where it stayed, and the chosen passages with their
    pictures. It is asked again, with your rights and for the purpose of the case."""
    done = await here.case_findings.route(who, case, ask.wish(), ask.stay_minutes, ask.chosen, ask.words)
    return await added(here, who, done)


@routes.post("/cases/{case}/companions", Action.CASE_WRITE, status_code=201)
async def add_companions_to_case(case: str, ask: CaseCompanionsAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put who was there with a vehicle into it: of each chosen plate the newest meetings, both passages of each, as
    many as an entry holds (100 passages). Asked again, as its way is."""
    bounds = Company(seconds=ask.seconds, times=ask.times, places=ask.places)
    return await added(
        here, who, await here.case_findings.companions(who, case, ask.wish(), bounds, ask.chosen, ask.words)
    )


@routes.post("/cases/{case}/clones", Action.CASE_WRITE, status_code=201)
async def add_clones_to_case(case: str, ask: CaseClonesAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put plates that two vehicles carry into it: the chosen pairs of passages. Asked again, as the way of a vehicle
    is."""
    wish = Wish(purpose="", reason=ask.words, area=ask.area, since=ask.start, until=ask.end)
    pairs = [(one.start, one.end) for one in ask.chosen]
    return await added(here, who, await here.case_findings.clones(who, case, wish, ask.kmh, pairs, ask.words))


@routes.post("/cases/{case}/alarm-lists", Action.CASE_WRITE, status_code=201)
async def add_alarm_list_to_case(case: str, ask: CaseAlarmListAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put a list of alarms into it. It is asked again; each chosen one goes in as it stands now, and the footage around
    it is held where there is any."""
    asked = AlarmsAsked(state=str(ask.state), channel=ask.channel, area=ask.area, priority=ask.priority)
    return await added(here, who, await here.case_lists.alarms(who, case, asked, ask.chosen, ask.words))
