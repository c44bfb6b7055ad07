"""Playing what a device has recorded itself: a dialog of its own per session, steered by INFO."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.link import Link
from safecity.drivers.gb28181.store import DialogRow, SignalStore, dialog_of, dialog_row
from safecity.drivers.gb28181.streams import hang_up, invite, media_transport
from safecity.drivers.played import Played, PlayedSessions, check_window
from safecity.drivers.progress import Progress, progress_of
from safecity.drivers.slots import SLOT_SECONDS, prepare, tell_closed
from safecity.drivers.wanted import Spawn
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, NotFoundError, Param, RefusedError, SafecityError
from safecity.model.facts.media_calls import ConfirmStream, PrepareStream, StreamState
from safecity.model.facts.signal_calls import DEVICE_PLAYBACK, GbChannel, StartDevicePlayback, SteerDevicePlayback
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.gb28181.invite import Agreed, Wish
from safecity.protocols.gb28181.mansrtsp import Act, Pause, Play, Teardown
from safecity.protocols.gb28181.session import Purpose
from safecity.protocols.gb28181.ssrc import HISTORY, SsrcPool
from safecity.protocols.sip.dialog import Dialog

PER_DEVICE: Final = 4
"""Recorders give out few sessions; those who drag a slider would use them all up."""
SEEK_SECONDS: Final = 0.3
"""Two seeks of one session are at least so far apart; only the last of several waiting ones is sent."""


class HistoryRow(Struct, frozen=True, array_like=True):
    session: str
    device: str
    slot: str
    ssrc: int
    dialog: DialogRow
    channel: str = ""
    start: int = 0
    end: int = 0


@dataclass(slots=True, kw_only=True)
class _Session(Played):
    """`device` by its code."""

    ssrc: int
    dialog: Dialog
    cseq: int = 1
    seek_at: float = 0.0
    seeks: int = 0


class History(PlayedSessions[_Session]):
    """Device playback and download sessions by name."""

    per_device = PER_DEVICE
    stopped = "gb_packets_stopped"

    def __init__(
        self,
        directory: Directory,
        link: Link,
        calls: Calls,
        store: SignalStore,
        clock: Clock,
        ssrcs: SsrcPool,
        spawn: Spawn,
    ) -> None:
        super().__init__(calls, clock, spawn)
        self._directory = directory
        self._link = link
        self._store = store
        self.ssrcs = ssrcs
        self._by_call: dict[str, _Session] = {}

    def restore(self) -> None:
        """Sessions of before the restart can be steered and ended."""
        now = self._clock.monotonic()
        for _, row in self._store.load_dialogs("history", HistoryRow):
            self.ssrcs.claim(row.ssrc)
            progress, dialog = Progress(row.start, row.end), dialog_of(row.dialog)
            self._keep(_Session(
                row.session, row.channel, row.device, row.slot, progress, now, ssrc=row.ssrc, dialog=dialog, cseq=1000,
            ))  # fmt: skip

    async def start(self, request: StartDevicePlayback) -> None:
        """INVITE for [start, end). Raises the failed step; ConflictError (`gb_busy`) at our own limit."""
        check_window(request)
        channel, device = self._directory.channel(request.channel)
        async with self._place(request.session, request.channel, device.code):
            ssrc = self.ssrcs.take(HISTORY)
            key = StreamKey(request.session, Quality.MAIN)
            try:
                agreed, dialog = await self._invite(request, channel, device, ssrc)
                session = _Session(
                    request.session, request.channel, device.code, channel.slot, progress_of(request),
                    self._clock.monotonic(), request.download_speed, ssrc=ssrc, dialog=dialog,
                )  # fmt: skip
                self._keep(session)
                row = HistoryRow(
                    request.session, device.code, channel.slot, ssrc, dialog_row(dialog), request.channel,
                    request.start, request.end,
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
                    await tell_closed(self._calls, channel.slot, key, error.code, error.params)
                raise

    async def _invite(
        self, request: StartDevicePlayback, channel: GbChannel, device: Device, ssrc: int
    ) -> tuple[Agreed, Dialog]:
        transport = media_transport(device)
        expected = PrepareStream(request.session, Quality.MAIN, ssrc, transport)
        port = await prepare(self._calls, channel.slot, expected)
        wish = Wish(
            platform=self._link.identity.code,
            channel=channel.code,
            host=self._link.local_host(device),
            port=port,
            ssrc=ssrc,
            transport=transport,
            purpose=Purpose.DOWNLOAD if request.download_speed else Purpose.PLAYBACK,
            start=request.start // SECOND_US,
            end=-(-request.end // SECOND_US),
            download_speed=request.download_speed,
        )
        return await invite(self._link, device, wish)

    async def steer(self, request: SteerDevicePlayback) -> None:
        """Pause, resume, seek, scale or stop. NotFoundError (`gb_no_session`), RefusedError."""
        session = self._session(request.session)
        if request.action == "stop":
            await self.stop(request.session, "closed")
            return
        if request.action == "seek" and not await self._may_seek(session):
            return
        session.cseq += 1
        await self._info(session, _act(request, session.cseq))
        scale = request.value if request.action == "scale" else session.progress.scale
        session.progress.steered(request, scale, self._clock.monotonic())

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a session's stream from its slot. False where it is none of a session, also of one that is over."""
        return super().slot_says(slot, state) or state.channel.startswith(f"{DEVICE_PLAYBACK}_")

    async def _end(self, session: _Session, reason: str) -> None:
        """TEARDOWN is for others; BYE ends the dialog and with it the stream."""
        self._forget(session)
        device = self._directory.by_code(session.device)
        if device is not None:
            await hang_up(self._link, device, session.dialog)

    def ended_by_device(self, call_id: str, reason: str) -> bool:
        """BYE from the device. False where the dialog is not ours."""
        session = self._by_call.get(call_id)
        if session is None:
            return False
        self._forget(session)
        self._spawn(tell_closed(self._calls, session.slot, session.key, reason, {}))
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
