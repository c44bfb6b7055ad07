"""Gathering answers that come in several messages (GB/T 28181-2016 annex N, -2022 annex M).

All parts carry the same SN and the grand total. Parts get lost, come twice, or promise more than there is: what
arrived is kept, and said to be k of n.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

IDLE_SECONDS = 8.0
MAX_ITEMS = 200_000

T = TypeVar("T")


@dataclass(slots=True)
class Collected(Generic[T]):
    """Told the time. `key_of` tells two members apart; the newest of two with one key is kept."""

    key_of: Callable[[T], Hashable]
    deadline: float
    idle_seconds: float = IDLE_SECONDS
    total: int | None = None
    rows: int = 0
    items: dict[Hashable, T] = field(default_factory=dict[Hashable, T])

    def add(self, now: float, total: int | None, items: Iterable[T]) -> None:
        """One message of the answer."""
        self.deadline = now + self.idle_seconds
        found = {self.key_of(item): item for item in items}
        is_double = bool(found) and found.keys() <= self.items.keys()
        if total is not None:
            self.total = max(total, self.total or 0) if found else total
        elif self.total is None:
            self.total = len(found)
        if not is_double:
            self.rows += len(found)
        for key, item in found.items():
            if key in self.items or len(self.items) < MAX_ITEMS:
                self.items[key] = item

    @property
    def complete(self) -> bool:
        """Everything that was promised is here."""
        return self.total is not None and len(self.items) >= self.total

    def expired(self, now: float) -> bool:
        """Nothing came for too long: take what is there."""
        return now >= self.deadline
