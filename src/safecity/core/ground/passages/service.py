"""Filing what is seen, and showing it to who may look, for what it was kept for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from safecity.core.ground.access.api import Action, Actor, Thing, allowed, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.loose.api import Loose, unnamed
from safecity.core.ground.passages import store
from safecity.core.ground.passages.decide import KeptPicture, Sighting
from safecity.core.ground.passages.filing import DAY_US, Filed, Place, changed, file, place_of
from safecity.core.ground.passages.store import Passage
from safecity.core.ground.tollgates.api import Purpose, Tollgate
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.ground.tollgates.api import find_by_code as find_gate_by_code
from safecity.core.ground.tollgates.api import thing_of as thing_of_gate
from safecity.kit.clock import Clock
from safecity.kit.errors import InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.pictures import Picture

SWEEP = 500
MAX_AT_ONCE = 200
"""Sightings in one transaction: others who write wait for it."""
FOLDER = "passages"


def thing_of(passage: Passage) -> Thing:
    """A passage lies where its tollgate lay when the vehicle passed."""
    return Thing("passage", passage.area_path, id=passage.id, organisation=passage.organisation_path)


def picture_key(folder: str, seen: int, picture_format: str) -> str:
    """A name of its own for each attempt, by the day it came."""
    return f"{folder}/{seen // DAY_US}/{fresh('pc')}{f'.{picture_format}' if picture_format else ''}"


def _kept(seen: int, picture: Picture) -> KeptPicture:
    key = picture_key(FOLDER, seen, picture.format)
    return KeptPicture(key, picture.kind, picture.format, picture.width, picture.height)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A sighting as somebody outside tells it: for a tollgate by id or code, with its pictures."""

    tollgate: str
    sighting: Sighting
    pictures: tuple[Picture, ...] = ()


