"""Guidance signs: where they stand, what is wanted of them, and what they show by their own word."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor, allowed
from safecity.core.ground.signs.api import (
    SignMessage,
    SignReport,
    SignState,
    Standing,
    Suggested,
    Trouble,
    thing_of,
    width,
)
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import SafecityError
from safecity.web.guard import Here, Routes, Who
from safecity.web.routes.traffic import jams_now
from safecity.web.services import Services
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    Secret,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)
from safecity.web.texts import sentence
from safecity.web.texts.signs import warning

routes = Routes("signs")
JAM_US = 30 * 60 * SECOND_US
"""How long what is proposed for a jam would be shown; for a closure until it ends, at most a day."""
DAY_US = 86_400 * SECOND_US
Name = Annotated[str, Field(min_length=1, max_length=100)]
Line = Annotated[str, Field(max_length=80)]
SignLines = Annotated[list[Line], Field(min_length=1, max_length=16)]
Fallback = Annotated[list[Line], Field(max_length=16)]
Url = Annotated[str, Field(min_length=1, max_length=500)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-85, le=85)]
Direction = Annotated[int, Field(ge=0, lt=360)]
LineCount = Annotated[int, Field(ge=1, le=16)]
Columns = Annotated[int, Field(ge=2, le=80)]
Language = Literal["zh", "en"]
Priority = Annotated[int, Field(ge=1, le=4)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class SignMessageOut(Answer):
    """What somebody wants to stand on a sign from `start` until `end`. Priority 1 comes before 4, of the same priority
    the one that was set last. `cause`: the jam or closure that it is about."""

    id: str
    lines: list[str]
    priority: int
    start: Moment
    end: Moment
    reason: str
    cause: str
    set_by: str
    set_at: Moment
    withdrawn_by: str
    withdrawn_at: OptionalMoment


class SignSaidOut(Answer):
    """What a sign said last. `waiting`: it was not asked yet; `silent`: it does not answer, and `lines` are those that
    it said before. `message` is the id of what it shows, empty: its fallback. `since`: when it began to show it."""

    state: SignState
    code: str
    sentence: str
    message: str
    lines: list[str]
    since: OptionalMoment
    at: OptionalMoment


class SignOut(Answer):
    """A sign beside a road. `direction`: of the traffic that reads it, degrees from north. `lines` of `columns` letters
    each; a Chinese character takes two. `fallback`: what stands on it while there is no message. `says` is its own
    word, `wanted` what people set (null: its fallback). `heard_at`: when it answered last, null where it has not since
    the platform was started. `address` is empty for who may not change it."""

    id: str
    name: str
    address: str
    longitude: float
    latitude: float
    direction: int
    lines: int
    columns: int
    fallback: list[str]
    language: Language
    area: str | None
    enabled: bool
    created_by: str
    created_at: Moment
    revision: int
    says: SignSaidOut
    wanted: SignMessageOut | None
    heard_at: OptionalMoment


class SignMade(SignOut):
    """With the key that the sign needs as well; it is not shown again."""

    key: str


class SignAsk(Ask):
    """A new sign. Without a `key` one is made."""

    name: Name
    address: Url
    longitude: Longitude
    latitude: Latitude
    direction: Direction
    lines: LineCount
    columns: Columns
    fallback: Fallback = Field(default_factory=list[str])
    language: Language = "zh"
    area: ThingId | None = None
    enabled: bool = True
    key: Secret = ""


class SignPatch(Ask):
    """What is to change."""

    name: Name | None = None
    address: Url | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    direction: Direction | None = None
    lines: LineCount | None = None
    columns: Columns | None = None
    fallback: Fallback | None = None
    language: Language | None = None
    area: ThingId | None = None
    enabled: bool | None = None
    key: Secret | None = None


class SignMessageAsk(Ask):
    """What is to be shown; without `start` from now on."""

    lines: SignLines
    priority: Priority = 3
    start: OptionalMoment = None
    end: Moment
    reason: Reason
    cause: Annotated[str, Field(max_length=40)] = ""


class SignShownOut(Answer):
    """What a sign showed from then on, by its own word."""

    at: Moment
    state: SignState
    code: str
    sentence: str
    message: str
    lines: list[str]


class SignSuggestionOut(Answer):
    """What a sign before a jam or a closure could say. Nothing is shown before somebody sends it as a message."""

    sign: str
    name: str
    kind: Literal["jam", "works", "accident", "event", "weather", "order"]
    cause: str
    metres: float
    lines: list[str]
    priority: int
    end: Moment


class SignSuggestionsOut(Answer):
    """The nearest to a trouble first. `jams` false: nobody can say now where jams are."""

    items: list[SignSuggestionOut]
    jams: bool


@routes.get("/signs", Action.SIGN_VIEW)
async def list_signs(
    who: Who, here: Here,
    area: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str, Query(max_length=400)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[SignOut]:  # fmt: skip
    """By name, with what they say and what is wanted of them."""
    place = read_cursor(cursor, str, str)
    found = await here.signs.page(who, after=(place[0], place[1]) if place else None, limit=limit + 1, area=area)
    last = found[limit - 1].sign if len(found) > limit else None
    more = write_cursor(last.name, last.id) if last is not None else None
    return Page(items=[_out(here, one, who) for one in found[:limit]], next=more)


@routes.post("/signs", Action.SIGN_MANAGE, status_code=201, once=False)
async def add_sign(ask: SignAsk, who: Who, here: Here, response: Response) -> SignMade:
    """A new one; it is told its fallback at once."""
    values = _values({name: getattr(ask, name) for name in SignAsk.model_fields if name != "key"})
    standing, key = await here.signs.add(who, ask.key, values)
    told = _out(here, standing, who)
    return tag(response, SignMade(**{name: getattr(told, name) for name in SignOut.model_fields}, key=key))


@routes.get("/sign-suggestions", Action.SIGN_SHOW)
async def list_sign_suggestions(who: Who, here: Here) -> SignSuggestionsOut:
    """What jams and closures of now would have signs say that stand before them and say nothing of them yet."""
    now = here.clock.now_us()
    troubles = [
        Trouble(one.id, str(one.kind), (one.line,), directed=not one.both_ways, end=one.end)
        for one in await here.closures.page(who, before="", limit=200)
        if one.start <= now
    ]
    try:
        jams = await jams_now(who, here)
        troubles += [Trouble(one.id, "jam", one.lines or ((one.place,),)) for one in jams]
        known = True
    except SafecityError:
        known = False
    found = [_suggested(one, now) for one in await here.signs.suggested(who, troubles)]
    return SignSuggestionsOut(items=[one for one in found if one is not None][:100], jams=known)


@routes.get("/signs/{sign}", Action.SIGN_VIEW)
async def see_sign(sign: str, who: Who, here: Here, response: Response) -> SignOut:
    """One sign."""
    return tag(response, _out(here, await here.signs.see(who, sign), who))


@routes.patch("/signs/{sign}", Action.SIGN_MANAGE)
async def change_sign(
    sign: str, ask: SignPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> SignOut:
    """Change one."""
    given = {name: getattr(ask, name) for name in ask.model_fields_set if name != "key"}
    values = _values({name: value for name, value in given.items() if value is not None or name == "area"})
    standing = await here.signs.change(who, sign, read_revision(if_match), values, ask.key or None)
    return tag(response, _out(here, standing, who))


@routes.delete("/signs/{sign}", Action.SIGN_MANAGE, status_code=204)
async def delete_sign(sign: str, who: Who, here: Here) -> None:
    """Take one away, with its messages and its history. What stands on it goes within a quarter of an hour."""
    await here.signs.remove(who, sign)


@routes.get("/signs/{sign}/messages", Action.SIGN_VIEW)
async def list_sign_messages(
    sign: str, who: Who, here: Here,
    past: Annotated[bool, Query(description="Also those that are over or were withdrawn.")] = False,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[SignMessageOut]:  # fmt: skip
    """The newest first."""
    place = read_cursor(cursor, str)
    found = await here.signs.messages(who, sign, past=past, before=place[0] if place else "", limit=limit + 1)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_message(one) for one in found[:limit]], next=more)


@routes.post("/signs/{sign}/messages", Action.SIGN_SHOW, status_code=201)
async def show_sign_message(sign: str, ask: SignMessageAsk, who: Who, here: Here) -> SignMessageOut:
    """Have it shown. It ends by itself."""
    message = await here.signs.show(
        who, sign, lines=ask.lines, priority=ask.priority, start=ask.start, end=ask.end, reason=ask.reason,
        cause=ask.cause,
    )  # fmt: skip
    return _message(message)


@routes.delete("/signs/{sign}/messages/{message}", Action.SIGN_SHOW, status_code=204)
async def withdraw_sign_message(sign: str, message: str, who: Who, here: Here) -> None:
    """Take it off; the next one in rank is shown, or the fallback."""
    await here.signs.withdraw(who, sign, message)


@routes.get("/signs/{sign}/history", Action.SIGN_VIEW)
async def list_sign_history(
    sign: str, who: Who, here: Here, cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Page[SignShownOut]:  # fmt: skip
    """What it really showed, the newest first; kept for 90 days."""
    place = read_cursor(cursor, str)
    found = await here.signs.history(who, sign, before=place[0] if place else "", limit=limit + 1)
    more = write_cursor(found[limit - 1][0]) if len(found) > limit else None
    return Page(items=[_shown(one, who.language) for _, one in found[:limit]], next=more)


_OF_SIGN = SignOut.model_fields.keys() - {"says", "wanted", "heard_at"}


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """As the core has them."""
    return given | ({"fallback": tuple(given["fallback"])} if "fallback" in given else {})


def _message(one: SignMessage) -> SignMessageOut:
    values: dict[str, Any] = {name: getattr(one, name) for name in SignMessageOut.model_fields}
    values["lines"] = [*one.lines]
    return SignMessageOut(**values)


def _why(report: SignReport, language: str) -> str:
    return sentence(report.code, {}, language) if report.code else ""


def _shown(one: SignReport, language: str) -> SignShownOut:
    return SignShownOut(
        at=one.at, state=one.state, code=one.code, sentence=_why(one, language), message=one.message,
        lines=[*one.lines],
    )  # fmt: skip


def _out(here: Services, one: Standing, who: Actor) -> SignOut:
    report = one.report
    says = SignSaidOut(
        state=report.state, code=report.code, sentence=_why(report, who.language), message=report.message,
        lines=[*report.lines], since=report.since, at=report.at or None,
    )  # fmt: skip
    values: dict[str, Any] = {name: getattr(one.sign, name) for name in _OF_SIGN}
    values["fallback"] = [*one.sign.fallback]
    if not allowed(who, Action.SIGN_MANAGE, thing_of(one.sign)):
        values["address"] = ""
    return SignOut(
        **values, says=says,
        wanted=None if one.wanted is None else _message(one.wanted), heard_at=here.sign_teller.heard_at(one.sign.id),
    )  # fmt: skip


def _suggested(one: Suggested, now: int) -> SignSuggestionOut | None:
    sign, trouble = one.sign, one.trouble
    lines = warning(trouble.kind, one.metres, sign.language, sign.lines, sign.columns, width)
    if not lines:
        return None
    end = now + JAM_US if trouble.kind == "jam" else min(trouble.end or now + DAY_US, now + DAY_US)
    kind: Any = trouble.kind
    return SignSuggestionOut(
        sign=sign.id, name=sign.name, kind=kind, cause=trouble.id, metres=one.metres, lines=[*lines],
        priority=2 if trouble.kind == "accident" else 3, end=end,
    )  # fmt: skip
