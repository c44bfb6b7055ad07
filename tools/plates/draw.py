"""A plate as it leaves the press: flat, clean, with the box of every sign. Sizes in mm as GA 36-2018 has them."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from tools.plates.glyphs import EDGE, Face, Faces, Glyph
from tools.plates.texts import br_text, cn_text, eu_text, us_text

from safecity.vision.plates.alphabet import PlateKind

SCALE = 0.6  # pixels per millimetre
SELDOM = ("SmileySans", "NotoSerif", "MTLc", "ipaex", "NotoSansCJK-Black", "NotoSansCJK-Bold")
"""Fonts whose provinces are further from those that are pressed, which are thin: the others are taken more often."""

# Equal provinces need many Chinese plates; the other countries have fewer signs.
MIX = {
    PlateKind.CN_BLUE: 0.26, PlateKind.CN_YELLOW: 0.08, PlateKind.CN_GREEN: 0.07, PlateKind.CN_GREEN_LARGE: 0.03,
    PlateKind.CN_WHITE: 0.04, PlateKind.CN_BLACK: 0.03, PlateKind.EU: 0.23, PlateKind.US: 0.18,
    PlateKind.BR_GREY: 0.06, PlateKind.BR_MERCOSUR: 0.02,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign's place on the flat plate, in pixels; `line` 0 or 1."""

    sign: str
    left: float
    top: float
    right: float
    bottom: float
    line: int = 0


@dataclass(frozen=True, slots=True)
class Flat:
    """A drawn plate: picture (BGR), its signs in reading order, its kind and number of lines."""

    image: np.ndarray
    signs: list[Sign]
    kind: PlateKind
    lines: int

    @property
    def text(self) -> str:
        return "".join(sign.sign for sign in self.signs)


