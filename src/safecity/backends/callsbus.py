"""The port `Bus` for the other duties: the one in control, over Calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.control_calls import Acknowledge, Bell, Publish, Published, Pull, Pulled, Rewind
from safecity.model.facts.envelope import Event
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)
TIMEOUT: Final = 10.0
AGAIN_SECONDS: Final = 1.0


class CallsBus:
    """UnavailableError while control is away; its bell waits for it, and rings when it is back."""

    def __init__(self, calls: Calls, address: str = "control") -> None:
        self._calls = calls
        self._address = address

    async def publish(self, events: Sequence[Event]) -> int:
        answer = await self._calls.call(self._address, Publish(events=tuple(events)), timeout=TIMEOUT)
        return answer.new if isinstance(answer, Published) else 0

    async def pull(self, consumer: str, kinds: Sequence[str], limit: int = 100) -> list[tuple[int, Event]]:
        message = Pull(consumer=consumer, kinds=tuple(kinds), limit=limit)
        answer = await self._calls.call(self._address, message, timeout=TIMEOUT)
        if not isinstance(answer, Pulled):
            raise UnavailableError("no events", code="answer_unexpected")
        return list(zip(answer.positions, answer.events, strict=True))

    async def acknowledge(self, consumer: str, position: int) -> None:
        await self._calls.call(self._address, Acknowledge(consumer=consumer, position=position), timeout=TIMEOUT)

    async def rewind(self, consumer: str, position: int) -> None:
        await self._calls.call(self._address, Rewind(consumer=consumer, position=position), timeout=TIMEOUT)

    async def bell(self) -> AsyncGenerator[None]:
        reachable = True
        while True:
            try:
                yield None  # what came while nobody listened
                async for _ in self._calls.stream(self._address, Bell(kinds=())):
                    if not reachable:
                        logger.info("bus reachable again")
                        reachable = True
                    yield None
            except SafecityError as error:
                if reachable:
                    logger.warning("bus unreachable why=%s", error)
                reachable = False
            await asyncio.sleep(AGAIN_SECONDS)
