"""Who may know of a case, and who sees what of it.

Rights come first, by area and organisation as everywhere; membership narrows them: a case is for its owner, its
members, and whoever manages cases where it lies. What lies in it asks for the rights that the thing itself asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_

from safecity.core.ground.access.api import Action, Actor, Predicate, Thing, authorize, scope, where
from safecity.core.ground.alarms.api import Hearing, hearing
from safecity.core.ground.passages.api import may_see_restricted
from safecity.core.upper.cases.decide import Case, Entry, Result, ResultKind
from safecity.kit.errors import ForbiddenError
from safecity.ports.database import Tx

_STOCKS: Final = {
    "passages": ResultKind.PASSAGE, "violations": ResultKind.VIOLATION, "recordings": ResultKind.STRETCH,
    "alarms": ResultKind.ALARM,
}  # fmt: skip
_ASKED: Final = {
    ResultKind.PASSAGE: Action.PASSAGE_SEE,
    ResultKind.VIOLATION: Action.VIOLATION_SEE,
    ResultKind.STRETCH: Action.PLAYBACK_WATCH,
    ResultKind.ALARM: Action.ALARM_SEE,
}


def thing_of(one: Case) -> Thing:
    """A case lies where it is led, and is its owner's."""
    return Thing("case", one.area_path, owner=one.owner, id=one.id, organisation=one.organisation_path)


@dataclass(frozen=True, slots=True)
class Standing:
    """What of all cases somebody may know of, and which of them they manage."""

    sees: Predicate
    manages: Predicate
    seats: frozenset[str]

    def reads(self, one: Case) -> bool:
        thing = thing_of(one)
        inside = self.manages.allows(thing) or bool(self.seats & (one.readers | one.writers))
        return self.sees.allows(thing) and inside

    def writes(self, one: Case) -> bool:
        """Among those who read it."""
        return self.manages.allows(thing_of(one)) or bool(self.seats & one.writers)

    def condition(self, table: Any) -> ColumnElement[bool]:
        """`reads`, as SQL."""
        columns = (table.c.area_path, None, table.c.owner, table.c.organisation_path)
        seated = [
            each.like(f"%|{seat}|%") for seat in sorted(self.seats) for each in (table.c.readers, table.c.writers)
        ]
        return and_(where(self.sees, *columns), or_(where(self.manages, *columns), *seated))


def standing(tx: Tx, who: Actor) -> Standing:
    """Of somebody, now."""
    return Standing(scope(who, Action.CASE_SEE), scope(who, Action.CASE_MANAGE), hearing(tx, who).seats)


def check_may(tx: Tx, who: Actor, action: Action, one: Case) -> None:
    """ForbiddenError; of somebody who reads the case."""
    authorize(who, action, thing_of(one))
    if action is Action.CASE_WRITE and not standing(tx, who).writes(one):
        raise ForbiddenError("a reader of the case", code="case_reader")


def spot(name: str, thing: Thing) -> list[Any]:
    """A place that a search looked at, with what decides for whom its name is."""
    return [name, thing.area, thing.organisation, sorted(thing.tags)]


@dataclass(frozen=True, slots=True)
class Sight:
    """What of the things in a case somebody sees: nothing that they could not find themselves."""

    by_kind: dict[ResultKind, Predicate]
    hears: Hearing
    restricted: bool

    def shows(self, one: Result) -> bool:
        thing = Thing(str(one.kind), one.area_path, one.tags, organisation=one.organisation_path)
        if one.restricted and not self.restricted:
            return False
        if one.kind is ResultKind.ALARM:
            return self.hears.hears(one.audience, thing)
        return self.by_kind[one.kind].allows(thing)

    def told(self, entry: Entry, case: Case) -> Entry:
        """An entry as it is for them: names of places where they may look, and what was asked for only where they may
        ask so themselves: for footage at its camera, for the rest where the case lies."""
        if not entry.stock:
            return entry
        may = self.by_kind[_STOCKS[entry.stock]]
        spots = [
            (name, Thing(entry.stock, area, frozenset(tags), organisation=organisation))
            for name, area, organisation, tags in entry.looked.get("names", [])
        ]
        names = [name for name, thing in spots if may.allows(thing)]
        here = Thing(entry.stock, case.area_path, organisation=case.organisation_path)
        asks = bool(names) if entry.stock == "recordings" else may.allows(here)
        question = entry.question if asks else {}
        looked = {**entry.looked, "names": names}
        if not asks:  # it tells of the vehicle that was asked for
            looked.pop("first_seen", None)
        return replace(entry, question=question, looked=looked)


def sight(tx: Tx, who: Actor) -> Sight:
    """Of somebody, now."""
    return Sight(
        {kind: scope(who, action) for kind, action in _ASKED.items()}, hearing(tx, who), may_see_restricted(who)
    )
