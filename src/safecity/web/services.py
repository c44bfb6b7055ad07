"""What the application stands on, as plain data; `server/` assembles it by calling `assemble` once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safecity.core.ground.access.api import Access, AccessSettings, Passwords, Vault, key_file
from safecity.core.ground.alarms.api import Alarms
from safecity.core.ground.audit.seals import append_seal, make_seal
from safecity.core.ground.audit.seals import head as audit_head
from safecity.core.ground.channels.api import Board, Channels
from safecity.core.ground.channels.api import any_under as channels_under
from safecity.core.ground.desk.api import Desk
from safecity.core.ground.devices.api import Devices
from safecity.core.ground.devices.api import any_under as devices_under
from safecity.core.ground.duties.api import Duties, DutySettings, Keepalive, TicketKeys
from safecity.core.ground.exports.api import ExportRunner, Exports, Holds
from safecity.core.ground.intake.api import Effects, Intake, IntakeLoop
from safecity.core.ground.places.api import Places
from safecity.core.ground.settings.api import Platform, Settings
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.ports.bus import Bus
from safecity.ports.calls import Calls
from safecity.ports.database import Database
from safecity.web.hub import Hub
from safecity.web.pictures import Pictures

logger = logging.getLogger(__name__)
SEAL_SECONDS = 600.0
EXPIRED_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What a test of an RTSP address found; `step` is the failed step in a code of the catalogue."""

    ok: bool
    step: str = ""
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    tracks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


Probe = Callable[[str, str, str], Awaitable[Probed]]
"""(url without credentials, username, password)."""

Processes = Callable[[], Awaitable[list[dict[str, Any]]]]
"""Duties as the supervisor sees them: name, state, pid, since_us, restarts, lag_ms, memory_bytes."""


async def _no_processes() -> list[dict[str, Any]]:
    return []


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """What of the settings file the application needs, in its own words.

    slots            addresses of the media slots (`media-0`, ...)
    secrets_dir      folder for keys, outside the database
    media_port       where viewers get pictures; `media_url` replaces the whole beginning (`wss://video.example`)
    tls              browsers come by https: cookies get `__Host-` and `Secure`
    ui_dist          built browser application, None: the one in the package
    setup_token      of the one-time link, empty: nobody may set up
    argon2_kib       memory of one password check
    """

    slots: tuple[str, ...]
    data_dir: Path
    run_dir: Path
    secrets_dir: Path
    http_port: int = 8080
    media_port: int = 8081
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (10000, 10015)
    media_url: str = ""
    tls: bool = False
    ui_dist: Path | None = None
    setup_token: str = ""
    session_idle_minutes: int = 30
    session_hours: int = 12
    argon2_kib: int = 65536
    keepalive: Keepalive = field(default_factory=Keepalive)
    version: str = ""

    @property
    def cookie(self) -> str:
        """Browsers refuse the `__Host-` prefix without TLS."""
        return "__Host-safecity" if self.tls else "safecity"


@dataclass(kw_only=True)
class Services:
    """Everything the routes call."""

    web: WebSettings
    database: Database
    calls: Calls
    bus: Bus
    clock: Clock
    vault: Vault
    access: Access
    places: Places
    devices: Devices
    channels: Channels
    alarms: Alarms
    desk: Desk
    holds: Holds
    exports: Exports
    settings: Settings
    board: Board
    keys: TicketKeys
    duties: Duties
    intake: IntakeLoop
    hub: Hub
    pictures: Pictures = field(default_factory=Pictures)
    probe: Probe | None
    processes: Processes
    on_demo_removed: Callable[[], Awaitable[None]] | None = None
    ready: bool = False

    async def start(self) -> None:
        """Load what must be there before the first request."""
        await self.devices.load_board()
        await self.keys.refresh()
        await self.exports.recover()
        self.ready = True

    async def run(self) -> None:
        """`start`, then everything that goes on beside the requests, until cancelled."""
        await self.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.duties.run(), name="duties")
            group.create_task(self.intake.run(), name="intake")
            group.create_task(self.hub.run(), name="hub")
            group.create_task(self.exports.run(), name="exports")
            group.create_task(self._seal(), name="seals")
            group.create_task(self._end_expired(), name="sessions")

    async def _end_expired(self) -> None:
        """Who is signed out by time sees no more pictures either."""
        from safecity.web.media import end_media  # it stands on this module

        while True:
            try:
                await end_media(self, await self.access.end_expired())
            except SafecityError as error:
                logger.warning("expired sessions not ended yet why=%s", error)
            await asyncio.sleep(EXPIRED_SECONDS)

    async def _seal(self) -> None:
        """Every ten minutes a seal of the audit log, outside the database."""
        key = Ed25519PrivateKey.from_private_bytes(key_file(self.web.secrets_dir / "audit.key"))
        sealed = 0
        while True:
            try:
                found = await self.database.read(audit_head)
                if found is not None and found[0] != sealed:
                    line = make_seal(*found, self.clock.now_us(), key)
                    await asyncio.to_thread(append_seal, self.web.data_dir / "control" / "audit-seals.jsonl", line)
                    sealed = found[0]
            except (SafecityError, OSError) as error:  # the next seal covers it
                logger.error("audit log not sealed why=%s", error)
            await asyncio.sleep(SEAL_SECONDS)


def assemble(
    *,
    database: Database,
    calls: Calls,
    bus: Bus,
    clock: Clock,
    web: WebSettings,
    defaults: Platform,
    probe: Probe | None = None,
    processes: Processes = _no_processes,
    export_command: Sequence[str] = (),
    on_demo_removed: Callable[[], Awaitable[None]] | None = None,
) -> Services:
    """All parts, joined. `defaults` is the platform as the settings file describes it."""
    vault = Vault(key_file(web.secrets_dir / "vault.key"))
    settings = Settings(database, defaults)
    board = Board()
    keys = TicketKeys(database, vault, clock)
    duty = DutySettings(slots=web.slots, data_dir=str(web.data_dir.absolute()), keepalive=web.keepalive)
    duties = Duties(database, calls, vault, settings, board, keys, duty)
    devices = Devices(database, vault, settings, board, web.slots)
    hub = Hub(bus, board)

    def tell(effects: Effects) -> None:
        board.devices(effects.devices)
        hub.changed(effects.changed)
        duties.look_again()

    access_settings = AccessSettings(idle_minutes=web.session_idle_minutes, hours=web.session_hours)
    runner = ExportRunner(command=tuple(export_command), folder=web.data_dir / "control" / "exports")
    return Services(
        web=web,
        database=database,
        calls=calls,
        bus=bus,
        clock=clock,
        vault=vault,
        access=Access(database, clock, Passwords(memory_kib=web.argon2_kib), access_settings),
        places=Places(database, lambda tx, path: devices_under(tx, path) or channels_under(tx, path)),
        devices=devices,
        channels=Channels(database, board),
        alarms=Alarms(database),
        desk=Desk(database, clock),
        holds=Holds(database, calls, clock),
        exports=Exports(database, calls, clock, runner, settings, web.data_dir),
        settings=settings,
        board=board,
        keys=keys,
        duties=duties,
        intake=IntakeLoop(database, bus, Intake(devices.template, web.slots), tell),
        hub=hub,
        probe=probe,
        processes=processes,
        on_demo_removed=on_demo_removed,
    )
