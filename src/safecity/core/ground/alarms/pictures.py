"""The picture of an alarm is kept when the alarm comes: it must outlive the footage, which retention takes away.

Kept as it was coded, one key frame, so that nothing foreign is decoded before somebody looks at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace

from safecity.core.ground.alarms import store
from safecity.core.ground.alarms.store import Alarm
from safecity.core.ground.channels.api import find as find_channel
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, NotFoundError, SafecityError, UnavailableError
from safecity.model.facts.media_calls import AskPicture, Picture
from safecity.ports.blobs import Blobs, only
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)

DAY_US = 86_400 * SECOND_US
MAX_PER_CHANNEL_DAY = 200
"""Pictures kept of one channel in one day; a camera that alarms all the time still has those in its footage."""
SETTLE_US = 2 * SECOND_US
"""The recorder writes a second late."""
WINDOW_US = 3600 * SECOND_US
"""Older alarms that have no picture yet get none."""
TRIES = 5
AGAIN_SECONDS = 10.0
SWEEP_SECONDS = 3600.0
_FOLDER = "alarm-pictures"


class AlarmPictures:
    """Asks the slot once for each new alarm, and puts the answer where it stays for `days`."""

    def __init__(self, database: Database, calls: Calls, blobs: Blobs, clock: Clock, days: Callable[[], int]) -> None:
        self._database = database
        self._calls = calls
        self._blobs = blobs
        self._clock = clock
        self._days = days
        self._bell = asyncio.Event()
        self._tries: dict[str, int] = {}
        self._kept: dict[tuple[str, int], int] = {}

    def look(self) -> None:
        """There may be new alarms."""
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        swept = float("-inf")
        while True:
            self._bell.clear()
            try:
                await self.step()
                if self._clock.monotonic() - swept >= SWEEP_SECONDS:
                    swept = self._clock.monotonic()
                    await self.sweep()
            except SafecityError as error:
                logger.warning("pictures of alarms wait code=%s why=%s", error.code, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._bell.wait()
            await asyncio.sleep(SETTLE_US / SECOND_US)

    async def step(self) -> int:
        """Keep what can be kept now; how many."""
        now = self._clock.now_us()
        if not self._days():
            return 0
        found = await self._database.read(lambda tx: store.unpictured(tx, now - WINDOW_US, now - SETTLE_US))
        self._tries = {alarm.id: self._tries.get(alarm.id, 0) for alarm in found}
        kept = 0
        for alarm in found:
            if self._tries[alarm.id] < TRIES and self._room(alarm):
                self._tries[alarm.id] += 1
                kept += await self._keep(alarm)
        return kept

    def _room(self, alarm: Alarm) -> bool:
        return self._kept.get((alarm.channel or "", alarm.seen // DAY_US), 0) < MAX_PER_CHANNEL_DAY

    async def _keep(self, alarm: Alarm) -> bool:
        assert alarm.channel is not None
        of = alarm.channel
        channel = await self._database.read(lambda tx: find_channel(tx, of))
        if channel is None or not channel.slot:
            return False
        try:
            answer = await self._calls.call(channel.slot, AskPicture(channel.id, alarm.seen), timeout=10)
        except SafecityError:  # no footage, or not now
            return False
        if not isinstance(answer, Picture):
            return False
        key = f"{_FOLDER}/{alarm.seen // DAY_US}/{alarm.id}.mp4"
        with contextlib.suppress(ConflictError):  # kept, but it was not written down any more
            await self._blobs.put(key, only(answer.fmp4))

        def work(tx: Tx) -> None:
            known = store.find(tx, alarm.id)
            if known is not None:
                store.save(tx, replace(known, picture=key))

        await self._database.write(work)
        place = (alarm.channel, alarm.seen // DAY_US)
        self._kept = {at: count for at, count in self._kept.items() if at[1] >= place[1] - 1}
        self._kept[place] = self._kept.get(place, 0) + 1
        return True

    async def read(self, alarm: Alarm) -> bytes | None:
        """The coded picture that was kept, None when there is none."""
        if not alarm.picture:
            return None
        try:
            return b"".join([piece async for piece in self._blobs.read(alarm.picture)])
        except (NotFoundError, UnavailableError):
            return None

    async def sweep(self) -> int:
        """Forget the days past retention; how many pictures went."""
        first = self._clock.now_us() // DAY_US - self._days()
        gone = [key async for key in self._blobs.keys(f"{_FOLDER}/") if _day(key) < first]
        for key in gone:
            await self._blobs.delete(key)
        return len(gone)


def _day(key: str) -> int:
    part = key.split("/")[1]
    return int(part) if part.isdigit() else 1 << 60
