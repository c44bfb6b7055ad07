"""Sections for people: where they are, what they take now, usually, and through the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from safecity.core.ground.access.api import Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places.api import find_area
from safecity.core.ground.settings.api import Settings
from safecity.core.ground.tollgates.api import Tollgate, find_many
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.ground.tollgates.api import thing_of as thing_of_gate
from safecity.core.upper.traveltimes import marks, tables, usual
from safecity.core.upper.traveltimes.decide import BUCKET_US, TravelSection, bucket_of
from safecity.core.upper.traveltimes.filtering import Times, times
from safecity.core.upper.traveltimes.tables import Bucket
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

NOW_US: Final = 3 * BUCKET_US
RECENT: Final = 72
"""Buckets of five minutes that a list shows: six hours."""
KEPT_US: Final = 92 * 86_400 * SECOND_US


@dataclass(frozen=True, slots=True)
class Shown:
    """A section with those of its ends that the reader may see, what it took in the last quarter of an hour, what it
    usually takes at this time, and the last six hours. What too few drove is left out."""

    section: TravelSection
    entry: Tollgate | None
    exit: Tollgate | None
    now: Times | None
    newest: int | None
    usual_us: int | None
    recent: Sequence[Bucket]


class TravelTimes:
    """Changes are in the audit. A look at times needs no record: nobody's plate is kept for them, and none is shown."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def page(self, who: Actor, *, least: int, before: str, limit: int, area: str = "") -> list[Shown]:
        """Newest first. `least`: what fewer vehicles than that drove is not told."""
        may = scope(who, Action.TRAFFIC_SEE)

        def work(tx: Tx) -> list[Shown]:
            path = find_area(tx, area).path if area else ""
            found = tables.page(tx, may, before=before, limit=limit, area=path)
            return self._shown(tx, who, found, least)

        return await self._database.read(work)

    async def see(self, who: Actor, section: str, *, least: int) -> Shown:
        """One."""
        return await self._database.read(
            lambda tx: self._shown(tx, who, [_section(tx, who, Action.TRAFFIC_SEE, section)], least)[0]
        )

    async def history(
        self, who: Actor, section: str, *, least: int, since: int, until: int, limit: int
    ) -> tuple[list[Bucket], int | None]:
        """By five minutes, oldest first, and where the next part begins."""

        def work(tx: Tx) -> list[Bucket]:
            _section(tx, who, Action.TRAFFIC_SEE, section)
            return tables.history(tx, section, bucket_of(since), until, limit + 1)

        found = await self._database.read(work)
        return _told(found[:limit], least), found[limit].at if len(found) > limit else None

    async def add(self, who: Actor, values: dict[str, Any]) -> TravelSection:
        """InvalidError `travel_section_invalid`; NotFoundError for checkpoints that are not there or not for `who`."""

        def work(tx: Tx) -> TravelSection:
            one = _placed(tx, who, TravelSection(id=fresh("ts"), **_lanes(values)))
            authorize(who, Action.TRAFFIC_CHANGE, _thing_of(one))
            tables.add(tx, one)
            note(tx, who, Action.TRAFFIC_CHANGE, _thing_of(one), one.name, added=True, **_said(one))
            return one

        return await self._database.write(work)

    async def change(self, who: Actor, section: str, values: dict[str, Any], revision: int | None) -> TravelSection:
        """What was measured before stays as it was measured."""

        def work(tx: Tx) -> TravelSection:
            old = _section(tx, who, Action.TRAFFIC_CHANGE, section)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            one = _placed(tx, who, replace(old, **_lanes(values), revision=old.revision + 1))
            authorize(who, Action.TRAFFIC_CHANGE, _thing_of(one))
            tables.save(tx, one)
            note(tx, who, Action.TRAFFIC_CHANGE, _thing_of(one), one.name, **_said(one))
            return one

        return await self._database.write(work)

    async def remove(self, who: Actor, section: str) -> None:
        """With all that was measured over it."""

        def work(tx: Tx) -> None:
            old = _section(tx, who, Action.TRAFFIC_CHANGE, section)
            marks.forget_section(tx, section)
            tables.remove(tx, section)
            note(tx, who, Action.TRAFFIC_CHANGE, _thing_of(old), old.name, removed=True)

        await self._database.write(work)

    async def sweep(self) -> int:
        """Forget times that are past theirs; how many."""
        before, gone = self._clock.now_us() - KEPT_US, 0
        while some := await self._database.write(lambda tx: tables.forget_times(tx, before)):
            gone += some
        return gone

    def _shown(self, tx: Tx, who: Actor, sections: Sequence[TravelSection], least: int) -> list[Shown]:
        now = self._clock.now_us()
        may = scope(who, Action.TOLLGATE_SEE)
        ends = find_many(tx, list({gate for one in sections for gate in (one.entry, one.exit)}))
        gates = {gate: one for gate, one in ends.items() if may.allows(thing_of_gate(one))}
        platform = self._settings.platform(tx)
        at_usual = usual.asked(now, ZoneInfo(platform.zone), platform.day_kinds)
        return [self._one(tx, one, gates, now, at_usual, least) for one in sections]

    @staticmethod
    def _one(
        tx: Tx, section: TravelSection, gates: dict[str, Tollgate], now: int, at_usual: Sequence[int], least: int
    ) -> Shown:  # fmt: skip
        drives = marks.trips_between(tx, section.id, now - NOW_US, now + BUCKET_US)
        found = times(drives, ())
        told = found if found is not None and found.vehicles >= least else None
        known = _told(tables.at_buckets(tx, section.id, at_usual), least)
        recent = tables.history(tx, section.id, bucket_of(now) - (RECENT - 1) * BUCKET_US, now + BUCKET_US, RECENT + 1)
        return Shown(
            section, gates.get(section.entry), gates.get(section.exit), told,
            drives[-1].at if told is not None else None, usual.usual([one.times.median_us for one in known]),
            _told(recent, least),
        )  # fmt: skip


