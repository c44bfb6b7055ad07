"""How fast a vehicle drove, out of where its plate was in the pictures of a camera whose road is measured: an estimate
with its standard uncertainty. Pure.

The road's plane is brought to metres by the homography of a rectangle on it (R. Hartley and A. Zisserman, Multiple View
Geometry, 2.3); a straight line at an even speed is fitted to where the plate seems to be on it, each look weighted by
what a pixel is worth there and Huber's weights against those that do not belong (P. J. Huber, 1964). A point at a
height h above the road is seen on it H/(H - h) times as far from below the camera, hence as much faster: that is taken
out for a plate of usual height. Uncertainties are put together as JCGM 100 (GUM), clause 5, does: from the looks, the
time of the pictures, the drawing and its measures, the heights of the plate and of the camera.

Not known here, and in no uncertainty: a lens that bends lines, a road that is not flat, a camera that trembles in the
wind, a rectangle that was measured wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safecity.vision.enforcement.calibration import Calibration

PLATE_HEIGHT_M: Final = 0.6
PLATE_HEIGHT_OFF_M: Final = 0.2
"""Of a plate's middle above the road, and how far it is mostly off that: cars, buses and lorries."""
CAMERA_HEIGHT_OFF: Final = 0.05
MEASURED_OFF: Final = 0.01
"""Shares of the camera's height and of the rectangle's sides, as people measure them."""
DRAWN_OFF: Final = 0.0015
"""Of the picture's width: how far a corner is drawn from where it lies."""
PLATE_OFF_PIXELS: Final = 0.7
PLATE_OFF: Final = 0.015
"""How far the middle of a plate is found from where it is: pixels, and of its width."""
TIME_OFF_SECONDS: Final = 0.02
"""Of the times of single pictures: a camera's pictures come by a network."""
AROUND_SECONDS: Final = 3.0
"""Looks that count, before and after the one that is nearest: who waits at a light has no one speed."""
UNEVEN: Final = 3.0
"""So many times further than expected half of the looks lie off the line of who brakes or speeds up: no one speed
either."""
LEAST_LOOKS: Final = 4
LEAST_WAY_M: Final = 3.0
WORTHLESS: Final = 0.25
"""Of the speed: who is less sure says nothing."""
MOST_KMH: Final = 300.0
_HUBER: Final = 1.5
_ROUNDS: Final = 8
_KMH: Final = 3.6

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Speed:
    """`kmh` and its standard uncertainty (one sigma; twice of it holds 19 of 20), from how many looks, over how many
    metres of road."""

    kmh: float
    uncertainty_kmh: float
    looks: int
    metres: float


def spot_speed(
    calibration: Calibration, way: Sequence[tuple[float, NDArray[Any]]], size: tuple[int, int]
) -> Speed | None:
    """`way`: moments in seconds and the plate's corners (4 x 2, pixels) in a picture of this `size` (width, height).

    None where the looks do not tell: too few, too short a way, an uneven speed, beyond the horizon, or an uncertainty
    of a quarter.
    """
    if len(way) < LEAST_LOOKS:
        return None
    seconds: Numbers = np.array([at for at, _ in way], np.float64)
    plates: Numbers = np.array([corners for _, corners in way], np.float64)
    places = plates.mean(1)
    widths = np.hypot(*(plates[:, 1] - plates[:, 0]).T)
    corners = np.array(calibration.corners) * size
    road = np.array(calibration.on_road)
    move = homography(corners, road)
    # The line that is seen as the horizon is where the third coordinate vanishes; the rectangle lies this side of it.
    depth = _depth(move, places)
    here = (depth > 0.02 * _depth(move, corners).max()) & np.isfinite(places).all(1) & np.isfinite(seconds)
    if not here.any():
        return None
    here &= np.abs(seconds - seconds[np.argmax(np.where(here, widths, 0))]) <= AROUND_SECONDS
    if here.sum() < LEAST_LOOKS:
        return None
    seconds, places, widths = seconds[here] - seconds[here].mean(), places[here], widths[here]
    off = np.hypot(PLATE_OFF_PIXELS, PLATE_OFF * widths)
    fitted = _fitted(move, seconds, places, off)
    if fitted is None:
        return None
    velocity, covariance, weights = fitted
    seen = float(np.hypot(*velocity))
    metres = seen * float(np.ptp(seconds))
    height = calibration.camera_height_m
    lower = 1 - PLATE_HEIGHT_M / height
    if seen <= 0 or metres * lower < LEAST_WAY_M:
        return None
    ahead = velocity / seen
    parts = [
        float(np.sqrt(ahead @ covariance @ ahead)) / seen,
        PLATE_HEIGHT_OFF_M / (height - PLATE_HEIGHT_M),
        CAMERA_HEIGHT_OFF * PLATE_HEIGHT_M / (height - PLATE_HEIGHT_M),
        *_by_drawing(corners, road, DRAWN_OFF * size[0], seconds, places, weights, seen),
    ]
    kmh = seen * lower * _KMH
    share = float(np.hypot.reduce(parts))
    if not np.isfinite(share) or share > WORTHLESS or kmh > MOST_KMH:
        return None
    return Speed(round(kmh, 1), round(max(share * kmh, 0.1), 1), int(here.sum()), round(metres * lower, 1))


