"""Channels: list, tree, live, playback, timeline, snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.channels.api import Channel, ChannelState
from safecity.core.ground.channels.service import Seen
from safecity.core.ground.devices.api import Position, find, of_devices
from safecity.core.ground.exports.api import check_range
from safecity.core.ground.places.api import areas_by_path
from safecity.kit.errors import UnavailableError
from safecity.model.facts.media_calls import AskDays, AskPicture, AskTimeline, Days, Picture, RecordPolicy, Timeline
from safecity.model.values.media import Quality
from safecity.ports.database import Tx
from safecity.web.guard import Here, Routes, Who
from safecity.web.media import choose_quality, make_ticket, media_url, note_watching, open_live
from safecity.web.services import Services
from safecity.web.shapes import (
    JPEG,
    Answer,
    Ask,
    IfMatch,
    Moment,
    OptionalMoment,
    Page,
    Params,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("channels")
When = Annotated[Moment, Query()]
_EMPTIED = ("area", "organisation", "longitude", "latitude", "ptz_offers")
"""What a null takes away; elsewhere it changes nothing."""
YEAR_US = 366 * 86_400_000_000
RecordMode = Literal["off", "continuous", "schedule"]


class PositionOut(Answer):
    """Where it was seen last: degrees, km/h, degrees from north, metres; null where it does not say."""

    at: Moment
    longitude: float
    latitude: float
    speed: float | None
    direction: float | None
    altitude: float | None


class SpanShape(Ask):
    """A weekly span: weekday 0 is Monday, minutes of the local day, half-open."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    start_minute: Annotated[int, Field(ge=0, le=1440)]
    end_minute: Annotated[int, Field(ge=0, le=1440)]


class RecordOut(Answer):
    """How the channel is kept. `retention_days` 0 and `max_bytes` 0: no limit of that kind; `floor_days` is what other
    channels never take away. `priority` 1 is kept longest when the disk is short."""

    mode: RecordMode
    quality: Quality
    schedule: list[SpanShape]
    pre_roll_seconds: int
    post_roll_seconds: int
    retention_days: int
    max_bytes: int
    floor_days: int
    priority: int


class RecordPatch(Ask):
    """What is to change of it."""

    mode: RecordMode | None = None
    quality: Quality | None = None
    schedule: Annotated[list[SpanShape], Field(max_length=100)] | None = None
    pre_roll_seconds: int | None = None
    post_roll_seconds: int | None = None
    retention_days: int | None = None
    max_bytes: int | None = None
    floor_days: int | None = None
    priority: int | None = None


class ChannelOut(Answer):
    """A channel and how it stands. `sentence` says the `step` in the reader's language."""

    id: str
    name: str
    code: str
    device: str
    device_name: str
    area: str | None
    area_name: str
    organisation: str | None
    tags: list[str]
    enabled: bool
    present: bool
    ptz: bool
    qualities: list[Quality]
    record: RecordOut
    recording: bool
    simulated: bool
    state: ChannelState
    step: str
    params: Params
    sentence: str
    since: OptionalMoment
    manufacturer: str
    model: str
    place: str
    longitude: float | None
    latitude: float | None
    position: PositionOut | None
    ptz_offers: list[str] | None
    slot: str
    revision: int


class ChannelPatch(Ask):
    """What is to change; `record` is merged field by field. `ptz_offers` null: whatever the edition may have."""

    name: Text | None = None
    area: ThingId | None = None
    organisation: ThingId | None = None
    tags: Annotated[list[Text], Field(max_length=20)] | None = None
    enabled: bool | None = None
    ptz: bool | None = None
    ptz_offers: Annotated[list[Text], Field(max_length=40)] | None = None
    qualities: Annotated[list[Quality], Field(max_length=2)] | None = None
    record: RecordPatch | None = None
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
    quality: Quality
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
    if_match: IfMatch = None,
) -> ChannelOut:  # fmt: skip
    """Change a channel."""
    given = {k: v for k, v in ask.given().items() if v is not None or k in _EMPTIED}
    changed = await here.channels.change(who, channel, read_revision(if_match), given)
    here.duties.look_again()
    here.hub.changed([("channel", channel)])
    return await _tagged(here, who, response, changed)


