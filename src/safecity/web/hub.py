"""Pushes to open browsers: events from the bus, channel states, PTZ locks; each viewer gets what it may see."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any

from safecity.core.ground.channels.api import Board
from safecity.kit.errors import UnavailableError
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus

CONSUMER = "web"
KEEP = 2000
QUEUE = 500
MAX_SOCKETS = 2000
MAX_SOCKETS_OF_SESSION = 32
"""Each tab of a browser has one."""


@dataclass(eq=False)
class Viewer:
    """One open socket. A slow one loses pushes, is told so, and looks again itself."""

    session: str
    queue: deque[dict[str, Any]] = field(default_factory=lambda: deque[dict[str, Any]](maxlen=QUEUE))
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    lost: int = 0
    ended: bool = False

    def push(self, message: dict[str, Any]) -> None:
        if len(self.queue) == QUEUE:
            self.lost += 1
        self.queue.append(message)
        self.bell.set()


class Hub:
    """Follows the bus from now on, and keeps the last events for browsers that come back."""

    def __init__(self, bus: Bus, board: Board) -> None:
        self._bus = bus
        self._kept: deque[tuple[int, Event]] = deque(maxlen=KEEP)
        self._viewers: set[Viewer] = set()
        self._states: dict[str, None] = {}
        self._state_bell = asyncio.Event()
        self._passed = False
        board.listen(self._channel_changed)

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def full_for(self, session: str) -> bool:
        """Whether this session, or everybody together, holds as many sockets as there may be."""
        own = sum(viewer.session == session for viewer in self._viewers)
        return own >= MAX_SOCKETS_OF_SESSION or len(self._viewers) >= MAX_SOCKETS

    def join(self, session: str, after: int) -> Viewer:
        """A new socket; `after` > 0 replays what is kept, or tells that too much was missed."""
        viewer = Viewer(session)
        if after:
            oldest = self._kept[0][0] if self._kept else 0
            if not oldest or after + 1 < oldest:
                viewer.push({"type": "reset"})
            for position, event in self._kept:
                if position > after:
                    viewer.push({"type": "_event", "position": position, "event": event})
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def end_sessions(self, sessions: Iterable[str]) -> None:
        """Close the sockets of sessions that ended."""
        gone = set(sessions)
        for viewer in self._viewers:
            if viewer.session in gone:
                viewer.ended = True
                viewer.bell.set()

    def push(self, message: dict[str, Any]) -> None:
        """To everybody; the sender's route judges who may see it (`channel` names the thing)."""
        for viewer in self._viewers:
            viewer.push(message)

    def changed(self, things: Iterable[tuple[str, str]]) -> None:
        """Something in the database changed."""
        for kind, thing in things:
            if kind == "channel":
                self._channel_changed(thing)
            else:
                self.push({"type": "changed", "kind": kind, "id": thing})

    def _channel_changed(self, channel: str) -> None:
        self._states[channel] = None
        self._state_bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_bus())
            group.create_task(self._tell_states())

    async def _tell_states(self) -> None:
        while True:
            await self._state_bell.wait()
            self._state_bell.clear()
            states, self._states = self._states, {}
            passed, self._passed = self._passed, False
            if passed:
                self.changed([("passage", "")])
            for channel in states:
                self.push({"type": "_channel", "channel": channel})
            await asyncio.sleep(0.2)  # many changes of a channel, and many passages, within this time are told once

    async def _follow_bus(self) -> None:
        async for _ in self._bell():
            try:
                while found := await self._bus.pull(CONSUMER, (), 200):
                    for position, event in found:
                        if event.kind.startswith("passage."):
                            # Those of a busy city would crowd out what is kept for who comes back.
                            self._passed = True
                            self._state_bell.set()
                            continue
                        self._kept.append((position, event))
                        self.push({"type": "_event", "position": position, "event": event})
                    await self._bus.acknowledge(CONSUMER, found[-1][0])
            except UnavailableError:
                await asyncio.sleep(1.0)

    def _bell(self) -> AsyncGenerator[None]:
        return self._bus.bell()
