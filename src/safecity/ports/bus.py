"""Bus: durable events, at least once, in order per subject, named consumers, replay.

Consumers pull and acknowledge; that is JetStream's pull consumer too. An effect and its consumer's position are
committed together by the consumer in its own store; the bus's own position only saves it from reading again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from safecity.model.facts.envelope import Event


class Bus(Protocol):
    """`kinds` are exact (`alarm.raised`) or end in `.*` (`device.*`); empty means all."""

    async def publish(self, events: Sequence[Event]) -> int:
        """Durable on return; doubles by id are dropped silently. How many were new."""
        ...

    async def pull(self, consumer: str, kinds: Sequence[str], limit: int = 100) -> list[tuple[int, Event]]:
        """The next events after the consumer's position, oldest first; [] when there are none.

        A consumer that was never seen begins at the oldest event kept.
        """
        ...

    async def acknowledge(self, consumer: str, position: int) -> None:
        """All up to `position` is handled. Never moves back; see `rewind`."""
        ...

    async def rewind(self, consumer: str, position: int) -> None:
        """Read again after `position` (0: from the oldest kept)."""
        ...

    def bell(self) -> AsyncGenerator[None]:
        """One item at once and one whenever something was published since the last; rings are joined."""
        ...
