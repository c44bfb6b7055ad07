"""Characters that readers of plates take for one another, and how readily. Pure.

A cost lies between 0 (the same) and 1 (never): what readers and people mix up most costs least. The sets follow from
the shapes of GA 36-2018 and of Latin plates in general; Chinese plates use neither I nor O, so that these are hardly
ever more than a 1 and a 0 misread.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NEVER: Final = 1.0
UNREAD: Final = 0.2
"""What a character costs that one of the two could not read."""
NEAR: Final = 0.5
"""Beyond this two plates are not taken for one another, however many characters agree."""
ALIKE: Final = 0.35
"""Up to this two cameras at one place, within seconds, are believed to have read one plate."""
_SETS: Final[tuple[tuple[str, float], ...]] = (
    ("0O", 0.05), ("0D", 0.15), ("0Q", 0.15), ("OD", 0.15), ("OQ", 0.1), ("DQ", 0.2),
    ("1I", 0.05), ("1L", 0.25), ("IL", 0.2), ("1T", 0.4), ("17", 0.4),
    ("8B", 0.15), ("5S", 0.15), ("2Z", 0.15), ("6G", 0.25), ("7T", 0.35), ("38", 0.4), ("3B", 0.4), ("68", 0.4),
    ("VY", 0.35), ("UV", 0.3), ("CG", 0.3), ("CO", 0.4), ("MN", 0.3), ("HN", 0.4), ("EF", 0.3), ("PR", 0.3),
    ("4A", 0.35), ("KX", 0.4), ("56", 0.45), ("9G", 0.45),
)  # fmt: skip
_COSTS: Final = {pair: cost for letters, cost in _SETS for pair in (letters, letters[::-1])}


def cost(one: str, other: str) -> float:
    """Of taking one character for the other; `?` is one that could not be read."""
    if one == other:
        return 0.0
    return UNREAD if "?" in (one, other) else _COSTS.get(one + other, NEVER)


def confusable(letter: str) -> dict[str, float]:
    """What a character is taken for, and at what cost; itself at none."""
    return {letter: 0.0, **{pair[1]: price for pair, price in _COSTS.items() if pair[0] == letter}}


def distance(one: str, other: str) -> float:
    """The costs of two readings of the same length together; `NEVER` or more where they are not of one plate."""
    return NEVER if len(one) != len(other) else sum(cost(a, b) for a, b in zip(one, other, strict=True))


def near_misses(wanted: str, read: Iterable[str]) -> list[tuple[str, float]]:
    """Readings that can be of the plate `wanted` and are not the same, nearest first."""
    found = [(plate, distance(wanted, plate)) for plate in read if plate != wanted]
    return sorted((pair for pair in found if pair[1] <= NEAR), key=lambda pair: (pair[1], pair[0]))
