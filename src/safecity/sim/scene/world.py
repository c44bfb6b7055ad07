"""The painted street behind everything that moves, larger than one view so that a camera can turn its head.

World coordinates: the middle view at zoom 1 is 0..1280 x 0..720; the painting reaches half a view further on each
side. The vanishing point of the road is at (640, 250).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.sim.scene.lens import PAN_LIMIT, TILT_LIMIT, Pose

Picture = NDArray[np.uint8]

VIEW = (1280.0, 720.0)
LEFT, TOP, WIDTH, HEIGHT = -640, -360, 2560, 1440
VANISH = (640.0, 250.0)
GROUND = 470.0
"""Distance from the horizon to where things have their own size (scale 1)."""


@dataclass(frozen=True, slots=True)
class View:
    """The part of the world that a pose shows, and the scale to a picture of `width` x `height`."""

    left: float
    top: float
    scale_x: float
    scale_y: float
    width: int
    height: int

    @classmethod
    def of(cls, pose: Pose, width: int, height: int) -> View:
        span_x, span_y = VIEW[0] / pose.zoom, VIEW[1] / pose.zoom
        middle_x = VIEW[0] / 2 + pose.pan / PAN_LIMIT * VIEW[0] / 2
        middle_y = VIEW[1] / 2 - pose.tilt / TILT_LIMIT * VIEW[1] / 2
        left = min(max(middle_x - span_x / 2, LEFT), LEFT + WIDTH - span_x)
        top = min(max(middle_y - span_y / 2, TOP), TOP + HEIGHT - span_y)
        return cls(left, top, width / span_x, height / span_y, width, height)

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """World point to pixels."""
        return (x - self.left) * self.scale_x, (y - self.top) * self.scale_y


def paint_world(seed: int, light: float) -> Picture:
    """BGR of WIDTH x HEIGHT: sky, houses, trees, road, crossing; `light` 1 is day, 0.25 night."""
    dice = Random(seed)
    world = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    horizon = round(VANISH[1]) - TOP
    night = light < 0.6
    for y in range(horizon):
        part = y / horizon
        world[y] = (
            (60 + 20 * part, 35 + 15 * part, 25 + 10 * part) if night else (235 - 15 * part, 205, 160 + 60 * part)
        )
    ground = (70, 72, 74) if night else (128, 136, 140)
    world[horizon:] = ground
    _houses(world, horizon, dice, night)
    _road(world, horizon, night)
    _trees(world, horizon, dice, night)
    # Grain that a real sensor has; kept faint, the encoder pays for it in every key frame only.
    grain = np.random.default_rng(seed).integers(0, 5, (HEIGHT // 4, WIDTH // 4, 1), dtype=np.uint8)
    spread = np.asarray(cv2.resize(grain, (WIDTH, HEIGHT)), np.uint8)[..., None].repeat(3, axis=2)
    return np.asarray(cv2.add(world, spread), np.uint8)


def _houses(world: Picture, horizon: int, dice: Random, night: bool) -> None:
    x = 0
    while x < WIDTH:
        width, tall = dice.randrange(120, 300), dice.randrange(150, 520)
        middle = abs(x + width / 2 + LEFT - VANISH[0])
        tall = round(tall * min(1.0, 0.35 + middle / 900))
        tone = dice.randrange(110, 190)
        wall = (tone // 4, tone // 4, tone // 4 + 6) if night else (tone - 8, tone, tone + dice.randrange(0, 25))
        cv2.rectangle(world, (x, horizon - tall), (x + width, horizon + 30), wall, -1)
        for top in range(horizon - tall + 16, horizon - 20, 34):
            for left in range(x + 12, x + width - 20, 30):
                lit = dice.random() < (0.35 if night else 0.1)
                pane = (120, 215, 252) if lit and night else tuple(max(0, part - 45) for part in wall)
                cv2.rectangle(world, (left, top), (left + 16, top + 20), pane, -1)
        x += width + dice.randrange(4, 40)


def _road(world: Picture, horizon: int, night: bool) -> None:
    vanish_x, bottom = round(VANISH[0]) - LEFT, HEIGHT

    def ray(at_scale_one: float, scale: float) -> tuple[int, int]:
        return round(vanish_x + at_scale_one * scale), round(horizon + GROUND * scale)

    reach = (bottom - horizon) / GROUND
    asphalt = (44, 44, 46) if night else (92, 90, 90)
    walk = (84, 86, 90) if night else (168, 172, 176)
    line = (150, 150, 150) if night else (235, 235, 235)
    for half, ink in ((900.0, walk), (660.0, asphalt)):
        corners = [ray(-half, 0.03), ray(half, 0.03), ray(half, reach), ray(-half, reach)]
        cv2.fillPoly(world, [np.array(corners, np.int32)], ink)
    for edge in (-640.0, 640.0):
        cv2.line(world, ray(edge, 0.03), ray(edge, reach), line, 5)
    cv2.line(world, ray(-6, 0.03), ray(-6, reach), (60, 180, 220), 4)
    cv2.line(world, ray(6, 0.03), ray(6, reach), (60, 180, 220), 4)
    for lane in (-320.0, 320.0):
        scale = 0.05
        while scale < reach:
            cv2.line(world, ray(lane, scale), ray(lane, scale * 1.18), line, max(1, round(5 * scale)))
            scale *= 1.45
    for stripe in range(-600, 601, 100):  # the zebra crossing that people use
        corners = [ray(stripe - 26, 0.66), ray(stripe + 26, 0.66), ray(stripe + 26, 0.78), ray(stripe - 26, 0.78)]
        cv2.fillPoly(world, [np.array(corners, np.int32)], line)


def _trees(world: Picture, horizon: int, dice: Random, night: bool) -> None:
    vanish_x = round(VANISH[0]) - LEFT
    for scale in (0.2, 0.32, 0.5, 0.8, 1.25):
        for side in (-1, 1):
            x, y = round(vanish_x + side * 1000 * scale), round(horizon + GROUND * scale)
            tall = round(330 * scale)
            cv2.line(world, (x, y), (x, y - tall), (30, 40, 50), max(2, round(22 * scale)))
            for _ in range(9):
                centre = (x + round(dice.uniform(-90, 90) * scale), y - tall - round(dice.uniform(-30, 120) * scale))
                green = dice.randrange(60, 140)
                leaf = (10, green // 4, 8) if night else (40, green, 50)
                cv2.circle(world, centre, round(dice.uniform(40, 85) * scale), leaf, -1)
            if night:  # street lamps
                cv2.circle(
                    world,
                    (x - side * round(60 * scale), y - round(420 * scale)),
                    round(14 * scale),
                    (200, 240, 255),
                    -1,
                )