@dataclass(slots=True)
class _Press:
    """A plate in the making."""

    rng: np.random.Generator
    faces: Faces
    width_mm: float
    height_mm: float
    paint: np.ndarray = field(init=False)
    raised: np.ndarray = field(init=False)
    signs: list[Sign] = field(default_factory=list)
    latin: Face = field(init=False)
    chinese: Face = field(init=False)
    boldness: float = field(init=False)
    chinese_boldness: float = field(init=False)

    def __post_init__(self) -> None:
        shape = (round(self.height_mm * SCALE), round(self.width_mm * SCALE))
        self.paint = np.empty((*shape, 3), np.float32)
        self.raised = np.zeros(shape, np.float32)
        self.latin = self.faces.latin[int(self.rng.integers(len(self.faces.latin)))]
        plain = [face for face in self.faces.chinese if not face.name.startswith(SELDOM)]
        chinese = plain if plain and self.rng.random() < 0.85 else self.faces.chinese
        self.chinese = chinese[int(self.rng.integers(len(chinese)))]
        self.boldness = float(self.rng.uniform(0, 1))
        # Letters are pressed 10 mm strong, provinces 6 to 7: there is no room for more between their strokes.
        self.chinese_boldness = float(self.rng.uniform(-0.1, 0.6))

    def glyph(self, sign: str) -> Glyph:
        latin = sign.isascii()
        for face in (self.latin if latin else self.chinese, *(self.faces.latin if latin else self.faces.chinese)):
            if sign in face.glyphs:
                forms = face.glyphs[sign]
                return forms[int(self.rng.integers(len(forms)))]
        raise KeyError(sign)

    def write(
        self, sign: str, x: float, y: float, w: float, h: float, ink: tuple[float, float, float], line: int = 0
    ) -> None:
        """A sign into the box (mm) `x`, `y`, `w`, `h`; narrow ones keep their shape in the middle of it."""
        glyph = self.glyph(sign)
        if glyph.aspect * h < w * 0.6:
            narrow = max(glyph.aspect * h, w * 0.2)
            x, w = x + (w - narrow) / 2, narrow
        box = self.stamp(glyph, x, y, w, h, ink, self.boldness if sign.isascii() else self.chinese_boldness)
        self.signs.append(Sign(sign, *box, line))

    def stamp(
        self, glyph: Glyph, x: float, y: float, w: float, h: float, ink: tuple[float, float, float], bold: float
    ) -> tuple[float, float, float, float]:
        left, top, wide, high = x * SCALE, y * SCALE, w * SCALE, h * SCALE
        rows, columns = glyph.field.shape
        sx, sy = wide / (columns - 2 * EDGE), high / (rows - 2 * EDGE)
        x0, y0 = int(np.floor(left - EDGE * sx)), int(np.floor(top - EDGE * sy))
        size = (int(np.ceil(columns * sx)) + 2, int(np.ceil(rows * sy)) + 2)
        move = np.array([[sx, 0, left - EDGE * sx - x0], [0, sy, top - EDGE * sy - y0]], np.float32)
        far = cv2.warpAffine(glyph.field, move, size, flags=cv2.INTER_LINEAR, borderValue=-EDGE)
        level = glyph.stroke[0] + (glyph.stroke[1] - glyph.stroke[0]) * bold
        alpha = np.clip(0.5 + (far + level) * (sx + sy) / 2, 0, 1)
        height, width = self.raised.shape
        a, b, c, d = max(y0, 0), min(y0 + size[1], height), max(x0, 0), min(x0 + size[0], width)
        if a < b and c < d:
            cut = alpha[a - y0 : b - y0, c - x0 : d - x0]
            here = self.paint[a:b, c:d]
            here += cut[..., None] * (np.asarray(ink, np.float32) - here)
            np.maximum(self.raised[a:b, c:d], cut, out=self.raised[a:b, c:d])
        return left, top, left + wide, top + high

    def frame(self, inset: float, thick: float, ink: tuple[float, float, float]) -> None:
        """The line that runs around most plates."""
        i, t = max(round(inset * SCALE), 0), max(round(thick * SCALE), 1)
        height, width = self.raised.shape
        cv2.rectangle(self.paint, (i, i), (width - 1 - i, height - 1 - i), ink, t, cv2.LINE_AA)
        cv2.rectangle(self.raised, (i, i), (width - 1 - i, height - 1 - i), 0.6, t, cv2.LINE_AA)

    def small_text(self, text: str, x: float, y: float, w: float, h: float, ink: tuple[float, float, float]) -> None:
        """Words that do not belong to the number: a state, a slogan, a dealer."""
        face = cv2.FONT_HERSHEY_SIMPLEX if self.rng.random() < 0.5 else cv2.FONT_HERSHEY_COMPLEX
        if self.rng.random() < 0.2:
            face = cv2.FONT_HERSHEY_SCRIPT_COMPLEX
        size = cv2.getTextSize(text, face, 1, 1)[0]
        scale = min(w * SCALE / size[0], h * SCALE / size[1])
        at = (round((x + w / 2) * SCALE - size[0] * scale / 2), round((y + h) * SCALE))
        mask = np.zeros(self.raised.shape, np.uint8)
        cv2.putText(mask, text, at, face, scale, 255, 1 + int(self.rng.random() < 0.3), cv2.LINE_AA)
        self.paint += (mask / np.float32(255))[..., None] * (np.asarray(ink, np.float32) - self.paint)

    def bold_words(self, text: str, x: float, y: float, w: float, h: float, ink: tuple[float, float, float]) -> None:
        """The same in strong capitals, as frames of dealers and names of states are: like signs, only smaller."""
        face = self.faces.latin[int(self.rng.integers(len(self.faces.latin)))]
        glyphs = [face.glyphs[sign][0] if sign in face.glyphs else None for sign in text.upper()]
        wide = [(glyph.aspect if glyph else 0.4) * h * 1.15 for glyph in glyphs]
        squeeze = min(1.0, w / max(sum(wide), 1.0))
        at = x + (w - sum(wide) * squeeze) / 2
        for glyph, width in zip(glyphs, wide, strict=True):
            if glyph is not None:
                self.stamp(glyph, at, y, width * squeeze * 0.87, h, ink, 0.7)
            at += width * squeeze

    def emblem(self, x: float, y: float, size: float) -> None:
        """What stands between two signs of a number and is none: a fruit, a badge, the outline of a state."""
        rng, at = self.rng, np.array([x, y]) * SCALE
        for _ in range(int(rng.integers(1, 4))):
            tone = _shade(rng, (110, 110, 110), 90)
            middle = at + rng.normal(0, 0.12 * size * SCALE, 2)
            if rng.random() < 0.5:
                axes = rng.uniform(0.25, 0.6, 2) * size * SCALE
                cv2.ellipse(self.paint, (middle, axes * 2, float(rng.uniform(0, 180))), tone, -1, cv2.LINE_AA)
            else:
                turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(4, 9))))
                far = rng.uniform(0.25, 0.6, (len(turns), 1)) * size * SCALE
                corners = middle + far * np.c_[np.cos(turns), np.sin(turns)]
                cv2.fillPoly(self.paint, [np.round(corners * 16).astype(np.int32)], tone, cv2.LINE_AA, 4)

    def done(self, kind: PlateKind, lines: int) -> Flat:
        """Press it: edges catch light on one side and shadow on the other."""
        strength = self.rng.normal(0, 22)
        if abs(strength) > 4:
            relief = self.raised - np.roll(self.raised, (1, int(self.rng.integers(-1, 2))), (0, 1))
            self.paint += (relief * strength)[..., None]
        return Flat(np.clip(self.paint, 0, 255).astype(np.uint8), self.signs, kind, lines)


