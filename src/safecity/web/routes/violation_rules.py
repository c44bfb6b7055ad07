"""What violations are judged by: sections that speeds are measured over, and exempt vehicles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.upper.violations.api import Exemption, Section
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("violations")
Duty = Literal["police", "fire", "ambulance", "rescue", "maintenance", "other"]
Metres = Annotated[float, Field(ge=100, le=200_000)]
MetresOff = Annotated[float, Field(ge=0, le=100_000)]
Limit = Annotated[float, Field(ge=5, le=200)]
Tolerance = Annotated[float, Field(ge=0, le=100)]
ClockError = Annotated[int, Field(ge=0, le=60_000)]
Certificate = Annotated[str, Field(max_length=100)]


class SectionOut(Answer):
    """From one checkpoint to another, in the direction of travel.

    Proposed is whose speed is above `limit_kmh` and `tolerance_kmh` even where both clocks (`entry_clock_error_ms`,
    `exit_clock_error_ms`) and the length (`length_error_m`) err in the driver's favour.
    """

    id: str
    name: str
    entry: str
    exit: str
    length_m: float
    length_error_m: float
    limit_kmh: float
    tolerance_kmh: float
    entry_clock_error_ms: int
    exit_clock_error_ms: int
    certificate: str
    enabled: bool
    revision: int


class SectionAsk(Ask):
    """A new section. The shortest way counts: who takes a longer one was faster than is said."""

    name: Text
    entry: ThingId
    exit: ThingId
    length_m: Metres
    length_error_m: MetresOff = 0
    limit_kmh: Limit
    tolerance_kmh: Tolerance = 0
    entry_clock_error_ms: ClockError
    exit_clock_error_ms: ClockError
    certificate: Certificate = ""
    enabled: bool = True


class SectionPatch(Ask):
    """What is to change."""

    name: Text | None = None
    entry: ThingId | None = None
    exit: ThingId | None = None
    length_m: Metres | None = None
    length_error_m: MetresOff | None = None
    limit_kmh: Limit | None = None
    tolerance_kmh: Tolerance | None = None
    entry_clock_error_ms: ClockError | None = None
    exit_clock_error_ms: ClockError | None = None
    certificate: Certificate | None = None
    enabled: bool | None = None


class ExemptionOut(Answer):
    """A vehicle on duty: what it does within the time and the area counts for no violation. `over`: it has ended."""

    id: str
    plate: str
    duty: Duty
    reason: str
    since: Moment
    until: OptionalMoment
    area: str | None
    added_by: str
    added_at: Moment
    over: bool


class ExemptionAsk(Ask):
    """In force at once. `since` empty: from now on; `until` empty: until somebody ends it."""

    plate: Annotated[str, Field(min_length=1, max_length=40)]
    duty: Duty
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    since: OptionalMoment = None
    until: OptionalMoment = None
    area: ThingId | None = None


@routes.get("/sections", Action.VIOLATION_SEE)
async def list_sections(
    who: Who,
    here: Here,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[SectionOut]:
    """Newest first."""
    place = read_cursor(cursor, str)
    found = await here.rules.sections(who, before=place[0] if place else "", limit=limit + 1)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_section(one) for one in found[:limit]], next=more)


@routes.post("/sections", Action.VIOLATION_CHANGE, status_code=201)
async def add_section(ask: SectionAsk, who: Who, here: Here, response: Response) -> SectionOut:
    """A new section; passages that come from now on are judged by it."""
    one = await here.rules.add_section(who, ask.model_dump())
    here.hub.changed([("violation", "")])
    return tag(response, _section(one))


@routes.get("/sections/{section}", Action.VIOLATION_SEE)
async def see_section(section: str, who: Who, here: Here, response: Response) -> SectionOut:
    """One section."""
    return tag(response, _section(await here.rules.section(who, section)))


@routes.patch("/sections/{section}", Action.VIOLATION_CHANGE)
async def change_section(
    section: str, ask: SectionPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> SectionOut:
    """What was proposed before stays as it was measured."""
    given = {name: value for name, value in ask.given().items() if value is not None}
    one = await here.rules.change_section(who, section, given, read_revision(if_match))
    here.hub.changed([("violation", "")])
    return tag(response, _section(one))


@routes.delete("/sections/{section}", Action.VIOLATION_CHANGE, status_code=204)
async def delete_section(section: str, who: Who, here: Here) -> None:
    """Nobody is measured over it any more; what was proposed stays."""
    await here.rules.remove_section(who, section)
    here.hub.changed([("violation", "")])


@routes.get("/exemptions", Action.VIOLATION_CHANGE)
async def list_exemptions(
    who: Who,
    here: Here,
    plate: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ExemptionOut]:
    """Newest first, with those that have ended. The look is written down."""
    place = read_cursor(cursor, str)
    found = await here.rules.exemptions(who, before=place[0] if place else "", limit=limit + 1, plate=plate)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_exemption(one, who.at) for one in found[:limit]], next=more)


@routes.post("/exemptions", Action.VIOLATION_CHANGE, status_code=201)
async def add_exemption(ask: ExemptionAsk, who: Who, here: Here) -> ExemptionOut:
    """Put a vehicle on the list; in force at once, also for what waits for a review."""
    values: dict[str, Any] = {name: getattr(ask, name) for name in ExemptionAsk.model_fields}
    one: Exemption = await here.rules.add_exemption(
        who, {**values, "since": who.at if ask.since is None else ask.since}
    )
    here.hub.changed([("violation", "")])
    return _exemption(one, who.at)


@routes.delete("/exemptions/{exemption}", Action.VIOLATION_CHANGE, status_code=204)
async def end_exemption(exemption: str, who: Who, here: Here) -> None:
    """From now on it is exempt no more; what was covered stays covered."""
    await here.rules.end_exemption(who, exemption)
    here.hub.changed([("violation", "")])


def _section(one: Section) -> SectionOut:
    return SectionOut.model_validate(one)


def _exemption(one: Exemption, now: int) -> ExemptionOut:
    values = {name: getattr(one, name) for name in ExemptionOut.model_fields if name != "over"}
    return ExemptionOut.model_validate({**values, "over": one.until is not None and one.until <= now})
