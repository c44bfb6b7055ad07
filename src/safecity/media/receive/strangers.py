"""Unexpected datagrams, counted by their sources over all ports of a slot; who sends too many is to be blocked.

Over all ports, because a device that has gone mad need not keep to one: what it spreads over sixteen ports would stay
below the limit of each, and cost as much.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from safecity.kit.terms import Terms

STRANGER_LIMIT: Final = 2_000
"""Unexpected datagrams per second and source before it is blocked. Some ten cameras that were not told to stop send
fewer; what is below costs us next to nothing."""
CROWD_LIMIT: Final = 6_000
"""The same of all sources together, before the ports pass nothing but expected streams for a while."""
FEED_LIMIT: Final = 10_000
"""Datagrams per second of one expected stream (about 110 Mbit/s) before it is blocked; also the unexpected ones of a
source that sends an expected stream as well, as a recorder with many channels may."""
BLOCK_SECONDS: Final = 10.0
LONGEST_BLOCK_SECONDS: Final = 160.0
"""Who goes on at once is blocked twice as long each time."""
MAX_STRANGERS: Final = 256
MAX_BLOCKED: Final = 64


class Judgement(NamedTuple):
    """Sources to be blocked with for how long, and whether the ports are to pass expected streams alone."""

    blocked: list[tuple[int, float]]
    close: bool


NOTHING: Final = Judgement([], close=False)


class Strangers:
    """One for all ports."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._others = 0
        self._total = 0
        self._since = 0.0
        self._terms = Terms[int](BLOCK_SECONDS, LONGEST_BLOCK_SECONDS)

    def count(self, peer: int) -> bool:
        """One unexpected datagram; true now and then, when it is time to judge."""
        self._total += 1
        counts = self._counts
        count = counts.get(peer, 0) + 1
        if count == 1 and len(counts) >= MAX_STRANGERS:
            self._others += 1
        else:
            counts[peer] = count
        return not count & 0xFF or not self._total & 0xFF

    def judge(self, now: float, pinned: AbstractSet[int]) -> Judgement:
        """Who sent too much since the last judgement. `pinned`: the sources of expected streams."""
        elapsed = max(0.05, now - self._since)
        share = max(elapsed, 0.5)
        found = [
            peer
            for peer, count in self._counts.items()
            if count > (FEED_LIMIT if peer in pinned else STRANGER_LIMIT) * share
        ]
        # Of the crowd are all whom nobody expects and who are not blocked anyway.
        crowd = self._others + sum(
            count for peer, count in self._counts.items() if peer not in pinned and peer not in found
        )
        close = crowd > CROWD_LIMIT * share or len(found) > MAX_BLOCKED
        if elapsed < 1.0 and not found and not close:
            return NOTHING
        self._counts.clear()
        self._others = self._total = 0
        self._since = now
        return Judgement([(peer, self._terms.following(peer, now)) for peer in found[:MAX_BLOCKED]], close)
