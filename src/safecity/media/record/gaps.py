"""Gaps are facts with a cause. One book per stream; pure: it is told what happened and answers what to write down."""

from __future__ import annotations

from typing import Final, NamedTuple

LEAST_US: Final = 2_000_000
"""A shorter hole is no gap ..."""
LEAST_NAMED_US: Final = 200_000
"""... unless somebody said why it is there."""
SILENCE_US: Final = 3_000_000
"""So long nothing comes before a gap is opened while it lasts."""

CAUSES: Final = frozenset(
    {"network", "camera", "disk", "overload", "maintenance", "schedule", "deleted", "unknown"},
)


class GapChange(NamedTuple):
    """A row to write: `end` 0 while the gap lasts."""

    start: int
    end: int
    cause: str
    detail: str = ""


class GapBook:
    """What is missing from one stream's recording since `last_end` and why. Times are microseconds UTC."""

    def __init__(self, last_end: int, cause: str | None = "network", detail: str = "") -> None:
        self._last_end = last_end
        self._cause = cause
        self._detail = detail
        self._open: GapChange | None = None

    @property
    def open(self) -> GapChange | None:
        """The gap that lasts."""
        return self._open

    @property
    def cause(self) -> str | None:
        """Why footage is missing if it is missing now."""
        return self._cause

    @property
    def last_end(self) -> int:
        """Up to here all is explained: by footage, by a gap, or because nothing was expected."""
        return self._last_end

    def why(self, cause: str | None, detail: str, at: int) -> list[GapChange]:
        """From `at` on, what is missing is missing for this cause; None: nothing is expected."""
        if (cause, detail) == (self._cause, self._detail):
            return []
        changes: list[GapChange] = []
        if self._open is not None and (cause is None or at - self._open.start >= LEAST_US):
            changes.append(self._open._replace(end=max(at, self._open.start + 1)))
            self._open, self._last_end = None, max(at, self._open.start + 1)
        elif self._open is not None:
            self._open = self._open._replace(cause=cause, detail=detail)
            changes.append(self._open)
        elif self._cause is None:
            self._last_end = max(self._last_end, at)
        elif at - self._last_end >= self._least():
            changes.append(GapChange(self._last_end, at, self._cause, self._detail))
            self._last_end = at
        self._cause, self._detail = cause, detail
        return changes

    def footage(self, start: int, end: int) -> list[GapChange]:
        """A chunk of [start, end) is there; if the next one is missing, the network is to blame until told."""
        changes: list[GapChange] = []
        if self._open is not None:
            # A wall clock that was set back may put the end before the begin: then the gap has no length.
            changes.append(self._open._replace(end=max(start, self._open.start + 1)))
            self._open = None
        elif start - self._last_end >= self._least() and self._cause is not None:
            changes.append(GapChange(self._last_end, start, self._cause, self._detail))
        self._last_end = end
        if self._cause is not None:
            self._cause, self._detail = "network", ""
        return changes

    def tick(self, now: int) -> list[GapChange]:
        """Time goes by; opens a gap when nothing has come for SILENCE_US."""
        if self._open is None and self._cause is not None and now - self._last_end >= SILENCE_US:
            self._open = GapChange(self._last_end, 0, self._cause, self._detail)
            return [self._open]
        return []

    def _least(self) -> int:
        return LEAST_US if (self._cause, self._detail) == ("network", "") else LEAST_NAMED_US

    def resume(self, gap: GapChange) -> None:
        """A gap of an earlier life that lasts still."""
        self._open = gap


_REASONS: Final = {
    "maintenance": "maintenance",
    "released": "maintenance",
    "closed": "maintenance",
    "slot_stopping": "maintenance",
    "overload": "overload",
    "slow": "overload",
    "disk": "disk",
    "schedule": "schedule",
    "camera": "camera",
    "device": "camera",
    "bye": "camera",
    "refused": "camera",
    "codec": "camera",
    "bad_parameter_set": "camera",
}


def cause_of(reason: str) -> str:
    """The cause of a gap from why a stream ended (a code, perhaps with a prefix); a silent network when in doubt."""
    for word in (reason, reason.split(".", maxsplit=1)[0], reason.split("_", maxsplit=1)[0]):
        if word in CAUSES:
            return word
        if word in _REASONS:
            return _REASONS[word]
    return "network"
