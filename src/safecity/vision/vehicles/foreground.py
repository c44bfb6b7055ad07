"""What moves before a fixed camera, as boxes: a background that is learnt, shadows left out.

Gaussian mixtures by point (Zivkovic, 2004) on a small copy of the picture. Looks come at any distance in time, so the
background learns by time and not by picture: what stands still for eight seconds belongs to it. Slower, a real camera
that sways and opens its iris shows movement all over.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.clock import SECOND_US

Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""
WIDTH: Final = 256
"""What pictures are shrunk to; a vehicle a tenth as wide as the picture is still 25 points wide."""
LEARNT_US: Final = 80 * SECOND_US
"""A point counts as background once it was the same for a tenth of that."""
APART: Final = 16.0
"""Squared standard deviations from a point's background."""
CONTRAST, MOST_GAIN = 150.0, 3.0
"""Grey levels between the darkest and the brightest twentieth that a picture is brought to, and by how much at most:
night, rain and haze leave few between a vehicle and the road."""
FORGETS: Final = 0.02
"""Of what the light was, with each look: when a camera opens its iris, all moves alike, and that is no motion."""
LEAST_SHARE: Final = 0.0015
"""Of the picture: what is smaller is a leaf, or too far away."""
EVERYWHERE: Final = 0.6
"""So much of the picture does not drive: a light was switched, the camera turned. It is learnt anew."""
_SEEN, _SHADOW_BY = 255, 0.6
_LEVELS = np.arange(256, dtype=np.float32)[:, None]


@dataclass(frozen=True, slots=True)
class Moving:
    """Where something moves in a picture: `mask` of the small one, and the boxes of what is large enough, the largest
    first."""

    mask: NDArray[np.bool_]
    boxes: tuple[Box, ...] = ()


class Foreground:
    """Pictures of one camera, of one size, in order of time."""

    def __init__(self) -> None:
        self._model: Any = cv2.createBackgroundSubtractorMOG2(history=500, varThreshold=APART, detectShadows=True)
        self._model.setShadowThreshold(_SHADOW_BY)
        self._last: int | None = None
        self._usual: NDArray[np.float32] | None = None
        self._gain = 1.0

    def look(self, at: int, picture: Picture) -> Moving:
        """The next picture; `at` in microseconds."""
        height = max(round(picture.shape[0] * WIDTH / picture.shape[1]), 1)
        if picture.shape[1] > 4 * WIDTH:  # averaging all of a large picture costs more than all the rest
            picture = np.asarray(
                cv2.resize(picture, (2 * WIDTH, 2 * height), interpolation=cv2.INTER_NEAREST), np.uint8
            )
        small = self._steady(cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA))
        first, passed = self._last is None, at - (self._last if self._last is not None else at)
        self._last = at
        seen: Any = self._model.apply(small, learningRate=1.0 if first else 1 - exp(-max(passed, 0) / LEARNT_US))
        moving = (seen == _SEEN).astype(np.uint8)
        if first or float(moving.mean()) > EVERYWHERE:
            if not first:
                self._model.apply(small, learningRate=1.0)
            return Moving(np.zeros((height, WIDTH), np.bool_))
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        # A windscreen as grey as the road parts roof and bonnet: what is a little apart, one above the other, is one.
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(moving, connectivity=8)
        areas = stats[1:, 4]
        order = np.argsort(-areas, kind="stable")
        large: list[list[int]] = stats[1:][order[areas[order] >= LEAST_SHARE * moving.size]].tolist()
        boxes = tuple(
            (left / WIDTH, top / height, (left + wide) / WIDTH, (top + high) / height)
            for left, top, wide, high, _ in large
        )
        return Moving(moving.astype(np.bool_), boxes)

    def _steady(self, small: Any) -> Picture:
        """The small picture without what the light does to all of it, and with the contrast of a clear day."""
        soft = np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.uint8)
        few: NDArray[np.float32] = soft[::4, ::4].astype(np.float32)
        low, high = (float(one) for one in np.percentile(few, (5, 95)))
        gain = min(max(CONTRAST / max(high - low, 1.0), 1.0), MOST_GAIN)
        if self._usual is None or self._usual.shape != few.shape:
            self._usual, self._gain = few.copy(), gain
        drift: NDArray[np.float32] = np.median(few - self._usual, axis=(0, 1)).astype(np.float32)
        self._usual += np.float32(FORGETS) * (few - self._usual)
        self._gain += FORGETS * (gain - self._gain)
        middle = np.float32(128)
        level: NDArray[np.float32] = (_LEVELS - drift - middle) * np.float32(self._gain) + middle
        table = np.clip(level, 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(soft, table.reshape(1, 256, 3)), np.uint8)
