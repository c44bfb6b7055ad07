"""What all pictures between key frames say of a find: whether anything moved there, and from when to when. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safecity.vision.movement.maps import Sensitivity, compare

REACH_US: Final = 400_000
"""Each picture is held against the newest one that is so much older: between neighbours who walks hardly moves."""
SUCCESSIVE: Final = 2
"""Pictures in a row that must show movement: one alone is a damaged picture, or an insect before the lens."""
APART_US: Final = 2_000_000
"""Pictures farther apart are not compared: what lies between was not looked at, or not recorded."""


@dataclass
class Closely:
    """Takes pictures in order of time, and knows when something moved in `cells` (shape (ROWS, COLUMNS)).

    begin, end   microseconds UTC of the first and the last picture that show movement; None before there is any. The
                 end may be late by `REACH_US`: who has gone is still missing where they were.
    """

    cells: NDArray[np.bool_]
    sensitivity: Sensitivity
    begin: int | None = None
    end: int | None = None
    _before: deque[tuple[int, NDArray[np.uint8]]] = field(default_factory=deque[tuple[int, NDArray[np.uint8]]])
    _row: list[int] = field(default_factory=list[int])

    def take(self, at: int, small: NDArray[np.uint8]) -> None:
        """The next picture, grey, shape (HEIGHT, WIDTH)."""
        if self._before and not 0 < at - self._before[-1][0] <= APART_US:
            self.skip()
        while len(self._before) > 1 and at - self._before[1][0] >= REACH_US:
            self._before.popleft()
        if self._before and at - self._before[0][0] >= REACH_US:
            self._judge(at, self._before[0][1], small)
        self._before.append((at, small))

    def skip(self) -> None:
        """What comes next does not follow on what came."""
        self._before.clear()
        self._row.clear()

    def _judge(self, at: int, before: NDArray[np.uint8], small: NDArray[np.uint8]) -> None:
        heat = compare(before, small)
        moved = np.where(self.cells & (heat >= self.sensitivity.cell), heat, 0)
        if int(moved.sum()) < self.sensitivity.points:
            self._row.clear()
            return
        self._row.append(at)
        if len(self._row) >= SUCCESSIVE:
            if self.begin is None:
                self.begin = self._row[0]
            self.end = at
