"""The keys that sign tickets: made here, rotated daily, pushed to the slots, kept sealed."""

from __future__ import annotations

import base64
import os

from safecity.core.ground.access.api import Vault
from safecity.core.ground.settings.api import get, put, touch_desired
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import UnavailableError
from safecity.ports.database import Database, Tx

_NAME = "ticket_keys"
ROTATE_US = 24 * 3600 * SECOND_US


class TicketKeys:
    """Newest first; the one before stays good, because tickets live a minute and slots learn a little later."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self.keys: tuple[bytes, ...] = ()

    async def refresh(self) -> bool:
        """Load, and rotate when it is time; whether the keys changed."""
        before = self.keys
        try:
            self.keys = await self._database.write(self._turn)
        except UnavailableError:
            # A full disk takes no new keys: the old ones go on, or nobody would see a picture for want of space.
            self.keys = await self._database.read(self._known)
            if not self.keys:
                raise
        return self.keys != before

    def _known(self, tx: Tx) -> tuple[bytes, ...]:
        raw = get(tx, _NAME, {"made": 0, "keys": []})
        return tuple(base64.b64decode(self._vault.open(base64.b64decode(text), _NAME)) for text in raw["keys"])

    def _turn(self, tx: Tx) -> tuple[bytes, ...]:
        now = self._clock.now_us()
        raw = get(tx, _NAME, {"made": 0, "keys": []})
        keys = [*self._known(tx)]
        if not keys or now - raw["made"] >= ROTATE_US:
            keys = [os.urandom(32), *keys[:1]]
            sealed = [
                base64.b64encode(self._vault.seal(base64.b64encode(key).decode(), _NAME)).decode() for key in keys
            ]
            put(tx, _NAME, {"made": now, "keys": sealed})
            touch_desired(tx)
        return tuple(keys)
