"""Searches recordings for movement, a page at a time: key frames become heat maps, heat maps become finds.

One page is worked on at a time, and a page takes some seconds: whoever searches a day beside others takes turns with
them, and whoever asks no more costs nothing more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ExhaustedError, InvalidError, SafecityError
from safecity.model.facts.vision_calls import (
    MAX_MOVEMENT_PAGES,
    MAX_MOVEMENT_REGIONS,
    MAX_MOVEMENT_SPAN_US,
    MOVEMENT_PAGE_SECONDS,
    MovementFound,
    MovementSeen,
    NotThere,
    SearchMovement,
)
from safecity.model.values.media import Quality, Unit
from safecity.ports.keyframes import KeyFrames, KeyPlace, OpenKeyFrames
from safecity.vision.movement.confirming import Confirmed, Confirming
from safecity.vision.movement.decoder import COMMAND, KeyDecoder, Small
from safecity.vision.movement.judge import MAX_HITS, Find, Judge
from safecity.vision.movement.kept import KeptMaps
from safecity.vision.movement.maps import (
    APART_US,
    COMPARED,
    FIRST,
    SENSITIVITIES,
    UNREADABLE,
    Moment,
    Region,
    cells_of,
    compare,
)

logger = logging.getLogger(__name__)
T = TypeVar("T")

BLOCK_US: Final = 120 * SECOND_US
"""Of footage: so much is worked on, and kept, at once."""
SETTLED_US: Final = 120 * SECOND_US
"""Footage younger than this may still grow: its maps are not kept."""
BATCH: Final = 8
"""Pictures that are read from the disk at once, while those before them are decoded."""
MAX_GAPS: Final = 200
"""Told with one page; the others count as missing like these."""
FOLLOW_SECONDS: Final = 60.0
FOLLOW_BLOCKS: Final = 400
"""So many kept blocks are held against the footage each minute."""
TOLD_AGAIN_US: Final = 600 * SECOND_US
"""A decoder that dies of one channel's footage is one event in so long."""


@dataclass
class _Page:
    """What one page looks at."""

    ask: SearchMovement
    judge: Judge
    decoder: KeyDecoder
    kept: set[int] = field(default_factory=set[int])
    """When the key frames were taken whose maps were there already."""


