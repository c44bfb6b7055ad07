"""The log of who did or watched what: read, and proved."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from safecity.core.ground.access.api import PLATFORM, Action, authorize, scope
from safecity.core.ground.audit.api import Entry, Wanted, page
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import Answer, Moment, Page, Params, read_cursor, write_cursor
from safecity.web.texts import sentence

routes = Routes("audit")


class AuditOut(Answer):
    """A record of the chain."""

    id: str
    at: Moment
    actor: str
    actor_name: str
    action: str
    object_kind: str
    object: str
    object_name: str
    outcome: str
    reason: str
    address: str
    details: Params
    hash: str


class ProofOut(Answer):
    """Whether the whole log holds: each record against the one before it, and the chain against the signed seals that
    lie outside the database. `first` and `last` are the records that are there, `sealed` the newest one that a seal
    covers, `forgotten` how far retention has dropped the log, `fault` the first record that does not hold."""

    sound: bool
    code: str
    sentence: str
    fault: int | None
    first: int
    last: int
    sealed: int
    forgotten: int


@routes.get("/audit", Action.AUDIT_SEE)
async def see_audit(
    who: Who,
    here: Here,
    actor: Annotated[str, Query(max_length=40)] = "",
    object: Annotated[str, Query(max_length=40)] = "",  # noqa: A002 - the word of the contract
    action: Annotated[str, Query(max_length=40)] = "",
    only: Literal["", "watching", "signing_in"] = "",
    start: Annotated[Moment, Query()] = 0,
    end: Annotated[Moment, Query()] = 0,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[AuditOut]:
    """Who did or watched what, newest first. `only` `watching`: live, playback, pictures, exports and downloads."""
    place = read_cursor(cursor, int)
    wanted = Wanted(
        before=place[0] if place else 0, actor=actor, thing=object, action=action, only=only, start=start, end=end
    )
    seen = scope(who, Action.AUDIT_SEE)
    found = await here.database.read(lambda tx: page(tx, seen, wanted, limit + 1))
    more = write_cursor(found[limit - 1].seq) if len(found) > limit else None
    return Page(items=[_audit(entry) for entry in found[:limit]], next=more)


@routes.get("/audit/proof", Action.AUDIT_SEE)
async def prove_audit(who: Who, here: Here) -> ProofOut:
    """Read the whole log and tell whether anything in it was changed, removed or added."""
    authorize(who, Action.AUDIT_SEE, PLATFORM)
    proof = await here.keeper.prove()
    said = sentence(proof.code, {"record": proof.fault or 0}, who.language) if proof.code else ""
    return ProofOut(
        sound=proof.sound, code=proof.code, sentence=said, fault=proof.fault, first=proof.first, last=proof.last,
        sealed=proof.sealed, forgotten=proof.forgotten,
    )  # fmt: skip


def _audit(entry: Entry) -> AuditOut:
    record = entry.record
    return AuditOut(
        id=str(entry.seq), at=record.at, actor=record.actor, actor_name=record.actor_name, action=record.action,
        object_kind=record.kind, object=record.thing, object_name=record.thing_name, outcome=record.outcome,
        reason=record.reason, address=record.address, details=record.details, hash=entry.hash.hex(),
    )  # fmt: skip
