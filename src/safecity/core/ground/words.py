"""Keys computed from names: how they sort and how they are found. No engine collation decides it."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

_NUMBER = re.compile(r"\d+")


def sort_key(name: str) -> str:
    """`Camera 2` before `Camera 10`; Chinese by pinyin."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    spelled = " ".join(_pinyin(plain)) if not plain.isascii() else plain
    return _NUMBER.sub(lambda m: m[0][-12:].rjust(12, "0"), spelled)[:400]


def search_key(*words: str) -> str:
    """What a search looks into: the words themselves, their pinyin and its initials, lower case."""
    plain = [unicodedata.normalize("NFKC", word).casefold() for word in words if word]
    spelled: list[str] = []
    for word in plain:
        if not word.isascii():
            spelled.append("".join(_pinyin(word, "FIRST_LETTER")))
            spelled.append("".join(_pinyin(word)))
    return " ".join(plain + spelled)[:2000]


def like(text: str) -> str:
    """A LIKE pattern (escape `\\`) for a search key that contains `text`."""
    plain = unicodedata.normalize("NFKC", text).casefold()[:100]
    return "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _pinyin(text: str, style: Literal["NORMAL", "FIRST_LETTER"] = "NORMAL") -> list[str]:
    # Its dictionaries take a quarter of a second to load: only where there is a Chinese name to spell.
    from pypinyin import Style, lazy_pinyin

    return lazy_pinyin(text, style=Style[style])
