"""Which media slot a channel is entrusted to, and what happens when a slot keeps dying.

A slot that dies is restarted in place, and its channels stay with it: that is quicker than any move, and UDP cameras
never notice. Only a slot that died three times within a minute gives its channels to the others. Each move counts the
channel's epoch up (`ports/leases.py`), slots refuse a lower one than they have seen, and it stands in every recorded
chunk: if two ever record the same channel, it can be told which of them was right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.channels import api as channels
from safecity.core.ground.settings.api import DESIRED, get, touch_desired
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError
from safecity.ports.database import Database, Tx
from safecity.ports.leases import Lease, Leases

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
LIFE_US: Final = 300 * SECOND_US
"""So long a slot is taken for alive after it was last seen; the supervisor tells sooner when it is not."""
RENEW_US: Final = LIFE_US // 5
UNFIT_US: Final = 600 * SECOND_US
"""A slot that failed gets no channels of others for so long: what kills one slot must not wander through all."""
FAILING: Final = "failing"
_KIND: Final = "channel/"
_STEP: Final = 500
"""Channels in one statement."""

Processes = Callable[[], Awaitable[list[dict[str, Any]]]]
"""The duties as the supervisor sees them: `name` and `state` (`running`, `starting`, `failing`)."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a channel is."""

    channel: str
    slot: str
    epoch: int


def moves(placed: Iterable[Placed], slot: str, fit: Collection[str]) -> dict[str, str]:
    """channel -> new slot, for every channel of `slot`, spread over those that are fit for it."""
    all_placed = list(placed)
    load = {one: sum(each.slot == one for each in all_placed) for one in sorted(fit) if one != slot}
    found: dict[str, str] = {}
    for each in all_placed:
        if each.slot == slot and load:
            found[each.channel] = channels.place(each.channel, load)
            load[found[each.channel]] += 1
    return found


class Placement:
    """One task. Leases say who owns what; the rows of channels follow them, and `moved` is told their ids."""

    def __init__(
        self, database: Database, leases: Leases, clock: Clock, slots: Sequence[str], processes: Processes,
        moved: Callable[[list[str]], None],
    ) -> None:  # fmt: skip
        self._database = database
        self._leases = leases
        self._clock = clock
        self._slots = tuple(slots)
        self._processes = processes
        self._moved = moved
        self._revision = -1
        self._placed: dict[str, Placed] = {}
        self._owned: dict[str, Placed] = {}
        """Channels whose lease says the same."""
        self._failed: dict[str, int] = {}
        self._failing: set[str] = set()
        self._renew_at = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except (SafecityError, OSError) as error:
                logger.warning("placement waits why=%s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Once: own what is placed, and move what is on a slot that keeps dying."""
        states = {str(row["name"]): str(row["state"]) for row in await self._processes()}
        now = self._clock.now_us()
        failing = {slot for slot in self._slots if states.get(slot) == FAILING}
        alive = [slot for slot in self._slots if slot in states and slot not in failing]
        if now >= self._renew_at or failing != self._failing:
            self._renew_at = now + RENEW_US
            for slot in alive:
                await self._leases.live(slot, until=now + LIFE_US)
        await self._read()
        await self._own(alive, now)
        self._failed |= dict.fromkeys(failing, now)
        fit = [one for one in alive if now - self._failed.get(one, now - UNFIT_US) >= UNFIT_US]
        for slot in sorted(failing):
            await self._move(slot, fit, now)
        self._failing = failing

    async def _read(self) -> None:
        def work(tx: Tx) -> tuple[int, list[Placed] | None]:
            revision = int(get(tx, DESIRED, 0))
            if revision == self._revision:
                return revision, None
            return revision, [Placed(*row) for row in channels.placements(tx)]

        self._revision, found = await self._database.read(work)
        if found is not None:
            self._placed = {one.channel: one for one in found}
            self._owned = {name: one for name, one in self._owned.items() if self._placed.get(name) == one}

    async def _own(self, alive: Sequence[str], now: int) -> None:
        """Take leases for what was placed since the last look; where a lease says otherwise, the channel follows it."""
        fresh = [one for one in self._placed.values() if one.slot in alive and one.channel not in self._owned]
        taken: dict[str, Lease] = {}
        for slot in alive:
            names = [_KIND + one.channel for one in fresh if one.slot == slot]
            if names:
                taken |= {lease.name: lease for lease in await self._leases.take(names, slot, now=now)}
        others = [name for one in fresh if (name := _KIND + one.channel) not in taken]
        if others:
            taken |= await self._leases.find(others)
        await self._follow(fresh, {name: lease for name, lease in taken.items() if lease.owner in self._slots})

    async def _move(self, slot: str, fit: Sequence[str], now: int) -> None:
        placed = [one for one in self._placed.values() if one.slot == slot]
        wanted = moves(self._placed.values(), slot, fit)
        if not wanted:
            if placed and slot not in self._failing:
                logger.error("slot keeps dying and no other can take its channels slot=%s", slot)
            return
        await self._leases.ended(slot)
        taken: dict[str, Lease] = {}
        for target in sorted(set(wanted.values())):
            names = [_KIND + channel for channel, to in wanted.items() if to == target]
            taken |= {lease.name: lease for lease in await self._leases.take(names, target, now=now)}
        await self._follow(placed, taken)
        logger.error("channels moved from a slot that keeps dying slot=%s channels=%d to=%s", slot, len(placed), fit)

    async def _follow(self, placed: Sequence[Placed], leases: Mapping[str, Lease]) -> None:
        """Write down what the leases say; what was right already costs nothing."""
        changed: dict[str, Placed] = {}
        for one in placed:
            lease = leases.get(_KIND + one.channel)
            if lease is not None:
                epoch = max(lease.epoch, one.epoch + (lease.owner != one.slot))
                new = self._owned[one.channel] = Placed(one.channel, lease.owner, epoch)
                if new != one:
                    changed[one.channel] = new
        if changed:
            await self._database.write(lambda tx: _write(tx, changed))
            self._placed |= changed
            self._moved(sorted(changed))


def _write(tx: Tx, changed: Mapping[str, Placed]) -> None:
    ids = sorted(changed)
    for start in range(0, len(ids), _STEP):
        for channel, found in channels.find_many(tx, ids[start : start + _STEP]).items():
            channels.save(tx, replace(found, slot=changed[channel].slot, epoch=changed[channel].epoch))
    touch_desired(tx)
