"""What was confirmed leaves the platform; nothing else ever does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.audit.api import note
from safecity.core.ground.packages.api import Signer, zipped
from safecity.core.upper.violations import store
from safecity.core.upper.violations.decide import State, Violation
from safecity.core.upper.violations.package import contents, manifest, whole, written
from safecity.core.upper.violations.service import find, thing_of
from safecity.kit.clock import rfc3339
from safecity.kit.errors import ConflictError
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx

MOST: Final = 100
"""Violations in one package."""


class Exporting:
    """Writes down what leaves before the first byte of it does."""

    def __init__(self, database: Database, blobs: Blobs, signer: Signer) -> None:
        self._database = database
        self._blobs = blobs
        self._signer = signer

    async def package(self, who: Actor, ids: Sequence[str], words: str = "") -> tuple[str, AsyncIterator[bytes]]:
        """A name for the file, and the file. All or nothing: ConflictError `violation_not_confirmed` names one that is
        not confirmed, NotFoundError one that is not there; UnavailableError `picture_changed`."""
        wanted = list(dict.fromkeys(ids))
        # Looked at before anything is written down: a package that breaks off in the middle would be none.
        for one in await self._database.read(lambda tx: [_leaving(tx, who, name) for name in wanted]):
            for picture in one.pictures:
                await whole(self._blobs.read, picture)

        name = f"violations-{rfc3339(who.at)[:19].replace(':', '').replace('-', '')}Z"

        def work(tx: Tx) -> tuple[list[Violation], bytes, bytes]:
            leaving = [_leaving(tx, who, name) for name in wanted]
            for one in leaving:
                store.save(tx, replace(one, exported_at=who.at, exports=one.exports + 1))
                note(tx, who, Action.VIOLATION_EXPORT, thing_of(one), one.plate, reason=words, offence=str(one.kind))
            text = written(manifest(leaving, name=name, by=who.name, at=who.at))
            return (
                leaving,
                text,
                self._signer.sign(text),
            )  # what cannot be signed does not leave, and is not said to have

        leaving, text, signature = await self._database.write(work)
        return f"{name}.zip", zipped(contents(self._blobs.read, leaving, text, signature))


def _leaving(tx: Tx, who: Actor, violation: str) -> Violation:
    one = find(tx, who, Action.VIOLATION_EXPORT, violation)
    if one.state is not State.CONFIRMED:
        params = {"violation": one.id, "state": str(one.state)}
        raise ConflictError("only what is confirmed leaves", code="violation_not_confirmed", params=params)
    return one
