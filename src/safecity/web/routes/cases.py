"""Cases: opened for a purpose, read and written by their members, closed, and taken along as a package."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.upper.cases.api import Case, CaseState, Loss
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.tollgates import PurposeWord
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    ThingId,
    Words,
    binary,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("cases")
Number = Annotated[str, Field(min_length=1, max_length=100)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Ground = Annotated[str, Field(min_length=1, max_length=1000)]
Members = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=50)]
_ZIP: dict[int | str, dict[str, Any]] = {200: {"description": "A package.", "content": binary("application/zip")}}
_CSV: dict[int | str, dict[str, Any]] = {200: {"description": "A table.", "content": binary("text/csv")}}


class CaseOut(Answer):
    """An investigation that gathers evidence. `readers` and `writers` beside its owner are `user:ID` or
    `organisation:ID`; they need the rights where the case lies all the same. While it is open the footage it refers
    to is held from deletion; `keep_until`: when a closed one is forgotten with all that it kept. `yours`: it is your
    own."""

    id: str
    number: str
    title: str
    purpose: PurposeWord
    ground: str
    state: CaseState
    owner_name: str
    yours: bool
    readers: list[str]
    writers: list[str]
    area: str | None
    organisation: str | None
    opened_at: Moment
    closed_at: OptionalMoment
    closed_name: str
    closing: str
    keep_until: OptionalMoment
    entries: int
    revision: int


class CaseWhole(CaseOut):
    """`writable`: you may put something into it now."""

    writable: bool


class CaseAsk(Ask):
    """`purpose`: what everything in it is looked at for; it never changes. `ground`: the legal ground, in words."""

    number: Number
    title: Title
    purpose: PurposeWord
    ground: Ground
    area: ThingId | None = None
    organisation: ThingId | None = None
    readers: Members = Field(default_factory=list[str])
    writers: Members = Field(default_factory=list[str])


class CaseChange(Ask):
    """What is not sent stays as it is."""

    title: Title | None = None
    ground: Ground | None = None
    readers: Members | None = None
    writers: Members | None = None


class CaseWords(Ask):
    """Why; for the log and for whoever reads the case."""

    reason: Words = ""


class LossOut(Answer):
    """What goes with a case or an entry. `only_here`: things whose originals are forgotten already. `held_seconds`:
    footage that it keeps from deletion."""

    entries: int
    results: int
    pictures: int
    picture_bytes: int
    only_here: int
    held_seconds: int


@routes.get("/cases", Action.CASE_SEE)
async def list_cases(
    who: Who,
    here: Here,
    state: Annotated[CaseState | Literal[""], Query()] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[CaseOut]:
    """Newest first; `q` is looked for in number and title. The look is written down."""
    place = read_cursor(cursor, str)
    before = place[0] if place else ""
    found, counts = await here.cases.page(who, before=before, limit=limit + 1, state=str(state), text=q)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_case(one, who, counts.get(one.id, 0)) for one in found[:limit]], next=more)


@routes.post("/cases", Action.CASE_OPEN, status_code=201)
async def open_case(ask: CaseAsk, who: Who, here: Here, response: Response) -> CaseOut:
    """Open one; it is yours."""
    values = {**ask.model_dump(), "readers": frozenset(ask.readers), "writers": frozenset(ask.writers)}
    one = await here.cases.open(who, values)
    here.hub.changed([("case", "")])
    return tag(response, _case(one, who, 0))


@routes.get("/cases/{case}", Action.CASE_SEE)
async def see_case(case: str, who: Who, here: Here, response: Response) -> CaseWhole:
    """One case. The look is written down."""
    one, entries = await here.cases.see(who, case)
    writable = await here.cases.writable(who, case)
    return tag(response, CaseWhole(**_case(one, who, entries).model_dump(), writable=writable))


@routes.patch("/cases/{case}", Action.CASE_MANAGE)
async def change_case(
    case: str, ask: CaseChange, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> CaseOut:
    """Its title, ground and members."""
    changes = {name: value for name, value in ask.given().items() if value is not None}
    for name in ("readers", "writers"):
        if name in changes:
            changes[name] = frozenset(changes[name])
    one = await here.cases.change(who, case, changes, revision=read_revision(if_match))
    here.hub.changed([("case", "")])
    return tag(response, await _again(one, who, here))


@routes.post("/cases/{case}/close", Action.CASE_MANAGE)
async def close_case(
    case: str, who: Who, here: Here, response: Response, ask: CaseWords | None = None, if_match: IfMatch = None
) -> CaseOut:
    """Nothing is put into it any more, and its footage is held no longer."""
    words = ask.reason if ask else ""
    one = await here.cases.close(who, case, revision=read_revision(if_match), words=words)
    here.hub.changed([("case", "")])
    return tag(response, await _again(one, who, here))


@routes.post("/cases/{case}/reopen", Action.CASE_MANAGE)
async def reopen_case(
    case: str, who: Who, here: Here, response: Response, ask: CaseWords | None = None, if_match: IfMatch = None
) -> CaseOut:
    """What there still is of its footage is held again."""
    words = ask.reason if ask else ""
    one = await here.cases.reopen(who, case, revision=read_revision(if_match), words=words)
    here.hub.changed([("case", "")])
    return tag(response, await _again(one, who, here))


@routes.get("/cases/{case}/loss", Action.CASE_DELETE)
async def see_case_loss(case: str, who: Who, here: Here) -> LossOut:
    """What would go with it."""
    return loss_out(await here.cases.loss(who, case))


@routes.delete("/cases/{case}", Action.CASE_DELETE)
async def delete_case(case: str, who: Who, here: Here, if_match: IfMatch = None, reason: Words = "") -> LossOut:
    """Forget a closed case with all that it kept; what went with it."""
    lost = await here.cases.delete(who, case, revision=read_revision(if_match), words=reason)
    here.hub.changed([("case", "")])
    return loss_out(lost)


@routes.get("/cases/{case}/results.csv", Action.CASE_EXPORT, response_class=Response, responses=_CSV)
async def save_case(case: str, who: Who, here: Here, reason: Annotated[Words, Query()] = "") -> Response:
    """All that lies in it as a table for a spreadsheet. Written down as an export."""
    name, text = await here.case_reading.table(who, case, reason)
    heads = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv", headers=heads)


@routes.post("/cases/{case}/package", Action.CASE_EXPORT, response_class=StreamingResponse, responses=_ZIP, once=False)
async def export_case(case: str, who: Who, here: Here, ask: CaseWords | None = None) -> StreamingResponse:
    """A ZIP of a signed manifest, the table and the pictures. Video leaves as exported evidence."""
    name, pieces = await here.case_reading.package(who, case, ask.reason if ask else "")
    heads = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/zip", headers=heads)


def loss_out(lost: Loss) -> LossOut:
    """As an answer shows it."""
    return LossOut.model_validate(lost)


async def _again(one: Case, who: Actor, here: Here) -> CaseOut:
    return _case(one, who, await here.cases.entry_count(one.id))


def _case(one: Case, who: Actor, entries: int) -> CaseOut:
    own = ("readers", "writers", "entries", "yours")
    values = {name: getattr(one, name) for name in CaseOut.model_fields if name not in own}
    members = {"readers": sorted(one.readers), "writers": sorted(one.writers)}
    return CaseOut.model_validate({**values, **members, "entries": entries, "yours": one.owner == who.user})
