"""What happens in a slot, as events for the bus. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safecity.kit.clock import SECOND_US
from safecity.media.record.facts import Fact, FootageDamaged, GapClosed, GapOpened, VolumeChanged
from safecity.media.streams import LOST, Stream
from safecity.model.facts.envelope import Event
from safecity.model.values.ticket import Ticket

STREAM_LOST, STREAM_RECOVERED = "stream.lost", "stream.recovered"


def event(origin: str, kind: str, subject: str, at: int, seen: int, body: Mapping[str, Any]) -> Event:
    """An event of this slot."""
    return Event(kind=kind, subject=subject, at=at, seen=seen, origin=origin, body=dict(body))


def of_stream(origin: str, stream: Stream, seen: int) -> Event:
    """`stream.lost` or `stream.recovered`."""
    kind = STREAM_LOST if stream.state == LOST else STREAM_RECOVERED
    body = {"quality": str(stream.key.quality), "step": stream.step, "params": dict(stream.params)}
    return event(origin, kind, stream.key.channel, stream.since_us or seen, seen, body)


def of_recorder(origin: str, facts: Sequence[Fact], seen: int) -> list[Event]:
    """Gaps, volumes, damage. A finished minute is none: the index says it, and too many of them would fill the bus."""
    found: list[Event] = []
    for fact in facts:
        match fact:
            case GapOpened(key, start, cause, detail):
                body = {"quality": str(key.quality), "start": start, "cause": cause, "detail": detail}
                found.append(event(origin, "recording.gap_opened", key.channel, start, seen, body))
            case GapClosed(key, start, end, cause, detail):
                body = {"quality": str(key.quality), "start": start, "end": end, "cause": cause, "detail": detail}
                found.append(event(origin, "recording.gap_closed", key.channel, end, seen, body))
            case VolumeChanged(name, state, code):
                found.append(event(origin, "volume.changed", name, seen, seen, {"state": state, "code": code}))
            case FootageDamaged(key, at, volume, extent):
                quality = str(key.quality) if key else ""
                body = {"quality": quality, "volume": volume, "extent": extent, "at": at}
                found.append(event(origin, "footage.damaged", key.channel if key else volume, seen, seen, body))
            case _:
                pass
    return found


def of_viewing(origin: str, ticket: Ticket, seconds: float, seen: int) -> Event:
    """`viewing.ended`: who watched what, from when to when."""
    body = {
        "session": ticket.session,
        "subject": ticket.subject,
        "action": ticket.action,
        "quality": str(ticket.quality),
        "start": seen - round(seconds * SECOND_US),
        "end": seen,
    }
    return event(origin, "viewing.ended", ticket.channel, seen, seen, body)
