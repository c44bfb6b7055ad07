"""What driving costs: told by whoever charges for roads."""

from __future__ import annotations

from typing import Protocol

from safecity.model.facts.traffic_calls import ApplyTolls


class Tolls(Protocol):
    """The tariffs in force. A tariff by time of day is told as such; one that changes with the traffic as it is now."""

    async def tolls(self) -> ApplyTolls:
        """All of it, at any time and as often as it is asked: the answer replaces the one before."""
        ...
