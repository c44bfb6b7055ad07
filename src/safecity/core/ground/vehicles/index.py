"""Keeps the matrix of plates in step with the database: made anew at start and once a day, added to as they pass."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from safecity.core.ground.outbox import api as outbox
from safecity.core.ground.passages.api import RECORDED, seeking
from safecity.core.ground.vehicles.matrix import Listed, PlateMatrix, cleared
from safecity.core.ground.vehicles.pattern import Pattern
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import SafecityError
from safecity.ports.bus import Bus
from safecity.ports.database import Database

logger = logging.getLogger(__name__)
CONSUMER = "plates"
PULL = 500
PART = 20_000
ANEW_SECONDS = 86_400.0
"""Plates that the database forgot are forgotten here within a day."""
RETRY_SECONDS = 5.0
BEHIND_US = 30 * SECOND_US
"""What was told longer ago than this and is not on the bus yet cannot have come here."""


class PlateIndex:
    """Answers nothing until it is whole: who asks then has to look through the passages themselves."""

    def __init__(self, database: Database, bus: Bus, folder: Path) -> None:
        self._database = database
        self._bus = bus
        self._folder = folder
        self._matrix: PlateMatrix | None = None
        self._making: PlateMatrix | None = None
        self._turn = asyncio.Lock()
        self._behind = False

    async def find(self, pattern: Pattern, most: int) -> Listed | None:
        """See `PlateMatrix.find`; None while it is not whole."""
        matrix = self._matrix
        return None if matrix is None else await asyncio.to_thread(matrix.find, pattern, most)

    async def current(self, now: int) -> bool:
        """Whether what passed a while ago is in it: not where it could not follow, nor where the bus takes nothing."""
        since = None if self._behind else await self._database.read(outbox.waiting_since)
        return not self._behind and (since is None or since > now - BEHIND_US)

    def __len__(self) -> int:
        return 0 if self._matrix is None else len(self._matrix)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(cleared, self._folder)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._renew())
        finally:
            for matrix in (self._matrix, self._making):
                if matrix is not None:
                    matrix.close()
            self._matrix = self._making = None

    async def _renew(self) -> None:
        while True:
            try:
                await self.make()
            except (SafecityError, OSError) as error:
                logger.warning("plates not gathered, searches look through all passages why=%s", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await asyncio.sleep(ANEW_SECONDS)

    async def make(self) -> int:
        """Gather all plates; how many there are. What passes meanwhile is added to both."""
        making = await asyncio.to_thread(PlateMatrix, self._folder)
        self._making = making
        after = ""
        while part := await self._database.read(lambda tx, after=after: seeking.distinct_plates(tx, after, PART)):
            async with self._turn:
                await asyncio.to_thread(making.add, part)
            after = part[-1][0]
        async with self._turn:
            old, self._matrix, self._making = self._matrix, making, None
        if old is not None:
            old.close()
        return len(making)

    async def _follow(self) -> None:
        async for _ in self._bus.bell():
            while True:
                if await self._followed():
                    break
                await asyncio.sleep(RETRY_SECONDS)

    async def _followed(self) -> bool:
        try:
            while await self.step():
                pass
        except (SafecityError, OSError) as error:
            if not self._behind:
                logger.warning("plates wait, searches look through all passages why=%s", error)
            self._behind = True
            return False
        if self._behind:
            logger.info("plates are gathered again")
        self._behind = False
        return True

    async def step(self) -> int:
        """Add the plates of the next passages that were told; how many were told."""
        told = await self._bus.pull(CONSUMER, (RECORDED,), PULL)
        if not told:
            return 0
        ids = [str(event.body.get("passage", "")) for _, event in told]
        plates = await self._database.read(lambda tx: seeking.plates_of(tx, ids))
        async with self._turn:
            for matrix in (self._matrix, self._making):
                if matrix is not None:
                    await asyncio.to_thread(matrix.add, plates)
        await self._bus.acknowledge(CONSUMER, told[-1][0])
        return len(told)
