"""Things that move: drawn once, large, then scaled to where they are and kept for the next picture.

Pictures are planar YUV 4:2:0 (what encoders take), so that a frame costs copies, not conversions.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from random import Random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.sim.scene.plates import draw_plate

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class Frame:
    """A planar 4:2:0 picture over one buffer: `luma` (h x w), `blue` and `red` (h/2 x w/2)."""

    __slots__ = ("blue", "buffer", "height", "luma", "red", "width")

    def __init__(self, width: int, height: int) -> None:
        if width % 2 or height % 2:
            raise ValueError(f"4:2:0 needs even sizes, not {width}x{height}")
        size = width * height
        self.width, self.height = width, height
        self.buffer: Picture = np.empty(size * 3 // 2, np.uint8)
        self.luma: Picture = self.buffer[:size].reshape(height, width)
        self.blue: Picture = self.buffer[size : size * 5 // 4].reshape(height // 2, width // 2)
        self.red: Picture = self.buffer[size * 5 // 4 :].reshape(height // 2, width // 2)

    def take(self, bgr: Picture) -> None:
        """Fill from a BGR picture of the same size."""
        self.buffer[:] = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).reshape(-1)

    def rgb(self) -> Any:
        """As RGB, for tests and stills."""
        return cv2.cvtColor(self.buffer.reshape(-1, self.width), cv2.COLOR_YUV2RGB_I420)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A thing drawn large: BGR and where it is solid (0 or 255)."""

    bgr: Picture
    solid: Picture


@dataclass(frozen=True, slots=True)
class Sprite:
    """A thing at the size it has in the picture."""

    frame: Frame
    solid: Mask
    solid_half: Mask


