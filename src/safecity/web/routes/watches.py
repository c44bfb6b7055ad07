"""Watches and their hits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.alarms.api import AlarmState
from safecity.core.ground.images.api import Answering
from safecity.core.ground.passages.api import confusable
from safecity.core.upper.watches.api import HitSeen, HitState, Watch, WatchState, check_plate, differs
from safecity.protocols.gat1400.vehicles import clean_plate
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.passages import Colour
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
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("watches")
Pattern = Annotated[str, Field(min_length=1, max_length=40)]
Seats = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=50)]
Result = Literal["caught", "checked", "not_found", "not_it", "other"]
HitKind = Literal["exact", "near"]
Duty = Literal["unsigned", "unreported", "reported"]
_DUTIES: dict[str, tuple[AlarmState, ...]] = {
    "": (),
    "unsigned": (AlarmState.RAISED,),
    "unreported": (AlarmState.RAISED, AlarmState.ACKNOWLEDGED),
    "reported": (AlarmState.CLEARED,),
}


class WatchTellingOut(Answer):
    """The library that asked for the watch wants to be told its hits at `receive_addr` (GA/T 1400,
    DispositionNotification); approving the watch allows it. Near misses and hits of restricted checkpoints are not.

    `delivered` hits arrived, `waiting` ones are still to be told; `lost` ones never will be: past their time, the
    library locked out, or it would not take them. Of those that turned out to be none, the library was asked to delete
    the notification: it did (`recalled`), or would not (`not_recalled`).
    """

    receive_addr: str
    allowed: bool
    delivered: int
    waiting: int
    lost: int
    last_error: str
    recalled: int = 0
    not_recalled: int = 0


class WatchOut(Answer):
    """A standing order to alarm when a vehicle appears. `yours`: you proposed it, so that another one must approve.

    In `plate`, `*` stands for any characters and `?` for one. With `near`, one character that readers take for another
    hits too. `seats` get its alarms, `further` after them where nobody signs or reports in time: `user:ID`,
    `organisation:ID` or `role:NAME`. `restricted`: passages of restricted checkpoints are compared too; their hits go
    to administrators. `origin`: another library asked for it (GA/T 1400). `telling`: that library wants to be told.
    """

    id: str
    plate: str
    near: bool
    plate_colour: Colour
    colour: Colour
    vehicle_class: str
    reason: str
    case_number: str
    purpose: PurposeWord
    priority: int
    valid_from: Moment
    valid_until: Moment
    area: str | None
    organisation: str | None
    seats: list[str]
    further: list[str]
    state: WatchState
    restricted: bool
    proposed_by: str
    proposed_name: str
    proposed_at: Moment
    decided_name: str
    decided_at: OptionalMoment
    decision: str
    ended_name: str
    ended_at: OptionalMoment
    ending: str
    origin: str | None
    hits: int
    yours: bool
    revision: int
    telling: WatchTellingOut | None


class WatchAsk(Ask):
    """A proposal: it does nothing until somebody else approves it."""

    plate: Pattern
    near: bool = True
    plate_colour: Colour = ""
    colour: Colour = ""
    vehicle_class: Annotated[str, Field(max_length=10)] = ""
    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    case_number: Annotated[str, Field(max_length=100)] = ""
    purpose: PurposeWord = "security"
    priority: Annotated[int, Field(ge=1, le=4)] = 1
    valid_from: OptionalMoment = None
    valid_until: Moment
    area: ThingId | None = None
    organisation: ThingId | None = None
    seats: Annotated[Seats, Field(min_length=1)]
    further: Seats = Field(default_factory=list[str])


class WatchWords(Ask):
    """Why; for the log and for whoever reads the watch."""

    reason: Annotated[Words, Field()] = ""


class WatchPreview(Answer):
    """How a pattern is read. `confusable`: what each of its characters may be taken for, by place. `outcome`: what a
    plate would be that passed."""

    plate: str
    exact: bool
    confusable: list[list[str]]
    against: str
    outcome: Literal["", "exact", "near", "none"]


class WatchHitOut(Answer):
    """A watch met its target. `near`: one character was read otherwise, at place `differs` of `plate`, from 0.

    `state`: `taken_back` where the passage was corrected or withdrawn, `called_off` where the watch was withdrawn
    first. `yours`: you may sign and report. `late`: it was told long after the vehicle passed.
    """

    id: str
    watch: str
    watch_state: WatchState
    wanted: str
    reason: str
    case_number: str
    purpose: PurposeWord
    passage: str
    alarm: str
    state: HitState
    kind: HitKind
    differs: int | None
    plate: str
    tollgate: str | None
    place_name: str
    lane: int | None
    direction: str
    speed_kmh: float | None
    at: Moment
    raised_at: Moment
    late: bool
    pictures: int
    priority: int
    yours: bool
    sign_by: OptionalMoment
    signed_by: str | None
    signed_at: OptionalMoment
    report_by: OptionalMoment
    reported_by: str | None
    reported_at: OptionalMoment
    result: str
    report: str
    escalated: int


class ReportAsk(Ask):
    """What came of it: the vehicle was `caught`, `checked` and let go, `not_found`, or `not_it`."""

    result: Result
    report: Annotated[str, Field(max_length=2000)] = ""


@routes.get("/watches", Action.WATCH_SEE)
async def list_watches(
    who: Who,
    here: Here,
    state: Annotated[WatchState | Literal[""], Query()] = "",
    area: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[WatchOut]:
    """Newest first; `q` is looked for in plate, case number and reason. The look is written down."""
    place = read_cursor(cursor, str)
    before = place[0] if place else ""
    found, hits = await here.watches.page(who, before=before, limit=limit + 1, state=state, area=area, text=q)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    telling = await here.watches.answering([one.id for one in found[:limit]])
    return Page(items=[_watch(one, hits.get(one.id, 0), who, telling) for one in found[:limit]], next=more)


@routes.get("/watches/preview", Action.WATCH_PROPOSE)
async def preview_watch(
    who: Who,
    here: Here,
    plate: Annotated[str, Query(max_length=40)],
    near: Annotated[bool, Query()] = True,
    against: Annotated[str, Query(max_length=40)] = "",
) -> WatchPreview:
    """How a pattern is read, and whether a plate would hit it; nothing is looked for."""
    pattern, other = check_plate(plate), clean_plate(against)
    fits, at = differs(pattern, other, near=near) if other else (False, None)
    others = [sorted(set(confusable(letter)) - {letter}) if near and letter != "?" else [] for letter in pattern.text]
    outcome = "" if not other else "none" if not fits else "exact" if at is None else "near"
    return WatchPreview(plate=pattern.text, exact=pattern.exact, confusable=others, against=other, outcome=outcome)


@routes.post("/watches", Action.WATCH_PROPOSE, status_code=201)
async def propose_watch(ask: WatchAsk, who: Who, here: Here, response: Response) -> WatchOut:
    """Propose one; it is in force once another person has approved it."""
    values = {name: getattr(ask, name) for name in WatchAsk.model_fields}  # moments as they are, not as they look
    begins = who.at if ask.valid_from is None else ask.valid_from
    seats = {name: frozenset(values[name]) for name in ("seats", "further")}
    watch = await here.watches.propose(who, {**values, **seats, "valid_from": begins})
    here.hub.changed([("watch", "")])
    return tag(response, _watch(watch, 0, who, {}))


@routes.get("/watches/{watch}", Action.WATCH_SEE)
async def see_watch(watch: str, who: Who, here: Here, response: Response) -> WatchOut:
    """One watch. The look is written down."""
    found, hits = await here.watches.see(who, watch)
    return tag(response, _watch(found, hits, who, await here.watches.answering([watch])))


@routes.post("/watches/{watch}/approve", Action.WATCH_APPROVE)
async def approve_watch(
    watch: str, who: Who, here: Here, response: Response, ask: WatchWords | None = None, if_match: IfMatch = None
) -> WatchOut:
    """Put it in force, at once. Never by who proposed it."""
    return await _decided(watch, who, here, response, ask, if_match, approve=True)


@routes.post("/watches/{watch}/refuse", Action.WATCH_APPROVE)
async def refuse_watch(
    watch: str, who: Who, here: Here, response: Response, ask: WatchWords | None = None, if_match: IfMatch = None
) -> WatchOut:
    """Do not put it in force; that ends it."""
    return await _decided(watch, who, here, response, ask, if_match, approve=False)


async def _decided(
    watch: str, who: Actor, here: Here, response: Response, ask: WatchWords | None, if_match: str | None, *,
    approve: bool,
) -> WatchOut:  # fmt: skip
    words = ask.reason if ask else ""
    revision = read_revision(if_match)
    done = await here.watches.decide(who, watch, approve=approve, revision=revision, words=words)
    here.hub.changed([("watch", "")])
    return tag(response, _watch(done, 0, who, await here.watches.answering([watch])))


@routes.post("/watches/{watch}/withdraw", Action.WATCH_WITHDRAW)
async def withdraw_watch(
    watch: str, who: Who, here: Here, response: Response, ask: WatchWords | None = None, if_match: IfMatch = None
) -> WatchOut:
    """End it: silent from this moment on; hits that nobody has reported on are called off."""
    words = ask.reason if ask else ""
    done = await here.watches.withdraw(who, watch, revision=read_revision(if_match), words=words)
    here.hub.changed([("watch", "")])
    telling = await here.watches.answering([watch])
    return tag(response, _watch(done, await here.watches.hit_count(watch), who, telling))


@routes.get("/hits", Action.WATCH_SEE)
async def list_hits(
    who: Who,
    here: Here,
    watch: Annotated[str, Query(max_length=40)] = "",
    kind: Annotated[HitKind | Literal[""], Query()] = "",
    duty: Annotated[Duty | Literal[""], Query()] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[WatchHitOut]:
    """Newest first: those for your seats, of your own watches, and where you approve watches. The look is written
    down."""
    place = read_cursor(cursor, str)
    found = await here.watches.hits(
        who, before=place[0] if place else "", limit=limit + 1, watch=watch, kind=kind, duty=_DUTIES[duty]
    )
    more = write_cursor(found[limit - 1].hit.id) if len(found) > limit else None
    return Page(items=[_hit(one) for one in found[:limit]], next=more)


@routes.get("/hits/{hit}", Action.WATCH_SEE)
async def see_hit(hit: str, who: Who, here: Here) -> WatchHitOut:
    """One hit, by its id or that of its alarm. The look is written down; its pictures are those of the passage."""
    return _hit(await here.watches.hit(who, hit))


@routes.post("/hits/{hit}/sign", Action.ALARM_ACKNOWLEDGE)
async def sign_hit(hit: str, who: Who, here: Here, ask: WatchWords | None = None) -> WatchHitOut:
    """Take it on, as acknowledging its alarm does."""
    alarm = await here.watches.alarm_of(who, hit)
    await here.alarms.acknowledge(who, alarm, ask.reason if ask else "")
    here.hub.changed([("alarm", alarm), ("watch", "")])
    return _hit(await here.watches.shown(who, hit))


@routes.post("/hits/{hit}/report", Action.ALARM_REPORT)
async def report_hit(hit: str, ask: ReportAsk, who: Who, here: Here) -> WatchHitOut:
    """Say what came of it; that ends its alarm."""
    alarm = await here.watches.report(who, hit, ask.result, ask.report)
    here.hub.changed([("alarm", alarm), ("watch", "")])
    return _hit(await here.watches.shown(who, hit))


def _watch(one: Watch, hits: int, who: Actor, telling: Mapping[str, Answering]) -> WatchOut:
    own = ("seats", "further", "hits", "yours", "telling")
    values = {name: getattr(one, name) for name in WatchOut.model_fields if name not in own}
    seats = {"seats": sorted(one.seats), "further": sorted(one.further)}
    told = telling.get(one.id)
    return WatchOut.model_validate({
        **values, **seats, "hits": hits, "yours": one.proposed_by == who.user,
        "telling": None if told is None else asdict(told),
    })  # fmt: skip


def _hit(seen: HitSeen) -> WatchHitOut:
    hit, alarm, watch = seen.hit, seen.alarm, seen.watch
    own = (
        "id", "watch", "passage", "alarm", "state", "kind", "differs", "plate", "tollgate", "place_name", "lane",
        "direction", "speed_kmh", "at", "raised_at", "late",
    )  # fmt: skip
    return WatchHitOut.model_validate({
        **{name: getattr(hit, name) for name in own},
        "watch_state": watch.state, "wanted": watch.plate, "reason": watch.reason, "case_number": watch.case_number,
        "purpose": watch.purpose, "pictures": seen.pictures, "priority": alarm.priority,
        "yours": seen.yours, "sign_by": alarm.sign_by, "signed_by": alarm.acknowledged_by or None,
        "signed_at": alarm.acknowledged_at, "report_by": alarm.report_by, "reported_by": alarm.reported_by or None,
        "reported_at": alarm.reported_at, "result": alarm.result, "report": alarm.report, "escalated": alarm.escalated,
    })  # fmt: skip
