"""From a straight strip to a text: the network says a sign for each column, the grammar weighs what that can mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from safecity.ports.inference import Network
from safecity.vision.arrays import array, tensor
from safecity.vision.plates.alphabet import COUNTRIES, KINDS, LOOK_ALIKE, SIGN_INDEX, SIGNS, PlateKind
from safecity.vision.plates.grammar import Reading, best_readings
from safecity.vision.plates.straighten import HEIGHT, WIDTH, Picture

TELLING = 5  # signs that are enough to be a plate's, and to look again
COLUMN = 4  # pixels of the strip for each column of the network's answer
_FAINT = 0.12  # below: nothing stands there
_CLOSEST = 2.3  # columns between the middles of two signs
_SHARED = 0.7  # of the chance of a sign that looks alike
_PAIRS = tuple((SIGN_INDEX[one], SIGN_INDEX[other]) for one, other in LOOK_ALIKE)
_UNLIKELY = 4.0  # kinds that are e**4 times less likely than the best are not tried


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a sign stands: columns of the strip, log-probability of each sign, how sure that it is one."""

    start: int
    end: int
    signs: NDArray[np.float32]
    there: float

    @property
    def centre(self) -> float:
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class StripReading:
    """The best reading of a strip, the boxes of its signs (left and right, pixels of the strip), others near it, and
    what the network said: log-probabilities of signs by column, and of kinds."""

    reading: Reading
    boxes: tuple[tuple[float, float], ...]
    others: tuple[Reading, ...]
    signs: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, len(SIGNS) + 1), np.float32))
    kinds: NDArray[np.float32] = field(default_factory=lambda: np.zeros(len(KINDS), np.float32))


class Reader:
    """Reads strips as `straighten` makes them."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.info = network.info

    def read(
        self, views: Sequence[Sequence[Picture]], countries: frozenset[str] = COUNTRIES
    ) -> list[StripReading | None]:
        """One answer for each plate, given one or more strips of it, as a plate of one of `countries`.

        None where nothing is written. What the strips of a plate say is averaged: corners are never quite right, and
        a sign that is read in all of them is read. Where the first shows fewer signs than `TELLING`, hence hardly a
        plate, the others are not looked at.
        """
        if not views:
            return []
        signs, kinds = self._run(np.stack([strips[0] for strips in views]))
        said = [([signs[place]], [kinds[place]], find_spots(signs[place])) for place in range(len(views))]
        whose = [
            (place, strip)
            for place, strips in enumerate(views)
            for strip in (strips[1:] if len(said[place][2]) >= TELLING else ())
        ]
        if whose:
            signs, kinds = self._run(np.stack([strip for _, strip in whose]))
            for (place, _), more_signs, more_kinds in zip(whose, signs, kinds, strict=True):
                said[place][0].append(more_signs)
                said[place][1].append(more_kinds)
        return [
            _read_spots(spots, signs[0], kinds[0], countries)
            if len(signs) == 1
            else read_columns(_averaged(np.stack(signs)), _averaged(np.stack(kinds)), countries)
            for signs, kinds, spots in said
        ]

    def _run(self, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = self._network.run({"strips": tensor(normalised(strips))})
        return _log_softmax(array(found["signs"])), _log_softmax(array(found["kinds"]))


def normalised(strips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Each strip with its own mean and contrast, channels first: day and night look alike to the network."""
    x = strips.transpose(0, 3, 1, 2).astype(np.float32)
    mean = x.mean((1, 2, 3), keepdims=True)
    spread = x.std((1, 2, 3), keepdims=True, ddof=1)
    return np.ascontiguousarray((x - mean) / (spread + 8), np.float32)


def read_columns(
    signs: NDArray[np.float32], kinds: NDArray[np.float32], countries: frozenset[str] = COUNTRIES
) -> StripReading | None:
    """The best text for log-probabilities of signs (column x sign) and of kinds."""
    return _read_spots(find_spots(signs), signs, kinds, countries)


def _read_spots(
    spots: Sequence[Spot], signs: NDArray[np.float32], kinds: NDArray[np.float32], countries: frozenset[str]
) -> StripReading | None:
    if not spots:
        return None
    readings = best_readings(
        [spot.signs for spot in spots], [spot.there for spot in spots], likely_kinds(kinds, countries)
    )
    if not readings:  # a network that gives no numbers
        return None
    best, *others = readings
    boxes = tuple(
        (spots[place].start * COLUMN - COLUMN / 2, spots[place].end * COLUMN + COLUMN / 2) for place in best.spots
    )
    return StripReading(best, boxes, tuple(others), signs, kinds)


def likely_kinds(kinds: NDArray[np.float32], countries: frozenset[str]) -> list[tuple[PlateKind, float]]:
    """Kinds of plates of these countries that are not much less likely than the likeliest, and by how much (log)."""
    possible = [(kind, float(chance)) for kind, chance in zip(KINDS, kinds, strict=True) if kind.country in countries]
    most = max(chance for _, chance in possible)
    return [(kind, chance - most) for kind, chance in possible if chance > most - _UNLIKELY]


def find_spots(signs: NDArray[np.float32]) -> list[Spot]:
    """Where signs stand, those too close to be two made one."""
    chances = np.exp(signs)
    joined: list[tuple[int, int]] = []
    for start, end in _runs(chances):
        # Neighbours too close to be two signs: two opinions about one.
        if joined and (start + end) / 2 - sum(joined[-1]) / 2 < _CLOSEST:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return _spots(chances, joined)


def runs_of_signs(signs: NDArray[np.float32]) -> list[Spot]:
    """Runs of columns that say something, cut where they change their mind."""
    chances = np.exp(signs)
    return _spots(chances, _runs(chances))


def _runs(chances: NDArray[np.float32]) -> list[tuple[int, int]]:
    said = np.where(1 - chances[:, 0] >= _FAINT, chances[:, 1:].argmax(1) + 1, 0)
    cuts = [0, *(np.flatnonzero(np.diff(said)) + 1).tolist(), len(said)]
    return [(start, end) for start, end in pairwise(cuts) if end > start and said[start]]


def _spots(chances: NDArray[np.float32], runs: Sequence[tuple[int, int]]) -> list[Spot]:
    if not runs:
        return []
    weights = 1 - chances[:, 0]
    # Given that a sign stands here, which: the blank's share is left out.
    mixed = np.stack([weights[start:end] @ chances[start:end] for start, end in runs])
    mixed[:, 0] = 1e-9
    signs = np.log(np.maximum(shared(mixed / mixed.sum(1, keepdims=True)), 1e-7)).astype(np.float32)
    return [
        Spot(start, end, one, float(weights[start:end].max())) for (start, end), one in zip(runs, signs, strict=True)
    ]


def shared(chances: NDArray[np.floating]) -> NDArray[np.floating]:
    """Chances of every sign (last axis), those that look alike taken for nearly one: how plates are written tells them
    apart, the picture hardly does."""
    both = chances.copy()
    for one, other in _PAIRS:
        both[..., one] += _SHARED * chances[..., other]
        both[..., other] += _SHARED * chances[..., one]
    return both


def _averaged(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return x[0] if len(x) == 1 else np.log(np.exp(x).mean(0)).astype(np.float32)


def _log_softmax(x: NDArray[np.float32]) -> NDArray[np.float32]:
    top = x.max(-1, keepdims=True)
    return (x - top - np.log(np.exp(x - top).sum(-1, keepdims=True))).astype(np.float32)


__all__ = ["HEIGHT", "SIGNS", "WIDTH", "PlateKind", "Reader", "Spot", "StripReading", "find_spots", "read_columns"]
