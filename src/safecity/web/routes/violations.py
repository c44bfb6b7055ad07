"""Violations: candidates from other systems, two reviews, void with a reason, packages."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.passages.api import dated
from safecity.core.upper.violations.api import Kind, Shown, State, Violation, Void, Wanted
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.pictures import decode_picture
from safecity.protocols.gat1400.vehicles import clean_plate
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import PASSAGE_PICTURE, Colour, PictureKind
from safecity.web.routes.tollgates import Direction
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Params,
    ThingId,
    Words,
    binary,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("violations")
LightWord = Literal["", "red", "yellow", "green", "flashing", "dark", "unknown"]
LightSource = Literal["", "controller", "lamps", "camera"]
Queue = Literal["first", "second"]
Fit = Literal["", "yes", "no"]
Share = Annotated[float, Field(ge=0, le=1)]
_ZIP: dict[int | str, dict[str, Any]] = {200: {"description": "A package.", "content": binary("application/zip")}}


class EvidenceOut(Answer):
    """A picture by its number. `kind` as GA/T 1400 numbers pictures (14 scene, 02 plate); `box`: where the vehicle is
    in it, left, top, right, bottom as shares; `sha256` of the file as it came."""

    number: int
    kind: str
    width: int
    height: int
    bytes: int
    sha256: str
    at: Moment
    box: tuple[float, float, float, float] | None
    light: LightWord


class ViolationOut(Answer):
    """A candidate until two people have confirmed it.

    `plate` is as the first review left it, `plate_read` as it was read; `?` stands for what could not be read. `code`
    of the offence (GA/T 16.31), empty where only the words are sure. `clock_error_ms`: the largest error of the time,
    as whoever measured states it. `unfit`: what the evidence lacks; while there is anything nobody can confirm it.
    `yours`: you did the first review, so that another one must do the second. `details`: what the measurement rests on.
    """

    id: str
    kind: Kind
    code: str
    words: str
    state: State
    plate: str
    plate_read: str
    confidence: float | None
    plate_colour: Colour
    vehicle_class: str
    tollgate: str | None
    channel: str | None
    lane: int | None
    place_name: str
    direction: str
    at: Moment
    seen: Moment
    clock_error_ms: int | None
    light: LightWord
    light_source: LightSource
    speed_kmh: float | None
    speed_error_kmh: float | None
    limit_kmh: float | None
    certificate: str
    pictures: list[EvidenceOut]
    unfit: list[str]
    details: Params
    origin: str
    reference: str
    passages: list[str]
    first_name: str
    first_at: OptionalMoment
    second_name: str
    second_at: OptionalMoment
    void_reason: str
    void_words: str
    void_name: str
    void_at: OptionalMoment
    exported_at: OptionalMoment
    exports: int
    keep_until: Moment
    yours: bool
    revision: int


class ViolationsFound(Answer):
    """A part of the list; `counts` by state, with the first part only and whatever state was asked for."""

    items: list[ViolationOut]
    counts: dict[str, int]
    next: str | None = None


class ViolationsTaken(Answer):
    """Held for you for some minutes; nobody else is shown them meanwhile."""

    items: list[ViolationOut]


class ViolationFiled(Answer):
    """`new` false: it was proposed before under this reference, and is what it was."""

    violation: ViolationOut
    new: bool


class EvidenceAsk(Ask):
    """JPEG, PNG, GIF or BMP in base64, at most 8 MiB and 40 megapixels. Full views need 1280 x 720 at least."""

    kind: PictureKind = "14"
    at: Moment
    data: Annotated[str, Field(max_length=12_000_000)]
    box: Annotated[list[Share], Field(min_length=4, max_length=4)] | None = None
    light: LightWord = ""


class ViolationAsk(Ask):
    """A candidate that another system proposes. `reference` is its own number for it: sent again it is the same. What
    the evidence lacks does not keep it out: it stands in `unfit`, and nobody can confirm it."""

    tollgate: Annotated[str, Field(max_length=40, description="Id or 20-digit code.")]
    reference: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Kind
    code: Annotated[str, Field(max_length=10, pattern=r"^[0-9A-Z]*$")] = ""
    words: Annotated[str, Field(max_length=200)] = ""
    at: Moment
    clock_error_ms: Annotated[int, Field(ge=0, le=86_400_000)] | None = None
    plate: Annotated[str, Field(max_length=40)] = ""
    confidence: Share | None = None
    plate_colour: Colour = ""
    vehicle_class: Annotated[str, Field(max_length=10)] = ""
    lane: Annotated[int, Field(ge=1, le=99)] | None = None
    place_name: Annotated[str, Field(max_length=200)] = ""
    direction: Direction | Literal[""] = ""
    light: LightWord = ""
    light_source: LightSource = ""
    speed_kmh: Annotated[float, Field(gt=0, le=400)] | None = None
    speed_error_kmh: Annotated[float, Field(ge=0, le=400)] | None = None
    limit_kmh: Annotated[float, Field(ge=5, le=200)] | None = None
    certificate: Annotated[str, Field(max_length=100)] = ""
    pictures: Annotated[list[EvidenceAsk], Field(max_length=6)] = Field(default_factory=list[EvidenceAsk])


class TakeAsk(Ask):
    """The oldest of a queue. `keep`: ids that you hold already and have not judged yet."""

    queue: Queue = "first"
    count: Annotated[int, Field(ge=1, le=50)] = 10
    kind: Kind | Literal[""] = ""
    keep: Annotated[list[ThingId], Field(max_length=50)] = Field(default_factory=list[str])


class ReviewAsk(Ask):
    """The first review passes it. `plate` and `code` as the pictures show them, where they were wrong."""

    plate: Annotated[str, Field(max_length=40)] = ""
    code: Annotated[str, Field(max_length=10, pattern=r"^[0-9A-Z]*$")] = ""
    reason: Words = ""


class ConfirmAsk(Ask):
    """The second review; never by who did the first."""

    reason: Words = ""


class VoidAsk(Ask):
    """It counts for nothing. `other` needs words; `exempt` and `taken_back` are the platform's own."""

    void_reason: Void
    reason: Words = ""


