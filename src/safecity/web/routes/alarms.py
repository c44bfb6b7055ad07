"""Alarms as received, and those of watches."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.alarms.api import Alarm, AlarmState
from safecity.core.ground.intake.api import PLATFORM
from safecity.core.upper.watches.api import METHOD
from safecity.kit.errors import NotFoundError, UnavailableError
from safecity.model.facts.media_calls import AskPicture, Picture
from safecity.web.guard import Here, Routes, Who
from safecity.web.media import note_watching
from safecity.web.routes.passages import PASSAGE_PICTURE
from safecity.web.services import Services
from safecity.web.shapes import JPEG, Answer, Ask, Moment, OptionalMoment, Page, Words, read_cursor, write_cursor
from safecity.web.texts import sentence
from safecity.web.texts.alarm_kinds import alarm_kind

routes = Routes("alarms")


class AlarmOut(Answer):
    """`description` is the device's own text, never ours; `kind` names method and type in words. The platform's own
    faults have the method `platform` and the code of their sentence as type.

    A watch's hit has the method `watch` and the type `exact` or `near`; `hit` and `watch` lead to it. It must be signed
    for (acknowledged) until `sign_by` and reported on until `report_by`, else it goes on to others (`escalated`)."""

    id: str
    at: Moment
    seen: Moment
    kind: str
    priority: int
    method: str
    type: str
    state: AlarmState
    channel: str | None
    channel_name: str | None
    device: str | None
    name: str
    description: str
    acknowledged_by: str | None
    acknowledged_at: OptionalMoment
    note: str
    has_picture: bool
    longitude: float | None
    latitude: float | None
    hit: str | None = None
    watch: str | None = None
    sign_by: OptionalMoment = None
    report_by: OptionalMoment = None
    reported_by: str | None = None
    reported_at: OptionalMoment = None
    result: str = ""
    report: str = ""
    escalated: int = 0


class AlarmPage(Page[AlarmOut]):
    """With the number of raised ones per priority."""

    counts: dict[int, int] = Field(default_factory=dict[int, int])


class AcknowledgeAsk(Ask):
    """A word about it."""

    note: Annotated[Words, Field()] = ""


@routes.get("/alarms", Action.ALARM_SEE)
async def list_alarms(
    who: Who,
    here: Here,
    state: Annotated[str, Query(max_length=20)] = "",
    channel: Annotated[str, Query(max_length=40)] = "",
    area: Annotated[str, Query(max_length=40)] = "",
    priority: Annotated[int, Query(ge=0, le=4)] = 0,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AlarmPage:
    """Newest first."""
    place = read_cursor(cursor, str)
    found = await here.alarms.page(
        who,
        before=place[0] if place else "",
        limit=limit + 1,
        state=state,
        channel=channel,
        area=area,
        priority=priority,
    )
    items = [_alarm(alarm, who) for alarm in found[:limit]]
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return AlarmPage(items=items, next=more, counts=await here.alarms.counts(who))


@routes.get("/alarms/{alarm}", Action.ALARM_SEE)
async def see_alarm(alarm: str, who: Who, here: Here) -> AlarmOut:
    """One alarm."""
    return _alarm(await here.alarms.see(who, alarm), who)


@routes.post("/alarms/{alarm}/acknowledge", Action.ALARM_ACKNOWLEDGE)
async def acknowledge_alarm(alarm: str, who: Who, here: Here, ask: AcknowledgeAsk | None = None) -> AlarmOut:
    """Take notice of it."""
    done = await here.alarms.acknowledge(who, alarm, ask.note if ask else "")
    here.vehicle_orders.confirm(done)
    here.hub.changed([("alarm", alarm)])
    if done.method == METHOD:
        here.hub.changed([("watch", "")])
    return _alarm(done, who)


@routes.get(
    "/alarms/{alarm}/picture", Action.ALARM_SEE, response_class=Response,
    responses={**JPEG, **PASSAGE_PICTURE},
)  # fmt: skip
async def see_alarm_picture(
    alarm: str, who: Who, here: Here, width: Annotated[int, Query(ge=0, le=3840)] = 0
) -> Response:
    """The picture of its channel when it was received: the one kept then, else out of the footage. Of a watch's hit
    the first picture of the passage, as it came."""
    found = await here.alarms.see(who, alarm)
    if found.method == METHOD:
        return await _passage_picture(found, who, here)
    if found.channel is None:
        raise NotFoundError("no channel", code="no_picture")
    # The picture is footage of the channel: whoever may not play that back does not see it here either.
    channel = await here.channels.find(who, Action.PLAYBACK_WATCH, found.channel)
    fmp4 = await here.alarm_pictures.read(found)
    if fmp4 is None:
        answer = await here.calls.call(channel.slot, AskPicture(channel.id, found.seen), timeout=10)
        if not isinstance(answer, Picture):
            raise UnavailableError("not a picture", code="answer_unexpected")
        fmp4 = answer.fmp4
    jpeg = await here.pictures.as_jpeg(fmp4, width)
    await note_watching(here, who, Action.PLAYBACK_WATCH, channel, alarm=alarm)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


async def _passage_picture(found: Alarm, who: Actor, here: Services) -> Response:
    # It shows the plate: who looks is written down, and must be one who may look at the passage.
    seen = await here.watches.hit(who, found.id)
    kept, data = await here.passages.picture(who, seen.hit.passage, 0, seen.watch.purpose)
    return Response(data, media_type=f"image/{kept.format}", headers={"Cache-Control": "private, max-age=3600"})


def _kind(alarm: Alarm, language: str) -> str:
    if alarm.method == PLATFORM:
        return sentence(alarm.type, alarm.body.get("params", {}), language)
    return alarm_kind(alarm.method, alarm.type, str(alarm.body.get("event_type", "")), language)


def _alarm(alarm: Alarm, who: Actor) -> AlarmOut:
    return AlarmOut(
        id=alarm.id, at=alarm.at, seen=alarm.seen, kind=_kind(alarm, who.language),
        priority=alarm.priority, method=alarm.method, type=alarm.type, state=alarm.state, channel=alarm.channel,
        channel_name=alarm.name if alarm.channel else None, device=alarm.device, name=alarm.name,
        description=alarm.description, acknowledged_by=alarm.acknowledged_by or None,
        acknowledged_at=alarm.acknowledged_at, note=alarm.note,
        has_picture=alarm.channel is not None or bool(alarm.body.get("pictures")),
        longitude=alarm.longitude, latitude=alarm.latitude, hit=alarm.body.get("hit"), watch=alarm.body.get("watch"),
        sign_by=alarm.sign_by, report_by=alarm.report_by, reported_by=alarm.reported_by or None,
        reported_at=alarm.reported_at, result=alarm.result, report=alarm.report, escalated=alarm.escalated,
    )  # fmt: skip
