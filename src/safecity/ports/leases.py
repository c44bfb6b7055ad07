"""Leases: who owns what, so that two never act for one thing at the same time without it being seen.

A clock alone keeps nobody out: a process that was stopped for a minute believes that it still owns what others have
taken since. So each new owner gets a higher epoch than any before; whoever acts sends its epoch along, and whoever is
acted upon refuses one that is lower than it has seen. Times are told in microseconds UTC, nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """`owner` holds `name` under `epoch`, the fencing number of that holding."""

    name: str
    owner: str
    epoch: int


class Leases(Protocol):
    """A name (`channel/ch_...`) has at most one live owner (`media-0`). Durable on return, all or nothing per call.

    An owner lives until the latest moment it was promised to (`live`), or until somebody who knows says that it is
    dead (`ended`). A dead owner keeps what it held until somebody takes it, so that one which comes back in time goes
    on under its old epoch and nobody notices.
    """

    async def live(self, owner: str, *, until: int) -> None:
        """The owner lives at least until then; an earlier promise is never shortened."""
        ...

    async def ended(self, owner: str) -> list[Lease]:
        """The owner is dead, from now on: what it held, by name, for whoever finds it a new owner."""
        ...

    async def take(self, names: Sequence[str], owner: str, *, now: int) -> list[Lease]:
        """Those of `names` that are the owner's now: its own (epoch unchanged), free ones and those of dead owners
        (epoch raised). What another live owner holds is left out.

        ConflictError `owner_not_live` when the owner itself is dead at `now`.
        """
        ...

    async def release(self, leases: Sequence[Lease], /) -> None:
        """Give back. One that somebody else has taken since, or that was taken anew, is left alone."""
        ...

    async def find(self, names: Sequence[str]) -> Mapping[str, Lease]:
        """Who holds them, live or dead; what nobody holds is left out."""
        ...

    async def held(self, owner: str) -> list[Lease]:
        """All that the owner holds, by name."""
        ...
