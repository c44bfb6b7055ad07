"""What the application stands on, as plain data, and what of it goes on beside the requests; see `assembly`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecity.core.ground.access.api import (
    Access,
    People,
    Vault,
)
from safecity.core.ground.alarms.api import AlarmPictures, Alarms
from safecity.core.ground.audit.api import Keeper
from safecity.core.ground.channels.api import Board, Channels
from safecity.core.ground.closures.api import Closures
from safecity.core.ground.desk.api import Desk
from safecity.core.ground.devices.api import Devices
from safecity.core.ground.duties.api import Duties, Keepalive, Placement, TicketKeys
from safecity.core.ground.exports.api import Exports, Holds
from safecity.core.ground.images.api import Images, Notifier, Uplinks
from safecity.core.ground.intake.api import IntakeLoop
from safecity.core.ground.loose.api import Loose
from safecity.core.ground.lowers.api import Lowers, LowerTeller
from safecity.core.ground.outbox.api import Relay
from safecity.core.ground.packages.api import Signer
from safecity.core.ground.passages.api import Passages, Readings
from safecity.core.ground.places.api import Drawing, Places
from safecity.core.ground.retention.api import Retention
from safecity.core.ground.scenes.api import Scenes
from safecity.core.ground.settings.api import Settings
from safecity.core.ground.signs.api import Signs, Teller
from safecity.core.ground.timekeeping.api import Timekeeper
from safecity.core.ground.tollgates.api import Tollgates
from safecity.core.ground.tolls.api import TollBook, TollTeller
from safecity.core.ground.tows.api import Tows
from safecity.core.ground.vehicles.api import PlateIndex, Vehicles
from safecity.core.upper.cases.api import Adding, CaseReading, Cases, CaseSettings, Findings, ListSearches
from safecity.core.upper.counts.api import CountFollower, Counts, CountSettings, CountTeller
from safecity.core.upper.fleet.api import (
    Beacons,
    FenceFollower,
    Fences,
    FenceWriter,
    Phones,
    Replay,
    VehicleMedia,
    VehicleOrders,
)
from safecity.core.upper.traveltimes.api import TravelFollower, TravelTimes
from safecity.core.upper.violations.api import (
    Caught,
    Exporting,
    Proposing,
    Rules,
    SectionFollower,
    Signals,
    Violations,
    ViolationSettings,
)
from safecity.core.upper.watches.api import WatchDuties, Watches, WatchFollower, WatchSending, WatchSettings
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.kit.upperurl import Upper
from safecity.ports.blobs import Blobs
from safecity.ports.bus import Bus
from safecity.ports.calls import Calls
from safecity.ports.database import Database
from safecity.ports.positions import FeedFigure
from safecity.web.downloads import Downloads
from safecity.web.hub import Hub
from safecity.web.pictures import Pictures
from safecity.web.viid.door import ViidDoor
from safecity.web.viid.presence import Presence

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


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """What of the settings file the application needs, in its own words.

    slots, vision    addresses of the media and the vision slots (`media-0`, ...)
    secrets_dir      folder for keys, outside the database
    jt808_port       where vehicle terminals connect, 0: they may not
    ais_port         where receivers of ships connect or send to, 0: they may not
    media_port       where viewers get pictures; `media_url` replaces the whole beginning (`wss://video.example`)
    tls              browsers come by https: cookies get `__Host-` and `Secure`
    ui_dist          built browser application, None: the one in the package
    setup_token      of the one-time link, empty: nobody may set up
    argon2_kib       memory of one password check
    alarm_picture_days   pictures of alarms are kept for so long, 0: none are
    vehicle_media_days   likewise what vehicles took
    roads            whether a duty `traffic` runs
    uppers           libraries that we register at, and how often they hear of us
    """

    slots: tuple[str, ...]
    data_dir: Path
    run_dir: Path
    secrets_dir: Path
    http_port: int = 8080
    media_port: int = 8081
    sip_port: int = 5060
    jt808_port: int = 0
    ais_port: int = 0
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
    alarm_picture_days: int = 90
    vehicle_media_days: int = 30
    watches: WatchSettings = field(default_factory=WatchSettings)
    violations: ViolationSettings = field(default_factory=ViolationSettings)
    cases: CaseSettings = field(default_factory=CaseSettings)
    counts: CountSettings = field(default_factory=CountSettings)
    vision: tuple[str, ...] = ()
    roads: bool = True
    uppers: tuple[Upper, ...] = ()
    upper_keepalive_seconds: float = 60.0

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
    blobs: Blobs
    clock: Clock
    vault: Vault
    access: Access
    people: People
    places: Places
    drawing: Drawing
    devices: Devices
    channels: Channels
    alarms: Alarms
    alarm_pictures: AlarmPictures
    desk: Desk
    tollgates: Tollgates
    closures: Closures
    tolls: TollBook
    toll_teller: TollTeller
    tows: Tows
    signs: Signs
    sign_teller: Teller
    travel_times: TravelTimes
    travel_follower: TravelFollower
    counts: Counts
    count_follower: CountFollower
    count_teller: CountTeller
    passages: Passages
    plates: PlateIndex
    vehicles: Vehicles
    readings: Readings
    vehicle_orders: VehicleOrders
    vehicle_media: VehicleMedia
    fences: Fences
    replay: Replay
    beacons: Beacons
    phones: Phones
    fence_follower: FenceFollower
    fence_writer: FenceWriter
    watches: Watches
    watch_follower: WatchFollower
    watch_duties: WatchDuties
    violations: Violations
    proposing: Proposing
    packages: Exporting
    rules: Rules
    section_follower: SectionFollower
    caught: Caught
    signals: Signals
    scenes: Scenes
    images: Images
    loose: Loose
    relay: Relay
    notifier: Notifier
    uplinks: Uplinks
    lowers: Lowers
    lower_teller: LowerTeller
    watch_sending: WatchSending
    presence: Presence
    viid: ViidDoor
    holds: Holds
    exports: Exports
    signer: Signer
    cases: Cases
    case_adding: Adding
    case_lists: ListSearches
    case_findings: Findings
    case_reading: CaseReading
    settings: Settings
    keeper: Keeper
    retention: Retention
    board: Board
    keys: TicketKeys
    duties: Duties
    placement: Placement
    intake: IntakeLoop
    timekeeper: Timekeeper
    hub: Hub
    pictures: Pictures = field(default_factory=Pictures)
    downloads: Downloads = field(default_factory=Downloads)
    searches: set[tuple[str, str, int, int]] = field(default_factory=set[tuple[str, str, int, int]])
    """Session, channel, start and end of searches for movement that were written down."""
    probe: Probe | None
    processes: Processes
    on_demo_removed: Callable[[], Awaitable[None]] | None = None
    position_feed: Callable[[], FeedFigure | None] = lambda: None
    """How the broker is that positions come from; None: there is none."""
    ready: bool = False

    async def start(self) -> None:
        """Load what must be there before the first request; once."""
        if self.ready:
            return
        await self.devices.load_board()
        await self.keys.refresh()
        try:
            await self.exports.recover()
        except UnavailableError as error:  # a full disk: jobs that were broken off wait with everything that is stored
            logger.warning("exports not taken up again why=%s", error)
        self.ready = True

    async def run(self) -> None:
        """`start`, then everything that goes on beside the requests, until cancelled."""
        await self.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.duties.run(), name="duties")
            group.create_task(self.placement.run(), name="placement")
            group.create_task(self.intake.run(), name="intake")
            group.create_task(self.hub.run(), name="hub")
            group.create_task(self.relay.run(), name="relay")
            group.create_task(self.plates.run(), name="plates")
            group.create_task(self.watch_follower.run(), name="watches")
            group.create_task(self.fence_follower.run(), name="fences")
            group.create_task(self.beacons.run(), name="positions over HTTP")
            group.create_task(self.phones.run(), name="shifts")
            group.create_task(self.fence_writer.run(), name="fences in terminals")
            group.create_task(self.watch_duties.run(), name="deadlines of hits")
            group.create_task(self.section_follower.run(), name="speeds over sections")
            group.create_task(self.travel_follower.run(), name="travel times")
            group.create_task(self.travel_follower.tend(), name="keys of travel times")
            group.create_task(self.count_follower.run(), name="counts")
            group.create_task(self.exports.run(), name="exports")
            group.create_task(self.timekeeper.run(), name="clock")
            group.create_task(self.alarm_pictures.run(), name="alarm pictures")
            group.create_task(self.presence.run(), name="presence of capture devices")
            group.create_task(self.notifier.run(), name="subscribers")
            group.create_task(self.uplinks.run(), name="upper libraries")
            group.create_task(self.lower_teller.run(), name="lower libraries")
            group.create_task(self.watch_sending.run(), name="watches that go down")
            group.create_task(self._seal(), name="seals")
            if self.web.roads:
                group.create_task(self.closures.run(), name="closures")
                group.create_task(self.toll_teller.run(), name="tolls")
                group.create_task(self.count_teller.run(), name="counts for the roads")
            group.create_task(self.sign_teller.run(), name="signs")
            group.create_task(self.retention.run(), name="retention")
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
        while True:
            try:
                await self.keeper.seal()
            except (SafecityError, OSError) as error:  # the next seal covers it
                logger.error("audit log not sealed why=%s", error)
            await asyncio.sleep(SEAL_SECONDS)
