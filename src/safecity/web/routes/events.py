"""The event socket: what changes is pushed to whoever may see it, and nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from safecity.core.ground.access.api import ROOT, Action, Actor, SignedIn, Thing, scope
from safecity.core.ground.alarms.api import Alarm
from safecity.core.ground.alarms.api import find as find_alarm
from safecity.core.ground.alarms.api import may_see as may_see_alarm
from safecity.core.ground.channels.api import find_many, thing_of
from safecity.core.ground.devices.api import find as find_device
from safecity.core.ground.devices.api import thing_of as thing_of_device
from safecity.kit.errors import InvalidError
from safecity.model.facts.envelope import Event
from safecity.ports.database import Tx
from safecity.web.guard import same_origin
from safecity.web.hub import Viewer
from safecity.web.metrics import SOCKETS
from safecity.web.pushes import EventOut, PushedChannel, PushedEvent
from safecity.web.services import Services

router = APIRouter(tags=["events"])
PROTOCOL = "safecity.v1"
RECHECK_SECONDS = 15.0
_BODIES = frozenset({"alarm.received", "stream.lost", "stream.recovered"})
"""Only of these the body travels; for the others the browser asks again, through the same door as always."""


@router.websocket("/events")
async def follow_events(socket: WebSocket, after: Annotated[int, Query(ge=0)] = 0) -> None:
    """`after` is the position of the last event seen. Close codes: 4401 sign in, 4403 foreign page, 4429 too
    many sockets of this session."""
    here: Services = socket.app.state.services
    if not same_origin(socket):
        await socket.close(4403)
        return
    found = await _signed_in(here, socket)
    if found is None:
        await socket.close(4401)
        return
    if here.hub.full_for(found.session.id):
        await socket.close(4429)
        return
    viewer = here.hub.join(found.session.id, after)
    SOCKETS.inc()
    try:
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", []) else None)
        reader = asyncio.create_task(_read(socket, viewer))
        try:
            await _write(here, socket, viewer, found)
        finally:
            reader.cancel()
    except (WebSocketDisconnect, RuntimeError):
        pass  # the browser left
    finally:
        here.hub.leave(viewer)
        SOCKETS.dec()


async def _signed_in(here: Services, socket: WebSocket) -> SignedIn | None:
    token = socket.cookies.get(here.web.cookie, "")
    address = socket.client.host if socket.client else ""
    return await here.access.who(token, address=address, request="")


async def _read(socket: WebSocket, viewer: Viewer) -> None:
    """The browser has nothing to say; what matters is when it leaves."""
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
    finally:
        viewer.ended = True
        viewer.bell.set()


async def _write(here: Services, socket: WebSocket, viewer: Viewer, found: SignedIn) -> None:
    checked = here.clock.monotonic()
    while not viewer.ended:
        try:
            async with asyncio.timeout(RECHECK_SECONDS):
                await viewer.bell.wait()
        except TimeoutError:
            await socket.send_text('{"type":"alive"}')
        viewer.bell.clear()
        if here.clock.monotonic() - checked >= RECHECK_SECONDS:
            again = await _signed_in(here, socket)
            if again is None:
                break
            found, checked = again, here.clock.monotonic()
        batch = [viewer.queue.popleft() for _ in range(len(viewer.queue))]
        if viewer.lost:
            viewer.lost = 0
            await socket.send_text('{"type":"reset"}')
        for message in await _visible(here, found.actor, batch):
            await socket.send_text(json.dumps(message, ensure_ascii=False))
    await socket.close(4401)


async def _visible(here: Services, who: Actor, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The part of the batch that `who` may see, as it goes out."""
    if not batch:
        return []
    return await here.database.read(lambda tx: [m for raw in batch if (m := _one(here, tx, who, raw)) is not None])


def _one(here: Services, tx: Tx, who: Actor, raw: dict[str, Any]) -> dict[str, Any] | None:
    match raw["type"]:
        case "_event":
            event: Event = raw["event"]
            if not _may_see(tx, who, event.kind, event.subject, event.area, event.organisation):
                return None
            return PushedEvent(position=raw["position"], event=_event(event)).model_dump()
        case "_channel":
            found = find_many(tx, [raw["channel"]]).get(raw["channel"])
            if found is None or not scope(who, Action.CHANNEL_SEE).allows(thing_of(found)):
                return None
            standing = here.board.standing(found)
            return PushedChannel(
                id=found.id, state=standing.state, step=standing.step, params=standing.params
            ).model_dump()
        case "ptz_lock":
            return raw if _may_see(tx, who, "channel", raw["channel"]) else None
        case "changed":
            if not _may_see(tx, who, raw["kind"], raw["id"]):
                return None
            return PushedEvent(event=EventOut(kind=f"{raw['kind']}.changed", subject=raw["id"])).model_dump()
        case _:
            return raw


def _may_see(tx: Tx, who: Actor, kind: str, subject: str, area: str = "", organisation: str = "") -> bool:
    first = kind.split(".", 1)[0]
    action = {
        "alarm": Action.ALARM_SEE,
        "device": Action.DEVICE_SEE,
        "catalog": Action.DEVICE_SEE,
        "area": Action.AREA_SEE,
        "export": Action.EXPORT_SEE,
        "volume": Action.HEALTH_SEE,
        "tollgate": Action.TOLLGATE_SEE,
        "passage": Action.PASSAGE_SEE,
        "subscription": Action.SUBSCRIPTION_SEE,
        "watch": Action.WATCH_SEE,
        "violation": Action.VIOLATION_SEE,
        "case": Action.CASE_SEE,
        "traffic": Action.TRAFFIC_SEE,
        "fence": Action.FENCE_SEE,
        "sign": Action.SIGN_VIEW,
        "vehicle": Action.DEVICE_SEE,
    }.get(first, Action.CHANNEL_SEE)
    allowed = scope(who, action)
    if allowed.empty:
        return False
    if subject.startswith("al_"):
        alarm = _alarm(tx, subject)
        return alarm is not None and may_see_alarm(tx, who, alarm)
    thing = _thing(tx, subject) or Thing(first, area or ROOT, organisation=organisation or ROOT)
    # Of these only that something changed is told, never what.
    silent = ("area", "export", "tollgate", "passage", "subscription", "watch", "violation", "case", "traffic")
    # A list of fences or signs that changed names none; what a vehicle did at one is for who may see both.
    nameless = first in ("fence", "sign") and not subject
    return first in silent or nameless or allowed.allows(thing)


def _thing(tx: Tx, subject: str) -> Thing | None:
    try:
        if subject.startswith("ch_"):
            channel = find_many(tx, [subject]).get(subject)
            return thing_of(channel) if channel else None
        if subject.startswith("dv_"):
            device = find_device(tx, subject)
            return thing_of_device(device) if device else None
    except InvalidError:
        return None
    return None


def _alarm(tx: Tx, subject: str) -> Alarm | None:
    try:
        return find_alarm(tx, subject)
    except InvalidError:
        return None


def _event(event: Event) -> EventOut:
    return EventOut(
        id=event.id, kind=event.kind, subject=event.subject, at=event.at, mode=str(event.mode),
        body=event.body if event.kind in _BODIES else {},
    )  # fmt: skip
