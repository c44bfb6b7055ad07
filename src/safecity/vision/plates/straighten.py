"""From four corners to the straight strip that the reader takes: one line as it is, two lines side by side."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # height x width x 3, BGR
Corners = NDArray[np.float32]  # 4 x 2: top left, top right, bottom right, bottom left, as the plate is read

WIDTH, HEIGHT = 160, 40
EDGE_X, EDGE_Y = 4.0, 2.0
# A plate of two lines is cut here (share of its height) and laid side by side: the first line has few signs.
TOP_END, BOTTOM_START, CUT = 0.46, 0.40, 60.0


def strips(two_lines: bool) -> list[tuple[NDArray[np.float32], NDArray[np.float32], tuple[int, int]]]:
    """For each line: its rectangle on the plate (unit square), where it goes in the strip, and the columns it fills."""
    if not two_lines:
        to = rectangle(EDGE_X, EDGE_Y, WIDTH - EDGE_X, HEIGHT - EDGE_Y)
        return [(rectangle(0, 0, 1, 1), to, (0, WIDTH))]
    cut = int(CUT)
    return [
        (rectangle(0, 0, 1, TOP_END), rectangle(0, 1, CUT, HEIGHT - 1), (0, cut)),
        (rectangle(0, BOTTOM_START, 1, 1), rectangle(CUT, 0, WIDTH, HEIGHT), (cut, WIDTH)),
    ]


def transforms(corners: Corners, two_lines: bool) -> list[tuple[NDArray[np.float64], tuple[int, int]]]:
    """For each line: the homography from the picture into the strip, and the columns it fills."""
    unit = cv2.getPerspectiveTransform(rectangle(0, 0, 1, 1), corners.astype(np.float32))
    found: list[tuple[NDArray[np.float64], tuple[int, int]]] = []
    for on_plate, to, columns in strips(two_lines):
        on_picture = cv2.perspectiveTransform(on_plate[None], unit)[0].astype(np.float32)
        found.append((np.asarray(cv2.getPerspectiveTransform(on_picture, to), np.float64), columns))
    return found


def straighten(picture: Picture, corners: Corners, two_lines: bool = False) -> Picture:
    """The strip of WIDTH x HEIGHT that the reader takes."""
    strip = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    for move, (start, end) in transforms(corners, two_lines):
        whole = cv2.warpPerspective(
            picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        strip[:, start:end] = whole[:, start:end]
    return strip


def grown(corners: Corners, wider: float, higher: float) -> Corners:
    """The corners of a plate larger by these shares of its size (smaller where negative) on every side."""
    unit = cv2.getPerspectiveTransform(rectangle(0, 0, 1, 1), corners.astype(np.float32))
    larger = rectangle(-wider, -higher, 1 + wider, 1 + higher)
    return np.asarray(cv2.perspectiveTransform(larger[None], unit)[0], np.float32)


def part_of(corners: Corners, top: float, bottom: float) -> Corners:
    """The corners of the part of a plate between these shares of its height."""
    unit = cv2.getPerspectiveTransform(rectangle(0, 0, 1, 1), corners.astype(np.float32))
    return np.asarray(cv2.perspectiveTransform(rectangle(0, top, 1, bottom)[None], unit)[0], np.float32)


def rectangle(left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    """Four corners, clockwise from the left upper one."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