class Passages:
    """Looking is for a purpose, within one's areas, and written down."""

    def __init__(
        self, database: Database, blobs: Blobs, loose: Loose, clock: Clock, told: Callable[[], None] = lambda: None
    ) -> None:
        """`told`: something lies in the outbox."""
        self._database = database
        self._blobs = blobs
        self._loose = loose
        self._clock = clock
        self._told = told

    async def file(self, place: Place, new: Sequence[Sighting]) -> list[Filed]:
        """In transactions short enough for others who write."""
        outcomes: list[Filed] = []
        for start in range(0, len(new), MAX_AT_ONCE):
            part = new[start : start + MAX_AT_ONCE]
            outcomes += await self._database.write(lambda tx, part=part: file(tx, place, part))
            self._told()
        return outcomes

    async def report(self, who: Actor, reports: Sequence[Report]) -> list[Filed]:
        """What other systems saw. NotFoundError `sighting_nowhere` when one names a tollgate that `who` may not report
        for, and then none is filed."""

        def work(tx: Tx) -> tuple[list[Tollgate], list[bool]]:
            gates = [self._gate(tx, who, report.tollgate) for report in reports]
            named = [(gate.id, report.sighting) for gate, report in zip(gates, reports, strict=True)]
            return gates, changed(tx, named)

        gates, fresh_ones = await self._database.read(work)
        by_gate: dict[str, list[int]] = {}
        for index, gate in enumerate(gates):
            by_gate.setdefault(gate.id, []).append(index)
        new: list[Sighting] = []
        things: list[tuple[str, bytes]] = []
        for report, is_fresh in zip(reports, fresh_ones, strict=True):
            pictures = report.pictures if is_fresh else ()
            kept = tuple(_kept(report.sighting.seen, picture) for picture in pictures)
            things += [(one.key, picture.data) for one, picture in zip(kept, pictures, strict=True)]
            new.append(replace(report.sighting, pictures=kept))
        told: dict[int, Filed] = {}
        async with self._loose.bringing(things):
            for indexes in by_gate.values():
                found = await self.file(place_of(gates[indexes[0]]), [new[index] for index in indexes])
                told |= dict(zip(indexes, found, strict=True))
        return [told[index] for index in range(len(reports))]

    async def take(self, place: Place, one: Sighting, pictures: Sequence[Picture]) -> Filed:
        """A single sighting with its pictures; of one that says nothing new none is kept again."""
        is_fresh = (await self._database.read(lambda tx: changed(tx, [(place.id, one)])))[0]
        shown = pictures if is_fresh else ()
        kept = tuple(_kept(one.seen, picture) for picture in shown)
        things = [(there.key, picture.data) for there, picture in zip(kept, shown, strict=True)]
        async with self._loose.bringing(things):
            return (await self.file(place, [replace(one, pictures=kept)]))[0]

    @staticmethod
    def _gate(tx: Tx, who: Actor, named: str) -> Tollgate:
        gate = find_gate(tx, named) if named.startswith("tg_") else find_gate_by_code(tx, named)
        if gate is None or not gate.enabled or not allowed(who, Action.PASSAGE_REPORT, thing_of_gate(gate)):
            raise NotFoundError("no such tollgate for you", code="sighting_nowhere")
        return gate

    async def see(self, who: Actor, passage: str, purpose: str) -> tuple[Passage, list[Sighting]]:
        """One, with what it was made of."""
        check_purpose(purpose)

        def work(tx: Tx) -> tuple[Passage, list[Sighting]]:
            found = readable(tx, who, passage, purpose)
            note(tx, who, Action.PASSAGE_SEE, thing_of(found), found.plate, purpose=purpose)
            return found, store.sightings_of(tx, [passage])[passage]

        return await self._database.write(work)

    async def picture(self, who: Actor, passage: str, number: int, purpose: str) -> tuple[KeptPicture, bytes]:
        """A picture by its place among all of the passage; NotFoundError `no_picture`."""
        check_purpose(purpose)

        def work(tx: Tx) -> list[KeptPicture]:
            readable(tx, who, passage, purpose)
            return [picture for one in store.sightings_of(tx, [passage])[passage] for picture in one.pictures]

        pictures = await self._database.read(work)
        if not 0 <= number < len(pictures):
            raise NotFoundError("no such picture", code="no_picture")
        wanted = pictures[number]
        return wanted, b"".join([piece async for piece in self._blobs.read(wanted.key)])

    async def sweep(self) -> int:
        """Forget what is past its time, with its pictures; how many passages."""
        gone, now = 0, self._clock.now_us()

        def work(tx: Tx) -> int:
            # In one transaction: what joins a passage at this moment is in it, or finds it gone.
            ids = store.expired(tx, now, SWEEP)
            seen = [one for many in store.sightings_of(tx, ids).values() for one in many]
            unnamed(tx, [picture.key for one in seen for picture in one.pictures], now)
            return store.remove(tx, ids)

        while some := await self._database.write(work):
            gone += some
        await self._loose.sweep()
        return gone


def readable(tx: Tx, who: Actor, passage: str, purpose: str) -> Passage:
    """NotFoundError for what is not there, not for `who`, or not kept for that."""
    found = store.find(tx, passage)
    if (
        found is None or not scope(who, Action.PASSAGE_SEE).allows(thing_of(found)) or found.keep_until <= who.at
        or purpose not in found.purposes or (found.restricted and not may_see_restricted(who))
    ):  # fmt: skip
        raise NotFoundError("no such passage", code="not_found", params={"kind": "passage"})
    authorize(who, Action.PASSAGE_SEE, thing_of(found))
    return found


def may_see_restricted(who: Actor) -> bool:
    """Whether passages of restricted tollgates are for `who`."""
    return allowed(who, Action.PASSAGE_SEE_RESTRICTED, Thing("passage"))


def check_purpose(purpose: str) -> str:
    """InvalidError `purpose_needed`: nobody looks at plates for nothing."""
    if purpose not in set(Purpose):
        raise InvalidError("say what for", code="purpose_needed", params={"choices": "|".join(Purpose)})
    return purpose
