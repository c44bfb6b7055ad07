"""What signals showed, and when: from a controller's feed, or from lamps that were looked at. Pure; the caller owns the
clock. A state is only told where it is sure over a whole stretch of time."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from safecity.kit.clock import SECOND_US

RED, YELLOW, GREEN, FLASHING, DARK, UNKNOWN = "red", "yellow", "green", "flashing", "dark", "unknown"
COLOURS: Final = frozenset({RED, YELLOW, GREEN, FLASHING, DARK, UNKNOWN})
KEPT_US: Final = 1800 * SECOND_US
SILENT_US: Final = 180 * SECOND_US
"""Whoever was not heard of for so long is not believed: a feed that broke off says nothing of now."""
UNSEEN_US: Final = 3 * SECOND_US // 2
"""Lamps that were not looked at for so long may have changed and back."""
MAX_CHANGES: Final = 20_000
CONTROLLER: Final = "controller"
LAMPS: Final = "lamps"


@dataclass(slots=True)
class _Signal:
    changes: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    heard: list[int] = field(default_factory=list[int])
    """Moments up to which something was said: a state that is repeated is a sign of life."""
    source: str = ""


class Lights:
    """Changes may come late and in any order; what is older than half an hour is forgotten."""

    def __init__(self) -> None:
        self._signals: dict[str, _Signal] = {}
        self._lock = threading.RLock()
        """Cameras are judged in workers while controllers are heard."""

    def source(self, signal: str) -> str:
        """`controller` or `lamps`; empty where nothing is known."""
        return self._signals[signal].source if signal in self._signals else ""

    def say(self, signal: str, at: int, colour: str, source: str = CONTROLLER) -> None:
        """From `at` (microseconds UTC) on a signal shows this colour. Said again it is a sign of life.

        Lamps are not asked while a controller is heard; and what one of the two said proves nothing for the other.
        """
        with self._lock:
            if colour not in COLOURS:
                colour = UNKNOWN
            one = self._signals.setdefault(signal, _Signal())
            if one.source == CONTROLLER and source == LAMPS and at - one.heard[-1] <= SILENT_US:
                return
            if one.source not in ("", source):
                one = self._signals[signal] = _Signal()
            one.source = source
            insort(one.heard, at)
            place = bisect_right(one.changes, at, key=lambda change: change[0])
            if place and one.changes[place - 1][0] == at:
                one.changes[place - 1] = (at, colour)
            else:
                one.changes.insert(place, (at, colour))
            self._forget(one)

    @staticmethod
    def _forget(one: _Signal) -> None:
        newest = one.heard[-1]
        while len(one.heard) > 1 and (one.heard[0] < newest - KEPT_US or len(one.heard) > MAX_CHANGES):
            one.heard.pop(0)
        while len(one.changes) > 1 and (one.changes[1][0] < newest - KEPT_US or len(one.changes) > MAX_CHANGES):
            one.changes.pop(0)

    def state(self, signal: str, at: int) -> str:
        """What it showed then; `unknown` where nobody said."""
        return self.surely(signal, at, at)

    def surely(self, signal: str, start: int, end: int) -> str:
        """What it showed through all of [start, end]; `unknown` where that is not one colour, or nobody was heard of
        around that time."""
        with self._lock:
            one = self._signals.get(signal)
            if one is None:
                return UNKNOWN
            place = bisect_right(one.changes, start, key=lambda change: change[0])
            if place == 0:
                return UNKNOWN
            colour = one.changes[place - 1][1]
            if any(other != colour for at, other in one.changes[place:] if at <= end):
                return UNKNOWN
            if one.source == LAMPS:
                return colour if self._looked_at(one, start, end) else UNKNOWN
            last = bisect_right(one.heard, end)
            heard = one.heard[last - 1] if last else 0
            later = one.heard[last] if last < len(one.heard) else None
            alive = end - heard <= SILENT_US or (later is not None and later - heard <= SILENT_US)
            return colour if alive else UNKNOWN

    @staticmethod
    def _looked_at(one: _Signal, start: int, end: int) -> bool:
        """Whether lamps were looked at all the time: nobody repeats to us what they missed."""
        first = max(bisect_right(one.heard, start) - 1, 0)
        moments = [at for at in one.heard[first:] if at <= end]
        if not moments or moments[0] > start:
            return False
        return all(b - a <= UNSEEN_US for a, b in pairwise([*moments, end]))

    def alive(self, signal: str, at: int) -> None:
        """Its lamps were looked at, and show what they showed before. Of a controller that is no sign of life."""
        with self._lock:
            one = self._signals.get(signal)
            if one is not None and one.source == LAMPS and (not one.heard or at > one.heard[-1]):
                one.heard.append(at)
                self._forget(one)

    def recent(self, signal: str, since: int) -> list[tuple[int, str]]:
        """Its changes from then on, and the one before."""
        with self._lock:
            one = self._signals.get(signal)
            if one is None:
                return []
            place = bisect_right(one.changes, since, key=lambda change: change[0])
            return one.changes[max(place - 1, 0) :]

    def since(self, signal: str, at: int) -> int | None:
        """Since when it shows what it shows then."""
        with self._lock:
            one = self._signals.get(signal)
            if one is None:
                return None
            place = bisect_right(one.changes, at, key=lambda change: change[0])
            if place == 0:
                return None
            colour = one.changes[place - 1][1]
            while place > 1 and one.changes[place - 2][1] == colour:
                place -= 1
            return one.changes[place - 1][0]
