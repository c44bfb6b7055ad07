"""All parts of the application joined: `server/` calls `assemble` once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
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
from safecity.core.ground.closures.api import Closures
from safecity.core.ground.closures.api import any_under as closures_under
from safecity.core.ground.desk.api import Desk
from safecity.core.ground.devices.api import Devices
from safecity.core.ground.devices.api import any_of as devices_of
from safecity.core.ground.devices.api import any_under as devices_under
from safecity.core.ground.duties.api import Duties, DutySettings, Placement, TicketKeys
from safecity.core.ground.exports.api import ExportRunner, Exports, Holds
from safecity.core.ground.images.api import (
    Address,
    AskUpper,
    Delete,
    Images,
    Notifier,
    Post,
    Reply,
    Uplinks,
    refused_ip,
)
from safecity.core.ground.intake.api import Effects, Intake, IntakeLoop
from safecity.core.ground.loose.api import Loose
from safecity.core.ground.lowers.api import AskLower, Hearing, Lowers, LowerTeller
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
from safecity.core.ground.tolls.api import TollBook, TollTeller
from safecity.core.ground.tolls.api import any_under as tolls_under
from safecity.core.ground.tows.api import Tows
from safecity.core.ground.tows.api import any_under as tows_under
from safecity.core.ground.vehicles.api import PlateIndex, Vehicles
from safecity.core.upper.cases.api import Adding, CaseReading, Cases, Findings, Keeping, ListSearches
from safecity.core.upper.cases.api import any_of as cases_of
from safecity.core.upper.cases.api import any_under as cases_under
from safecity.core.upper.counts.api import CountFollower, Counts, CountTeller
from safecity.core.upper.counts.api import any_of as counts_of
from safecity.core.upper.counts.api import any_under as counts_under
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
)
from safecity.core.upper.violations.api import any_of as violations_of
from safecity.core.upper.violations.api import any_under as violations_under
from safecity.core.upper.watches.api import Asked, Hits, WatchDuties, Watches, WatchFollower, WatchSending
from safecity.core.upper.watches.api import any_of as watches_of
from safecity.core.upper.watches.api import any_under as watches_under
from safecity.core.upper.watches.api import met as met_by_watches
from safecity.kit.clock import Clock
from safecity.kit.errors import UnavailableError
from safecity.kit.outgoing import may_reach
from safecity.kit.upperurl import Upper
from safecity.kit.weburl import WebUrl
from safecity.links.http_post import exchange
from safecity.ports.blobs import Blobs
from safecity.ports.bus import Bus
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx
from safecity.ports.history import History
from safecity.ports.leases import Leases
from safecity.ports.signs import SignLink
from safecity.protocols.signs import Show, Shown
from safecity.web.hub import Hub
from safecity.web.services import Probe, Processes, Services, WebSettings
from safecity.web.viid.door import ViidDoor
from safecity.web.viid.library import Library
from safecity.web.viid.presence import Presence


async def post_to_library(address: Address, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """A notification on its way; see `links.http_post`."""
    answer = await exchange("POST", address, body, headers, refuse=refused_ip)
    return answer.status, answer.body


async def delete_at_library(address: Address, headers: dict[str, str]) -> tuple[int, bytes]:
    """A notification that is taken back; likewise."""
    answer = await exchange("DELETE", address, b"", headers, refuse=refused_ip)
    return answer.status, answer.body


async def ask_upper(upper: Upper, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    """Our own registration; likewise."""
    answer = await exchange("POST", replace(upper.address, target=path), body, headers, refuse=refused_ip)
    return Reply(answer.status, tuple(answer.headers.get("www-authenticate", ())), answer.body)


async def ask_lower(
    method: str, url: WebUrl, body: bytes, headers: dict[str, str], *, allow_loopback: bool = False
) -> Reply:
    """What we want of a library below us; likewise. `allow_loopback`: it may be on this machine."""
    answer = await exchange(
        method, url, body, headers, refuse=lambda address: not may_reach(address, allow_loopback=allow_loopback)
    )
    kind = next(iter(answer.headers.get("content-type", ())), "")
    return Reply(answer.status, tuple(answer.headers.get("www-authenticate", ())), answer.body, kind)


class _NoSigns:
    """Where nobody says how signs are reached."""

    async def tell(self, address: str, key: str, show: Show) -> Shown:
        raise UnavailableError("no way to signs", code="http_unreachable")


async def _no_processes() -> list[dict[str, Any]]:
    return []


def _told_at(web: WebSettings, host: str) -> str:
    """Where libraries below send to: our door, by the host that others reach us by."""
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if web.tls else 'http'}://{name}:{web.http_port}"


def _in_use(tx: Tx, area: str) -> bool:
    parts = (
        devices_under, channels_under, tollgates_under, watches_under, violations_under, closures_under, fences_under,
        signs_under, tolls_under, tows_under, travel_under, counts_under, cases_under, any_in_area,
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
    delete_notification: Delete = delete_at_library,
    ask_upper: AskUpper = ask_upper,
    ask_lower: AskLower = ask_lower,
    sign_link: SignLink | None = None,
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
    tolls = TollBook(database, calls, settings)
    tows = Tows(database, clock)
    travel_times = TravelTimes(database, settings, clock)
    counts = Counts(database, clock, web.counts)
    beacons = Beacons(database, vault, settings, bus, clock)
    phones = Phones(database, vault, beacons, clock)
    vehicle_media = VehicleMedia(database, blobs, loose, clock, web.vehicle_media_days)
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
    lower_teller = LowerTeller(database, vault, settings, clock, ask_lower, partial(_told_at, web))
    lowers = Lowers(database, vault, settings, clock, lower_teller.wake)
    hearing, hits = Hearing(database, images, clock), Hits(database, images, clock, told)
    asked_of_us = Asked(database, clock, watches, asked)
    holds, vehicles = Holds(database, calls, clock), Vehicles(database, plates)
    keeping = Keeping(database, blobs, loose, holds)
    cases = Cases(database, holds, loose, clock, web.cases)

    async def sweep() -> int:
        parts = (
            vehicle_media, passages, images, loose, watches, violations, closures, signs, fence_follower, fence_writer,
            travel_times, counts, cases, tows, lowers,
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
        tolls=tolls,
        toll_teller=TollTeller(calls, tolls),
        tows=tows,
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
        vehicle_media=vehicle_media,
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
        notifier=Notifier(database, blobs, clock, settings, post_notification, met_by_watches, delete_notification),
        uplinks=Uplinks(web.uppers, settings, ask_upper, clock, web.upper_keepalive_seconds),
        presence=presence,
        lowers=lowers,
        lower_teller=lower_teller,
        watch_sending=WatchSending(database, settings, clock, lower_teller.wake),
        viid=ViidDoor(presence, Library(database, images, settings, clock, asked_of_us, hearing, hits), lowers.entered),
        holds=holds,
        signer=signer,
        cases=cases,
        case_adding=Adding(database, keeping, holds, loose, alarms),
        case_lists=ListSearches(database, keeping, vehicles, violations, alarms),
        case_findings=Findings(database, keeping, vehicles),
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
