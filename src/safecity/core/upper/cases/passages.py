"""Passages as a case takes them: what a question could look at, and what was chosen with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, scope
from safecity.core.ground.passages.api import KeptPicture, Passage, readable, seeking, sightings_of
from safecity.core.ground.tollgates.api import Tollgate, some_under
from safecity.core.ground.tollgates.api import find_many as find_gates
from safecity.core.ground.tollgates.api import thing_of as thing_of_gate
from safecity.core.ground.vehicles.api import Wish, asked_of
from safecity.core.upper.cases.rights import spot
from safecity.ports.database import Tx

MOST_STOCK: Final = 100_000
MOST_NAMES: Final = 1_000
NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    """A passage with where it was and what it is shown by."""

    passage: Passage
    gate: Tollgate | None
    pictures: list[KeptPicture]


def looked_through(tx: Tx, who: Actor, wish: Wish) -> dict[str, Any]:
    """What a question about passages could look at: whatever their plate, in the time and the places asked for."""
    may, asked = scope(who, Action.PASSAGE_SEE), asked_of(tx, who, wish)
    rows, oldest = seeking.stock(tx, may, asked, MOST_STOCK)
    named_one = find_gates(tx, [wish.tollgate]) if wish.tollgate.startswith("tg_") else {}
    places = [gate for gate in named_one.values() if may.allows(thing_of_gate(gate))]
    if not wish.tollgate:
        places = some_under(tx, may, asked.area, MOST_NAMES)
    return {
        "since": wish.since, "until": wish.until if wish.until is not None else who.at, "oldest": oldest,
        "stock": rows, "stock_more": rows == MOST_STOCK, "places": len(places),
        "names": [spot(gate.name, thing_of_gate(gate)) for gate in places[:NAMED]],
    }  # fmt: skip


def chosen_passages(tx: Tx, who: Actor, names: Sequence[str], purpose: str) -> list[Chosen]:
    """NotFoundError for one that is not there for `who` and the purpose."""
    there = [readable(tx, who, name, purpose) for name in dict.fromkeys(names)]
    gates = find_gates(tx, [each.tollgate for each in there if each.tollgate])
    seen = sightings_of(tx, [each.id for each in there])
    return [
        Chosen(each, gates.get(each.tollgate or ""), [picture for said in seen[each.id] for picture in said.pictures])
        for each in there
    ]
