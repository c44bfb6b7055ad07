"""Live pictures of vehicles: a channel is asked for while it is wanted, and again when it does not come.

The media slot says what is wanted and whether pictures really come; this desk has the terminal begin and stop (0x9101,
0x9102). A terminal that says yes proves nothing: only a slot's `running` ends the back-off.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from safecity.drivers.jt808.channels import Directory
from safecity.drivers.jt808.orders import Orders
from safecity.drivers.jt808.roll import Vehicle
from safecity.kit.clock import Clock
from safecity.kit.errors import Param, SafecityError, UnavailableError
from safecity.kit.retry import Backoff
from safecity.model.facts.media_calls import CloseStream, ConfirmStream, Prepared, PrepareStream, StreamState
from safecity.model.facts.signal_calls import JtChannel
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls
from safecity.protocols.jt808.video import LiveCommand, LiveControl, Medium, StartLive

logger = logging.getLogger(__name__)

JT1078: Final = "jt1078"
LINGER_SECONDS: Final = 15.0
"""A stream nobody wants is ended after this."""
PROGRESS_SECONDS: Final = 25.0
"""A stream that does not run after this (the slot itself says why after 15 s) is ended and tried again."""
SLOT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
"""A viewer waits no longer for a terminal to say yes."""
RESUME_SECONDS: Final = 1.0
"""So long a slot that is reachable again has to say what it still receives, before it is asked for anew."""
OFFLINE_SECONDS: Final = 10.0
"""The least wait where the terminal is not here: asking again asks nobody."""
OPENING_AT_ONCE: Final = 200
_SILENT: Final = frozenset(("jt_connection_closed", "slot_restarted"))
"""Nothing is sent any more: there is nothing to stop."""


@dataclass(slots=True)
class Session:
    """One (channel, quality). `asked`: the terminal was told to send, and not to stop. Times are monotonic seconds."""

    key: StreamKey
    wanted: bool = False
    state: str = "idle"
    asked: bool = False
    slot: str = ""
    since: float = 0.0
    unwanted_at: float = 0.0
    due_at: float = 0.0
    task: asyncio.Task[None] | None = None
    opening: bool = False
    code: str = ""
    params: dict[str, Param] = field(default_factory=dict[str, Param])
    backoff: Backoff = field(default_factory=lambda: Backoff(1.0, 60.0))


class Live:
    """All of them. `media_host` gives the address that a terminal is told, `publish(kind, vehicle, body, subject=)`
    tells a fact, `spawn` owns the tasks; `tick` is to be called about twice a second."""

    def __init__(
        self,
        directory: Directory,
        orders: Orders,
        calls: Calls,
        clock: Clock,
        media_host: Callable[[Vehicle], str],
        publish: Callable[..., None],
        spawn: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        self._directory = directory
        self._orders = orders
        self._calls = calls
        self._clock = clock
        self._media_host = media_host
        self._publish = publish
        self._spawn = spawn
        self._sessions: dict[StreamKey, Session] = {}
        # Control tells slots and us of a new channel at the same time: a slot may speak of it before we know it.
        self._early: dict[tuple[str, StreamKey], StreamState] = {}

    # --- what slots and people say ------------------------------------------------------------------------------

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a stream from its slot. False where the channel is none of a terminal, as far as is known."""
        key = StreamKey(state.channel, state.quality)
        channel = self._directory.get(state.channel)
        if channel is None or channel.slot != slot:
            if state.wanted or state.state != "idle":
                self._early[slot, key] = state
            else:
                self._early.pop((slot, key), None)
            return channel is not None
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
            session.asked, session.slot = True, slot  # also when we were started anew meanwhile
            session.backoff.succeeded()
            session.code = ""
        elif before == "running":
            session.since = now
        if state.state == "lost" and session.asked and session.task is None:
            self._begin(session, self._lost(session, state.step or "jt_packets_stopped", dict(state.params)))
        return True

    def slot_came_back(self, slot: str) -> None:
        """A slot answers again after it was gone. Connections of terminals died with it, if it did."""
        now = self._clock.monotonic()
        self._early = {place: state for place, state in self._early.items() if place[0] != slot}  # it says all anew
        for session in self._sessions.values():
            if session.slot == slot:
                session.asked, session.state, session.due_at = False, "idle", now + RESUME_SECONDS
                session.backoff.succeeded()

    def terminal_came(self, device: str) -> None:
        """Do not wait for the back-off of when it was away."""
        now = self._clock.monotonic()
        for session in self._sessions.values():
            channel = self._directory.get(session.key.channel)
            if channel is not None and channel.device == device and not session.asked:
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
        if not session.asked and not opening:
            if session.task is None:
                self._begin(session, self._open(session), opening=True)
            assert session.task is not None
            await asyncio.shield(session.task)
        if not session.asked:
            code = session.code or "unavailable"
            raise UnavailableError(f"{key.channel}: {code}", code=code, params=session.params)

    def configured(self) -> None:
        """The configuration changed: end what is gone or was placed elsewhere."""
        for session in list(self._sessions.values()):
            channel = self._directory.get(session.key.channel)
            if session.asked and session.task is None and (channel is None or channel.slot != session.slot):
                self._begin(session, self._close(session, "reassigned"))
        for (slot, _), state in list(self._early.items()):
            self.slot_says(slot, state)

    def tick(self) -> None:
        """Open what is due, end what is not wanted or does not come."""
        now = self._clock.monotonic()
        opening = sum(session.opening for session in self._sessions.values())
        for session in list(self._sessions.values()):
            if session.task is not None:
                continue
            wanted = session.wanted or now - session.unwanted_at < LINGER_SECONDS
            if not session.asked:
                due = session.wanted and session.state != "running" and now >= session.due_at
                if due and opening < OPENING_AT_ONCE and self._directory.get(session.key.channel) is not None:
                    opening += 1
                    self._begin(session, self._open(session), opening=True)
                elif not wanted:
                    del self._sessions[session.key]
            elif not wanted:
                self._begin(session, self._close(session, "not_wanted"))
            elif session.state != "running" and now - session.since > PROGRESS_SECONDS:
                self._begin(session, self._lost(session, "jt_no_connection", {"seconds": PROGRESS_SECONDS}))

    # --- beginning and ending -----------------------------------------------------------------------------------

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
        channel, vehicle = self._directory.channel(session.key.channel)
        session.slot, session.since = channel.slot, self._clock.monotonic()
        prepared = False
        try:
            port = await prepare(self._calls, session.key, channel, vehicle)
            prepared = True
            await self._ask(session, channel, vehicle, port)
            session.asked, session.since = True, self._clock.monotonic()
            confirm = ConfirmStream(*session.key, 0)
            await self._calls.call(channel.slot, confirm, timeout=SLOT_SECONDS)
        except SafecityError as error:
            if session.asked:
                await self._stop(session)
            await self._failed(session, error.code, error.params, tell_slot=prepared)

    async def _ask(self, session: Session, channel: JtChannel, vehicle: Vehicle, port: int) -> None:
        link = vehicle.link
        if link is None:
            raise away(vehicle)
        start = StartLive(
            host=self._media_host(vehicle), tcp_port=port, udp_port=0, channel=channel.number, medium=Medium.BOTH,
            stream=int(session.key.quality is Quality.SUB),
        )  # fmt: skip
        await self._orders.ask(link, start, within=ANSWER_SECONDS)

    async def _lost(self, session: Session, code: str, params: dict[str, Param]) -> None:
        if code in _SILENT:
            session.asked = False
        else:
            await self._stop(session)
        await self._failed(session, code, params, tell_slot=True)

    async def _close(self, session: Session, reason: str) -> None:
        await self._stop(session)
        session.state = "idle"
        await self._tell_closed(session, reason, {})

    async def _stop(self, session: Session) -> None:
        """Tell the terminal to stop; whether or not it answers, the stream is over for us."""
        session.asked = False
        channel = self._directory.get(session.key.channel)
        vehicle = self._directory.find(channel.device) if channel is not None else None
        link = vehicle.link if vehicle is not None else None
        # The order names the channel alone: with its main stream the sub stream would end. The slot closes what it
        # does not want, and the terminal sees that.
        other = Quality.SUB if session.key.quality is Quality.MAIN else Quality.MAIN
        beside = self._sessions.get(StreamKey(session.key.channel, other))
        if channel is None or link is None or (beside is not None and beside.asked):
            return
        stop = LiveControl(channel=channel.number, command=LiveCommand.CLOSE)
        try:
            await self._orders.ask(link, stop, within=ANSWER_SECONDS)
        except SafecityError as error:
            logger.info("terminal did not stop channel=%s why=%s", session.key.channel, error.code)

    async def _failed(self, session: Session, code: str, params: dict[str, Param], *, tell_slot: bool) -> None:
        delay = session.backoff.failed(random.random())
        if code == "device_offline":
            delay = max(delay, OFFLINE_SECONDS)
        session.due_at = self._clock.monotonic() + delay
        session.state = "idle"
        if code != session.code:
            logger.warning("stream not opened channel=%s quality=%s step=%s", *session.key, code)
            channel = self._directory.get(session.key.channel)
            vehicle = self._directory.find(channel.device) if channel is not None else None
            if vehicle is not None:
                quality = str(session.key.quality)
                body = {"channel": session.key.channel, "quality": quality, "step": code, "params": params}
                self._publish("stream.open_failed", vehicle, body, subject=session.key.channel)
        session.code, session.params = code, params
        if tell_slot or code == "device_offline":
            await self._tell_closed(session, code, params)

    async def _tell_closed(self, session: Session, reason: str, params: dict[str, Param]) -> None:
        await tell_closed(self._calls, session.slot, session.key, reason, params)


async def prepare(calls: Calls, key: StreamKey, channel: JtChannel, vehicle: Vehicle) -> int:
    """Have the slot of a channel expect it under that name; the port to tell the terminal. UnavailableError
    `device_offline` where that is not here."""
    link = vehicle.link
    if link is None:
        raise away(vehicle)
    wish = PrepareStream(
        *key, 0, JT1078, terminal=vehicle.config.phone, number=channel.number, remote_host=link.address
    )  # fmt: skip
    prepared = await calls.call(channel.slot, wish, timeout=SLOT_SECONDS)
    if not isinstance(prepared, Prepared):
        raise UnavailableError("slot answered otherwise", code="media_unavailable")
    return prepared.port


def away(vehicle: Vehicle) -> UnavailableError:
    """It has no connection now."""
    return UnavailableError(f"{vehicle.config.phone}: not connected", code="device_offline")


async def tell_closed(calls: Calls, slot: str, key: StreamKey, reason: str, params: dict[str, Param]) -> None:
    """That nothing more comes, and why; a slot that does not hear it sees it."""
    try:
        await calls.call(slot, CloseStream(*key, reason, params), timeout=SLOT_SECONDS)
    except SafecityError as error:
        logger.debug("slot not told slot=%s why=%s", slot, error)
