"""Where a vehicle was, who was with it, and plates that two vehicles carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.passages.api import Passage
from safecity.core.ground.vehicles.api import FASTEST_KMH, Meeting, Movement, Wish
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import LookedAt, PassageFound, Purposed, found_out, looked_out
from safecity.web.services import Services
from safecity.web.shapes import Answer, Moment, OptionalMoment, Words

routes = Routes("vehicles")
SHOWN = 200
"""Companions or pairs in one answer."""
PlateAsked = Annotated[str, Query(min_length=2, max_length=20, description="A whole plate.")]
Near = Annotated[bool, Query(description="Also what readers take for this plate.")]
Since = Annotated[Moment | None, Query()]
AreaAsked = Annotated[str, Query(max_length=40)]
Reason = Annotated[Words, Query()]


class LegOut(Answer):
    """From one passage to the next, by their numbers in `passages`. `km` is the straight line, so that `kmh` is the
    least speed it can have had; null where a place is on no map or no time passed. `impossible`: no vehicle drives like
    that, so that two carry this plate. `stay`: it was not seen for longer than was asked."""

    start: int
    end: int
    seconds: float
    km: float | None
    kmh: float | None
    impossible: bool
    stay: bool


class RouteStop(PassageFound):
    """A passage of the route, with its place on the map as it is today (WGS-84 degrees)."""

    longitude: float | None
    latitude: float | None


class RouteOut(Answer):
    """A vehicle through the city, oldest first; `more`: there are older passages than these. `first_seen`: the oldest
    passage that is still kept and may be looked at."""

    passages: list[RouteStop]
    legs: list[LegOut]
    first_seen: OptionalMoment
    more: bool


class MeetingOut(Answer):
    """Both at one place; `seconds` above 0: the other one came later."""

    passage: str
    other: str
    at: Moment
    tollgate_name: str
    seconds: float


class CompanionOut(Answer):
    """A plate that was there again and again, at so many different places."""

    plate: str
    places: int
    meetings: list[MeetingOut]


class CompanionsOut(Answer):
    """The most often met first; of the newest 200 passages of the vehicle."""

    items: list[CompanionOut]
    looked_at: LookedAt


class CloneOut(Answer):
    """One plate at two places, further apart than any vehicle drives in the time between: at least `kmh`."""

    plate: str
    start: PassageFound
    end: PassageFound
    km: float
    seconds: float
    kmh: float


class ClonesOut(Answer):
    """In order of time, the newest where there are too many."""

    items: list[CloneOut]
    looked_at: LookedAt


@dataclass(frozen=True, slots=True)
class RouteAsked:
    """`wish` with how long nobody must have seen it to be a stay."""

    wish: Wish
    stay_seconds: float


async def route_asked(
    plate: PlateAsked, purpose: Purposed, reason: Reason = "", near: Near = False, area: AreaAsked = "",
    start: Since = None, end: Since = None, stay_minutes: Annotated[int, Query(ge=1, le=100_000)] = 60,
) -> RouteAsked:  # fmt: skip
    """As the fields of a query say it."""
    wish = Wish(purpose=purpose, reason=reason, plate=plate, near=near, area=area, since=start, until=end)
    return RouteAsked(wish, stay_minutes * 60.0)


@dataclass(frozen=True, slots=True)
class CompanionsAsked:
    """Within so many seconds, so many times, at so many places."""

    wish: Wish
    seconds: int
    times: int
    places: int


async def companions_asked(
    plate: PlateAsked, purpose: Purposed, reason: Reason = "", near: Near = False, area: AreaAsked = "",
    start: Since = None, end: Since = None,
    seconds: Annotated[int, Query(ge=1, le=600)] = 30,
    times: Annotated[int, Query(ge=2, le=100)] = 3,
    places: Annotated[int, Query(ge=1, le=100)] = 2,
) -> CompanionsAsked:  # fmt: skip
    """As the fields of a query say it."""
    wish = Wish(purpose=purpose, reason=reason, plate=plate, near=near, area=area, since=start, until=end)
    return CompanionsAsked(wish, seconds, times, places)


@dataclass(frozen=True, slots=True)
class ClonesAsked:
    """Faster than that."""

    wish: Wish
    kmh: float


async def clones_asked(
    purpose: Purposed, reason: Reason = "", area: AreaAsked = "", start: Since = None, end: Since = None,
    kmh: Annotated[int, Query(ge=60, le=1000)] = round(FASTEST_KMH),
) -> ClonesAsked:  # fmt: skip
    """As the fields of a query say it."""
    return ClonesAsked(Wish(purpose=purpose, reason=reason, area=area, since=start, until=end), float(kmh))


RouteWish = Annotated[RouteAsked, Depends(route_asked)]
CompanionsWish = Annotated[CompanionsAsked, Depends(companions_asked)]
ClonesWish = Annotated[ClonesAsked, Depends(clones_asked)]


@routes.get("/vehicles/route", Action.PASSAGE_SEE)
async def see_route(who: Who, here: Here, asked: RouteWish) -> RouteOut:
    """Where a vehicle was, leg by leg. Written down like every search."""
    return await routed(who, here, asked)


@routes.get("/vehicles/companions", Action.PASSAGE_SEE)
async def see_companions(who: Who, here: Here, asked: CompanionsWish) -> CompanionsOut:
    """Who passed the same checkpoints within so many seconds, so many times, at so many different ones."""
    return await accompanied(who, here, asked)


@routes.get("/vehicles/clones", Action.PASSAGE_SEE)
async def see_clones(who: Who, here: Here, asked: ClonesWish) -> ClonesOut:
    """Plates that two vehicles carry: two places, impossible speed. Looks through the newest 50,000 passages of the
    time asked for, and tells how far it came."""
    return await doubled(who, here, asked)


async def routed(who: Actor, here: Services, asked: RouteAsked, what: str = "route") -> RouteOut:
    """`what`: the question as it is written down; so it is with the two below."""
    moved = await here.vehicles.movement(who, asked.wish, stay_seconds=asked.stay_seconds, what=what)
    return RouteOut(
        passages=await _stops(here, moved), legs=_legs(moved), first_seen=moved.first_seen, more=moved.more
    )  # fmt: skip


async def accompanied(
    who: Actor, here: Services, asked: CompanionsAsked, what: str = "companions"
) -> CompanionsOut:  # fmt: skip
    """Who was with it."""
    found, looked = await here.vehicles.companions(
        who, asked.wish, within_seconds=asked.seconds, least=asked.times, places=asked.places, what=what
    )
    # Where no tollgate is known the device itself is the place.
    met_at = {meeting.own.place for one in found for meeting in one.meetings}
    names = await here.tollgates.names(sorted(place for place in met_at if place.startswith("tg_")))
    return CompanionsOut(
        items=[
            CompanionOut(plate=one.plate, places=one.places, meetings=[_meeting(each, names) for each in one.meetings])
            for one in found[:SHOWN]
        ],
        looked_at=looked_out(looked, all_shown=len(found) <= SHOWN),
    )


async def doubled(who: Actor, here: Services, asked: ClonesAsked, what: str = "cloned_plates") -> ClonesOut:
    """Plates at two places at once."""
    clones, looked = await here.vehicles.cloned(who, asked.wish, asked.kmh, what=what)
    shown = clones[-SHOWN:]
    found = await here.vehicles.whole([stop.passage for one in shown for stop in (one.start, one.end)])
    names = await here.tollgates.names(sorted({one.tollgate for one in found.values() if one.tollgate}))
    return ClonesOut(
        items=[
            CloneOut(
                plate=one.plate, start=found_out(found[one.start.passage], names, 0.0),
                end=found_out(found[one.end.passage], names, 0.0), km=one.km, seconds=one.seconds, kmh=one.kmh,
            )
            for one in shown
            if one.start.passage in found and one.end.passage in found
        ],
        looked_at=looked_out(looked, all_shown=len(clones) <= SHOWN),
    )  # fmt: skip


def _legs(moved: Movement) -> list[LegOut]:
    number = {one.id: index for index, one in enumerate(moved.passages)}
    impossible = {(one.start.passage, one.end.passage) for one in moved.clones}
    stays = {(one.start.passage, one.end.passage) for one in moved.stays}
    return [
        LegOut(
            start=number[leg.start.passage], end=number[leg.end.passage], seconds=leg.seconds, km=leg.km, kmh=leg.kmh,
            impossible=(leg.start.passage, leg.end.passage) in impossible,
            stay=(leg.start.passage, leg.end.passage) in stays,
        )
        for leg in moved.legs
    ]  # fmt: skip


async def _stops(here: Services, moved: Movement) -> list[RouteStop]:
    names = await here.tollgates.names(sorted({one.tollgate for one in moved.passages if one.tollgate}))

    def stop(one: Passage) -> RouteStop:
        place = moved.places.get(one.id)
        longitude, latitude = (place.longitude, place.latitude) if place is not None else (None, None)
        shown = found_out(one, names, moved.costs.get(one.plate, 0.0))
        return RouteStop(**shown.model_dump(), longitude=longitude, latitude=latitude)

    return [stop(one) for one in moved.passages]


def _meeting(one: Meeting, names: dict[str, str]) -> MeetingOut:
    return MeetingOut(
        passage=one.own.passage, other=one.other.passage, at=one.own.at, seconds=one.seconds,
        tollgate_name=names.get(one.own.place, ""),
    )  # fmt: skip
