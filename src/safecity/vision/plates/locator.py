"""Where plates are: for every 8 x 8 pixels, whether a plate's middle is there, and where its corners are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.ports.inference import Network
from safecity.vision.arrays import array, tensor
from safecity.vision.plates.straighten import Corners, Picture

CELL = 8
_STEP = 16  # sides of the network's picture are multiples of it
WELL, QUICKLY = (96, 96), (64, 96)
"""Pixels of a plate's width in the two closer looks. A first one of 64 takes half the time; corners are then a little
less good, which films make up for by voting."""
_COVERED = 0.5
_FROM_BYTE = ((np.arange(256) - 128) / 128).astype(np.float32)  # -1 to 1, as the network was taught
_LIKELY, _LIKELIER = 0.5, 0.6  # of what one closer look says, and two: below, hardly anything is a plate
_PLAIN, _NOT_FAR = 0.95, 0.05  # as sure at first sight, as wide in the picture: nothing larger is looked for
_ROOMY = 2.0  # times the copy's size: a picture that is larger was taken to show more than one vehicle
_SMALLEST, _LARGEST = 12.0, 220.0  # pixels of a plate's width in the network's picture that are believed


@dataclass(frozen=True, slots=True)
class Found:
    """A plate's corners in the picture's pixels (as it is read: top left first, clockwise), and how sure."""

    corners: Corners
    score: float

    @property
    def width(self) -> float:
        """Mean length of its upper and lower edge."""
        c = self.corners
        return float(np.hypot(*(c[1] - c[0])) + np.hypot(*(c[2] - c[3]))) / 2

    @property
    def height(self) -> float:
        """Mean length of its sides."""
        c = self.corners
        return float(np.hypot(*(c[3] - c[0])) + np.hypot(*(c[2] - c[1]))) / 2

    @property
    def tilt_degrees(self) -> float:
        """How far the plate is turned in the picture, clockwise."""
        along = (self.corners[1] - self.corners[0]) + (self.corners[2] - self.corners[3])
        return float(np.degrees(np.arctan2(along[1], along[0])))


class Locator:
    """Finds plates in pictures of any size."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.info = network.info

    def find(
        self, picture: Picture, long_sides: Sequence[int], least: float, widths: tuple[int, int] = WELL
    ) -> list[Found]:
        """Plates scored `least` or more, best first, looked for in copies of these sizes, then looked at closely.

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
        for width, enough in zip(widths, (_LIKELY, _LIKELIER), strict=True):
            found = [one for one in self._closer(halves, _distinct(found), width) if one.score >= max(least, enough)]
        return found

    def _look(self, halves: _Halves, long_side: int, least: float) -> list[Found]:
        height, width = halves.size
        scale = min(long_side / max(height, width), 4.0)
        wide, high = max(round(width * scale), 8), max(round(height * scale), 8)
        canvas = np.zeros((-(-high // _STEP) * _STEP, -(-wide // _STEP) * _STEP, 3), np.uint8)
        near, _ = halves.near(scale)
        canvas[:high, :wide] = cv2.resize(near, (wide, high), interpolation=cv2.INTER_LINEAR)
        scores, corners = self._run(canvas[None])
        return [
            Found((one.corners / scale).astype(np.float32), one.score) for one in _peaks(scores[0], corners[0], least)
        ]

    def _closer(self, halves: _Halves, found: list[Found], width: int) -> list[Found]:
        """The same network on the plates alone, `width` pixels wide in the middle of a view twice as wide and as high
        as that: in a size that it knows well its corners come out much finer."""
        if not found:
            return []
        size = (2 * width, width)
        moves: list[NDArray[np.float64]] = []
        views: list[Picture] = []
        for one in found:
            scale = min(width / max(one.width, 4.0), size[1] * 0.75 / max(one.height, 1.0))
            shift = np.array(size) / 2 - one.corners.mean(0) * scale
            moves.append(np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]))
            views.append(_view(halves, moves[-1], size))
        scores, corners = self._run(np.stack(views))
        refined: list[Found] = []
        for one, move, score, offsets in zip(found, moves, scores, corners, strict=True):
            near = [
                seen
                for seen in _peaks(score, offsets, 0.3)
                if np.hypot(*(seen.corners.mean(0) - (size[0] / 2, size[1] / 2))) < width / 3
            ]
            if near:
                back = ((near[0].corners - move[:, 2]) / move[0, 0]).astype(np.float32)
                refined.append(Found(back, max(one.score, near[0].score)))
            else:
                refined.append(one)
        return _distinct(refined)

    def _run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        given = np.empty((len(pictures), 3, *pictures.shape[1:3]), np.float32)
        for picture, channels in zip(pictures, given, strict=True):
            _show(picture, channels)
        answer = self._network.run({"pictures": tensor(given)})
        scores = 1 / (1 + np.exp(-array(answer["scores"])[:, 0]))
        return scores.astype(np.float32), array(answer["corners"])


def _show(picture: Picture, channels: NDArray[np.float32]) -> None:
    """The picture as the network takes it, by table: that takes a tenth of the time of OpenCV's blobFromImages."""
    for channel in range(3):
        cv2.LUT(cv2.extractChannel(picture, channel), _FROM_BYTE, dst=channels[channel])


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


def _peaks(scores: NDArray[np.float32], offsets: NDArray[np.float32], least: float) -> list[Found]:
    """Groups of cells that mean the same plate, their corners averaged by how sure each is."""
    rows, columns = np.nonzero(scores > least)
    if len(rows) == 0:
        return []
    order = np.argsort(-scores[rows, columns])[:200]
    rows, columns = rows[order], columns[order]
    sure = scores[rows, columns]
    middles = np.stack((columns * CELL + CELL / 2, rows * CELL + CELL / 2), -1)
    quads = offsets[:, rows, columns].T.reshape(-1, 4, 2) * CELL + middles[:, None]
    centres = quads.mean(1)
    widths = np.hypot(*(quads[:, 1] - quads[:, 0]).T)
    heights = np.hypot(*(quads[:, 3] - quads[:, 0]).T)
    free = (widths > _SMALLEST) & (widths < _LARGEST) & (heights > 3) & (heights < widths * 1.2)
    found: list[Found] = []
    for i in range(len(rows)):
        if not free[i]:
            continue
        same = free & (np.abs(centres - centres[i]).max(1) < max(widths[i], heights[i]) * 0.5)
        free &= ~same
        close = same & (sure > sure[i] * 0.6)
        weight = (sure[close] ** 2)[:, None, None]
        found.append(Found(((quads[close] * weight).sum(0) / weight.sum(0)).astype(np.float32), float(sure[i])))
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
