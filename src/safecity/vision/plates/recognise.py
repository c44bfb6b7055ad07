"""A picture in, its plates out: found, straightened, read. What is doubtful is said to be, never left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError, SafecityError
from safecity.ports.inference import Inference, NetworkInfo
from safecity.vision.pictures import MAX_PIXELS
from safecity.vision.plates.alphabet import COUNTRIES, PlateKind
from safecity.vision.plates.grammar import issued
from safecity.vision.plates.ground import coloured_ground
from safecity.vision.plates.locator import QUICKLY, Found, Locator
from safecity.vision.plates.opinions import Opinion, weigh, weigh_looks
from safecity.vision.plates.reader import TELLING, Reader, StripReading
from safecity.vision.plates.second import SecondReader, margins_of, open_second
from safecity.vision.plates.straighten import HEIGHT, Corners, Picture, grown, straighten, transforms

logger = logging.getLogger(__name__)
MODELS = Path(__file__).parent / "models"
STILL = (640, 320)
FRAME = (480,)  # half the cost of 640
SMALL_IN_STILL = (1280,)
# What is likely a plate in a still is looked at thrice, for there is no other frame that could vote.
VIEWS = ((0.0, 0.0), (0.02, 0.07), (-0.015, -0.05))
_LEAST, _LEAST_IN_FRAME = 0.35, 0.3
"""What a first look believes; in frames less, since the first closer look there tells plates from others alone."""
SURE = 0.4  # nine in ten of the readings from here on are right (tools.plates.calibrate)
SURE_ALONE = 0.8
"""From here on our reader is believed without a second opinion."""
MOST_OPINIONS = 4
"""Second opinions in one look at a still, and as many where the grounds of what stayed doubtful lie; each takes some 15
ms of a core."""
_PLATE_LIKE, LIKELY = 0.7, 0.6  # how surely located, to be worth more views, and a second opinion
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
    second: bool = False  # whether the second reader had a say
    strip: StripReading | None = None  # what our reader saw; None where it saw nothing, and once it serves for nothing
    carried: bool = False  # not read in this picture: what was read before on the vehicle that is here now


@dataclass(frozen=True, slots=True)
class KeptLook:
    """A clear look at a plate of a film, kept until its vehicle has left: a part of the picture, the plate's corners in
    it, what our reader saw."""

    picture: Picture
    corners: Corners
    lines: int
    kind: PlateKind | None
    strip: StripReading


@dataclass(frozen=True, slots=True)
class _Look:
    """A plate as our reader read it: `strips` as one of one line, of two, or both."""

    found: Found
    read: PlateRead
    strips: tuple[tuple[int, StripReading], ...]


class PlateRecogniser:
    """Locate, straighten, read: the three steps, with the two networks behind them, and a second reader for what the
    first is not sure of."""

    def __init__(
        self,
        locator: Locator,
        reader: Reader,
        *,
        sure: float = SURE,
        countries: frozenset[str] = COUNTRIES,
        second: SecondReader | None = None,
    ) -> None:
        self._locator = locator
        self._reader = reader
        self._sure = sure
        self._countries = countries
        self._second = second
        self.second_named = None if second is None else second.info
        """The second reader as events name it whose plates it had a say in, also where it failed since."""

    @property
    def networks(self) -> tuple[NetworkInfo, NetworkInfo]:
        """What every event that comes of a reading names: locator and reader."""
        return self._locator.info, self._reader.info

    @property
    def second(self) -> NetworkInfo | None:
        """The second reader, None where there is none, or it failed."""
        return None if self._second is None else self._second.info

    def still(self, picture: Picture) -> list[PlateRead]:
        """All plates in a single picture, from large ones to small ones."""
        check_picture(picture)
        reads = self._looked_well(picture, STILL)
        if all(one.doubtful for one in reads) and max(picture.shape[:2]) > STILL[0]:
            reads = _best_of(reads, self._looked_well(picture, SMALL_IN_STILL))
        return reads

    def frame(
        self, picture: Picture, known: Callable[[Found, bool], PlateRead | None] | None = None
    ) -> list[PlateRead]:
        """All plates in a frame of a film: one look by our reader alone, for there will be other frames (`together`).
        What is `known` of a plate that was found is told, and the plate is not read; `known` is asked twice
        (`Locator.find`)."""
        check_picture(picture)
        carried: list[PlateRead] = []

        def told(found: Found, rough: bool) -> bool:
            read = known(found, rough) if known is not None else None
            if read is not None:
                carried.append(read)
            return read is not None

        found = self._locator.find(picture, FRAME, _LEAST_IN_FRAME, QUICKLY, told)
        return [one.read for one in self._looked(picture, found, ((0.0, 0.0),))] + carried

    def together(self, seen: Sequence[KeptLook], best: PlateRead) -> PlateRead | None:
        """One plate of a film read by both readers out of several looks at it (those with as many lines as the first),
        and told as standing where it was read `best`. None where the second reader has nothing to say: then the
        readings vote."""
        same = [one for one in seen if one.lines == seen[0].lines]
        opinion = self._of_second(lambda second: _weighed(second, same, self._countries)) if same else None
        return None if opinion is None else self._told_by_both(Found(best.corners, best.located), opinion)

    def read(
        self,
        picture: Picture,
        found: Sequence[Found],
        views: Sequence[tuple[float, float]] = ((0.0, 0.0),),
        opinions: int = 0,
    ) -> list[PlateRead]:
        """What stands on plates whose corners are known; `views` are shares by which to look beyond them, `opinions`
        how often the second reader may be asked."""
        return self._heard(picture, self._looked(picture, found, views), opinions)

    def _looked_well(self, picture: Picture, long_sides: Sequence[int]) -> list[PlateRead]:
        looks = self._looked(picture, self._locator.find(picture, long_sides, _LEAST), VIEWS)
        reads = self._heard(picture, looks, MOST_OPINIONS)
        return self._fitted(picture, looks, reads) if "cn" in self._countries else reads

    def _fitted(self, picture: Picture, looks: Sequence[_Look], reads: Sequence[PlateRead]) -> list[PlateRead]:
        """The readings; what is doubtful and Chinese was looked at again where its coloured ground lies."""
        best = list(reads)
        places: list[int] = []
        found: list[Found] = []
        for place, (look, read) in enumerate(zip(looks, reads, strict=True)):
            chinese = read.kind is not None and read.kind.country == "cn"
            if not read.doubtful or not chinese or _signs(look) < TELLING or len(places) == MOST_OPINIONS:
                continue
            corners = coloured_ground(picture, look.found.corners)
            if corners is not None:
                places.append(place)
                found.append(Found(corners, look.found.score))
        again = self.read(picture, found, VIEWS, MOST_OPINIONS) if found else []
        for place, read in zip(places, again, strict=True):
            best[place] = read if _better(read, best[place]) else best[place]
        return best

    def _looked(self, picture: Picture, found: Sequence[Found], views: Sequence[tuple[float, float]]) -> list[_Look]:
        strips: list[list[Picture]] = []
        whose: list[tuple[int, int]] = []
        for place, one in enumerate(found):
            for lines in (1, 2) if one.width < _MAYBE_TWO_LINES * one.height and self._countries - _ONE_LINE else (1,):
                around = [grown(one.corners, *view) for view in (views if one.score >= _PLATE_LIKE else views[:1])]
                strips.append([straighten(picture, corners, lines == 2) for corners in around])
                whose.append((place, lines))
        read: list[list[tuple[int, StripReading | None]]] = [[] for _ in found]
        for (place, lines), strip in zip(whose, self._reader.read(strips, self._countries), strict=True):
            if lines == 2 and strip is not None and strip.reading.kind.country in _ONE_LINE:
                continue
            read[place].append((lines, strip))
        looks: list[_Look] = []
        for one, ways in zip(found, read, strict=True):
            best, *rest = (self._told(one, lines, strip) for lines, strip in ways)
            for other in rest:
                best = other if _better(other, best) else best
            looks.append(_Look(one, best, tuple((lines, strip) for lines, strip in ways if strip is not None)))
        return looks

    def _heard(self, picture: Picture, looks: Sequence[_Look], opinions: int) -> list[PlateRead]:
        """The readings, after the second reader was asked of those that need it and look most like plates."""
        reads = [one.read for one in looks]
        asked = sorted(
            (place for place, one in enumerate(looks) if _unsettled(one)), key=lambda place: -looks[place].found.score
        )
        for place in asked[:opinions] if self._second is not None else ():
            reads[place] = self._opinion(picture, looks[place]) or reads[place]
        return reads

    def _opinion(self, picture: Picture, look: _Look) -> PlateRead | None:
        """None where the second reader says nothing, or fails: then the first goes on alone."""

        def asked(second: SecondReader) -> Opinion | None:
            # One line or two is ours to say: to be asked about both would cost the second reader thrice the time.
            ways = [way for way in look.strips if way[0] == look.read.lines]
            margins = margins_of(look.read.kind)
            columns = [second.look(picture, look.found.corners, lines == 2, margins) for lines, _ in ways]
            return weigh(ways, columns, self._countries, margins[0])

        opinion = self._of_second(asked)
        return None if opinion is None else self._told_by_both(look.found, opinion)

    def _of_second(self, asked: Callable[[SecondReader], Opinion | None]) -> Opinion | None:
        """What the second reader says; None without one, and where it fails."""
        second = self._second
        if second is None:
            return None
        try:
            return asked(second)
        except SafecityError as error:
            logger.warning("second reader failed, the first reads alone model=%s why=%r", second.info.name, error)
            self._second = None
            return None
        except (ValueError, ArithmeticError, cv2.error) as error:
            # A plate of an odd shape costs itself its second opinion, and no other plate theirs.
            logger.info("no second opinion of a plate model=%s why=%r", second.info.name, error)
            return None

    def _told_by_both(self, found: Found, opinion: Opinion) -> PlateRead:
        told = self._told(found, opinion.lines, opinion.strip)
        doubtful = opinion.confidence < self._sure or not told.written
        return replace(told, confidence=opinion.confidence, doubtful=doubtful, second=True)

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
        signs = tuple(
            SignRead(sign, sure, corners)
            for sign, sure, corners in zip(
                strip.reading.text, strip.reading.confidences, _in_picture(strip.boxes, found, lines), strict=True
            )
        )
        confidence = float(np.prod(strip.reading.confidences))
        return PlateRead(
            strip.reading.text,
            confidence,
            strip.reading.kind,
            found.corners,
            found.tilt_degrees,
            lines,
            signs,
            tuple(other.text for other in strip.others),
            found.score,
            written=strip.reading.pattern is not None,
            doubtful=confidence < self._sure or strip.reading.pattern is None,
            strip=strip,
        )


def _weighed(second: SecondReader, seen: Sequence[KeptLook], countries: frozenset[str]) -> Opinion | None:
    margins = margins_of(seen[0].kind)
    said = [(one.lines, one.strip, second.look(one.picture, one.corners, one.lines == 2, margins)) for one in seen]
    return weigh_looks(said, countries, margins[0])


def _in_picture(boxes: Sequence[tuple[float, float]], found: Found, lines: int) -> NDArray[np.float32]:
    """Corners in the picture of boxes in a plate's strip (their left and right edges)."""
    edges = np.array(boxes, np.float32).reshape(-1, 2)
    flat = np.empty((len(edges), 4, 2), np.float32)
    flat[..., 0], flat[:, :2, 1], flat[:, 2:, 1] = edges[:, [0, 1, 1, 0]], 2, HEIGHT - 2
    corners, middles = np.empty_like(flat), edges.mean(1)
    begun = -np.inf
    for into, (_, end) in transforms(found.corners, lines == 2):
        here = middles > begun  # of two lines the second one's overwrite
        if here.any():
            moved = cv2.perspectiveTransform(flat[here].reshape(1, -1, 2), np.linalg.inv(into))
            corners[here] = moved.reshape(-1, 4, 2)
        begun = end
    return corners


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


