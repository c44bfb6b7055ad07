"""Ten thousand watches against one plate: exact, by wildcard, or with one character that readers take for another.

Patterns without a star lie in a matrix for each length, a column for each place; a plate is a few comparisons of whole
columns. Patterns with stars are few; they are gone through, those first that can begin like the plate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from safecity.core.ground.passages.api import NEAR, confusable, cost
from safecity.core.ground.vehicles.api import Pattern

ANY: Final = ord("?")


@dataclass(frozen=True, slots=True)
class Match:
    """`differs` is the place of the one character that was read otherwise; None: to the letter."""

    watch: str
    differs: int | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A watch as far as its plate is concerned."""

    watch: str
    pattern: Pattern
    near: bool


def differs(pattern: Pattern, plate: str, *, near: bool) -> tuple[bool, int | None]:
    """Whether a plate fits, and at which place it was read otherwise. At most one character may be, and only for one
    that readers take for it or could not read (`NEAR`)."""
    if pattern.fits(plate):
        return True, None
    if not near or not Pattern(pattern.parts, near=True).fits(plate):
        return False, None
    found = [
        (price, place)
        for place, letter in enumerate(plate)
        for other, price in _meant(letter, pattern)
        if pattern.fits(plate[:place] + other + plate[place + 1 :])
    ]
    return (True, min(found)[1]) if found else (False, None)


def _meant(letter: str, pattern: Pattern) -> Iterable[tuple[str, float]]:
    """What a character that was read can have been, of those that are wanted."""
    wanted = {each for part in pattern.parts for each in part} - {"?", letter}
    return [(each, price) for each in wanted if (price := cost(each, letter)) <= NEAR]


class _Matrix:
    """Patterns of one length."""

    def __init__(self, rows: list[Looked]) -> None:
        self._ids = [row.watch for row in rows]
        letters = "".join(row.pattern.parts[0] for row in rows)
        signs = np.frombuffer(letters.encode("utf-32-le"), dtype=np.uint32)
        self._columns: list[Any] = [np.ascontiguousarray(column) for column in signs.reshape(len(rows), -1).T]
        self._free: list[Any] = [column == ANY for column in self._columns]
        self._near: Any = np.array([row.near for row in rows], dtype=bool)

    def find(self, plate: str) -> list[Match]:
        wrong = np.zeros(len(self._ids), dtype=np.uint8)
        place = np.zeros(len(self._ids), dtype=np.uint8)
        for index, letter in enumerate(plate):
            miss = (self._columns[index] != ord(letter)) & ~self._free[index]
            wrong += miss
            place[miss] = index
        found = [Match(self._ids[row]) for row in np.flatnonzero(wrong == 0)]
        for row in np.flatnonzero((wrong == 1) & self._near):
            at = int(place[row])
            if cost(chr(int(self._columns[at][row])), plate[at]) <= NEAR:
                found.append(Match(self._ids[row], at))
        return found


class WatchIndex:
    """What is watched for. Changes cost nothing until the next plate is asked for."""

    def __init__(self) -> None:
        self._all: dict[str, Looked] = {}
        self._matrices: dict[int, _Matrix] = {}
        self._starred: dict[str, list[Looked]] = {}
        self._stale = False

    def __len__(self) -> int:
        return len(self._all)

    def put(self, one: Looked) -> None:
        """Watch for it from now on."""
        self._all[one.watch] = one
        self._stale = True

    def drop(self, watch: str) -> None:
        """No longer watch for it; one that is not there is no error."""
        if self._all.pop(watch, None) is not None:
            self._stale = True

    def find(self, plate: str) -> list[Match]:
        """Watches that a plate fits, oldest first; none for one that could not be read at all."""
        if not plate.strip("?"):
            return []
        if self._stale:
            self._build()
        matrix = self._matrices.get(len(plate))
        found = [] if matrix is None else matrix.find(plate)
        for start in ("", *confusable(plate[0])) if plate[0] != "?" else tuple(self._starred):
            for one in self._starred.get(start, ()):
                fits, at = differs(one.pattern, plate, near=one.near)
                if fits:
                    found.append(Match(one.watch, at))
        return sorted(found, key=lambda match: match.watch)

    def _build(self) -> None:
        rows: dict[int, list[Looked]] = defaultdict(list)
        starred: dict[str, list[Looked]] = defaultdict(list)
        for one in self._all.values():
            if len(one.pattern.parts) == 1:
                rows[len(one.pattern.parts[0])].append(one)
            else:
                starred[one.pattern.parts[0][:1].replace("?", "")].append(one)
        self._matrices = {length: _Matrix(some) for length, some in rows.items()}
        self._starred = dict(starred)
        self._stale = False
