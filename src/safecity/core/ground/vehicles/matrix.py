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
from pathlib import Path
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from safecity.core.ground.passages.api import NEAR, UNREAD, confusable
from safecity.core.ground.vehicles.pattern import Pattern

Codes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
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

    def add(self, plates: Iterable[str]) -> int:
        """Those that are not there yet; how many."""
        before = self._count
        for plate in plates:
            if plate and len(plate) <= WIDTH and self._count < self._most and not self._has(plate):
                self._recent[plate] = self._append(plate)
                if len(self._recent) >= _RECENT:
                    self._settle()
        return self._count - before

    def _has(self, plate: str) -> bool:
        if plate in self._recent:
            return True
        place, value = int(np.searchsorted(self._hashes, hash(plate))), hash(plate)
        while place < self._hashes.size and self._hashes[place] == value:
            if self.plate(int(self._rows[place])) == plate:
                return True
            place += 1
        return False

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
            self._lengths.append(set())
            self._blocks.append(self._new_block(number))
        codes = [self._code(letter) for letter in plate]
        self._blocks[number][: len(codes), index] = codes
        self._blocks[number][WIDTH, index] = len(codes)
        self._lengths[number].add(len(codes))
        if _ODD in codes:
            self._odd[row] = plate
        self._count += 1
        return row

    def _new_block(self, number: int) -> Codes:
        size = _COLUMNS * BLOCK
        os.truncate(self._file, (number + 1) * size)
        mapped = mmap.mmap(self._file, size, offset=number * size)
        return np.frombuffer(mapped, np.uint8).reshape(_COLUMNS, BLOCK)

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

    def find(self, pattern: Pattern, most: int) -> tuple[list[tuple[str, float]], bool]:
        """Up to `most` plates that fit, with what each costs, and whether there were no more."""
        found: list[tuple[str, float]] = []
        for rows in self._candidates(pattern):
            for row in rows.tolist():
                # A star may be filled in many ways, and odd characters share a number: the text has the last word.
                plate = self.plate(row)
                price = pattern.distance(plate)
                if price <= (NEAR if pattern.near else 0.0):
                    if len(found) == most:
                        return found, False
                    found.append((plate, price))
        return found, True

    def _candidates(self, pattern: Pattern) -> Iterator[Rows]:
        tables = {letter: self._table(letter, pattern.near) for part in pattern.parts for letter in part}
        for number in range(len(self._blocks)):
            block, size = self._blocks[number], min(BLOCK, self._count - number * BLOCK)
            for length in sorted(self._lengths[number]):
                if length == pattern.least or (len(pattern.parts) > 1 and length > pattern.least):
                    look = _near if pattern.near else _exact
                    rows = look(block[:, :size], length, pattern, tables)
                    if rows.size:
                        yield rows + number * BLOCK

    def _table(self, letter: str, near: bool) -> Codes:
        """By code: what it costs that a plate has this where `letter` is wanted."""
        table = np.full(256, _NO, np.uint8)
        prices = {**confusable(letter), "?": UNREAD} if near else {}
        for other, price in {**prices, letter: 0.0}.items():
            if other in self._codes:
                table[self._codes[other]] = round(price * 100)
        return table


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
