"""The duty `control`: API and browser application, the city's data, the bus, and what the other duties should do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import safecity
from safecity.backends.bus import EmbeddedBus
from safecity.backends.history import DAY_US, DayFiles
from safecity.backends.leases import SqlLeases
from safecity.core.ground.duties.api import Keepalive
from safecity.core.ground.intake.api import placed
from safecity.core.ground.settings.api import Platform, VolumeWish
from safecity.core.ground.wizard.addresses import own_addresses
from safecity.core.ground.wizard.proposals import propose_platform
from safecity.core.upper.cases.api import CaseSettings
from safecity.core.upper.counts.api import CountSettings
from safecity.core.upper.fleet.api import Mailroom, attachment
from safecity.core.upper.violations.api import ViolationSettings
from safecity.core.upper.watches.api import WatchSettings
from safecity.drivers.mqtt.broker import VERSIONS, Broker
from safecity.drivers.mqtt.driver import PositionFeed
from safecity.drivers.signs.link import HttpSigns
from safecity.kit.errors import ConflictError, InvalidError, SafecityError
from safecity.links.ntp import ask_time
from safecity.model.facts.control_calls import Publish, Published
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.vehicle_calls import KeepAttachment, KeepMedia
from safecity.model.facts.vision_calls import OffenceSeen, VehicleRead
from safecity.server import hostclock
from safecity.server.context import RoleContext
from safecity.server.demo import import_demo
from safecity.server.engines import engines
from safecity.server.http_gate import Limits
from safecity.server.http_server import HttpServer, room_for_sockets
from safecity.server.mapfiles import sweep_maps
from safecity.server.processes import processes
from safecity.server.rtsp_probe import prober
from safecity.server.tls import certificate_files
from safecity.sim.town import CREDIT as DEMO_CREDIT
from safecity.web.app import create_app
from safecity.web.assembly import ask_lower, assemble
from safecity.web.front import RETRY_SECONDS, Front
from safecity.web.services import Services, WebSettings

logger = logging.getLogger(__name__)

HISTORY_CONSUMER = "history"
TRAFFIC_CONSUMER = "flow.traffic"
"""Where the duty `traffic` stands on the bus, if it ever ran."""
HISTORY_DAYS = 400
HISTORY_WAIT_SECONDS = 5.0
BUS_DAYS = 7
HOUSEKEEPING_SECONDS = 3600.0
DEFAULT_AREA = "340200"
"""Only so that a first camera can register before the wizard was there; the wizard proposes the real one."""


async def main(context: RoleContext) -> None:
    """Run until told to stop. The port answers from the first moment on, if only with what is wrong."""
    web = _web_settings(context, secrets.token_urlsafe(24))
    front = Front(web)
    pair = certificate_files(context.settings, sorted({public_host(context), "127.0.0.1", "localhost"}))
    limits = Limits(per_address=context.settings.http.connections_per_address, connections=room_for_sockets())
    server = HttpServer(front, limits, context.clock, certificate=pair)
    answering = asyncio.create_task(server.serve(sockets=[context.socket("http")]))
    stopping = asyncio.create_task(_stop(context, server))
    try:
        while not context.stopping.is_set():
            async with contextlib.AsyncExitStack() as stack:
                parts = await _opened(context, web, front, stack)
                if parts is not None:
                    await _serve(context, front, parts, answering)
                    return
            await _first(context.stopping.wait(), answering, timeout=RETRY_SECONDS)
            if answering.done():
                return
    finally:
        server.should_exit = True
        await asyncio.gather(answering, stopping, return_exceptions=True)


async def _opened(
    context: RoleContext, web: WebSettings, front: Front, stack: contextlib.AsyncExitStack
) -> tuple[Services, EmbeddedBus, DayFiles] | None:
    """All parts, loaded; None when something is missing that may come back, and then people are told what."""
    try:
        parts = await stack.enter_async_context(assembled(context, web))
        await parts[0].start()
    except (SafecityError, OSError) as error:
        if _lasting(error):
            raise
        if front.why.code != getattr(error, "code", "not_opened"):
            logger.error("platform cannot open its data, it tries again why=%s", error)
        front.waits(error)
        return None
    return parts


def _lasting(error: Exception) -> bool:
    """What waiting does not mend: a wrong setting, another process on the same data."""
    return isinstance(error, InvalidError | ConflictError)


async def _serve(
    context: RoleContext, front: Front, parts: tuple[Services, EmbeddedBus, DayFiles], answering: asyncio.Task[None]
) -> None:
    """Until the server ends."""
    services, bus, history = parts
    feed = position_feed(context, services)
    front.serves(create_app(services))
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(services.run(), name="services"),
            group.create_task(_keep_history(bus, history), name="history"),
            group.create_task(_keep_house(context, bus, history), name="housekeeping"),
            group.create_task(_announce(context, services), name="announce"),
        ]
        if feed is not None:
            tasks.append(group.create_task(feed.run(), name="positions of the broker"))
        if context.settings.demo.enabled:
            tasks.append(group.create_task(_bring_demo(context, services), name="demo"))
        await asyncio.wait({answering})
        for task in tasks:
            task.cancel()


def position_feed(context: RoleContext, services: Services) -> PositionFeed | None:
    """The broker of the settings, its letters taken by `services`; None: there is none."""
    settings = context.settings.mqtt
    url = settings.broker()
    if url is None:
        return None
    broker = Broker(
        url=url, topic=settings.topic, client_id=settings.client_id, version=VERSIONS[settings.version], ca=settings.ca
    )
    room = Mailroom(services.beacons, bound=settings.trust == "topic", address=url.place)
    feed = PositionFeed(broker, room, services.clock)
    services.position_feed = feed.figure
    return feed


async def _first(stopped: Coroutine[Any, Any, Any], answering: asyncio.Task[None], *, timeout: float) -> None:
    waiting = asyncio.ensure_future(stopped)
    await asyncio.wait({waiting, answering}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


@contextlib.asynccontextmanager
async def assembled(context: RoleContext, web: WebSettings) -> AsyncGenerator[tuple[Services, EmbeddedBus, DayFiles]]:
    """The parts of control, opened and served, closed in the other order."""
    async with engines(context.settings.engines, context.data_dir) as opened:
        bus, history = opened.bus, opened.history
        handlers, streams = bus.handlers()

        async def publish(message: Publish) -> Message:
            born = await opened.database.read(lambda tx: placed(tx, message.events))
            return Published(new=await bus.publish(born))

        async def read(message: VehicleRead) -> Message:
            await services.readings.take(message)
            return Done()

        async def caught(message: OffenceSeen) -> Message:
            if await services.caught.take(message):
                services.hub.changed([("violation", "")])
            return Done()

        async def took(message: KeepMedia) -> Message:
            await services.vehicle_media.keep(message)
            return Done()

        async def attached(message: KeepAttachment) -> Message:
            await services.vehicle_media.attach(message, attachment(context.calls, message.spool))
            return Done()

        services = assemble(
            database=opened.database,
            leases=SqlLeases(opened.database),
            calls=context.calls,
            bus=bus,
            blobs=opened.blobs,
            history=history,
            clock=context.clock,
            web=web,
            defaults=_defaults(context),
            probe=prober(allow_loopback=context.settings.loopback_cameras()),
            processes=lambda: processes(context.run_dir),
            export_command=(sys.executable, "-m", "safecity.media.export"),
            on_demo_removed=lambda: _demo_removed(context),
            ask_time=lambda host, port: ask_time(host, port, context.clock),
            clock_kept=hostclock.is_kept,
            ask_lower=partial(ask_lower, allow_loopback=context.settings.loopback_cameras()),
            sign_link=HttpSigns(allow_loopback=context.settings.loopback_cameras()),
        )
        await context.server.serve(
            "control",
            {
                **handlers,
                Publish: publish,
                VehicleRead: read,
                OffenceSeen: caught,
                KeepMedia: took,
                KeepAttachment: attached,
            },
            streams,
        )
        yield services, bus, history


def public_host(context: RoleContext) -> str:
    """What cameras and browsers reach, as far as this machine can know: settings, a bound address, the best found."""
    settings = context.settings
    if settings.http.public_host:
        return settings.http.public_host
    if settings.sip.host not in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return settings.sip.host
    return own_addresses()[0].address


def _defaults(context: RoleContext) -> Platform:
    proposal = propose_platform(DEFAULT_AREA)
    record = context.settings.record
    return Platform(
        code=proposal.code,
        domain=proposal.domain,
        public_host=public_host(context),
        area_code=DEFAULT_AREA,
        retention_days=record.retention_days,
        floor_days=record.floor_days,
        volumes=tuple(
            VolumeWish(name=v.name, path=v.path, max_gib=v.max_gib, layout=v.layout, extent_mib=v.extent_mib)
            for v in record.volumes
        ),
        demo=context.settings.demo.enabled,
    )


def _web_settings(context: RoleContext, setup_token: str) -> WebSettings:
    settings = context.settings
    dist = os.environ.get("SAFECITY_UI_DIST", "")
    first = settings.media.rtp_first_port
    return WebSettings(
        slots=tuple(f"media-{number}" for number in range(settings.media.slot_count())),
        data_dir=context.data_dir,
        run_dir=context.run_dir,
        secrets_dir=context.data_dir / "secrets",
        http_port=settings.http.port,
        media_port=settings.media.port,
        sip_port=settings.sip.port,
        jt808_port=settings.jt808.port if settings.jt808.enabled else 0,
        ais_port=settings.ais.port if settings.ais.enabled else 0,
        rtp_ports=(first, first + settings.media.slot_count() * settings.media.rtp_ports - 1),
        tls=settings.http.tls != "off",
        ui_dist=Path(dist) if dist and Path(dist).is_dir() else None,
        setup_token=setup_token,
        session_idle_minutes=settings.http.session_idle_minutes,
        session_hours=settings.http.session_hours,
        keepalive=Keepalive(seconds=settings.sip.keepalive_seconds, misses=settings.sip.keepalive_misses),
        version=safecity.__version__,
        alarm_picture_days=settings.record.alarm_picture_days,
        vehicle_media_days=settings.jt808.picture_days,
        watches=WatchSettings(**asdict(settings.watches)),
        violations=ViolationSettings(**asdict(settings.violations)),
        cases=CaseSettings(**asdict(settings.cases)),
        counts=CountSettings(**asdict(settings.counts)),
        uppers=settings.viid.libraries(),
        upper_keepalive_seconds=settings.viid.keepalive_seconds,
        roads=settings.roads.enabled,
        vision=tuple(f"vision-{number}" for number in range(settings.vision.slots)),
    )


async def _stop(context: RoleContext, server: HttpServer) -> None:
    await context.stopping.wait()
    server.should_exit = True


async def _announce(context: RoleContext, services: Services) -> None:
    """Print where to go, once everything answers."""
    while not services.ready:  # noqa: ASYNC110 - once, for less than a second
        await asyncio.sleep(0.05)
    scheme = "https" if services.web.tls else "http"
    token = services.web.setup_token if await services.people.nobody_yet() else ""
    base = f"{scheme}://127.0.0.1:{services.web.http_port}/"
    link_file = context.run_dir / "setup-link"
    lines = ["", f"  Safecity {safecity.__version__} is running: {base}"]
    host = public_host(context)
    if host != "127.0.0.1":
        lines.append(f"  from other machines:    {scheme}://{host}:{services.web.http_port}/")
    if token:
        link = f"{base}?setup={token}"
        try:
            link_file.touch(mode=0o600)
            link_file.write_text(link, "utf-8")
        except OSError as error:  # a full disk; whoever started us reads the link below
            logger.warning("link not written path=%s why=%s", link_file, error)
        lines += ["", "  Create the first administrator (the link works once):", f"  {link}"]
    else:
        link_file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # a file on a full disk, a terminal that was closed
        sys.stdout.write("\n".join([*lines, "", ""]))
        sys.stdout.flush()
    await asyncio.Event().wait()


async def _bring_demo(context: RoleContext, services: Services) -> None:
    try:
        await import_demo(context.data_dir / "demo", services)
    except SafecityError as error:
        logger.warning("demo city not brought in code=%s why=%s", error.code, error)


async def _demo_removed(context: RoleContext) -> None:
    """The supervisor looks for this file and stops the simulated city."""
    folder = context.data_dir / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "removed").touch()
    _forget_drawn_roads(context.settings.roads_dir())


def _forget_drawn_roads(folder: Path) -> None:
    """The town was drawn for the demo; a network that somebody imported stays."""
    current = folder / "current"
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((folder / f"{current.read_text('ascii').strip()}.json").read_text("utf-8"))
        if told.get("credit") == DEMO_CREDIT:
            current.unlink()


async def _keep_history(bus: EmbeddedBus, history: DayFiles) -> None:
    """Copy every event into the files by day; a double is dropped there."""
    async for _ in bus.bell():
        try:
            while batch := await bus.pull(HISTORY_CONSUMER, (), 500):
                await history.append([event for _, event in batch])
                await bus.acknowledge(HISTORY_CONSUMER, batch[-1][0])
        except (SafecityError, OSError) as error:  # what was not copied stays in the bus
            logger.warning("history waits why=%s", error)
            await asyncio.sleep(HISTORY_WAIT_SECONDS)


async def _forget_maps(context: RoleContext) -> None:
    """Those of slots that were taken away: without them nobody but control is there to do it."""
    try:
        gone = await asyncio.to_thread(sweep_maps, context.data_dir / "vision", context.settings.vision.slots)
    except OSError as error:
        logger.warning("heat maps of slots that are gone stay why=%s", error)
        return
    if gone:
        logger.info("heat maps of slots that are gone were deleted files=%s", ",".join(gone))


async def _keep_house(context: RoleContext, bus: EmbeddedBus, history: DayFiles) -> None:
    if not context.settings.roads.enabled:
        await bus.forget(TRAFFIC_CONSUMER)
    await _forget_maps(context)
    while True:
        now = context.clock.now_us()
        try:
            swept = await bus.sweep(now - BUS_DAYS * DAY_US)
            dropped = await history.drop_before(now - HISTORY_DAYS * DAY_US)
            if swept or dropped:
                logger.info("old events forgotten bus=%s history_days=%s", swept, dropped)
        except (SafecityError, OSError) as error:
            logger.warning("old events stay why=%s", error)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
