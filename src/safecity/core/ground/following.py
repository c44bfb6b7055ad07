"""Who follows the bus as a named consumer: in order, at least once, past what nobody foresaw, and for ever.

While bus or database cannot serve, it waits; it says so once, and once that it goes on.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus

logger = logging.getLogger(__name__)
RETRY_SECONDS: Final = 1.0


class Follower(ABC):
    """`consumer` names it on the bus and in the log. What `take` did for an event it must not do for it again."""

    def __init__(self, bus: Bus, consumer: str, kinds: tuple[str, ...], pull: int) -> None:
        self._bus = bus
        self._consumer = consumer
        self._kinds = kinds
        self._pull = pull
        self._trouble = ""
        self.failed = 0
        """Events that were set aside: nobody foresaw them."""

    @abstractmethod
    async def take(self, events: Sequence[Event]) -> None:
        """All that is to be done for them, durable when it returns."""

    async def run(self) -> None:
        """Until cancelled."""
        async for _ in self._bus.bell():
            while await self._tried():
                pass

    async def _tried(self) -> bool:
        try:
            done = await self.step()
        except SafecityError as error:
            if error.code != self._trouble:
                logger.warning("%s wait code=%s why=%s", self._consumer, error.code, error)
            self._trouble = error.code
            await asyncio.sleep(RETRY_SECONDS)
            return True
        if self._trouble:
            logger.info("%s go on", self._consumer)
            self._trouble = ""
        return bool(done)

    async def step(self) -> int:
        """Take the next events that were told; how many there were."""
        told = await self._bus.pull(self._consumer, self._kinds, self._pull)
        if not told:
            return 0
        events = [event for _, event in told]
        try:
            await self.take(events)
        except UnavailableError:
            raise
        except Exception:
            # One event that nobody foresaw must not keep back all after it.
            for event in events:
                await self._alone(event)
        await self._bus.acknowledge(self._consumer, told[-1][0])
        return len(told)

    async def _alone(self, event: Event) -> None:
        try:
            await self.take([event])
        except UnavailableError:
            raise
        except Exception:
            self.failed += 1
            logger.exception("set aside by %s kind=%s id=%s", self._consumer, event.kind, event.id)
