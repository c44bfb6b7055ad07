"""The motion gate: whether anything moved since the last picture that was looked at. Costs a tenth of a millisecond.

Frame differencing on a small grey picture, as surveillance has done since the eighties (Jain and Nagel, 1979): a
street is empty most of the time, and what does not move was read already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 54
"""What a picture is shrunk to: a vehicle a tenth as wide as the picture still covers some 50 points."""


@dataclass(kw_only=True)
class MotionGate:
    """`pass_` says for one picture after another whether to look at it.

    step       grey levels that a point must differ by (sensor noise and a breathing encoder stay below)
    share      of the points that must differ
    at_least   look at every so many-th picture anyway: what crept in too slowly is found, too
    """

    step: int = 14
    share: float = 0.004
    at_least: int = 25

    def __post_init__(self) -> None:
        self._before: NDArray[np.int16] | None = None
        self._passed_over = 0

    def pass_(self, grey: NDArray[np.uint8]) -> bool:
        """`grey` of shape (HEIGHT, WIDTH)."""
        now = grey.astype(np.int16)
        before = self._before
        if before is None or before.shape != now.shape:
            self._before = now
            return True
        # A cloud before the sun or a camera that opens its iris moves all points alike: that is no motion.
        drift = int(np.median(now - before))
        moved = np.count_nonzero(np.abs(now - before - drift) > self.step)
        self._passed_over += 1
        if moved < self.share * now.size and self._passed_over < self.at_least:
            return False
        self._before = now
        self._passed_over = 0
        return True


def shrink(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Any grey picture to (HEIGHT, WIDTH), by points that lie evenly in it, each the mean of four neighbours."""
    height, width = grey.shape
    rows: NDArray[np.intp] = np.arange(HEIGHT) * max(height - 2, 0) // (HEIGHT - 1)
    columns: NDArray[np.intp] = np.arange(WIDTH) * max(width - 2, 0) // (WIDTH - 1)
    total = np.zeros((HEIGHT, WIDTH), np.uint16)
    for down in (0, 1):
        for right in (0, 1):
            total += grey[np.ix_(np.minimum(rows + down, height - 1), np.minimum(columns + right, width - 1))]
    return (total >> 2).astype(np.uint8)
