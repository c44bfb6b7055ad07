"""All of a vehicle around its plate: what moves there, as far as one vehicle reaches. Pure, on arrays.

From the plate it goes aside as long as most of a low band moves, then up and down as long as most of that width does:
who walks before a car and who drives behind it is joined to it, but seldom fills its width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safecity.vision.enforcement.judge import Box
from safecity.vision.enforcement.watching import vehicle_box

DETECTOR, MOVEMENT, PLATE = "detector", "movement", "plate"
"""What a box was found by: the user's own detector, what moves, or the plate's size alone (an estimate)."""
_ASIDE, _ABOVE, _BELOW = 3.2, 6.5, 1.3
"""Plate widths from the plate's middle that a vehicle reaches: a bus is as high as that."""
_FILLED: Final = 0.45
_LEAST: Final = 1.2
Corners = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Body:
    """Where a vehicle is in a picture, as shares of it, and what says so."""

    box: Box
    found_by: str


def body_of(corners: Corners, others: Sequence[Corners], moving: NDArray[np.bool_], size: tuple[int, int]) -> Body:
    """`corners` of the plate and `others` of those beside it, in pixels of a picture of `size`; `moving`: a smaller
    picture of where something moves. Vehicles side by side move as one: between two plates each has its half."""
    guess = Body(vehicle_box(corners, size), PLATE)
    high, wide = moving.shape
    to_x, to_y = wide / size[0], high / size[1]
    x, y, plate = _plate(corners, to_x, to_y)
    low = moving[max(round(y - 0.5 * plate), 0) : max(round(y + 0.3 * plate), 0) + 1]
    behind_it = low[:, max(round(x - 0.4 * plate), 0) : max(round(x + 0.4 * plate), 0) + 1]
    if behind_it.size == 0 or behind_it.mean() < _FILLED:
        return guess
    least, most = x - _ASIDE * plate, x + _ASIDE * plate
    for other in others:
        there_x, there_y, its = _plate(other, to_x, to_y)
        if abs(there_y - y) < 2 * plate and abs(there_x - x) > 0.5 * plate:
            middle = (there_x * plate + x * its) / (plate + its)
            least, most = (max(least, middle), most) if there_x < x else (least, min(most, middle))
    across = low.mean(0) >= _FILLED
    left = _reach(across, x, -1, least, 0.25 * plate)
    right = _reach(across, x, 1, most, 0.25 * plate) + 1
    filled = moving[:, left:right].mean(1) >= _FILLED
    top = _reach(filled, y, -1, y - _ABOVE * plate, 0.4 * plate)
    bottom = _reach(filled, y, 1, y + _BELOW * plate, 0.4 * plate) + 1
    if right - left < _LEAST * plate or bottom - top < _LEAST * plate:
        return guess
    return Body((left / wide, top / high, right / wide, bottom / high), MOVEMENT)


def _reach(good: NDArray[np.bool_], start: float, step: int, limit: float, gap: float) -> int:
    """The last good place on the way from `start` to `limit`, over gaps of at most `gap`."""
    at = found = min(max(round(start), 0), len(good) - 1)
    while 0 <= at < len(good) and (at - limit) * step <= 0 and abs(at - found) <= max(gap, 1.0) + 1:
        if good[at]:
            found = at
        at += step
    return found


def _plate(corners: Corners, to_x: float, to_y: float) -> tuple[float, float, float]:
    """Its middle and its width, in the smaller picture."""
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return sum(xs) / len(xs) * to_x, sum(ys) / len(ys) * to_y, max((max(xs) - min(xs)) * to_x, 1.0)
