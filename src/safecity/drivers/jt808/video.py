"""The pictures of vehicle terminals: the desks for channels, live, heads and their own recordings, put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from safecity.drivers.jt808.channels import Directory, ask_channels, catalogue
from safecity.drivers.jt808.driver import TerminalPlatform
from safecity.drivers.jt808.heads import Heads
from safecity.drivers.jt808.live import Live
from safecity.drivers.jt808.playback import Playback
from safecity.drivers.jt808.roll import Vehicle
from safecity.kit.clock import Clock
from safecity.model.facts.media_calls import StreamState
from safecity.model.facts.signal_calls import ApplySignal
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.5
ASKED_AT_ONCE: Final = 50
"""Terminals that are asked for their cameras at the same time: after a restart all of them come."""


class TerminalVideo:
    """One per process, beside its `TerminalPlatform`. `media_host`: what terminals are told to connect to; empty: the
    platform's own public address, and where that is not set, the address of ours that their connection came to.
    `aal2`: see `Directory`."""

    def __init__(
        self, platform: TerminalPlatform, calls: Calls, clock: Clock, *, media_host: str = "",
        aal2: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._platform = platform
        self._clock = clock
        self._own_host = media_host
        self._public_host = ""
        self._language = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Semaphore(ASKED_AT_ONCE)
        self._told: dict[str, int] = {}
        self.directory = Directory(platform.vehicle, aal2)
        orders = platform.orders
        self.live = Live(self.directory, orders, calls, clock, self.media_host, platform.tell, self._spawn)
        self.playback = Playback(self.directory, orders, calls, clock, self.media_host, self._spawn)
        self.heads = Heads(self.directory, orders)
        platform.came = self._came

    def start(self) -> None:
        """Begin to look after what is wanted."""
        self._spawn(self._tick())

    async def close(self) -> None:
        """Stop working; streams go on, since whoever starts next sees them."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def configure(self, parts: Sequence[ApplySignal]) -> None:
        """The whole list of channels; to be called after the platform's own."""
        if not parts:
            return
        identity = parts[0].identity
        self._public_host, self._language = identity.public_host, identity.language
        self.directory.apply(parts)
        self.live.configured()

    def slots(self) -> set[str]:
        """Media slots whose streams we are to watch."""
        return self.directory.slots()

    def knows(self, channel: str) -> bool:
        """Whether a channel (or the stream of a playback) is a terminal's."""
        return self.directory.find_channel(channel) is not None or self.playback.knows(channel)

    def slot_says(self, slot: str, state: StreamState) -> bool:
        """News of a stream from its slot. False where it is none of a terminal's, as far as is known."""
        return self.playback.slot_says(slot, state) or self.live.slot_says(slot, state)

    def media_host(self, vehicle: Vehicle) -> str:
        """The address of ours that a terminal is told to connect to."""
        link = vehicle.link
        return self._own_host or self._public_host or (link.local_host if link is not None else "")

    def _came(self, vehicle: Vehicle) -> None:
        self.live.device_came_back(vehicle.config.device)
        self._spawn(self._ask(vehicle))

    async def _ask(self, vehicle: Vehicle) -> None:
        async with self._asking:
            told = await ask_channels(self._platform.orders, vehicle, self._language)
        # What nothing changes in need not be said: some come again every few minutes.
        mark = hash(repr(told))
        if told and self._told.get(vehicle.config.device) != mark:
            self._told[vehicle.config.device] = mark
            batch = f"{vehicle.config.phone}-{self._clock.now_us()}"
            self._platform.tell("catalog.received", vehicle, catalogue(batch, told))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("task failed", exc_info=task.exception())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                self.live.tick()
                self.playback.tick()
            except Exception:
                logger.exception("tick failed")
