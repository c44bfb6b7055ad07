"""Channels: list, tree, live, playback, timeline, snapshot."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.channels.service import Seen
from safecity.core.ground.devices.api import find
from safecity.core.ground.exports.api import check_range
from safecity.core.ground.places.api import areas_by_path
from safecity.kit.errors import UnavailableError
from safecity.model.facts.media_calls import AskDays, AskPicture, AskTimeline, Days, Picture, Timeline
from safecity.ports.database import Tx
from safecity.web.guard import Here, Routes, Who
from safecity.web.media import choose_quality, make_ticket, media_url, note_watching, open_live
from safecity.web.services import Services
from safecity.web.shapes import (
    Answer,
    Ask,
    Moment,
    OptionalMoment,
    Page,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("channels")
When = Annotated[Moment, Query()]
YEAR_US = 366 * 86_400_000_000


class ChannelOut(Answer):
    """A channel and how it stands. `sentence` says the `step` in the reader's language."""

    id: str
    name: str
    code: str
    device: str
    device_name: str
    area: str | None
    area_name: str
    tags: list[str]
    enabled: bool
    present: bool
    ptz: bool
    qualities: list[str]
    record: dict[str, Any]
    recording: bool
    simulated: bool
    state: str
    step: str
    params: dict[str, Any]
    sentence: str
    since: OptionalMoment
    manufacturer: str
    model: str
    place: str
    longitude: float | None
    latitude: float | None
    slot: str
    revision: int


