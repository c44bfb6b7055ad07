"""Live streams of GB/T 28181: opened by INVITE, closed by BYE; open dialogs are kept for whoever restarts."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.link import Link
from safecity.drivers.gb28181.store import DialogRow, SignalStore, dialog_of, dialog_row
from safecity.drivers.slots import SLOT_SECONDS, prepare, tell_closed
from safecity.drivers.wanted import Session, Spawn, WantedStreams
from safecity.kit.clock import Clock
from safecity.kit.errors import Param, SafecityError, UnavailableError
from safecity.model.facts.media_calls import ConfirmStream, PrepareStream
from safecity.model.facts.signal_calls import GbChannel
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.gb28181.invite import ANSWER_SECONDS, Agreed, Wish, judge, offer, subject
from safecity.protocols.gb28181.session import write_session
from safecity.protocols.gb28181.ssrc import LIVE, SsrcPool
from safecity.protocols.sip.dialog import Dialog

logger = logging.getLogger(__name__)

PROGRESS_SECONDS: Final = 20.0
OPENING_PER_DEVICE: Final = 4
"""A recorder that is asked for all its cameras at once refuses some, or falls silent."""


class StreamRow(Struct, frozen=True, array_like=True):
    """An open session, to be ended by whoever restarts."""

    channel: str
    quality: Quality
    device: str
    slot: str
    ssrc: int
    dialog: DialogRow


@dataclass(frozen=True, slots=True)
class _Held:
    """What is open at a device for one stream."""

    dialog: Dialog
    device: str
    ssrc: int


class Streams(WantedStreams):
    """All of them. `spawn` owns the tasks; `tick` is to be called about twice a second."""

    progress_seconds = PROGRESS_SECONDS
    never_came = stopped = "gb_no_packet"
    patient_after = frozenset(("gb_busy", "gb_device_offline"))
    opening_per_device = OPENING_PER_DEVICE

    def __init__(
        self,
        directory: Directory,
        link: Link,
        calls: Calls,
        store: SignalStore,
        clock: Clock,
        ssrcs: SsrcPool,
        publish: Callable[..., None],
        spawn: Spawn,
    ) -> None:
        super().__init__(directory, calls, clock, spawn)
        self._directory = directory
        self._link = link
        self._store = store
        self.ssrcs = ssrcs
        self._publish = publish
        self._held: dict[StreamKey, _Held] = {}
        self._by_call: dict[str, Session] = {}

    def restore(self) -> None:
        """Sessions of before the restart: they may still run, so nothing is sent; they can be ended."""
        now = self._clock.monotonic()
        for _, row in self._store.load_dialogs("live", StreamRow):
            session = self._session(StreamKey(row.channel, row.quality))
            session.slot, session.since, session.unwanted_at, session.state = row.slot, now, now, "opening"
            self.ssrcs.claim(row.ssrc)
            self._hold(session, _Held(dialog_of(row.dialog), row.device, row.ssrc))

    # --- requests of the device ---------------------------------------------------------------------------------

    def ended_by_device(self, call_id: str, reason: str) -> bool:
        """BYE, or end of file. False where the dialog is not ours."""
        session = self._by_call.get(call_id)
        if session is None:
            return False
        self._forget(session)
        session.state = "idle"
        session.due_at = self._clock.monotonic() + session.backoff.failed(random.random())
        self._spawn(tell_closed(self._calls, session.slot, session.key, reason, {}))
        return True

    def dialog(self, call_id: str) -> Dialog | None:
        session = self._by_call.get(call_id)
        return None if session is None else self._held[session.key].dialog

    # --- opening and closing ------------------------------------------------------------------------------------

    async def _open(self, session: Session) -> None:
        channel, device = self._directory.channel(session.key.channel)
        session.slot, session.since = channel.slot, self._clock.monotonic()
        ssrc = 0
        try:
            if not device.is_online:
                params: dict[str, Param] = {"code": device.code}
                raise UnavailableError(f"{device.code}: offline", code="gb_device_offline", params=params)
            ssrc = self.ssrcs.take(LIVE)
            agreed, dialog = await self._invite(session.key, channel, device, ssrc)
        except SafecityError as error:
            self.ssrcs.give_back(ssrc)
            await self._failed(session, error.code, error.params, tell_slot=bool(ssrc))
            return
        session.since = self._clock.monotonic()
        held = _Held(dialog, device.code, ssrc)
        self._hold(session, held)
        row = StreamRow(*session.key, device.code, channel.slot, ssrc, dialog_row(dialog))
        self._store.put_dialog(_row_key(session.key), "live", row)
        await self._store.committed()  # a crash must not leave a session behind that nobody knows how to end
        if self._held.get(session.key) is not held:
            return  # the device ended it meanwhile, and the slot was told
        if agreed.ssrc != ssrc:
            logger.info(
                "device chose its own ssrc channel=%s ours=%s theirs=%s", session.key.channel, ssrc, agreed.ssrc
            )
        confirm = ConfirmStream(*session.key, agreed.ssrc, agreed.host, agreed.port)
        try:
            await self._calls.call(channel.slot, confirm, timeout=SLOT_SECONDS)
        except SafecityError as error:
            await self._lost(session, error.code, error.params)

    async def _invite(self, key: StreamKey, channel: GbChannel, device: Device, ssrc: int) -> tuple[Agreed, Dialog]:
        transport = media_transport(device)
        port = await prepare(self._calls, channel.slot, PrepareStream(*key, ssrc, transport))
        wish = Wish(
            platform=self._link.identity.code,
            channel=channel.code,
            host=self._link.local_host(device),
            port=port,
            ssrc=ssrc,
            transport=transport,
            sub=key.quality is Quality.SUB,
            manufacturer=device.manufacturer,
        )
        return await invite(self._link, device, wish)

    async def _stop(self, session: Session, why: str = "") -> None:
        held = self._forget(session)
        device = self._directory.by_code(held.device) if held is not None else None
        if held is not None and device is not None:
            await hang_up(self._link, device, held.dialog)

    def _slot_is_back(self, session: Session) -> None:
        """It resumes what it had, so sessions get time to show progress."""
        if session.asked:
            session.since, session.state = self._clock.monotonic(), "opening"

    def _tell_failure(self, session: Session, body: dict[str, Any]) -> None:
        self._publish("stream.open_failed", session.key.channel, body)

    def _hold(self, session: Session, held: _Held) -> None:
        session.asked = True
        self._held[session.key] = held
        self._by_call[held.dialog.id.call_id] = session

    def _forget(self, session: Session) -> _Held | None:
        session.asked = False
        held = self._held.pop(session.key, None)
        if held is not None:
            del self._by_call[held.dialog.id.call_id]
            self._store.drop_dialog(_row_key(session.key))
            self.ssrcs.give_back(held.ssrc)
        return held


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
