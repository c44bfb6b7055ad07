"""What lies in a case, and how it gets there: notes, footage, alarms, and searches with chosen results."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.vehicles.api import Wish
from safecity.core.upper.cases.api import Entry, EntryKind, EntrySeen, Looked, Result, ResultKind
from safecity.core.upper.violations.api import Kind, State, Wanted
from safecity.protocols.gat1400.vehicles import clean_plate
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.cases import LossOut, loss_out
from safecity.web.routes.movement import RegionShape
from safecity.web.routes.passages import PASSAGE_PICTURE, Colour
from safecity.web.routes.tollgates import Direction
from safecity.web.shapes import (
    Answer,
    Ask,
    Moment,
    OptionalMoment,
    Page,
    Params,
    ThingId,
    Words,
    read_cursor,
    write_cursor,
)

routes = Routes("cases")
Stock = Literal["", "passages", "violations", "recordings", "alarms"]
Chosen = Annotated[list[ThingId], Field(max_length=100)]


class CasePictureOut(Answer):
    """A picture by its number, copied when it was put in; `kind` as GA/T 1400 numbers pictures."""

    number: int
    kind: str
    width: int
    height: int
    sha256: str


class CaseResultOut(Answer):
    """One thing that an entry refers to, as it was then. `source`: the original, which may be forgotten meanwhile.
    `held`: of a stretch of footage, whether the case keeps it from deletion. `details` of a passage say what it was
    found for (`finding`): `stay`, `impossible` or `leg` of a way, `met` of companions (`with`), `clone`; with the
    `seconds`, and the least `km` and `kmh`, from the other passage."""

    id: str
    kind: ResultKind
    source: str
    at: Moment
    until: OptionalMoment
    plate: str
    place_name: str
    tollgate: str | None
    channel: str | None
    longitude: float | None
    latitude: float | None
    held: bool
    details: Params
    pictures: list[CasePictureOut]


class CaseLookedAt(Answer):
    """What a search looked at: of `since` to `until`; `oldest`: the oldest there was of it. `stock`: how many there
    were in that time and place whatever their plate (`stock_more`: or more); `places`: checkpoints or cameras, the
    first of them by `names`; `plates` and `rows`: what a pattern was held against; `found`: rows of the answer (`more`:
    or more), back to `back_to` where it did not come to the end. Of movement: `frames` looked at, `unreadable` ones,
    `step_us` between two, `missing_us` without footage, `dismissed` finds that were none; `reported`: as the search's
    answer said, not asked again. Of the way of a vehicle: when it was `first_seen`, how often it was not seen for long
    (`stays`), legs that no vehicle drives (`impossible`)."""

    since: OptionalMoment = None
    until: OptionalMoment = None
    oldest: OptionalMoment = None
    stock: int = 0
    stock_more: bool = False
    places: int = 0
    names: list[str] = Field(default_factory=list[str])
    plates: int = 0
    rows: int = 0
    found: int = 0
    more: bool = False
    back_to: OptionalMoment = None
    frames: int = 0
    unreadable: int = 0
    step_us: int = 0
    missing_us: int = 0
    reported: bool = False
    first_seen: OptionalMoment = None
    stays: int = 0
    impossible: int = 0
    dismissed: int = 0


class CaseEntryOut(Answer):
    """What somebody put in. `question`: what a search asked for; `looked`: what it looked at, null for what is no
    search. `withheld`: results that you have no right to."""

    id: str
    kind: EntryKind
    stock: Stock
    question: Params
    looked: CaseLookedAt | None
    words: str
    by_name: str
    at: Moment
    results: list[CaseResultOut]
    withheld: int


class NoteAsk(Ask):
    """In words."""

    words: Annotated[str, Field(min_length=1, max_length=4000)]


class CaseFootageAsk(Ask):
    """A stretch of what a channel recorded, a day at most."""

    channel: ThingId
    start: Moment
    end: Moment
    words: Words = ""


class CaseAlarmAsk(Ask):
    """An alarm as it stands now; the footage around it is held where there is any."""

    alarm: ThingId
    words: Words = ""


class CasePassagesAsk(Ask):
    """A search of passages as it was asked (for the purpose of the case), with the passages chosen of it."""

    chosen: Chosen = Field(default_factory=list[str])
    plate: Annotated[str, Field(max_length=40)] = ""
    near: bool = False
    area: Annotated[str, Field(max_length=40)] = ""
    tollgate: Annotated[str, Field(max_length=40)] = ""
    plate_colour: Colour = ""
    plate_class: Annotated[str, Field(max_length=10)] = ""
    colour: Colour = ""
    vehicle_class: Annotated[str, Field(max_length=10)] = ""
    direction: Direction | Literal[""] = ""
    lane: Annotated[int, Field(ge=1, le=99)] | None = None
    start: OptionalMoment = None
    end: OptionalMoment = None
    words: Words = ""


class CaseViolationsAsk(Ask):
    """A list of violations as it was asked for, with those chosen of it."""

    chosen: Chosen = Field(default_factory=list[str])
    state: State | Literal[""] = ""
    kind: Kind | Literal[""] = ""
    plate: Annotated[str, Field(max_length=40)] = ""
    area: Annotated[str, Field(max_length=40)] = ""
    tollgate: Annotated[str, Field(max_length=40)] = ""
    start: OptionalMoment = None
    end: OptionalMoment = None
    words: Words = ""


class FoundAsk(Ask):
    """A find of a search for movement."""

    start_us: Annotated[int, Field(ge=0, le=1 << 53)]
    end_us: Annotated[int, Field(ge=0, le=1 << 53)]


class CaseMovementAsk(Ask):
    """A search for movement in [start, end) of a channel, with what its answers said they looked at, and the finds
    chosen of it."""

    channel: ThingId
    start: Moment
    end: Moment
    regions: Annotated[list[RegionShape], Field(max_length=8)] = Field(default_factory=list[RegionShape])
    sensitivity: Literal["low", "normal", "high"] = "normal"
    until: Moment
    frames: Annotated[int, Field(ge=0, le=1 << 40)] = 0
    unreadable: Annotated[int, Field(ge=0, le=1 << 40)] = 0
    step_us: Annotated[int, Field(ge=0, le=1 << 53)] = 0
    missing_us: Annotated[int, Field(ge=0, le=1 << 53)] = 0
    precise: bool = False
    dismissed: Annotated[int, Field(ge=0, le=1 << 40)] = 0
    chosen: Annotated[list[FoundAsk], Field(max_length=50)] = Field(default_factory=list[FoundAsk])
    words: Words = ""


@routes.get("/cases/{case}/entries", Action.CASE_SEE)
async def list_case_entries(
    case: str,
    who: Who,
    here: Here,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[CaseEntryOut]:
    """Newest first, each with what it refers to. The look is written down."""
    place = read_cursor(cursor, str)
    found = await here.case_reading.entries(who, case, before=place[0] if place else "", limit=limit + 1)
    more = write_cursor(found[limit - 1].entry.id) if len(found) > limit else None
    return Page(items=[_entry(one) for one in found[:limit]], next=more)


@routes.post("/cases/{case}/notes", Action.CASE_WRITE, status_code=201)
async def note_in_case(case: str, ask: NoteAsk, who: Who, here: Here) -> CaseEntryOut:
    """Say something."""
    return await added(here, who, await here.case_adding.note(who, case, ask.words))


@routes.post("/cases/{case}/footage", Action.CASE_WRITE, status_code=201)
async def add_footage_to_case(case: str, ask: CaseFootageAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put a stretch of recorded video into it: it is held from deletion while the case is open."""
    return await added(here, who, await here.case_adding.footage(who, case, ask.channel, ask.start, ask.end, ask.words))


