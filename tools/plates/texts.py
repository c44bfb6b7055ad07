"""What stands on plates: random texts by the rules of each country, rare signs as often as frequent ones."""

from __future__ import annotations

import numpy as np

from safecity.vision.plates.alphabet import CN_LETTERS, DIGITS, LETTERS, PROVINCES, PlateKind

CN_SERIAL = CN_LETTERS + DIGITS
GREEN_LETTERS = "DABCEFGHJK"  # GA 36-2018: D, A, B, C, E electric; F, G, H, J, K others

US_PATTERNS = (
    "LLLDDDD", "DLLLDDD", "LLLDDD", "DDDLLL", "LLDDDDD", "DDDDLL", "LDDDDD", "DDDDDD", "DDLLDD", "LLDDDL", "LDDLLL",
    "DDDLLLL", "LLLLDDD", "DDLLLDD", "LLDLLL", "DLLDDDD", "LLDDLL", "XXXXXX", "XXXXXXX", "XXXXX", "DDDDDDD", "LLLLLLL",
)  # fmt: skip
# `_` a gap, `-` a dash or a seal, `o` a seal.
EU_PATTERNS = (
    "LLoLLDDDD", "LoLLDDDD", "LLLoLLDDD", "LLLoLDDDD", "LLoLDDDD", "LoLDDDD", "LLoLLDDD", "LLoLLDD", "LL-DDD-LL",
    "LL_DDDLL", "DDDD_LLL", "LL_DDDDD", "LLL_DDDD", "LLL_DDDL", "LLDD_LLL", "LL-DD-LL", "DD-LLL-D", "DD-LL-LL",
    "D-LLL-DDD", "LL-DDD-L", "LLL_DDD", "DLD_DDDD", "LLoDDDLL", "LLLoDDD", "LL-DDDD-LL", "DDDoLDD", "LoDDDDLL",
    "LLLDDD", "DLLL_DDD", "LLDDDLL", "LL_DDDD_LL", "XXXXXXX", "XXX_XXXX",
)  # fmt: skip


def cn_text(rng: np.random.Generator, kind: PlateKind) -> str:
    """A plate by GA 36-2018."""
    head = PROVINCES[int(rng.integers(len(PROVINCES)))] + _one(rng, CN_LETTERS)
    match kind:
        case PlateKind.CN_GREEN:
            return head + _one(rng, GREEN_LETTERS) + _one(rng, CN_SERIAL) + _some(rng, DIGITS, 4)
        case PlateKind.CN_GREEN_LARGE:
            return head + _some(rng, DIGITS, 5) + _one(rng, GREEN_LETTERS)
        case PlateKind.CN_WHITE:
            which = rng.random()
            if which < 0.6:
                return head + _serial(rng, 4) + "警"
            if which < 0.8:  # armed police
                return (
                    "WJ" + PROVINCES[int(rng.integers(len(PROVINCES)))] + _some(rng, DIGITS, 4) + _one(rng, CN_SERIAL)
                )
            if which < 0.95:  # army
                return _some(rng, CN_LETTERS, 2) + _some(rng, DIGITS, 5)
            return head + _some(rng, DIGITS, 4) + "应急"
        case PlateKind.CN_BLACK:
            which = rng.random()
            if which < 0.4:
                return "粤Z" + _serial(rng, 4) + "港澳"[int(rng.integers(2))]
            if which < 0.6:
                return _some(rng, DIGITS, 6) + "使"
            return head + _some(rng, DIGITS, 4) + "领" if which < 0.8 else head + _serial(rng, 5)
        case PlateKind.CN_YELLOW:
            which = rng.random()
            if which < 0.2:
                return head + _serial(rng, 4) + "学"
            return head + _serial(rng, 4) + "挂" if which < 0.4 else head + _serial(rng, 5)
        case _:
            tail = rng.random()
            if tail < 0.02:
                return head + _serial(rng, 4) + "试超临"[int(rng.integers(3))]
            return head + _serial(rng, 5)


def us_text(rng: np.random.Generator) -> str:
    """By the pattern of some state; vanity plates are any signs."""
    return _filled(rng, US_PATTERNS[int(rng.integers(len(US_PATTERNS)))])


def eu_text(rng: np.random.Generator) -> str:
    """With its gaps (`_`), dashes and seals (`o`); only the signs are read."""
    return _filled(rng, EU_PATTERNS[int(rng.integers(len(EU_PATTERNS)))])


def br_text(rng: np.random.Generator, mercosur: bool) -> str:
    """Old (ABC-1234) or Mercosur (ABC1D23)."""
    return _filled(rng, "LLLDLDD" if mercosur else "LLL-DDDD")


def _filled(rng: np.random.Generator, pattern: str) -> str:
    kinds = {"L": LETTERS, "D": DIGITS, "X": LETTERS + DIGITS}
    return "".join(_one(rng, kinds[sign]) if sign in kinds else sign for sign in pattern)


def _serial(rng: np.random.Generator, length: int) -> str:
    """Up to two letters, sometimes more: the network must see all signs in all places."""
    letters = int(rng.choice([0, 1, 2, length], p=[0.4, 0.3, 0.2, 0.1]))
    signs = [_one(rng, DIGITS) for _ in range(length)]
    for place in rng.choice(length, letters, replace=False):
        signs[int(place)] = _one(rng, CN_LETTERS)
    return "".join(signs)


def _some(rng: np.random.Generator, signs: str, count: int) -> str:
    return "".join(_one(rng, signs) for _ in range(count))


def _one(rng: np.random.Generator, signs: str) -> str:
    return signs[int(rng.integers(len(signs)))]
