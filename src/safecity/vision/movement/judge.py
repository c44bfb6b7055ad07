"""From heat maps to finds: when something moved in the searched part of the picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safecity.vision.movement.maps import COLUMNS, COMPARED, EVERYWHERE, POINTS, ROWS, UNREADABLE, Moment, Sensitivity

JOIN_US = 10_000_000
"""Movement after a shorter rest is the same."""
MAX_HITS = 200
"""Of one page."""


@dataclass(slots=True, eq=False)
class Find:
    """Something moved after `start` and before `end` (microseconds UTC, key frames both).

    peak        when most moved; `strength` share of the searched points that moved then
    box         what of the searched part moved meanwhile: left, top, right, bottom in shares of the picture
    everywhere  the picture as a whole changed at the peak: the camera turned, a light was switched
    """

    start: int
    end: int
    peak: int
    strength: float
    everywhere: bool
    cells: NDArray[np.bool_]

    @property
    def box(self) -> tuple[float, float, float, float]:
        rows, columns = np.flatnonzero(self.cells.any(axis=1)), np.flatnonzero(self.cells.any(axis=0))
        return (
            float(columns[0]) / COLUMNS, float(rows[0]) / ROWS,
            float(columns[-1] + 1) / COLUMNS, float(rows[-1] + 1) / ROWS,
        )  # fmt: skip


@dataclass
class Judge:
    """Takes key frames in order of time; those before `start` and from `end` on are left alone.

    `step_us` is the longest time between two that were compared: who came and went within it may not be seen.
    """

    cells: NDArray[np.bool_]
    sensitivity: Sensitivity
    start: int
    end: int
    finds: list[Find] = field(default_factory=list[Find])
    looked: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])
    """When, and whether it could be read."""
    step_us: int = 0

    def take(self, moments: Iterable[Moment]) -> None:
        """The next ones."""
        for one in moments:
            if self.start <= one.at < self.end:
                self.looked.append((one.at, one.state != UNREADABLE))
                if one.state == COMPARED and one.heat is not None:
                    self.step_us = max(self.step_us, one.at - one.before)
                    self._judge(one, np.where(self.cells & (one.heat >= self.sensitivity.cell), one.heat, 0))

    def _judge(self, moment: Moment, moved: NDArray[np.uint8]) -> None:
        points = int(moved.sum())
        if points < self.sensitivity.points or moment.heat is None:
            return
        strength = points / (POINTS * int(self.cells.sum()))
        everywhere = bool((moment.heat > 0).mean() > EVERYWHERE)
        last = self.finds[-1] if self.finds else None
        if last is None or moment.before - last.end > JOIN_US:
            start = max(moment.before, self.start)
            self.finds.append(Find(start, moment.at, moment.at, strength, everywhere, moved > 0))
            return
        last.end = moment.at
        last.cells = last.cells | (moved > 0)
        if strength > last.strength:
            last.peak, last.strength, last.everywhere = moment.at, strength, everywhere

    def close(self, until: int) -> int:
        """All up to `until` is judged; answers where the next page is to begin. A find that may go on behind it is left
        to that page whole, unless it fills this one."""
        last = self.finds[-1] if self.finds else None
        if until >= self.end or last is None or until - last.end > JOIN_US or last.start <= self.start:
            return min(until, self.end)
        return self.leave(last)

    def leave(self, find: Find) -> int:
        """That find and what comes after it are for the next page; answers where it is to begin."""
        self.finds = self.finds[: self.finds.index(find)]
        self.looked = [one for one in self.looked if one[0] <= find.start]
        return find.start + 1
