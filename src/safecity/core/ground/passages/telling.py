"""What the bus hears of passages: that there is one, that it says something else now, that it is gone.

Never what the vehicle was: the bus and the history keep events longer than a passage may be kept, and nobody asks there
what for. Who needs the plate reads the passage, under its purposes, its restriction and its time.
"""

from __future__ import annotations

from dataclasses import replace

from safecity.core.ground.passages import store
from safecity.core.ground.passages.store import Passage
from safecity.kit.clock import SECOND_US
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.database import Tx

RECORDED, WITHDRAWN = "passage.recorded", "passage.withdrawn"
LATE_US = 600 * SECOND_US
"""What comes later than this after the vehicle passed was kept by its source meanwhile."""


class Changes:
    """What one transaction does to passages, told once at its end however often a passage was touched in it."""

    def __init__(self) -> None:
        self._before: dict[str, Passage | None] = {}
        self._after: dict[str, Passage | None] = {}

    def note(self, before: Passage | None, after: Passage | None) -> None:
        """A passage as it was and as it is now; None where there is none."""
        one = after if after is not None else before
        assert one is not None
        self._before.setdefault(one.id, before)
        self._after[one.id] = after

    def events(self, seen: int) -> list[Event]:
        """In the order the passages were touched first."""
        told: list[Event] = []
        for name, before in self._before.items():
            after = self._after[name]
            if after is None and before is not None:
                told.append(withdrawn(before, seen))
            elif after is not None and (before is None or _said(before) != _said(after)):
                told.append(recorded(after, seen, before=before))
        return told


def _said(one: Passage) -> Passage:
    """Without what only counts who said it."""
    return replace(one, sources=frozenset(), sightings=0, pictures=0, seen=0, confidence=None)


def recorded(one: Passage, seen: int, *, before: Passage | None = None) -> Event:
    """A vehicle passed. `before`: what was told of this passage, which is no longer what it says; `was_at`: its time
    then, so that who counts by time knows where it counted."""
    body = {
        "passage": one.id, "tollgate": one.tollgate, "device": one.device, "lane": one.lane,
        "direction": one.direction, "read": bool(one.plate), "sources": sorted(one.sources),
        "clock_doubtful": one.clock_doubtful, "corrected": before is not None,
        "was_at": before.at if before is not None else None,
    }  # fmt: skip
    return Event(
        kind=RECORDED, subject=one.place, at=one.at, seen=seen, area=one.area_path,
        organisation=one.organisation_path, purpose=",".join(sorted(one.purposes)), mode=_mode(one, seen), body=body,
    )  # fmt: skip


def withdrawn(one: Passage, seen: int) -> Event:
    """Nobody says any more that a vehicle passed: it was taken back, or turned out to be part of another passage."""
    return Event(
        kind=WITHDRAWN, subject=one.place, at=one.at, seen=seen, area=one.area_path,
        organisation=one.organisation_path, purpose=",".join(sorted(one.purposes)), mode=_mode(one, seen),
        body={"passage": one.id, "tollgate": one.tollgate, "device": one.device},
    )  # fmt: skip


def _mode(one: Passage, seen: int) -> Mode:
    return Mode.BACKFILL if seen - one.at > LATE_US else Mode.LIVE


def read(tx: Tx, event: Event) -> Passage | None:
    """The passage that an event is about, as it is now; None once it is gone or past its time."""
    found = store.find(tx, str(event.body.get("passage", "")))
    return None if found is None or found.keep_until <= event.seen else found
