"""Pictures for the locator: a world of random shapes, drawn cars with plates, and much that only looks like a plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from tools.plates.draw import Flat, draw_plate
from tools.plates.glyphs import EDGE, Faces
from tools.plates.shoot import exposed, laid_on, pose, worn

FRAME_WIDTH, FRAME_HEIGHT = 320, 192


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and the corners of the plates in it (count x 4 x 2, pixels)."""

    image: np.ndarray
    plates: np.ndarray


def world(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Shapes that cover one another like leaves, of all sizes: edges and areas as in real pictures."""
    base = np.clip(rng.uniform(30, 200) + rng.normal(0, 18, 3), 5, 250)
    image = np.empty((height, width, 3), np.float32)
    image[:] = base
    spread = rng.uniform(10, 60)
    for _ in range(int(rng.integers(20, 160))):
        size = float(np.clip(8 * rng.pareto(1.1) + 4, 4, width * 0.7))
        x, y = rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1.1) * height
        tone = np.clip(base + rng.normal(0, spread) + rng.normal(0, spread * 0.4, 3), 0, 255).tolist()
        which = rng.random()
        if which < 0.35:
            axes = (max(int(size), 1), max(int(size * rng.uniform(0.3, 1)), 1))
            cv2.ellipse(image, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, tone, -1, cv2.LINE_AA)
        elif which < 0.7:
            high = size * np.exp(rng.normal(-0.3, 0.6))
            box = cv2.boxPoints(((x, y), (size, high), float(rng.normal(0, 6))))
            cv2.fillPoly(image, [box.astype(np.int32)], tone, cv2.LINE_AA)
        elif which < 0.85:
            points = (rng.normal(0, size, (int(rng.integers(3, 6)), 2)) + np.array((x, y))).astype(np.int32)
            cv2.fillPoly(image, [points], tone, cv2.LINE_AA)
        else:
            to = (int(x + rng.normal(0, 3 * size)), int(y + rng.normal(0, 3 * size)))
            cv2.line(image, (int(x), int(y)), to, tone, int(rng.integers(1, 5)), cv2.LINE_AA)
    if rng.random() < 0.6:
        grain = rng.normal(0, 1, (height // 2, width // 2)).astype(np.float32)
        image += cv2.resize(grain, (width, height))[..., None] * rng.uniform(2, 18)
    return image


def distract(rng: np.random.Generator, image: np.ndarray, faces: Faces) -> None:
    """Writing that is no plate, grilles, lamps, stripes: what a locator mistakes for one."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(0, 6))):
        x, y = int(rng.integers(-20, width - 20)), int(rng.integers(0, height - 8))
        tone = rng.uniform(0, 255, 3).tolist()
        which = rng.random()
        if which < 0.4:
            _words(rng, image, faces, x, y)
        elif which < 0.6:
            _caption(rng, image, x, y, tone)
        elif which < 0.8:  # a grille, a fence, a zebra crossing
            step, long, count = int(rng.integers(3, 12)), int(rng.integers(6, 40)), int(rng.integers(4, 14))
            thick = max(step // 2, 1)
            for i in range(count):
                a, b = ((x + i * step, y), (x + i * step, y + long)) if rng.random() < 2 else ((0, 0), (0, 0))
                if which < 0.68:
                    a, b = (x, y + i * step), (x + 2 * long, y + i * step)
                cv2.line(image, a, b, tone, thick, cv2.LINE_AA)
        elif which < 0.9:  # an empty board the size of a plate
            wide = int(rng.integers(14, 110))
            cv2.rectangle(image, (x, y), (x + wide, y + int(wide * rng.uniform(0.2, 0.5))), tone, -1)
            cv2.rectangle(
                image, (x, y), (x + wide, y + int(wide * rng.uniform(0.2, 0.5))), rng.uniform(0, 255, 3).tolist(), 1
            )
        else:
            cv2.circle(image, (x, y), int(rng.integers(3, 16)), tone, -1, cv2.LINE_AA)


def _caption(rng: np.random.Generator, image: np.ndarray, x: int, y: int, tone: list[float]) -> None:
    """A time stamp, a station's name, a slogan, as overlays and stickers have them."""
    signs = (
        "0123456789:-/ " if rng.random() < 0.5 else "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .0123456789"
    )
    text = "".join(signs[int(i)] for i in rng.integers(0, len(signs), int(rng.integers(3, 22))))
    mask = np.zeros(image.shape[:2], np.uint8)
    scale = float(np.exp(rng.uniform(np.log(0.25), np.log(1.2))))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX]))
    cv2.putText(mask, text, (x, y + 12), font, scale, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    image += (mask / np.float32(255))[..., None] * (np.asarray(tone, np.float32) - image)


def _words(rng: np.random.Generator, image: np.ndarray, faces: Faces, x: int, y: int) -> None:
    """A shop sign, an advertisement on a bus, characters on a truck: too few, too many, too far apart or in rows."""
    many = faces.chinese if rng.random() < 0.5 else faces.latin
    face = many[int(rng.integers(len(many)))]
    signs = list(face.glyphs)
    high = int(np.exp(rng.uniform(np.log(5), np.log(48))))
    rows, count = int(rng.choice([1, 1, 2, 3])), int(rng.choice([1, 2, 3, 4, 5, 10, 12, 15]))
    pitch = high * rng.uniform(0.6, 1.6)
    if rng.random() < 0.5:
        ground = rng.uniform(0, 255, 3).tolist()
        to = (int(x + pitch * count + high * 0.4), int(y + rows * high * 1.3 + high * 0.3))
        cv2.rectangle(image, (int(x - high * 0.3), int(y - high * 0.3)), to, ground, -1)
    ink = rng.uniform(0, 255, 3).astype(np.float32)
    for row in range(rows):
        for place in range(count):
            glyph = face.glyphs[signs[int(rng.integers(len(signs)))]][0]
            inner = glyph.field[EDGE - 2 : 2 - EDGE, EDGE - 2 : 2 - EDGE]
            size = (max(int(glyph.aspect * high), 2), high)
            alpha = np.clip(0.5 + cv2.resize(inner, size, interpolation=cv2.INTER_AREA) * high / 96, 0, 1)
            a, b = int(y + row * high * 1.3), int(x + place * pitch)
            if a < 0 or b < 0 or a + size[1] > image.shape[0] or b + size[0] > image.shape[1]:
                continue
            here = image[a : a + size[1], b : b + size[0]]
            here += alpha[..., None] * (ink - here)


def car(rng: np.random.Generator, image: np.ndarray, corners: np.ndarray) -> None:
    """The front or rear of something with wheels around the place where the plate will be."""
    middle = corners.mean(0)
    across = float(np.hypot(*(corners[1] - corners[0])))
    along = (corners[1] - corners[0]) / max(across, 1)
    down = np.array([-along[1], along[0]])

    def at(x: float, y: float) -> list[int]:
        point = middle + (along * x + down * y) * across
        return [int(point[0]), int(point[1])]

    paint = np.clip(rng.uniform(0, 255) + rng.normal(0, 35, 3), 0, 255)
    half = float(rng.uniform(1.3, 2.4))
    top, sill = float(-rng.uniform(0.6, 2.2)), float(rng.uniform(0.25, 1.0))
    cv2.fillPoly(
        image,
        [np.array([at(-half, top), at(half, top), at(half * 1.02, sill), at(-half * 1.02, sill)])],
        paint.tolist(),
        cv2.LINE_AA,
    )
    roof = top - float(rng.uniform(0.4, 1.1))
    glass = np.clip(rng.uniform(20, 130) + rng.normal(0, 10, 3), 0, 255).tolist()
    cv2.fillPoly(
        image,
        [np.array([at(-half * 0.75, roof), at(half * 0.75, roof), at(half * 0.95, top), at(-half * 0.95, top)])],
        glass,
        cv2.LINE_AA,
    )
    shade = (paint * rng.uniform(0.3, 0.9)).tolist()
    for _ in range(int(rng.integers(1, 5))):
        y = float(rng.uniform(top, sill))
        cv2.line(
            image,
            tuple(at(-half, y)),
            tuple(at(half, y)),
            shade,
            max(int(across * rng.uniform(0.01, 0.12)), 1),
            cv2.LINE_AA,
        )
    lamp = [30, 30, 180] if rng.random() < 0.5 else [225, 230, 230]
    y, wide, high = float(rng.uniform(top, 0)), float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.1, 0.3))
    for side in (-1, 1):
        x = side * (half - wide * 0.6)
        cv2.fillPoly(
            image,
            [
                np.array(
                    [at(x - wide / 2, y), at(x + wide / 2, y), at(x + wide / 2, y + high), at(x - wide / 2, y + high)]
                )
            ],
            lamp,
            cv2.LINE_AA,
        )
    if rng.random() < 0.5:  # the recess in which the plate sits
        room = float(rng.uniform(0.55, 0.7))
        cv2.fillPoly(
            image, [np.array([at(-room, -0.3), at(room, -0.3), at(room, 0.3), at(-room, 0.3)])], shade, cv2.LINE_AA
        )
    if rng.random() < 0.4:
        tone = rng.uniform(0, 255, 3).tolist()
        cv2.circle(
            image,
            tuple(at(float(rng.normal(0, 0.2)), float(rng.uniform(top, -0.3)))),
            max(int(across * rng.uniform(0.05, 0.15)), 1),
            tone,
            -1,
            cv2.LINE_AA,
        )


