"""Keeps the audit log: seals it, forgets its old part, and proves what is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safecity.core.ground.audit import store
from safecity.core.ground.audit.decide import Record
from safecity.core.ground.audit.proof import Proof, Proving
from safecity.core.ground.audit.seals import Seal, Sealed, append_line, read_seals, write_seal
from safecity.kit.clock import SECOND_US, Clock
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)

DAY_US = 86_400 * SECOND_US
MAX_DAYS_AT_ONCE = 7
"""Days of the log that one turn may forget: a clock that runs wild for an hour must not take years of it."""
BATCH = 2000


class Keeper:
    """The only one who writes the file of seals. `key` is asked for when it is needed first."""

    def __init__(self, database: Database, clock: Clock, key: Callable[[], bytes], seals: Path) -> None:
        self._database = database
        self._clock = clock
        self._key = key
        self._seals = seals
        self._sealed = 0
        self._broken = False
        # Whoever proves the log must not see it shrink under his hands.
        self._alone = asyncio.Lock()

    async def seal(self) -> bool:
        """A seal of what has come since the last one; whether there was anything."""
        head = await self._database.read(store.head)
        if head is None or head[0] == self._sealed:
            return False
        await self._write(Seal(head[0], head[1], self._clock.now_us()))
        self._sealed = head[0]
        return True

    async def prove(self) -> Proof:
        """Read all of it."""
        async with self._alone:
            return await self._prove(0)

    async def forget(self, days: int) -> int:
        """Drop what is older than so many days, up to a seal, so that what is left is proved from it; how many went.

        What does not hold any more is not dropped: it would be the trace of who changed it.
        """
        async with self._alone:
            cut = await self._cut(days)
            if cut is None:
                return 0
            proof = await self._prove(cut.seq)
            if not proof.sound:
                if not self._broken:
                    logger.error("audit log does not hold, nothing of it is forgotten seq=%s", proof.fault)
                self._broken = True
                return 0
            self._broken = False
            await self._write(cut)
            return await self._drop(cut, days)

    async def _cut(self, days: int) -> Seal | None:
        """The newest seal with nothing younger before it."""
        now = self._clock.now_us()
        oldest = await self._database.read(store.oldest)
        if oldest is None:
            return None
        before = min(now - days * DAY_US, oldest[1] + MAX_DAYS_AT_ONCE * DAY_US)
        young = await self._database.read(lambda tx: store.first_since(tx, before))
        sealed = await self._read()
        known = [seal for seal in sealed.seals if oldest[0] <= seal.seq < young]
        newest = max(known, key=lambda seal: seal.seq, default=None)
        return None if newest is None else Seal(newest.seq, newest.hash, now, cut=True)

    async def _drop(self, cut: Seal, days: int) -> int:
        dropped = 0
        while gone := await self._database.write(lambda tx: store.drop(tx, cut.seq, BATCH)):
            dropped += gone

        def note(tx: Tx) -> None:
            details = {"up_to": cut.seq, "records": dropped, "days": days}
            store.append(tx, Record(at=cut.at, actor="", actor_name="", action="audit.forget", details=details))

        await self._database.write(note)
        return dropped

    async def _prove(self, up_to: int) -> Proof:
        """`up_to` 0: all."""
        sealed = await self._read()
        if up_to:
            sealed = Sealed(tuple(seal for seal in sealed.seals if seal.seq <= up_to), sealed.forged, sealed.torn)
        proving, after = Proving(sealed), 0
        while batch := await self._database.read(lambda tx, after=after: store.entries(tx, after, BATCH, up_to)):
            if not proving.feed(batch):
                break
            after = batch[-1].seq
        return proving.proof()

    async def _read(self) -> Sealed:
        def work() -> Sealed:
            if not self._seals.exists():
                return Sealed()
            with self._seals.open("r", encoding="utf-8", errors="replace") as lines:
                return read_seals(lines, self._signer().public_key())

        return await asyncio.to_thread(work)

    async def _write(self, seal: Seal) -> None:
        await asyncio.to_thread(lambda: append_line(self._seals, write_seal(seal, self._signer())))

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._key())
