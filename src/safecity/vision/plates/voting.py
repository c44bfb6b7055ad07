"""One vehicle, many frames: readings of the same plate vote sign by sign, each with the weight of how sure it was.

What is not settled by that is read once more by both readers, out of its clearest looks, when the vehicle has left. A
plate that is settled, writing that stands still and what is too small to be read are read only now and then.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

import numpy as np

from safecity.vision.plates.clearest import CLEAREST, bytes_of, clearness, kept_look, settled, width_of
from safecity.vision.plates.locator import Found
from safecity.vision.plates.recognise import SURE, KeptLook, PlateRead
from safecity.vision.plates.straighten import Picture

_FORGOTTEN_AFTER = 1.5  # seconds since it was first looked for in vain
_REACH = 1.5  # plate widths that it may lie off where it was, or where its speed leads
_REACH_OF_SAME = 6.0  # the same where the same is written on it
_SAME, _TELLING = 0.8, 5  # share of signs that are alike, and how many must be read, to call it the same
_GROWTH = 1.8  # how much wider or narrower it may look from one frame to the next
_OTHER = 1.0  # plate widths that a wholly different text counts for
LONGEST_WAY = 3000  # pictures; who stands longer is known by what came later
MOST_READINGS = 60  # of one vehicle; later ones replace the least sure
READ_EVERY, STANDING_EVERY = 3, 10  # looks of which one reads, where a plate is settled or small; where writing stands
MAX_LOOKS_BYTES = 8 << 20
"""Of the clearest looks at all vehicles in sight: some hundred, of plates 150 pixels wide."""
_STANDING_AFTER, _STANDS = 10, 0.25  # readings, and plate widths moved, to be writing that stands
SMALL = 36.0  # pixels of a plate's width: hardly one in ten such readings is right
_EXPECTED, _AS_WIDE, _JUST = 0.5, 1.3, 0.7  # plate widths off, times as wide, seconds since: it must be the same one


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


Closing = Callable[[Sequence[KeptLook], PlateRead], PlateRead | None]
"""Reads a plate out of its clearest looks (the best one first), and tells it in the place of the reading that is given;
None where the vote is to be believed."""


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
    surest: PlateRead | None = None
    settled: str | None = None
    """Its plate, where it is known beyond doubt."""
    standing: bool = False
    """Whether it is writing that stands still and is no plate."""
    clearest: list[tuple[float, KeptLook]] = field(default_factory=list[tuple[float, KeptLook]])
    """The best first, with how good they are."""
    closed: PlateRead | None = None
    """What was read out of those, as long as they are the clearest."""
    carried: int = 0
    """Looks since it was read."""
    answered: float | None = None
    """When what is known of it last stood for a reading."""

    @property
    def text(self) -> str:
        """Of its surest reading."""
        return "" if self.surest is None else self.surest.text

    def take(self, at_seconds: float, read: PlateRead, picture: Picture | None) -> None:
        """It was seen again. `read` keeps no more than the vote needs."""
        centre = read.corners.mean(0).astype(np.float64)
        if self.count:
            passed = max(at_seconds - self.last, 1e-3)
            self.speed = 0.5 * self.speed + 0.5 * (centre - self.centre) / passed
        self.missed, self.latest = None, read
        self.centre, self.width, self.last = centre, width_of(read), at_seconds
        self.count += 1
        if self.way is not None:
            self.way.append((at_seconds, read.corners))
        if read.carried:
            self.carried += 1
            return
        self.best, self.carried = None, 0
        if picture is not None:
            self._keep(picture, read)
        read = self.latest = replace(read, strip=None)
        if self.surest is None or read.confidence > self.surest.confidence:
            self.surest = read
        self.sights.append(Sight(at_seconds, read))
        if len(self.sights) > MOST_READINGS:
            self.sights.remove(min(self.sights, key=lambda one: one.read.confidence))
        self.settled = settled([one.read for one in self.sights])
        unwritten = len(self.sights) >= _STANDING_AFTER and not any(one.read.written for one in self.sights)
        self.standing = unwritten and _moved(self.sights) < _STANDS

    def _keep(self, picture: Picture, read: PlateRead) -> None:
        """What is around the plate, if it is one of the clearest looks at it."""
        worth = clearness(read, (picture.shape[1], picture.shape[0]))
        full = len(self.clearest) == CLEAREST
        if read.strip is None or worth == 0.0 or (full and worth <= self.clearest[-1][0]):
            return
        self.clearest.append((worth, kept_look(picture, read, read.strip)))
        self.clearest.sort(key=lambda one: -one[0])
        del self.clearest[CLEAREST:]
        self.closed = None

    def waits(self, width: float, *, rough: bool) -> bool:
        """Whether a plate seen so wide need not be read this time."""
        if self.standing:
            return self.carried < STANDING_EVERY - 1
        return not rough and (self.settled is not None or width < SMALL) and self.carried < READ_EVERY - 1

    def expects(self, at_seconds: float, x: float, y: float, width: float) -> bool:
        """Whether what was found there is where this vehicle must be by now, and as large."""
        passed = at_seconds - self.last
        if self.missed is not None or not 0 < passed < _JUST:
            return False
        if not 1 / _AS_WIDE < width / max(self.width, 1.0) < _AS_WIDE:
            return False
        (left, top), (along, down) = self.centre.tolist(), self.speed.tolist()
        return math.hypot(x - left - along * passed, y - top - down * passed) < _EXPECTED * width


class PlateTracks:
    """Frames in order of time go in; each vehicle comes out once, when it has been out of sight for a while."""

    def __init__(self, *, ways: bool = False, closing: Closing | None = None) -> None:
        """`ways`: each vehicle comes out with its way; `closing` reads the plates that are not settled."""
        self._tracks: list[_Track] = []
        self._closing = closing
        self._ways = ways
        self._number = 0
        self.max_looks_bytes = MAX_LOOKS_BYTES
        """May change at any time."""

    def known(self, at_seconds: float, found: Found, *, rough: bool = False) -> PlateRead | None:
        """What was read on the vehicle that must be the one that was found, where it need not be read in this picture.

        None where it is to be read, or may be another vehicle: one vehicle is in a picture once. `rough` corners are
        good enough for writing that stands.
        """
        (x, y), width = found.corners.mean(0).tolist(), max(found.width, 1.0)
        here = [one for one in self._tracks if one.expects(at_seconds, x, y, width)]
        if len(here) != 1 or here[0].answered == at_seconds or not here[0].waits(width, rough=rough):
            return None
        (track,) = here
        if track.surest is None:
            return None
        track.answered = at_seconds
        return replace(
            track.surest, corners=found.corners, tilt_degrees=found.tilt_degrees, located=found.score, carried=True
        )

    def see(self, at_seconds: float, reads: Sequence[PlateRead], picture: Picture | None = None) -> list[PlateSeen]:
        """The vehicles that have left by now; of the `picture` that was read, the clearest looks at plates are kept.

        Who is not looked for is not missed: between two pictures in which nothing moved lie any number of seconds,
        and a parked vehicle stays one vehicle.
        """
        gone = self.forget(at_seconds)
        free = set(self._tracks)
        for read, track in _joined(reads, self._tracks, at_seconds):
            if track is None:
                if read.carried:  # nobody read anything there
                    continue
                self._number += 1
                way = deque[tuple[float, np.ndarray]](maxlen=LONGEST_WAY) if self._ways else None
                track = _Track(first=at_seconds, way=way, number=self._number)
                self._tracks.append(track)
            free.discard(track)
            track.take(at_seconds, read, picture)
        if picture is not None:
            self._drop_looks()
        for track in free:
            track.missed = at_seconds if track.missed is None else track.missed
        return gone

    def _drop_looks(self) -> None:
        """Those that there is no room for: first of plates that are settled, then where there are others of the same
        vehicle, the least clear ones first."""
        held = sum(bytes_of(look) for one in self._tracks for _, look in one.clearest)
        if held <= self.max_looks_bytes:
            return
        ranked = sorted(
            ((one.settled is None, -place, worth, one.number), one)
            for one in self._tracks
            for place, (worth, _) in enumerate(one.clearest)
        )
        for _, one in ranked:
            if held <= self.max_looks_bytes:
                break
            held -= bytes_of(one.clearest.pop()[1])  # of one vehicle the last one comes first

    def forget(self, at_seconds: float) -> list[PlateSeen]:
        """The vehicles that have left by now, without another look."""
        gone = [one for one in self._tracks if one.missed is not None and at_seconds - one.missed > _FORGOTTEN_AFTER]
        self._tracks = [one for one in self._tracks if one not in gone]
        return [self._told(track) for track in gone]

    def seen_at(self, at_seconds: float) -> list[tuple[int, PlateRead]]:
        """Those that were found in the picture of this moment, the last one, by number, but writing that stands."""
        return [
            (one.number, one.latest)
            for one in self._tracks
            if one.last == at_seconds and one.latest is not None and not one.standing
        ]

    def in_sight(self) -> list[PlateSeen]:
        """As far as they were read by now."""
        return [self._told(track) for track in self._tracks]

    def best_moments(self) -> set[float]:
        """When each vehicle in sight was seen best so far: the pictures that are worth keeping."""
        for one in self._tracks:
            one.best = one.best or _clearest(_text_of(one.sights)[0], one.sights)
        return {one.best.at_seconds for one in self._tracks if one.best is not None}

    def end(self) -> list[PlateSeen]:
        """The vehicles still in sight when the film ends."""
        left, self._tracks = self._tracks, []
        return [self._told(track) for track in left]

    def _told(self, track: _Track) -> PlateSeen:
        seen = vote(track.sights, track.count, track.first, track.last)
        if (
            self._closing is not None
            and (track.clearest or track.closed)
            and track.settled != seen.text
            and _passes(seen)
        ):
            if track.closed is None:
                track.closed = self._closing([look for _, look in track.clearest], seen.best.read)
            read = track.closed
            if read is not None:
                seen = replace(
                    seen, text=read.text, confidence=read.confidence, doubtful=read.doubtful, second=True,
                    best=Sight(seen.best.at_seconds, read),
                )  # fmt: skip
        return replace(seen, way=tuple(track.way or ()), number=track.number)


def _passes(seen: PlateSeen) -> bool:
    """Whether it is a vehicle: writing in the picture and by the road neither moves nor is written as plates are."""
    return seen.moved >= _STANDS or seen.best.read.written


def _joined(
    reads: Sequence[PlateRead], tracks: Sequence[_Track], at_seconds: float
) -> list[tuple[PlateRead, _Track | None]]:
    """Each reading with the vehicle that it is of, None: one that was not seen before. The closest pairs first, by way
    in plate widths and by what is written: a vehicle takes no reading away from one that it fits better."""
    centres = [read.corners.mean(0).tolist() for read in reads]
    pairs = sorted(
        (cost, number, which)
        for number, read in enumerate(reads)
        for which, track in enumerate(tracks)
        if (not read.carried or track.answered == at_seconds)
        and (cost := _apart(read, centres[number], track, at_seconds)) is not None
    )
    of: dict[int, int] = {}
    for _, number, which in pairs:
        if number not in of and which not in of.values():
            of[number] = which
    return [(read, tracks[of[number]] if number in of else None) for number, read in enumerate(reads)]


def _apart(read: PlateRead, centre: Sequence[float], track: _Track, at_seconds: float) -> float | None:
    """How ill they fit, by where the reading's `centre` lies, too; None where they cannot be one."""
    width = width_of(read)
    if not 1 / _GROWTH < width / max(track.width, 1.0) < _GROWTH:
        return None
    passed = at_seconds - track.last
    places = (track.centre.tolist(), (track.centre + track.speed * passed).tolist())
    way = min(math.dist(centre, place) for place in places) / max(width, track.width, 1.0)
    if way >= _REACH_OF_SAME:
        return None
    alike = _alike(read.text, track.text)
    if passed > _FORGOTTEN_AFTER and alike < 0.5 and not read.doubtful:
        return None  # much can happen while nobody looks
    same = alike >= _SAME and len(read.text) >= _TELLING
    return way + _OTHER * (1 - alike) if way < (_REACH_OF_SAME if same else _REACH) else None


def _alike(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()


def _moved(sights: Sequence[Sight]) -> float:
    centres = np.array([one.read.corners.mean(0) for one in sights])
    widths = [width_of(one.read) for one in sights]
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
