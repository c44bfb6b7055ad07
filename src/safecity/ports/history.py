"""History: events kept by day for search; retention drops whole days.

A true difference of the engines (a file per day, a partition per day), hence a port of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from safecity.model.facts.envelope import Event


class History(Protocol):
    """Days are UTC days of `Event.at`."""

    async def append(self, events: Sequence[Event]) -> None:
        """Durable on return; an event that is there already is not doubled."""
        ...

    async def find(
        self,
        start: int,
        end: int,
        *,
        kinds: Sequence[str] = (),
        subject: str = "",
        area: str = "",
        before: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> list[Event]:
        """Newest first within [start, end); `before` is (at, id) of the last one seen. `area` is a path prefix."""
        ...

    async def drop_before(self, day_start: int) -> int:
        """Forget every day that ends at or before `day_start`; how many days went."""
        ...
