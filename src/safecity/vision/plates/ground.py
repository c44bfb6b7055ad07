"""Where the coloured ground of a plate ends: corners for a plate whose frame, recess or half was found instead.

Chinese plates are blue, yellow or green nearly all, and what is around them is not, or not as much so. Seen a little
larger than it was found, a plate is therefore one patch, divided from the rest at the threshold of N. Otsu (A Threshold
Selection Method from Gray-Level Histograms, 1979); the signs, which have no colour, are closed over. What has no such
patch, or one that goes on beyond the view (a blue car, a grey plate at night), keeps the corners it has.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.vision.plates.straighten import Corners, Picture, grown, rectangle

_WIDTH, _HEIGHT = 176, 88  # pixels of the view
_BESIDE, _ABOVE = 0.15, 0.45  # shares of the plate as found that are seen beyond it: the upper line may be missing
_SIGNS = np.ones((5, 13), np.uint8)  # pixels of the view that are closed over: a stroke, or two
_MIDDLE = (slice(33, 55), slice(52, 124))  # rows and columns that are the plate's whatever else was found
_DISTINCT = 12.0  # levels of 256 by which the plate is more coloured than the rest, at least
_MOSTLY = 0.4  # of the middle must be as coloured as that


def coloured_ground(picture: Picture, corners: Corners) -> Corners | None:
    """The corners of the coloured patch in the middle of a plate with these corners, straight with them; None where
    there is none."""
    around = grown(corners, _BESIDE, _ABOVE)
    view = rectangle(0, 0, _WIDTH, _HEIGHT)
    move = cv2.getPerspectiveTransform(around, view)
    seen = cv2.warpPerspective(picture, move, (_WIDTH, _HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    patch = _patch(cv2.GaussianBlur(seen, (0, 0), 1.0).astype(np.float32))
    if patch is None:
        return None
    # By rows first, in the columns that are the plate's for sure: its ends may lie in a slanting shadow.
    rows = _run(patch[:, _MIDDLE[1]].mean(1) > 0.5, _HEIGHT // 2)
    columns = _run(patch[slice(*rows)].mean(0) > 0.5, _WIDTH // 2) if rows else None
    if rows is None or columns is None:
        return None
    (top, bottom), (left, right) = rows, columns
    if left < 2 or top < 2 or right > _WIDTH - 2 or bottom > _HEIGHT - 2:
        return None
    back = cv2.getPerspectiveTransform(view, around)
    return cv2.perspectiveTransform(rectangle(left, top, right, bottom)[None], back)[0].astype(np.float32)


def _patch(view: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Pixels of the patch that is nearly all of the middle, by the colour that divides the view best."""
    blue, green, red = view[..., 0], view[..., 1], view[..., 2]
    best, most = None, _DISTINCT
    for colour in (blue - red, (green + red) / 2 - blue, green - (red + blue) / 2):
        levels = np.clip(colour + 128, 0, 255).astype(np.uint8)
        least, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
        inside = levels > least
        if inside.all() or not inside.any() or inside[_MIDDLE].mean() < _MOSTLY:
            continue
        distance = float(colour[inside].mean() - colour[~inside].mean())
        if distance > most:
            best, most = inside, distance
    if best is None:
        return None
    closed = cv2.morphologyEx(best.astype(np.uint8), cv2.MORPH_CLOSE, _SIGNS)
    count, labels = cv2.connectedComponents(closed)
    sizes = np.bincount(labels[_MIDDLE].ravel(), minlength=count)
    sizes[0] = 0
    return labels == int(sizes.argmax()) if sizes.any() else None


def _run(there: NDArray[np.bool_], place: int) -> tuple[int, int] | None:
    """First and last but one of the run in which `place` lies; None where it is in none."""
    if not there[place]:
        return None
    gaps = np.flatnonzero(~there)
    before, after = gaps[gaps < place], gaps[gaps > place]
    return int(before[-1]) + 1 if before.size else 0, int(after[0]) if after.size else len(there)
