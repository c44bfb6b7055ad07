"""Signs as distance fields: from one field every stroke width is drawn by moving a threshold.

The fields come from our own strokes and from free fonts of the machine (Debian: fonts-noto-cjk-extra, fonts-opendin,
fonts-roadgeek, fonts-routed-gothic and others; what is missing is left out), so that no network learns one font.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tools.plates.strokes import FORMS, rounded

from safecity.vision.plates.alphabet import DIGITS, LETTERS, PROVINCES, SPECIAL

TILE = 96  # pixels of a sign's height in its field
EDGE = 12  # pixels around it

LATIN_FONTS = (
    ("roadgeek/RG2014B.ttf", 0), ("roadgeek/RG2014C.ttf", 0), ("roadgeek/RG2014D.ttf", 0), ("opendin/OSP-DIN.ttf", 0),
    ("routed-gothic/routed-gothic.ttf", 0), ("routed-gothic/routed-gothic-narrow.ttf", 0),
    ("routed-gothic/routed-gothic-wide.ttf", 0), ("roboto/unhinted/RobotoCondensed-Bold.ttf", 0),
    ("roboto/unhinted/RobotoTTF/Roboto-Medium.ttf", 0), ("open-sans/OpenSans-CondBold.ttf", 0),
    ("liberation/LiberationSansNarrow-Bold.ttf", 0), ("liberation/LiberationSans-Bold.ttf", 0),
    ("dejavu/DejaVuSansCondensed-Bold.ttf", 0), ("dejavu/DejaVuSansMono-Bold.ttf", 0), ("play/Play-Bold.ttf", 0),
    ("b612/B612Mono-Bold.ttf", 0), ("lato/Lato-Bold.ttf", 0), ("dosis/Dosis-Bold.ttf", 0),
    ("freefont/FreeSansBold.ttf", 0), ("noto/NotoSansCJK-Bold.ttc", 2), ("wqy/wqy-zenhei.ttc", 0),
)  # fmt: skip
CHINESE_FONTS = (
    ("noto/NotoSansCJK-Regular.ttc", 2), ("noto/NotoSansCJK-Medium.ttc", 2), ("noto/NotoSansCJK-Bold.ttc", 2),
    ("noto/NotoSansCJK-Black.ttc", 2), ("wqy/wqy-zenhei.ttc", 0), ("wqy/wqy-microhei.ttc", 0),
    ("smiley-sans/SmileySans-Oblique.ttf", 0), ("noto/NotoSerifCJK-Bold.ttc", 2),
    ("motoya-l-cedar/MTLc3m.ttf", 0), ("ipaexfont-gothic/ipaexg.ttf", 0),
)  # fmt: skip
_FOLDERS = ("/usr/share/fonts/truetype", "/usr/share/fonts/opentype")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One form of a sign: signed distance to its edge (positive inside, in pixels of a sign TILE high)."""

    field: np.ndarray
    aspect: float  # width over height
    stroke: tuple[float, float]  # thresholds between which it looks right


@dataclass(frozen=True, slots=True)
class Face:
    """All signs in one hand."""

    name: str
    glyphs: dict[str, list[Glyph]]


def stroke_faces(rng: np.random.Generator, count: int) -> list[Face]:
    """Faces of our own strokes: each with its own proportions and roundness."""
    faces: list[Face] = []
    for number in range(count):
        radius = float(rng.uniform(0.12, 0.3))
        cap = float(rng.uniform(5.0, 8.5))  # half a stroke of a sign 96 high: 10 to 17 %
        glyphs: dict[str, list[Glyph]] = {}
        for sign, forms in FORMS.items():
            width = {"1": 0.22, "I": 0.22, "M": 0.56, "W": 0.6}.get(sign, 0.44)
            glyphs[sign] = [_from_strokes(form, width, radius, cap) for form in forms]
            if len(forms) > 1 and rng.random() < 0.7:  # most hands write a sign in one way only
                glyphs[sign] = [glyphs[sign][int(rng.integers(len(forms)))]]
        if rng.random() < 0.5:  # 0 narrower than O, as many plates have it
            glyphs["0"] = [_from_strokes(FORMS["0"][0], 0.36, radius, cap)]
        faces.append(Face(f"strokes-{number}", glyphs))
    return faces


def _from_strokes(form: list, width: float, radius: float, half: float) -> Glyph:
    inner_w, inner_h = width * TILE - 2 * half * 0.8, TILE - 2 * half * 0.8
    inner_w = max(inner_w, 1.0)
    shape = (TILE + 2 * EDGE, round(width * TILE) + 2 * EDGE)
    mask = np.full(shape, 255, np.uint8)
    shift = EDGE + half * 0.8
    for line in form:
        points = rounded(line, inner_w, inner_h, radius * TILE) + shift
        cv2.polylines(mask, [np.round(points * 16).astype(np.int32)], False, 0, 1, shift=4)
    far = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    return Glyph((half - far).astype(np.float32), width, (-1.8, 1.2))


def font_face(path: Path, index: int, signs: str) -> Face | None:
    """A font's signs; None when it lacks most of them. A sign it lacks is left out."""
    font = ImageFont.truetype(str(path), 160, index=index)
    missing = _picture(font, "\uffff")
    glyphs: dict[str, list[Glyph]] = {}
    for sign in signs:
        drawn = _picture(font, sign)
        if drawn is None or (missing is not None and drawn.shape == missing.shape and (drawn == missing).all()):
            continue
        height, width = drawn.shape
        aspect = width / height
        small = cv2.resize(drawn, (max(round(aspect * TILE), 6), TILE), interpolation=cv2.INTER_AREA)
        ink = cv2.copyMakeBorder((small > 127).astype(np.uint8), EDGE, EDGE, EDGE, EDGE, cv2.BORDER_CONSTANT, value=0)
        inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
        outside = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
        half = float(np.percentile(inside[inside > 0], 95))  # of its stroke; a plate's is 4 to 8 of 96
        stroke = (float(np.clip(4.0 - half, -0.3 * half, 2.0)), float(np.clip(7.5 - half, 1.0, 5.0)))
        glyphs[sign] = [Glyph((inside - outside).astype(np.float32), aspect, stroke)]
    return Face(path.stem, glyphs) if len(glyphs) > 0.6 * len(signs) else None


def _picture(font: ImageFont.FreeTypeFont, sign: str) -> np.ndarray | None:
    image = Image.new("L", (400, 400))
    ImageDraw.Draw(image).text((100, 60), sign, font=font, fill=255)
    box = image.getbbox()
    return np.asarray(image.crop(box)) if box else None


@dataclass(frozen=True, slots=True)
class Faces:
    """What the plates are written with."""

    latin: list[Face]
    chinese: list[Face]


def load_faces(seed: int = 1) -> Faces:
    """Every font of the list that is here, and a dozen hands of our own strokes."""
    rng = np.random.default_rng(seed)
    latin = stroke_faces(rng, 16)
    latin += _installed(LATIN_FONTS, LETTERS + DIGITS)
    chinese = _installed(CHINESE_FONTS, PROVINCES + SPECIAL)
    if not chinese:
        raise SystemExit("no font with Chinese signs: apt-get install fonts-noto-cjk fonts-noto-cjk-extra")
    return Faces(latin, chinese)


def _installed(wanted: tuple[tuple[str, int], ...], signs: str) -> list[Face]:
    faces: list[Face] = []
    for name, index in wanted:
        for folder in _FOLDERS:
            path = Path(folder) / name
            if path.is_file() and (face := font_face(path, index, signs)) is not None:
                faces.append(face)
                break
    return faces
