"""Tells each sign what is wanted of it, over and over, and writes down what it says it shows.

A sign is told everything each time: so it does not matter what it forgot when it was started anew, or what we did. It
is told for a quarter of an hour at most, so that it goes back to its fallback by itself when nobody tells it any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from safecity.core.ground.access.api import Vault
from safecity.core.ground.outbox.api import add as tell
from safecity.core.ground.signs import store
from safecity.core.ground.signs.decide import (
    GuidanceSign,
    SignMessage,
    SignReport,
    SignState,
    fault_code,
    readable,
    wanted,
)
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.kit.ids import fresh
from safecity.kit.retry import Backoff
from safecity.model.facts.envelope import Event
from safecity.ports.database import Database, Tx
from safecity.ports.signs import SignLink
from safecity.protocols.signs import Show, Shown

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 20.0
"""A sign that answers is told again after so long."""
LEASE_SECONDS: Final = 900
"""A message stands so long on a sign that is told nothing more."""
AT_ONCE: Final = 64
MISSES: Final = 2
"""So many answers may fail to come before a sign counts as silent: one can be lost on the way."""
TRIES: Final = 3
"""Requests of one turn: a sign that was started anew says so first and does it then."""
DRIFT_US: Final = 3 * SECOND_US
"""A sign tells for how long it shows something; its moment is computed anew each time, and wavers by the way there."""


@dataclass(slots=True)
class _Known:
    """Of one sign, as long as this process runs."""

    due: float = 0.0
    told: tuple[str, int] = ("", 0)
    boot: str = ""
    number: int = 0
    busy: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(2.0, 60.0))
    heard_at: int | None = None


class Teller:
    """The only one who talks to signs."""

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, link: SignLink, said: Callable[[], None],
        luck: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._database = database
        self._vault = vault
        self._clock = clock
        self._link = link
        self._said = said
        self._luck = luck
        self._bell = asyncio.Event()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._known: dict[str, _Known] = {}
        self._revision = -1
        self._signs: list[tuple[GuidanceSign, str]] = []
        self._messages: dict[str, list[SignMessage]] = {}
        self._trouble = ""

    def wake(self) -> None:
        """Signs or messages changed."""
        self._bell.set()

    def heard_at(self, sign: str) -> int | None:
        """When it answered last, None where it has not since this process began."""
        known = self._known.get(sign)
        return None if known is None else known.heard_at

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._bell.clear()
                await self._looked(group)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._bell.wait()

    async def step(self) -> int:
        """Tell all that are due, and wait for their answers; how many. For tests that own the time."""
        async with asyncio.TaskGroup() as group:
            return await self._look(group)

    async def _looked(self, group: asyncio.TaskGroup) -> None:
        try:
            await self._look(group)
            self._trouble = ""
        except SafecityError as error:
            if error.code != self._trouble:
                logger.warning("signs wait code=%s why=%s", error.code, error)
            self._trouble = error.code

    async def _look(self, group: asyncio.TaskGroup) -> int:
        await self._read()
        now, started = self._clock.now_us(), 0
        for sign, key in self._signs:
            known = self._known.setdefault(sign.id, _Known())
            message = wanted(self._messages.get(sign.id, ()), now)
            wish = (message.id if message else "", sign.revision)
            if known.busy or (known.due > self._clock.monotonic() and wish == known.told):
                continue
            known.busy, known.told = True, wish
            group.create_task(self._one(sign, key, message, known))
            started += 1
        return started

    async def _read(self) -> None:
        """What changed; the messages of a hundred signs are not read each second."""

        def work(tx: Tx) -> tuple[int, list[tuple[GuidanceSign, bytes]], dict[str, list[SignMessage]]] | None:
            revision = store.last_change(tx)
            if revision == self._revision:
                return None
            return revision, store.told(tx), store.lasting(tx, self._clock.now_us())

        found = await self._database.read(work)
        if found is None:
            return
        self._revision, signs, self._messages = found
        self._signs = [(sign, key) for sign, sealed in signs if (key := self._opened(sign, sealed))]
        there = {sign.id for sign, _ in self._signs}
        self._known = {sign: known for sign, known in self._known.items() if sign in there}

    def _opened(self, sign: GuidanceSign, sealed: bytes) -> str:
        try:
            return self._vault.open(sealed, sign.id)
        except UnavailableError as error:
            logger.warning("sign cannot be told sign=%s code=%s", sign.id, error.code)
            return ""

    async def _one(self, sign: GuidanceSign, key: str, message: SignMessage | None, known: _Known) -> None:
        code, shown = "", None
        try:
            async with self._turn:
                shown = await self._tell(sign, key, message, known)
        except UnavailableError as error:
            code = error.code
        except Exception:  # a sign that nobody foresaw must not end the others
            logger.exception("sign not told sign=%s", sign.id)
            code = "sign_unreadable"
        try:
            await self._answered(sign, known, shown, code)
        except SafecityError as error:
            logger.warning("what a sign said is not kept yet sign=%s code=%s", sign.id, error.code)
        except Exception:
            logger.exception("what a sign said is not kept sign=%s", sign.id)
        finally:
            known.busy = False

    async def _tell(self, sign: GuidanceSign, key: str, message: SignMessage | None, known: _Known) -> Shown:
        for _ in range(TRIES):
            now = self._clock.now_us()
            known.number = max(now, known.number + 1)
            left = 0 if message is None else min(LEASE_SECONDS, -(-(message.end - now) // SECOND_US))
            show = Show(
                boot=known.boot, number=known.number, content=message.id if message and left > 0 else "",
                lines=message.lines if message and left > 0 else (), seconds=max(0, left), fallback=sign.fallback,
            )  # fmt: skip
            shown = await self._link.tell(sign.address, key, show)
            if shown.taken and known.boot == shown.boot:
                return shown
            known.boot, known.number = shown.boot, max(known.number, shown.last)
        raise UnavailableError("it does not do as it is told", code="sign_not_taken")

    async def _answered(self, sign: GuidanceSign, known: _Known, shown: Shown | None, code: str) -> None:
        now = self._clock.now_us()
        if shown is None:
            known.due = self._clock.monotonic() + known.backoff.failed(self._luck())
            if known.backoff.failures < MISSES:
                return
            await self._keep(sign, lambda old: replace(old, state=SignState.SILENT, code=code, at=now))
            return
        known.backoff.succeeded()
        known.heard_at = now
        known.due = self._clock.monotonic() + AGAIN_SECONDS * (0.75 + self._luck() / 2)
        fault = fault_code(shown.fault)
        said = SignReport(
            sign=sign.id, state=SignState.FAULT if fault else SignState.SHOWS, code=fault,
            message=readable(shown.content), lines=tuple(readable(line) for line in shown.lines),
            since=now - round(shown.seconds * SECOND_US), at=now,
        )  # fmt: skip
        await self._keep(sign, lambda old: said)

    async def _keep(self, sign: GuidanceSign, follows: Callable[[SignReport], SignReport]) -> None:
        """Write down what became different, and tell of a sign that fails or comes back."""

        def work(tx: Tx) -> bool:
            current = store.find(tx, sign.id)
            if current is None or not current.enabled:  # taken away while it was told
                return False
            old = store.reports_of(tx, [sign.id]).get(sign.id) or SignReport(sign=sign.id, state=SignState.WAITING)
            new = follows(old)
            if _same(old, new):
                return False
            store.keep_report(tx, new, fresh("gh"))
            if new.state.failed != old.state.failed:
                tell(tx, [_event(current, new)])
            return True

        if await self._database.write(work):
            self._said()


def _same(old: SignReport, new: SignReport) -> bool:
    moved = abs((old.since or 0) - (new.since or 0)) > DRIFT_US
    return not moved and replace(old, since=None, at=0) == replace(new, since=None, at=0)


def _event(sign: GuidanceSign, report: SignReport) -> Event:
    body = {"name": sign.name, "longitude": sign.longitude, "latitude": sign.latitude, "code": report.code}
    kind = "sign.failed" if report.state.failed else "sign.recovered"
    return Event(
        kind=kind, subject=sign.id, at=report.at, seen=report.at, area=sign.area_path, organisation="/", body=body
    )
