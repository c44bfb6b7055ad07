"""What was dropped, by reason: counted, and said in the log before it can fill it."""

from __future__ import annotations

import logging
from collections import Counter

logger = logging.getLogger(__name__)


class Tally:
    """`counts` by the reasons of docs/standards. Each is logged at 1, 2, 4, ... times. `whom`: who said them."""

    def __init__(self, whom: str) -> None:
        self._whom = whom
        self.counts: Counter[str] = Counter()

    def note(self, reason: str, who: str, times: int = 1) -> None:
        """`who`: the number it is known by, or the address of somebody who has none yet."""
        before = self.counts[reason]
        self.counts[reason] = now = before + times
        if now.bit_length() != before.bit_length():
            logger.warning("dropped from %s reason=%s so_far=%s last_from=%s", self._whom, reason, now, who)