class PackageAsk(Ask):
    """Confirmed violations that leave in one package."""

    violations: Annotated[list[ThingId], Field(min_length=1, max_length=100)]
    reason: Words = ""


@routes.get("/violations", Action.VIOLATION_SEE)
async def list_violations(
    who: Who,
    here: Here,
    state: Annotated[State | Literal[""], Query()] = "",
    kind: Annotated[Kind | Literal[""], Query()] = "",
    fit: Annotated[Fit, Query()] = "",
    area: Annotated[str, Query(max_length=40)] = "",
    tollgate: Annotated[str, Query(max_length=40)] = "",
    plate: Annotated[str, Query(max_length=40)] = "",
    start: Annotated[Moment | None, Query()] = None,
    end: Annotated[Moment | None, Query()] = None,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ViolationsFound:
    """Newest first. The look is written down."""
    place = read_cursor(cursor, str)
    wanted = Wanted(
        states=(str(state),) if state else (), kind=str(kind), fit=None if not fit else fit == "yes",
        tollgate=tollgate, plate=clean_plate(plate), since=start, until=end,
    )  # fmt: skip
    found, counts = await here.violations.page(
        who, wanted, area=area, before=place[0] if place else "", limit=limit + 1
    )
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return ViolationsFound(items=[_out(one, who.user) for one in found[:limit]], counts=counts, next=more)


@routes.post("/violations", Action.VIOLATION_REPORT, status_code=201)
async def propose_violation(ask: ViolationAsk, who: Who, here: Here) -> ViolationFiled:
    """Propose a candidate: it waits for two reviews. Sent again with the same `reference` it is answered as it is."""
    seen = here.clock.now_us()
    at, doubtful = dated(ask.at, seen)
    reference, plate = clean_id(ask.reference), clean_plate(ask.plate)
    if not reference:
        raise InvalidError("not a reference", code="sighting_reference")
    shown = await asyncio.to_thread(lambda: [_shown(one) for one in ask.pictures])
    taken = ("kind", "code", "words", "confidence", "plate_colour", "vehicle_class", "lane", "place_name", "direction",
             "light", "light_source", "speed_kmh", "speed_error_kmh", "limit_kmh", "certificate")  # fmt: skip
    one = Violation(
        id=fresh("vi"), plate=plate, plate_read=plate, at=at, seen=seen, origin=f"{who.user}/api",
        clock_error_ms=None if doubtful else ask.clock_error_ms, reference=reference, keep_until=seen,
        **{name: getattr(ask, name) for name in taken},
    )  # fmt: skip
    kept, new = await here.proposing.report(who, one, shown, ask.tollgate)
    if new:
        here.hub.changed([("violation", "")])
    return ViolationFiled(violation=_out(kept, who.user), new=new)


@routes.post("/violations/take", Action.VIOLATION_SEE, once=False)
async def take_violations(ask: TakeAsk, who: Who, here: Here) -> ViolationsTaken:
    """The oldest that wait for a review, for you alone for some minutes; the second queue leaves out what you reviewed
    yourself. The look is written down."""
    found = await here.violations.take(who, ask.queue, ask.count, kind=str(ask.kind), keep=ask.keep)
    return ViolationsTaken(items=[_out(one, who.user) for one in found])


@routes.post(
    "/violations/package", Action.VIOLATION_EXPORT, response_class=StreamingResponse, responses=_ZIP, once=False
)
async def export_violations(ask: PackageAsk, who: Who, here: Here) -> StreamingResponse:
    """A ZIP of `manifest.json` and the pictures as they came. All or nothing: what is not confirmed never leaves."""
    name, pieces = await here.packages.package(who, ask.violations, ask.reason)
    here.hub.changed([("violation", "")])
    heads = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/zip", headers=heads)


@routes.get("/violations/{violation}", Action.VIOLATION_SEE)
async def see_violation(violation: str, who: Who, here: Here, response: Response) -> ViolationOut:
    """One. The look is written down."""
    return tag(response, _out(await here.violations.see(who, violation), who.user))


@routes.get(
    "/violations/{violation}/pictures/{number}", Action.VIOLATION_SEE, response_class=Response,
    responses=PASSAGE_PICTURE,
)  # fmt: skip
async def see_violation_picture(violation: str, number: int, who: Who, here: Here) -> Response:
    """A picture as it came."""
    kept, data = await here.violations.picture(who, violation, number)
    return Response(data, media_type=f"image/{kept.format}", headers={"Cache-Control": "private, max-age=600"})


@routes.post("/violations/{violation}/review", Action.VIOLATION_REVIEW)
async def review_violation(
    violation: str, who: Who, here: Here, response: Response, ask: ReviewAsk | None = None, if_match: IfMatch = None
) -> ViolationOut:
    """The first review: it shows what it says, and goes on to a second person."""
    said = ask or ReviewAsk()
    done = await here.violations.review(
        who, violation, revision=read_revision(if_match), plate=said.plate, code=said.code, words=said.reason
    )
    here.hub.changed([("violation", "")])
    return tag(response, _out(done, who.user))


@routes.post("/violations/{violation}/confirm", Action.VIOLATION_CONFIRM)
async def confirm_violation(
    violation: str, who: Who, here: Here, response: Response, ask: ConfirmAsk | None = None, if_match: IfMatch = None
) -> ViolationOut:
    """The second review makes it a record. Never by who did the first."""
    words = ask.reason if ask else ""
    done = await here.violations.confirm(who, violation, revision=read_revision(if_match), words=words)
    here.hub.changed([("violation", "")])
    return tag(response, _out(done, who.user))


@routes.post("/violations/{violation}/void", Action.VIOLATION_SEE)
async def void_violation(
    violation: str, ask: VoidAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> ViolationOut:
    """It counts for nothing and never leaves. Who reviews may void what was proposed; what was reviewed or confirmed,
    who confirms."""
    done = await here.violations.void(
        who, violation, revision=read_revision(if_match), reason=ask.void_reason, words=ask.reason
    )
    here.hub.changed([("violation", "")])
    return tag(response, _out(done, who.user))


def _shown(one: EvidenceAsk) -> Shown:
    box = None if one.box is None else (one.box[0], one.box[1], one.box[2], one.box[3])
    return Shown(decode_picture(one.data, kind=one.kind), one.at, box, one.light)


def _out(one: Violation, user: str) -> ViolationOut:
    own = ("pictures", "unfit", "yours", "passages")
    values = {name: getattr(one, name) for name in ViolationOut.model_fields if name not in own}
    pictures = [
        EvidenceOut(
            number=number, kind=each.kind, width=each.width, height=each.height, bytes=each.size, sha256=each.sha256,
            at=each.at, box=each.box, light=each.light,  # pyright: ignore[reportArgumentType]
        )
        for number, each in enumerate(one.pictures)
    ]  # fmt: skip
    return ViolationOut.model_validate({
        **values, "pictures": pictures, "unfit": sorted(one.unfit), "passages": list(one.passages),
        "yours": bool(one.first_by) and one.first_by == user,
    })  # fmt: skip
