"""A simulated GB/T 28181 device: registers, keeps alive, answers, sends media, raises alarms.

`start` it, and it does by itself what a device does until `stop`. Its state, faults and channels may be looked at and
changed at any time from the same event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from random import Random
from typing import Any

from safecity.kit.clock import Clock, SystemClock
from safecity.kit.errors import InvalidError, SafecityError, UnavailableError
from safecity.links.sip import Flow, Incoming, SipEndpoint
from safecity.links.sip_client import DigestMemory, new_request, request_authorized
from safecity.protocols.gb28181 import answers, controls, notices
from safecity.protocols.gb28181.body import Body, Query
from safecity.protocols.gb28181.manscdp import CONTENT_TYPE, command_of, read_body, write_body
from safecity.protocols.gb28181.times import parse_local
from safecity.protocols.sip.message import Response
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.replies import replies
from safecity.sim.gb28181.sessions import Sessions
from safecity.sim.gb28181.state import Channel, DeviceSpec, DeviceState
from safecity.sim.gb28181.steering import obey
from safecity.sim.gb28181.subscriptions import Subscriptions
from safecity.sim.gb28181.talk import Talk

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 8.0


class SimDevice:
    """See the module."""

    def __init__(
        self,
        spec: DeviceSpec,
        channels: Iterable[Channel],
        *,
        faults: Faults | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.spec = spec
        self.state = DeviceState(spec, {each.code: each for each in channels}, faults or Faults())
        self.state.clock = clock or SystemClock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._life: asyncio.Task[None] | None = None
        self._power_cut: asyncio.TimerHandle | None = None
        self._endpoint = self._new_endpoint()
        self._memory = DigestMemory(spec.username or spec.code, spec.password)
        self._dice = Random(spec.code)
        self._sn = 0
        self._cseq = 0
        self._call_id = ""
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self.flow: Flow | None = None
        self._parts()

    @property
    def faults(self) -> Faults:
        """To be changed in place."""
        return self.state.faults

    @property
    def domain(self) -> str:
        """The realm of the platform."""
        return self.spec.domain or self.spec.platform_code[:10]

    def _new_endpoint(self) -> SipEndpoint:
        return SipEndpoint(self._heard, public_host=self.spec.profile.private_host, on_lost=self._lost)

    def _parts(self) -> None:
        self.sessions = Sessions(self.state, self._endpoint, self._spawn)
        self.subscriptions = Subscriptions(self.state, self._endpoint, self._spawn, self.notify)
        self.talk = Talk(self.state, self._endpoint)

    # --- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the sockets and begin to register."""
        await self._endpoint.start(udp=(self.spec.local_host, self.spec.local_port))
        self.state.booted_us = self.state.clock.now_us()
        self._life = asyncio.get_running_loop().create_task(self._live())

    async def stop(self, *, unregister: bool = True) -> None:
        """Log off (unless the power is cut) and close everything."""
        if self._power_cut is not None:
            self._power_cut.cancel()
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life
        await self.sessions.close(silently=not unregister)
        if unregister and self.state.registered and not self.faults.silent:
            with contextlib.suppress(SafecityError):
                await self._register(0)
        self.state.registered = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.talk.close()
        await self._endpoint.close()

    async def reboot(self, *, dark_seconds: float = 1.0) -> None:
        """Power off without a word, and on again after a while."""
        await self.stop(unregister=False)
        await asyncio.sleep(dark_seconds)
        self.state.reboots += 1
        self.state.registered = False
        self._endpoint = self._new_endpoint()
        self._memory = DigestMemory(self.spec.username or self.spec.code, self.spec.password)
        self._call_id = ""
        self._parts()
        await self.start()

    async def switch(self, code: str, on: bool) -> None:
        """A channel of a recorder comes or goes: its sessions end, and whoever subscribed is told."""
        if not on:
            for call_id, session in list(self.sessions.running.items()):
                if session.channel.code == code:
                    await self.sessions.hang_up(call_id)
        await self.subscriptions.switch(code, on)

    async def registered(self, seconds: float = 10.0) -> None:
        """Wait until the platform has accepted us. TimeoutError."""
        async with asyncio.timeout(seconds):
            while not self.state.registered:
                self._news.clear()
                await self._news.wait()

    async def _live(self) -> None:
        if self.faults.reboot_seconds:
            loop = asyncio.get_running_loop()
            self._power_cut = loop.call_later(self.faults.reboot_seconds, lambda: self._spawn_free(self.reboot()))
        while True:
            try:
                await self._keep_registered()
            except UnavailableError as error:
                logger.debug("platform not reachable device=%s why=%s", self.spec.code, error)
            self.state.registered = False
            await asyncio.sleep(self.spec.retry_seconds * self._dice.uniform(0.7, 1.3))

    async def _keep_registered(self) -> None:
        """Register, then keep alive until it is time to register again or the platform is lost."""
        if self.faults.silent:
            return
        await self._open_flow()
        loop = asyncio.get_running_loop()
        response = await self._register(self.spec.expires_seconds)
        if response.status != 200:
            logger.debug("registration refused device=%s status=%s", self.spec.code, response.status)
            return
        self.state.registered = True
        self._news.set()
        renew_at = loop.time() + 0.8 * (response.expires or self.spec.expires_seconds)
        missed = 0
        while missed < self.spec.keepalive_misses and loop.time() < renew_at:
            if not self.faults.keepalive_lost and not self.faults.silent:
                missed = 0 if await self._keepalive() else missed + 1
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.spec.keepalive_seconds):
                    await self._wake.wait()
            if self.flow is None:
                return

    async def _open_flow(self) -> None:
        spec = self.spec
        if spec.tcp or spec.profile.tcp_signalling:
            self.flow = await self._endpoint.connect(spec.platform_host, spec.platform_port)
        else:
            self.flow = self._endpoint.udp_flow(spec.platform_host, spec.platform_port)

    def _lost(self, flow: Flow) -> None:
        if flow == self.flow:
            self.flow = None
            self._wake.set()

    async def _register(self, expires: int) -> Response:
        flow, spec = self._way(), self.spec
        uri = f"sip:{spec.platform_code}@{self.domain}"
        own = f"sip:{spec.code}@{self.domain}"
        self._cseq += 2
        fields = [("Expires", str(expires)), ("User-Agent", spec.profile.user_agent)]
        if spec.profile.version == "3.0":
            fields.append(("X-GB-Ver", spec.profile.version))
        request = new_request(
            "REGISTER", uri, local=own, remote=own, cseq=self._cseq, call_id=self._call_id,
            contact=self._endpoint.contact(spec.code, flow), fields=fields,
        )  # fmt: skip
        self._call_id = request.call_id
        response = await request_authorized(self._endpoint, request, flow, self._memory, timeout=_ANSWER_SECONDS)
        self.state.version_of_platform = response.get("X-GB-Ver")
        there = parse_local(response.get("Date"))
        if response.status == 200 and there is not None:
            self.state.offset_us = there - self.state.clock.now_us()
        return response

    async def _keepalive(self) -> bool:
        try:
            response = await self.notify(notices.Keepalive(sn=self.next_sn(), device_id=self.spec.code))
        except UnavailableError:
            return False
        if response.status in (401, 403, 404):  # the platform does not know us any more
            self.state.registered = False
            self.flow = None
        return response.status == 200

    # --- talking --------------------------------------------------------------------------------------------

    def next_sn(self) -> int:
        """Numbers our own messages."""
        self._sn += 1
        return self._sn

    async def notify(self, body: Body) -> Response:
        """Send a MESSAGE outside any dialog and wait for its 200. UnavailableError."""
        flow, spec = self._way(), self.spec
        request = new_request(
            "MESSAGE", f"sip:{spec.platform_code}@{self.domain}", local=f"sip:{spec.code}@{self.domain}",
            remote=f"sip:{spec.platform_code}@{self.domain}", cseq=20,
            fields=[("Content-Type", CONTENT_TYPE), ("User-Agent", spec.profile.user_agent)],
            body=self.encode(body),
        )  # fmt: skip
        return await self._endpoint.request(request, flow, timeout=_ANSWER_SECONDS)

    def encode(self, body: Body) -> bytes:
        """The XML in the device's charset, spoilt where the fault asks for it."""
        data = write_body(body, self.spec.profile.charset)
        if self.faults.dirty_names and isinstance(body, answers.CatalogResponse):
            data = data.replace(b"</Name>", b"\xb0\xff\xfe</Name>")
        return data

    def _way(self) -> Flow:
        if self.flow is None:
            raise UnavailableError("no connection to the platform", code="sip_connection_lost")
        return self.flow

    def _heard(self, incoming: Incoming) -> None:
        if self.faults.silent:
            return
        match incoming.request.method:
            case "MESSAGE":
                self._message(incoming)
            case "INVITE":
                self.sessions.invited(incoming)
            case "BYE":
                if self.talk.said_bye(incoming):
                    return
                self.sessions.said_bye(incoming)
            case "INFO":
                self.sessions.informed(incoming)
            case "SUBSCRIBE":
                self.subscriptions.subscribed(incoming)
            case "OPTIONS":
                incoming.respond(200, fields=[("Allow", "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, SUBSCRIBE, OPTIONS")])
            case "ACK":
                pass
            case _:
                incoming.respond(405)

    def _message(self, incoming: Incoming) -> None:
        try:
            body = read_body(incoming.request.body)
        except InvalidError:
            incoming.respond(400)
            return
        incoming.respond(200)
        command = getattr(body, "ptz_cmd", None) or ""
        self.state.note(f"{command_of(body)}/{body.device_id} {command}".strip())
        self._spawn(self._act(body))

    async def _act(self, body: Body) -> None:
        match body:
            case Query():
                for reply in replies(self.state, body):
                    await self._send(reply)
            case controls.DeviceControl():
                await self._control(body)
            case controls.DeviceConfig():
                await self._configure(body)
            case notices.BroadcastNotify():
                result = "OK" if self.state.channels else "ERROR"
                await self._send(
                    notices.BroadcastResponse(sn=body.sn, device_id=body.target_id or self.spec.code, result=result)
                )
                if self.flow is not None:
                    await self.talk.begin(body.target_id or self.spec.code, body.source_id or "", self.flow)
            case _:
                pass

    async def _control(self, command: controls.DeviceControl) -> None:
        now = asyncio.get_running_loop().time()
        channel = self.state.channel(command.device_id)
        if command.tele_boot is not None:
            self._spawn_free(self.reboot())
            return
        if command.wants_key_frame and not self.faults.no_key_frames:
            self.sessions.want_key(command.device_id)
        targets = [channel] if channel else list(self.state.channels.values())
        results = [obey(self.state, each, command, now) for each in targets]
        if command.is_answered:
            result = "ERROR" if "ERROR" in results or not results else "OK"
            await self._send(answers.DeviceControlResponse(sn=command.sn, device_id=command.device_id, result=result))
        if command.device_upgrade is not None:
            await self._send(
                notices.DeviceUpgradeResult(
                    sn=self.next_sn(), device_id=command.device_id, session_id=command.device_upgrade.session_id,
                    upgrade_result="OK", firmware=command.device_upgrade.firmware,
                )
            )  # fmt: skip

    async def _configure(self, command: controls.DeviceConfig) -> None:
        if command.basic_param is not None:
            self._take_basics(command.basic_param)
        if command.frame_mirror is not None:
            self.state.config["FrameMirror"] = str(command.frame_mirror)
        await self._send(answers.DeviceConfigResponse(sn=command.sn, device_id=command.device_id))

    def _take_basics(self, basic: answers.BasicParam) -> None:
        if basic.name:
            self.state.config["Name"] = basic.name
        spec = self.spec
        self.spec = self.state.spec = replace(
            spec,
            keepalive_seconds=float(basic.heart_beat_interval or spec.keepalive_seconds),
            keepalive_misses=basic.heart_beat_count or spec.keepalive_misses,
            expires_seconds=basic.expiration or spec.expires_seconds,
        )
        self._wake.set()  # the pause under way was of the old length

    async def _send(self, body: Body) -> None:
        with contextlib.suppress(UnavailableError):
            await self.notify(body)

    # --- tasks ----------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SafecityError as error:
            logger.debug("device=%s gave up: %s", self.spec.code, error)
        except Exception:
            logger.exception("simulated device failed device=%s", self.spec.code)

    def _spawn_free(self, work: Coroutine[Any, Any, None]) -> None:
        """For what ends all other tasks."""
        _free.add(task := asyncio.get_running_loop().create_task(self._guarded(work)))
        task.add_done_callback(_free.discard)


_free: set[asyncio.Task[None]] = set()
