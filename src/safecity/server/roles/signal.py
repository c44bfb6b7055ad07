"""The duty `signal`: device signalling in a process of its own, so that nothing else can slow it down or take it
along. Loads no web framework, no SQLAlchemy, no picture library (a test reads `sys.modules`)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource

from safecity.backends.outbox import SqlOutbox, relay
from safecity.backends.sqlitefile import open_file
from safecity.drivers.ais.driver import ShipListener
from safecity.drivers.ais.link import Door, Feeds
from safecity.drivers.gb28181.driver import GbPlatform
from safecity.drivers.jt808.bringing import AttachmentHall
from safecity.drivers.jt808.driver import TerminalPlatform
from safecity.drivers.jt808.link import Limits
from safecity.drivers.jt808.spool import Spool
from safecity.drivers.jt808.video import TerminalVideo
from safecity.kit.errors import SafecityError
from safecity.links.sip import SipEndpoint
from safecity.model.facts.media_calls import Done, Message, StreamState, WatchStreams
from safecity.model.facts.signal_calls import (
    ApplySignal,
    AskDevicePlayback,
    AskDevices,
    AskKeyFrame,
    AskRecordings,
    ConfigureDevice,
    DeviceFigures,
    OpenStream,
    QueryDevice,
    StartDevicePlayback,
    Steer,
    SteerDevicePlayback,
)
from safecity.model.facts.vehicle_calls import (
    AskPassed,
    ConfirmAlarms,
    EraseFence,
    KeepAttachment,
    KeepMedia,
    LocateVehicle,
    LockVehicle,
    PhotographFrom,
    ReadAttachment,
    RestartTerminal,
    SayTerminal,
    TellDriver,
    TrackVehicle,
    WriteFence,
)
from safecity.model.values.media import StreamKey
from safecity.ports.calls import Calls, Handler
from safecity.protocols.jt808.bringing import FileLimits
from safecity.protocols.sip.guard import Allowance, Patience, SourceGuard
from safecity.server.context import RoleContext

logger = logging.getLogger(__name__)

REWATCH_SECONDS = 1.0
MAX_UNKNOWN = 100
KEEP_SECONDS = 10.0
"""Control has so long to make durable what a vehicle took."""
KEEP_FILE_SECONDS = 120.0
"""The same for an attachment, which it reads meanwhile."""
OPEN_FILES = 65_536
PER_SOURCE = Allowance(per_second=3000.0, burst=20_000.0)
"""Messages of one address before they are dropped unread: a lower platform speaks for thousands of channels."""


class SignalDuty:
    """The platform side of each device protocol, its calls, and the watch over the media slots."""

    def __init__(
        self, platform: GbPlatform, terminals: TerminalPlatform, video: TerminalVideo, ships: ShipListener,
        spool: Spool, calls: Calls,
    ) -> None:  # fmt: skip
        self.platform = platform
        self.terminals = terminals
        self.video = video
        self.ships = ships
        self.spool = spool
        self._calls = calls
        self._watches: dict[str, asyncio.Task[None]] = {}

    def handlers(self) -> dict[type[Message], Handler]:
        """One per request of `model.facts.signal_calls`."""
        return {
            ApplySignal: self._apply,
            OpenStream: self._open_stream,
            AskKeyFrame: self._key_frame,
            Steer: self._steer,
            QueryDevice: self.platform.query,
            ConfigureDevice: self.platform.configure,
            AskDevices: self._figures,
            StartDevicePlayback: self._start_playback,
            SteerDevicePlayback: self._steer_playback,
            AskDevicePlayback: self._look_at_playback,
            AskRecordings: self._recordings,
            TellDriver: self.terminals.give,
            TrackVehicle: self.terminals.give,
            LocateVehicle: self.terminals.give,
            RestartTerminal: self.terminals.give,
            LockVehicle: self.terminals.give,
            ConfirmAlarms: self.terminals.give,
            WriteFence: self.terminals.give,
            EraseFence: self.terminals.give,
            SayTerminal: self.terminals.say,
            AskPassed: self.terminals.through,
            PhotographFrom: self.terminals.give,
            ReadAttachment: self.spool.read,
        }

    async def _apply(self, message: ApplySignal) -> Message:
        self.platform.apply(message)
        self.terminals.configure(self.platform.configuration)
        self.video.configure(self.platform.configuration)
        self.ships.configure(self.platform.configuration)
        self.watch_slots()
        return Done()

    async def _open_stream(self, message: OpenStream) -> Message:
        key = StreamKey(message.channel, message.quality)
        await (self.video.live.open_now(key) if self.video.knows(message.channel) else self.platform.open_stream(key))
        return Done()

    async def _key_frame(self, message: AskKeyFrame) -> Message:
        if not self.video.knows(message.channel):  # terminals cannot be asked for one
            await self.platform.ask_key_frame(message)
        return Done()

    async def _steer(self, message: Steer) -> Message:
        if self.video.knows(message.channel):
            await self.video.heads.steer(message)
            return Done()
        return await self.platform.steer(message) or Done()

    async def _figures(self, message: AskDevices) -> Message:
        cameras, vehicles = self.platform.figures(message), self.terminals.figures(message)
        ships = self.ships.figures(message)
        # Each is in order and says whether there is more: together they are cut where the first of them was.
        ends = [one.next for one in (cameras, vehicles, ships) if one.next]
        every = sorted([*cameras.devices, *vehicles.devices, *ships.devices], key=lambda one: one.device)
        shown = [one for one in every if not ends or one.device <= min(ends)][: max(1, message.limit)]
        more = bool(ends) or len(shown) < len(every)
        unknown = sorted([*cameras.unknown, *vehicles.unknown], key=lambda one: -one.last_seen)
        # Ships tell of themselves each few seconds: their list is their own, so that no camera is pushed out of it.
        strangers = (*unknown[:MAX_UNKNOWN], *ships.unknown)
        return DeviceFigures(tuple(shown), strangers, shown[-1].device if more and shown else "")

    async def _start_playback(self, message: StartDevicePlayback) -> Message:
        desk = self.video.playback.start if self.video.knows(message.channel) else self.platform.start_playback
        await desk(message)
        return Done()

    async def _steer_playback(self, message: SteerDevicePlayback) -> Message:
        desk = self.video.playback.steer if self.video.knows(message.session) else self.platform.steer_playback
        await desk(message)
        return Done()

    async def _look_at_playback(self, message: AskDevicePlayback) -> Message:
        desk = self.video.playback.look if self.video.knows(message.session) else self.platform.look_at_playback
        return desk(message)

    async def _recordings(self, message: AskRecordings) -> Message:
        desk = self.video.playback.recordings if self.video.knows(message.channel) else self.platform.recordings
        return await desk(message)

    def watch_slots(self) -> None:
        """Follow every slot that channels are placed on, and no other."""
        wanted = self.platform.slots() | self.video.slots()
        for slot in wanted - self._watches.keys():
            self._watches[slot] = asyncio.get_running_loop().create_task(self._watch(slot))
        for slot in self._watches.keys() - wanted:
            self._watches.pop(slot).cancel()

    async def _watch(self, slot: str) -> None:
        reachable = True
        while True:
            try:
                async for state in self._calls.stream(slot, WatchStreams()):
                    if not reachable:
                        logger.info("slot reachable again slot=%s", slot)
                        self.platform.streams.slot_came_back(slot)
                        self.video.live.slot_came_back(slot)
                        reachable = True
                    if isinstance(state, StreamState) and not self.video.slot_says(slot, state):
                        self.platform.slot_says(slot, state)
            except SafecityError as error:
                if reachable:
                    logger.warning("slot unreachable slot=%s why=%s", slot, error)
            reachable = False
            await asyncio.sleep(REWATCH_SECONDS)

    async def close(self) -> None:
        """Stop watching."""
        for task in self._watches.values():
            task.cancel()
        await asyncio.gather(*self._watches.values(), return_exceptions=True)


def _many_connections() -> None:
    """Each terminal is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, OPEN_FILES) if hard > 0 else OPEN_FILES, hard))


