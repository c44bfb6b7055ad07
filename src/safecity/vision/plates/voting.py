"""One vehicle, many frames: readings of the same plate vote sign by sign, each with the weight of how sure it was."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

import numpy as np

from safecity.vision.plates.recognise import SURE, PlateRead

_FORGOTTEN_AFTER = 1.5  # seconds since it was first looked for in vain
_REACH = 1.5  # plate widths that it may lie off where it was, or where its speed leads
_REACH_OF_SAME = 6.0  # the same where the same is written on it
_SAME, _TELLING = 0.8, 5  # share of signs that are alike, and how many must be read, to call it the same
_GROWTH = 1.8  # how much wider or narrower it may look from one frame to the next
_OTHER = 1.0  # plate widths that a wholly different text counts for
LONGEST_WAY = 3000  # pictures; who stands longer is known by what came later
MOST_READINGS = 60  # of one vehicle; later ones replace the least sure


@dataclass(frozen=True, slots=True)
class Sight:
    """A reading in its frame."""

    at_seconds: float
    read: PlateRead


@dataclass(frozen=True, slots=True)
class PlateSeen:
    """What one vehicle's plate was voted to be; `best` is the clearest sight of it, `moved` how far it was seen to
    move, in widths of the plate."""

    text: str
    confidence: float
    sights: int
    first_seconds: float
    last_seconds: float
    best: Sight
    doubtful: bool
    moved: float
    way: tuple[tuple[float, np.ndarray], ...] = ()
    """Where the plate was, by its corners, in every picture in which it was read; asked for by `PlateTracks`."""
    number: int = 0
    """Its name among those of one `PlateTracks`."""
    second: bool = False
    """Whether the second reader had a say in any of the readings."""


@dataclass(slots=True, eq=False)
class _Track:
    sights: list[Sight] = field(default_factory=list)
    way: deque[tuple[float, np.ndarray]] | None = None
    number: int = 0
    latest: PlateRead | None = None
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    missed: float | None = None  # since when it is looked for in vain
    centre: np.ndarray = field(default_factory=lambda: np.zeros(2))
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))
    width: float = 1.0
    best: Sight | None = None
    """The clearest one; None where it has to be looked for anew."""
    text: str = ""
    surest: float = 0.0
    """Its surest reading."""

    def take(self, at_seconds: float, read: PlateRead) -> None:
        """It was seen again."""
        centre = read.corners.mean(0).astype(np.float64)
        if self.count:
            passed = max(at_seconds - self.last, 1e-3)
            self.speed = 0.5 * self.speed + 0.5 * (centre - self.centre) / passed
        self.missed, self.latest = None, read
        self.centre, self.width, self.last = centre, _width(read), at_seconds
        self.count += 1
        if self.way is not None:
            self.way.append((at_seconds, read.corners))
        self.best = None
        if not self.sights or read.confidence > self.surest:
            self.text, self.surest = read.text, read.confidence
        self.sights.append(Sight(at_seconds, read))
        if len(self.sights) > MOST_READINGS:
            self.sights.remove(min(self.sights, key=lambda one: one.read.confidence))


class PlateTracks:
    """Frames in order of time go in; each vehicle comes out once, when it has been out of sight for a while."""

    def __init__(self, *, ways: bool = False) -> None:
        """`ways`: each vehicle comes out with its way."""
        self._tracks: list[_Track] = []
        self._ways = ways
        self._number = 0

    def see(self, at_seconds: float, reads: Sequence[PlateRead]) -> list[PlateSeen]:
        """The vehicles that have left by now.

        Who is not looked for is not missed: between two pictures in which nothing moved lie any number of seconds,
        and a parked vehicle stays one vehicle.
        """
        gone = self.forget(at_seconds)
        free = set(self._tracks)
        for read, track in _joined(reads, self._tracks, at_seconds):
            if track is None:
                self._number += 1
                way = deque[tuple[float, np.ndarray]](maxlen=LONGEST_WAY) if self._ways else None
                track = _Track(first=at_seconds, way=way, number=self._number)
                self._tracks.append(track)
            free.discard(track)
            track.take(at_seconds, read)
        for track in free:
            track.missed = at_seconds if track.missed is None else track.missed
        return gone

    def forget(self, at_seconds: float) -> list[PlateSeen]:
        """The vehicles that have left by now, without another look."""
        gone = [one for one in self._tracks if one.missed is not None and at_seconds - one.missed > _FORGOTTEN_AFTER]
        self._tracks = [one for one in self._tracks if one not in gone]
        return [_voted(track) for track in gone]

    def seen_at(self, at_seconds: float) -> list[tuple[int, PlateRead]]:
        """Those that were read in the picture of this moment, the last one, by number."""
        return [(one.number, one.latest) for one in self._tracks if one.last == at_seconds and one.latest is not None]

    def in_sight(self) -> list[PlateSeen]:
        """As far as they were read by now."""
        return [_voted(track) for track in self._tracks]

    def best_moments(self) -> set[float]:
        """When each vehicle in sight was seen best so far: the pictures that are worth keeping."""
        for one in self._tracks:
            one.best = one.best or _clearest(_text_of(one.sights)[0], one.sights)
        return {one.best.at_seconds for one in self._tracks if one.best is not None}

    def end(self) -> list[PlateSeen]:
        """The vehicles still in sight when the film ends."""
        left, self._tracks = self._tracks, []
        return [_voted(track) for track in left]


def _voted(track: _Track) -> PlateSeen:
    seen = vote(track.sights, track.count, track.first, track.last)
    return replace(seen, way=tuple(track.way or ()), number=track.number)


def _joined(
    reads: Sequence[PlateRead], tracks: Sequence[_Track], at_seconds: float
) -> list[tuple[PlateRead, _Track | None]]:
    """Each reading with the vehicle that it is of, None: one that was not seen before. The closest pairs first, by way
    in plate widths and by what is written: a vehicle takes no reading away from one that it fits better."""
    pairs = sorted(
        (cost, number, which)
        for number, read in enumerate(reads)
        for which, track in enumerate(tracks)
        if (cost := _apart(read, track, at_seconds)) is not None
    )
    of: dict[int, int] = {}
    for _, number, which in pairs:
        if number not in of and which not in of.values():
            of[number] = which
    return [(read, tracks[of[number]] if number in of else None) for number, read in enumerate(reads)]


def _apart(read: PlateRead, track: _Track, at_seconds: float) -> float | None:
    """How ill they fit; None where they cannot be one."""
    width = _width(read)
    if not 1 / _GROWTH < width / max(track.width, 1.0) < _GROWTH:
        return None
    passed = at_seconds - track.last
    centre = read.corners.mean(0)
    way = min(
        float(np.hypot(*(centre - place))) / max(width, track.width, 1.0)
        for place in (track.centre, track.centre + track.speed * passed)
    )
    if way >= _REACH_OF_SAME:
        return None
    alike = _alike(read.text, track.text)
    if passed > _FORGOTTEN_AFTER and alike < 0.5 and not read.doubtful:
        return None  # much can happen while nobody looks
    same = alike >= _SAME and len(read.text) >= _TELLING
    return way + _OTHER * (1 - alike) if way < (_REACH_OF_SAME if same else _REACH) else None


def _alike(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()


def _width(read: PlateRead) -> float:
    return float(np.hypot(*(read.corners[1] - read.corners[0])))


def _moved(sights: Sequence[Sight]) -> float:
    centres = np.array([one.read.corners.mean(0) for one in sights])
    widths = [_width(one.read) for one in sights]
    return float(np.hypot(*(centres - centres[0]).T).max()) / max(float(np.median(widths)), 1.0)


def vote(sights: Sequence[Sight], count: int, first: float, last: float) -> PlateSeen:
    """The text that most of the certainty stands behind: first how many signs, then each of them."""
    voted, confidence = _text_of(sights)
    agreeing = _agreeing(voted, sights)
    best = _clearest(voted, sights)
    # Votes that agree can be sure together of what none was sure of alone, but never surer than three such readings.
    alone = best.read.confidence
    confidence *= 1 - (1 - alone) ** min(len(agreeing), 3)
    # Readings that are all unsure can be sure together; what is not written as plates are stays for a person.
    written = any(one.read.written for one in agreeing)
    doubtful = not written or (confidence < SURE and all(one.read.doubtful for one in agreeing))
    second = any(one.read.second for one in sights)
    return PlateSeen(voted, confidence, count, first, last, best, doubtful, _moved(sights), second=second)


def _text_of(sights: Sequence[Sight]) -> tuple[str, float]:
    """The text that the sights vote for, and how much of the votes it has."""
    lengths: dict[int, float] = defaultdict(float)
    for one in sights:
        lengths[len(one.read.text)] += one.read.confidence + 1e-3
    length = max(lengths, key=lambda each: lengths[each])
    fitting = [one for one in sights if len(one.read.text) == length]
    text: list[str] = []
    confidence = 1.0
    for place in range(length):
        weights: dict[str, float] = defaultdict(float)
        # A blurred frame guesses every sign; whole readings that are sure count for more than single sure signs.
        for one in fitting:
            weights[one.read.text[place]] += one.read.signs[place].confidence * (0.05 + one.read.confidence)
        sign = max(weights, key=lambda each: weights[each])
        text.append(sign)
        confidence *= weights[sign] / sum(weights.values())
    return "".join(text), confidence


def _agreeing(text: str, sights: Sequence[Sight]) -> list[Sight]:
    """Those that read the text that was voted; where none did, those that read as many signs."""
    fitting = [one for one in sights if len(one.read.text) == len(text)]
    return [one for one in fitting if one.read.text == text] or fitting


def _clearest(text: str, sights: Sequence[Sight]) -> Sight:
    return max(_agreeing(text, sights), key=lambda one: one.read.confidence)
