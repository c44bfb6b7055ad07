"""A camera looks at a plate: dirt and light on it, perspective, blur, night, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from tools.plates.draw import Flat, draw_plate
from tools.plates.glyphs import Faces

from safecity.vision.plates.alphabet import KINDS, SIGN_INDEX
from safecity.vision.plates.straighten import HEIGHT, WIDTH, strips, transforms

COLUMNS = 40  # what the reader says, one column for every 4 pixels
IGNORE = -1


@dataclass(frozen=True, slots=True)
class Crop:
    """What the reader is taught: a strip, the sign (or none) in each of its columns, the text, the kind."""

    strip: np.ndarray
    columns: np.ndarray
    text: np.ndarray
    kind: int


def worn(rng: np.random.Generator, plate: np.ndarray) -> np.ndarray:
    """The plate after some years on the road: dirt, scratches, screws, a shadow, something before it."""
    image = plate.astype(np.float32)
    height, width = image.shape[:2]
    if rng.random() < 0.4:
        low = rng.random((int(rng.integers(2, 7)), int(rng.integers(3, 14)))).astype(np.float32)
        dirt = np.clip(cv2.resize(low, (width, height), interpolation=cv2.INTER_CUBIC) - rng.uniform(0.2, 0.8), 0, 1)
        dirt *= rng.uniform(0.3, 1.4)
        tone = np.asarray((60, 80, 95), np.float32) * rng.uniform(0.3, 1.8)
        image += np.clip(dirt, 0, 0.75)[..., None] * (tone - image)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 5))):
            at = (int(rng.integers(width)), int(rng.choice([height // 8, height - height // 8, height // 2])))
            tone = float(rng.uniform(20, 230))
            cv2.circle(image, at, int(rng.integers(2, 6)), (tone, tone, tone), -1, cv2.LINE_AA)
    if rng.random() < 0.12:
        a, b = rng.integers(0, width, 2), rng.integers(0, height, 2)
        tone = float(rng.uniform(0, 255))
        cv2.line(
            image,
            (int(a[0]), int(b[0])),
            (int(a[1]), int(b[1])),
            (tone, tone, tone),
            int(rng.integers(1, 4)),
            cv2.LINE_AA,
        )
    if rng.random() < 0.3:  # a shadow's edge across it
        corner = rng.integers(0, (width, height), (4, 2)).astype(np.int32)
        mask = np.ones((height, width), np.float32)
        cv2.fillPoly(mask, [corner], float(rng.uniform(0.35, 0.8)))
        image *= cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(1, 12)))[..., None]
    return np.clip(image, 0, 255)


def pose(rng: np.random.Generator, size: tuple[int, int], across: float, hard: float = 1.0) -> np.ndarray:
    """Where a camera sees the corners of a plate of `size` (width, height): turned, tilted, `across` pixels wide."""
    width, height = 1.0, size[1] / size[0]
    corners = np.array([[-0.5, -height / 2], [0.5, -height / 2], [0.5, height / 2], [-0.5, height / 2]]) * width
    yaw, pitch, roll = rng.normal(0, (0.3 * hard, 0.2 * hard, 0.07 * hard))
    yaw, pitch = np.clip(yaw, -0.9, 0.9), np.clip(pitch, -0.7, 0.7)
    if rng.random() < 0.1 * hard:
        roll *= 3
    ry = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    rx = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    rz = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    space = np.c_[corners, np.zeros(4)] @ (rz @ rx @ ry).T
    far = rng.uniform(2.5, 12)
    seen = space[:, :2] * (far / (far + space[:, 2:]))
    seen[:, 1] *= rng.uniform(0.85, 1.15)  # pixels are not always square in what operators store
    return (seen * across / (np.ptp(seen[:, 0]))).astype(np.float32)


def exposed(rng: np.random.Generator, image: np.ndarray, across: float) -> np.ndarray:
    """Light, optics, sensor and compression; `image` float BGR, plates in it `across` pixels wide."""
    height, width = image.shape[:2]
    if rng.random() < 0.22:  # night under infrared, or a camera without colour
        grey = image @ np.asarray(rng.dirichlet((2, 3, 4)), np.float32)
        image = np.repeat(grey[..., None], 3, 2)
    elif rng.random() < 0.5:
        image = image * rng.uniform(0.75, 1.25, 3).astype(np.float32)
    if rng.random() < 0.6:  # a gradient of light
        ends = rng.uniform(0.55, 1.25, 2)
        line = np.linspace(ends[0], ends[1], width if rng.random() < 0.5 else height, dtype=np.float32)
        image = image * (line[None, :, None] if len(line) == width else line[:, None, None])
    if rng.random() < 0.07:  # a lamp, or the sun on the plate
        spot = np.zeros((height, width), np.float32)
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(spot, at, max(int(across * rng.uniform(0.05, 0.25)), 2), float(rng.uniform(60, 200)), -1)
        image = image + cv2.GaussianBlur(spot, (0, 0), max(across * rng.uniform(0.05, 0.15), 1))[..., None]
    gain, dark, gamma = rng.uniform(0.35, 1.15), rng.uniform(0, 50), np.exp(rng.normal(0, 0.3))
    if rng.random() < 0.15:
        gain *= rng.uniform(0.4, 1.0)
    image = np.clip(image * gain + dark, 0, 255)
    image = 255 * (image / 255) ** gamma
    which = rng.random()
    if which < 0.45:
        image = cv2.GaussianBlur(image, (0, 0), max(across * abs(rng.normal(0, 0.007)), 0.25) + rng.uniform(0, 0.5))
    elif which < 0.65:
        image = motion(image, float(rng.uniform(1, max(across * 0.055, 2))), float(rng.normal(0, 0.5)))
    elif which < 0.75:
        image = cv2.addWeighted(image, 2.0, cv2.GaussianBlur(image, (0, 0), 1.2), -1.0, 0)
    if rng.random() < 0.6:
        image = image + rng.normal(
            0,
            abs(rng.normal(0, 9)) * min(0.3 + gain, 1.0) + 0.5,
            image.shape[:2] + ((1,) if rng.random() < 0.5 else (3,)),
        )
    out = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.75:
        quality = int(rng.uniform(15, 95)) if rng.random() < 0.6 else int(rng.uniform(60, 95))
        out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return out


def motion(image: np.ndarray, length: float, angle: float) -> np.ndarray:
    """Blur along a straight track of `length` pixels."""
    size = int(np.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    half = (length - 1) / 2
    middle = size // 2
    a = (middle - half * np.cos(angle), middle - half * np.sin(angle))
    b = (middle + half * np.cos(angle), middle + half * np.sin(angle))
    cv2.line(kernel, (round(a[0] * 16), round(a[1] * 16)), (round(b[0] * 16), round(b[1] * 16)), 1.0, 1, cv2.LINE_AA, 4)
    total = kernel.sum()
    return cv2.filter2D(image, -1, kernel / total) if total > 0 else image


def laid_on(ground: np.ndarray, plate: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """`plate` drawn into `ground` (both float) at `corners`, small plates from a small copy so that nothing flickers.

    Returns the homography from the plate's pixels as they were given.
    """
    height, width = plate.shape[:2]
    seen = float(np.hypot(*(corners[1] - corners[0])))
    down = max(float(np.hypot(*(corners[3] - corners[0]))), 1.0)
    small = plate
    if seen < width * 0.7 or down < height * 0.7:
        size = (int(min(max(seen * 1.15, 8), width)), int(min(max(down * 1.15, 6), height)))
        small = cv2.resize(plate, size, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    unit = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    move = cv2.getPerspectiveTransform(unit, corners)
    cv2.warpPerspective(
        small,
        move,
        (ground.shape[1], ground.shape[0]),
        dst=ground,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    return move @ np.diag((w / width, h / height, 1.0))


class CropMaker:
    """Crops without end: a pool of drawn plates, each photographed a few times and then replaced."""

    def __init__(self, seed: int, faces: Faces, pool: int = 3000, renew: float = 0.4) -> None:
        self._rng = np.random.default_rng(seed)
        self._faces = faces
        self._pool: list[Flat] = []
        self._size = pool
        self._renew = renew

    def make(self) -> Crop:
        """One more."""
        rng = self._rng
        if len(self._pool) < self._size:
            flat = draw_plate(rng, self._faces)
            self._pool.append(flat)
        elif rng.random() < self._renew:
            flat = draw_plate(rng, self._faces)
            self._pool[int(rng.integers(self._size))] = flat
        else:
            flat = self._pool[int(rng.integers(self._size))]
        return photograph(rng, flat)


def photograph(rng: np.random.Generator, flat: Flat) -> Crop:
    """What the locator would cut out of a picture of this plate, corners a little wrong."""
    height, width = flat.image.shape[:2]
    across = float(np.clip(np.exp(rng.normal(np.log(110), 0.45)), 46, 300))
    if flat.lines == 2 or flat.image.shape[1] / flat.image.shape[0] < 2.2:
        across *= 0.85
    corners = pose(rng, (width, height), across)
    margin = 0.2 * across
    corners -= corners.min(0) - margin
    canvas = np.ceil(corners.max(0) + margin).astype(int)
    tone = rng.uniform(0, 220, 3) if rng.random() < 0.5 else np.repeat(rng.uniform(0, 230), 3)
    ground = np.empty((canvas[1], canvas[0], 3), np.float32)
    ground[:] = tone
    if rng.random() < 0.5:
        low = rng.normal(0, 30, (4, 6, 1)).astype(np.float32)
        ground += cv2.resize(low, (int(canvas[0]), int(canvas[1])), interpolation=cv2.INTER_LINEAR)[..., None]
    move = laid_on(ground, worn(rng, flat.image), corners)
    shot = exposed(rng, ground, across)
    size = np.array([np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[3] - corners[0]))])
    spread = np.array([0.02, 0.05]) * (2.5 if rng.random() < 0.25 else 1.0)
    wrong = corners + rng.normal(0, 1, 2) * size * spread + rng.normal(0, 0.6, (4, 2)) * size * spread
    strip = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    columns = np.zeros(COLUMNS, np.int64)
    nearest = np.full(COLUMNS, np.inf)
    seen: list[int] = []
    lines = transforms(wrong.astype(np.float32), flat.lines == 2)
    centre = np.arange(COLUMNS) * 4 + 2.0
    for line, (into, (start, end)) in enumerate(lines):
        whole = cv2.warpPerspective(
            shot, into, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        strip[:, start:end] = whole[:, start:end]
        total = into @ move
        for number, sign in enumerate(flat.signs):
            if sign.line != line:
                continue
            y = (sign.top + sign.bottom) / 2
            ends = cv2.perspectiveTransform(np.array([[[sign.left, y], [sign.right, y]]]), total)[0, :, 0]
            middle, half = (ends[0] + ends[1]) / 2, max((ends[1] - ends[0]) / 2, 3.0)
            if not start - 0.2 * half <= middle <= end + 0.2 * half:
                continue  # corners so wrong that it was cut off: nobody can read it
            seen.append(number)
            far = np.abs(centre - middle)
            say = (far < 0.5 * half) | (far == far.min())
            near = (far < 0.95 * half) & ~say & (columns == 0)
            columns[near] = IGNORE
            columns[say & (far < nearest)] = SIGN_INDEX[sign.sign]
            nearest = np.where(say, np.minimum(nearest, far), nearest)
    text = np.array([SIGN_INDEX[flat.signs[number].sign] for number in seen], np.int64)
    return Crop(strip, columns, text, KINDS.index(flat.kind))


__all__ = [
    "COLUMNS",
    "IGNORE",
    "Crop",
    "CropMaker",
    "exposed",
    "laid_on",
    "motion",
    "photograph",
    "pose",
    "strips",
    "worn",
]
