"""Live streams as they are wanted: one per (channel, quality), opened while wanted and tried again for ever.

The media slot says what is wanted and whether pictures really come. A device that says yes proves nothing: only a
slot's `running` ends the back-off. How a device is asked and stopped is for the desk of its protocol.
"""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

from safecity.drivers.slots import tell_closed
from safecity.kit.clock import Clock
from safecity.kit.errors import Param, UnavailableError
from safecity.kit.retry import Backoff
from safecity.model.facts.media_calls import StreamState
from safecity.model.values.media import StreamKey
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)

LINGER_SECONDS: Final = 15.0
"""A stream nobody wants is ended after this."""
OFFLINE_SECONDS: Final = 10.0
"""The least wait where a device is away or has no session left: asking again asks nobody, or takes those of others."""
OPENING_AT_ONCE: Final = 200
"""Streams that are being opened, of all devices together. Who waits for a picture is not kept waiting by it."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Begins a task and owns it."""


class Placed(Protocol):
    """A channel: the shown id of its device, and the slot that takes its media."""

    @property
    def device(self) -> str: ...
    @property
    def slot(self) -> str: ...


class Channels(Protocol):
    """Those that control told us of, by shown id. `channel` raises NotFoundError, also where its device is unknown."""

    def find_channel(self, channel: str) -> Placed | None: ...
    def channel(self, channel: str) -> object: ...


@dataclass(slots=True)
class Session:
    """One (channel, quality). `asked`: the device was told to send, and not to stop. Times are monotonic seconds."""

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


