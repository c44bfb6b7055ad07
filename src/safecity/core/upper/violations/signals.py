"""What signal controllers say, passed on to whoever judges red lights. Kept in memory for half an hour: a feed that
broke off says nothing of now, and one that begins anew says all that is needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from safecity.core.ground.access.api import Action, Actor, scope
from safecity.core.ground.channels import api as channels
from safecity.core.ground.scenes.api import of_signal
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, NotFoundError, SafecityError
from safecity.model.facts.vision_calls import LightChange, LightsSaid
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx
from safecity.vision.enforcement.lights import Lights

logger = logging.getLogger(__name__)
AHEAD_US: Final = 5 * SECOND_US
BEHIND_US: Final = 900 * SECOND_US
REPEATED_US: Final = 300 * SECOND_US
"""With each word a slot is told what came before it, for it may have begun anew meanwhile."""
TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class SignalNow:
    """What a signal shows now, and since when; `unknown` where its feed is silent."""

    signal: str
    colour: str
    since: int | None


class Signals:
    """A signal is known by being drawn on a scene; who may report for all cameras that it is drawn for may say what it
    shows: who draws a stranger's signal on a picture of their own says nothing for the stranger."""

    def __init__(self, database: Database, calls: Calls, slots: Sequence[str], clock: Clock) -> None:
        self._database = database
        self._calls = calls
        self._slots = tuple(slots)
        self._clock = clock
        self._lights = Lights()
        self._silent: set[str] = set()

    async def say(self, who: Actor, signal: str, phases: Sequence[tuple[int, str]]) -> int:
        """(from when, colour) each, in any order; how many were taken. NotFoundError where no scene names the signal,
        or one that `who` may not report for; InvalidError `phase_time` for times that are not of now."""
        now = self._clock.now_us()
        if any(not now - BEHIND_US <= at <= now + AHEAD_US for at, _ in phases):
            raise InvalidError("not a time of now", code="phase_time", params={"seconds": BEHIND_US // SECOND_US})
        await self._database.read(lambda tx: _of(tx, who, Action.VIOLATION_REPORT, signal, all))
        for at, colour in phases:
            self._lights.say(signal, at, colour)
        since = min((at for at, _ in phases), default=now) - REPEATED_US
        changes = tuple(LightChange(signal, at, colour) for at, colour in self._lights.recent(signal, since))
        await asyncio.gather(*(self._tell(slot, LightsSaid(changes)) for slot in self._slots))
        return len(phases)

    async def now(self, who: Actor, signal: str) -> SignalNow:
        """NotFoundError as `say`, for who may see violations there."""
        await self._database.read(lambda tx: _of(tx, who, Action.VIOLATION_SEE, signal, any))
        now = self._clock.now_us()
        return SignalNow(signal, self._lights.state(signal, now), self._lights.since(signal, now))

    async def _tell(self, slot: str, said: LightsSaid) -> None:
        """A slot that is away judges no red lights meanwhile; it hears the last minutes with the next word."""
        try:
            await self._calls.call(slot, said, timeout=TIMEOUT)
        except SafecityError as error:
            if slot not in self._silent:
                logger.warning("lights not told slot=%s code=%s why=%s", slot, error.code, error)
            self._silent.add(slot)
            return
        if slot in self._silent:
            logger.info("lights are told again slot=%s", slot)
            self._silent.discard(slot)


def _of(tx: Tx, who: Actor, action: Action, signal: str, of: Callable[[Iterable[bool]], bool]) -> None:
    allowed = scope(who, action)
    found = channels.find_many(tx, of_signal(tx, signal))
    if not found or not of(allowed.allows(channels.thing_of(channel)) for channel in found.values()):
        raise NotFoundError("no such signal", code="not_found", params={"kind": "signal"})
