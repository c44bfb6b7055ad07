"""The distinct plates of the city in a memory-mapped matrix, one row of small numbers for each: what a wildcard fits is
found by looking at columns, a hundred million characters a second, where SQL would look at texts.

It is a cache and nothing else: made anew from the database at start and once a day (so that what the database forgot
is forgotten here), and a file that broke with its process is never read again.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from safecity.core.ground.passages.api import NEAR, UNREAD, confusable
from safecity.core.ground.vehicles.pattern import Pattern
from safecity.kit.clock import SECOND_US

Codes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Seconds = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
WIDTH: Final = 20
"""Characters of a plate; what is longer is none."""
BLOCK: Final = 1 << 16
"""Plates side by side: a column of so many lies in the cache of a processor."""
_COLUMNS: Final = WIDTH + 1  # the last one holds the length
_ODD: Final = 255
"""Stands for every character that came after the first 254 different ones."""
_LIMIT: Final = round(NEAR * 100)
"""Costs are held in hundredths; above this two plates are not of one vehicle."""
_NO: Final = 200
_RECENT: Final = 1 << 15
_LATEST: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Fits:
    """A plate that fits. `cost` 0: to the letter. No passage of it that the matrix was told of is newer than `seen`
    (microseconds)."""

    plate: str
    cost: float
    seen: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What fits a pattern, the plate that was seen last first. `rest`: like `seen`, of all that fit and are not
    listed; None: there are no others."""

    plates: list[Fits]
    rest: int | None


