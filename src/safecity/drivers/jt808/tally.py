"""What was dropped, by reason: counted, and said in the log before it can fill it."""

from __future__ import annotations

import logging
from collections import Counter

logger = logging.getLogger(__name__)


class Tally:
    """`counts` by the reasons of docs/standards/jt808.md. Each is logged at 1, 2, 4, ... times."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, reason: str, who: str, times: int = 1) -> None:
        """`who`: the phone number, or the address of somebody who has none yet."""
        before = self.counts[reason]
        self.counts[reason] = now = before + times
        if now.bit_length() != before.bit_length():
            logger.warning("dropped from terminals reason=%s so_far=%s last_from=%s", reason, now, who)
