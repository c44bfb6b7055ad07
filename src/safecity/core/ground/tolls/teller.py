"""Keeps the duty `traffic` at what roads cost."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from safecity.kit.errors import SafecityError, UnavailableError
from safecity.ports.calls import Calls
from safecity.ports.tolls import Tolls

logger = logging.getLogger(__name__)
ADDRESS: Final = "traffic"
TELL_SECONDS: Final = 20.0
TIMEOUT: Final = 10.0


class TollTeller:
    """Tells all of it, again and again: a duty that began anew knows nothing, and tolls may follow the traffic."""

    def __init__(self, calls: Calls, source: Tolls) -> None:
        self._calls = calls
        self._source = source
        self._telling = asyncio.Lock()
        self._refused = ""

    async def run(self) -> None:
        """Until cancelled. Where the duty is not there, or not yet, the next turn tells it."""
        while True:
            await self.tell_if_there()
            await asyncio.sleep(TELL_SECONDS)

    async def tell_if_there(self) -> None:
        """Once; a duty that does not answer hears of it when it is back. That it takes none of it is said once."""
        try:
            await self.tell()
        except UnavailableError as error:
            logger.debug("tolls not told why=%s", error.code)
        except SafecityError as error:
            if error.code != self._refused:
                logger.warning("tolls refused by the traffic duty why=%s", error.code)
            self._refused = error.code
        else:
            if self._refused:
                logger.info("tolls taken again by the traffic duty")
            self._refused = ""

    async def tell(self) -> None:
        """Once."""
        async with self._telling:  # who comes second tells the later state last
            await self._calls.call(ADDRESS, await self._source.tolls(), timeout=TIMEOUT)