class PlateMatrix:
    """Plates only come in; each once. One thread adds, others may look meanwhile."""

    def __init__(self, folder: Path, *, most: int = 1 << 27) -> None:
        """`folder` gets a file without a name: it goes with the process, whatever happens to that."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file, path = tempfile.mkstemp(prefix="plates-", dir=folder)
        self.close = weakref.finalize(self, os.close, self._file)
        """What is mapped stays readable until nobody looks into it any more."""
        os.unlink(path)
        self._most = most
        self._blocks: list[Codes] = []
        self._seen: list[Seconds] = []
        self._lengths: list[set[int]] = []
        self._count = 0
        self._codes: dict[str, int] = {"?": 1}
        self._letters: list[str] = ["", "?"]
        self._odd: dict[int, str] = {}
        # A dictionary of millions of texts would take half a gigabyte; two sorted columns of numbers take a tenth.
        self._recent: dict[str, int] = {}
        self._hashes = np.zeros(0, np.int64)
        self._rows: Rows = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return self._count

    def add(self, seen: Iterable[tuple[str, int]]) -> int:
        """Plates and when each was seen (microseconds); how many were not there yet."""
        before = self._count
        for plate, at in seen:
            if not plate or len(plate) > WIDTH:
                continue
            row = self._row(plate)
            if row is None:
                if self._count >= self._most:
                    continue
                self._recent[plate] = row = self._append(plate)
                if len(self._recent) >= _RECENT:
                    self._settle()
            number, index = divmod(row, BLOCK)
            second = min(max(-(-at // SECOND_US), 0), _LATEST)  # upwards: nothing of it is newer than what is kept
            if second > self._seen[number][index]:
                self._seen[number][index] = second
        return self._count - before

    def _row(self, plate: str) -> int | None:
        if plate in self._recent:
            return self._recent[plate]
        place, value = int(np.searchsorted(self._hashes, hash(plate))), hash(plate)
        while place < self._hashes.size and self._hashes[place] == value:
            row = int(self._rows[place])
            if self.plate(row) == plate:
                return row
            place += 1
        return None

    def _settle(self) -> None:
        hashes = np.fromiter((hash(plate) for plate in self._recent), np.int64, len(self._recent))
        rows = np.fromiter(self._recent.values(), np.int64, len(self._recent))
        hashes, rows = np.concatenate((self._hashes, hashes)), np.concatenate((self._rows, rows))
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._rows = hashes[order], rows[order]
        self._recent = {}

    def _append(self, plate: str) -> int:
        row = self._count
        number, index = divmod(row, BLOCK)
        if number == len(self._blocks):
            # In this order: whoever looks meanwhile goes by the blocks.
            codes_of_block, seen = self._new_block(number)
            self._lengths.append(set())
            self._seen.append(seen)
            self._blocks.append(codes_of_block)
        codes = [self._code(letter) for letter in plate]
        self._blocks[number][: len(codes), index] = codes
        self._blocks[number][WIDTH, index] = len(codes)
        self._lengths[number].add(len(codes))
        if _ODD in codes:
            self._odd[row] = plate
        self._count += 1
        return row

    def _new_block(self, number: int) -> tuple[Codes, Seconds]:
        size = _COLUMNS * BLOCK
        whole = size + 4 * BLOCK
        os.truncate(self._file, (number + 1) * whole)
        mapped = mmap.mmap(self._file, whole, offset=number * whole)
        codes = np.frombuffer(mapped, np.uint8, size).reshape(_COLUMNS, BLOCK)
        return codes, np.frombuffer(mapped, np.uint32, BLOCK, size)

    def _code(self, letter: str) -> int:
        code = self._codes.get(letter)
        if code is None:
            code = len(self._letters) if len(self._letters) < _ODD else _ODD
            self._codes[letter] = code
            if code != _ODD:
                self._letters.append(letter)
        return code

    def plate(self, row: int) -> str:
        """The text of a row."""
        if row in self._odd:
            return self._odd[row]
        number, index = divmod(row, BLOCK)
        column = cast("list[int]", self._blocks[number][:, index].tolist())
        return "".join(self._letters[code] for code in column[: column[WIDTH]])

    def find(self, pattern: Pattern, most: int) -> Listed:
        """Up to `most` plates that fit."""
        parts = list(self._candidates(pattern))
        rows = np.concatenate([part for part, _ in parts]) if parts else np.zeros(0, np.int64)
        seen = np.concatenate([part for _, part in parts]) if parts else np.zeros(0, np.uint32)
        found: list[Fits] = []
        for row, second in _last_seen_first(rows, seen, most + most // 4):
            # A star may be filled in many ways, and odd characters share a number: the text has the last word.
            plate = self.plate(row)
            cost = pattern.distance(plate)
            if cost <= (NEAR if pattern.near else 0.0):
                if len(found) == most:
                    return Listed(found, second * SECOND_US)
                found.append(Fits(plate, cost, second * SECOND_US))
        return Listed(found, None)

    def _candidates(self, pattern: Pattern) -> Iterator[tuple[Rows, Seconds]]:
        tables = {letter: self._table(letter, pattern.near) for part in pattern.parts for letter in part}
        for number in range(len(self._blocks)):
            block, size = self._blocks[number], min(BLOCK, self._count - number * BLOCK)
            for length in sorted(self._lengths[number]):
                if length == pattern.least or (len(pattern.parts) > 1 and length > pattern.least):
                    look = _near if pattern.near else _exact
                    rows = look(block[:, :size], length, pattern, tables)
                    if rows.size:
                        yield rows + number * BLOCK, self._seen[number][rows]

    def _table(self, letter: str, near: bool) -> Codes:
        """By code: what it costs that a plate has this where `letter` is wanted."""
        table = np.full(256, _NO, np.uint8)
        prices = {**confusable(letter), "?": UNREAD} if near else {}
        for other, price in {**prices, letter: 0.0}.items():
            if other in self._codes:
                table[self._codes[other]] = round(price * 100)
        return table


def _last_seen_first(rows: Rows, seen: Seconds, some: int) -> Iterator[tuple[int, int]]:
    """(row, second); what comes after the first `some` is put in order only when it is asked for."""
    split = max(rows.size - some, 0)
    order = np.argpartition(seen, split) if split else np.arange(rows.size)
    for part in (order[split:], order[:split]):
        ordered = part[np.argsort(seen[part], kind="stable")[::-1]]
        yield from zip(rows[ordered].tolist(), seen[ordered].tolist(), strict=True)


def _fixed(pattern: Pattern, length: int) -> list[tuple[int, str]]:
    """(column, letter) that must stand there in a plate of that length; from the right, where plates differ most: most
    begin with the same province and town."""
    first, last = pattern.parts[0], pattern.parts[-1] if len(pattern.parts) > 1 else ""
    places = [*enumerate(first), *enumerate(last, length - len(last))]
    return [(column, letter) for column, letter in reversed(places) if letter != "?"]


def _starts(pattern: Pattern, length: int, part: str) -> range:
    """Where a part between two stars may begin."""
    return range(len(pattern.parts[0]), length - len(pattern.parts[-1]) - len(part) + 1)


def _exact(block: Codes, length: int, pattern: Pattern, tables: dict[str, Codes]) -> Rows:
    """Rows that fit to the letter. Whole columns are compared: that is faster than to look at some."""
    codes = {letter: np.flatnonzero(table == 0) for letter, table in tables.items() if letter != "?"}
    if any(not found.size for found in codes.values()):
        return np.zeros(0, np.int64)
    mask: Mask = block[WIDTH] == length
    for column, letter in _fixed(pattern, length):
        mask &= block[column] == codes[letter][0]
    for part in pattern.parts[1:-1]:
        there = np.zeros(mask.size, np.bool_)
        for start in _starts(pattern, length, part):
            here = mask.copy()
            for column, letter in enumerate(part, start):
                if letter != "?":
                    here &= block[column] == codes[letter][0]
            there |= here
        mask = there
    return np.flatnonzero(mask)


def _near(block: Codes, length: int, pattern: Pattern, tables: dict[str, Codes]) -> Rows:
    """Rows that can have been misread: after the first columns few are left, and only those are looked at further."""
    rows: Rows = np.flatnonzero(block[WIDTH] == length)
    total = np.zeros(rows.size, np.uint16)
    for column, letter in _fixed(pattern, length):
        total = total + tables[letter][block[column, rows]]
        keep = np.flatnonzero(total <= _LIMIT)
        rows, total = rows[keep], total[keep]
    for part in pattern.parts[1:-1]:
        there = np.zeros(rows.size, np.bool_)
        for start in _starts(pattern, length, part):
            left = np.flatnonzero(~there)
            for column, letter in enumerate(part, start):
                if letter != "?":
                    left = left[tables[letter][block[column, rows[left]]] <= _LIMIT]
            there[left] = True
        rows = rows[there]
    return rows


def cleared(folder: Path) -> None:
    """Take away what an older process could not."""
    for left in folder.glob("plates-*"):
        with contextlib.suppress(OSError):
            left.unlink()
