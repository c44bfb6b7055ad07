"""The audit log: who did or watched what, in a chain of hashes."""

from __future__ import annotations

from typing import Any

from safecity.core.ground.access.decide import Action, Actor, Thing
from safecity.core.ground.audit.decide import Entry, Record
from safecity.core.ground.audit.keeper import Keeper
from safecity.core.ground.audit.proof import Proof
from safecity.core.ground.audit.store import Wanted, append, page
from safecity.ports.database import Tx

__all__ = ["Entry", "Keeper", "Proof", "Record", "Wanted", "append", "note", "page"]


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
            organisation=thing.organisation,
            outcome=outcome,
            reason=reason,
            details=details,
        ),
    )
