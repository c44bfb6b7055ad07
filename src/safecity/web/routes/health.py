"""How the platform is: streams, volumes, processes; and the two questions of a supervisor."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request, Response
from msgspec.structs import replace
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from safecity.core.ground.access.api import PLATFORM, Action, Actor, allowed, scope
from safecity.core.ground.channels.api import find_many, thing_of
from safecity.core.ground.images.api import UplinkFigure
from safecity.core.upper.fleet.api import MAX_FEATURES, OLD_DAYS
from safecity.kit.errors import ForbiddenError, SafecityError, UnavailableError
from safecity.model.facts.media_calls import AskStreams, StreamFigure, StreamFigures
from safecity.model.facts.vision_calls import TaskFigure
from safecity.model.values.media import Quality
from safecity.ports.positions import FeedFigure
from safecity.web.clock import ClockOut, clock_out
from safecity.web.guard import PUBLIC, Here, Routes, Who, client_address
from safecity.web.metrics import EVENTS_SET_ASIDE, REGISTRY
from safecity.web.services import Services
from safecity.web.shapes import Answer, Moment, OptionalMoment, Params
from safecity.web.texts import sentence

routes = Routes("health")
open_routes = Routes("probes")
FIGURES = 1000
"""Streams in one answer: with codes and parameters of failed steps about 0.4 MB of the 1 MiB a frame holds."""

_AS_A_SUM = {"position_flood": "mqtt_flood"}
_OF_ALL = {"limit": MAX_FEATURES, "days": OLD_DAYS, "field": "speed_kmh, direction"}
"""What is said of one position is here said of many."""


class StreamOut(Answer):
    """One stream now; `sentence` says the failed step."""

    channel: str
    channel_name: str
    quality: Quality
    state: str
    step: str
    sentence: str
    params: Params
    codec: str
    width: int
    height: int
    bits_per_second: float
    frames_per_second: float
    last_frame_at: OptionalMoment
    packets: int
    packets_lost: int
    units: int
    units_damaged: int
    viewers: int
    recording: bool
    transport: str
    audio: str
    opened_at: OptionalMoment
    reconnects: int
    slot: str


class VolumeOut(Answer):
    """One volume as one slot sees it."""

    name: str
    path: str
    state: str
    layout: str
    mode: str
    total_bytes: int
    free_bytes: int
    recorded_bytes: int
    held_bytes: int
    code: str
    sentence: str
    slot: str


class ProcessOut(Answer):
    """One duty."""

    name: str
    state: str
    pid: int | None = None
    since: OptionalMoment = None
    restarts: int = 0
    lag_ms: float | None = None
    memory_bytes: int | None = None
    step: str = ""
    sentence: str = ""


class AnalysisOut(Answer):
    """One camera that is looked at. `granted_fps` is less than `wanted_fps` where the processors are not enough, 0
    where key frames must do; `fps` is what was reached; `still` the share of pictures in which nothing moved.
    `decode_ms` of each second, `look_ms` of each picture looked at: processor time. `state` is `left_out` where one
    slot has more cameras than it takes, `silent` where the slot does not answer. `no_vehicle`: readings that were told
    to nobody (signs by the road); `unpictured`: vehicles told without a picture, because too many were in sight;
    `not_read`: vehicles that drove through a lane's zone and whose plate was not read, filed or not."""

    channel: str
    channel_name: str
    slot: str
    state: str
    wanted_fps: float
    granted_fps: float
    fps: float
    decode_ms: float
    look_ms: float
    still: float
    vehicles: int
    crashes: int
    no_vehicle: int = 0
    unpictured: int = 0
    not_read: int = 0


class FeedRefused(Answer):
    """What was not taken, and how often (docs/standards/positions.md)."""

    code: str
    sentence: str
    times: int


class FeedOut(Answer):
    """The broker that positions come from. `state`: `online` or `offline`. Since the process began: `messages`, the
    positions that were `taken`, how many of these were `doubled` (known already), and what was `refused`, the most
    frequent first. `waiting`: messages that are not on the disk yet; the broker keeps them."""

    name: str
    state: str
    since: Moment
    code: str
    sentence: str
    messages: int
    taken: int
    doubled: int
    waiting: int
    refused: list[FeedRefused]