class MovementSearch:
    """`died` is told channel, quality and status of a decoder that died. Footage and maps are read in one thread."""

    def __init__(
        self, open_keys: OpenKeyFrames, kept: KeptMaps, clock: Clock, died: Callable[[str, Quality, str], None],
        command: Sequence[str] = COMMAND,
    ) -> None:  # fmt: skip
        self._open = open_keys
        self._kept = kept
        self._clock = clock
        self._died = died
        self._command = command
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="movement")
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._keys: tuple[tuple[str, ...], KeyFrames] | None = None
        self._told: dict[str, int] = {}
        self._followed = ("", "", 0)

    async def answer(self, ask: SearchMovement) -> MovementFound:
        """InvalidError for what no search is, ExhaustedError `movement_busy` where too many wait, UnavailableError
        `decoder_missing` where nothing can be decoded here."""
        judge = _judge(ask)
        if self._waiting >= MAX_MOVEMENT_PAGES:
            raise ExhaustedError("too many searches", code="movement_busy", params={"seconds": 5})
        self._waiting += 1
        try:
            async with self._turn:  # in order of coming
                decoder = KeyDecoder(partial(self._decoder_died, ask), self._command)
                try:
                    return await self._page(_Page(ask, judge, decoder))
                finally:
                    await decoder.close()
        finally:
            self._waiting -= 1

    async def run(self) -> None:
        """Kept maps follow their footage, until cancelled."""
        try:
            while True:
                await asyncio.sleep(FOLLOW_SECONDS)
                try:
                    await self.follow()
                except SafecityError as error:
                    logger.warning("heat maps not held against the footage code=%s why=%s", error.code, error)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def follow(self) -> int:
        """Delete maps whose footage is gone: those before the first key frame at once, the others as their turn comes.
        Answers how many blocks went."""
        volumes = await self._in_thread(self._kept.volumes)
        gone = await self._in_thread(lambda: self._follow(self._keys_of(volumes))) if volumes else 0
        if self._waiting == 0:
            await self._in_thread(self._close_keys)  # a volume that is to be taken out is not held
        return gone

    def _follow(self, keys: KeyFrames) -> int:
        gone: list[tuple[str, str, int]] = []
        for channel, quality in self._kept.lines():
            first = keys.first(channel, Quality(quality))
            end = self._clock.now_us() + 2 * BLOCK_US if first is None else first - BLOCK_US
            gone += self._kept.before(channel, quality, end)
        self._kept.forget(gone)
        blocks = self._kept.after(self._followed, FOLLOW_BLOCKS)
        others = [
            (channel, quality, start) for channel, quality, start, mark in blocks
            if _mark(keys.places(channel, Quality(quality), start, start + BLOCK_US)) != mark
        ]  # fmt: skip
        self._kept.forget(others)
        self._followed = blocks[-1][:3] if len(blocks) == FOLLOW_BLOCKS else ("", "", 0)
        return len(gone) + len(others)

    # --- one page -------------------------------------------------------------------------------------------------

    async def _page(self, page: _Page) -> MovementFound:
        ask, judge = page.ask, page.judge
        await self._in_thread(partial(self._kept.use_volumes, ask.volumes))
        began = self._clock.monotonic()
        # Who looks closely needs the other half of the time of a page for that.
        until = began + MOVEMENT_PAGE_SECONDS * (0.5 if ask.precise else 1.0)
        at = ask.start // BLOCK_US * BLOCK_US
        while at < ask.end:
            judge.take(await self._block(page, at))
            at += BLOCK_US
            # Less than a block would bring nobody beyond a find that was left to this page whole.
            enough = self._clock.monotonic() >= until or len(judge.finds) >= MAX_HITS
            if enough and at - ask.start >= BLOCK_US:
                break
        reached = judge.close(at)
        closer = Confirmed(judge.finds, [False] * len(judge.finds), 0, None)
        if ask.precise:
            closer = await self._closely(page, began + MOVEMENT_PAGE_SECONDS)
            if closer.left is not None:
                reached = judge.leave(closer.left)
        absences = await self._with_keys(
            ask, lambda keys: keys.absences(ask.channel, ask.quality, ask.start, max(reached, ask.start + 1))
        )
        return MovementFound(
            found=tuple(_seen(one, precise) for one, precise in zip(closer.finds, closer.precise, strict=True)),
            next=0 if reached >= ask.end else reached,
            frames=len(judge.looked),
            kept=sum(at in page.kept for at, _ in judge.looked),
            unreadable=sum(not readable for _, readable in judge.looked),
            step_us=judge.step_us,
            gaps=tuple(NotThere(one.start, one.end, one.cause) for one in absences[:MAX_GAPS]),
            missing_us=sum(one.end - one.start for one in absences),
            dismissed=closer.dismissed,
        )

    async def _closely(self, page: _Page, until: float) -> Confirmed:
        ask = page.ask

        async def places(start: int, end: int) -> Sequence[KeyPlace]:
            return await self._with_keys(ask, lambda keys: keys.places(ask.channel, ask.quality, start, end))

        async def pictures(start: int, end: int) -> Sequence[Unit]:
            try:
                return await self._with_keys(ask, lambda keys: keys.pictures(ask.channel, ask.quality, start, end))
            except SafecityError:  # deleted or damaged since the index was read, or the volume is away
                return ()

        confirming = Confirming(page.judge, page.decoder, places, pictures, self._clock, until)
        return await confirming.look(page.judge.finds)

    async def _block(self, page: _Page, start: int) -> list[Moment]:
        """What there is of [start, start + BLOCK_US)."""
        ask = page.ask
        around: Sequence[KeyPlace] = await self._with_keys(
            ask, lambda keys: keys.places(ask.channel, ask.quality, start - APART_US, start + BLOCK_US)
        )
        places = [one for one in around if one.at >= start]
        if not places:
            return []
        mark = _mark(places)
        found = await self._in_thread(lambda: self._kept.get(ask.channel, ask.quality, start, mark))
        if found is not None:
            page.kept.update(one.at for one in found)
            return found
        lead = [one for one in around if one.at < start][-1:]
        page.decoder.begin()
        small, settled = await self._small(page, [*lead, *places])
        moments = _moments(small, start)
        # What was not to be reached, or had no decoder, for a moment is looked at again by the next search.
        if settled and page.decoder.settled and start + BLOCK_US <= self._clock.now_us() - SETTLED_US:
            await self._in_thread(lambda: self._kept.put(ask.channel, ask.quality, start, mark, moments))
        return moments

    async def _small(self, page: _Page, places: Sequence[KeyPlace]) -> tuple[list[tuple[int, Small | None]], bool]:
        """Each key frame small, and whether all of them could be read; what follows is read while what was read is
        decoded."""
        found: list[tuple[int, Small | None]] = []
        all_read = True
        batches = [places[number : number + BATCH] for number in range(0, len(places), BATCH)]
        reading = asyncio.ensure_future(self._load(page.ask, batches[0]))
        try:
            for number, batch in enumerate(batches):
                units = await reading
                if number + 1 < len(batches):
                    reading = asyncio.ensure_future(self._load(page.ask, batches[number + 1]))
                all_read = all_read and None not in units
                small = iter(await page.decoder.small([one for one in units if one is not None]))
                found += [
                    (place.at, None if unit is None else next(small)) for place, unit in zip(batch, units, strict=True)
                ]
        finally:
            reading.cancel()
            # What goes wrong with pictures that nobody wants any more is not told instead of why nobody does.
            await asyncio.gather(reading, return_exceptions=True)
        return found, all_read

    async def _load(self, ask: SearchMovement, places: Sequence[KeyPlace]) -> list[Unit | None]:
        def load(keys: KeyFrames) -> list[Unit | None]:
            found: list[Unit | None] = []
            for place in places:
                try:
                    found.append(keys.load(place))
                except SafecityError:  # deleted or damaged since the index was read, or the volume is away
                    found.append(None)
            return found

        return await self._with_keys(ask, load)

    # --------------------------------------------------------------------------------------------------------------

    def _decoder_died(self, ask: SearchMovement, status: str) -> None:
        logger.warning("decoder died of recorded pictures channel=%s status=%s", ask.channel, status)
        now = self._clock.now_us()
        if now - self._told.get(ask.channel, 0) >= TOLD_AGAIN_US:
            self._told[ask.channel] = now
            self._died(ask.channel, ask.quality, status)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _with_keys(self, ask: SearchMovement, work: Callable[[KeyFrames], Any]) -> Any:
        return await self._in_thread(lambda: work(self._keys_of(ask.volumes)))

    def _keys_of(self, volumes: Sequence[str]) -> KeyFrames:
        wanted = tuple(volumes)
        if self._keys is None or self._keys[0] != wanted:
            self._close_keys()
            self._keys = wanted, self._open([Path(one) for one in wanted])
        return self._keys[1]

    def _close_keys(self) -> None:
        if self._keys is not None:
            self._keys[1].close()
            self._keys = None


