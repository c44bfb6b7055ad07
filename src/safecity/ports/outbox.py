"""Where a duty puts its facts: written in the transaction of the state change, drained to the bus later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from safecity.model.facts.envelope import Event


class Outbox(Protocol):
    """Durable once `add` returns (or, for engines that share the caller's transaction, once that commits)."""

    def add(self, events: Sequence[Event]) -> None:
        """Keep the events until the bus has acknowledged them."""
        ...

    @property
    def crowded(self) -> bool:
        """So much waits for the bus that the oldest will have to go: whoever can be told later should be."""
        ...
