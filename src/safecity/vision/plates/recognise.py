"""A picture in, its plates out: found, straightened, read. What is doubtful is said to be, never left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from safecity.kit.errors import InvalidError
from safecity.ports.inference import Inference, NetworkInfo
from safecity.vision.pictures import MAX_PIXELS
from safecity.vision.plates.alphabet import COUNTRIES, PlateKind
from safecity.vision.plates.locator import Found, Locator
from safecity.vision.plates.reader import Reader, StripReading
from safecity.vision.plates.straighten import HEIGHT, Corners, Picture, grown, straighten, transforms

MODELS = Path(__file__).parent / "models"
STILL = (320, 640)
FRAME = (640,)
SMALL_IN_STILL = (1280,)
# A still is looked at thrice, for there is no other frame that could vote.
VIEWS = ((0.0, 0.0), (0.02, 0.07), (-0.015, -0.05))
_LEAST = 0.35
SURE = 0.4  # nine in ten of the readings from here on are right (tools.plates.calibrate)
_MAYBE_TWO_LINES = 2.7  # width over height: flatter plates have one line
_ONE_LINE = frozenset({"us"})  # countries whose plates have no second one


@dataclass(frozen=True, slots=True)
class SignRead:
    """One sign, how sure, and its box in the picture (four corners, clockwise)."""

    sign: str
    confidence: float
    corners: Corners


@dataclass(frozen=True, slots=True)
class PlateRead:
    """A plate in a picture. `confidence` is that of the whole text; `doubtful` ones are for people to decide."""

    text: str
    confidence: float
    kind: PlateKind | None  # None where nothing could be read
    corners: Corners
    tilt_degrees: float
    lines: int
    signs: tuple[SignRead, ...]
    others: tuple[str, ...]  # what it could also be, likeliest first
    located: float
    written: bool  # as plates of its country are
    doubtful: bool


class PlateRecogniser:
    """Locate, straighten, read: the three steps, with the two networks behind them."""

    def __init__(
        self, locator: Locator, reader: Reader, *, sure: float = SURE, countries: frozenset[str] = COUNTRIES
    ) -> None:
        self._locator = locator
        self._reader = reader
        self._sure = sure
        self._countries = countries

    @property
    def networks(self) -> tuple[NetworkInfo, NetworkInfo]:
        """What every event that comes of a reading names: locator and reader."""
        return self._locator.info, self._reader.info

    def still(self, picture: Picture) -> list[PlateRead]:
        """All plates in a single picture, from large ones to small ones."""
        check_picture(picture)
        reads = self.read(picture, self._locator.find(picture, STILL, _LEAST), VIEWS)
        if all(one.doubtful for one in reads) and max(picture.shape[:2]) > STILL[-1]:
            closer = self._locator.find(picture, SMALL_IN_STILL, _LEAST)
            reads = _best_of(reads, self.read(picture, closer, VIEWS))
        return reads

    def frame(self, picture: Picture) -> list[PlateRead]:
        """All plates in a frame of a film: one look, for there will be another frame."""
        check_picture(picture)
        return self.read(picture, self._locator.find(picture, FRAME, _LEAST))

    def read(
        self, picture: Picture, found: Sequence[Found], views: Sequence[tuple[float, float]] = ((0.0, 0.0),)
    ) -> list[PlateRead]:
        """What stands on plates whose corners are known; `views` are shares by which to look beyond them."""
        strips: list[list[Picture]] = []
        whose: list[tuple[Found, int]] = []
        for one in found:
            for lines in (1, 2) if one.width < _MAYBE_TWO_LINES * one.height and self._countries - _ONE_LINE else (1,):
                around = [grown(one.corners, *view) for view in views]
                strips.append([straighten(picture, corners, lines == 2) for corners in around])
                whose.append((one, lines))
        best: dict[int, PlateRead] = {}
        for (one, lines), reading in zip(whose, self._reader.read(strips, self._countries), strict=True):
            if lines == 2 and reading is not None and reading.reading.kind.country in _ONE_LINE:
                continue
            read = self._told(one, lines, reading)
            known = best.get(id(one))
            if known is None or _better(read, known):
                best[id(one)] = read
        return [best[id(one)] for one in found]

    def _told(self, found: Found, lines: int, strip: StripReading | None) -> PlateRead:
        if strip is None:
            return PlateRead(
                "",
                0.0,
                None,
                found.corners,
                found.tilt_degrees,
                lines,
                (),
                (),
                found.score,
                written=False,
                doubtful=True,
            )
        moves = transforms(found.corners, lines == 2)
        signs: list[SignRead] = []
        for sign, sure, (left, right) in zip(strip.reading.text, strip.reading.confidences, strip.boxes, strict=True):
            middle = (left + right) / 2
            move = next(into for into, (start, end) in moves if start <= middle <= end or end == moves[-1][1][1])
            box = np.array([[left, 2], [right, 2], [right, HEIGHT - 2], [left, HEIGHT - 2]], np.float32)
            corners = cv2.perspectiveTransform(box[None], np.linalg.inv(move))[0].astype(np.float32)
            signs.append(SignRead(sign, sure, corners))
        confidence = float(np.prod(strip.reading.confidences))
        return PlateRead(
            strip.reading.text,
            confidence,
            strip.reading.kind,
            found.corners,
            found.tilt_degrees,
            lines,
            tuple(signs),
            tuple(other.text for other in strip.others),
            found.score,
            written=strip.reading.pattern is not None,
            doubtful=confidence < self._sure or strip.reading.pattern is None,
        )


def _best_of(reads: list[PlateRead], again: list[PlateRead]) -> list[PlateRead]:
    """Both, of the same plate the better one."""
    best = list(reads)
    for one in again:
        reach = 0.5 * float(np.ptp(one.corners[:, 0]))
        same = [
            place
            for place, other in enumerate(best)
            if np.hypot(*(one.corners.mean(0) - other.corners.mean(0))) < max(reach, 0.5 * np.ptp(other.corners[:, 0]))
        ]
        if not same:
            best.append(one)
        elif _better(one, best[same[0]]):
            best[same[0]] = one
    return best


def _better(one: PlateRead, other: PlateRead) -> bool:
    return (not one.doubtful, one.written, one.confidence) > (not other.doubtful, other.written, other.confidence)


def check_picture(picture: Picture) -> None:
    """InvalidError for what is no picture to look at."""
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise InvalidError(f"not a colour picture: {picture.shape}", code="picture_shape")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise InvalidError(f"more than {MAX_PIXELS} pixels", code="picture_size")


def open_recogniser(
    inference: Inference, models: Path = MODELS, *, sure: float = SURE, countries: frozenset[str] = COUNTRIES
) -> PlateRecogniser:
    """With the platform's own networks; `countries` are those whose plates are expected."""
    return PlateRecogniser(
        Locator(inference.load(models / "locator.onnx")),
        Reader(inference.load(models / "reader.onnx")),
        sure=sure,
        countries=countries,
    )
