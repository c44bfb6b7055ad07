"""What is known of the clock at the time of a recording, for whoever has to believe in its times."""

from __future__ import annotations

from typing import Any

from safecity.core.ground.timekeeping.service import SUBJECT, Timekeeper
from safecity.kit.clock import SECOND_US
from safecity.ports.history import History

AROUND_US = 2 * 3600 * SECOND_US
"""It is noted once an hour, so one note lies on either side."""
MAX_NOTES = 200


class ClockRecord:
    """Reads `clock.measured` back out of the history."""

    def __init__(self, history: History, timekeeper: Timekeeper) -> None:
        self._history = history
        self._timekeeper = timekeeper

    async def around(self, start: int, end: int) -> dict[str, Any]:
        """`source` and `now` (the newest measurement), and `measured` around [start, end), oldest first."""
        found = await self._history.find(
            start - AROUND_US, end + AROUND_US, kinds=("clock.measured",), subject=SUBJECT, limit=MAX_NOTES
        )
        standing = self._timekeeper.standing
        return {
            "source": standing.source,
            "kept": standing.kept,
            "now": {"state": standing.state, "offset_us": standing.offset_us, "measured_at_us": standing.at},
            "measured": [{"at_us": event.at, **event.body} for event in reversed(found)],
        }
