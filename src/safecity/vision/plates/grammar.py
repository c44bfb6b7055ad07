"""How plates are written, and what that says about a doubtful sign.

Each pattern is a row of classes; a reading that fits one is believed more than one that fits none, but nothing is ever
forced: what no pattern allows is still reported as it was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from safecity.vision.plates.alphabet import CN_LETTERS, DIGITS, LETTERS, PROVINCES, SIGN_INDEX, SIGNS, PlateKind

CLASSES = {
    "P": PROVINCES,
    "C": CN_LETTERS,
    "S": CN_LETTERS + DIGITS,
    "D": DIGITS,
    "L": LETTERS,
    "X": LETTERS + DIGITS,
    "g": "DABCEFGHJK",  # GA 36-2018: energy of the vehicle
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A row of classes (or signs themselves), and how likely plates of its country follow it (log)."""

    classes: str
    weight: float


def _patterns(weight: float, *rows: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(row, weight) for row in rows)


CN = (
    *_patterns(-0.3, "PCSSSSS", "PCgSDDDD", "PCDDDDDg"),
    *_patterns(-1.5, "PCSSSS学", "PCSSSS挂", "PCSSSS警"),
    *_patterns(-2.5, "粤ZSSSS港", "粤ZSSSS澳", "PCDDDD领", "DDDDDD使", "WJPDDDDS", "CCDDDDD", "PCDDDD应急"),
    *_patterns(-3.0, "PCSSSS试", "PCSSSS超", "PCSSSS临"),
)
BR = (*_patterns(-0.1, "LLLDDDD"), *_patterns(-0.8, "LLLDLDD"))
# States and countries differ too much for more than a gentle push.
US = (
    *_patterns(-1.0, "LLLDDDD", "DLLLDDD", "LLLDDD", "DDDLLL"),
    *_patterns(-1.6, "LLDDDDD", "DDDDLL", "LDDDDD", "DDDDDD", "DDLLDD", "LLDDDL", "LDDLLL", "DDDLLLL", "LLLLDDD"),
    *_patterns(-1.6, "DDLLLDD", "DLLDDDD", "LLDDLL", "LLDDDD", "DDLDDDD", "DDDDDDD", "LDDDDDD"),
    # Of one state or two each: Missouri, Texas, Florida and Utah, South Dakota, Michigan, New Jersey, Massachusetts,
    # Tennessee, Montana.
    *_patterns(-1.6, "LLDLDL", "LLDLDDD", "LDDDLL", "LLLLDD", "DLLDDD", "DDLDDD", "DLLLDD", "LLLDDL", "DDDLLD"),
    *_patterns(-1.6, "LDDDDL", "DDDDDDL"),
    *_patterns(-3.0, "XXXX", "XXXXX", "XXXXXX", "XXXXXXX", "XXXXXXXX"),
)
EU = (
    *_patterns(-1.0, "LLDDDLL", "LLLLDDDD", "LLLDDDD", "LLLLDDD", "LLDDDDD", "LLLDDD", "LLDDLLL", "DDDDLLL"),
    *_patterns(-1.5, "LLLDDDL", "LLLDDDDD", "LLLLLDDD", "LLDDDD", "LLDDLL", "DDLLLD", "DDLLLL", "DLLLDDD", "LLDDDL"),
    *_patterns(-1.5, "DLDDDDD", "DDDDDDD", "LLLDDLL", "LLDDDDLL", "LDDDDLL", "LLLLLDD", "LLLDD", "LDDDLLL"),
    *_patterns(-3.0, "XXXXX", "XXXXXX", "XXXXXXX", "XXXXXXXX", "XXXX"),
)
_ISSUED = {
    "京": "ABCDEFGHJKLMNPQRVY", "津": "ABCDEFGHJKLMNPQR", "冀": "ABCDEFGHJRST", "晋": "ABCDEFHJKLM",
    "蒙": "ABCDEFGHJKLM", "辽": "ABCDEFGHJKLMNPV", "吉": "ABCDEFGHJK", "黑": "ABCDEFGHJKLMNPR", "沪": "ABCDEFGHJKLMNR",
    "苏": "ABCDEFGHJKLMNU", "浙": "ABCDEFGHJKL", "皖": "ABCDEFGHJKLMNPQRS", "闽": "ABCDEFGHJK", "赣": "ABCDEFGHJKLMS",
    "鲁": "ABCDEFGHJKLMNPQRSUVWY", "豫": "ABCDEFGHJKLMNPQRSU", "鄂": "ABCDEFGHJKLMNPQRSW", "湘": "ABCDEFGHJKLMNSU",
    "桂": "ABCDEFGHJKLMNPR", "琼": "ABCDEF", "渝": "ABCDFGHN", "贵": "ABCDEFGHJ", "云": "ABCDEFGHJKLMNPQRSV",
    "藏": "ABCDEFGHJ", "陕": "ABCDEFGHJKUV", "甘": "ABCDEFGHJKLMNP", "青": "ABCDEFGH", "宁": "ABCDE",
    "新": "ABCDEFGHJKLMNPQRS",
}  # fmt: skip
"""The letters of the offices that issue plates in a province. Guangdong and Sichuan use nearly all of them."""
BY_COUNTRY = {"cn": CN, "us": US, "eu": EU, "br": BR}
_NOT_ISSUED = -4.0  # a letter that its province is not known to issue: offices are founded, and letters added
_UNWRITTEN = -5.0  # no pattern fits: believed less, not hidden
_NEVER_SURER = 0.01  # that something stands there which is no sign


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, how sure of each sign, the spots they stand in, and the score by which readings are compared."""

    text: str
    confidences: tuple[float, ...]
    spots: tuple[int, ...]
    kind: PlateKind
    score: float
    pattern: str | None


@dataclass(frozen=True, slots=True)
class _Book:
    """All patterns of some countries as arrays: for every place of every pattern the number of its class."""

    patterns: tuple[Pattern, ...]
    countries: tuple[str, ...]
    classes: NDArray[np.int64]  # pattern x place; -1 behind the end
    lengths: NDArray[np.int64]
    weights: NDArray[np.float64]


_LONGEST = 10
_NAMES = (*CLASSES, *"学挂警粤Z港澳领使WJ应急试超临", "?")
_OUTSIDE = np.full((len(_NAMES), len(SIGNS) + 1), -1e9, np.float32)
"""Class x sign: nothing is added to the signs of a class, so much to all others."""
for _row, _name in zip(_OUTSIDE, _NAMES, strict=True):
    _row[[SIGN_INDEX[sign] for sign in (SIGNS if _name == "?" else CLASSES.get(_name, _name))]] = 0


@lru_cache(maxsize=16)
def _book(countries: frozenset[str]) -> _Book:
    free = [Pattern("?" * length, _UNWRITTEN) for length in range(1, _LONGEST + 1)]
    rows = [(country, one) for country in sorted(countries) for one in (*BY_COUNTRY[country], *free)]
    classes = np.full((len(rows), _LONGEST), -1, np.int64)
    for row, (_, one) in zip(classes, rows, strict=True):
        row[: len(one.classes)] = [_NAMES.index(name) for name in one.classes]
    return _Book(
        tuple(one for _, one in rows),
        tuple(country for country, _ in rows),
        classes,
        np.array([len(one.classes) for _, one in rows]),
        np.array([one.weight for _, one in rows]),
    )


def best_readings(
    spots: Sequence[NDArray[np.float32]],
    there: Sequence[float],
    kinds: Sequence[tuple[PlateKind, float]],
    count: int = 4,
) -> list[Reading]:
    """The likeliest texts, best first, by what the `kinds` (with their log-probabilities) allow.

    `spots` are log-probabilities of every sign, `there` how likely a sign stands at each at all: a pattern may leave
    a spot out, at a cost. The best way of laying each pattern over the spots is found for all patterns at once.
    """
    by_country: dict[str, tuple[PlateKind, float]] = {}
    for kind, chance in kinds:
        if kind.country not in by_country or chance > by_country[kind.country][1]:
            by_country[kind.country] = (kind, chance)
    book = _book(frozenset(by_country))
    chances = np.stack(spots)
    firsts = (chances[:, None] + _OUTSIDE).argmax(2)  # spot x class: its best sign
    values = np.take_along_axis(chances, firsts, 1).astype(np.float64)
    keep = np.log(np.asarray(there, np.float64))
    drop = np.log(np.maximum(1 - np.asarray(there, np.float64), _NEVER_SURER))
    scores, kept = _laid(book, values + keep[:, None], drop)
    ends = scores[np.arange(len(book.lengths)), book.lengths]
    ends += book.weights + np.array([by_country[country][1] for country in book.countries])
    found: dict[str, Reading] = {}
    for which in map(int, np.argsort(-ends)[: 3 * count]):
        if len(found) == count or not np.isfinite(ends[which]):
            break
        pattern, kind = book.patterns[which], by_country[book.countries[which]][0]
        chosen = _chosen(kept, which, len(pattern.classes), len(chances))
        signs = [int(firsts[spot, name]) for spot, name in zip(chosen, book.classes[which], strict=False)]
        text = "".join(SIGNS[sign - 1] for sign in signs)
        if text in found:
            continue
        sure = tuple(
            math.exp(float(chances[spot, sign])) * there[spot] for spot, sign in zip(chosen, signs, strict=True)
        )
        name = None if pattern.classes[0] == "?" else pattern.classes
        found[text] = Reading(text, sure, chosen, kind, float(ends[which]), name)
    return list(found.values())


def _laid(
    book: _Book, values: NDArray[np.float64], drop: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """For every pattern the best score of its first n places over all spots, and at which spots a place was filled."""
    patterns = len(book.lengths)
    scores = np.full((patterns, _LONGEST + 1), -np.inf)
    scores[:, 0] = 0
    kept = np.zeros((len(values), patterns, _LONGEST + 1), np.bool_)
    for spot, row in enumerate(values):
        filled = scores[:, :-1] + row[book.classes]
        scores += drop[spot]
        better = filled > scores[:, 1:]
        np.copyto(scores[:, 1:], filled, where=better)
        kept[spot, :, 1:] = better
    return scores, kept


def _chosen(kept: NDArray[np.bool_], pattern: int, length: int, spots: int) -> tuple[int, ...]:
    """The spots that the best way of laying the pattern fills."""
    chosen: list[int] = []
    for spot in range(spots - 1, -1, -1):
        if length and kept[spot, pattern, length]:
            chosen.append(spot)
            length -= 1
    return tuple(reversed(chosen))


def neighbours(reading: Reading, spots: Sequence[NDArray[np.float32]], count: int) -> list[Reading]:
    """The reading with one sign changed for each of the `count` likeliest others that its pattern allows there."""
    found: list[Reading] = []
    for place, spot in enumerate(reading.spots if reading.pattern is not None else ()):
        allowed = [SIGN_INDEX[sign] for sign in CLASSES.get((reading.pattern or "")[place], "")]
        likely = sorted(allowed, key=lambda sign: -float(spots[spot][sign]))[: count + 1]
        for sign in [SIGNS[one - 1] for one in likely if SIGNS[one - 1] != reading.text[place]][:count]:
            found.append(replace(reading, text=reading.text[:place] + sign + reading.text[place + 1 :]))
    return found


def weight_of(reading: Reading) -> float:
    """How likely plates of its country are written so (log)."""
    patterns = BY_COUNTRY[reading.kind.country]
    weight = next((one.weight for one in patterns if one.classes == reading.pattern), _UNWRITTEN)
    return weight if issued(reading.text) else weight + _NOT_ISSUED


def issued(text: str) -> bool:
    """False for a Chinese plate with a letter that its province is not known to issue."""
    return len(text) < 2 or text[1] not in CN_LETTERS or text[1] in _ISSUED.get(text[0], CN_LETTERS)


def fits(text: str, country: str) -> bool:
    """Whether a plate of `country` may be written so."""
    return any(
        len(pattern.classes) == len(text)
        and all(sign in CLASSES.get(name, name) for sign, name in zip(text, pattern.classes, strict=True))
        for pattern in BY_COUNTRY.get(country, ())
    )
