"""When what waited for a slow disk has been written, the memory it took is to be given back: the decision."""

from __future__ import annotations

from collections import deque
from typing import Final

CALM_TURNS: Final = 10
FLOOD_BYTES: Final = 32 << 20
"""A smaller peak is not worth the pause."""


class Tide:
    """Watches how many bytes wait, one call a turn."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=CALM_TURNS)
        self._peak = 0

    def ebbed(self, waiting: int) -> bool:
        """True once after a flood: for ten turns less than half of the most since the last time."""
        self._recent.append(waiting)
        self._peak = max(self._peak, waiting)
        calm = max(self._recent)
        if len(self._recent) < CALM_TURNS or self._peak < FLOOD_BYTES or calm * 2 >= self._peak:
            return False
        self._peak = calm
        return True
