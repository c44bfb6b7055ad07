"""Candidates come in: from other systems, from cameras, from our own analysis and from sections. Kept once, with their
pictures, and judged by the rules before anybody looks at them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from safecity.core.ground.access.api import Action, Actor, allowed, authorize
from safecity.core.ground.audit.api import Record, append
from safecity.core.ground.loose.api import Loose, named
from safecity.core.ground.passages.api import picture_key
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.ground.tollgates.api import find_by_code as find_gate_by_code
from safecity.core.upper.violations import store, tables
from safecity.core.upper.violations.decide import (
    Evidence,
    State,
    Violation,
    ViolationSettings,
    Void,
    check,
    lacking,
    move_to,
    unreviewed,
)
from safecity.core.upper.violations.service import thing_of
from safecity.kit.clock import Clock
from safecity.kit.errors import ForbiddenError, NotFoundError
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.pictures import Picture

FOLDER = "violations"


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a candidate, with when it was taken and where the vehicle is in it."""

    picture: Picture
    at: int
    box: tuple[float, float, float, float] | None = None
    light: str = ""


class Proposing:
    """Whoever proposes names the candidate by (origin, reference): proposed again it is the same."""

    def __init__(self, database: Database, loose: Loose, clock: Clock, settings: ViolationSettings) -> None:
        self._database = database
        self._loose = loose
        self._clock = clock
        self._settings = settings

    async def report(self, who: Actor, one: Violation, shown: Sequence[Shown], tollgate: str) -> tuple[Violation, bool]:
        """What another system saw at a checkpoint (id or code). NotFoundError `sighting_nowhere` where `who` may not
        report for it."""

        def placed(tx: Tx) -> Violation:
            gate = find_gate(tx, tollgate) if tollgate.startswith("tg_") else find_gate_by_code(tx, tollgate)
            nowhere = NotFoundError("no such tollgate for you", code="sighting_nowhere")
            if gate is None or not gate.enabled:
                raise nowhere
            lane = gate.lane(one.lane)
            here = replace(
                one, tollgate=gate.id, place_name=one.place_name or gate.name, area_path=gate.area_path,
                organisation_path=gate.organisation_path, restricted=gate.restricted,
                direction=one.direction or (lane.direction if lane is not None else ""),
            )  # fmt: skip
            try:
                authorize(who, Action.VIOLATION_REPORT, thing_of(here))
            except ForbiddenError as error:
                raise nowhere from error
            return here

        kept, new = await self.propose(await self._database.read(placed), shown)
        return (kept if allowed(who, Action.VIOLATION_SEE, thing_of(kept)) else unreviewed(kept)), new

    async def propose(self, one: Violation, shown: Sequence[Shown]) -> tuple[Violation, bool]:
        """The candidate as it is kept, and whether it is new. InvalidError `violation_invalid`."""
        known = await self._database.read(lambda tx: store.said_before(tx, one.origin, one.reference))
        if known is not None:
            return known, False
        brought = [(picture_key(FOLDER, one.seen, each.picture.format), each) for each in shown]
        evidence = tuple(_evidence(key, each) for key, each in brought)
        whole = check(replace(one, pictures=evidence, code=one.code or self._settings.code_of(one.kind)))
        async with self._loose.bringing([(key, each.picture.data) for key, each in brought]):
            return await self._database.write(lambda tx: self._write(tx, whole))

    def _write(self, tx: Tx, one: Violation) -> tuple[Violation, bool]:
        known = store.said_before(tx, one.origin, one.reference)
        if known is not None:  # its pictures stay loose, and are swept away
            return known, False
        now = self._clock.now_us()
        whole = replace(
            one, unfit=lacking(one), state=State.PROPOSED, revision=1,
            keep_until=self._settings.keep_until(State.PROPOSED, now),
        )  # fmt: skip
        append(tx, _record(whole, "violation.propose", now))
        on = tables.exempt(tx, whole.plate, whole.at, whole.area_path, whole.organisation_path) if whole.plate else None
        if on is not None:
            # Why it is exempt is for those who keep the list, and not for all who look at violations.
            whole = voided(whole, Void.EXEMPT, on.duty, now, self._settings)
            append(tx, _record(whole, "violation.void", now, on.duty, void_reason=str(Void.EXEMPT), exemption=on.id))
        store.add(tx, whole)
        named(tx, [picture.key for picture in whole.pictures])
        return whole, True


def voided(one: Violation, reason: Void, words: str, now: int, settings: ViolationSettings) -> Violation:
    """Void by a rule: no person did it."""
    return replace(
        move_to(one, State.VOID), void_reason=str(reason), void_words=words, void_at=now,
        keep_until=settings.keep_until(State.VOID, now),
    )  # fmt: skip


def take_back(tx: Tx, one: Violation, words: str, now: int, settings: ViolationSettings) -> Violation:
    """What it stands on is not said any more."""
    new = voided(one, Void.TAKEN_BACK, words, now, settings)
    store.save(tx, new)
    append(tx, _record(new, "violation.void", now, words, was=str(one.state), void_reason=str(Void.TAKEN_BACK)))
    return new


def _evidence(key: str, shown: Shown) -> Evidence:
    of = shown.picture
    return Evidence(
        key=key, sha256=hashlib.sha256(of.data).hexdigest(), size=len(of.data), kind=of.kind, format=of.format,
        width=of.width, height=of.height, at=shown.at, box=shown.box, light=shown.light,
    )  # fmt: skip


def _record(one: Violation, action: str, now: int, reason: str = "", **details: str) -> Record:
    return Record(
        at=now, actor="", actor_name="", action=action, kind="violation", thing=one.id, thing_name=one.plate,
        area=one.area_path, organisation=one.organisation_path, reason=reason,
        details={"offence": str(one.kind), "origin": one.origin, **details},
    )  # fmt: skip
