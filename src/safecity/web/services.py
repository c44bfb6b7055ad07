"""What the application stands on, as plain data; `server/` assembles it by calling `assemble` once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecity.core.ground.access.api import (
    Access,
    AccessSettings,
    Checking,
    Passwords,
    People,
    Vault,
    any_in_area,
    key_file,
)
from safecity.core.ground.access.api import any_of as people_of
from safecity.core.ground.alarms.api import AlarmPictures, Alarms
from safecity.core.ground.audit.api import Keeper
from safecity.core.ground.channels.api import Board, Channels
from safecity.core.ground.channels.api import any_of as channels_of
from safecity.core.ground.channels.api import any_under as channels_under
from safecity.core.ground.closures.api import Closures, TollTeller
from safecity.core.ground.closures.api import any_under as closures_under
from safecity.core.ground.desk.api import Desk
from safecity.core.ground.devices.api import Devices
from safecity.core.ground.devices.api import any_of as devices_of
from safecity.core.ground.devices.api import any_under as devices_under
from safecity.core.ground.duties.api import Duties, DutySettings, Keepalive, Placement, TicketKeys
from safecity.core.ground.exports.api import ExportRunner, Exports, Holds
from safecity.core.ground.images.api import Address, Images, Notifier, Post, refused_ip
from safecity.core.ground.intake.api import Effects, Intake, IntakeLoop
from safecity.core.ground.loose.api import Loose
from safecity.core.ground.outbox.api import Relay
from safecity.core.ground.packages.api import Signer
from safecity.core.ground.passages.api import Passages, Readings
from safecity.core.ground.places.api import Drawing, Places
from safecity.core.ground.retention.api import Retention
from safecity.core.ground.scenes.api import Scenes
from safecity.core.ground.settings.api import Platform, Settings
from safecity.core.ground.signs.api import Signs, Teller
from safecity.core.ground.signs.api import any_under as signs_under
from safecity.core.ground.timekeeping.api import Ask as AskTime
from safecity.core.ground.timekeeping.api import ClockRecord, Timekeeper
from safecity.core.ground.tollgates.api import Tollgates
from safecity.core.ground.tollgates.api import any_of as tollgates_of
from safecity.core.ground.tollgates.api import any_under as tollgates_under
from safecity.core.ground.vehicles.api import PlateIndex, Vehicles
from safecity.core.upper.cases.api import Adding, CaseReading, Cases, CaseSettings
from safecity.core.upper.cases.api import any_of as cases_of
from safecity.core.upper.cases.api import any_under as cases_under
from safecity.core.upper.counts.api import CountFollower, Counts, CountSettings, CountTeller
from safecity.core.upper.counts.api import any_of as counts_of
from safecity.core.upper.counts.api import any_under as counts_under
from safecity.core.upper.fleet.api import Beacons, FenceFollower, Fences, FenceWriter, Phones, Replay, VehicleOrders
from safecity.core.upper.fleet.api import any_of as fences_of
from safecity.core.upper.fleet.api import any_under as fences_under
from safecity.core.upper.traveltimes.api import Keys as TravelKeys
from safecity.core.upper.traveltimes.api import TravelFollower, TravelTimes
from safecity.core.upper.traveltimes.api import any_of as travel_of
from safecity.core.upper.traveltimes.api import any_under as travel_under
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
from safecity.core.upper.violations.api import any_of as violations_of
from safecity.core.upper.violations.api import any_under as violations_under
from safecity.core.upper.watches.api import Asked, WatchDuties, Watches, WatchFollower, WatchSettings
from safecity.core.upper.watches.api import any_of as watches_of
from safecity.core.upper.watches.api import any_under as watches_under
from safecity.core.upper.watches.api import met as met_by_watches
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.links.http_post import post
from safecity.ports.blobs import Blobs
from safecity.ports.bus import Bus
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx
from safecity.ports.history import History
from safecity.ports.leases import Leases
from safecity.ports.positions import FeedFigure
from safecity.ports.signs import SignLink
from safecity.ports.tolls import Tolls
from safecity.protocols.signs import Show, Shown
from safecity.web.downloads import Downloads
from safecity.web.hub import Hub
from safecity.web.pictures import Pictures
from safecity.web.viid.door import ViidDoor
from safecity.web.viid.library import Library
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


async def post_to_library(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """A notification on its way; see `links.http_post`."""
    return await post(address.host, address.port, address.target, body, headers, tls=address.tls, refuse=refused_ip)


class _NoSigns:
    """Where nobody says how signs are reached."""

    async def tell(self, address: str, key: str, show: Show) -> Shown:
        raise UnavailableError("no way to signs", code="http_unreachable")


async def _no_processes() -> list[dict[str, Any]]:
    return []


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
    roads            whether a duty `traffic` runs
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
    watches: WatchSettings = field(default_factory=WatchSettings)
    violations: ViolationSettings = field(default_factory=ViolationSettings)
    cases: CaseSettings = field(default_factory=CaseSettings)
    counts: CountSettings = field(default_factory=CountSettings)
    vision: tuple[str, ...] = ()
    roads: bool = True

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
    toll_teller: TollTeller | None
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
    presence: Presence
    viid: ViidDoor
    holds: Holds
    exports: Exports
    signer: Signer
    cases: Cases
    case_adding: Adding
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
            group.create_task(self._seal(), name="seals")
            if self.web.roads:
                group.create_task(self.closures.run(), name="closures")
                if self.toll_teller is not None:
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


def _in_use(tx: Tx, area: str) -> bool:
    parts = (
        devices_under, channels_under, tollgates_under, watches_under, violations_under, closures_under, fences_under,
        signs_under, travel_under, counts_under, cases_under, any_in_area,
    )  # fmt: skip
    return any(one(tx, area) for one in parts)


def _belongs(tx: Tx, organisation: str) -> bool:
    parts = (
        devices_of, channels_of, tollgates_of, watches_of, violations_of, fences_of, travel_of, counts_of, cases_of,
        people_of,
    )  # fmt: skip
    return any(one(tx, organisation) for one in parts)


def assemble(
    *,
    database: Database,
    leases: Leases,
    calls: Calls,
    bus: Bus,
    blobs: Blobs,
    history: History,
    clock: Clock,
    web: WebSettings,
    defaults: Platform,
    probe: Probe | None = None,
    processes: Processes = _no_processes,
    export_command: Sequence[str] = (),
    on_demo_removed: Callable[[], Awaitable[None]] | None = None,
    ask_time: AskTime | None = None,
    clock_kept: Callable[[], bool | None] = lambda: None,
    post_notification: Post = post_to_library,
    sign_link: SignLink | None = None,
    tolls: Tolls | None = None,
) -> Services:
    """All parts, joined. `defaults` is the platform as the settings file describes it."""
    vault = Vault(key_file(web.secrets_dir / "vault.key"))
    settings = Settings(database, defaults)
    board = Board()
    keys = TicketKeys(database, vault, clock)
    duty = DutySettings(
        slots=web.slots, vision=web.vision, data_dir=str(web.data_dir.absolute()), keepalive=web.keepalive
    )
    duties = Duties(database, calls, vault, settings, board, keys, duty, clock)
    devices = Devices(database, vault, settings, board, web.slots)
    hub = Hub(bus, board)

    timekeeper = Timekeeper(settings, bus, clock, ask_time, clock_kept)
    pictures = AlarmPictures(database, calls, blobs, clock, lambda: web.alarm_picture_days)

    def tell(effects: Effects) -> None:
        pictures.look()
        board.devices(effects.devices)
        hub.changed(effects.changed)
        duties.look_again()

    def moved(ids: list[str]) -> None:
        hub.changed([("channel", channel) for channel in ids])
        duties.look_again()

    def proposed() -> None:
        hub.changed([("violation", "")])

    def asked(ids: Sequence[str]) -> None:
        told(ids)
        hub.changed([("watch", "")])

    def raised(ids: Sequence[str]) -> None:
        hub.changed([("alarm", alarm) for alarm in ids])

    def told(ids: Sequence[str]) -> None:
        raised(ids)
        if ids:
            hub.changed([("watch", "")])

    fence_writer = FenceWriter(database, calls, clock)

    def fences_changed() -> None:
        fence_writer.wake()
        hub.changed([("fence", "")])

    alarms = Alarms(database)
    watches = Watches(database, clock, web.watches, told)
    relay, loose = Relay(database, bus, settings), Loose(database, blobs, clock)
    passages = Passages(database, blobs, loose, clock, relay.wake)
    plates = PlateIndex(database, bus, web.data_dir / "control" / "cache")
    images = Images(database, blobs, loose, clock, relay.wake)
    violations = Violations(database, blobs, loose, clock, web.violations)
    proposing = Proposing(database, loose, clock, web.violations)
    closures = Closures(database, calls, settings, clock)
    travel_times = TravelTimes(database, settings, clock)
    counts = Counts(database, clock, web.counts)
    beacons = Beacons(database, vault, settings, bus, clock)
    phones = Phones(database, vault, beacons, clock)
    fence_follower = FenceFollower(database, bus, clock, settings, raised, relay.wake)
    presence = Presence(database, vault, settings, bus, clock)

    def sign_said() -> None:
        relay.wake()
        hub.changed([("sign", "")])

    sign_teller = Teller(database, vault, clock, sign_link or _NoSigns(), sign_said)

    def signs_changed() -> None:
        sign_teller.wake()
        hub.changed([("sign", "")])

    signs = Signs(database, vault, clock, signs_changed)
    signer = Signer(lambda: key_file(web.secrets_dir / "packages.key"))
    holds, vehicles = Holds(database, calls, clock), Vehicles(database, plates)
    cases = Cases(database, holds, loose, clock, web.cases)

    async def sweep() -> int:
        parts = (
            passages, images, loose, watches, violations, closures, signs, fence_follower, fence_writer, travel_times,
            counts, cases,
        )  # fmt: skip
        return sum([await part.sweep() for part in parts])

    keeper = Keeper(
        database, clock, lambda: key_file(web.secrets_dir / "audit.key"),
        web.data_dir / "control" / "audit-seals.jsonl",
    )  # fmt: skip
    checking = Checking(database, clock, Passwords(memory_kib=web.argon2_kib))
    access_settings = AccessSettings(idle_minutes=web.session_idle_minutes, hours=web.session_hours)
    runner = ExportRunner(
        command=tuple(export_command), folder=web.data_dir / "control" / "exports", blobs=blobs, signer=signer
    )
    return Services(
        web=web,
        database=database,
        calls=calls,
        bus=bus,
        blobs=blobs,
        clock=clock,
        vault=vault,
        access=Access(database, clock, checking, access_settings),
        people=People(database, checking),
        places=Places(database, _in_use, _belongs),
        drawing=Drawing(database),
        devices=devices,
        channels=Channels(database, board),
        alarms=alarms,
        alarm_pictures=pictures,
        desk=Desk(database, clock),
        tollgates=Tollgates(database),
        closures=closures,
        toll_teller=TollTeller(calls, tolls) if tolls is not None else None,
        signs=signs,
        sign_teller=sign_teller,
        travel_times=travel_times,
        travel_follower=TravelFollower(database, bus, TravelKeys(web.run_dir / "travel-keys.json"), clock),
        counts=counts,
        count_follower=CountFollower(database, bus, clock),
        count_teller=CountTeller(database, calls, clock),
        passages=passages,
        plates=plates,
        vehicles=vehicles,
        readings=Readings(database, clock, passages),
        vehicle_orders=VehicleOrders(database, calls),
        fences=Fences(database, clock, fences_changed),
        fence_follower=fence_follower,
        fence_writer=fence_writer,
        replay=Replay(database, history),
        beacons=beacons,
        phones=phones,
        watches=watches,
        watch_follower=WatchFollower(database, bus, clock, web.watches, told),
        watch_duties=WatchDuties(database, clock, web.watches, told, lambda: hub.changed([("watch", "")])),
        violations=violations,
        proposing=proposing,
        packages=Exporting(database, blobs, signer),
        rules=Rules(database),
        section_follower=SectionFollower(database, bus, blobs, proposing, clock, web.violations, proposed),
        caught=Caught(database, clock, proposing),
        signals=Signals(database, calls, web.vision, clock),
        scenes=Scenes(database, duties.look_again),
        images=images,
        loose=loose,
        relay=relay,
        notifier=Notifier(database, blobs, clock, settings, post_notification, met_by_watches),
        presence=presence,
        viid=ViidDoor(presence, Library(database, images, settings, clock, Asked(database, clock, watches, asked))),
        holds=holds,
        signer=signer,
        cases=cases,
        case_adding=Adding(database, blobs, loose, holds, vehicles, violations, alarms),
        case_reading=CaseReading(database, blobs, signer),
        exports=Exports(database, calls, clock, runner, settings, web.data_dir, ClockRecord(history, timekeeper)),
        settings=settings,
        keeper=keeper,
        retention=Retention(settings, alarms, keeper, clock, sweep),
        board=board,
        keys=keys,
        duties=duties,
        placement=Placement(database, leases, clock, web.slots, processes, moved),
        intake=IntakeLoop(database, bus, Intake(devices.template, web.slots), tell),
        timekeeper=timekeeper,
        hub=hub,
        probe=probe,
        processes=processes,
        on_demo_removed=on_demo_removed,
    )
