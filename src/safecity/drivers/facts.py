"""What every driver says, it says in this envelope."""

from __future__ import annotations

from typing import Any, Final

from safecity.kit.clock import SECOND_US
from safecity.model.facts.envelope import Event, Mode

EARLIEST_US: Final = 7 * 86_400 * SECOND_US
LATEST_US: Final = 86_400 * SECOND_US


def make_event(
    kind: str, subject: str, body: dict[str, Any], *, origin: str, now_us: int, at: int = 0, mode: Mode = Mode.LIVE
) -> Event:
    """The envelope; `at` 0: the device's own time is not known.

    A clock that is out by more than a week back or a day ahead is not believed: history is kept by day, and a device
    that has lost its clock (or makes up times) must not file events where nobody looks, nor open a file for each.
    """
    if not now_us - EARLIEST_US <= at <= now_us + LATEST_US:
        at = now_us
    return Event(kind=kind, subject=subject, at=at, seen=now_us, origin=origin, mode=mode, body=body)
