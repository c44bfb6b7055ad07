"""For how long who overdid it is not heard: longer each time it goes on at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)
MAX_TERMS = 1_024
"""Who was punished longest ago is forgotten first."""


class Terms(Generic[T]):
    """`first` seconds, or twice as long as the last time where that ended less than itself ago; `longest` at most."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._last: OrderedDict[T, tuple[float, float]] = OrderedDict()  # how long the last time, and until when

    def following(self, who: T, now: float) -> float:
        """Seconds from now."""
        last, over = self._last.pop(who, (0.0, 0.0))
        term = min(2 * last, self._longest) if last and now - over < last else self._first
        self._last[who] = term, now + term
        if len(self._last) > MAX_TERMS:
            self._last.popitem(last=False)
        return term