class SceneMaker:
    """Scenes without end."""

    def __init__(self, seed: int, faces: Faces, pool: int = 400) -> None:
        self._rng = np.random.default_rng(seed)
        self._faces = faces
        self._plates: list[Flat] = []
        self._worlds: list[np.ndarray] = []
        self._pool = pool

    def _flat(self) -> Flat:
        rng = self._rng
        if len(self._plates) < 3 * self._pool or rng.random() < 0.3:
            flat = draw_plate(rng, self._faces)
            if len(self._plates) < 3 * self._pool:
                self._plates.append(flat)
            else:
                self._plates[int(rng.integers(len(self._plates)))] = flat
            return flat
        return self._plates[int(rng.integers(len(self._plates)))]

    def _ground(self) -> np.ndarray:
        rng = self._rng
        if len(self._worlds) < self._pool or rng.random() < 0.15:
            new = world(rng, FRAME_WIDTH + 120, FRAME_HEIGHT + 80)
            if len(self._worlds) < self._pool:
                self._worlds.append(new)
            else:
                self._worlds[int(rng.integers(self._pool))] = new
        x, y = int(rng.integers(120)), int(rng.integers(80))
        ground = self._worlds[int(rng.integers(len(self._worlds)))][y : y + FRAME_HEIGHT, x : x + FRAME_WIDTH].copy()
        if rng.random() < 0.5:
            ground = np.ascontiguousarray(ground[:, ::-1])
        return ground * np.float32(rng.uniform(0.5, 1.2))

    def make(self) -> Scene:
        """One more: up to two plates among things that are none."""
        rng = self._rng
        image = self._ground()
        wanted = int(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2]))
        placed: list[np.ndarray] = []
        across = 60.0
        distract(rng, image, self._faces)
        for _ in range(wanted):
            flat = self._flat()
            across = float(np.exp(rng.uniform(np.log(17), np.log(170))))
            corners = pose(rng, (flat.image.shape[1], flat.image.shape[0]), across, 1.1)
            room = np.ptp(corners, axis=0)
            if room[0] > FRAME_WIDTH - 8 or room[1] > FRAME_HEIGHT - 8:
                continue
            low = 2 - corners.min(0)
            high = np.array([FRAME_WIDTH - 2, FRAME_HEIGHT - 2]) - corners.max(0)
            corners = (corners + rng.uniform(low, high)).astype(np.float32)
            centre = corners.mean(0)
            if any(np.hypot(*(centre - one.mean(0))) < 1.2 * (room[0] + np.ptp(one[:, 0])) / 2 for one in placed):
                continue
            if rng.random() < 0.7 and not placed:
                car(rng, image, corners)
                if rng.random() < 0.3:
                    distract(rng, image, self._faces)
            laid_on(image, worn(rng, flat.image), corners)
            placed.append(corners)
        shot = exposed(rng, np.clip(image, 0, 255), min(across, 60))
        return Scene(shot, np.stack(placed) if placed else np.zeros((0, 4, 2), np.float32))
