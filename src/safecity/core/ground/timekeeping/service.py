"""Asks the chosen servers in turn, tells when the clock goes wrong and when it is right again, keeps what it found."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from safecity.core.ground.settings.api import Settings
from safecity.core.ground.timekeeping.decide import Standing, TimeServer, judge, servers_of, wait
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError
from safecity.model.facts.envelope import Event
from safecity.ports.bus import Bus

logger = logging.getLogger(__name__)
NOTE_US = 3600 * SECOND_US
SUBJECT = "platform"


class Measure(Protocol):
    """One answer."""

    @property
    def offset_us(self) -> int: ...
    @property
    def delay_us(self) -> int: ...
    @property
    def stratum(self) -> int: ...


Ask = Callable[[str, int], Awaitable[Measure]]
"""(host, port); UnavailableError with a code of the catalogue."""


class Timekeeper:
    """`standing` is what is known now. `kept` asks the machine whether its own time service keeps the clock."""

    def __init__(
        self, settings: Settings, bus: Bus, clock: Clock, ask: Ask | None, kept: Callable[[], bool | None]
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._clock = clock
        self._ask = ask
        self._kept = kept
        self._again = asyncio.Event()
        self._told: str = ""
        self._noted = 0
        self.standing = Standing()

    def look_again(self) -> None:
        """The settings changed."""
        self._again.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._again.clear()
            try:
                await self.step()
            except (SafecityError, OSError) as error:
                logger.warning("clock not measured why=%s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait(self.standing)):
                    await self._again.wait()

    async def step(self) -> Standing:
        """One round."""
        platform = await self._settings.read()
        named = servers_of(platform.ntp_server) if platform.clock_source == "ntp" else ()
        before = {one.name: one for one in self.standing.servers}
        asked = await asyncio.gather(*(self._one(host, port, before) for host, port in named))
        self.standing = judge(platform.clock_source, asked, self._kept(), self._clock.now_us())
        await self._tell()
        return self.standing

    async def test(self, text: str) -> Standing:
        """Ask servers that are not chosen yet; changes and tells nothing."""
        asked = await asyncio.gather(*(self._one(host, port, {}) for host, port in servers_of(text)))
        return judge("ntp", asked, self._kept(), self._clock.now_us())

    async def _one(self, host: str, port: int, before: dict[str, TimeServer]) -> TimeServer:
        name = _name(host, port)
        if self._ask is None:
            return TimeServer(name, code="ntp_unreachable")
        try:
            found = await self._ask(host, port)
        except SafecityError as error:
            return replace(before.get(name, TimeServer(name)), code=error.code)
        return TimeServer(name, self._clock.now_us(), found.offset_us, found.delay_us, found.stratum)

    async def _tell(self) -> None:
        """`clock.measured` once an hour and at each change; the core makes an alarm of one that is wrong."""
        now, standing = self._clock.now_us(), self.standing
        if standing.state in ("unmeasured", "measuring"):
            self._told = standing.state
            return
        changed = standing.state != self._told
        if not changed and now - self._noted < NOTE_US:
            return
        body: dict[str, Any] = {
            "state": standing.state,
            "offset_us": standing.offset_us,
            "measured_at_us": standing.at,
            "servers": [one.name for one in standing.servers if not one.code],
        }
        was = Standing(self._told).fault
        if standing.fault and not was:
            logger.warning("clock is wrong state=%s offset_s=%.3f", standing.state, standing.offset_us / SECOND_US)
        elif was and not standing.fault:
            logger.info("clock is no longer wrong offset_s=%.3f", standing.offset_us / SECOND_US)
        await self._bus.publish([Event(kind="clock.measured", subject=SUBJECT, at=now, seen=now, body=body)])
        self._told, self._noted = standing.state, now


def _name(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == 123 else f"{shown}:{port}"
