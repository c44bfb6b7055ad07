"""Of a vehicle's many readings those that count: which settle what its plate is, and which looks are the clearest and
kept to read it once more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from safecity.vision.plates.grammar import issued
from safecity.vision.plates.reader import TELLING, StripReading
from safecity.vision.plates.recognise import LIKELY, SURE_ALONE, KeptLook, PlateRead
from safecity.vision.plates.straighten import Picture, grown

CLEAREST = 3
"""Looks at a plate that are kept to read it out of them together."""
LARGEST = 320.0
"""Pixels of a plate's width in what is kept of a look: twice what the second reader is shown of it."""
_AROUND = (0.3, 0.6)  # shares of the plate's size that are kept beyond it
_AGREED = 3  # sure readings alike, none of another text beside them: the plate is settled
_UNWRITTEN = 0.6  # of the worth of a look in which our reader lost a sign, or saw one too many
_CONTRADICTS, _AS_LARGE = 0.4, 0.7  # how sure another reading is, on how large a plate, to keep it open


def settled(reads: Sequence[PlateRead]) -> str | None:
    """The text of which readings leave no doubt: several sure ones are alike, and none of a plate as large says
    otherwise. None where they leave some."""
    sure = [one for one in reads if one.written and one.confidence >= SURE_ALONE and issued(one.text)]
    if len(sure) < _AGREED:
        return None
    text = max(sure, key=width_of).text
    alike = [width_of(one) for one in sure if one.text == text]
    others = (one for one in reads if one.text != text and one.confidence >= _CONTRADICTS)
    agreed = len(alike) >= _AGREED and all(width_of(one) < _AS_LARGE * max(alike) for one in others)
    return text if agreed else None


def clearness(read: PlateRead, size: tuple[int, int]) -> float:
    """How good a look it is to read a plate by, 0 for none: by its size, by how surely it was located, and by whether
    our reader saw something there that is written as plates are. One cut off by the edge of a picture of this `size`,
    or one of a few signs, is none."""
    corners = read.corners
    inside = bool((corners >= -1).all() and (corners[:, 0] <= size[0]).all() and (corners[:, 1] <= size[1]).all())
    if not inside or read.located < LIKELY or len(read.text) < TELLING:
        return 0.0
    return width_of(read) * read.located * (1.0 if read.written else _UNWRITTEN)


def kept_look(picture: Picture, read: PlateRead, strip: StripReading) -> KeptLook:
    """The plate and what is around it, out of the picture; one that is larger than LARGEST is made as small."""
    box = grown(read.corners, *_AROUND)
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(box.min(0)), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(box.max(0)), (left + 1, top + 1), (width, height)).astype(int)
    corners = read.corners - np.array([left, top], np.float32)
    # Copies: picture and strip are parts of what all vehicles of the moment were read in.
    part, strip = (
        picture[top:bottom, left:right].copy(),
        replace(strip, signs=strip.signs.copy(), kinds=strip.kinds.copy()),
    )
    times = width_of(read) / LARGEST
    if times > 1:
        size = (max(round(part.shape[1] / times), 1), max(round(part.shape[0] / times), 1))
        corners = corners * (np.array(size, np.float32) / (part.shape[1], part.shape[0])).astype(np.float32)
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return KeptLook(part, corners, read.lines, read.kind, strip)


def bytes_of(look: KeptLook) -> int:
    """What it holds of memory, nearly."""
    return look.picture.nbytes + look.strip.signs.nbytes


def width_of(read: PlateRead) -> float:
    """Of the plate, in pixels, along its upper edge."""
    (left, top), (right, bottom), *_ = read.corners.tolist()
    return math.hypot(right - left, bottom - top)