@routes.post("/channels/{channel}/live", Action.LIVE_WATCH, once=False)
async def open_channel(channel: str, ask: LiveAsk, who: Who, here: Here, request: Request) -> TicketOut:
    """An address for live pictures; the failed step in words when the device gives none."""
    found = await here.channels.find(who, Action.LIVE_WATCH, channel)
    quality = choose_quality(found, ask.quality)
    await open_live(here, found, quality)
    await note_watching(here, who, Action.LIVE_WATCH, found, quality=str(quality))
    ticket, expires = make_ticket(here, who, found, "live", quality)
    return TicketOut(url=media_url(here, request, "live", ticket), expires=expires, quality=quality, codecs=None)


@routes.post("/channels/{channel}/playback", Action.PLAYBACK_WATCH, once=False)
async def open_playback(channel: str, ask: PlaybackAsk, who: Who, here: Here, request: Request) -> TicketOut:
    """An address for recorded pictures."""
    found = await here.channels.find(who, Action.PLAYBACK_WATCH, channel)
    end = ask.end or 0
    if end:
        check_range(ask.start, end, YEAR_US)
    quality = choose_quality(found, str(found.record.get("quality", "main")))
    await note_watching(here, who, Action.PLAYBACK_WATCH, found, start=ask.start, end=end)
    ticket, expires = make_ticket(here, who, found, "playback", quality, ask.start, end)
    return TicketOut(url=media_url(here, request, "playback", ticket), expires=expires, quality=quality, codecs=None)


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
    responses=JPEG,
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

    def around(tx: Tx) -> _Around:
        devices = {seen.channel.device for seen in found}
        known = {device: find(tx, device) for device in devices}
        areas = areas_by_path(tx, list({seen.channel.area_path for seen in found}))
        return _Around(
            {d: (v.name, v.demo) for d, v in known.items() if v}, {path: a.name for path, a in areas.items()},
            of_devices(tx, devices),
        )  # fmt: skip

    about = await here.database.read(around)
    return [_out(here, who, seen, about) for seen in found]


@dataclass(frozen=True, slots=True)
class _Around:
    """Of the devices of a page: name and whether it is of the demo city; names of areas by path; positions."""

    devices: dict[str, tuple[str, bool]]
    areas: dict[str, str]
    positions: dict[tuple[str, str], Position]


def position_out(position: Position | None) -> PositionOut | None:
    """As the reader sees it."""
    return None if position is None else PositionOut.model_validate(position, from_attributes=True)


def _out(here: Services, who: Actor, seen: Seen, about: _Around) -> ChannelOut:
    channel, standing = seen.channel, seen.standing
    device, demo = about.devices.get(channel.device, ("", False))
    streams = here.board.streams_of(channel.id)
    return ChannelOut(
        id=channel.id, name=channel.name, code=channel.code, device=channel.device, device_name=device,
        area=channel.area, area_name=about.areas.get(channel.area_path, ""), organisation=channel.organisation,
        tags=sorted(channel.tags), enabled=channel.enabled, present=channel.present, ptz=channel.ptz,
        qualities=[Quality(one) for one in channel.qualities], record=_record(channel),
        recording=any(stream.recording for stream in streams.values()), simulated=demo, state=standing.state,
        step=standing.step, params=standing.params,
        sentence=sentence(standing.step, standing.params, who.language) if standing.step else "",
        since=standing.since or None, manufacturer=channel.manufacturer, model=channel.model, place=channel.place,
        longitude=channel.longitude, latitude=channel.latitude,
        position=position_out(about.positions.get((channel.device, channel.code))), ptz_offers=channel.ptz_offers,
        slot=channel.slot, revision=channel.revision,
    )  # fmt: skip


def _record(channel: Channel) -> RecordOut:
    """What is not set is as a slot would take it."""
    fields = RecordPolicy(**{k: v for k, v in channel.record.items() if k in RecordPolicy.__struct_fields__})
    return RecordOut(**{name: getattr(fields, name) for name in RecordOut.model_fields})


async def _tagged(here: Services, who: Actor, response: Response, seen: Seen) -> ChannelOut:
    return tag(response, (await channels_out(here, who, [seen]))[0])
