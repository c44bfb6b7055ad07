"""Keeping a subscription alive (GB/T 28181, 9.11; RFC 6665): told the time, it says when to ask again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from safecity.kit.retry import Backoff

_HOPELESS = {405, 415, 489, 501}
"""Answers of devices that do not know the method or the event at all; asked again after a day only."""
_DAY = 86_400.0


class Topic(StrEnum):
    """What can be subscribed. The standard names an event only for the catalogue; the field uses `presence`."""

    CATALOG = "catalog"
    ALARM = "alarm"
    POSITION = "position"
    PTZ_POSITION = "ptz_position"


EVENTS = {
    Topic.CATALOG: "Catalog",
    Topic.ALARM: "presence",
    Topic.POSITION: "presence",
    Topic.PTZ_POSITION: "presence",
}


@dataclass(slots=True)
class Subscription:
    """One topic of one device. `due_at` 0: ask now; `expires` in seconds."""

    topic: Topic
    expires: int = 3600
    due_at: float = 0.0
    active: bool = False
    asking: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(30.0, 900.0))

    def due(self, now: float) -> bool:
        """Whether a SUBSCRIBE (new or refresh) is to be sent."""
        return not self.asking and now >= self.due_at

    def asked(self) -> None:
        self.asking = True

    def accepted(self, now: float, granted: int) -> None:
        """A 2xx; refresh well before the end of what was granted."""
        self.asking, self.active = False, True
        self.backoff.succeeded()
        granted = granted if granted > 0 else self.expires
        self.due_at = now + max(granted * 0.75, granted - 120.0, 15.0)

    def failed(self, now: float, status: int, luck: float) -> None:
        """No answer (status 0) or a refusal; the next attempt begins a new dialog."""
        self.asking, self.active = False, False
        delay = self.backoff.failed(luck)
        self.due_at = now + (_DAY if status in _HOPELESS else delay)

    def ended(self, now: float) -> None:
        """`Subscription-State: terminated` came, or the dialog is gone: ask anew soon."""
        self.active = False
        self.due_at = now + 5.0

    def restart(self, now: float) -> None:
        """The device registered anew: whatever it knew of us is gone."""
        self.asking, self.active, self.due_at = False, False, now
        self.backoff.succeeded()
