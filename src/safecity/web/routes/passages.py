"""Passages, and the door by which other systems report what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.passages.api import Filed, Passage, Report, Sighting, Source, dated
from safecity.core.ground.vehicles.api import Found, Looked, Wish
from safecity.kit.csvtext import BOM, line
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.pictures import Picture, decode_picture
from safecity.protocols.gat1400.vehicles import clean_plate
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.tollgates import Direction, PurposeWord
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, Moment, OptionalMoment, Words, binary, read_cursor, write_cursor

routes = Routes("passages")
MAX_REPORTS = 500
Colour = Literal[
    "", "black", "white", "grey", "red", "blue", "yellow", "orange", "brown", "green", "purple", "cyan", "pink",
    "transparent", "other",
]  # fmt: skip
SourceWord = Literal["camera", "reader", "transponder", "laser", "other"]
PictureKind = Annotated[str, Field(max_length=3, pattern=r"^[0-9]{0,3}$")]
Purposed = Annotated[PurposeWord, Query(description="What it is looked at for; written down.")]
CSV_ROWS = 10_000
CSV_PART = 500
CSV_COLUMNS = (
    "at", "plate", "near_miss", "tollgate_name", "lane", "direction", "plate_colour", "plate_class", "colour",
    "vehicle_class", "brand", "speed_kmh", "confidence", "clock_doubtful", "sources", "id",
)  # fmt: skip
CSV_TABLE: dict[int | str, dict[str, Any]] = {200: {"description": "A table.", "content": binary("text/csv")}}
PASSAGE_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A picture.", "content": binary("image/jpeg", "image/png", "image/gif", "image/bmp")}
}


class PassageOut(Answer):
    """One vehicle at one place. `?` in a plate stands for a character that could not be read.

    `at` is the source's time, or when we heard of it where that made no sense (`clock_doubtful`). `confidence` is the
    plate's, 0 to 1.
    """

    id: str
    tollgate: str | None
    tollgate_name: str
    device: str | None
    at: Moment
    seen: Moment
    lane: int | None
    plate: str
    confidence: float | None
    plate_colour: str
    plate_class: str
    colour: str
    vehicle_class: str
    brand: str
    speed_kmh: float | None
    direction: str
    sources: list[SourceWord]
    sightings: int
    pictures: int
    clock_doubtful: bool
    keep_until: Moment


class PassageFound(PassageOut):
    """`near_miss`: the plate is another than was looked for, but readers take the one for the other; `distance` tells
    how readily, 0 (the same) to 0.5."""

    near_miss: bool
    distance: float


class LookedAt(Answer):
    """What a search looked at: different plates of the city that the pattern was held against (0: it was held against
    passages one by one), passages looked through, and back to when, where it did not come to the end. `cut`: there was
    more than one answer goes through or shows, so that what is missing in it may be there all the same."""

    plates: int
    passages: int
    back_to: OptionalMoment
    cut: bool = False


class PassagesFound(Answer):
    """A part of what was found; `next` asks for the following part and is opaque."""

    items: list[PassageFound]
    next: str | None = None
    looked_at: LookedAt


class NetworkOut(Answer):
    """A network by its name and the SHA-256 of its file."""

    name: str
    digest: str


class RestoredOut(Answer):
    """What a doubtful plate could be once its blur is taken out, for a person to decide: `blur` the length of the
    motion as a share of the plate's width, `angle` its direction in degrees."""

    plate: str
    confidence: float
    blur: float
    angle: float


class KindOut(Answer):
    """What the user's own detector says of the vehicle; `box` left, top, right, bottom as shares of the scene."""

    label: str
    score: float
    box: list[float]


class BodyOut(Answer):
    """All of the vehicle: `box` left, top, right, bottom as shares of the scene, found by the user's own `detector`, by
    what moved, or guessed from the size of its plate. `colour_confidence` 0 to 1; where no colour is told,
    `colour_doubt` says why: too dark, glare, a picture without colours, light of one colour, between two colours, or
    too little of it seen."""

    box: list[float]
    found_by: Literal["detector", "movement", "plate"]
    colour: Colour
    colour_confidence: float
    colour_doubt: Literal["", "dark", "glare", "colourless", "tinted", "between", "hidden"]


class SpeedOut(Answer):
    """About how fast it drove, as our own pictures say: an estimate, and no measurement. `uncertainty_kmh` is one
    standard uncertainty; twice of it holds 19 of 20. `looks`: pictures it rests on; `metres` of road."""

    estimated: Literal[True]
    kmh: float
    uncertainty_kmh: float
    looks: int
    metres: float


class ReadingOut(Answer):
    """What a reading of our own rests on. `doubtful` below `threshold`, or where it is not written as plates are;
    `signs` the confidence of each sign; `sights` the pictures it was read in; `corners` of the plate, from the upper
    left one clockwise, as shares of the scene's width and height."""

    doubtful: bool
    threshold: float
    signs: list[float]
    others: list[str]
    country: str
    plate_kind: str
    corners: list[tuple[float, float]]
    sights: int
    networks: list[NetworkOut]
    vehicle: KindOut | None = None
    body: BodyOut | None = None
    restored: RestoredOut | None = None
    speed: SpeedOut | None = None