@routes.post("/cases/{case}/alarms", Action.CASE_WRITE, status_code=201)
async def add_alarm_to_case(case: str, ask: CaseAlarmAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put an alarm into it."""
    return await added(here, who, await here.case_adding.alarm(who, case, ask.alarm, ask.words))


@routes.post("/cases/{case}/passages", Action.CASE_WRITE, status_code=201)
async def add_passages_to_case(case: str, ask: CasePassagesAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put a search of passages into it. It is asked again, with your rights and for the purpose of the case; what was
    chosen is copied with its pictures, so that the case has it longer than the checkpoint keeps it."""
    names = (
        "plate", "near", "area", "tollgate", "plate_colour", "plate_class", "colour", "vehicle_class", "direction",
        "lane",
    )  # fmt: skip
    asked = {name: getattr(ask, name) for name in names}
    wish = Wish(purpose="", reason=ask.words, since=ask.start, until=ask.end, **asked)
    return await added(here, who, await here.case_lists.passages(who, case, wish, ask.chosen, ask.words))


@routes.post("/cases/{case}/violations", Action.CASE_WRITE, status_code=201)
async def add_violations_to_case(case: str, ask: CaseViolationsAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put a list of violations into it; as with passages."""
    wanted = Wanted(
        states=(str(ask.state),) if ask.state else (), kind=str(ask.kind), tollgate=ask.tollgate,
        plate=clean_plate(ask.plate), since=ask.start, until=ask.end,
    )  # fmt: skip
    return await added(here, who, await here.case_lists.violations(who, case, wanted, ask.area, ask.chosen, ask.words))


@routes.post("/cases/{case}/movement", Action.CASE_WRITE, status_code=201)
async def add_movement_to_case(case: str, ask: CaseMovementAsk, who: Who, here: Here) -> CaseEntryOut:
    """Put a search for movement into it. Chosen finds are stretches of footage, held while the case is open."""
    question = {
        "channel": ask.channel, "start": ask.start, "end": ask.end, "sensitivity": ask.sensitivity,
        "regions": "; ".join(f"{one.left:g} {one.top:g} {one.right:g} {one.bottom:g}" for one in ask.regions),
    }  # fmt: skip
    if ask.precise:
        question["precise"] = True
    looked = Looked(ask.until, ask.frames, ask.unreadable, ask.step_us, ask.missing_us, ask.dismissed)
    finds = [(one.start_us, one.end_us) for one in ask.chosen]
    done = await here.case_adding.movement(who, case, ask.channel, question, looked, finds, ask.words)
    return await added(here, who, done)


@routes.delete("/cases/{case}/entries/{entry}", Action.CASE_WRITE)
async def remove_case_entry(case: str, entry: str, who: Who, here: Here) -> LossOut:
    """Take it out again, by who put it in or manages the case; what went with it."""
    lost = await here.case_adding.remove(who, case, entry)
    here.hub.changed([("case", "")])
    return loss_out(lost)


@routes.get(
    "/cases/{case}/results/{result}/pictures/{number}", Action.CASE_SEE, response_class=Response,
    responses=PASSAGE_PICTURE,
)  # fmt: skip
async def see_case_picture(case: str, result: str, number: int, who: Who, here: Here) -> Response:
    """A picture as it came."""
    kept, data = await here.case_reading.picture(who, case, result, number)
    return Response(data, media_type=f"image/{kept.format}", headers={"Cache-Control": "private, max-age=600"})


async def added(here: Here, who: Actor, entry: Entry) -> CaseEntryOut:
    """The answer to what was put in."""
    here.hub.changed([("case", "")])
    return _entry(await here.case_reading.entry(who, entry.case, entry.id))


def _entry(seen: EntrySeen) -> CaseEntryOut:
    one = seen.entry
    return CaseEntryOut.model_validate({
        **{name: getattr(one, name) for name in ("id", "kind", "stock", "question", "words", "by_name", "at")},
        "looked": one.looked or None, "results": [_result(each) for each in seen.results], "withheld": seen.withheld,
    })  # fmt: skip


def _result(one: Result) -> CaseResultOut:
    own = ("held", "pictures")
    values: dict[str, Any] = {name: getattr(one, name) for name in CaseResultOut.model_fields if name not in own}
    pictures = [
        CasePictureOut(number=number, kind=each.kind, width=each.width, height=each.height, sha256=each.sha256)
        for number, each in enumerate(one.pictures)
    ]
    return CaseResultOut.model_validate({**values, "held": one.hold is not None, "pictures": pictures})
