"""What terminals took (0x0801), handed to whoever keeps it: a terminal hears that it came once it is durable.

Who kept a picture and was not heard gets it again; the same said twice is told apart by whoever keeps it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from safecity.drivers.jt808.roll import Vehicle
from safecity.drivers.tally import Tally
from safecity.kit.clock import Clock
from safecity.kit.errors import ExhaustedError, SafecityError, UnavailableError
from safecity.model.facts.vehicle_calls import KeepMedia
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.jt808.checks import judge
from safecity.protocols.jt808.records import MediaData

logger = logging.getLogger(__name__)
K = TypeVar("K")
Keep = Callable[[KeepMedia], Awaitable[None]]
"""Durable on return."""

ITEMS_PER_MINUTE: Final = 20.0
ITEMS_AT_ONCE: Final = 40.0
"""Of one terminal, after which the pace above counts. Then it is not answered, and sends it again."""
MAX_UNDER_WAY: Final = 64
"""Of all terminals, at most so much of it is in memory: more is left with them."""
MAX_OF_ONE: Final = 4
AGAIN_SECONDS: Final = (1.0, 3.0, 8.0)
"""Pauses until control is asked again, which may just start anew."""

FLOOD: Final = "jt_media_flood"
NO_ROOM: Final = "jt_media_no_room"
NOT_KEPT: Final = "jt_media_not_kept"
_KINDS: Final = ("picture", "sound", "video")
_FORMATS: Final = ("jpeg", "tif", "mp3", "wav", "wmv")
_CAUSES: Final = (
    "ordered", "timer", "robbery", "collision", "door_opens", "door_closes", "moves_off", "distance",
)  # fmt: skip
_Key = tuple[str, int, bytes]


def fact_of(device: str, body: MediaData, now_us: int) -> KeepMedia:
    """In the platform's words. A time or a place that cannot be true is left out, as of positions; a terminal may have
    kept it for long. Pure."""
    judged = judge(body.location, now_us, catch_up=True) if body.location is not None else None
    place = body.location if judged is not None and judged.moves else None
    return KeepMedia(
        device=device, number=body.media_id, channel=body.channel, kind=_word(_KINDS, body.kind),
        format=_word(_FORMATS, body.format), cause=_word(_CAUSES, body.event),
        at=now_us if judged is None else judged.at_us, seen=now_us, data=body.data,
        longitude=None if place is None else place.longitude, latitude=None if place is None else place.latitude,
    )  # fmt: skip


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if number < len(words) else str(number)


class MediaDesk:
    """`keep` None: nobody keeps anything here."""

    def __init__(self, clock: Clock, tally: Tally, keep: Keep | None) -> None:
        self._clock = clock
        self._tally = tally
        self._keep = keep
        self._pace = Buckets(rate=ITEMS_PER_MINUTE / 60, burst=ITEMS_AT_ONCE, max_keys=100_000)
        self._under_way: dict[_Key, list[Callable[[], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def bring(self, vehicle: Vehicle, body: MediaData, answer: Callable[[], None]) -> None:
        """`answer` is called once it is kept, never where it is not."""
        if self._keep is None:
            self._tally.note(NOT_KEPT, vehicle.number)
            return
        key = vehicle.number, body.media_id, hashlib.blake2b(body.data, digest_size=16).digest()
        waiting = self._under_way.get(key)
        if waiting is not None:  # sent again meanwhile, perhaps over another connection: each is answered there
            if len(waiting) < MAX_OF_ONE:
                waiting.append(answer)
            return
        if not self._pace.take(vehicle.number, self._clock.monotonic()):
            self._tally.note(FLOOD, vehicle.number)
            return
        of_one = Counter(phone for phone, _, _ in self._under_way)[vehicle.number]
        if len(self._under_way) >= MAX_UNDER_WAY or of_one >= MAX_OF_ONE:
            self._tally.note(NO_ROOM, vehicle.number)
            return
        self._under_way[key] = [answer]
        work = self._bring(self._keep, key, fact_of(vehicle.device, body, self._clock.now_us()))
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, keep: Keep, key: _Key, fact: KeepMedia) -> None:
        try:
            await until_kept(keep, fact)
        except ExhaustedError:
            self._tally.note(FLOOD, key[0])
        except SafecityError as error:
            self._tally.note(NOT_KEPT, key[0])
            logger.debug("media of a terminal not kept phone=%s why=%s", key[0], error)
        else:
            for answer in self._under_way[key]:
                answer()
        finally:
            del self._under_way[key]

    async def close(self) -> None:
        """What is not kept by now was not answered either, and comes again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_kept(keep: Callable[[K], Awaitable[None]], fact: K) -> None:
    """Durable on return. While control is away it is asked again, then UnavailableError."""
    for pause in AGAIN_SECONDS:
        try:
            return await keep(fact)
        except UnavailableError:
            await asyncio.sleep(pause)
    return await keep(fact)
