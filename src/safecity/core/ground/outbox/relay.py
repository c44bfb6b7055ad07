"""Carries events from the database to the bus. One that went twice is dropped there by its id."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from msgspec.structs import replace

from safecity.core.ground.outbox import store
from safecity.core.ground.settings.api import Settings
from safecity.kit.errors import SafecityError
from safecity.ports.bus import Bus
from safecity.ports.database import Database

logger = logging.getLogger(__name__)
BATCH = 500
LOOK_SECONDS = 5.0
"""Whoever adds rings; this is for what was added by a process that died before it could."""
RETRY_SECONDS = 1.0


class Relay:
    """The only one who drains the outbox."""

    def __init__(self, database: Database, bus: Bus, settings: Settings) -> None:
        self._database = database
        self._bus = bus
        self._settings = settings
        self._bell = asyncio.Event()
        self._reachable = True

    def wake(self) -> None:
        """There may be something new."""
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.clear()
            try:
                while await self.step():
                    pass
                self._report(True)
            except SafecityError as error:
                self._report(False, error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()

    async def step(self) -> int:
        """Publish the oldest ones; how many."""
        found = await self._database.read(lambda tx: store.pending(tx, BATCH))
        if not found:
            return 0
        origin = f"{(await self._settings.read()).code}/control"
        await self._bus.publish([replace(event, origin=event.origin or origin) for _, event in found])
        await self._database.write(lambda tx: store.forget(tx, found[-1][0]))
        return len(found)

    def _report(self, reachable: bool, error: SafecityError | None = None) -> None:
        if reachable is self._reachable:
            return
        self._reachable = reachable
        if reachable:
            logger.info("events of control go to the bus again")
        else:
            logger.warning("events of control wait why=%s", error)