async def main(context: RoleContext) -> None:
    """Run until told to stop."""
    file = open_file(context.data_dir / "signal" / "signal.db")
    outbox = SqlOutbox(file)
    platform = GbPlatform(context.calls, file, outbox, context.clock, node=context.name)
    guard = SourceGuard(PER_SOURCE)
    vehicles = context.settings.jt808

    async def keep_media(fact: KeepMedia) -> None:
        await context.calls.call("control", fact, timeout=KEEP_SECONDS)

    async def keep_file(fact: KeepAttachment) -> None:
        await context.calls.call("control", fact, timeout=KEEP_FILE_SECONDS)

    terminals = TerminalPlatform(
        file, outbox, context.clock, node=context.name, heartbeat_seconds=vehicles.heartbeat_seconds,
        limits=Limits(per_address=vehicles.connections_per_address, per_second=vehicles.connections_per_second),
        keep_media=keep_media, attachment_hours=vehicles.attachment_hours,
    )  # fmt: skip
    endpoint = SipEndpoint(platform.on_request, admit=guard.admit, patience=Patience(), on_lost=platform.on_lost)
    ships = ShipListener(file, outbox, context.clock, node=context.name)
    feeds = Feeds(ships.take, context.clock.monotonic, Door(senders=context.settings.ais.networks()))
    video = TerminalVideo(
        terminals, context.calls, context.clock, media_host=vehicles.media_host, aal2=vehicles.packs_aal2()
    )  # fmt: skip
    spool = Spool(context.data_dir / "signal" / "attachments")
    attachments = AttachmentHall(
        terminals.attachments, spool, keep_file, context.clock, terminals.tally,
        gate=Limits(per_address=vehicles.attachment_connections, altogether=2000, per_second=20.0),
        limits=FileLimits(files=vehicles.attachment_files, file_bytes=vehicles.attachment_mib << 20),
    )  # fmt: skip
    terminals.attachments.host = video.media_host
    duty = SignalDuty(platform, terminals, video, ships, spool, context.calls)
    drain = asyncio.get_running_loop().create_task(relay(outbox, context.calls))
    try:
        await platform.start(endpoint)
        await endpoint.start(udp=context.socket("sip-udp"), tcp=context.socket("sip-tcp"))
        terminals.configure(platform.configuration)
        video.configure(platform.configuration)
        video.start()
        if "jt808-tcp" in context.fds:
            _many_connections()
            await terminals.start(context.socket("jt808-tcp"))
        if "jt808-attachments" in context.fds:
            await attachments.open(context.socket("jt808-attachments"))
        ships.configure(platform.configuration)
        await ships.start()
        if "ais-tcp" in context.fds:
            tcp, udp = context.socket("ais-tcp"), context.socket("ais-udp")
            await feeds.open(tcp, udp, context.settings.ais.called())
        await context.server.serve("signal", duty.handlers(), {})
        duty.watch_slots()
        # Parsing makes many short-lived objects and no cycles: looking for these often costs a third of it.
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        logger.info("signal ready devices=%s", len(platform.directory))
        await context.stopping.wait()
    finally:
        await duty.close()
        await video.close()
        await attachments.close()
        await terminals.close()
        await feeds.close()
        await ships.close()
        await platform.close()
        await endpoint.close()
        drain.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await drain
        file.close()
