"""Live streams: one upstream session per (channel, quality), opened while wanted and tried again for ever.

The media slot says what is wanted and whether pictures really come; this desk opens and closes by INVITE and BYE.
Nothing is judged by a 200: only a slot's `running` ends the back-off.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.link import Link
from safecity.drivers.gb28181.store import DialogRow, SignalStore, dialog_of, dialog_row
from safecity.kit.clock import Clock
from safecity.kit.errors import Param, SafecityError, UnavailableError
from safecity.kit.retry import Backoff
from safecity.model.facts.media_calls import CloseStream, ConfirmStream, Prepared, PrepareStream, StreamState
from safecity.model.facts.signal_calls import GbChannel
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.gb28181.invite import ANSWER_SECONDS, Agreed, Wish, judge, offer, subject
from safecity.protocols.gb28181.session import write_session
from safecity.protocols.gb28181.ssrc import LIVE, SsrcPool
from safecity.protocols.sip.dialog import Dialog

logger = logging.getLogger(__name__)

LINGER_SECONDS = 15.0
"""A stream nobody wants is closed after this."""
PROGRESS_SECONDS = 20.0
"""A session that does not run after this (the slot itself says why after 15 s) is ended and tried again."""
SLOT_SECONDS = 5.0
OPENING_PER_DEVICE = 4
OPENING_AT_ONCE = 200


class StreamRow(Struct, frozen=True, array_like=True):
    """An open session, to be ended by whoever restarts."""

    channel: str
    quality: Quality
    device: str
    slot: str
    ssrc: int
    dialog: DialogRow


@dataclass(slots=True)
class Session:
    """One (channel, quality). Without `dialog` nothing is open at the device. Times are monotonic seconds."""

    key: StreamKey
    wanted: bool = False
    state: str = "idle"
    dialog: Dialog | None = None
    device: str = ""
    slot: str = ""
    ssrc: int = 0
    since: float = 0.0
    unwanted_at: float = 0.0
    due_at: float = 0.0
    task: asyncio.Task[None] | None = None
    opening: bool = False
    code: str = ""
    params: dict[str, Param] = field(default_factory=dict[str, Param])
    backoff: Backoff = field(default_factory=lambda: Backoff(1.0, 60.0))


class Streams:
    """All of them. `spawn` owns the tasks; `tick` is to be called about twice a second."""

    def __init__(
        self,
        directory: Directory,
        link: Link,
        calls: Calls,
        store: SignalStore,
        clock: Clock,
        ssrcs: SsrcPool,
        publish: Callable[..., None],
        spawn: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        self._directory = directory
        self._link = link
        self._calls = calls
        self._store = store
        self._clock = clock
        self.ssrcs = ssrcs
        self._publish = publish
        self._spawn = spawn
        self._sessions: dict[StreamKey, Session] = {}
        self._by_call: dict[str, Session] = {}
        self._opening: dict[str, int] = {}
        # Control tells slots and us of a new channel at the same time: a slot may speak of it before we know it.
        self._early: dict[tuple[str, StreamKey], StreamState] = {}

    def restore(self) -> None:
        """Sessions of before the restart: they may still run, so nothing is sent; they can be ended."""
        now = self._clock.monotonic()
        for _, row in self._store.load_dialogs("live", StreamRow):
            session = self._session(StreamKey(row.channel, row.quality))
            session.dialog, session.device, session.slot = dialog_of(row.dialog), row.device, row.slot
            session.ssrc, session.since, session.unwanted_at = row.ssrc, now, now
            session.state = "opening"
            self.ssrcs.claim(row.ssrc)
            self._by_call[row.dialog.call_id] = session

    # --- what slots and people say ------------------------------------------------------------------------------

    def slot_says(self, slot: str, state: StreamState) -> None:
        """News of a stream from its slot."""
        key = StreamKey(state.channel, state.quality)
        channel = self._directory.find_channel(state.channel)
        if channel is None or channel.slot != slot:
            if state.wanted or state.state != "idle":
                self._early[slot, key] = state
            else:
                self._early.pop((slot, key), None)  # a channel that is gone
            return
        self._early.pop((slot, key), None)
        now = self._clock.monotonic()
        session = self._session(key)
        if session.wanted and not state.wanted:
            session.unwanted_at = now
        elif state.wanted and not session.wanted:
            session.due_at = min(session.due_at, now)
        session.wanted = state.wanted
        before, session.state = session.state, state.state
        if state.state == "running":
            session.backoff.succeeded()
            session.code = ""
        elif before == "running":
            session.since = now
        if state.state == "lost" and session.dialog is not None and session.task is None:
            self._begin(session, self._lost(session, state.step or "gb_no_packet", dict(state.params)))

    def slot_came_back(self, slot: str) -> None:
        """A slot answers again after it was gone. It resumes what it had, so sessions get time to show progress."""
        now = self._clock.monotonic()
        self._early = {place: state for place, state in self._early.items() if place[0] != slot}  # it says all anew
        for session in self._sessions.values():
            if session.slot == slot and session.dialog is not None:
                session.since, session.state = now, "opening"

    def device_came_back(self, device: Device) -> None:
        """Do not wait for the back-off of when it was away."""
        now = self._clock.monotonic()
        for session in self._sessions.values():
            channel = self._directory.find_channel(session.key.channel)
            if channel is not None and channel.device == device.id and session.dialog is None:
                session.backoff.succeeded()
                session.due_at = now + random.random()

    async def open_now(self, key: StreamKey) -> None:
        """A viewer waits: open at once, whatever the back-off says. Raises why it could not."""
        self._directory.channel(key.channel)
        session = self._session(key)
        session.wanted = True
        session.unwanted_at = self._clock.monotonic()
        task, opening = session.task, session.opening
        if task is not None:
            await asyncio.shield(task)
        if session.dialog is None and not opening:
            if session.task is None:
                self._begin(session, self._open(session), opening=True)
            assert session.task is not None
            await asyncio.shield(session.task)
        if session.dialog is None:
            raise UnavailableError(
                f"{key.channel}: {session.code}", code=session.code or "unavailable", params=session.params
            )

    def tick(self) -> None:
        """Open what is due, close what is not wanted, end what does not come."""
        now = self._clock.monotonic()
        for session in list(self._sessions.values()):
            if session.task is not None:
                continue
            wanted = session.wanted or now - session.unwanted_at < LINGER_SECONDS
            if session.dialog is None:
                if session.wanted and session.state != "running" and now >= session.due_at:
                    self._try_open(session)
                elif not wanted:
                    del self._sessions[session.key]
            elif not wanted:
                self._begin(session, self._close(session, "not_wanted"))
            elif session.state != "running" and now - session.since > PROGRESS_SECONDS:
                self._begin(session, self._lost(session, "gb_no_packet", {"seconds": PROGRESS_SECONDS}))

    def _try_open(self, session: Session) -> None:
        channel = self._directory.find_channel(session.key.channel)
        if channel is None:
            return
        at_once = sum(self._opening.values())
        if at_once < OPENING_AT_ONCE and self._opening.get(channel.device, 0) < OPENING_PER_DEVICE:
            self._begin(session, self._open(session), opening=True)

    def configured(self) -> None:
        """The configuration changed: end sessions of channels that are gone or were placed elsewhere."""
        for session in list(self._sessions.values()):
            channel = self._directory.find_channel(session.key.channel)
            if session.dialog is not None and session.task is None and (
                channel is None or channel.slot != session.slot
            ):  # fmt: skip
                self._begin(session, self._close(session, "reassigned"))
        for (slot, _), state in list(self._early.items()):
            self.slot_says(slot, state)

    # --- requests of the device ---------------------------------------------------------------------------------

    def ended_by_device(self, call_id: str, reason: str) -> bool:
        """BYE, or end of file. False where the dialog is not ours."""
        session = self._by_call.get(call_id)
        if session is None:
            return False
        self._forget_dialog(session)
        session.state = "idle"
        session.due_at = self._clock.monotonic() + session.backoff.failed(random.random())
        self._spawn(self._tell_closed(session, reason, {}))
        return True

    def dialog(self, call_id: str) -> Dialog | None:
        session = self._by_call.get(call_id)
        return None if session is None else session.dialog

    # --- opening and closing ------------------------------------------------------------------------------------

    def _session(self, key: StreamKey) -> Session:
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = Session(key, unwanted_at=self._clock.monotonic())
        return session

    def _begin(self, session: Session, work: Any, *, opening: bool = False) -> None:
        async def run() -> None:
            try:
                await work
            except Exception:
                # A fault of ours must neither stop this stream for ever nor be repeated at every tick.
                session.due_at = self._clock.monotonic() + session.backoff.failed(random.random())
                raise
            finally:
                session.task, session.opening = None, False

        session.opening = opening
        session.task = self._spawn(run())

    async def _open(self, session: Session) -> None:
        channel, device = self._directory.channel(session.key.channel)
        self._opening[device.id] = self._opening.get(device.id, 0) + 1
        session.device, session.slot, session.since = device.code, channel.slot, self._clock.monotonic()
        ssrc = 0
        try:
            if not device.is_online:
                params: dict[str, Param] = {"code": device.code}
                raise UnavailableError(f"{device.code}: offline", code="gb_device_offline", params=params)
            ssrc = self.ssrcs.take(LIVE)
            agreed, dialog = await self._invite(session, channel, device, ssrc)
        except SafecityError as error:
            self.ssrcs.give_back(ssrc)
            await self._failed(session, error.code, error.params, bool(ssrc))
            return
        finally:
            self._opening[device.id] -= 1
            if not self._opening[device.id]:
                del self._opening[device.id]
        session.dialog, session.ssrc, session.since = dialog, ssrc, self._clock.monotonic()
        self._by_call[dialog.id.call_id] = session
        row = StreamRow(*session.key, device.code, channel.slot, ssrc, dialog_row(dialog))
        self._store.put_dialog(_row_key(session.key), "live", row)
        await self._store.committed()  # a crash must not leave a session behind that nobody knows how to end
        if session.dialog is not dialog:
            return  # the device ended it meanwhile, and the slot was told
        if agreed.ssrc != ssrc:
            logger.info(
                "device chose its own ssrc channel=%s ours=%s theirs=%s", session.key.channel, ssrc, agreed.ssrc
            )
        confirm = ConfirmStream(*session.key, agreed.ssrc, agreed.host, agreed.port)
        try:
            await self._calls.call(channel.slot, confirm, timeout=SLOT_SECONDS)
        except SafecityError as error:
            await self._hang_up(session)
            await self._failed(session, error.code, error.params, tell_slot=True)

    async def _invite(
        self, session: Session, channel: GbChannel, device: Device, ssrc: int
    ) -> tuple[Agreed, Dialog]:  # fmt: skip
        transport = media_transport(device)
        prepare = PrepareStream(*session.key, ssrc, transport)
        prepared = await self._calls.call(channel.slot, prepare, timeout=SLOT_SECONDS)
        if not isinstance(prepared, Prepared):
            raise UnavailableError("slot answered otherwise", code="media_unavailable")
        wish = Wish(
            platform=self._link.identity.code,
            channel=channel.code,
            host=self._link.local_host(device),
            port=prepared.port,
            ssrc=ssrc,
            transport=transport,
            sub=session.key.quality is Quality.SUB,
            manufacturer=device.manufacturer,
        )
        return await invite(self._link, device, wish)

    async def _failed(self, session: Session, code: str, params: dict[str, Param], tell_slot: bool) -> None:
        delay = session.backoff.failed(random.random())
        if code in ("gb_busy", "gb_device_offline"):
            delay = max(delay, 10.0)  # pressing takes the sessions of others away, or asks nobody
        session.due_at = self._clock.monotonic() + delay
        session.state = "idle"
        if code != session.code:
            logger.warning("stream not opened channel=%s quality=%s step=%s", *session.key, code)
            body = {"channel": session.key.channel, "quality": str(session.key.quality), "step": code, "params": params}
            self._publish("stream.open_failed", session.key.channel, body)
        session.code, session.params = code, params
        if tell_slot or code == "gb_device_offline":
            await self._tell_closed(session, code, params)

    async def _tell_closed(self, session: Session, reason: str, params: dict[str, Param]) -> None:
        try:
            close = CloseStream(*session.key, reason, params)
            await self._calls.call(session.slot, close, timeout=SLOT_SECONDS)
        except SafecityError as error:
            logger.debug("slot not told slot=%s why=%s", session.slot, error)

    async def _lost(self, session: Session, code: str, params: dict[str, Param]) -> None:
        await self._hang_up(session)
        await self._failed(session, code, params, tell_slot=True)

    async def _close(self, session: Session, reason: str) -> None:
        await self._hang_up(session)
        session.state = "idle"
        await self._tell_closed(session, reason, {})

    async def _hang_up(self, session: Session) -> None:
        """BYE; whether or not it is answered, the session is over for us."""
        dialog, device = session.dialog, self._directory.by_code(session.device)
        self._forget_dialog(session)
        if dialog is not None and device is not None:
            await hang_up(self._link, device, dialog)

    def _forget_dialog(self, session: Session) -> None:
        if session.dialog is not None:
            self._by_call.pop(session.dialog.id.call_id, None)
            self._store.drop_dialog(_row_key(session.key))
        session.dialog = None
        self.ssrcs.give_back(session.ssrc)
        session.ssrc = 0


def media_transport(device: Device) -> str:
    """`udp`, `tcp_passive` or `tcp_active`; plain `tcp` is the way cameras can: they connect to us (annex D)."""
    wish = device.config.transport
    return "tcp_passive" if wish == "tcp" else wish if wish in ("tcp_passive", "tcp_active") else "udp"


async def invite(link: Link, device: Device, wish: Wish) -> tuple[Agreed, Dialog]:
    """INVITE, judge, ACK. UnavailableError with the failed step (`gb_no_sip_answer`, `gb_refused`, `gb_busy`, ...)."""
    sdp = write_session(offer(wish))
    try:
        call = await link.invite(device, wish.channel, sdp, subject(wish), timeout=ANSWER_SECONDS)
    except UnavailableError as error:
        if error.code == "sip_timeout":
            params: dict[str, Param] = {"seconds": ANSWER_SECONDS, "code": wish.channel}
            raise UnavailableError(str(error), code="gb_no_sip_answer", params=params) from error
        if error.code.startswith("sip_"):
            raise UnavailableError(str(error), code="gb_device_offline", params={"code": device.code}) from error
        raise
    verdict = judge(wish, call.response, device.host)
    if call.dialog is not None:
        call.acknowledge()
    if isinstance(verdict, Agreed) and call.dialog is not None:
        return verdict, call.dialog
    if call.dialog is not None:
        await hang_up(link, device, call.dialog)
    assert not isinstance(verdict, Agreed)
    raise UnavailableError(f"{wish.channel}: {verdict.code}", code=verdict.code, params=verdict.params)


async def hang_up(link: Link, device: Device, dialog: Dialog) -> None:
    """BYE; a device that does not answer it is left alone."""
    try:
        await link.within(device, dialog, "BYE")
    except UnavailableError as error:
        logger.info("bye not answered code=%s why=%s", device.code, error.code)


def _row_key(key: StreamKey) -> str:
    return f"live/{key.channel}/{key.quality}"
