"""Searches of lists that are put into a case: passages, violations, alarms.

A search is asked again here, with the rights of who adds it and for the case's purpose: what the entry says it looked
at is what the platform looked at, whatever a browser showed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.alarms.api import Alarm, Alarms, hearing
from safecity.core.ground.alarms.api import stock as stock_of_alarms
from safecity.core.ground.channels.api import find_channel
from safecity.core.ground.channels.api import thing_of as thing_of_channel
from safecity.core.ground.exports.api import Hold
from safecity.core.ground.places.api import find_area
from safecity.core.ground.vehicles.api import Vehicles, Wish
from safecity.core.upper.cases.decide import MOST_RESULTS, MOST_STRETCHES, Entry, EntryKind
from safecity.core.upper.cases.keeping import Keeping, check_count, new_entry
from safecity.core.upper.cases.passages import MOST_STOCK, Chosen, chosen_passages, looked_through
from safecity.core.upper.cases.rights import spot
from safecity.core.upper.cases.things import of_alarm, of_hold, of_passage, of_violation
from safecity.core.upper.violations.api import Violations, Wanted, find_violation
from safecity.ports.database import Database, Tx

MOST_FOUND: Final = 500
"""Rows of the search that is asked again; the entry says where there were more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmsAsked:
    """A list of alarms as it is filtered; what is empty is not asked for. `priority`: 1 to 4, 0 for all."""

    state: str = ""
    channel: str = ""
    area: str = ""
    priority: int = 0


class ListSearches:
    """Everything needs a case that is open and that `who` writes, and the right to what is put in."""

    def __init__(
        self, database: Database, keeping: Keeping, vehicles: Vehicles, violations: Violations, alarms: Alarms
    ) -> None:
        self._database = database
        self._keeping = keeping
        self._vehicles = vehicles
        self._violations = violations
        self._alarms = alarms

    async def passages(self, who: Actor, case: str, wish: Wish, chosen: Sequence[str], words: str) -> Entry:
        """A search of passages with what was chosen of it, pictures and all. NotFoundError for a passage that is not
        there for `who` and the case's purpose; ExhaustedError `case_too_much`."""
        check_count(chosen, MOST_RESULTS)
        one = await self._keeping.open(who, case)
        wish = replace(wish, purpose=one.purpose)
        found = await self._vehicles.find(who, wish, limit=MOST_FOUND, what="case")

        def look(tx: Tx) -> tuple[dict[str, Any], list[Chosen]]:
            return looked_through(tx, who, wish), chosen_passages(tx, who, chosen, one.purpose)

        looked, there = await self._database.read(look)
        looked |= {
            "plates": found.looked.plates, "rows": found.looked.passages, "found": len(found.passages),
            "more": found.after is not None, "back_to": found.looked.oldest,
        }  # fmt: skip
        entry = _search(who, case, "passages", wish.said(), looked, words)
        shown = [(of_passage(each.passage, each.gate, entry), each.pictures) for each in there]
        return await self._keeping.with_pictures(who, case, entry, shown)

    async def violations(
        self, who: Actor, case: str, wanted: Wanted, area: str, chosen: Sequence[str], words: str
    ) -> Entry:
        """A list of violations with what was chosen of it, evidence and all; as `passages`."""
        check_count(chosen, MOST_RESULTS)
        await self._keeping.open(who, case)
        found, counts = await self._violations.page(who, wanted, area=area, limit=MOST_FOUND + 1)
        there = await self._database.read(
            lambda tx: [find_violation(tx, who, Action.VIOLATION_SEE, name) for name in dict.fromkeys(chosen)]
        )
        asked = {"states": " ".join(wanted.states), "kind": wanted.kind, "plate": wanted.plate,
                 "tollgate": wanted.tollgate, "area": area, "since": wanted.since, "until": wanted.until}  # fmt: skip
        looked = {
            "since": wanted.since, "until": wanted.until if wanted.until is not None else who.at,
            "stock": sum(counts.values()), "found": min(len(found), MOST_FOUND), "more": len(found) > MOST_FOUND,
        }  # fmt: skip
        entry = _search(who, case, "violations", asked, looked, words)
        return await self._keeping.with_pictures(
            who, case, entry, [(of_violation(e, entry), e.pictures) for e in there]
        )

    async def alarms(self, who: Actor, case: str, asked: AlarmsAsked, chosen: Sequence[str], words: str) -> Entry:
        """A list of alarms with what was chosen of it, each as it stands now and with the footage around it held where
        there is any. NotFoundError for an alarm that is not there for `who`."""
        check_count(chosen, MOST_STRETCHES)
        await self._keeping.open(who, case)
        found = await self._alarms.page(
            who, limit=MOST_FOUND + 1, state=asked.state, channel=asked.channel, area=asked.area,
            priority=asked.priority,
        )  # fmt: skip
        there = [await self._alarms.see(who, name) for name in dict.fromkeys(chosen)]

        def look(tx: Tx) -> dict[str, Any]:
            where = find_channel(tx, who, Action.ALARM_SEE, asked.channel) if asked.channel else None
            area = find_area(tx, asked.area).path if asked.area else ""
            rows, oldest = stock_of_alarms(tx, hearing(tx, who), channel=asked.channel, area=area, most=MOST_STOCK)
            return {
                "until": who.at, "oldest": oldest, "stock": rows, "stock_more": rows == MOST_STOCK,
                "places": 1 if where else 0, "names": [spot(where.name, thing_of_channel(where))] if where else [],
                "found": min(len(found), MOST_FOUND), "more": len(found) > MOST_FOUND,
            }  # fmt: skip

        question = {name: getattr(asked, name) for name in AlarmsAsked.__dataclass_fields__}
        entry = _search(who, case, "alarms", question, await self._database.read(look), words)
        held = [(one, hold) for one in there if (hold := await self._keeping.around(who, case, one)) is not None]
        return await self._with_footage(who, case, entry, there, held)

    async def _with_footage(
        self, who: Actor, case: str, entry: Entry, alarms: Sequence[Alarm], held: Sequence[tuple[Alarm, Hold]]
    ) -> Entry:
        footage = [of_hold(hold, entry, one.longitude, one.latitude) for one, hold in held]
        results = [*(of_alarm(one, entry) for one in alarms), *footage]
        return await self._keeping.keep(who, case, entry, results, held=[hold for _, hold in held])


def _search(who: Actor, case: str, stock: str, question: dict[str, Any], looked: dict[str, Any], words: str) -> Entry:
    asked = {name: value for name, value in question.items() if value not in ("", None, 0)}
    return replace(new_entry(who, case, EntryKind.SEARCH, words), stock=stock, question=asked, looked=looked)
