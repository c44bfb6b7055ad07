"""Follows the passages that are told on the bus, and proposes who drove too fast over a section.

The passage and the word of it are one commit; a candidate is named by its section and its two passages, so that what is
read again after a crash proposes nothing twice. What a source says otherwise later takes back what stood on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from safecity.core.ground.access.api import ROOT, Predicate, Under
from safecity.core.ground.following import Follower
from safecity.core.ground.passages.api import RECORDED, WITHDRAWN, Passage, Sighting, seeking, sightings_of
from safecity.core.ground.tollgates.api import Purpose
from safecity.core.upper.violations import store, tables
from safecity.core.upper.violations.decide import CROPS, MADE, Kind, State, Violation, ViolationSettings
from safecity.core.upper.violations.proposing import Proposing, Shown, take_back
from safecity.core.upper.violations.sections import Section, Speed, speed, too_fast
from safecity.kit.clock import Clock
from safecity.kit.errors import NotFoundError
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event
from safecity.ports.blobs import Blobs
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.pictures import Picture

CONSUMER: Final = "violations"
ORIGIN: Final = "sections"
PULL: Final = 200
_ALL: Final = Predicate((Under(ROOT),))
"""The platform looks for itself; what it finds carries the rights of the place."""
_OPEN: Final = (State.PROPOSED, State.REVIEWED)


@dataclass(frozen=True, slots=True)
class Drive:
    """A vehicle over a section, too fast."""

    section: Section
    entry: Passage
    exit: Passage
    speed: Speed

    @property
    def reference(self) -> str:
        """Said of the same passages at the same times it is the same drive."""
        return f"{self.section.id}/{self.entry.id}/{self.exit.id}/{self.exit.at - self.entry.at}"


class SectionFollower(Follower):
    """The only one who proposes speeds over sections."""

    def __init__(
        self, database: Database, bus: Bus, blobs: Blobs, proposing: Proposing, clock: Clock,
        settings: ViolationSettings, told: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`told`: candidates came or went."""
        super().__init__(bus, CONSUMER, (RECORDED, WITHDRAWN), PULL)
        self._database = database
        self._blobs = blobs
        self._proposing = proposing
        self._clock = clock
        self._settings = settings
        self._told = told

    async def take(self, events: Sequence[Event]) -> None:
        """Look at the passages that were told; what is proposed again is the same."""
        for event in await self._database.read(lambda tx: _concerned(tx, events)):
            await self._look(event)

    async def _look(self, event: Event) -> None:
        name, gone = str(event.body.get("passage", "")), event.kind == WITHDRAWN
        stale, drives = await self._database.read(lambda tx: self._judged(tx, name, gone))
        if stale:
            now = self._clock.now_us()
            await self._database.write(lambda tx: self._take_back(tx, name, gone, now))
            self._told()
        for drive in drives:
            await self._propose(drive)

    def _judged(self, tx: Tx, name: str, gone: bool) -> tuple[bool, list[Drive]]:
        passage = None if gone else _passage(tx, name)
        stale = bool(_stale(tx, name, passage, gone))
        return stale, [] if passage is None else _drives(tx, passage, self._clock.now_us())

    def _take_back(self, tx: Tx, name: str, gone: bool, now: int) -> None:
        for one in _stale(tx, name, None if gone else _passage(tx, name), gone):
            take_back(tx, one, "the passage was corrected or withdrawn", now, self._settings)

    async def _propose(self, drive: Drive) -> None:
        one, new = await self._database.read(lambda tx: store.said_before(tx, ORIGIN, drive.reference)), False
        if one is None:  # of one that is known no picture is read again
            shown = await self._pictures(drive)
            one, new = await self._proposing.propose(_candidate(drive, self._clock.now_us()), shown)
        # Also of one that is known: whoever was killed between the two told of the new one, and left the old one open.
        replaced = one.state in _OPEN and await self._database.read(lambda tx: _replaced(tx, one))
        if replaced:
            now = self._clock.now_us()
            await self._database.write(lambda tx: self._replaces(tx, one, now))
        if new or replaced:
            self._told()

    def _replaces(self, tx: Tx, one: Violation, now: int) -> None:
        for other in _replaced(tx, one):
            take_back(tx, other, "another passage of the same drive", now, self._settings)

    async def _pictures(self, drive: Drive) -> list[Shown]:
        seen = await self._database.read(lambda tx: sightings_of(tx, [drive.entry.id, drive.exit.id]))
        entered = await self._shown(seen[drive.entry.id], with_plate=False)
        return entered + await self._shown(seen[drive.exit.id], with_plate=True)

    async def _shown(self, seen: Sequence[Sighting], *, with_plate: bool) -> list[Shown]:
        """The largest full view, and the largest of the plate."""
        all_of = [(one.at, picture) for one in seen for picture in one.pictures if picture.kind not in MADE]
        views = [each for each in all_of if each[1].kind not in CROPS]
        plates = [each for each in all_of if each[1].kind in CROPS] if with_plate else []
        chosen = [max(some, key=lambda each: each[1].width * each[1].height) for some in (views, plates) if some]
        found: list[Shown] = []
        for at, kept in chosen:
            try:
                data = b"".join([piece async for piece in self._blobs.read(kept.key)])
            except NotFoundError:  # swept a moment ago
                continue
            found.append(Shown(Picture(data, kept.format, kept.width, kept.height, kept.kind), at))
        return found


