"""Rain over a painted street: the air takes contrast and colour away, drops draw streaks, and the lens is soft."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from safecity.kit.clock import SECOND_US
from safecity.sim.scene.sprites import Frame

VEIL = 0.3
"""Share of the air's own grey in what is seen through it."""
STREAKS = 260


def rain(frame: Frame, seed: int, at_us: int, light: float) -> None:
    """Over the whole picture, in place; the same moment has the same drops."""
    air = round(60 + 110 * light)
    frame.luma[:] = cv2.addWeighted(frame.luma, 1 - VEIL, np.full_like(frame.luma, air), VEIL, 0)
    for plane in (frame.blue, frame.red):
        plane[:] = cv2.addWeighted(plane, 1 - VEIL, np.full_like(plane, 128), VEIL, 0)
    frame.luma[:] = cv2.GaussianBlur(frame.luma, (0, 0), frame.height / 720)
    dice = Random(seed << 40 ^ at_us * 25 // SECOND_US)
    tone = min(round(air * 1.35), 235)
    for _ in range(STREAKS):
        x, y = dice.randrange(frame.width), dice.randrange(frame.height)
        length = dice.randrange(frame.height // 60, frame.height // 18)
        cv2.line(frame.luma, (x, y), (x - length // 6, y + length), tone, 1, cv2.LINE_AA)