class Sprites:
    """Scaled drawings (at most `limit`) and large ones (at most `max_bytes`); what was not used longest goes first."""

    def __init__(self, limit: int = 160, max_bytes: int = 12 * 1024 * 1024) -> None:
        self._kept: OrderedDict[Hashable, Sprite] = OrderedDict()
        self._drawings: OrderedDict[Hashable, Drawing] = OrderedDict()
        self._limit = limit
        self._max_bytes = max_bytes
        self._bytes = 0

    def drawing(self, key: Hashable) -> Drawing | None:
        """A drawing kept under the key."""
        found = self._drawings.get(key)
        if found is not None:
            self._drawings.move_to_end(key)
        return found

    def keep(self, key: Hashable, drawing: Drawing) -> Drawing:
        """Keep a drawing for further sizes."""
        self._drawings[key] = drawing
        self._bytes += drawing.bgr.nbytes + drawing.solid.nbytes
        while self._bytes > self._max_bytes and len(self._drawings) > 1:
            _, gone = self._drawings.popitem(last=False)
            self._bytes -= gone.bgr.nbytes + gone.solid.nbytes
        return drawing

    def at_size(self, key: Hashable, drawing: Drawing, width: int, height: int, light: float) -> Sprite:
        """The drawing at an even size, darkened by `light` (1 is day)."""
        width, height = max(4, width // 2 * 2), max(4, height // 2 * 2)
        full = (key, width, height, light)
        sprite = self._kept.get(full)
        if sprite is None:
            size = (width, height)
            drawing = self._level(key, drawing, width)
            small = np.asarray(cv2.resize(drawing.bgr, size, interpolation=cv2.INTER_LINEAR), np.uint8)
            if light < 1:
                lamps = small.max(axis=2) > 250  # what shines, shines at night as well
                dark = (small * np.float32(light)).astype(np.uint8)
                dark[lamps] = small[lamps]
                small = dark
            frame = Frame(width, height)
            frame.take(small)
            solid = cv2.resize(drawing.solid, size, interpolation=cv2.INTER_LINEAR) > 127
            half = cv2.resize(drawing.solid, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR) > 127
            sprite = self._kept[full] = Sprite(frame, solid, half)
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return sprite

    def _level(self, key: Hashable, drawing: Drawing, width: int) -> Drawing:
        """The drawing halved as often as it stays larger: averaging from full size each time cost most of a frame."""
        level, halvings = drawing, 0
        while level.bgr.shape[1] >= 2 * width:
            halvings += 1
            kept = self.drawing((key, halvings))
            level = kept or self.keep((key, halvings), Drawing(_halved(level.bgr), _halved(level.solid)))
        return level


def _halved(picture: Picture) -> Picture:
    size = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def paste(target: Frame, sprite: Sprite, left: int, top: int) -> None:
    """Put a sprite into a picture, cut at the edges; its corner goes to even coordinates."""
    left, top = left // 2 * 2, top // 2 * 2
    source = sprite.frame
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(target.width, left + source.width), min(target.height, top + source.height)
    if x0 >= x1 or y0 >= y1:
        return
    here, there = np.s_[y0:y1, x0:x1], np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    np.copyto(target.luma[here], source.luma[there], where=sprite.solid[there])
    here, there = (
        np.s_[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2],
        np.s_[(y0 - top) // 2 : (y1 - top) // 2, (x0 - left) // 2 : (x1 - left) // 2],
    )
    np.copyto(target.blue[here], source.blue[there], where=sprite.solid_half[there])
    np.copyto(target.red[here], source.red[there], where=sprite.solid_half[there])


PAINTS = ((235, 235, 235), (40, 40, 45), (150, 150, 155), (40, 40, 190), (170, 90, 30), (60, 150, 200), (90, 130, 60))
"""BGR: white, black, silver, red, blue, gold, green."""
PAINT_NAMES = dict(zip(PAINTS, ("white", "black", "grey", "red", "blue", "yellow", "green"), strict=True))
"""As GA/T 1400 words them: gold is a yellow."""

CAR, VAN, BUS = "car", "van", "bus"
SHAPES = {CAR: (400, 320), VAN: (420, 400), BUS: (480, 560)}
"""Pixels of each kind as drawn."""


def draw_vehicle(kind: str, paint: tuple[int, int, int], plate: str, *, front: bool) -> tuple[Drawing, tuple[int, ...]]:
    """A vehicle seen from the front or the back, and its plate's box (left, top, width, height) in the drawing."""
    width, height = SHAPES[kind]
    bgr, solid = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    waist = height * (45 if kind == CAR else 60) // 100
    wheels = height - height // 10
    shade = tuple(int(part * 0.7) for part in paint)
    roof = width // 6 if kind == CAR else width // 20
    cabin = np.array([[roof, 4], [width - roof, 4], [width - 12, waist], [12, waist]], np.int32)
    body = ((4, waist), (width - 5, wheels))
    for picture, cabin_ink, body_ink in ((bgr, paint, paint), (solid, 255, 255)):
        cv2.fillPoly(picture, [cabin], cabin_ink)
        cv2.rectangle(picture, *body, body_ink, -1)
        for left in (20, width - 80):
            cv2.rectangle(picture, (left, wheels), (left + 60, height - 1), (25, 25, 25) if picture is bgr else 255, -1)
    glass = np.array([[roof + 14, 18], [width - roof - 14, 18], [width - 34, waist - 8], [34, waist - 8]], np.int32)
    cv2.fillPoly(bgr, [glass], (110, 95, 80))
    cv2.line(bgr, (roof + 40, waist - 20), (width // 2, 24), (150, 140, 130), 4)
    lamp, lamp_y = ((255, 255, 255) if front else (40, 40, 255)), waist + (wheels - waist) // 3
    for x in (50, width - 50):
        cv2.ellipse(bgr, (x, lamp_y), (34, 18), 0, 0, 360, lamp, -1)
    cv2.rectangle(bgr, (100, lamp_y - 16), (width - 100, lamp_y + 12), shade, -1)
    cv2.rectangle(bgr, (4, wheels - 14), (width - 5, wheels), shade, -1)
    number = draw_plate(plate)
    plate_height, plate_width = number.shape[:2]
    left, top = (width - plate_width) // 2, wheels - plate_height - 18
    bgr[top : top + plate_height, left : left + plate_width] = number
    return Drawing(bgr, solid), (left, top, plate_width, plate_height)


PERSON = (120, 300)


def draw_person(seed: int, step: int) -> Drawing:
    """A walker; `step` 0 to 3 is the phase of the stride."""
    dice = Random(seed)
    width, height = PERSON
    bgr, solid = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    coat = tuple(dice.randrange(30, 220) for _ in range(3))
    trousers = tuple(dice.randrange(20, 110) for _ in range(3))
    stride = (34, 12, -20, 12)[step % 4]
    for picture, skin, upper, lower in ((bgr, (150, 180, 215), coat, trousers), (solid, 255, 255, 255)):
        for side in (-1, 1):
            foot = (60 + side * stride, 292)
            cv2.line(picture, (60, 175), foot, lower, 26)
            cv2.line(picture, (60, 85), (60 - side * stride, 165), upper, 18)
        cv2.rectangle(picture, (38, 72), (82, 182), upper, -1)
        cv2.circle(picture, (60, 40), 26, skin, -1)
        cv2.ellipse(picture, (60, 32), (27, 22), 0, 180, 360, (30, 30, 35) if picture is bgr else 255, -1)
    return Drawing(bgr, solid)