def _shade(rng: np.random.Generator, bgr: tuple[float, float, float], spread: float = 16) -> tuple[float, float, float]:
    shift = rng.normal(0, spread * 0.6)
    one = np.clip(np.asarray(bgr) + shift + rng.normal(0, spread * 0.6, 3), 0, 255)
    return float(one[0]), float(one[1]), float(one[2])


WHITE, BLACK, RED, BLUE = (235, 235, 235), (25, 25, 25), (40, 30, 190), (160, 60, 20)


def draw_plate(rng: np.random.Generator, faces: Faces, kind: PlateKind | None = None, text: str | None = None) -> Flat:
    """A plate of `kind` (any, by MIX) with `text` (any that the kind's rules allow)."""
    if kind is None:
        kinds = list(MIX)
        kind = kinds[int(rng.choice(len(kinds), p=np.array(list(MIX.values()))))]
    if kind.country == "cn":
        return _draw_cn(rng, faces, kind, text or cn_text(rng, kind))
    if kind is PlateKind.US:
        return _draw_us(rng, faces, text or us_text(rng))
    if kind is PlateKind.EU:
        return _draw_eu(rng, faces, text or eu_text(rng))
    return _draw_br(rng, faces, kind, text or br_text(rng, kind is PlateKind.BR_MERCOSUR))