class WantedStreams(ABC):
    """All of them of one kind of device. `tick` is to be called about twice a second."""

    progress_seconds: ClassVar[float]
    """A stream that does not run after this (the slot itself says why after 15 s) is ended and tried again."""
    never_came: ClassVar[str]
    """The step where that is so."""
    stopped: ClassVar[str]
    """The step where a slot lost a stream and says none."""
    patient_after: ClassVar[frozenset[str]]
    """Steps after which nothing is asked before OFFLINE_SECONDS; the slot is told of them though it expects nothing."""
    opening_per_device: ClassVar[int] = OPENING_AT_ONCE
    """Of those that are being opened, how many of one device."""

    def __init__(self, channels: Channels, calls: Calls, clock: Clock, spawn: Spawn) -> None:
        self._channels = channels
        self._calls = calls
        self._clock = clock
        self._spawn = spawn
        self._sessions: dict[StreamKey, Session] = {}
        self._opening: Counter[str] = Counter()
        self._queues: dict[str, deque[Session]] = {}
        # Control tells slots and us of a new channel at the same time: a slot may speak of it before we know it.
        self._early: dict[tuple[str, StreamKey], StreamState] = {}

    # --- what slots and people say ------------------------------------------------------------------------------

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a stream from its slot. False where the channel is none of ours, as far as is known."""
        key = StreamKey(state.channel, state.quality)
        channel = self._channels.find_channel(state.channel)
        if channel is None or channel.slot != slot:
            if state.wanted or state.state != "idle":
                self._early[slot, key] = state
            else:
                self._early.pop((slot, key), None)  # a channel that is gone
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
            self._runs(session, slot)
        elif before == "running":
            session.since = now
        if state.state == "lost" and session.asked and session.task is None:
            self._begin(session, self._lost(session, state.step or self.stopped, dict(state.params)))
        return True

    def slot_came_back(self, slot: str) -> None:
        """A slot answers again after it was gone."""
        self._early = {place: state for place, state in self._early.items() if place[0] != slot}  # it says all anew
        for session in self._sessions.values():
            if session.slot == slot:
                self._slot_is_back(session)

    def device_came_back(self, device: str) -> None:
        """Do not wait for the back-off of when it was away. `device`: its shown id."""
        now = self._clock.monotonic()
        for session in self._sessions.values():
            channel = self._channels.find_channel(session.key.channel)
            if channel is not None and channel.device == device and not session.asked:
                session.backoff.succeeded()
                session.due_at = now + random.random()

    async def open_now(self, key: StreamKey) -> None:
        """A viewer waits: open at once, whatever the back-off says. Raises why it could not."""
        self._channels.channel(key.channel)
        session = self._session(key)
        session.wanted = True
        session.unwanted_at = self._clock.monotonic()
        task, opening = session.task, session.opening
        if task is not None:
            await asyncio.shield(task)
        if not session.asked and not opening:
            if session.task is None:
                self._begin_opening(session)
            assert session.task is not None
            await asyncio.shield(session.task)
        if not session.asked:
            code = session.code or "unavailable"
            raise UnavailableError(f"{key.channel}: {code}", code=code, params=session.params)

    def configured(self) -> None:
        """The configuration changed: end what is gone or was placed elsewhere."""
        for session in list(self._sessions.values()):
            channel = self._channels.find_channel(session.key.channel)
            if session.asked and session.task is None and (channel is None or channel.slot != session.slot):
                self._begin(session, self._close(session, "reassigned"))
        for (slot, _), state in list(self._early.items()):
            self.slot_says(slot, state)

    def tick(self) -> None:
        """Open what is due, end what is not wanted or does not come."""
        now = self._clock.monotonic()
        self._queues.clear()
        for session in list(self._sessions.values()):
            if session.task is not None:
                continue
            wanted = session.wanted or now - session.unwanted_at < LINGER_SECONDS
            if not session.asked:
                if self._is_due(session):
                    self._open_in_turn(session)
                elif not wanted:
                    del self._sessions[session.key]
            elif not wanted:
                self._begin(session, self._close(session, "not_wanted"))
            elif session.state != "running" and now - session.since > self.progress_seconds:
                self._begin(session, self._lost(session, self.never_came, {"seconds": self.progress_seconds}))

    # --- what the protocol does ---------------------------------------------------------------------------------

    @abstractmethod
    async def _open(self, session: Session) -> None:
        """Have the slot expect it, ask the device, and set `asked` and `slot`; call `_failed` where it goes wrong."""

    @abstractmethod
    async def _stop(self, session: Session, why: str = "") -> None:
        """Have the device stop and take `asked` away; whether or not it answers, the stream is over for us."""

    @abstractmethod
    def _slot_is_back(self, session: Session) -> None:
        """Its slot answers again, and may have been started anew meanwhile."""

    @abstractmethod
    def _tell_failure(self, session: Session, body: dict[str, Any]) -> None:
        """Publish `stream.open_failed`."""

    def _runs(self, session: Session, slot: str) -> None:
        session.backoff.succeeded()
        session.code = ""

    # --- beginning and ending -----------------------------------------------------------------------------------

    def _session(self, key: StreamKey) -> Session:
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = Session(key, unwanted_at=self._clock.monotonic())
        return session

    def _is_due(self, session: Session) -> bool:
        is_free = session.task is None and not session.asked
        return is_free and session.wanted and session.state != "running" and self._clock.monotonic() >= session.due_at

    def _has_room(self, device: str) -> bool:
        return self._opening.total() < OPENING_AT_ONCE and self._opening[device] < self.opening_per_device

    def _open_in_turn(self, session: Session) -> None:
        """Now, or once its device has answered to those before it."""
        channel = self._channels.find_channel(session.key.channel)
        if channel is None:
            return
        if self._has_room(channel.device):
            self._begin_opening(session)
        else:
            self._queues.setdefault(channel.device, deque()).append(session)

    def _begin_opening(self, session: Session) -> None:
        channel = self._channels.find_channel(session.key.channel)
        session.opening = True
        self._begin(session, self._open(session), opens_at="" if channel is None else channel.device)

    def _open_next(self, device: str) -> None:
        queue = self._queues.get(device)
        while queue and self._has_room(device):
            session = queue.popleft()
            if self._is_due(session) and self._channels.find_channel(session.key.channel) is not None:
                self._begin_opening(session)

    def _begin(self, session: Session, work: Coroutine[Any, Any, None], *, opens_at: str | None = None) -> None:
        """`opens_at`: the device that is asked to open it."""

        async def run() -> None:
            try:
                await work
            except Exception:
                # A fault of ours must neither stop this stream for ever nor be repeated at every tick.
                session.due_at = self._clock.monotonic() + session.backoff.failed(random.random())
                raise
            finally:
                session.task, session.opening = None, False
                if opens_at is not None:
                    self._opening[opens_at] -= 1
                    if not self._opening[opens_at]:
                        del self._opening[opens_at]
            if opens_at is not None:
                self._open_next(opens_at)

        if opens_at is not None:
            self._opening[opens_at] += 1
        session.task = self._spawn(run())

    async def _lost(self, session: Session, code: str, params: dict[str, Param]) -> None:
        await self._stop(session, code)
        await self._failed(session, code, params, tell_slot=True)

    async def _close(self, session: Session, reason: str) -> None:
        await self._stop(session)
        session.state = "idle"
        await tell_closed(self._calls, session.slot, session.key, reason, {})

    async def _failed(self, session: Session, code: str, params: dict[str, Param], *, tell_slot: bool) -> None:
        delay = session.backoff.failed(random.random())
        if code in self.patient_after:
            delay = max(delay, OFFLINE_SECONDS)
        session.due_at = self._clock.monotonic() + delay
        session.state = "idle"
        if code != session.code:
            logger.warning("stream not opened channel=%s quality=%s step=%s", *session.key, code)
            body = {"channel": session.key.channel, "quality": str(session.key.quality), "step": code, "params": params}
            self._tell_failure(session, body)
        session.code, session.params = code, params
        if tell_slot or code in self.patient_after:
            await tell_closed(self._calls, session.slot, session.key, code, params)
