"""What passages mean together, put into a case: the way of a vehicle, who was with it, plates that two carry.

Asked again like every search (lists.py). Each result is a passage and says in its details what it stands for:

finding        `stay`, `impossible` or `leg`: of a way, how it came there from the passage before; `met`: it was there
               with the vehicle `with`; `clone`: one of two that no vehicle can both have been
seconds        to or from the other passage (of `met`: above 0 it came later)
km, kmh        the straight line between both, and the least speed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import Actor
from safecity.core.ground.vehicles.api import Clone, Companion, Movement, Vehicles, Wish
from safecity.core.upper.cases.decide import MOST_RESULTS, Case, Entry, EntryKind, Result
from safecity.core.upper.cases.keeping import Keeping, check_count, new_entry
from safecity.core.upper.cases.passages import Chosen, chosen_passages, looked_through
from safecity.core.upper.cases.things import of_passage
from safecity.kit.errors import NotFoundError
from safecity.ports.database import Database, Tx

MOST_COMPANIONS: Final = 20
MOST_PAIRS: Final = 50
Said = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """How often somebody has to have been there: within so many seconds, so many times, at so many places."""

    seconds: int = 30
    times: int = 3
    places: int = 2


class Findings:
    """Everything needs a case that is open and that `who` writes, and the right to look at each passage for the
    case's purpose. NotFoundError for what is chosen and not found any more."""

    def __init__(self, database: Database, keeping: Keeping, vehicles: Vehicles) -> None:
        self._database = database
        self._keeping = keeping
        self._vehicles = vehicles

    async def route(
        self, who: Actor, case: str, wish: Wish, stay_minutes: int, chosen: Sequence[str], words: str
    ) -> Entry:
        """Where a vehicle was: when it was seen first, where it stayed, and the chosen passages of its way."""
        check_count(chosen, MOST_RESULTS)
        one, wish = await self._asked(who, case, wish)
        moved = await self._vehicles.movement(who, wish, stay_seconds=stay_minutes * 60.0)
        legs = _legs(moved)
        _check_found(chosen, legs, "passage")
        looked = {
            "rows": len(moved.passages), "found": len(moved.passages), "more": moved.more,
            "first_seen": moved.first_seen, "stays": len(moved.stays), "impossible": len(moved.clones),
        }  # fmt: skip
        asked = {"what": "route", "stay_minutes": stay_minutes}
        return await self._put(
            who, one, wish, asked, looked, [(name, legs[name]) for name in dict.fromkeys(chosen)], words
        )

    async def companions(
        self, who: Actor, case: str, wish: Wish, bounds: Company, chosen: Sequence[str], words: str
    ) -> Entry:
        """Who was there with it again and again: of each chosen plate its newest meetings, both passages of each, as
        many as an entry holds."""
        check_count(chosen, MOST_COMPANIONS)
        one, wish = await self._asked(who, case, wish)
        found, seen = await self._vehicles.companions(
            who, wish, within_seconds=bounds.seconds, least=bounds.times, places=bounds.places
        )
        by_plate = {each.plate: each for each in found}
        _check_found(chosen, by_plate, "vehicle")
        looked = {"rows": seen.passages, "back_to": seen.oldest, "found": len(found), "more": seen.cut}
        asked = {
            "what": "companions", "seconds": bounds.seconds, "times": bounds.times, "least_places": bounds.places
        }  # fmt: skip
        met = _met([by_plate[plate] for plate in dict.fromkeys(chosen)])
        return await self._put(who, one, wish, asked, looked, met, words)

    async def clones(
        self, who: Actor, case: str, wish: Wish, kmh: int, chosen: Sequence[tuple[str, str]], words: str
    ) -> Entry:
        """Plates that two vehicles carry: the chosen pairs of passages."""
        check_count(chosen, MOST_PAIRS)
        one, wish = await self._asked(who, case, wish)
        found, seen = await self._vehicles.cloned(who, wish, float(kmh))
        pairs = {(each.start.passage, each.end.passage): each for each in found}
        _check_found(chosen, pairs, "passage")
        looked = {"rows": seen.passages, "back_to": seen.oldest, "found": len(found), "more": seen.oldest is not None}
        asked = {"what": "clones", "kmh": kmh}
        both = [(name, _cloned(pairs[pair])) for pair in dict.fromkeys(chosen) for name in pair]
        return await self._put(who, one, wish, asked, looked, both, words)

    async def _asked(self, who: Actor, case: str, wish: Wish) -> tuple[Case, Wish]:
        one = await self._keeping.open(who, case)
        return one, replace(wish, purpose=one.purpose)

    async def _put(
        self, who: Actor, case: Case, wish: Wish, asked: Said, looked: Said, chosen: Sequence[tuple[str, Said]],
        words: str,
    ) -> Entry:  # fmt: skip
        def look(tx: Tx) -> tuple[dict[str, Any], list[Chosen]]:
            there = chosen_passages(tx, who, [name for name, _ in chosen], case.purpose)
            return looked_through(tx, who, wish), there

        through, there = await self._database.read(look)
        by_id = {each.passage.id: each for each in there}
        entry = replace(
            new_entry(who, case.id, EntryKind.SEARCH, words), stock="passages", question={**wish.said(), **asked},
            looked={**through, **looked},
        )  # fmt: skip
        shown = [(_result(by_id[name], entry, said), by_id[name].pictures) for name, said in chosen]
        return await self._keeping.with_pictures(who, case.id, entry, shown)


def _result(one: Chosen, entry: Entry, said: Said) -> Result:
    kept = of_passage(one.passage, one.gate, entry)
    return replace(kept, details={**kept.details, **said})


def _check_found(chosen: Sequence[Any], found: Mapping[Any, Any], kind: str) -> None:
    if any(name not in found for name in chosen):
        raise NotFoundError("not found any more", code="not_found", params={"kind": kind})


def _legs(moved: Movement) -> dict[str, Said]:
    """By passage: how the vehicle came there."""
    said: dict[str, Said] = {one.id: {} for one in moved.passages}
    impossible = {(one.start.passage, one.end.passage) for one in moved.clones}
    stays = {(one.start.passage, one.end.passage) for one in moved.stays}
    for leg in moved.legs:
        pair = leg.start.passage, leg.end.passage
        kind = "impossible" if pair in impossible else "stay" if pair in stays else "leg"
        said[leg.end.passage] = {"finding": kind, **_apart(leg.seconds, leg.km, leg.kmh)}
    return said


def _met(many: Sequence[Companion]) -> list[tuple[str, Said]]:
    """The vehicle's own passages once, those of its company with what they were found for; each plate gets its share of
    what an entry holds."""
    share = MOST_RESULTS // (2 * max(1, len(many)))
    shown: dict[str, Said] = {}
    for one in many:
        for meeting in sorted(one.meetings, key=lambda each: each.own.at, reverse=True)[:share]:
            shown.setdefault(meeting.own.passage, {})
            shown[meeting.other.passage] = {
                "finding": "met", "with": meeting.own.plate, "seconds": round(meeting.seconds, 1),
                "meetings": len(one.meetings), "places": one.places,
            }  # fmt: skip
    return list(shown.items())


def _cloned(one: Clone) -> Said:
    return {"finding": "clone", **_apart(one.seconds, one.km, one.kmh)}


def _apart(seconds: float, km: float | None, kmh: float | None) -> Said:
    said = {"seconds": round(seconds, 1), "km": None if km is None else round(km, 2),
            "kmh": None if kmh is None else round(kmh)}  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}
