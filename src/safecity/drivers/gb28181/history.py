"""Playing what a device has recorded itself: a dialog of its own per session, steered by INFO."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from safecity.drivers.gb28181.directory import Directory
from safecity.drivers.gb28181.link import Link
from safecity.drivers.gb28181.store import DialogRow, SignalStore, dialog_of, dialog_row
from safecity.drivers.gb28181.streams import SLOT_SECONDS, hang_up, invite, media_transport
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError, Param, RefusedError, SafecityError
from safecity.model.facts.media_calls import CloseStream, ConfirmStream, Prepared, PrepareStream, StreamState
from safecity.model.facts.signal_calls import (
    DEVICE_PLAYBACK,
    AskDevicePlayback,
    DevicePlayback,
    StartDevicePlayback,
    SteerDevicePlayback,
)
from safecity.model.values.media import Quality
from safecity.ports.calls import Calls
from safecity.protocols.gb28181.invite import Wish
from safecity.protocols.gb28181.mansrtsp import Act, Pause, Play, Teardown
from safecity.protocols.gb28181.progress import Progress
from safecity.protocols.gb28181.session import Purpose
from safecity.protocols.gb28181.ssrc import HISTORY, SsrcPool
from safecity.protocols.sip.dialog import Dialog

logger = logging.getLogger(__name__)

PER_DEVICE = 4
"""Recorders give out few sessions; those who drag a slider would use them all up."""
SEEK_SECONDS = 0.3
"""Two seeks of one session are at least so far apart; only the last of several waiting ones is sent."""
MAX_HOURS = 48
UNWATCHED_SECONDS = 20.0
"""A session that nobody watches is ended: its place at the recorder is wanted, and it costs the line."""


class HistoryRow(Struct, frozen=True, array_like=True):
    session: str
    device: str
    slot: str
    ssrc: int
    dialog: DialogRow
    channel: str = ""
    start: int = 0
    end: int = 0


@dataclass(slots=True)
class _Session:
    name: str
    device: str
    slot: str
    ssrc: int
    dialog: Dialog
    channel: str
    progress: Progress
    unwatched_at: float
    download_speed: int = 0
    watched: bool = False
    left: bool = False
    """It was watched and is no more."""
    cseq: int = 1
    seek_at: float = 0.0
    seeks: int = 0


class History:
    """Device playback and download sessions by name."""

    def __init__(
        self,
        directory: Directory,
        link: Link,
        calls: Calls,
        store: SignalStore,
        clock: Clock,
        ssrcs: SsrcPool,
        spawn: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        self._directory = directory
        self._link = link
        self._calls = calls
        self._store = store
        self._clock = clock
        self.ssrcs = ssrcs
        self._spawn = spawn
        self._sessions: dict[str, _Session] = {}
        self._by_call: dict[str, _Session] = {}
        self._starting: dict[str, int] = {}

    def restore(self) -> None:
        """Sessions of before the restart can be steered and ended."""
        now = self._clock.monotonic()
        for _, row in self._store.load_dialogs("history", HistoryRow):
            self.ssrcs.claim(row.ssrc)
            progress = Progress(row.start, row.end)
            dialog = dialog_of(row.dialog)
            session = _Session(row.session, row.device, row.slot, row.ssrc, dialog, row.channel, progress, now)
            session.cseq = 1000
            self._keep(session)

    async def start(self, request: StartDevicePlayback) -> None:
        """INVITE for [start, end). Raises the failed step; ConflictError (`gb_busy`) at our own limit."""
        if not request.start < request.end or request.end - request.start > MAX_HOURS * 3600 * SECOND_US:
            raise InvalidError("playback window", code="gb_bad_window", params={"hours": MAX_HOURS})
        channel, device = self._directory.channel(request.channel)
        if request.session in self._sessions:
            await self.stop(request.session, "closed")
        await self._make_room(device.code)
        self._starting[device.code] = self._starting.get(device.code, 0) + 1
        ssrc = self.ssrcs.take(HISTORY)
        key = (request.session, Quality.MAIN)
        try:
            transport = media_transport(device)
            prepared = await self._calls.call(channel.slot, PrepareStream(*key, ssrc, transport), timeout=SLOT_SECONDS)
            assert isinstance(prepared, Prepared)
            wish = Wish(
                platform=self._link.identity.code,
                channel=channel.code,
                host=self._link.local_host(device),
                port=prepared.port,
                ssrc=ssrc,
                transport=transport,
                purpose=Purpose.DOWNLOAD if request.download_speed else Purpose.PLAYBACK,
                start=request.start // SECOND_US,
                end=-(-request.end // SECOND_US),
                download_speed=request.download_speed,
            )
            agreed, dialog = await invite(self._link, device, wish)
            progress = Progress(request.start, request.end, scale=float(request.download_speed or 1))
            session = _Session(
                request.session, device.code, channel.slot, ssrc, dialog, request.channel, progress,
                self._clock.monotonic(), request.download_speed,
            )  # fmt: skip
            self._keep(session)
            row = HistoryRow(
                request.session, device.code, channel.slot, ssrc, dialog_row(dialog), request.channel, request.start,
                request.end,
            )  # fmt: skip
            self._store.put_dialog(f"history/{request.session}", "history", row)
            await self._store.committed()
            confirm = ConfirmStream(*key, agreed.ssrc, agreed.host, agreed.port)
            await self._calls.call(channel.slot, confirm, timeout=SLOT_SECONDS)
        except SafecityError as error:
            if request.session in self._sessions:
                await self.stop(request.session, error.code)
            else:
                self.ssrcs.give_back(ssrc)
                await self._tell_closed(request.session, channel.slot, error.code, error.params)
            raise
        finally:
            self._starting[device.code] -= 1
            if not self._starting[device.code]:
                del self._starting[device.code]

    async def _make_room(self, device: str) -> None:
        """Sessions whose viewers have left wait a while for them to come back, but stand in nobody's way meanwhile."""
        while True:
            held = [session for session in self._sessions.values() if session.device == device]
            if len(held) + self._starting.get(device, 0) < PER_DEVICE:
                return
            left = [session for session in held if session.left]
            if not left:
                params: dict[str, Param] = {"limit": PER_DEVICE}
                raise ConflictError(f"{device}: no more playback sessions", code="gb_busy", params=params)
            await self.stop(min(left, key=lambda session: session.unwatched_at).name, "not_wanted")

    async def steer(self, request: SteerDevicePlayback) -> None:
        """Pause, resume, seek, scale or stop. NotFoundError (`gb_no_session`), RefusedError."""
        session = self._sessions.get(request.session)
        if session is None:
            raise NotFoundError("no such playback session", code="gb_no_session")
        if request.action == "stop":
            await self.stop(request.session, "closed")
            return
        if request.action == "seek" and not await self._may_seek(session):
            return
        session.cseq += 1
        await self._info(session, _act(request, session.cseq))
        self._note(session.progress, request)

    def _note(self, progress: Progress, request: SteerDevicePlayback) -> None:
        now = self._clock.monotonic()
        match request.action:
            case "pause":
                progress.pause(now)
            case "resume":
                progress.resume(now)
            case "seek":
                progress.seek(request.value, now)
            case "scale":
                progress.play_at(request.value, now)
            case _:
                pass

    def look(self, request: AskDevicePlayback) -> DevicePlayback:
        """How far a session is. NotFoundError (`gb_no_session`)."""
        session = self._sessions.get(request.session)
        if session is None:
            raise NotFoundError("no such playback session", code="gb_no_session")
        progress = session.progress
        return DevicePlayback(
            session.name, session.channel, progress.start, progress.end, progress.at(self._clock.monotonic()),
            progress.scale, progress.paused, session.download_speed,
        )  # fmt: skip

    # --- what slots say ---------------------------------------------------------------------------------------

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a session's stream. False where it is none of ours."""
        session = self._sessions.get(state.channel)
        if session is None or session.slot != slot:
            return state.channel.startswith(f"{DEVICE_PLAYBACK}_")
        now = self._clock.monotonic()
        if session.watched and not state.wanted:
            session.unwatched_at = now
        session.left = not state.wanted and (session.watched or session.left)
        session.watched = state.wanted
        if state.state == "running":
            session.progress.begun(now)
        elif state.state == "lost" and not session.progress.paused:
            self._spawn(self.stop(session.name, state.step or "gb_packets_stopped"))
        return True

    def tick(self) -> None:
        """End what nobody watches."""
        now = self._clock.monotonic()
        for session in list(self._sessions.values()):
            if not session.watched and now - session.unwatched_at > UNWATCHED_SECONDS:
                session.unwatched_at = now
                self._spawn(self.stop(session.name, "not_wanted"))

    async def stop(self, name: str, reason: str) -> None:
        """TEARDOWN is for others; BYE ends the dialog and with it the stream."""
        session = self._sessions.get(name)
        if session is None:
            return
        self._forget(session)
        device = self._directory.by_code(session.device)
        if device is not None:
            await hang_up(self._link, device, session.dialog)
        await self._tell_closed(session.name, session.slot, reason, {})

    def ended_by_device(self, call_id: str, reason: str) -> bool:
        """BYE from the device. False where the dialog is not ours."""
        session = self._by_call.get(call_id)
        if session is None:
            return False
        self._forget(session)
        self._spawn(self._tell_closed(session.name, session.slot, reason, {}))
        return True

    def finished(self, call_id: str) -> bool:
        """MediaStatus 121: the file has been sent; it is for us to say BYE."""
        session = self._by_call.get(call_id)
        if session is None:
            return False
        self._spawn(self.stop(session.name, "end"))
        return True

    def only_session_of(self, code: str) -> str:
        """Call-ID of the device's one session: some send MediaStatus outside the dialog."""
        calls = [session.dialog.id.call_id for session in self._sessions.values() if session.device == code]
        return calls[0] if len(calls) == 1 else ""

    def dialog(self, call_id: str) -> Dialog | None:
        session = self._by_call.get(call_id)
        return None if session is None else session.dialog

    async def _may_seek(self, session: _Session) -> bool:
        session.seeks += 1
        mine = session.seeks
        wait = session.seek_at - self._clock.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
            if mine != session.seeks or session.name not in self._sessions:
                return False  # a newer seek has overtaken this one
        session.seek_at = self._clock.monotonic() + SEEK_SECONDS
        return True

    async def _info(self, session: _Session, act: Act) -> None:
        device = self._directory.by_code(session.device)
        if device is None:
            raise NotFoundError("no such device", code="gb_unknown_device")
        response = await self._link.info(device, session.dialog, act)
        if response.status == 481:
            self.ended_by_device(session.dialog.id.call_id, "gb_gone")
        if response.status >= 300:
            params: dict[str, Param] = {"status": response.status, "reason": response.reason[:80]}
            raise RefusedError(f"INFO: {response.status}", code="gb_refused", params=params)

    def _keep(self, session: _Session) -> None:
        self._sessions[session.name] = session
        self._by_call[session.dialog.id.call_id] = session

    def _forget(self, session: _Session) -> None:
        self._sessions.pop(session.name, None)
        self._by_call.pop(session.dialog.id.call_id, None)
        self._store.drop_dialog(f"history/{session.name}")
        self.ssrcs.give_back(session.ssrc)

    async def _tell_closed(self, name: str, slot: str, reason: str, params: dict[str, Param]) -> None:
        try:
            close = CloseStream(name, Quality.MAIN, reason, params)
            await self._calls.call(slot, close, timeout=SLOT_SECONDS)
        except SafecityError as error:
            logger.debug("slot not told slot=%s why=%s", slot, error)


def _act(request: SteerDevicePlayback, cseq: int) -> Act:
    match request.action:
        case "pause":
            return Pause(cseq)
        case "resume":
            return Play(cseq)
        case "seek":
            return Play(cseq, start=max(0.0, request.value))
        case "scale":
            if not 0.1 <= abs(request.value) <= 16:
                raise InvalidError("speed", code="gb_bad_speed", params={"value": request.value})
            return Play(cseq, scale=request.value)
        case "teardown":
            return Teardown(cseq)
        case _:
            raise InvalidError(f"no such act: {request.action[:40]!r}", code="gb_unknown_action")
