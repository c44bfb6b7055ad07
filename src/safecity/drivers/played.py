"""Playback of what devices have recorded themselves: sessions by name, one pushed stream each, ended once nobody
watches. How a device is asked, steered and stopped is for the desk of its protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, NamedTuple, TypeVar

from safecity.drivers.progress import Progress
from safecity.drivers.slots import tell_closed
from safecity.drivers.wanted import Spawn
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError, Param
from safecity.model.facts.media_calls import StreamState
from safecity.model.facts.signal_calls import AskDevicePlayback, DevicePlayback, StartDevicePlayback
from safecity.model.values.media import Quality, StreamKey
from safecity.ports.calls import Calls

MAX_HOURS: Final = 48
UNWATCHED_SECONDS: Final = 20.0
"""A session that nobody watches is ended: its place at the device is wanted, and it costs the line."""


@dataclass(slots=True)
class Played:
    """One session; `channel` by its shown id, `device` as its desk calls it. Times are monotonic seconds.

    `speed`: what is fetched fast, 0 where it is watched. `left`: it was watched and is no more.
    """

    name: str
    channel: str
    device: str
    slot: str
    progress: Progress
    unwatched_at: float
    speed: int = 0
    watched: bool = False
    left: bool = False

    @property
    def key(self) -> StreamKey:
        """Its stream in the slot."""
        return StreamKey(self.name, Quality.MAIN)


class Starting(NamedTuple):
    """A session that is being asked for: it has its place at the device already."""

    name: str
    channel: str
    device: str


S = TypeVar("S", bound=Played)


class PlayedSessions(ABC, Generic[S]):
    """All sessions of one kind of device. `tick` about once a second."""

    per_device: ClassVar[int]
    """Sessions that one device gives."""
    stopped: ClassVar[str]
    """The step where a slot lost a stream and says none."""

    def __init__(self, calls: Calls, clock: Clock, spawn: Spawn) -> None:
        self._calls = calls
        self._clock = clock
        self._spawn = spawn
        self._sessions: dict[str, S] = {}
        self._starting: list[Starting] = []

    def look(self, request: AskDevicePlayback) -> DevicePlayback:
        """How far a session is. NotFoundError (`gb_no_session`)."""
        session = self._session(request.session)
        progress = session.progress
        return DevicePlayback(
            session.name, session.channel, progress.start, progress.end, progress.at(self._clock.monotonic()),
            progress.scale, progress.paused, session.speed,
        )  # fmt: skip

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a session's stream from its slot. False where it is none of ours."""
        session = self._sessions.get(state.channel)
        if session is None or session.slot != slot:
            return False
        now = self._clock.monotonic()
        if session.watched and not state.wanted:
            session.unwatched_at = now
        session.left = not state.wanted and (session.watched or session.left)
        session.watched = state.wanted
        if state.state == "running":
            session.progress.begun(now)
        elif state.state == "lost":
            reason = self._why_over(session, state.step)
            if reason:
                self._spawn(self.stop(session.name, reason))
        return True

    def tick(self) -> None:
        """End what nobody watches."""
        now = self._clock.monotonic()
        for session in list(self._sessions.values()):
            if not session.watched and now - session.unwatched_at > UNWATCHED_SECONDS:
                session.unwatched_at = now
                self._spawn(self.stop(session.name, "not_wanted"))

    async def stop(self, name: str, reason: str) -> None:
        """End it at the device and in its slot."""
        session = self._sessions.pop(name, None)
        if session is not None:
            await self._end(session, reason)
            await tell_closed(self._calls, session.slot, session.key, reason, {})

    @abstractmethod
    async def _end(self, session: S, reason: str) -> None:
        """Have the device stop; whether or not it answers, the session is over for us."""

    def _why_over(self, session: S, step: str) -> str:
        """The reason to end a session whose pictures stopped at `step`, empty where it goes on: it may pause."""
        return "" if session.progress.paused else step or self.stopped

    def _session(self, name: str) -> S:
        session = self._sessions.get(name)
        if session is None:
            raise NotFoundError("no such playback session", code="gb_no_session")
        return session

    @asynccontextmanager
    async def _place(self, name: str, channel: str, device: str) -> AsyncGenerator[None]:
        """Hold a place at the device while a session is asked for; ConflictError (`gb_busy`) where there is none.

        Sessions whose viewers have left wait a while for them to come back, but stand in nobody's way meanwhile.
        """
        place = Starting(name, channel, device)
        await self.stop(name, "closed")
        while (in_the_way := self._in_the_way(place)) is not None:
            left = [session for session in in_the_way if session.left]
            if not left:
                params: dict[str, Param] = {"limit": self.per_device}
                raise ConflictError(f"{device}: no more playback sessions", code="gb_busy", params=params)
            await self.stop(min(left, key=lambda session: session.unwatched_at).name, "not_wanted")
        self._starting.append(place)
        try:
            yield
        finally:
            self._starting.remove(place)

    def _in_the_way(self, place: Starting) -> Sequence[S] | None:
        """Those of which one must end to make room; None where there is room."""
        held = self._held(place.device)
        # One that its device has agreed to is kept before its slot knows of it: it has one place, not two.
        starting = sum(one.device == place.device and one.name not in self._sessions for one in self._starting)
        return held if len(held) + starting >= self.per_device else None

    def _held(self, device: str) -> list[S]:
        return [session for session in self._sessions.values() if session.device == device]


def check_window(request: StartDevicePlayback) -> None:
    """InvalidError (`gb_bad_window`) for a time that is none, or more than MAX_HOURS."""
    if not request.start < request.end or request.end - request.start > MAX_HOURS * 3600 * SECOND_US:
        raise InvalidError("playback window", code="gb_bad_window", params={"hours": MAX_HOURS})
