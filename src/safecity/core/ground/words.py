"""Keys computed from names: how they sort and how they are found. No engine collation decides it."""

from __future__ import annotations

import re
import unicodedata

from pypinyin import Style, lazy_pinyin

_NUMBER = re.compile(r"\d+")


def sort_key(name: str) -> str:
    """`Camera 2` before `Camera 10`; Chinese by pinyin."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    spelled = " ".join(lazy_pinyin(plain)) if not plain.isascii() else plain
    return _NUMBER.sub(lambda m: m[0][-12:].rjust(12, "0"), spelled)[:400]


def search_key(*words: str) -> str:
    """What a search looks into: the words themselves, their pinyin and its initials, lower case."""
    plain = [unicodedata.normalize("NFKC", word).casefold() for word in words if word]
    spelled: list[str] = []
    for word in plain:
        if not word.isascii():
            spelled.append("".join(lazy_pinyin(word, style=Style.FIRST_LETTER)))
            spelled.append("".join(lazy_pinyin(word)))
    return " ".join(plain + spelled)[:2000]


def like(text: str) -> str:
    """A LIKE pattern (escape `\\`) for a search key that contains `text`."""
    plain = unicodedata.normalize("NFKC", text).casefold()[:100]
    return "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