class ChannelPatch(Ask):
    """What is to change; `record` is merged field by field."""

    name: Text | None = None
    area: ThingId | None = None
    tags: Annotated[list[Text], Field(max_length=20)] | None = None
    enabled: bool | None = None
    ptz: bool | None = None
    qualities: Annotated[list[Literal["main", "sub"]], Field(max_length=2)] | None = None
    record: Annotated[dict[str, Any], Field(max_length=20)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None


class LiveAsk(Ask):
    """`auto` leaves the choice to us."""

    quality: Literal["main", "sub", "auto"] = "auto"


class PlaybackAsk(Ask):
    """Where to begin, and perhaps where to end (default: open)."""

    start: Moment
    end: OptionalMoment = None


class TicketOut(Answer):
    """An address that opens once, within a minute."""

    url: str
    expires: Moment
    quality: str
    codecs: list[str] | None


class PieceOut(Answer):
    """A stretch of footage."""

    start_us: int
    end_us: int
    held: bool
    origin: str


class GapOut(Answer):
    """A stretch without, and why."""

    start_us: int
    end_us: int
    cause: str
    detail: str


class TimelineOut(Answer):
    """Pieces and gaps in order."""

    channel: str
    pieces: list[PieceOut]
    gaps: list[GapOut]


class DaysOut(Answer):
    """Starts of the days with footage, microseconds UTC."""

    days: list[int]


@routes.get("/channels", Action.CHANNEL_SEE)
async def list_channels(
    who: Who,
    here: Here,
    area: Annotated[str, Query(max_length=40)] = "",
    device: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ChannelOut]:
    """Channels, by name."""
    place = read_cursor(cursor, str, str)
    after = None if place is None else (place[0], place[1])
    found, more = await here.channels.page(who, after=after, limit=limit, area=area, device=device, q=q, state=state)
    return Page(items=await channels_out(here, who, found), next=write_cursor(*more) if more else None)


@routes.get("/channels/{channel}", Action.CHANNEL_SEE)
async def see_channel(channel: str, who: Who, here: Here, response: Response) -> ChannelOut:
    """One channel."""
    return await _tagged(here, who, response, await here.channels.see(who, channel))


@routes.patch("/channels/{channel}", Action.CHANNEL_CHANGE)
async def change_channel(
    channel: str, ask: ChannelPatch, who: Who, here: Here, response: Response,
    if_match: Annotated[str | None, Header(max_length=50)] = None,
) -> ChannelOut:  # fmt: skip
    """Change a channel."""
    given = {k: v for k, v in ask.given().items() if v is not None or k in ("area", "longitude", "latitude")}
    changed = await here.channels.change(who, channel, read_revision(if_match), given)
    here.duties.look_again()
    here.hub.changed([("channel", channel)])
    return await _tagged(here, who, response, changed)


@routes.post("/channels/{channel}/live", Action.LIVE_WATCH)
async def open_channel(channel: str, ask: LiveAsk, who: Who, here: Here, request: Request) -> TicketOut:
    """An address for live pictures; the failed step in words when the device gives none."""
    found = await here.channels.find(who, Action.LIVE_WATCH, channel)
    quality = choose_quality(found, ask.quality)
    await open_live(here, found, quality)
    await note_watching(here, who, Action.LIVE_WATCH, found, quality=str(quality))
    ticket, expires = make_ticket(here, who, found, "live", quality)
    return TicketOut(url=media_url(here, request, "live", ticket), expires=expires, quality=str(quality), codecs=None)


@routes.post("/channels/{channel}/playback", Action.PLAYBACK_WATCH)
async def open_playback(channel: str, ask: PlaybackAsk, who: Who, here: Here, request: Request) -> TicketOut:
    """An address for recorded pictures."""
    found = await here.channels.find(who, Action.PLAYBACK_WATCH, channel)
    end = ask.end or 0
    if end:
        check_range(ask.start, end, YEAR_US)
    quality = choose_quality(found, str(found.record.get("quality", "main")))
    await note_watching(here, who, Action.PLAYBACK_WATCH, found, start=ask.start, end=end)
    ticket, expires = make_ticket(here, who, found, "playback", quality, ask.start, end)
    return TicketOut(
        url=media_url(here, request, "playback", ticket), expires=expires, quality=str(quality), codecs=None
    )


@routes.get("/channels/{channel}/timeline", Action.PLAYBACK_WATCH)
async def see_timeline(
    channel: str, start: When, end: When, who: Who, here: Here,
    resolution_ms: Annotated[int, Query(ge=0, le=86_400_000)] = 2000,
) -> TimelineOut:  # fmt: skip
    """What is recorded of [start, end), and why what is missing is missing."""
    found = await here.channels.find(who, Action.PLAYBACK_WATCH, channel)
    check_range(start, end, YEAR_US)
    answer = await here.calls.call(_slot(found.slot), AskTimeline(channel, start, end, resolution_ms), timeout=10)
    if not isinstance(answer, Timeline):
        raise UnavailableError("not a timeline", code="answer_unexpected")
    return TimelineOut(
        channel=channel,
        pieces=[PieceOut(start_us=p.start, end_us=p.end, held=p.held, origin=p.origin) for p in answer.pieces],
        gaps=[GapOut(start_us=g.start, end_us=g.end, cause=g.cause, detail=g.detail) for g in answer.gaps],
    )


@routes.get("/channels/{channel}/days", Action.PLAYBACK_WATCH)
async def see_days(
    channel: str, start: When, end: When, who: Who, here: Here,
    offset_minutes: Annotated[int, Query(ge=-840, le=840)] = 480,
) -> DaysOut:  # fmt: skip
    """Which days have footage."""
    found = await here.channels.find(who, Action.PLAYBACK_WATCH, channel)
    check_range(start, end, 10 * YEAR_US)
    answer = await here.calls.call(_slot(found.slot), AskDays(channel, start, end, offset_minutes), timeout=10)
    return DaysOut(days=list(answer.days) if isinstance(answer, Days) else [])


@routes.get(
    "/channels/{channel}/snapshot", Action.LIVE_WATCH, response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)  # fmt: skip
async def see_snapshot(
    channel: str, who: Who, here: Here,
    at: Annotated[Moment, Query()] = 0,
    width: Annotated[int, Query(ge=0, le=3840)] = 0,
) -> Response:  # fmt: skip
    """A JPEG of now, or of the key frame at or before `at`."""
    action = Action.PLAYBACK_WATCH if at else Action.LIVE_WATCH
    found = await here.channels.find(who, action, channel)
    quality = choose_quality(found, str(found.record.get("quality", "main")) if at else "main")
    answer = await here.calls.call(_slot(found.slot), AskPicture(channel, at, quality), timeout=10)
    if not isinstance(answer, Picture):
        raise UnavailableError("not a picture", code="answer_unexpected")
    jpeg = await here.pictures.as_jpeg(answer.fmp4, width)
    await note_watching(here, who, action, found, picture=answer.at)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store", "X-At-Us": str(answer.at)})


def _slot(slot: str) -> str:
    if not slot:
        raise UnavailableError("the channel has no slot", code="channel_not_placed")
    return slot


async def channels_out(here: Services, who: Actor, found: list[Seen]) -> list[ChannelOut]:
    """With the names of device and area."""

    def names(tx: Tx) -> tuple[dict[str, tuple[str, bool]], dict[str, str]]:
        devices = {seen.channel.device for seen in found}
        known = {device: find(tx, device) for device in devices}
        areas = areas_by_path(tx, list({seen.channel.area_path for seen in found}))
        return {d: (v.name, v.demo) for d, v in known.items() if v}, {path: a.name for path, a in areas.items()}

    devices, areas = await here.database.read(names)
    return [_out(here, who, seen, *devices.get(seen.channel.device, ("", False)), areas) for seen in found]


def _out(here: Services, who: Actor, seen: Seen, device: str, demo: bool, areas: dict[str, str]) -> ChannelOut:
    channel, standing = seen.channel, seen.standing
    streams = here.board.streams_of(channel.id)
    mode = channel.record.get("mode", "off")
    running = any(stream.state == "running" for stream in streams.values())
    return ChannelOut(
        id=channel.id, name=channel.name, code=channel.code, device=channel.device, device_name=device,
        area=channel.area, area_name=areas.get(channel.area_path, ""), tags=sorted(channel.tags),
        enabled=channel.enabled, present=channel.present, ptz=channel.ptz, qualities=list(channel.qualities),
        record=channel.record, recording=running and mode == "continuous", simulated=demo, state=standing.state,
        step=standing.step, params=standing.params,
        sentence=sentence(standing.step, standing.params, who.language) if standing.step else "",
        since=standing.since or None, manufacturer=channel.manufacturer, model=channel.model, place=channel.place,
        longitude=channel.longitude, latitude=channel.latitude, slot=channel.slot, revision=channel.revision,
    )  # fmt: skip


async def _tagged(here: Services, who: Actor, response: Response, seen: Seen) -> ChannelOut:
    response.headers["ETag"] = f'"{seen.channel.revision}"'
    return (await channels_out(here, who, [seen]))[0]