def _draw_cn(rng: np.random.Generator, faces: Faces, kind: PlateKind, text: str) -> Flat:
    if kind is PlateKind.CN_YELLOW:
        two_lines = text[-1] == "挂" or (text[-1] != "学" and rng.random() < 0.45)
    else:
        two_lines = kind in (PlateKind.CN_BLUE, PlateKind.CN_WHITE, PlateKind.CN_BLACK) and rng.random() < 0.04
    green = kind in (PlateKind.CN_GREEN, PlateKind.CN_GREEN_LARGE)
    motorcycle = two_lines and rng.random() < 0.25
    size = (480, 140) if green else (220, 140) if motorcycle else (440, 220) if two_lines else (440, 140)
    press = _Press(rng, faces, *size)
    ground, ink = {
        PlateKind.CN_BLUE: ((175, 85, 20), WHITE), PlateKind.CN_YELLOW: ((25, 175, 235), BLACK),
        PlateKind.CN_WHITE: (WHITE, BLACK), PlateKind.CN_BLACK: ((35, 30, 30), WHITE),
    }.get(kind, (WHITE, BLACK))  # fmt: skip
    press.paint[:] = _shade(rng, ground)
    if green:
        _green(rng, press, kind)
    ink = _shade(rng, ink, 10)
    edge = ink if not green else _shade(rng, BLACK, 20)
    if rng.random() < 0.9:
        press.frame(6, 2.5, edge)
    red = _shade(rng, RED)
    heads = {0} if kind is PlateKind.CN_WHITE and text[0] not in "0123456789" and text[-1] not in "警" else set()

    def colour(place: int) -> tuple[float, float, float]:
        sign = text[place]
        if sign in "警使领" or (kind is PlateKind.CN_WHITE and (place in heads or text[:2] == "WJ") and place < 3):
            return red
        return ink

    if two_lines:
        unit = size[1] / 220
        half = size[0] / 2
        top_w, bottom_w = 80 * size[0] / 440, 65 * size[0] / 440
        gap = (60 if not motorcycle else 15) * rng.uniform(0.5, 1.2)
        for place in (0, 1):
            x = half - gap / 2 - top_w if place == 0 else half + gap / 2
            press.write(text[place], x, 15 * unit, top_w, 60 * unit, colour(place))
        bottom = text[2:]
        room = size[0] * 0.93 / len(bottom)
        for place in range(2, len(text)):
            x = size[0] * 0.035 + room * (place - 2) + (room - bottom_w) / 2
            press.write(text[place], x, 90 * unit, bottom_w, 110 * unit, colour(place), 1)
        return press.done(kind, 2)
    # GA 36-2018: signs of 45 mm, 12 between them, 34 around the dot; new-energy ones of 43, 9, 49 around their mark.
    x, width, pitch, around_dot, count = 15.5, 45.0, 57.0, 34.0 - 12.0, len(text)
    dot_after = 1 if (text[:2] != "WJ" and kind is not PlateKind.CN_WHITE) or text[-1] == "警" else -1
    if green:
        width, pitch, around_dot = 43.0, 52.0, 49.0 - 9.0
    if dot_after < 0:
        around_dot = 0.0
    needed = 2 * x + (count - 1) * pitch + width + around_dot
    if needed > size[0] + 4:  # eight signs on a plate for seven
        around_dot *= 0.5
        pitch = (size[0] - 2 * x - around_dot) / (count - 0.2)
        width = pitch * 0.8
    for place in range(count):
        press.write(text[place], x, 25, width * (1.05 if place == 0 else 1), 90, colour(place))
        x += pitch
        if place == dot_after:
            if not green:
                centre = (round((x - (pitch - width) / 2 + around_dot / 2) * SCALE), round(70 * SCALE))
                cv2.circle(press.paint, centre, round(5 * SCALE), ink, -1, cv2.LINE_AA)
            x += around_dot
    if rng.random() < 0.6:  # mounting bolts
        for bolt in (110, size[0] - 110):
            for y in (12, 128):
                tone = _shade(rng, (150, 150, 150), 40)
                cv2.circle(
                    press.paint, (round(bolt * SCALE), round(y * SCALE)), int(rng.integers(2, 6)), tone, -1, cv2.LINE_AA
                )
    return press.done(kind, 1)


def _green(rng: np.random.Generator, press: _Press, kind: PlateKind) -> None:
    height, width = press.raised.shape
    green = np.asarray(_shade(rng, (110, 190, 80)), np.float32)
    light = np.asarray(_shade(rng, (225, 240, 225), 8), np.float32)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** rng.uniform(0.7, 1.6)
    press.paint[:] = light + (green - light) * down
    if kind is PlateKind.CN_GREEN_LARGE:
        press.paint[:] = green
        press.paint[:, : round(width * 0.26)] = _shade(rng, (25, 190, 235))


