"""What one asks of the duty `control` (address `control`): the embedded bus, and notice of revocations."""

from __future__ import annotations

from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Message


class Publish(Message, frozen=True):
    """Append events; answered after commit. Doubles by event id are dropped. Answer: Published."""

    events: tuple[Event, ...]


class Published(Message, frozen=True):
    """How many were new."""

    new: int


class Pull(Message, frozen=True):
    """The next events of a named consumer, at most `limit`. Answer: Pulled."""

    consumer: str
    kinds: tuple[str, ...]
    limit: int = 100


class Pulled(Message, frozen=True):
    """`positions[i]` is the position of `events[i]`; acknowledge with the last one handled."""

    events: tuple[Event, ...]
    positions: tuple[int, ...]


class Acknowledge(Message, frozen=True):
    """The consumer's effect of all up to `position` is committed. Answer: Done."""

    consumer: str
    position: int


class Rewind(Message, frozen=True):
    """Read again after `position` (0: from the oldest kept). Answer: Done."""

    consumer: str
    position: int


class Bell(Message, frozen=True):
    """A streaming call: one Rung whenever there is more for these kinds."""

    kinds: tuple[str, ...]


class Rung(Message, frozen=True):
    """There is more."""
