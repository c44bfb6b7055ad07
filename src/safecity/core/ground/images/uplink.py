"""Our own attendance at a library above us (GA/T 1400.4, registration): register, keep alive, register again.

What it subscribed to goes up by the `Notifier`, from a durable outbox; who registers is only known to the library by
it. Nothing is remembered over a restart: whoever begins registers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from safecity.core.ground.images.calling import Reply, proof
from safecity.core.ground.images.delivery import LONGEST_WAIT, pause
from safecity.core.ground.settings.api import Settings
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.kit.upperurl import Upper
from safecity.protocols.gat1400.envelope import CONTENT_TYPE, write_json

logger = logging.getLogger(__name__)
LEAVING_SECONDS: Final = 2.0
MISSES: Final = 3
"""Keepalives without an answer, after which we are not registered any more."""


AskUpper = Callable[[Upper, str, bytes, dict[str, str]], Awaitable[Reply]]
"""POST to that path of that library; UnavailableError when nobody answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UplinkFigure:
    """How it goes. `state`: `registered`, `refused` (the library said no) or `offline`. `since`: of that state,
    `heard`: the last answer, microseconds UTC. `code`, `status`: why we are not registered. `times`: how often we
    registered since the process began."""

    place: str
    state: str = "offline"
    since: int = 0
    heard: int | None = None
    code: str = ""
    status: int = 0
    times: int = 0


class Uplink:
    """One library."""

    def __init__(self, upper: Upper, settings: Settings, ask: AskUpper, clock: Clock, keepalive_seconds: float) -> None:
        self._upper = upper
        self._settings = settings
        self._ask = ask
        self._clock = clock
        self._keepalive = keepalive_seconds
        self._as = ""
        self._misses = 0
        self._tries = 0
        self.figure = UplinkFigure(place=upper.address.place, since=clock.now_us())

    async def run(self) -> None:
        """Until cancelled; then it signs off."""
        try:
            while True:
                try:
                    wait = await self.step()
                except Exception:
                    # What one of them cannot be told must end nobody else's work.
                    logger.exception("upper library place=%s", self.figure.place)
                    wait = LONGEST_WAIT
                await asyncio.sleep(wait)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVING_SECONDS):  # nobody waits long for who is not there
                    await self._leave()

    async def step(self) -> float:
        """Do what is due; seconds until the next step."""
        try:
            code = (await self._settings.read()).code
            if self._as and self._as != code:  # we are called otherwise now
                await self._leave()
            return await (self._stay(code) if self._as else self._enter(code))
        except SafecityError as error:
            return self._unheard(error.code or "unavailable")

    async def _enter(self, code: str) -> float:
        reply = await self._call("Register", code)
        if reply.status == 401:
            reply = await self._proved("Register", code, reply)
        if not reply.agreed:
            self._tries += 1
            self._say("refused", "viid_upper_refused", reply.status)
            return pause(self._tries)
        self._as, self._misses, self._tries = code, 0, 0
        self.figure = replace(self.figure, times=self.figure.times + 1)
        self._say("registered")
        return self._keepalive

    async def _stay(self, code: str) -> float:
        reply = await self._call("Keepalive", code)
        if reply.status in (401, 403):  # it knows us no more: it began anew, or forgot us
            self._as = ""
            return 0.0
        if not reply.agreed:
            return self._unheard("viid_upper_refused", reply.status)
        self._misses = 0
        self.figure = replace(self.figure, heard=self._clock.now_us())
        return self._keepalive

    async def _leave(self) -> None:
        code, self._as = self._as, ""
        if not code:
            return
        try:
            reply = await self._call("UnRegister", code)
            if reply.status == 401:
                await self._proved("UnRegister", code, reply)
        except SafecityError:
            pass  # it finds out by itself

    def _unheard(self, code: str, status: int = 0) -> float:
        if not self._as:
            self._tries += 1
            self._say("offline", code, status)
            return pause(self._tries)
        self._misses += 1
        if self._misses >= MISSES:
            self._as = ""
            self._say("offline", code, status)
        return min(self._keepalive, pause(self._misses))

    async def _proved(self, call: str, code: str, asked: Reply) -> Reply:
        name = self._upper.username or code
        return await self._call(
            call, code, {"Authorization": proof(asked, name, self._upper.password, "POST", f"/VIID/System/{call}")}
        )

    async def _call(self, call: str, code: str, more: dict[str, str] | None = None) -> Reply:
        headers = {"User-Identify": code, "Content-Type": CONTENT_TYPE, **(more or {})}
        body = write_json({f"{call}Object": {"DeviceID": code}})
        return await self._ask(self._upper, f"/VIID/System/{call}", body, headers)

    def _say(self, state: str, code: str = "", status: int = 0) -> None:
        now, before = self._clock.now_us(), self.figure.state
        heard = now if state != "offline" else self.figure.heard
        since = now if state != before else self.figure.since
        self.figure = replace(self.figure, state=state, since=since, heard=heard, code=code, status=status)
        if state == before:
            return
        if state == "registered":
            logger.info("registered at the upper library place=%s", self.figure.place)
        else:
            logger.warning("not registered at the upper library place=%s why=%s %s", self.figure.place, code, status)


class Uplinks:
    """All libraries above us."""

    def __init__(
        self, uppers: Sequence[Upper], settings: Settings, ask: AskUpper, clock: Clock, keepalive_seconds: float
    ) -> None:
        self.links = [Uplink(one, settings, ask, clock, keepalive_seconds) for one in uppers]

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for link in self.links:
                group.create_task(link.run(), name=f"upper library {link.figure.place}")

    def figures(self) -> list[UplinkFigure]:
        """In the order of the settings."""
        return [link.figure for link in self.links]