_STATES = (
    "CALIFORNIA", "TEXAS", "New York", "Florida", "OHIO", "Georgia", "ILLINOIS", "Nevada", "Washington", "Arizona",
    "MISSOURI", "Virginia", "Oregon", "Utah", "KANSAS", "Maryland", "Iowa", "COLORADO", "Tennessee", "Michigan",
)  # fmt: skip
_SLOGANS = (
    "Sunshine State", "LAND OF LINCOLN", "SHOW-ME STATE", "dmv.ca.gov", "Lone Star State", "EMPIRE STATE",
    "GARDEN STATE", "Birthplace of Aviation", "IN GOD WE TRUST", "Greatest Snow on Earth", "myflorida.com",
    "EVERGREEN STATE", "HANCOCK COUNTY",
)  # fmt: skip
_DEALERS = (
    "LAKESIDE FORD", "NORTH BAY", "CITY MOTORS", "HONDA OF TROY", "AUTO PLAZA", "TOYOTA", "RIVER VALLEY", "STAR CARS",
    "1-800-555-0142", "DOWNTOWN", "SMITH AND SON", "UNIVERSITY", "ALUMNI", "BEST DEALS", "CAPITAL CITY", "NISSAN WEST",
)  # fmt: skip


def _draw_us(rng: np.random.Generator, faces: Faces, text: str) -> Flat:
    press = _Press(rng, faces, 305, 152)
    height, width = press.raised.shape
    light = rng.random() < 0.8
    top = np.asarray(_shade(rng, (225, 225, 225) if light else (90, 70, 50), 45), np.float32)
    bottom = np.asarray(_shade(rng, (225, 225, 225) if light else (90, 70, 50), 45), np.float32)
    press.paint[:] = top + (bottom - top) * np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    for _ in range(int(rng.integers(0, 4))):  # mountains, oranges, flags
        shape = rng.integers(0, (width, height), (int(rng.integers(3, 7)), 2)).astype(np.int32)
        layer = press.paint.copy()
        cv2.fillPoly(layer, [shape], _shade(rng, (200, 200, 200) if light else (90, 80, 70), 50))
        press.paint[:] = cv2.addWeighted(press.paint, 0.5, layer, 0.5, 0)
    if rng.random() < 0.4:
        cv2.rectangle(
            press.paint, (0, 0), (width, round(height * rng.uniform(0.15, 0.25))), _shade(rng, (120, 60, 40), 60), -1
        )
    inks = ((30, 30, 30), (110, 40, 20), (50, 30, 140), (40, 90, 30), (80, 40, 30))
    ink = _shade(rng, inks[int(rng.integers(len(inks)))] if light else WHITE, 14)
    other = _shade(rng, inks[int(rng.integers(len(inks)))] if light else WHITE, 30)
    if rng.random() < 0.92:
        name, high = str(rng.choice(_STATES)), float(rng.uniform(15, 27))
        write = press.bold_words if rng.random() < 0.5 else press.small_text
        write(name, 45, 5, 215, high, other)
    if rng.random() < 0.75:
        write = press.bold_words if rng.random() < 0.3 else press.small_text
        write(str(rng.choice(_SLOGANS)), 60, 131, 185, float(rng.uniform(8, 14)), other)
    for x, y in ((8, 8), (262, 8), (8, 122), (262, 122)):  # month and year
        if rng.random() < 0.35:
            a, b = (round(x * SCALE), round(y * SCALE)), (round((x + 35) * SCALE), round((y + 22) * SCALE))
            cv2.rectangle(press.paint, a, b, _shade(rng, (120, 120, 120), 80), -1)
            press.small_text(
                str(int(rng.integers(1, 99))), x + 5, y + 4, 24, 14, WHITE if rng.random() < 0.5 else BLACK
            )
    high = float(rng.uniform(62, 80))
    y = (152 - high) / 2 + float(rng.uniform(-4, 6))
    cell = min(295 / len(text), float(rng.uniform(34, 46)))
    gap_at = int(rng.integers(2, len(text))) if rng.random() < 0.55 and len(text) > 4 else -1
    gap = float(rng.uniform(8, 34)) if gap_at >= 0 else 0.0
    cell = min(cell, (293 - gap) / len(text))
    x = (305 - cell * len(text) - gap) / 2
    stacked = rng.random() < 0.06  # small letters beside the number that are not read
    if stacked:
        press.small_text("".join(chr(65 + int(i)) for i in rng.integers(0, 26, 2)), 4, y + 10, 16, 20, other)
    for place, sign in enumerate(text):
        if place == gap_at:
            if rng.random() < 0.65:
                middle = (round((x + gap / 2) * SCALE), round((y + high / 2) * SCALE))
                which = rng.random()
                if which < 0.6:
                    press.emblem(x + gap / 2, y + high * float(rng.uniform(0.35, 0.65)), min(gap * 1.1, 0.45 * high))
                elif which < 0.75:
                    cv2.circle(press.paint, middle, max(round(gap * 0.25), 2), other, -1, cv2.LINE_AA)
                else:
                    a = (middle[0] - max(round(gap * 0.2), 2), middle[1])
                    cv2.line(press.paint, a, (2 * middle[0] - a[0], a[1]), ink, 3, cv2.LINE_AA)
            x += gap
        press.write(sign, x + cell * 0.07, y, cell * 0.86, high, ink)
        x += cell
    if rng.random() < 0.5:  # a dealer's frame over the edge
        tone, thick = _shade(rng, (70, 70, 70), 60), int(rng.integers(3, 11))
        cv2.rectangle(press.paint, (0, 0), (width - 1, height - 1), tone, thick)
        if rng.random() < 0.7:
            high = float(rng.uniform(10, 20))  # of the frame, which may cover the plate's own edge
            edge = _shade(rng, WHITE if tone[0] < 110 else BLACK, 30)
            for top in (True, False) if rng.random() < 0.3 else (False,):
                y = 0 if top else round((152 - high - 3) * SCALE)
                cv2.rectangle(press.paint, (0, y), (width - 1, y + round((high + 3) * SCALE)), tone, -1)
                words = str(rng.choice(_DEALERS))
                press.bold_words(words, 20, y / SCALE + 1.5, 265, high, edge)
    return press.done(PlateKind.US, 1)