def _judge(ask: SearchMovement) -> Judge:
    if not 0 <= ask.start < ask.end <= ask.start + MAX_MOVEMENT_SPAN_US:
        longest = MAX_MOVEMENT_SPAN_US // 3_600_000_000
        raise InvalidError("not a range", code="range_invalid", params={"longest_hours": longest})
    regions = [Region(*one) for one in ask.regions]
    if not 0 < len(regions) <= MAX_MOVEMENT_REGIONS or not all(
        0 <= one.left < one.right <= 1 and 0 <= one.top < one.bottom <= 1 for one in regions
    ):
        raise InvalidError("not rectangles", code="region_invalid", params={"limit": MAX_MOVEMENT_REGIONS})
    sensitivity = SENSITIVITIES.get(ask.sensitivity)
    if sensitivity is None:
        choices = "|".join(SENSITIVITIES)
        raise InvalidError("sensitivity", code="choice", params={"field": "sensitivity", "choices": choices})
    return Judge(cells_of(regions), sensitivity, ask.start, ask.end)


def _mark(places: Sequence[KeyPlace]) -> str:
    return sha256("\n".join(one.mark for one in places).encode()).hexdigest()


def _moments(small: Sequence[tuple[int, Small | None]], start: int) -> list[Moment]:
    """Each compared with the one before it that could be read; those before `start` serve that alone."""
    found: list[Moment] = []
    before: tuple[int, Small] | None = None
    for at, picture in small:
        if picture is None:
            found.append(Moment(at, UNREADABLE))
            continue
        if before is None or at - before[0] > APART_US:
            found.append(Moment(at, FIRST))
        else:
            found.append(Moment(at, COMPARED, before[0], compare(before[1], picture)))
        before = at, picture
    return [one for one in found if one.at >= start]


def _seen(find: Find, precise: bool) -> MovementSeen:
    box = find.box
    return MovementSeen(
        find.start, find.end, find.peak, round(find.strength, 4),
        (round(box[0], 4), round(box[1], 4), round(box[2], 4), round(box[3], 4)), find.everywhere, precise,
    )  # fmt: skip
