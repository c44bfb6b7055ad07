"""The duty `control`: API and browser application, the city's data, the bus, and what the other duties should do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import uvicorn

import safecity
from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import open_database
from safecity.backends.history import DAY_US, DayFiles
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.duties.api import Keepalive
from safecity.core.ground.settings.api import Platform, VolumeWish
from safecity.core.ground.wizard.addresses import own_addresses
from safecity.core.ground.wizard.proposals import propose_platform
from safecity.kit.errors import SafecityError
from safecity.server.context import RoleContext
from safecity.server.demo import import_demo
from safecity.server.processes import processes
from safecity.server.rtsp_probe import probe as rtsp_probe
from safecity.server.tls import certificate_files
from safecity.web.app import create_app
from safecity.web.services import Services, WebSettings, assemble

logger = logging.getLogger(__name__)

HISTORY_CONSUMER = "history"
HISTORY_DAYS = 400
HISTORY_WAIT_SECONDS = 5.0
BUS_DAYS = 7
HOUSEKEEPING_SECONDS = 3600.0
DEFAULT_AREA = "340200"
"""Only so that a first camera can register before the wizard was there; the wizard proposes the real one."""


async def main(context: RoleContext) -> None:
    """Run until told to stop."""
    async with assembled(context) as (services, bus, history):
        server = _HttpServer(_http_config(context, services))
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(services.run(), name="services"),
                group.create_task(_keep_history(bus, history), name="history"),
                group.create_task(_keep_house(context, bus, history), name="housekeeping"),
                group.create_task(_announce(context, services), name="announce"),
                group.create_task(_stop(context, server), name="stop"),
            ]
            if context.settings.demo.enabled:
                tasks.append(group.create_task(_bring_demo(context, services), name="demo"))
            await server.serve(sockets=[context.socket("http")])
            for task in tasks:
                task.cancel()


@contextlib.asynccontextmanager
async def assembled(context: RoleContext) -> AsyncGenerator[tuple[Services, EmbeddedBus, DayFiles]]:
    """The parts of control, opened and served, closed in the other order."""
    folder = context.data_dir / "control"
    database = open_database(f"sqlite:///{folder / 'control.db'}")
    bus = EmbeddedBus(open_file, folder / "bus.db")
    history = DayFiles(open_file, folder / "history")
    try:
        handlers, streams = bus.handlers()
        await context.server.serve("control", handlers, streams)
        services = assemble(
            database=database,
            calls=context.calls,
            bus=bus,
            clock=context.clock,
            web=_web_settings(context, secrets.token_urlsafe(24)),
            defaults=_defaults(context),
            probe=rtsp_probe,
            processes=lambda: processes(context.run_dir),
            export_command=(sys.executable, "-m", "safecity.media.export"),
            on_demo_removed=lambda: _demo_removed(context),
        )
        yield services, bus, history
    finally:
        await history.close()
        await bus.close()
        await database.close()


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
        rtp_ports=(first, first + settings.media.slot_count() * settings.media.rtp_ports - 1),
        tls=settings.http.tls != "off",
        ui_dist=Path(dist) if dist and Path(dist).is_dir() else None,
        setup_token=setup_token,
        session_idle_minutes=settings.http.session_idle_minutes,
        session_hours=settings.http.session_hours,
        keepalive=Keepalive(seconds=settings.sip.keepalive_seconds, misses=settings.sip.keepalive_misses),
        version=safecity.__version__,
    )


class _HttpServer(uvicorn.Server):
    """uvicorn without its own signal handling: the context's is the only one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _http_config(context: RoleContext, services: Services) -> uvicorn.Config:
    pair = certificate_files(context.settings, sorted({public_host(context), "127.0.0.1", "localhost"}))
    config = uvicorn.Config(
        create_app(services),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        # Somebody else's header must not decide who a caller is; a proxy is a deployment of its own.
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024,
        ws_max_size=64 * 1024,
        ws_ping_interval=20.0,
        ssl_certfile=str(pair[0]) if pair else None,
        ssl_keyfile=str(pair[1]) if pair else None,
    )
    config.load()
    return config


async def _stop(context: RoleContext, server: uvicorn.Server) -> None:
    await context.stopping.wait()
    server.should_exit = True


async def _announce(context: RoleContext, services: Services) -> None:
    """Print where to go, once everything answers."""
    while not services.ready:  # noqa: ASYNC110 - once, for less than a second
        await asyncio.sleep(0.05)
    scheme = "https" if services.web.tls else "http"
    token = services.web.setup_token if await services.access.nobody_yet() else ""
    base = f"{scheme}://127.0.0.1:{services.web.http_port}/"
    link_file = context.run_dir / "setup-link"
    lines = ["", f"  Safecity {safecity.__version__} is running: {base}"]
    host = public_host(context)
    if host != "127.0.0.1":
        lines.append(f"  from other machines:    {scheme}://{host}:{services.web.http_port}/")
    if token:
        link = f"{base}?setup={token}"
        link_file.touch(mode=0o600)
        link_file.write_text(link, "utf-8")
        lines += ["", "  Create the first administrator (the link works once):", f"  {link}"]
    else:
        link_file.unlink(missing_ok=True)
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


async def _keep_house(context: RoleContext, bus: EmbeddedBus, history: DayFiles) -> None:
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