class SightingOut(Answer):
    """What one source said; `reading` where that is our own reader."""

    source: SourceWord
    reference: str
    at: Moment
    seen: Moment
    lane: int | None
    plate: str
    confidence: float | None
    speed_kmh: float | None
    reading: ReadingOut | None = None


class PictureOut(Answer):
    """`kind` as GA/T 1400 numbers pictures: 01 vehicle, 02 plate, 08 composite, 09 close-up, 14 scene; `restored`: a
    doubtful plate without its blur, below the original."""

    number: int
    kind: str
    width: int
    height: int


class PassageWhole(PassageOut):
    """With what it was made of."""

    seen_by: list[SightingOut]
    shown_by: list[PictureOut]


class PictureAsk(Ask):
    """JPEG, PNG, GIF or BMP in base64, at most 8 MiB and 40 megapixels."""

    kind: PictureKind = ""
    data: Annotated[str, Field(max_length=12_000_000)]


class SightingAsk(Ask):
    """What a transponder reader, a laser or another system saw. `reference` is the source's own number for it: sent
    again it is filed once, sent with other words it is corrected."""

    tollgate: Annotated[str, Field(max_length=40, description="Id or 20-digit code.")]
    reference: Annotated[str, Field(min_length=1, max_length=64)]
    source: SourceWord
    at: Moment
    lane: Annotated[int, Field(ge=1, le=99)] | None = None
    plate: Annotated[str, Field(max_length=40)] = ""
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    plate_colour: Colour = ""
    plate_class: Annotated[str, Field(max_length=10)] = ""
    colour: Colour = ""
    vehicle_class: Annotated[str, Field(max_length=10)] = ""
    brand: Annotated[str, Field(max_length=40)] = ""
    speed_kmh: Annotated[float, Field(ge=0, le=400)] | None = None
    direction: Direction | Literal[""] = ""
    transponder: Annotated[str, Field(max_length=64)] = ""
    pictures: Annotated[list[PictureAsk], Field(max_length=8)] = Field(default_factory=list[PictureAsk])


class SightingsAsk(Ask):
    """Up to 500 at once."""

    items: Annotated[list[SightingAsk], Field(min_length=1, max_length=MAX_REPORTS)]


class SightingFiled(Answer):
    """`new`: a passage of its own; `fused`: it joined one; `known`: it was said before; `corrected`."""

    reference: str
    outcome: Filed


class SightingsFiled(Answer):
    """In the order they were sent."""

    items: list[SightingFiled]


async def searched(
    purpose: Purposed,
    reason: Annotated[Words, Query()] = "",
    area: Annotated[str, Query(max_length=40)] = "",
    tollgate: Annotated[str, Query(max_length=40)] = "",
    plate: Annotated[str, Query(max_length=40)] = "",
    near: Annotated[bool, Query(description="Also plates that readers take for this one (0 and O, 8 and B).")] = False,
    plate_colour: Annotated[Colour, Query()] = "",
    plate_class: Annotated[str, Query(max_length=10, description="Code of GA/T 16.7.")] = "",
    colour: Annotated[Colour, Query()] = "",
    vehicle_class: Annotated[str, Query(max_length=10, description="Code of GA/T 16.4, or its beginning.")] = "",
    direction: Annotated[Direction | Literal[""], Query()] = "",
    lane: Annotated[int | None, Query(ge=1, le=99)] = None,
    start: Annotated[Moment | None, Query()] = None,
    end: Annotated[Moment | None, Query()] = None,
) -> Wish:
    """What is looked for, as the fields of a query say it."""
    return Wish(
        purpose=purpose, reason=reason, area=area, tollgate=tollgate, plate=plate, near=near,
        plate_colour=plate_colour, plate_class=plate_class, colour=colour, vehicle_class=vehicle_class,
        direction=direction, lane=lane, since=start, until=end,
    )  # fmt: skip


Searched = Annotated[Wish, Depends(searched)]


