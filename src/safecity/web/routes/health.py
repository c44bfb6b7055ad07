"""How the platform is: streams, volumes, processes, the audit log; and the two questions of a supervisor."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from safecity.core.ground.access.api import PLATFORM, Action, Actor, allowed, scope
from safecity.core.ground.audit.api import Entry, page
from safecity.core.ground.channels.api import find_many, thing_of
from safecity.kit.errors import ForbiddenError, SafecityError, UnavailableError
from safecity.model.facts.media_calls import AskStreams, StreamFigure, StreamFigures
from safecity.web.guard import PUBLIC, Here, Routes, Who, client_address
from safecity.web.metrics import EVENTS_SET_ASIDE, REGISTRY
from safecity.web.services import Services
from safecity.web.shapes import Answer, Moment, OptionalMoment, Page, read_cursor, write_cursor
from safecity.web.texts import sentence

routes = Routes("health")
open_routes = Routes("probes")


class StreamOut(Answer):
    """One stream now; `sentence` says the failed step."""

    channel: str
    channel_name: str
    quality: str
    state: str
    step: str
    sentence: str
    params: dict[str, Any]
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


class HealthOut(Answer):
    """All of it."""

    now: Moment
    streams: list[StreamOut]
    volumes: list[VolumeOut]
    processes: list[ProcessOut]
    udp_drops: int


class AuditOut(Answer):
    """A record of the chain."""

    id: str
    at: Moment
    actor: str
    actor_name: str
    action: str
    object_kind: str
    object: str
    object_name: str
    outcome: str
    reason: str
    address: str
    details: dict[str, Any]
    hash: str


@routes.get("/health", Action.HEALTH_SEE)
async def see_health(who: Who, here: Here) -> HealthOut:
    """Streams that the reader may see; volumes and processes for whoever sees the whole platform's health."""
    slots = here.web.slots
    answers = await asyncio.gather(*(_figures(here, slot) for slot in slots))
    streams: list[StreamOut] = []
    volumes: list[VolumeOut] = []
    processes = {str(p["name"]): p for p in await here.processes()}
    drops = 0
    whole = allowed(who, Action.HEALTH_SEE, PLATFORM)
    for slot, answer in zip(slots, answers, strict=True):
        process = processes.setdefault(slot, {"name": slot, "state": "running"})
        if isinstance(answer, SafecityError):
            process.update(state="silent", step=answer.code)
            continue
        drops += answer.udp_drops
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
        udp_drops=drops,
    )


@routes.get("/audit", Action.AUDIT_SEE)
async def see_audit(
    who: Who,
    here: Here,
    actor: Annotated[str, Query(max_length=40)] = "",
    object: Annotated[str, Query(max_length=40)] = "",  # noqa: A002 - the word of the contract
    action: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[AuditOut]:
    """Who did or watched what, newest first."""
    place = read_cursor(cursor, int)
    before = place[0] if place else 0
    seen = scope(who, Action.AUDIT_SEE)
    found = await here.database.read(
        lambda tx: page(tx, seen, before=before, limit=limit + 1, actor=actor, thing=object, action=action)
    )
    more = write_cursor(found[limit - 1].seq) if len(found) > limit else None
    return Page(items=[_audit(entry) for entry in found[:limit]], next=more)


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
    EVENTS_SET_ASIDE.set(here.intake.failed)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _figures(here: Services, slot: str) -> StreamFigures | SafecityError:
    try:
        answer = await here.calls.call(slot, AskStreams(), timeout=3)
    except SafecityError as error:
        return error
    return answer if isinstance(answer, StreamFigures) else UnavailableError("no figures", code="answer_unexpected")


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
        values.update(
            quality=str(figure.quality), last_frame_at=figure.last_frame_at or None, opened_at=figure.opened_at or None
        )
        said = sentence(figure.step, figure.params, who.language) if figure.step else ""
        out.append(StreamOut(**values, channel_name=channel.name, sentence=said, slot=slot))
    return out


def _process(raw: dict[str, Any], who: Actor) -> ProcessOut:
    step = str(raw.get("step", ""))
    known = {name: value for name, value in raw.items() if name in ProcessOut.model_fields}
    known["since"] = raw.get("since_us") or None
    known["sentence"] = sentence(step, raw, who.language) if step else ""
    return ProcessOut(**known)


def _audit(entry: Entry) -> AuditOut:
    record = entry.record
    return AuditOut(
        id=str(entry.seq), at=record.at, actor=record.actor, actor_name=record.actor_name, action=record.action,
        object_kind=record.kind, object=record.thing, object_name=record.thing_name, outcome=record.outcome,
        reason=record.reason, address=record.address, details=record.details, hash=entry.hash.hex(),
    )  # fmt: skip
