"""Two readers, one text: what each says of every possible text is weighed, not whose answer sounds surer.

Texts come from both readers and from both together, sign by sign. For each the chance that a reader gives it as a whole
is summed over all ways of laying it along the columns (A. Graves et al., Connectionist Temporal Classification, 2006),
and how plates are written has its say. How sure the best text is follows from how far it is ahead of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from safecity.vision.plates.alphabet import SIGN_INDEX, looks
from safecity.vision.plates.grammar import Reading, best_readings, neighbours, weight_of
from safecity.vision.plates.reader import COLUMN, Spot, StripReading, find_spots, likely_kinds, runs_of_signs, shared
from safecity.vision.plates.second import MARGINS
from safecity.vision.plates.straighten import CUT, EDGE_X, WIDTH

_TEXTS = 8  # of each source
_NEIGHBOURS = 2  # other signs tried at each place of the best text of each source
_DOUBT = 0.02  # share of every column that anything could stand for: no reader can rule a text out alone
_SECOND = 1.5  # how much more the second reader counts: it was taught on real pictures
_EVENNESS = 3.0  # columns beside one another are wrong together: their chances are not independent
_NONE = -20.0  # what the hypothesis that none of the texts stands there scores
_LEAST = -40.0  # what a look says of a text, at least: one that shows something else altogether rules nothing out
_APART, _AGREED = 10.0, 2.0  # pixels of the strip: as far may spots of one sign lie apart; how much agreeing brings
_ALONE = _APART / 2


@dataclass(frozen=True, slots=True)
class Opinion:
    """The text that both readers together hold for the likeliest. `confidence` is its share of all texts that were
    weighed; each sign's is the share of those that have it there. `strip` is told like one reader's."""

    confidence: float
    lines: int
    strip: StripReading


@dataclass(frozen=True, slots=True)
class _Placed:
    """A sign's spot in the pixels of the first reader's strip."""

    left: float
    right: float
    signs: NDArray[np.float32]
    there: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class _Text:
    reading: Reading
    boxes: tuple[tuple[float, float], ...]
    lines: int
    score: float
    strip: StripReading


def weigh(
    first: Sequence[tuple[int, StripReading]],
    second: Sequence[Sequence[NDArray[np.float32]]],
    countries: frozenset[str],
    margin: float = MARGINS[0],
) -> Opinion | None:
    """Both readers' columns of a plate, read as one of one line, of two, or both ways (`first` with the number of
    lines; `second` has its columns by line, and was shown so much of the plate's width beyond either end). None where
    neither read anything."""
    texts: dict[str, _Text] = {}
    for (lines, strip), columns in zip(first, second, strict=True):
        for one in _scored(lines, strip, columns, countries, margin):
            _take(texts, looks(one.reading.text), one)
    return _likeliest(texts.values(), _NONE) if texts else None


def weigh_looks(
    seen: Sequence[tuple[int, StripReading, Sequence[NDArray[np.float32]]]],
    countries: frozenset[str],
    margin: float = MARGINS[0],
) -> Opinion | None:
    """The same of one plate that was seen several times (lines, our reader's strip, the second one's columns): what the
    looks say of a text is added up, so that a sign that one of them shows well is not outvoted by those that do not."""
    found: dict[str, _Text] = {}
    for lines, strip, columns in seen:
        for one in _scored(lines, strip, columns, countries, margin):
            _take(found, one.reading.text, one)
    if not found:
        return None
    texts = list(found)
    # How plates are written counts for each look: thin strokes are lost in all of them at once.
    scores = len(seen) * np.array([weight_of(one.reading) for one in found.values()])
    for _, strip, columns in seen:
        scores += np.maximum(_chances_of_both(strip, columns, texts), _LEAST)
    together: dict[str, _Text] = {}
    for (text, one), score in zip(found.items(), scores, strict=True):
        _take(together, looks(text), replace(one, score=float(score)))
    return _likeliest(together.values(), _NONE * len(seen))


def _take(texts: dict[str, _Text], name: str, one: _Text) -> None:
    """Of two by the same name the better one."""
    if name not in texts or one.score > texts[name].score:
        texts[name] = one


def _likeliest(texts: Iterable[_Text], none: float) -> Opinion:
    """The best of the texts, as sure as it is ahead of the others and of `none` of them."""
    ranked = sorted(texts, key=lambda one: -one.score)
    weights = np.exp((np.array([*(one.score for one in ranked), none]) - max(ranked[0].score, none)) / _EVENNESS)
    shares = weights / weights.sum()
    best = ranked[0]
    signs = tuple(
        float(
            sum(
                share
                for share, one in zip(shares, ranked, strict=False)
                if len(one.reading.text) == len(best.reading.text) and one.reading.text[place] == sign
            )
        )
        for place, sign in enumerate(best.reading.text)
    )
    told = Reading(best.reading.text, signs, best.reading.spots, best.reading.kind, best.score, best.reading.pattern)
    others = tuple(one.reading for one in ranked[1:4])
    return Opinion(
        float(shares[0]), best.lines, StripReading(told, best.boxes, others, best.strip.signs, best.strip.kinds)
    )


def _scored(
    lines: int,
    strip: StripReading,
    columns: Sequence[NDArray[np.float32]],
    countries: frozenset[str],
    margin: float,
) -> list[_Text]:
    kinds = likely_kinds(strip.kinds, countries)
    mine = [_Placed(one.start * COLUMN, one.end * COLUMN, one.signs, one.there) for one in find_spots(strip.signs)]
    theirs = _placed(columns, lines, margin)
    found: dict[str, tuple[Reading, tuple[tuple[float, float], ...]]] = {}
    for spots in (mine, theirs, together(mine, theirs)):
        if not spots:
            continue
        signs = [spot.signs for spot in spots]
        best = best_readings(signs, [spot.there for spot in spots], kinds, _TEXTS)
        for one in [*best, *neighbours(best[0], signs, _NEIGHBOURS)] if best else ():
            boxes = tuple((spots[place].left, spots[place].right) for place in one.spots)
            found.setdefault(one.text, (one, boxes))
    if not found:
        return []
    texts = list(found)
    scores = _chances_of_both(strip, columns, texts)
    return [
        _Text(reading, boxes, lines, float(score) + weight_of(reading), strip)
        for (reading, boxes), score in zip(found.values(), scores, strict=True)
    ]


def _chances_of_both(
    strip: StripReading, columns: Sequence[NDArray[np.float32]], texts: Sequence[str]
) -> NDArray[np.float64]:
    return chances(strip.signs, texts) + _SECOND * chances(_in_a_row(columns), texts)


def _placed(columns: Sequence[NDArray[np.float32]], lines: int, margin: float) -> list[_Placed]:
    """The second reader's spots, by where they lie in the first one's strip."""
    parts = ((EDGE_X, WIDTH - EDGE_X),) if lines == 1 else ((0.0, CUT), (CUT, float(WIDTH)))
    found: list[_Placed] = []
    for (start, end), line in zip(parts, columns, strict=True):
        left, wide = start - margin * (end - start), (1 + 2 * margin) * (end - start) / max(len(line), 1)
        spots: list[Spot] = runs_of_signs(line)
        found += [_Placed(left + one.start * wide, left + one.end * wide, one.signs, one.there) for one in spots]
    return found


def together(mine: Sequence[_Placed], theirs: Sequence[_Placed]) -> list[_Placed]:
    """Spots of both, those of one sign made one: the cheapest way of pairing neighbours off from left to right."""
    rows, columns = len(mine) + 1, len(theirs) + 1
    costs = np.zeros((rows, columns))
    costs[:, 0], costs[0] = np.arange(rows) * _ALONE, np.arange(columns) * _ALONE
    for row in range(1, rows):
        for column in range(1, columns):
            pair = costs[row - 1, column - 1] + _apart(mine[row - 1], theirs[column - 1])
            costs[row, column] = min(pair, costs[row - 1, column] + _ALONE, costs[row, column - 1] + _ALONE)
    row, column = rows - 1, columns - 1
    joined: list[_Placed] = []
    while row or column:
        if (
            row
            and column
            and costs[row, column] == costs[row - 1, column - 1] + _apart(mine[row - 1], theirs[column - 1])
        ):
            row, column = row - 1, column - 1
            joined.append(_one(mine[row], theirs[column]))
        elif row and costs[row, column] == costs[row - 1, column] + _ALONE:
            row -= 1
            joined.append(_half(mine[row]))
        else:
            column -= 1
            joined.append(_half(theirs[column]))
    return joined[::-1]


def _apart(one: _Placed, other: _Placed) -> float:
    return abs(one.middle - other.middle) - (_AGREED if one.signs.argmax() == other.signs.argmax() else 0.0)


def _one(mine: _Placed, theirs: _Placed) -> _Placed:
    signs = (mine.signs + theirs.signs) / 2
    signs -= np.log(np.exp(signs).sum())
    return _Placed(mine.left, mine.right, signs.astype(np.float32), (mine.there + theirs.there) / 2)


def _half(one: _Placed) -> _Placed:
    return _Placed(one.left, one.right, one.signs, one.there / 2)


def _in_a_row(columns: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The lines of a plate as one line, with nothing written between."""
    nothing = np.full((1, columns[0].shape[1]), -1e3, np.float32)
    nothing[0, 0] = 0
    return np.concatenate([part for line in columns for part in (line, nothing)])


def chances(columns: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float64]:
    """Log-probability of each text as a whole, given log-probabilities by column (none first, then every sign)."""
    signs = shared(np.exp(columns.astype(np.float64))) * (1 - _DOUBT) + _DOUBT / columns.shape[1]
    lengths = np.array([len(text) for text in texts])
    # none, sign, none, sign, ..., none: at each of these states the text may stand after a column.
    states = np.zeros((len(texts), 2 * int(lengths.max()) + 1), np.int64)
    for row, text in zip(states, texts, strict=True):
        row[1 : 2 * len(text) : 2] = [SIGN_INDEX[sign] for sign in text]
    skips = np.zeros(states.shape)
    skips[:, 2:] = (states[:, 2:] != 0) & (states[:, 2:] != states[:, :-2])
    at = np.zeros(states.shape)
    at[:, :2] = signs[0][states[:, :2]]
    for column in signs[1:]:
        after = at.copy()
        after[:, 1:] += at[:, :-1]
        after[:, 2:] += skips[:, 2:] * at[:, :-2]
        at = after * column[states]
    whole = at[np.arange(len(texts)), 2 * lengths] + at[np.arange(len(texts)), 2 * lengths - 1]
    return np.log(np.maximum(whole, 1e-300))
