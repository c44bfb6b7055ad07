"""Where plates are: for every 8 x 8 pixels, whether a plate's middle is there, and where its corners are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import dist
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.ports.inference import Network
from safecity.vision.arrays import array, tensor
from safecity.vision.plates.straighten import Corners, Picture

CELL = 8
_STEP = 16  # sides of the network's picture are multiples of it


class Closer(NamedTuple):
    """A closer look: a plate is shown `plate` pixels wide, in the middle of a view so wide and so high. What is scored
    below `least` is dropped: by this look `alone`, or by the best look so far."""

    plate: int
    wide: int
    high: int
    least: float
    alone: bool = False


WELL = (Closer(96, 192, 96, 0.5), Closer(96, 192, 96, 0.6))
QUICKLY = (Closer(64, 128, 64, 0.5, alone=True), Closer(80, 160, 80, 0.6))
"""The two closer looks of stills and of films. Those of films take a half of the time, and what the first one does not
see is no plate: there will be another frame. Corners are a little less good, which films make up for by voting; views
with less around the plate make them worse than that."""
_COVERED = 0.5
_MOST_CELLS = 200  # of one picture, the surest
_PLAIN, _NOT_FAR = 0.95, 0.05  # as sure at first sight, as wide in the picture: nothing larger is looked for
_ROOMY = 2.0  # times the copy's size: a picture that is larger was taken to show more than one vehicle
_SEEN = 0.3  # by a closer look
_SMALLEST, _LARGEST = 12.0, 220.0  # pixels of a plate's width in the network's picture that are believed


@dataclass(frozen=True, slots=True)
class Found:
    """A plate's corners in the picture's pixels (as it is read: top left first, clockwise), and how sure."""

    corners: Corners
    score: float

    @property
    def width(self) -> float:
        """Mean length of its upper and lower edge."""
        return _mean_length(self.corners[[1, 2]] - self.corners[[0, 3]])

    @property
    def height(self) -> float:
        """Mean length of its sides."""
        return _mean_length(self.corners[[3, 2]] - self.corners[[0, 1]])

    @property
    def tilt_degrees(self) -> float:
        """How far the plate is turned in the picture, clockwise."""
        along = (self.corners[1] - self.corners[0]) + (self.corners[2] - self.corners[3])
        return float(np.degrees(np.arctan2(along[1], along[0])))


def _mean_length(ways: NDArray[np.float32]) -> float:
    first, second = np.hypot(ways[:, 0], ways[:, 1])
    return float(first + second) / 2


class Locator:
    """Finds plates in pictures of any size."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.info = network.info

    def find(
        self, picture: Picture, long_sides: Sequence[int], least: float, closer: tuple[Closer, Closer] = WELL,
        but: Callable[[Found, bool], bool] | None = None,
    ) -> list[Found]:  # fmt: skip
        """Plates scored `least` or more, best first, looked for in copies of these sizes, then looked at closely.
        `but`: those that are left out, with whatever a later look finds in their place; asked with True of corners that
        are rough, before the closer looks, and with False after the first one.

        Sizes go from large to small. A smaller copy is for plates that are too large in the one before, and is left
        out where one is plain to see there, unless the picture is so much larger that it has room for others.
        """
        found: list[Found] = []
        halves = _Halves(picture)
        for side in long_sides:
            found += self._look(halves, side, least)
            plain = any(one.score >= _PLAIN and one.width >= _NOT_FAR * max(halves.size) for one in found)
            if plain and max(halves.size) <= _ROOMY * side:
                break
        found, left_out = _distinct(found), list[Found]()
        for look, rough in zip(closer, (True, False), strict=True):
            left: list[Found] = []
            for one in found:
                (left_out if but is not None and but(one, rough) else left).append(one)
            found = _elsewhere(self._closer(halves, left, look), left_out)
        return [one for one in found if one.score >= least]

    def _look(self, halves: _Halves, long_side: int, least: float) -> list[Found]:
        height, width = halves.size
        scale = min(long_side / max(height, width), 4.0)
        wide, high = max(round(width * scale), 8), max(round(height * scale), 8)
        near, _ = halves.near(scale)
        canvas = np.zeros((-(-high // _STEP) * _STEP, -(-wide // _STEP) * _STEP, 3), np.uint8)
        canvas[:high, :wide] = cv2.resize(near, (wide, high), interpolation=cv2.INTER_LINEAR)
        scores, corners = self._run([canvas])
        return [Found((one.corners / scale).astype(np.float32), one.score) for one in _peaks(scores, corners, least)[0]]

    def _closer(self, halves: _Halves, found: list[Found], look: Closer) -> list[Found]:
        """The same network on the plates alone: in a size that it knows well its corners come out much finer."""
        if not found:
            return []
        size, middle = (look.wide, look.high), (look.wide / 2, look.high / 2)
        moves: list[NDArray[np.float64]] = []
        views: list[Picture] = []
        for one in found:
            scale = min(look.plate / max(one.width, 4.0), size[1] * 0.75 / max(one.height, 1.0))
            shift = np.array(middle) - one.corners.mean(0) * scale
            moves.append(np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]))
            views.append(_view(halves, moves[-1], size))
        scores, corners = self._run(views)
        refined: list[Found] = []
        for one, move, peaks in zip(found, moves, _peaks(scores, corners, _SEEN), strict=True):
            near = [seen for seen in peaks if dist(seen.corners.mean(0).tolist(), middle) < look.plate / 3]
            sure = near[0].score if near else 0.0
            if (sure if look.alone else max(sure, one.score)) < look.least:
                continue
            if near:
                one = Found(((near[0].corners - move[:, 2]) / move[0, 0]).astype(np.float32), max(one.score, sure))
            refined.append(one)
        return _distinct(refined)

    def _run(self, pictures: Sequence[Picture]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        given = np.empty((len(pictures), 3, *pictures[0].shape[:2]), np.float32)
        for picture, channels in zip(pictures, given, strict=True):
            _show(picture, channels)
        answer = self._network.run({"pictures": tensor(given)})
        scores = 1 / (1 + np.exp(-array(answer["scores"])[:, 0]))
        return scores.astype(np.float32), array(answer["corners"])


def _show(picture: Picture, channels: NDArray[np.float32]) -> None:
    """The picture as the network was taught to take it, -1 to 1: in half the time of a table, and a twentieth of that
    of OpenCV's blobFromImages."""
    for plane, channel in zip(cv2.split(picture), channels, strict=True):
        cv2.addWeighted(plane, 1 / 128, plane, 0, -1, dst=channel, dtype=cv2.CV_32F)


class _Halves:
    """A picture, and it in half the size, in a quarter, ...: made when asked for, each out of the one before."""

    def __init__(self, picture: Picture) -> None:
        self._pictures = [picture]
        self.size = picture.shape[:2]

    def near(self, scale: float) -> tuple[Picture, tuple[float, float]]:
        """The smallest that is no smaller than the picture at this scale, hence without flicker when it is made
        so, and how much smaller than the picture it is, in x and y."""
        level = 0
        while scale * 2 ** (level + 1) <= 1 and min(self._at(level).shape[:2]) > 1:
            level += 1
        near = self._at(level)
        return near, (near.shape[1] / self.size[1], near.shape[0] / self.size[0])

    def _at(self, level: int) -> Picture:
        while len(self._pictures) <= level:
            last = self._pictures[-1]
            size = (max(last.shape[1] // 2, 1), max(last.shape[0] // 2, 1))
            half = cv2.resize(last, size, interpolation=cv2.INTER_AREA)
            self._pictures.append(half.astype(np.uint8, copy=False))
        return self._pictures[level]


def _view(halves: _Halves, move: NDArray[np.float64], size: tuple[int, int]) -> Picture:
    """The part of the picture that `move` (its scale, no turn) shows, so many pixels wide and high."""
    near, (x, y) = halves.near(float(move[0, 0]))
    from_near = move / np.array([x, y, 1.0])
    return cv2.warpAffine(near, from_near, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.uint8, copy=False
    )


def _peaks(scores: NDArray[np.float32], offsets: NDArray[np.float32], least: float) -> list[list[Found]]:
    """For each picture groups of cells that mean the same plate, their corners averaged by how sure each is; the surest
    group first."""
    which, rows, columns = np.nonzero(scores > least)
    found: list[list[Found]] = [[] for _ in scores]
    if len(which) == 0:
        return found
    sure = scores[which, rows, columns]
    middles = np.stack((columns * CELL + CELL / 2, rows * CELL + CELL / 2), -1)
    quads = offsets[which, :, rows, columns].reshape(-1, 4, 2) * CELL + middles[:, None]
    centres = quads.mean(1)
    widths = np.hypot(*(quads[:, 1] - quads[:, 0]).T)
    heights = np.hypot(*(quads[:, 3] - quads[:, 0]).T)
    reaches = 0.5 * np.maximum(widths, heights)
    fine = (widths > _SMALLEST) & (widths < _LARGEST) & (heights > 3) & (heights < widths * 1.2)
    for picture, told in enumerate(found):
        cells = np.flatnonzero(fine & (which == picture))
        left = cells[np.argsort(-sure[cells], kind="stable")[:_MOST_CELLS]]
        while len(left):
            best = left[0]
            same = np.abs(centres[left] - centres[best]).max(1) < reaches[best]
            close = left[same & (sure[left] > sure[best] * 0.6)]
            weight = (sure[close] ** 2)[:, None, None]
            corners = (quads[close] * weight).sum(0) / weight.sum(0)
            told.append(Found(corners.astype(np.float32), float(sure[best])))
            left = left[~same]
    return found


def _distinct(found: list[Found]) -> list[Found]:
    """One for each plate: of those that cover one another the surest."""
    ranked = sorted(found, key=lambda each: -each.score)
    if len(ranked) < 2:
        return ranked
    covered = _covered(ranked)
    kept: list[int] = []
    for place in range(len(ranked)):
        if not covered[place, kept].any():
            kept.append(place)
    return [ranked[place] for place in kept]


def _elsewhere(found: list[Found], others: Sequence[Found]) -> list[Found]:
    """Those that cover none of the others: two looks may come upon one plate."""
    if not found or not others:
        return found
    covered = _covered([*found, *others])
    return [one for place, one in enumerate(found) if not covered[place, len(found) :].any()]


def _covered(found: Sequence[Found]) -> NDArray[np.bool_]:
    """Of each two whether their middles lie within half of the larger one, along the second and across it: a lamp above
    a plate is none."""
    corners = np.stack([one.corners for one in found]).astype(np.float64)
    ahead, down = corners[:, [1, 2]] - corners[:, [0, 3]], corners[:, [3, 2]] - corners[:, [0, 1]]
    width, height = np.hypot(*ahead.T).mean(0), np.hypot(*down.T).mean(0)
    turn = np.arctan2(*ahead.sum(1)[:, ::-1].T)
    x, y = (corners.mean(1)[:, None] - corners.mean(1)).transpose(2, 0, 1)
    along, across = np.abs(x * np.cos(turn) + y * np.sin(turn)), np.abs(y * np.cos(turn) - x * np.sin(turn))
    return (along < _COVERED * np.maximum(width[:, None], width)) & (
        across < _COVERED * np.maximum(height[:, None], height)
    )
