"""Reads the bus and applies it: effect and place in one transaction, so that nothing is applied twice or lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from safecity.core.ground.intake.apply import KINDS, Effects, Intake
from safecity.core.ground.settings.api import move, position
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
CONSUMER = "core"


class IntakeLoop:
    """The consumer `core`. `tell` hears of effects after they are durable."""

    def __init__(self, database: Database, bus: Bus, intake: Intake, tell: Callable[[Effects], None]) -> None:
        self._database = database
        self._bus = bus
        self._intake = intake
        self._tell = tell
        self.failed = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if await self._take_place():
                break
            await asyncio.sleep(1.0)
        async for _ in self._bus.bell():
            while await self.step():
                pass

    async def _take_place(self) -> bool:
        """Where the database stands is where the bus goes on; False while one of them takes nothing."""
        try:
            await self._bus.rewind(CONSUMER, await self._database.read(lambda tx: position(tx, CONSUMER)))
        except UnavailableError as error:
            logger.warning("events wait code=%s why=%s", error.code, error)
            return False
        return True

    async def step(self) -> bool:
        """Apply the next few; whether there were any."""
        try:
            batch = await self._bus.pull(CONSUMER, KINDS, 100)
            if not batch:
                return False
            try:
                await self._apply(batch)
            except UnavailableError:
                raise
            except Exception:
                # One event that nobody foresaw must not stop all after it: find it, set it aside, go on.
                for one in batch:
                    await self._alone(one)
            await self._bus.acknowledge(CONSUMER, batch[-1][0])
        except SafecityError as error:
            logger.warning("events wait code=%s why=%s", error.code, error)
            await asyncio.sleep(1.0)
        return True

    async def _apply(self, batch: list[tuple[int, Event]]) -> None:
        effects = Effects()

        def work(tx: Tx) -> None:
            done = position(tx, CONSUMER)
            for place, event in batch:
                if place > done:
                    self._intake.apply(tx, event, effects)
            self._intake.settle(tx, effects)
            move(tx, CONSUMER, max(done, batch[-1][0]))

        await self._database.write(work)
        self._tell(effects)

    async def _alone(self, one: tuple[int, Event]) -> None:
        try:
            await self._apply([one])
        except UnavailableError:
            raise
        except Exception:
            self.failed += 1
            logger.exception("event set aside kind=%s id=%s", one[1].kind, one[1].id)
            await self._database.write(lambda tx: move(tx, CONSUMER, one[0]))