@routes.get("/passages", Action.PASSAGE_SEE)
async def list_passages(
    who: Who,
    here: Here,
    wish: Searched,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PassagesFound:
    """Newest first. In `plate`, `*` stands for any characters and `?` for one. The search is written down. A part may
    hold fewer than `limit` passages and still have a `next`: it looks through so many at a time and tells how many."""
    place = read_cursor(cursor, int, str)
    before = None if place is None else (place[0], place[1])
    found = await here.vehicles.find(who, wish, before=before, limit=limit)
    names = await here.tollgates.names([one.tollgate for one in found.passages if one.tollgate])
    return PassagesFound(
        items=[found_out(one, names, found.costs[one.plate]) for one in found.passages],
        next=write_cursor(*found.after) if found.after else None,
        looked_at=looked_out(found.looked),
    )


@routes.get("/passages.csv", Action.PASSAGE_SEE, response_class=StreamingResponse, responses=CSV_TABLE)
async def save_passages(who: Who, here: Here, wish: Searched) -> StreamingResponse:
    """The newest 10,000 of what the search finds, as a table for a spreadsheet. Written down like the search itself."""
    first = await here.vehicles.find(who, wish, limit=CSV_PART, what="csv")
    heads = {"Content-Disposition": 'attachment; filename="passages.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(here, who, wish, first), media_type="text/csv", headers=heads)


async def _lines(here: Services, who: Actor, wish: Wish, part: Found) -> AsyncGenerator[str]:
    yield BOM + line(CSV_COLUMNS)
    rows = 0
    while True:
        names = await here.tollgates.names([one.tollgate for one in part.passages if one.tollgate])
        for one in part.passages[: CSV_ROWS - rows]:
            shown = found_out(one, names, part.costs[one.plate]).model_dump(mode="json")
            shown["sources"] = " ".join(sorted(one.sources))
            yield line(shown[name] for name in CSV_COLUMNS)
        rows += len(part.passages)
        if part.after is None or rows >= CSV_ROWS:
            return
        part = await here.vehicles.find(who, wish, before=part.after, limit=CSV_PART)


@routes.get("/passages/{passage}", Action.PASSAGE_SEE)
async def see_passage(passage: str, who: Who, here: Here, purpose: Purposed) -> PassageWhole:
    """One passage with what it was made of."""
    found, seen_by = await here.passages.see(who, passage, purpose)
    names = await here.tollgates.names([found.tollgate] if found.tollgate else [])
    pictures = [picture for one in seen_by for picture in one.pictures]
    return PassageWhole(
        **_passage(found, names).model_dump(),
        seen_by=[_sighting(one) for one in seen_by],
        shown_by=[
            PictureOut(number=number, kind=one.kind, width=one.width, height=one.height)
            for number, one in enumerate(pictures)
        ],
    )


@routes.get(
    "/passages/{passage}/pictures/{number}", Action.PASSAGE_SEE, response_class=Response, responses=PASSAGE_PICTURE,
)  # fmt: skip
async def see_passage_picture(passage: str, number: int, who: Who, here: Here, purpose: Purposed) -> Response:
    """A picture as it came."""
    kept, data = await here.passages.picture(who, passage, number, purpose)
    return Response(data, media_type=f"image/{kept.format}", headers={"Cache-Control": "private, max-age=600"})


@routes.post("/sightings", Action.PASSAGE_REPORT)
async def report_sightings(ask: SightingsAsk, who: Who, here: Here) -> SightingsFiled:
    """What other systems saw; each is filed once by its `reference`, so that a batch may be sent again."""
    seen = here.clock.now_us()
    reports = await asyncio.to_thread(lambda: [_report(one, who.user, seen) for one in ask.items])
    outcomes = await here.passages.report(who, reports)
    pairs = zip(ask.items, outcomes, strict=True)
    return SightingsFiled(items=[SightingFiled(reference=one.reference, outcome=filed) for one, filed in pairs])


def _report(one: SightingAsk, user: str, seen: int) -> Report:
    at, doubtful = dated(one.at, seen)
    reference = clean_id(one.reference)
    if not reference:
        raise InvalidError("not a reference", code="sighting_reference")
    values = one.model_dump(exclude={"tollgate", "pictures", "source", "reference", "at", "plate"})
    sighting = Sighting(
        id=fresh("sg"), source=Source(one.source), origin=f"{user}/{one.source}", reference=reference, at=at, seen=seen,
        plate=clean_plate(one.plate), clock_doubtful=doubtful, **values,
    )  # fmt: skip
    return Report(tollgate=one.tollgate, sighting=sighting, pictures=tuple(_picture(each) for each in one.pictures))


def _picture(ask: PictureAsk) -> Picture:
    return decode_picture(ask.data, kind=ask.kind)


def found_out(one: Passage, names: dict[str, str], cost: float) -> PassageFound:
    """As a search answers it."""
    return PassageFound(**_passage(one, names).model_dump(), near_miss=cost > 0, distance=round(cost, 2))


def looked_out(looked: Looked, *, all_shown: bool = True) -> LookedAt:
    """As a search answers it."""
    cut = looked.cut or not all_shown
    return LookedAt(plates=looked.plates, passages=looked.passages, back_to=looked.oldest, cut=cut)


def _passage(one: Passage, names: dict[str, str]) -> PassageOut:
    values = {name: getattr(one, name) for name in PassageOut.model_fields if name not in ("tollgate_name", "sources")}
    return PassageOut.model_validate(
        {**values, "sources": sorted(one.sources), "tollgate_name": names.get(one.tollgate or "", "")}
    )


def _sighting(one: Sighting) -> SightingOut:
    said = SightingOut.model_validate(one)
    return said.model_copy(update={"reading": ReadingOut.model_validate(one.details)}) if one.details else said