def _concerned(tx: Tx, events: Sequence[Event]) -> list[Event]:
    """Those that can begin or end a drive, or that a candidate stands on: of most passages nothing more is read."""
    gates = {str(event.body.get("tollgate") or "") for event in events} - {""}
    ends = {gate for section in tables.sections_at(tx, gates) for gate in (section.entry, section.exit)}
    named = list({str(event.body.get("passage", "")) for event in events} - {""})
    standing = {passage for one in store.of_passages(tx, named) for passage in one.passages}
    return [event for event in events if event.body.get("tollgate") in ends or event.body.get("passage") in standing]


def _drives(tx: Tx, passage: Passage, now: int) -> list[Drive]:
    """Those that the passage begins or ends."""
    if not _usable(passage, now):
        return []
    found: list[Drive] = []
    for section in tables.sections_at(tx, {passage.tollgate or ""}):
        if passage.tollgate == section.exit:
            exit_ = passage
        else:
            exits = _near(tx, section.exit, passage.plate, passage.at, passage.at + section.longest_us, now)
            if not exits:
                continue
            exit_ = exits[-1]  # the first after it
        entries = _near(tx, section.entry, exit_.plate, exit_.at - section.longest_us, exit_.at, now)
        measured = speed(section, entries[0].at, exit_.at) if entries else None
        if measured is not None and too_fast(section, measured):
            found.append(Drive(section, entries[0], exit_, measured))
    return found


def _near(tx: Tx, gate: str, plate: str, since: int, until: int, now: int) -> list[Passage]:
    """Of a plate at a checkpoint, newest first."""
    asked = seeking.Asked(
        purpose=Purpose.TRAFFIC, now=now, restricted=True, tollgate=gate, plates=(plate,), since=since, until=until
    )
    return [one for one in seeking.page(tx, _ALL, asked) if not one.clock_doubtful]


def _usable(passage: Passage, now: int) -> bool:
    """Whether its plate and time can be believed, and it was kept for traffic at all."""
    whole = bool(passage.plate) and "?" not in passage.plate
    return whole and not passage.clock_doubtful and Purpose.TRAFFIC in passage.purposes and passage.keep_until > now


def _passage(tx: Tx, name: str) -> Passage | None:
    return next(iter(seeking.whole(tx, [name])), None)


def _stale(tx: Tx, name: str, passage: Passage | None, gone: bool) -> list[Violation]:
    """Open candidates that stand on the passage and that it no longer bears out."""
    standing = [
        one for one in store.of_passages(tx, [name]) if one.origin == ORIGIN and one.state in _OPEN
    ]  # fmt: skip
    return standing if gone else [one for one in standing if passage and not _bears_out(passage, one)]


def _replaced(tx: Tx, one: Violation) -> list[Violation]:
    """Open candidates of the same drive, from before another entry was heard of: one drive is one candidate."""
    return [
        other for other in store.of_passages(tx, [one.passages[1]])
        if other.id != one.id and other.origin == ORIGIN and other.state in _OPEN
        and other.details.get("section") == one.details["section"] and other.passages[1:] == one.passages[1:]
    ]  # fmt: skip


def _bears_out(passage: Passage, one: Violation) -> bool:
    moment = "entered_us" if one.passages[0] == passage.id else "left_us"
    return passage.plate == one.plate_read and passage.at == one.details[moment] and not passage.clock_doubtful


def _candidate(drive: Drive, now: int) -> Violation:
    section, measured = drive.section, drive.speed
    sure = [one.confidence for one in (drive.entry, drive.exit) if one.confidence is not None]
    return Violation(
        id=fresh("vi"), kind=Kind.SECTION_SPEED, plate=drive.exit.plate, plate_read=drive.exit.plate,
        confidence=min(sure) if sure else None, plate_colour=drive.exit.plate_colour,
        vehicle_class=drive.exit.vehicle_class, tollgate=section.exit, lane=drive.exit.lane, place_name=section.name,
        direction=drive.exit.direction, at=drive.exit.at, seen=now, clock_error_ms=section.clock_error_ms,
        speed_kmh=round(measured.kmh, 1), speed_error_kmh=round(measured.error, 1), limit_kmh=section.limit_kmh,
        certificate=section.certificate, origin=ORIGIN, reference=drive.reference,
        passages=(drive.entry.id, drive.exit.id), area_path=drive.exit.area_path,
        organisation_path=drive.exit.organisation_path, restricted=drive.entry.restricted or drive.exit.restricted,
        keep_until=now, details={
            "section": section.id, "length_m": section.length_m, "length_error_m": section.length_error_m,
            "entered_us": drive.entry.at, "left_us": drive.exit.at, "low_kmh": round(measured.low, 1),
            "high_kmh": round(measured.high, 1), "tolerance_kmh": section.tolerance_kmh,
        },
    )  # fmt: skip