class UpperOut(Answer):
    """A library above that we register at (GA/T 1400). `state`: `registered`, `refused` or `offline`, `since` then;
    `heard`: its last answer; `times`: how often we registered since the process began."""

    place: str
    state: str
    since: Moment
    heard: OptionalMoment
    code: str
    sentence: str
    times: int


class HealthOut(Answer):
    """All of it. `readings_waiting`: what vision slots read and control has not filed yet; `readings_lost`: what never
    will be, because the disk did not take it, gave it back wrong, or too many waited. `second_reader` of plates:
    `used`, `absent` where a slot has to do without, empty where no plate is looked for. `intruders`: connections to
    media ports that named a vehicle terminal which nobody expected there."""

    now: Moment
    streams: list[StreamOut]
    volumes: list[VolumeOut]
    processes: list[ProcessOut]
    analysis: list[AnalysisOut]
    readings_waiting: int
    readings_lost: int
    second_reader: str
    udp_drops: int
    accepts_failed: int
    intruders: int
    facts_waiting: int
    facts_dropped: int
    clock: ClockOut | None
    broker: FeedOut | None = None
    uppers: list[UpperOut] = Field(default_factory=list[UpperOut])


@routes.get("/health", Action.HEALTH_SEE)
async def see_health(who: Who, here: Here) -> HealthOut:
    """Streams that the reader may see; volumes and processes for whoever sees the whole platform's health."""
    slots = here.web.slots
    answers = await asyncio.gather(*(_figures(here, slot) for slot in slots))
    streams: list[StreamOut] = []
    volumes: list[VolumeOut] = []
    processes = {str(p["name"]): p for p in await here.processes()}
    drops = refused = waiting = lost = intruders = 0
    whole = allowed(who, Action.HEALTH_SEE, PLATFORM)
    for slot, answer in zip(slots, answers, strict=True):
        process = processes.setdefault(slot, {"name": slot, "state": "running"})
        if isinstance(answer, SafecityError):
            process.update(state="silent", step=answer.code)
            continue
        drops += answer.udp_drops
        refused += answer.accepts_failed
        waiting += answer.facts_waiting
        lost += answer.facts_dropped
        intruders += answer.intruders
        process.setdefault("lag_ms", answer.loop_lag_ms)
        streams += await _streams(here, who, slot, answer.streams)
        volumes += [
            VolumeOut(
                **{name: getattr(v, name) for name in v.__struct_fields__},
                sentence=sentence(v.code, {"volume": v.name}, who.language) if v.code else "", slot=slot,
            )
            for v in answer.volumes
        ]  # fmt: skip
    return HealthOut(
        now=here.clock.now_us(),
        streams=streams,
        volumes=volumes if whole else [],
        processes=[_process(p, who) for p in processes.values()] if whole else [],
        analysis=await _analysis(here, who),
        readings_waiting=sum(one.waiting for one in here.duties.looking.values()),
        readings_lost=sum(one.lost for one in here.duties.looking.values()),
        second_reader=min((one.second_reader for one in here.duties.looking.values() if one.second_reader), default=""),
        udp_drops=drops,
        clock=clock_out(here.timekeeper.standing, who.language) if whole else None,
        broker=_feed(here.position_feed(), who) if whole else None,
        uppers=[_upper(one, who) for one in here.uplinks.figures()] if whole else [],
        accepts_failed=refused,
        facts_waiting=waiting,
        facts_dropped=lost,
        intruders=intruders,
    )


@open_routes.get("/healthz", PUBLIC, include_in_schema=False)
async def is_alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@open_routes.get("/readyz", PUBLIC, include_in_schema=False)
async def is_ready(here: Here) -> dict[str, str]:
    """It can serve: started, and the database answers."""
    if not here.ready:
        raise UnavailableError("still starting", code="starting")
    await here.settings.read()
    return {"status": "ready"}


