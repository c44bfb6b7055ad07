"""The platform side of GB/T 28181: puts the desks together and answers what the rest of the platform asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from safecity.drivers.facts import make_event
from safecity.drivers.gb28181.asking import Asker, Reply
from safecity.drivers.gb28181.attendance import Attendance
from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.getting_to_know import GettingToKnow
from safecity.drivers.gb28181.history import History
from safecity.drivers.gb28181.inbox import Inbox
from safecity.drivers.gb28181.link import Link
from safecity.drivers.gb28181.recordings import find_recordings
from safecity.drivers.gb28181.store import SignalStore
from safecity.drivers.gb28181.streams import Streams
from safecity.drivers.gb28181.subscribing import Subscribing
from safecity.drivers.gb28181.translate import config_body, key_frame_body, plain, query_body, steer_body
from safecity.kit.clock import Clock
from safecity.kit.errors import InvalidError, RefusedError, SafecityError
from safecity.links.sip import Flow, Incoming, SipEndpoint
from safecity.model.facts.media_calls import StreamState
from safecity.model.facts.signal_calls import (
    Answered,
    ApplySignal,
    AskDevicePlayback,
    AskDevices,
    AskKeyFrame,
    AskRecordings,
    ConfigureDevice,
    DeviceFigures,
    DevicePlayback,
    DeviceRecordings,
    GbChannel,
    GbDevice,
    PlatformIdentity,
    QueryDevice,
    StartDevicePlayback,
    Steer,
    SteerDevicePlayback,
)
from safecity.model.values.media import StreamKey
from safecity.ports.calls import Calls
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.gb28181.answers import DeviceConfigResponse, DeviceControlResponse
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.ssrc import SsrcPool
from safecity.protocols.sip.message import Request

logger = logging.getLogger(__name__)

NOBODY = PlatformIdentity(code="34020000002000000001", domain="3402000000", public_host="")
"""Before control has said who we are; nobody is configured then either."""
FLUSH_SECONDS = 0.05
TICK_SECONDS = 0.5
MAX_ANSWER_ITEMS = 1000
ALLOW = "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, REGISTER, OPTIONS, SUBSCRIBE, NOTIFY"


class GbPlatform:
    """One per process. `start` with the endpoint whose handler is `on_request`; `close` leaves dialogs as they are."""

    def __init__(self, calls: Calls, file: SqlFile, outbox: Outbox, clock: Clock, *, node: str = "") -> None:
        self._clock = clock
        self._node = node
        self._identity = NOBODY
        self._config: list[ApplySignal] = []
        self._parts: dict[int, ApplySignal] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._calls = calls
        self.directory = Directory()
        self.store = SignalStore(file, outbox, self._schedule_flush)
        self.attendance = Attendance(self.directory, self.store, clock, self.publish, self._arrived)
        self._ready = False

    async def start(self, endpoint: SipEndpoint) -> None:
        """Read the own file and go on from there. The endpoint is started by the caller, afterwards."""
        self.link = Link(endpoint, self._identity)
        self.asker = Asker(self.link)
        ssrcs = SsrcPool(self._identity.domain, start=self._clock.now_us() % 10_000)
        self.streams = Streams(
            self.directory, self.link, self._calls, self.store, self._clock, ssrcs, self.publish, self.spawn
        )
        self.history = History(self.directory, self.link, self._calls, self.store, self._clock, ssrcs, self.spawn)
        self.subscribing = Subscribing(self.directory, self.link, self.store, self._clock, self.spawn)
        self.knowing = GettingToKnow(self.directory, self.asker, self.store, self._clock, self.publish, self.spawn)
        self.inbox = Inbox(
            self.directory,
            self.attendance,
            self.asker,
            self._clock,
            self.publish,
            self._answer,
            self._media_ended,
            self.knowing.meet,
        )
        parts = self.store.load_config()
        if parts:
            self._take_config(parts)
        self.attendance.restore(self.store.load_devices())
        self.streams.restore()
        self.history.restore()
        self.subscribing.restore()
        self._ready = True
        self.spawn(self._tick())

    async def close(self) -> None:
        """Stop working; streams go on, since whoever starts next can end them."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        self.store.flush()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of ours: kept until it ends, its failure logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("task failed", exc_info=task.exception())

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            count += 1
            try:
                self.streams.tick()
                if count % 2 == 0:
                    self.attendance.sweep()
                    self.history.tick()
                    self.inbox.tick()
                    self.subscribing.tick()
            except Exception:
                logger.exception("tick failed")

    def _schedule_flush(self) -> None:
        if self._flush_timer is None:
            # The first change at once, what follows close upon it together: one commit per FLUSH_SECONDS at most.
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_at(max(loop.time(), self._flushed_at + FLUSH_SECONDS), self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        self._flushed_at = asyncio.get_running_loop().time()
        try:
            self.store.flush()
        except Exception:
            logger.exception("state not written, will try again")
            self._flush_timer = asyncio.get_running_loop().call_later(1.0, self._flush)

    def publish(self, kind: str, subject: str, body: dict[str, Any], *, at: int = 0) -> None:
        """Put a fact into the outbox, in the transaction of the states that changed with it."""
        origin = f"{self._identity.code}/{self._node}"
        self.store.add_event(make_event(kind, subject, body, origin=origin, now_us=self._clock.now_us(), at=at))

    # --- configuration ----------------------------------------------------------------------------------------

    @property
    def configuration(self) -> list[ApplySignal]:
        """The parts of the configuration that is in force."""
        return self._config

    def apply(self, message: ApplySignal) -> None:
        """Take a part of the configuration; the last part puts it into force, durably."""
        if any(part.revision != message.revision for part in self._parts.values()):
            self._parts.clear()
        if not 0 <= message.part < message.parts <= 10_000:
            raise InvalidError("part out of range", code="invalid")
        self._parts[message.part] = message
        if len(self._parts) < message.parts:
            return
        parts = [self._parts[number] for number in sorted(self._parts)]
        self._parts = {}
        if parts == self._config:
            return
        self.store.save_config(parts)
        self._take_config(parts)
        self.streams.configured()

    def _take_config(self, parts: list[ApplySignal]) -> None:
        devices: list[GbDevice] = [device for part in parts for device in part.devices]
        channels: list[GbChannel] = [channel for part in parts for channel in part.channels]
        if parts[0].identity.domain != self._identity.domain or not self._ready:
            ssrcs = SsrcPool(parts[0].identity.domain, start=self._clock.now_us() % 10_000)
            self.streams.ssrcs = self.history.ssrcs = ssrcs
        self._identity = self.link.identity = parts[0].identity
        self._config = parts
        self.attendance.use(self._identity)
        self.attendance.in_list(device.code for device in devices)
        for device in self.directory.apply(self._identity, devices, channels):
            self.attendance.forget(device)

    def slots(self) -> set[str]:
        """Media slots whose streams we are to watch."""
        return self.directory.slots()

    # --- what comes in ----------------------------------------------------------------------------------------

    def on_request(self, incoming: Incoming) -> None:
        """Every request of the endpoint."""
        match incoming.request.method:
            case "MESSAGE":
                self.inbox.on_message(incoming)
            case "REGISTER":
                self.attendance.on_register(incoming)
            case "NOTIFY":
                self.subscribing.on_notify(incoming)
                self.inbox.on_message(incoming)
            case "BYE":
                self._on_bye(incoming)
            case "ACK":
                pass
            case _:
                self._on_other(incoming)

    def on_lost(self, flow: Flow) -> None:
        """A TCP connection is gone."""
        self.attendance.connection_lost(flow)

    def _on_bye(self, incoming: Incoming) -> None:
        call_id = incoming.request.call_id
        dialog = self.streams.dialog(call_id) or self.history.dialog(call_id)
        if dialog is None or not _belongs(incoming.request, dialog.id.remote_tag):
            if self._sender(incoming) is not None:
                incoming.respond(481)
            else:
                incoming.ignore()
            return
        incoming.respond(200)
        if not self.streams.ended_by_device(call_id, "gb_bye"):
            self.history.ended_by_device(call_id, "gb_bye")

    def _on_other(self, incoming: Incoming) -> None:
        """Registered devices get a reason, everybody else silence: scanners live of answers."""
        if self._sender(incoming) is None:
            incoming.ignore()
        elif incoming.request.method == "OPTIONS":
            incoming.respond(200, fields=[("Allow", ALLOW)])
        elif incoming.request.method == "INVITE":
            incoming.respond(488)
        else:
            incoming.respond(405, fields=[("Allow", ALLOW)])

    def _sender(self, incoming: Incoming) -> Device | None:
        device = self.attendance.speaker(incoming.request.from_.user, incoming.flow)
        return device if device is not None and self.attendance.admits(device, incoming.flow) else None

    def _arrived(self, device: Device) -> None:
        if not self._ready:
            return
        self.streams.device_came_back(device.id)
        self.subscribing.device_is_new(device)
        self.knowing.meet(device)

    def _answer(self, device: Device, body: Body) -> None:
        self.spawn(self._send_answer(device, body))

    async def _send_answer(self, device: Device, body: Body) -> None:
        try:
            await self.link.message(device, body)
        except SafecityError as error:
            logger.info("answer not taken code=%s why=%s", device.code, error.code)

    def _media_ended(self, device: Device, call_id: str) -> None:
        if not self.history.finished(call_id):
            self.history.finished(self.history.only_session_of(device.code))

    # --- what is asked of us ----------------------------------------------------------------------------------

    async def open_stream(self, key: StreamKey) -> None:
        """Open at once; raises the failed step."""
        await self.streams.open_now(key)

    async def ask_key_frame(self, message: AskKeyFrame) -> None:
        """Sent; devices do not answer it."""
        channel, device = self.directory.channel(message.channel)
        body = key_frame_body(channel.code, device.next_sn(), device.version)
        _accepted(device, await self.link.message(device, body))

    async def steer(self, message: Steer) -> Answered | None:
        """Answered where the standard has devices answer, None where the control was only taken."""
        channel, device = self.directory.channel(message.channel)
        body = steer_body(message, channel.code, device.next_sn(), device.version)
        if not body.is_answered:
            _accepted(device, await self.link.message(device, body))
            return None
        reply = await self.asker.ask(device, body, first_seconds=5.0)
        if isinstance(reply.body, DeviceControlResponse) and reply.body.result.upper() != "OK":
            params = {"result": reply.body.result[:40], "action": message.action}
            raise RefusedError(f"{device.code}: {message.action} refused", code="gb_control_failed", params=params)
        return Answered(body=plain(reply.body), received=1, total=1)

    async def query(self, message: QueryDevice) -> Answered:
        """Any query, as plain data. Long lists (a whole catalogue) come as events; here only k of n."""
        device = self.directory.device(message.device)
        whole = message.code in ("", device.code)
        if message.command.lower() == "catalog" and whole:
            reply = await self.knowing.catalog(device)
        elif message.command.lower() == "deviceinfo" and whole:
            reply = await self.knowing.info(device)
        else:
            body = query_body(message.command, message.code or device.code, device.next_sn(), message.fields)
            reply = await self.asker.ask(device, body)
        return Answered(
            body=_joined(reply), complete=reply.complete, received=reply.received, total=reply.total
        )  # fmt: skip

    async def configure(self, message: ConfigureDevice) -> Answered:
        """The device said OK to it, or RefusedError (`gb_control_failed`)."""
        device = self.directory.device(message.device)
        body = config_body(message.code or device.code, device.next_sn(), message.fields)
        reply = await self.asker.ask(device, body)
        if isinstance(reply.body, DeviceConfigResponse) and reply.body.result.upper() != "OK":
            params = {"result": reply.body.result[:40], "action": "DeviceConfig"}
            raise RefusedError(f"{device.code}: DeviceConfig refused", code="gb_control_failed", params=params)
        if body.basic_param is not None and body.device_id == device.code:
            self.knowing.heartbeat_is(device, body.basic_param)
        return Answered(body=plain(reply.body), received=1, total=1)

    def figures(self, message: AskDevices) -> DeviceFigures:
        """Presence of the devices behind `after`."""
        ordered = sorted((device for device in self.directory if device.id > message.after), key=lambda one: one.id)
        limit = max(1, min(message.limit, 4000))
        shown = tuple(self.attendance.figure(device) for device in ordered[:limit])
        after = shown[-1].device if len(ordered) > limit else ""
        return DeviceFigures(devices=shown, unknown=self.attendance.unknown(), next=after)

    async def start_playback(self, message: StartDevicePlayback) -> None:
        await self.history.start(message)

    async def steer_playback(self, message: SteerDevicePlayback) -> None:
        await self.history.steer(message)

    def look_at_playback(self, message: AskDevicePlayback) -> DevicePlayback:
        return self.history.look(message)

    async def recordings(self, message: AskRecordings) -> DeviceRecordings:
        """What the device has recorded itself."""
        return await find_recordings(self.directory, self.asker, message)

    def slot_says(self, slot: str, state: StreamState) -> None:
        """News of a stream from its slot."""
        if not self.history.slot_says(slot, state):
            self.streams.slot_says(slot, state)


def _accepted(device: Device, response: Any) -> None:
    if response.status >= 300:
        params = {"status": response.status, "reason": response.reason[:80]}
        raise RefusedError(f"{device.code}: {response.status}", code="gb_refused", params=params)


def _belongs(request: Request, remote_tag: str) -> bool:
    return request.from_.tag == remote_tag or not remote_tag


_LISTS = {"Catalog": "DeviceList", "RecordInfo": "RecordList", "PresetQuery": "PresetList"}


def _joined(reply: Reply) -> dict[str, Any]:
    body: dict[str, Any] = plain(reply.body)
    name = _LISTS.get(type(reply.body).COMMAND, "")
    if name:
        body[name] = [plain(item) for item in reply.items[:MAX_ANSWER_ITEMS]]
        body["SumNum"] = reply.total
    return body