def _unsettled(look: _Look) -> bool:
    """Whether a plate is likely there, and our reader not sure what stands on it."""
    return not _sure_alone(look.read) and look.found.score >= LIKELY and _signs(look) >= TELLING


def _sure_alone(read: PlateRead) -> bool:
    return read.written and issued(read.text) and read.confidence >= SURE_ALONE


def _signs(look: _Look) -> int:
    return max((len(strip.reading.text) for _, strip in look.strips), default=0)


def _better(one: PlateRead, other: PlateRead) -> bool:
    return (not one.doubtful, one.written, one.confidence) > (not other.doubtful, other.written, other.confidence)


def check_picture(picture: Picture) -> None:
    """InvalidError for what is no picture to look at."""
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise InvalidError(f"not a colour picture: {picture.shape}", code="picture_shape")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise InvalidError(f"more than {MAX_PIXELS} pixels", code="picture_size")


def open_recogniser(
    inference: Inference,
    models: Path = MODELS,
    *,
    sure: float = SURE,
    countries: frozenset[str] = COUNTRIES,
    second: Path | None = None,
) -> PlateRecogniser:
    """With the platform's own networks; `countries` are those whose plates are expected, `second` is the file of the
    second reader (`second.installed`). One that cannot be used is left out: our own reader reads alone."""
    return PlateRecogniser(
        Locator(inference.load(models / "locator.onnx")),
        Reader(inference.load(models / "reader.onnx")),
        sure=sure,
        countries=countries,
        second=_opened(inference, second),
    )


def _opened(inference: Inference, file: Path | None) -> SecondReader | None:
    if file is None:
        return None
    try:
        return open_second(inference, file)
    except (SafecityError, OSError) as error:
        logger.warning("second reader cannot be used, the first reads alone file=%s why=%s", file, error)
        return None
