"""What somebody looks for in a plate: letters, `?` for one character, `*` for any number of them. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from safecity.core.ground.passages.api import NEAR, NEVER, cost
from safecity.kit.errors import InvalidError

MAX_PATTERN: Final = 20
MAX_STARS: Final = 3


@dataclass(frozen=True, slots=True)
class Pattern:
    """`parts` lie between the stars; a pattern without a star is one part and the whole plate.

    near   a character that readers take for another counts as the same, at a cost
    """

    parts: tuple[str, ...]
    near: bool = False

    @property
    def exact(self) -> bool:
        """One plate and no other."""
        return not self.near and len(self.parts) == 1 and "?" not in self.parts[0]

    @property
    def text(self) -> str:
        return "*".join(self.parts)

    @property
    def least(self) -> int:
        """Characters that a plate must have."""
        return sum(len(part) for part in self.parts)

    def distance(self, plate: str) -> float:
        """0: it fits; up to `NEAR` where `near` asks for it: it can have been misread; above: it is another."""
        if len(self.parts) == 1:
            whole = self.parts[0]
            return self._part(whole, plate) if len(whole) == len(plate) else NEVER
        first, *between, last = self.parts
        if len(plate) < self.least:
            return NEVER
        total = self._part(first, plate[: len(first)]) + self._part(last, plate[len(plate) - len(last) :])
        return total + self._between(between, plate[len(first) : len(plate) - len(last)]) if total <= NEAR else NEVER

    def _between(self, parts: list[str], middle: str) -> float:
        """The cheapest way to find the parts in this order: each cost is known per place, so that the best of the rest
        is asked for from the end."""
        best = [0.0] * (len(middle) + 1)
        for part in reversed(parts):
            following = [NEVER] * (len(middle) + 1)
            for at in range(len(middle) - len(part), -1, -1):
                here = self._part(part, middle[at : at + len(part)]) + best[at + len(part)]
                following[at] = min(here, following[at + 1])
            best = following
        return best[0]

    def _part(self, wanted: str, read: str) -> float:
        total = 0.0
        for want, got in zip(wanted, read, strict=True):
            if want == "?" or want == got:
                continue
            price = cost(want, got) if self.near else NEVER
            if price >= NEVER:
                return NEVER
            total += price
        return total

    def fits(self, plate: str) -> bool:
        return self.distance(plate) <= (NEAR if self.near else 0.0)


def read_pattern(text: str, *, near: bool = False) -> Pattern | None:
    """`皖a·12?*` -> a pattern; None where nothing is asked of the plate. InvalidError `plate_pattern` for one that is
    too long or has more than three stars."""
    plain = unicodedata.normalize("NFKC", text).upper()
    letters = re.sub(r"\*+", "*", "".join(letter for letter in plain if letter.isalnum() or letter in "*?"))
    if not letters.strip("*"):
        return None
    if len(letters) > MAX_PATTERN or letters.count("*") > MAX_STARS:
        raise InvalidError("too long, or too many stars", code="plate_pattern", params={"stars": MAX_STARS})
    return Pattern(tuple(letters.split("*")), near)
