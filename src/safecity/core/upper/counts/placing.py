"""A place where vehicles are counted lies where its checkpoint lies, and is seen by whoever sees that."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from safecity.core.ground.tollgates.api import Tollgate, find_many
from safecity.core.upper.counts import tables
from safecity.core.upper.counts.decide import CountPoint, bearing_of
from safecity.ports.database import Tx

AT_ONCE: Final = 500


def at_gate(gate: Tollgate, number: int | None, *, origin: str, source: str) -> CountPoint:
    """At a checkpoint, or (`number`) one of its lanes; without an id."""
    lanes = [lane for lane in gate.lanes if number is None or lane.number == number]
    return CountPoint(
        id="", origin=origin, source=source, place=gate.id, lane=number, name=gate.name, tollgate=gate.id,
        longitude=gate.longitude, latitude=gate.latitude, bearing=bearing_of({lane.direction for lane in lanes}),
        lanes=max(1, len(lanes)), area_path=gate.area_path, organisation_path=gate.organisation_path,
    )  # fmt: skip


def moved(tx: Tx) -> list[CountPoint]:
    """Those whose checkpoint lies elsewhere now, belongs to somebody else, or is called otherwise: as they are to be.
    Those of a checkpoint that is gone stay where it was."""
    points = tables.at_gates(tx)
    gates: dict[str, Tollgate] = {}
    named = sorted({one.tollgate for one in points if one.tollgate})
    for begin in range(0, len(named), AT_ONCE):
        gates |= find_many(tx, named[begin : begin + AT_ONCE])
    found: list[CountPoint] = []
    for one in points:
        gate = gates.get(one.tollgate or "")
        if gate is not None:
            wanted = at_gate(gate, one.lane, origin=one.origin, source=one.source)
            if replace(wanted, id=one.id) != one:
                found.append(wanted)
    return found
