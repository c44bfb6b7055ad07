"""Sums by minute, kept small enough to be part of a state: means of the last minutes, distinct vehicles of one."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

KEPT: Final = 5
"""Minutes before the one under way."""
Past = tuple[int, int, int, int]
"""Minute, count, total, distinct."""


class Minutes(Struct, frozen=True, array_like=True, gc=False):
    """What was measured in one place: the minute under way, and those before it that had anything, newest first.

    count, total   of the values
    distinct       how many were from somebody new in that minute; the caller knows who is
    """

    minute: int
    count: int = 0
    total: int = 0
    distinct: int = 0
    before: tuple[Past, ...] = ()

    def add(self, minute: int, value: int, *, new: bool) -> Minutes:
        """With one more value. ValueError for a minute that is over: it belongs to those before and counts no more."""
        if minute == self.minute:
            return Minutes(minute, self.count + 1, self.total + value, self.distinct + new, self.before)
        if minute < self.minute:
            raise ValueError(f"minute {minute} is over, it is {self.minute}")
        return Minutes(minute, 1, value, int(new), self._since(minute))

    def _since(self, minute: int) -> tuple[Past, ...]:
        ended = (self.minute, self.count, self.total, self.distinct)
        first = minute - KEPT
        return tuple(one for one in (ended, *self.before) if one[0] >= first and one[1])

    def mean(self, minute: int, width: int = KEPT) -> float | None:
        """Of all values in the `width` (1..5) minutes before `minute`, which is the last one added to or a later one;
        None where there were none."""
        past = self.before if minute == self.minute else self._since(minute)
        count = total = 0
        for at, values, together, _ in past:
            if at >= minute - width:
                count += values
                total += together
        return total / count if count else None

    def distinct_in(self, minute: int) -> int:
        """Of the minute under way or one of those kept; 0 for others."""
        if minute == self.minute:
            return self.distinct
        return next((distinct for at, _, _, distinct in self.before if at == minute), 0)
