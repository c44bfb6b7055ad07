"""Who is exempt, and over which sections speeds are measured: for those who answer for the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from safecity.core.ground.access.api import ROOT, Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.places.api import find_area
from safecity.core.ground.tollgates.api import Tollgate
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.ground.tollgates.api import thing_of as thing_of_gate
from safecity.core.upper.violations import tables
from safecity.core.upper.violations.sections import Section
from safecity.core.upper.violations.tables import Exemption
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.vehicles import clean_plate


class Rules:
    """Sections and exemptions; each change is in the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sections(self, who: Actor, *, before: str, limit: int) -> list[Section]:
        """Newest first."""
        may = scope(who, Action.VIOLATION_SEE)
        return await self._database.read(lambda tx: tables.section_page(tx, may, before=before, limit=limit))

    async def section(self, who: Actor, section: str) -> Section:
        """One."""
        return await self._database.read(lambda tx: _section(tx, who, Action.VIOLATION_SEE, section))

    async def add_section(self, who: Actor, values: dict[str, Any]) -> Section:
        """InvalidError `section_invalid`; NotFoundError for checkpoints that are not there or not for `who`."""

        def work(tx: Tx) -> Section:
            one = _placed(tx, who, Section(id=fresh("sc"), **values))
            authorize(who, Action.VIOLATION_CHANGE, _thing_of(one))
            tables.add_section(tx, one)
            note(tx, who, Action.VIOLATION_CHANGE, _thing_of(one), one.name, added=True, **_said(one))
            return one

        return await self._database.write(work)

    async def change_section(self, who: Actor, section: str, values: dict[str, Any], revision: int | None) -> Section:
        """What was proposed before stays as it was measured."""

        def work(tx: Tx) -> Section:
            old = _section(tx, who, Action.VIOLATION_CHANGE, section)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            one = _placed(tx, who, replace(old, **values, revision=old.revision + 1))
            authorize(who, Action.VIOLATION_CHANGE, _thing_of(one))
            tables.save_section(tx, one)
            note(tx, who, Action.VIOLATION_CHANGE, _thing_of(one), one.name, **_said(one))
            return one

        return await self._database.write(work)

    async def remove_section(self, who: Actor, section: str) -> None:
        """Nobody is measured over it any more."""

        def work(tx: Tx) -> None:
            old = _section(tx, who, Action.VIOLATION_CHANGE, section)
            tables.remove_section(tx, section)
            note(tx, who, Action.VIOLATION_CHANGE, _thing_of(old), old.name, removed=True)

        await self._database.write(work)

    async def exemptions(self, who: Actor, *, before: str, limit: int, plate: str = "") -> list[Exemption]:
        """Newest first; the look is written down, for plates are shown."""
        may = scope(who, Action.VIOLATION_CHANGE)

        def work(tx: Tx) -> list[Exemption]:
            found = tables.exemption_page(tx, may, before=before, limit=limit, plate=clean_plate(plate))
            note(tx, who, Action.VIOLATION_SEE, Thing("exemption"), found=len(found))
            return found

        return await self._database.write(work)

    async def add_exemption(self, who: Actor, values: dict[str, Any]) -> Exemption:
        """In force at once, also for what waits for a review. InvalidError `exemption_invalid`."""

        def work(tx: Tx) -> Exemption:
            plate, until = clean_plate(values["plate"]), values["until"]
            _need(bool(plate) and "?" not in plate, "plate")
            _need(bool(values["reason"].strip()), "reason")
            _need(until is None or until > values["since"], "until")
            area = find_area(tx, values["area"]) if values["area"] else None
            one = Exemption(
                id=fresh("xe"), plate=plate, duty=values["duty"], reason=values["reason"].strip(),
                since=values["since"], until=until, area=area.id if area else None,
                area_path=area.path if area else ROOT, added_by=who.name, added_at=who.at,
            )  # fmt: skip
            authorize(who, Action.VIOLATION_CHANGE, _thing_of_exemption(one))
            tables.add_exemption(tx, one)
            note(
                tx, who, Action.VIOLATION_CHANGE, _thing_of_exemption(one), one.plate, reason=one.reason, added=True,
                duty=one.duty, since_us=one.since, until_us=one.until,
            )  # fmt: skip
            return one

        return await self._database.write(work)

    async def end_exemption(self, who: Actor, exemption: str) -> None:
        """From now on; what it covered stays covered."""

        def work(tx: Tx) -> None:
            old = tables.find_exemption(tx, exemption)
            if old is None or not scope(who, Action.VIOLATION_CHANGE).allows(_thing_of_exemption(old)):
                raise NotFoundError("no such exemption", code="not_found", params={"kind": "exemption"})
            if old.until is None or old.until > who.at:
                tables.end_exemption(tx, exemption, who.at)
                note(tx, who, Action.VIOLATION_CHANGE, _thing_of_exemption(old), old.plate, removed=True)

        await self._database.write(work)


def _thing_of(one: Section) -> Thing:
    return Thing("section", one.area_path, id=one.id, organisation=one.organisation_path)


def _thing_of_exemption(one: Exemption) -> Thing:
    return Thing("exemption", one.area_path, id=one.id, organisation=one.organisation_path)


def _section(tx: Tx, who: Actor, action: Action, section: str) -> Section:
    found = tables.find_section(tx, section)
    if found is None or not scope(who, Action.VIOLATION_SEE).allows(_thing_of(found)):
        raise NotFoundError("no such section", code="not_found", params={"kind": "section"})
    authorize(who, action, _thing_of(found))
    return found


def _placed(tx: Tx, who: Actor, one: Section) -> Section:
    """It lies where its exit lies; both ends must be of those that `who` may see."""
    gates = [_gate(tx, who, name) for name in (one.entry, one.exit)]
    return replace(one, area_path=gates[1].area_path, organisation_path=gates[1].organisation_path)


def _gate(tx: Tx, who: Actor, gate: str) -> Tollgate:
    found = find_gate(tx, gate)
    if found is None or not scope(who, Action.TOLLGATE_SEE).allows(thing_of_gate(found)):
        raise NotFoundError("no such tollgate", code="not_found", params={"kind": "tollgate"})
    return found


def _said(one: Section) -> dict[str, Any]:
    names = ("entry", "exit", "length_m", "length_error_m", "limit_kmh", "tolerance_kmh", "entry_clock_error_ms",
             "exit_clock_error_ms", "enabled")  # fmt: skip
    return {name: getattr(one, name) for name in names}


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="exemption_invalid", params={"field": name})
