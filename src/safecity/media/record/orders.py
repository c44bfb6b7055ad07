"""What was decided about footage, on whichever volume it lies: how long each channel is kept, and what is held.

A volume that is away when something is decided is told when it is open again, before anything is deleted on it.
Lives in the writer thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from safecity.media.record.janitor import Hold, Janitor
from safecity.media.record.retention import Keep
from safecity.model.facts.media_calls import RecordPolicy


class Orders:
    """One per recorder."""

    def __init__(self) -> None:
        self._keeps: dict[bytes, Keep] = {}
        self._holds: dict[str, Hold | None] = {}

    def keep(self, channel: bytes, policy: RecordPolicy, janitors: Iterable[Janitor]) -> None:
        """Of both qualities: what was recorded in the other one before goes by the same rule."""
        keep = self._keeps[channel] = Keep(policy.retention_days, policy.max_bytes, policy.floor_days)
        for janitor in janitors:
            _set_keep(janitor, channel, keep)

    def place(self, name: str, hold: Hold, janitors: Iterable[Janitor]) -> None:
        """Durable on return, on every volume that is there."""
        self._holds[name] = hold
        for janitor in janitors:
            janitor.place_hold(name, hold)

    def release(self, name: str, janitors: Iterable[Janitor]) -> None:
        """Remembered, so that a volume that comes back does not go on holding it."""
        self._holds[name] = None
        for janitor in janitors:
            janitor.release_hold(name)

    def remember(self, holds: Mapping[str, Hold | None], janitors: Iterable[Janitor]) -> None:
        """What earlier lives were told; None: released."""
        self._holds.update(holds)
        for janitor in janitors:
            janitor.use_holds(self._holds)

    def tell(self, janitor: Janitor) -> None:
        """A volume is open: all of it holds there too."""
        for channel, keep in self._keeps.items():
            _set_keep(janitor, channel, keep)
        janitor.use_holds(self._holds)


def _set_keep(janitor: Janitor, channel: bytes, keep: Keep) -> None:
    janitor.keeps[(channel, 0)] = janitor.keeps[(channel, 1)] = keep