def _draw_eu(rng: np.random.Generator, faces: Faces, text: str) -> Flat:
    two_lines = rng.random() < 0.05 and any(sign in text for sign in "_-o")
    press = _Press(rng, faces, *((300, 200) if two_lines else (520, 110)))
    width, height = press.width_mm, press.height_mm
    ground = WHITE if rng.random() < 0.8 else (30, 195, 240)
    press.paint[:] = _shade(rng, ground, 12)
    ink = _shade(rng, BLACK if rng.random() < 0.93 else (130, 30, 20), 12)
    left, right = 8.0, width - 8
    if rng.random() < 0.85:
        strip = 42.0
        _strip(rng, press, 0, strip)
        left = strip + 4
    if rng.random() < 0.12:
        _strip(rng, press, width - 40, 40)
        right = width - 44
    if rng.random() < 0.8:
        press.frame(2, 3, ink)
    rows = [text]
    if two_lines:
        cut = next(place for place, sign in enumerate(text) if sign in "_-o")
        rows = [text[:cut], text[cut + 1 :]]
    for line, row in enumerate(rows):
        high = float(rng.uniform(70, 80)) if not two_lines else float(rng.uniform(68, 76))
        y = (height - high) / 2 if not two_lines else (14 if line == 0 else 110)
        _eu_row(rng, press, row, (left if line == 0 else 8.0, right), (y, high), ink, line)
    return press.done(PlateKind.EU, len(rows))