@open_routes.get("/metrics", PUBLIC, include_in_schema=False)
async def see_metrics(request: Request, here: Here) -> Response:
    """For a collector on this machine only."""
    if client_address(request) not in ("127.0.0.1", "::1") or request.headers.get("x-forwarded-for"):
        raise ForbiddenError("from this machine only", code="local_only")
    followers = (here.intake, here.watch_follower, here.fence_follower, here.section_follower)
    EVENTS_SET_ASIDE.set(sum(one.failed for one in followers))
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _figures(here: Services, slot: str) -> StreamFigures | SafecityError:
    """Of all the slot's streams, however many messages that takes."""
    streams: list[StreamFigure] = []
    after = ""
    try:
        while True:
            answer = await here.calls.call(slot, AskStreams(after, FIGURES), timeout=3)
            if not isinstance(answer, StreamFigures):
                return UnavailableError("no figures", code="answer_unexpected")
            streams += answer.streams
            if not answer.next or answer.next <= after:
                return replace(answer, streams=tuple(streams))
            after = answer.next
    except SafecityError as error:
        return error


async def _streams(here: Services, who: Actor, slot: str, figures: tuple[StreamFigure, ...]) -> list[StreamOut]:
    ids = list({figure.channel for figure in figures if figure.channel.startswith("ch_")})
    known = await here.database.read(lambda tx: find_many(tx, ids))
    seen = scope(who, Action.HEALTH_SEE)
    out: list[StreamOut] = []
    for figure in figures:
        channel = known.get(figure.channel)
        if channel is None or not seen.allows(thing_of(channel)):
            continue
        values = {name: getattr(figure, name) for name in figure.__struct_fields__}
        values.update(last_frame_at=figure.last_frame_at or None, opened_at=figure.opened_at or None)
        said = sentence(figure.step, figure.params, who.language) if figure.step else ""
        out.append(StreamOut(**values, channel_name=channel.name, sentence=said, slot=slot))
    return out


async def _analysis(here: Services, who: Actor) -> list[AnalysisOut]:
    looking = here.duties.looking
    tasks = [(slot, task) for slot, told in sorted(looking.items()) for task in told.tasks]
    # A process that is down must not look like nothing to do.
    tasks += [
        (slot, TaskFigure(task.channel, "silent", task.fps, 0, 0, 0, 0, 0, 0, 0))
        for slot, message in sorted(here.duties.to_look.items()) if slot not in looking for task in message.plates
    ]  # fmt: skip
    known = await here.database.read(lambda tx: find_many(tx, [task.channel for _, task in tasks]))
    seen = scope(who, Action.HEALTH_SEE)
    found: list[AnalysisOut] = []
    for slot, task in tasks:
        channel = known.get(task.channel)
        if channel is not None and seen.allows(thing_of(channel)):
            values = {name: getattr(task, name) for name in task.__struct_fields__}
            found.append(AnalysisOut(**values, channel_name=channel.name, slot=slot))
    return found


def _feed(told: FeedFigure | None, who: Actor) -> FeedOut | None:
    if told is None:
        return None
    made = ("sentence", "refused")
    values = {name: getattr(told, name) for name in FeedOut.model_fields if name not in made}
    refused = [
        FeedRefused(code=code, sentence=sentence(_AS_A_SUM.get(code, code), _OF_ALL, who.language), times=times)
        for code, times in sorted(told.refused.items(), key=lambda one: -one[1])
    ]
    said = sentence(told.code, told.params, who.language) if told.code else ""
    return FeedOut(**values, sentence=said, refused=refused)


def _upper(told: UplinkFigure, who: Actor) -> UpperOut:
    values = {name: getattr(told, name) for name in UpperOut.model_fields if name != "sentence"}
    params = {"host": told.place, "status": told.status}
    return UpperOut(**values, sentence=sentence(told.code, params, who.language) if told.code else "")


def _process(raw: dict[str, Any], who: Actor) -> ProcessOut:
    step = str(raw.get("step", ""))
    known = {name: value for name, value in raw.items() if name in ProcessOut.model_fields}
    known["since"] = raw.get("since_us") or None
    known["sentence"] = sentence(step, raw, who.language) if step else ""
    return ProcessOut(**known)
