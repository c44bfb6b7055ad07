"""Forgets alarms and the old part of the audit log, as the platform's settings say, and passages past their time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from safecity.core.ground.alarms.api import Alarms
from safecity.core.ground.audit.api import Keeper
from safecity.core.ground.settings.api import Settings
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError

logger = logging.getLogger(__name__)

DAY_US = 86_400 * SECOND_US
TURN_SECONDS = 3600.0
MAX_DAYS_AT_ONCE = 7
"""Days of alarms that one turn may forget: a clock that runs wild for an hour must not take years of them."""


class Retention:
    """One turn an hour; after a setting became shorter it takes some turns until all is gone."""

    def __init__(
        self, settings: Settings, alarms: Alarms, keeper: Keeper, clock: Clock, sweep: Callable[[], Awaitable[int]]
    ) -> None:
        """`sweep` forgets what carries its own time; how many went."""
        self._settings = settings
        self._alarms = alarms
        self._keeper = keeper
        self._clock = clock
        self._sweep = sweep

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except (SafecityError, OSError) as error:  # a full disk: what is old stays until the next turn
                logger.warning("nothing is forgotten why=%s", error)
            await asyncio.sleep(TURN_SECONDS)

    async def step(self) -> tuple[int, int]:
        """Alarms and records of the audit log that went."""
        platform = await self._settings.read()
        alarms = await self._forget_alarms(platform.alarm_days) if platform.alarm_days else 0
        records = await self._keeper.forget(platform.audit_days) if platform.audit_days else 0
        passages = await self._sweep()
        if alarms or records or passages:
            logger.info("old records forgotten alarms=%s audit=%s passages=%s", alarms, records, passages)
        return alarms, records

    async def _forget_alarms(self, days: int) -> int:
        oldest = await self._alarms.oldest()
        if oldest is None:
            return 0
        before = min(self._clock.now_us() - days * DAY_US, oldest + MAX_DAYS_AT_ONCE * DAY_US)
        return await self._alarms.forget(before)
