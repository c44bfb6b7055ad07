"""Facts from the slot's outbox to control: in order, again and again until they are committed there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from safecity.kit.errors import InvalidError, SafecityError, UnavailableError
from safecity.media.slot.outbox import Outbox
from safecity.model.facts.control_calls import Publish
from safecity.model.facts.envelope import Event
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)

BATCH = 200
GATHER_SECONDS = 0.05
MAX_GATHERED = 20_000
"""Facts kept in memory while the disk takes none."""
FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 0.2, 15.0


class Relay:
    """An outbox that drains itself while `run` runs."""

    def __init__(self, outbox: Outbox, calls: Calls) -> None:
        self._outbox = outbox
        self._calls = calls
        self._gathered: list[Event] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._ring = asyncio.Event()
        self._ring.set()
        self.lost = 0
        """Facts that neither the disk nor the memory could keep."""
        self.refused = 0
        """Facts control called wrong, kept out of the way of the others."""

    def add(self, events: Sequence[Event]) -> None:
        """Durable within `GATHER_SECONDS`: when a switch dies and 300 streams are lost, that is one commit, not 300."""
        if not events:
            return
        self._gathered += events
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Make durable what was gathered."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        try:
            self._outbox.add(gathered)
        except UnavailableError as error:
            logger.warning("facts wait for the disk facts=%s why=%s", len(gathered), error)
            self._gathered = gathered + self._gathered
            self.lost += max(0, len(self._gathered) - MAX_GATHERED)
            self._gathered = self._gathered[-MAX_GATHERED:]
            self._flushing = asyncio.get_running_loop().call_later(LAST_WAIT_SECONDS, self.flush)
            return
        self._ring.set()

    @property
    def waiting(self) -> int:
        """Facts control does not have yet."""
        return self._outbox.size + len(self._gathered)

    @property
    def dropped(self) -> int:
        """Facts that are lost for good."""
        return self._outbox.dropped + self.lost

    async def run(self) -> None:
        """For ever; control may be away for days."""
        wait, up = FIRST_WAIT_SECONDS, True
        while True:
            await self._ring.wait()
            self._ring.clear()
            try:
                await self._drain()
                wait, up = FIRST_WAIT_SECONDS, True
            except SafecityError as error:
                if up:
                    logger.info("facts wait for control why=%s", error.code)
                up = False
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await asyncio.Event().wait()
                wait = min(wait * 2, LAST_WAIT_SECONDS)
                self._ring.set()

    async def _drain(self) -> None:
        while waiting := self._outbox.waiting(BATCH):
            try:
                await self._calls.call("control", Publish(tuple(event for _, event in waiting)), timeout=10.0)
            except InvalidError:
                if len(waiting) == 1:
                    logger.warning("fact refused by control kind=%s", waiting[0][1].kind)
                    self.refused += 1
                else:
                    await self._one_by_one(waiting)
            self._outbox.sent(waiting[-1][0])

    async def _one_by_one(self, waiting: Sequence[tuple[int, Event]]) -> None:
        """One bad fact must not hold up the others of its batch."""
        for _, event in waiting:
            try:
                await self._calls.call("control", Publish((event,)), timeout=10.0)
            except InvalidError:
                logger.warning("fact refused by control kind=%s", event.kind)
                self.refused += 1
