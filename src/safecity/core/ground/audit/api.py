"""The audit log: who did or watched what, in a chain of hashes."""

from __future__ import annotations

from typing import Any

from safecity.core.ground.access.decide import Action, Actor, Thing
from safecity.core.ground.audit.decide import Entry, Record, first_fault
from safecity.core.ground.audit.store import append, entries, page
from safecity.ports.database import Tx

__all__ = ["Entry", "Record", "append", "first_fault", "note", "page", "verify"]


def note(
    tx: Tx,
    who: Actor,
    action: Action | str,
    thing: Thing,
    name: str = "",
    *,
    reason: str = "",
    outcome: str = "done",
    **details: Any,
) -> None:
    """Write down what `who` does to `thing`, in the transaction that does it."""
    append(
        tx,
        Record(
            at=who.at,
            actor=who.user,
            actor_name=who.name,
            session=who.session,
            address=who.address,
            request=who.request,
            action=str(action),
            kind=thing.kind,
            thing=thing.id,
            thing_name=name,
            area=thing.area or "/",
            outcome=outcome,
            reason=reason,
            details=details,
        ),
    )


def verify(tx: Tx) -> int | None:
    """The first broken sequence number of the whole log, None when it is sound."""
    after, previous, seq = 0, b"\0" * 32, 1
    while batch := entries(tx, after, 1000):
        fault = first_fault(batch, previous, seq)
        if fault is not None:
            return fault
        after, previous, seq = batch[-1].seq, batch[-1].hash, batch[-1].seq + 1
    return None