def _eu_row(
    rng: np.random.Generator, press: _Press, row: str, across: tuple[float, float], down: tuple[float, float],
    ink: tuple[float, float, float], line: int,
) -> None:  # fmt: skip
    gaps = {"_": float(rng.uniform(18, 40)), "-": float(rng.uniform(20, 32)), "o": float(rng.uniform(40, 58))}
    signs = sum(sign not in gaps for sign in row)
    free = across[1] - across[0] - sum(gaps.get(sign, 0) for sign in row)
    cell = min(free / max(signs, 1), float(rng.uniform(46, 58)))
    used = cell * signs + sum(gaps.get(sign, 0) for sign in row)
    x = across[0] + (across[1] - across[0] - used) * float(rng.uniform(0.3, 0.7))
    for sign in row:
        if sign not in gaps:
            press.write(sign, x + cell * 0.07, down[0], cell * 0.86, down[1], ink, line)
            x += cell
            continue
        middle = (round((x + gaps[sign] / 2) * SCALE), round((down[0] + down[1] / 2) * SCALE))
        if sign == "-":
            a = (round((x + 6) * SCALE), middle[1])
            cv2.line(press.paint, a, (round((x + gaps[sign] - 6) * SCALE), middle[1]), ink, max(round(9 * SCALE), 2))
        elif sign == "o":
            for up in (-19, 19):
                centre = (middle[0], middle[1] + round(up * SCALE))
                cv2.circle(
                    press.paint,
                    centre,
                    round(rng.uniform(13, 19) * SCALE),
                    _shade(rng, (150, 150, 120), 70),
                    -1,
                    cv2.LINE_AA,
                )
                if rng.random() < 0.5:
                    cv2.circle(press.paint, centre, round(7 * SCALE), _shade(rng, (120, 120, 120), 80), -1, cv2.LINE_AA)
        x += gaps[sign]


def _strip(rng: np.random.Generator, press: _Press, x: float, width: float) -> None:
    a, b = round(x * SCALE), round((x + width) * SCALE)
    height = press.raised.shape[0]
    press.paint[:, a:b] = _shade(rng, (165, 70, 20), 25)
    for angle in np.arange(12) * np.pi / 6:
        centre = (a + (b - a) / 2 + 7 * np.cos(angle), height * 0.33 + 7 * np.sin(angle))
        cv2.circle(press.paint, (round(centre[0]), round(centre[1])), 1, (40, 200, 240), -1)
    name = "".join(chr(65 + int(i)) for i in rng.integers(0, 26, int(rng.integers(1, 4))))
    press.small_text(name, x + 8, press.height_mm * 0.62, width - 16, press.height_mm * 0.22, WHITE)


_TOWNS = ("SP - SAO PAULO", "RJ - RIO DE JANEIRO", "MG - CONTAGEM", "PR - CURITIBA", "BA - SALVADOR", "RS - CANOAS")


def _draw_br(rng: np.random.Generator, faces: Faces, kind: PlateKind, text: str) -> Flat:
    press = _Press(rng, faces, 400, 130)
    mercosur = kind is PlateKind.BR_MERCOSUR
    press.paint[:] = _shade(rng, WHITE, 10) if mercosur else _shade(rng, (165, 165, 160), 22)
    if not mercosur and rng.random() < 0.12:
        press.paint[:] = _shade(rng, (40, 40, 190))  # hire cars
    ink = _shade(rng, BLACK, 14)
    if mercosur:
        press.paint[: round(30 * SCALE)] = _shade(rng, (160, 60, 10))
        press.small_text("BRASIL", 150, 7, 100, 16, WHITE)
    elif rng.random() < 0.9:
        press.small_text(str(rng.choice(_TOWNS)), 90, 6, 220, 15, ink)
    if rng.random() < 0.8:
        press.frame(2, 3, ink)
    signs = text.replace("-", "")
    gap = 0.0 if mercosur else float(rng.uniform(14, 30))
    cell = min((384 - gap) / len(signs), 54.0)
    x = (400 - cell * len(signs) - gap) / 2
    high = float(rng.uniform(63, 76))
    for sign in text:
        if sign == "-":
            middle = (round((x + gap / 2) * SCALE), round(78 * SCALE))
            if rng.random() < 0.7:
                cv2.circle(press.paint, middle, max(round(5 * SCALE), 2), ink, -1, cv2.LINE_AA)
            x += gap
            continue
        press.write(sign, x + cell * 0.06, 38 if not mercosur else 42, cell * 0.88, high, ink)
        x += cell
    return press.done(kind, 1)
