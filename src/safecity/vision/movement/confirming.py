"""Finds of heat maps looked at closely: all pictures at their beginning, until something moves, and at their end.

A find of minutes costs no more than a short one: once it is known that something moved, what lies between is passed
over up to the last key frames.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from safecity.kit.clock import Clock
from safecity.model.values.media import Unit
from safecity.ports.keyframes import KeyPlace
from safecity.vision.movement.closely import Closely
from safecity.vision.movement.decoder import KeyDecoder
from safecity.vision.movement.judge import Find, Judge
from safecity.vision.movement.maps import APART_US

READABLE = 0.9
"""Share of the pictures of a run that must be decoded for its silence to mean anything."""

Places = Callable[[int, int], Awaitable[Sequence[KeyPlace]]]
Pictures = Callable[[int, int], Awaitable[Sequence[Unit]]]
"""Of the footage that is searched, within [start, end)."""


class Verdict(Enum):
    """What came of looking closely."""

    MOVED = "moved"
    STILL = "still"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What is left of the finds of a page. `precise`: one for each, whether its begin and end are those of pictures;
    `dismissed`: how many were none; `left`: the first find that there was no time for."""

    finds: list[Find]
    precise: list[bool]
    dismissed: int
    left: Find | None


class Confirming:
    """Of one page: works until `until` (monotonic), and on one find at least."""

    def __init__(
        self, judge: Judge, decoder: KeyDecoder, places: Places, pictures: Pictures, clock: Clock, until: float
    ) -> None:
        self._judge = judge
        self._decoder = decoder
        self._places = places
        self._pictures = pictures
        self._clock = clock
        self._until = until

    async def look(self, finds: Sequence[Find]) -> Confirmed:
        """Each in order of time."""
        kept: list[Find] = []
        precise: list[bool] = []
        dismissed = 0
        for number, find in enumerate(finds):
            if number and self._clock.monotonic() >= self._until:
                return Confirmed(kept, precise, dismissed, find)
            verdict, exact = await self._one(find)
            if verdict is Verdict.STILL:
                dismissed += 1
                continue
            kept.append(exact)
            precise.append(verdict is Verdict.MOVED)
        return Confirmed(kept, precise, dismissed, None)

    async def _one(self, find: Find) -> tuple[Verdict, Find]:
        around = await self._places(find.start - APART_US, find.end + APART_US)
        first = max((number for number, one in enumerate(around) if one.at <= find.start), default=0)
        last = max((number for number, one in enumerate(around) if one.at <= find.end), default=-1)
        closely = Closely(self._judge.cells, self._judge.sensitivity)
        self._decoder.begin()
        number, whole, passed_over = first, last >= first, 0
        while number <= last:
            end = around[number + 1].at if number + 1 < len(around) else around[number].at + APART_US
            whole = await self._run(closely, around[number].at, end) and whole
            if closely.begin is None and self._clock.monotonic() >= self._until and number < last:
                return Verdict.UNDECIDED, find
            step = number + 1 if closely.begin is None else max(number + 1, last - 1)
            if step > number + 1:
                closely.skip()
                passed_over = around[step].at
            number = step
        if not whole:  # what is missing may be what began, or ended
            return Verdict.UNDECIDED, find
        if closely.begin is None or closely.end is None:
            return Verdict.STILL, find
        if closely.end < passed_over:  # what moved last is among what was not looked at
            return Verdict.UNDECIDED, find
        return Verdict.MOVED, _exactly(find, closely.begin, closely.end)

    async def _run(self, closely: Closely, start: int, end: int) -> bool:
        """Whether it could be read. Between two key frames a camera may have sent nothing, too."""
        units = await self._pictures(start, end)
        shown = await self._decoder.run(units) if units else None
        for at, small in shown or ():
            if self._judge.start <= at < self._judge.end:
                closely.take(at, small)
        return shown is not None and len(shown) >= READABLE * len(units)


def _exactly(find: Find, begin: int, end: int) -> Find:
    return replace(find, start=begin, end=max(end, begin + 1), peak=min(max(find.peak, begin), max(end, begin)))