def _told(buckets: Sequence[Bucket], least: int) -> list[Bucket]:
    return [one for one in buckets if one.times.vehicles >= least]


def _thing_of(one: TravelSection) -> Thing:
    return Thing("travel_section", one.area_path, id=one.id, organisation=one.organisation_path)


def _section(tx: Tx, who: Actor, action: Action, section: str) -> TravelSection:
    found = tables.find(tx, section)
    if found is None or not scope(who, Action.TRAFFIC_SEE).allows(_thing_of(found)):
        raise NotFoundError("no such section", code="not_found", params={"kind": "section"})
    authorize(who, action, _thing_of(found))
    return found


def _placed(tx: Tx, who: Actor, one: TravelSection) -> TravelSection:
    """It lies where its exit lies; both ends must be of those that `who` may see."""
    _gate(tx, who, one.entry)
    gate = _gate(tx, who, one.exit)
    return replace(one, area_path=gate.area_path, organisation_path=gate.organisation_path)


def _gate(tx: Tx, who: Actor, gate: str) -> Tollgate:
    found = find_gate(tx, gate)
    if found is None or not scope(who, Action.TOLLGATE_SEE).allows(thing_of_gate(found)):
        raise NotFoundError("no such tollgate", code="not_found", params={"kind": "tollgate"})
    return found


def _lanes(values: dict[str, Any]) -> dict[str, Any]:
    return values | {name: tuple(values[name]) for name in ("entry_lanes", "exit_lanes") if name in values}


def _said(one: TravelSection) -> dict[str, Any]:
    names = ("entry", "exit", "length_m", "slowest_kmh", "fastest_kmh", "enabled")
    lanes = {name: ",".join(map(str, getattr(one, name))) for name in ("entry_lanes", "exit_lanes")}
    return {name: getattr(one, name) for name in names} | lanes
