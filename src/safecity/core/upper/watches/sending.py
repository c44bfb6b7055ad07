"""Watches go down: what was approved here is asked of the libraries below that lie in its area.

Which watch stands at which library follows from both, and is worked out anew whenever one of them changed: so it does
not matter what died in between. How it is said, and said again, is the matter of `core/ground/lowers`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device
from safecity.core.ground.lowers import api as lowers
from safecity.core.ground.lowers.api import Lower, Wanted
from safecity.core.ground.settings.api import Settings
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import Watch
from safecity.core.upper.watches.service import thing_of
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0
PURPOSE: Final = "security"
"""Only such watches go down: what a library tells us is kept for that purpose, unless a checkpoint here says more."""


def goes_to(watch: Watch, library: Device, now: int) -> bool:
    """Whether it is in force, or will be, everywhere in a library's area, and came from somebody else."""
    return (
        watch.in_force(max(watch.valid_from, now))
        and watch.purpose == PURPOSE
        and library.area_path.startswith(watch.area_path)
        and library.organisation_path.startswith(watch.organisation_path)
        and watch.proposed_by != library.id
    )


class WatchSending:
    """`told`: there is something to say to a library."""

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, told: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._told = told
        self._seen: object = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except SafecityError as error:
                logger.warning("watches do not go down code=%s why=%s", error.code, error)
            except Exception:
                logger.exception("watches do not go down")
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> int:
        """Put in order what changed; how many were asked for or taken back."""
        now = self._clock.now_us()
        seen = await self._database.read(_state)
        if seen == self._seen:
            return 0
        organisation = (await self._settings.read()).code

        def work(tx: Tx) -> tuple[object, int]:
            return _state(tx), _settle(tx, organisation, now)

        self._seen, changed = await self._database.write(work)
        if changed:
            self._told()
        return changed


def _state(tx: Tx) -> object:
    """Changes with whatever decides about it."""
    libraries = [
        (library.id, library.revision, device.area_path, device.organisation_path)
        for library, device in lowers.watching(tx)
    ]
    return (store.next_change(tx), libraries)


def _settle(tx: Tx, organisation: str, now: int) -> int:
    libraries = {device.id: (library, device) for library, device in lowers.watching(tx)}
    standing = lowers.sent_down(tx)
    if not libraries and not standing:
        return 0
    wanted = _wanted(store.approved(tx), [device for _, device in libraries.values()], now)
    for (name, _), watch in wanted.items():
        if (name, watch.id) not in standing:
            number = lowers.place(tx, name, _said(watch), organisation, now)
            _written_down(tx, watch, *libraries[name], number, now)
    back = [order for name, order in standing.items() if name not in wanted]
    ended = store.find_many(tx, list({order.watch for order in back if order.watch is not None}))
    for order in back:
        watch = ended.get(order.watch or "")
        by, why = (watch.ended_name, watch.ending) if watch is not None else ("", "")
        lowers.take_back(tx, order, by=by, why=why, now=now)
    return len(wanted.keys() - standing.keys()) + len(back)


def _written_down(tx: Tx, watch: Watch, library: Lower, device: Device, number: str, now: int) -> None:
    """A plate leaves the house: who is told it stands in the log, like everybody who looks at it."""
    who = Actor(device.id, device.name, "", (), now, library.url)
    note(tx, who, Action.WATCH_SEE, thing_of(watch), watch.plate, watch=watch.id, disposition=number, told=library.url)


def _wanted(watches: Iterable[Watch], libraries: list[Device], now: int) -> dict[tuple[str, str], Watch]:
    return {(one.id, watch.id): watch for watch in watches for one in libraries if goes_to(watch, one, now)}


def _said(watch: Watch) -> Wanted:
    return Wanted(
        watch=watch.id, plate=watch.plate, priority=watch.priority, reason=watch.reason,
        case_number=watch.case_number, begin=watch.valid_from, end=watch.valid_until, by=watch.proposed_name,
    )  # fmt: skip
