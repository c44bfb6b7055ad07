"""Streams of no channel (a device plays its own recording) that nobody watches, and whose owner has forgotten them.

Signalling ends them after some seconds; one that was killed meanwhile may not know of them any more, and a vehicle
would go on sending what it recorded for hours, over a line that is paid for.
"""

from __future__ import annotations

from typing import Final

from safecity.model.values.media import StreamKey

FORGOTTEN_SECONDS: Final = 120.0
"""Far beyond the patience of whoever looks after them."""


class Orphans:
    """Told once a second of each such stream whether it is watched."""

    def __init__(self) -> None:
        self._since: dict[StreamKey, float] = {}

    def is_forgotten(self, key: StreamKey, now: float, *, watched: bool) -> bool:
        """Whether nobody has watched it for that long; then it is known no more."""
        if watched:
            self._since.pop(key, None)
            return False
        if now - self._since.setdefault(key, now) < FORGOTTEN_SECONDS:
            return False
        del self._since[key]
        return True

    def forget(self, key: StreamKey) -> None:
        """It is over."""
        self._since.pop(key, None)
