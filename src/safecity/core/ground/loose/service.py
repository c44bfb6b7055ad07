"""Puts blobs before the rows that name them, and takes away what no row came to name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from safecity.core.ground.loose import store
from safecity.kit.clock import Clock
from safecity.ports.blobs import Blobs, only
from safecity.ports.database import Database

BATCH = 500


class Loose:
    """A key is written down as loose before its bytes are put, and struck out in the transaction that names it: what is
    written down and belongs to nobody under way is left over, whenever the process died. No clock decides about it."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._under_way: set[str] = set()

    @asynccontextmanager
    async def bringing(self, things: Sequence[tuple[str, bytes | AsyncIterator[bytes]]]) -> AsyncGenerator[None]:
        """(key, bytes) each, as they are or as they come; inside they are durable. Each key must be new, made for this
        attempt: the transaction that names it calls `named`; keys that it does not name are swept away."""
        keys = [key for key, _ in things]
        if not keys:
            yield
            return
        self._under_way.update(keys)
        try:
            await self._database.write(lambda tx: store.unnamed(tx, keys, self._clock.now_us()))
            for key, data in things:
                await self._blobs.put(key, only(data) if isinstance(data, bytes) else data)
            yield
        except asyncio.CancelledError:
            # The transaction may still be under way in its thread and name them: they stay until the next start.
            raise
        except BaseException:
            self._under_way.difference_update(keys)
            raise
        self._under_way.difference_update(keys)

    async def sweep(self) -> int:
        """Take away what is loose and not under way; how many."""
        gone, place = 0, (-1, "")
        while some := await self._database.read(lambda tx, place=place: store.oldest(tx, place, BATCH)):
            place = some[-1]
            # Who is not under way has ended; only now does the row tell whether its transaction named the key.
            ended = [key for _, key in some if key not in self._under_way]
            left = await self._database.read(lambda tx, ended=ended: store.still(tx, ended))
            for key in left:
                await self._blobs.delete(key)
            if left:
                await self._database.write(lambda tx, left=left: store.named(tx, left))
            gone += len(left)
        return gone
