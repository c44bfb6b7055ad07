"""What lies in a case, for who reads it: as a list, as pictures, as a table, as a package."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.audit.api import note
from safecity.core.ground.packages.api import Signer, zipped
from safecity.core.upper.cases import store
from safecity.core.upper.cases.decide import Case, CasePicture, Entry, EntrySeen, Result, ResultKind
from safecity.core.upper.cases.package import contents, manifest, table, whole, written
from safecity.core.upper.cases.rights import Sight, sight, thing_of
from safecity.core.upper.cases.service import find
from safecity.core.upper.violations.api import State, kept_violations
from safecity.kit.clock import rfc3339
from safecity.kit.errors import NotFoundError
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx

PART: Final = 500


class CaseReading:
    """Each look is in the audit; what somebody has no right to find is not shown to them in a case either."""

    def __init__(self, database: Database, blobs: Blobs, signer: Signer) -> None:
        self._database = database
        self._blobs = blobs
        self._signer = signer

    async def entries(self, who: Actor, case: str, *, before: str = "", limit: int = 100) -> list[EntrySeen]:
        """Newest first."""

        def work(tx: Tx) -> list[EntrySeen]:
            one = find(tx, who, Action.CASE_SEE, case)
            found = _seen(tx, one, sight(tx, who), store.entry_page(tx, case, before=before, limit=limit))
            note(tx, who, Action.CASE_SEE, thing_of(one), one.number, purpose=one.purpose, entries=len(found))
            return found

        return await self._database.write(work)

    async def entry(self, who: Actor, case: str, entry: str) -> EntrySeen:
        """One that `who` has just put in, for the answer."""

        def work(tx: Tx) -> EntrySeen:
            one = find(tx, who, Action.CASE_SEE, case)
            found = store.find_entry(tx, case, entry)
            if found is None:
                raise NotFoundError("no such entry", code="not_found", params={"kind": "entry"})
            return _seen(tx, one, sight(tx, who), [found])[0]

        return await self._database.read(work)

    async def picture(self, who: Actor, case: str, result: str, number: int) -> tuple[CasePicture, bytes]:
        """As it came. NotFoundError `no_picture`, UnavailableError `picture_changed`."""

        def work(tx: Tx) -> Result | None:
            find(tx, who, Action.CASE_SEE, case)
            found = store.find_result(tx, case, result)
            return found if found is not None and sight(tx, who).shows(found) else None

        found = await self._database.read(work)
        if found is None or not 0 <= number < len(found.pictures):
            raise NotFoundError("no such picture", code="no_picture")
        return found.pictures[number], await whole(self._blobs.read, found.pictures[number])

    async def table(self, who: Actor, case: str, words: str = "") -> tuple[str, str]:
        """A name for the file, and the table."""
        one, seen = await self._leaving(who, case, "csv", words)
        return f"{_name(one, who)}.csv", table(seen)

    async def package(self, who: Actor, case: str, words: str = "") -> tuple[str, AsyncIterator[bytes]]:
        """A name for the file, and the signed ZIP. UnavailableError `picture_changed`."""
        one, seen = await self._leaving(who, case, "", look=True)
        for each in seen:
            for result in each.results:
                for picture in result.pictures:
                    await whole(self._blobs.read, picture)
        one, seen = await self._leaving(who, case, "package", words)
        rows = table(seen).encode()
        text = written(manifest(one, seen, rows, name=_name(one, who), by=who.name, at=who.at))
        return f"{_name(one, who)}.zip", zipped(contents(self._blobs.read, seen, rows, text, self._signer.sign(text)))

    async def _leaving(
        self, who: Actor, case: str, what: str, words: str = "", *, look: bool = False
    ) -> tuple[Case, list[EntrySeen]]:
        """All of it that is for `who`; written down unless it is only looked whether it can leave."""

        def work(tx: Tx) -> tuple[Case, list[EntrySeen]]:
            one = find(tx, who, Action.CASE_EXPORT, case)
            seen: list[EntrySeen] = []
            eyes, before = sight(tx, who), ""
            while part := store.entry_page(tx, case, before=before, limit=PART):
                seen += _seen(tx, one, eyes, part)
                before = part[-1].id
            seen = _without_void(tx, seen)
            if not look:
                count = sum(len(each.results) for each in seen)
                note(tx, who, Action.CASE_EXPORT, thing_of(one), one.number, reason=words, what=what, results=count)
            return one, seen[::-1]

        return await (self._database.read(work) if look else self._database.write(work))


def _seen(tx: Tx, case: Case, eyes: Sight, found: list[Entry]) -> list[EntrySeen]:
    of = store.results_of(tx, [one.id for one in found])
    shown = {one.id: [each for each in of[one.id] if eyes.shows(each)] for one in found}
    return [EntrySeen(eyes.told(one, case), shown[one.id], len(of[one.id]) - len(shown[one.id])) for one in found]


def _without_void(tx: Tx, seen: list[EntrySeen]) -> list[EntrySeen]:
    """What was void never leaves, by whatever door; of one that is forgotten, how it stood when it was put in."""
    now = kept_violations(tx, [one.source for each in seen for one in each.results if one.kind is ResultKind.VIOLATION])

    def leaves(one: Result) -> bool:
        if one.kind is not ResultKind.VIOLATION:
            return True
        return str(now.get(one.source, one.details.get("state", ""))) != State.VOID

    return [
        replace(each, results=stay, withheld=each.withheld + len(each.results) - len(stay))
        for each in seen
        for stay in [[one for one in each.results if leaves(one)]]
    ]


def _name(one: Case, who: Actor) -> str:
    """Letters that are safe anywhere: the number is a stranger's."""
    return f"case-{one.id[3:]}-{rfc3339(who.at)[:19].replace(':', '').replace('-', '')}Z"