def homography(picture: Numbers, road: Numbers) -> Numbers:
    """3 x 3, from four points of the picture to four of the road; its third coordinate is positive between them."""
    middle = picture.mean(0)  # in the rectangle, hence on the road: there the scale can be set to 1
    x, y, u, v, one, no = *(picture - middle).T, *road.T, np.ones(4), np.zeros(4)
    of_u, of_v = (x, y, one, no, no, no, -u * x, -u * y), (no, no, no, x, y, one, -v * x, -v * y)
    rows = np.concatenate((np.column_stack(of_u), np.column_stack(of_v)))
    found = np.append(np.linalg.solve(rows, np.concatenate((u, v))), 1.0).reshape(3, 3)
    found[:, 2] -= found[:, :2] @ middle
    return found


def on_road(move: Numbers, places: Numbers) -> Numbers:
    """Places of the picture (n x 2) on the road."""
    moved = np.column_stack((places, np.ones(len(places)))) @ move.T
    return moved[:, :2] / moved[:, 2:]


def _depth(move: Numbers, places: Numbers) -> Numbers:
    return np.column_stack((places, np.ones(len(places)))) @ move[2]


def _worth(move: Numbers, places: Numbers) -> Numbers:
    """What a pixel is worth on the road at each place: n x 2 x 2, metres."""
    depth, there = _depth(move, places), on_road(move, places)
    return (move[None, :2, :2] - there[:, :, None] * move[None, 2:, :2]) / depth[:, None, None]


def _fitted(move: Numbers, seconds: Numbers, places: Numbers, off: Numbers) -> tuple[Numbers, Numbers, Numbers] | None:
    """Metres a second (2), its covariance (2 x 2), and the weights of the looks (n x 2 x 2); None where time
    stood, or the speed is uneven."""
    there, worth = on_road(move, places), _worth(move, places)
    if np.ptp(seconds) <= 0:
        return None
    by_place = worth @ worth.transpose(0, 2, 1) * (off**2)[:, None, None]
    velocity: Numbers = (there[-1] - there[0]) / (seconds[-1] - seconds[0])
    doubt, far, weights, spread = np.ones(len(seconds)), np.zeros(len(seconds)), by_place, np.eye(4)
    for _ in range(_ROUNDS):
        by_time = np.outer(velocity, velocity) * TIME_OFF_SECONDS**2
        certain = _inverse(by_place + by_time + 1e-9 * np.eye(2))
        weights = certain * doubt[:, None, None]
        line, spread = _line(seconds, there, weights)
        left = there - line[:2] - seconds[:, None] * line[2:]
        far = np.sqrt(np.maximum((left[:, None] @ certain @ left[:, :, None])[:, 0, 0], 0) / 2)
        doubt = np.minimum(1.0, _HUBER / np.maximum(far, 1e-9))
        velocity = line[2:]
    # Looks that agree less than they should make the whole less sure; that few agree better proves nothing.
    free = max(2 * len(seconds) - 4, 1)
    scale = max(1.0, float((doubt * far**2).sum() * 2 / free))
    return None if np.median(far) > UNEVEN else (velocity, spread[2:, 2:] * scale, weights)


def _line(seconds: Numbers, there: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Place at time 0 and velocity (4) by weighted least squares, and their covariance."""
    given = np.zeros((len(seconds), 2, 4))
    given[:, 0, 0] = given[:, 1, 1] = 1
    given[:, 0, 2] = given[:, 1, 3] = seconds
    across = given.transpose(0, 2, 1) @ weights
    spread = _inverse((across @ given).sum(0))
    return spread @ (across @ there[:, :, None]).sum(0)[:, 0], spread


def _inverse(of: Numbers) -> Numbers:
    return np.asarray(np.linalg.inv(of), np.float64)


def _by_drawing(
    corners: Numbers, road: Numbers, off: float, seconds: Numbers, places: Numbers, weights: Numbers, seen: float
) -> list[float]:
    """By which share the speed changes with each corner that is drawn off, and each side that is measured wrong."""

    def share(picture: Numbers, ground: Numbers) -> float:
        line, _ = _line(seconds, on_road(homography(picture, ground), places), weights)
        return float(np.hypot(*line[2:])) / seen - 1

    found: list[float] = []
    for place in range(4):
        for axis in range(2):
            moved = corners.copy()
            moved[place, axis] += off
            found.append(share(moved, road))
    return found + [share(corners, road * scale) for scale in ([1 + MEASURED_OFF, 1], [1, 1 + MEASURED_OFF])]
