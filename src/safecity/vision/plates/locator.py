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
_ZOOM_WIDTH, _ZOOM_HEIGHT, _ZOOMED = 192, 96, 96  # the second look: a plate 96 pixels wide in the middle
_COVERED = 0.5
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

    def find(self, picture: Picture, long_sides: Sequence[int], least: float) -> list[Found]:
        """Plates scored `least` or more, best first, looked for in copies of these sizes, then looked at closely."""
        found: list[Found] = []
        for side in long_sides:
            found += self._look(picture, side, least)
        return self._closer(picture, self._closer(picture, _distinct(found)))

    def _look(self, picture: Picture, long_side: int, least: float) -> list[Found]:
        height, width = picture.shape[:2]
        scale = min(long_side / max(height, width), 4.0)
        wide, high = max(round(width * scale), 8), max(round(height * scale), 8)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas = np.zeros((-(-high // _STEP) * _STEP, -(-wide // _STEP) * _STEP, 3), np.uint8)
        canvas[:high, :wide] = cv2.resize(picture, (wide, high), interpolation=method)
        scores, corners = self._run(canvas[None])
        return [
            Found((one.corners / scale).astype(np.float32), one.score) for one in _peaks(scores[0], corners[0], least)
        ]

    def _closer(self, picture: Picture, found: list[Found]) -> list[Found]:
        """The same network on the plate alone, in the size it knows best: its corners come out much finer."""
        if not found:
            return []
        moves: list[NDArray[np.float64]] = []
        views: list[Picture] = []
        for one in found:
            middle, scale = one.corners.mean(0), _ZOOMED / max(one.width, 4.0)
            if one.height * scale > _ZOOM_HEIGHT * 0.75:
                scale = _ZOOM_HEIGHT * 0.75 / one.height
            shift = np.array([_ZOOM_WIDTH / 2, _ZOOM_HEIGHT / 2]) - middle * scale
            moves.append(np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]))
            views.append(_shrunk(picture, moves[-1], scale))
        scores, corners = self._run(np.stack(views))
        refined: list[Found] = []
        for one, move, score, offsets in zip(found, moves, scores, corners, strict=True):
            near = [
                seen
                for seen in _peaks(score, offsets, 0.3)
                if np.hypot(*(seen.corners.mean(0) - (_ZOOM_WIDTH / 2, _ZOOM_HEIGHT / 2))) < _ZOOMED / 3
            ]
            if near:
                back = ((near[0].corners - move[:, 2]) / move[0, 0]).astype(np.float32)
                refined.append(Found(back, max(one.score, near[0].score)))
            else:
                refined.append(one)
        return _distinct(refined)

    def _run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        given = pictures.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(128) - np.float32(1)
        answer = self._network.run({"pictures": tensor(given)})
        scores = 1 / (1 + np.exp(-array(answer["scores"])[:, 0]))
        return scores.astype(np.float32), array(answer["corners"])


def _shrunk(picture: Picture, move: NDArray[np.float64], scale: float) -> Picture:
    """The part of the picture that `move` shows, without flicker when it becomes smaller."""
    if scale >= 0.6:
        return _warped(picture, move)
    reach_x, reach_y = _ZOOM_WIDTH / 2 / scale, _ZOOM_HEIGHT / 2 / scale
    x, y = (_ZOOM_WIDTH / 2 - move[0, 2]) / scale, (_ZOOM_HEIGHT / 2 - move[1, 2]) / scale
    left, top = max(int(x - reach_x) - 2, 0), max(int(y - reach_y) - 2, 0)
    part = picture[top : int(y + reach_y) + 3, left : int(x + reach_x) + 3]
    if 0 in part.shape:
        return _warped(picture, move)
    size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    rest = np.array(
        [
            [part.shape[1] * scale / size[0], 0, move[0, 2] + left * scale],
            [0, part.shape[0] * scale / size[1], move[1, 2] + top * scale],
        ]
    )
    return _warped(small.astype(np.uint8), rest)


def _warped(picture: Picture, move: NDArray[np.float64]) -> Picture:
    return cv2.warpAffine(
        picture, move, (_ZOOM_WIDTH, _ZOOM_HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)


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
    kept: list[Found] = []
    for one in sorted(found, key=lambda each: -each.score):
        if not any(_cover(one, other) for other in kept):
            kept.append(one)
    return kept


def _cover(one: Found, other: Found) -> bool:
    """Whether their middles lie within half of the larger one, along it and across it: a lamp above a plate is none."""
    apart = one.corners.mean(0) - other.corners.mean(0)
    turn = np.radians(other.tilt_degrees)
    along = abs(apart[0] * np.cos(turn) + apart[1] * np.sin(turn))
    across = abs(apart[1] * np.cos(turn) - apart[0] * np.sin(turn))
    return bool(
        along < _COVERED * max(one.width, other.width) and across < _COVERED * max(one.height, other.height)
    )
