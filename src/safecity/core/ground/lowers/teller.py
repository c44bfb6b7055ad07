"""Says to libraries below us what we want of them, until they took it.

What is wanted is a row, and the row says what is still to be said of it: so it needs no other outbox. It is said under
the same number however often, and counted as tried before it leaves: whatever dies in between, it is said again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from safecity.core.ground.access.api import Vault
from safecity.core.ground.devices.api import Device
from safecity.core.ground.devices.api import find as find_device
from safecity.core.ground.images.api import Reply, pause, proof
from safecity.core.ground.lowers import store
from safecity.core.ground.lowers.decide import (
    AGAIN_US,
    DAY_US,
    GIVE_UP,
    Lower,
    Order,
    OrderState,
    Ourselves,
    Request,
    ended,
    next_end,
    said,
)
from safecity.core.ground.settings.api import Settings
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, SafecityError, UnavailableError
from safecity.kit.weburl import WebUrl
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.envelope import CONTENT_TYPE, write_json
from safecity.protocols.gat1400.xmlform import CONTENT_TYPE as XML_TYPE
from safecity.protocols.gat1400.xmlform import write_form

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = 4
"""Libraries that are spoken to at the same time; with each of them one thing after the other."""
A_TURN: Final = 50
_GONE: Final = frozenset({404, 405, 410, 501})
"""Of what is to be forgotten: it is not there, or never was."""

AskLower = Callable[[str, WebUrl, bytes, dict[str, str]], Awaitable[Reply]]
"""One request to exactly that address; UnavailableError when nobody answers."""


class LowerTeller:
    """The only one who speaks to libraries below us."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        settings: Settings,
        clock: Clock,
        ask: AskLower,
        receive_at: Callable[[str], str],
    ) -> None:
        """`receive_at`: where we are told, for the host by which others reach us."""
        self._database = database
        self._vault = vault
        self._settings = settings
        self._clock = clock
        self._ask = ask
        self._receive_at = receive_at
        self._bell = asyncio.Event()
        self._turn = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        """There is something to say."""
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.clear()
            try:
                while await self.step():
                    pass
            except SafecityError as error:
                logger.warning("lower libraries wait code=%s why=%s", error.code, error)
            except Exception:
                # What cannot be said to one of them must not keep the others waiting for ever.
                logger.exception("lower libraries wait")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()

    async def step(self) -> int:
        """Say what is due now; how much was taken."""
        libraries = await self._database.read(store.everything)
        if not libraries:
            return 0
        now = self._clock.now_us()
        if await self._database.read(lambda tx: store.over(tx, now)):
            await self._database.write(lambda tx: _expire(tx, now))
        platform = await self._settings.read()
        us = Ourselves(platform.code, platform.name, self._receive_at(platform.public_host))
        return sum(await asyncio.gather(*(self._library(one, sealed, us) for one, sealed in libraries)))

    async def _library(self, one: Lower, sealed: bytes | None, us: Ourselves) -> int:
        now = self._clock.now_us()

        def look(tx: Tx) -> tuple[Device | None, list[Order]]:
            return find_device(tx, one.device), store.due(tx, one.device, now, A_TURN)

        device, orders = await self._database.read(look)
        over = one.leaving is not None and (one.leaving + DAY_US <= now or not orders)
        if device is None or over:
            await self._database.write(lambda tx: _forget(tx, one, now, gone=device is None))
            return 0
        if not device.enabled:
            return 0
        taken = 0
        async with self._turn:
            for order in orders:
                done = await self._one(one, sealed, device, order, us)
                if done is None:  # nobody is there: it would be the same with the others
                    break
                taken += done
        return taken

    async def _one(
        self, library: Lower, sealed: bytes | None, device: Device, order: Order, us: Ourselves
    ) -> int | None:
        """1 where it took it, 0 where it refused, None where nobody answered."""
        now = self._clock.now_us()

        def prepare(tx: Tx) -> Order | None:
            known = store.order(tx, order.id)
            if known is None or known.due_at is None or known.due_at > now:
                return None
            active = known.state is OrderState.ACTIVE
            ready = replace(known, tries=known.tries + 1, end=next_end(known, now) if active else known.end)
            store.save_order(tx, ready)
            return ready

        ready = await self._database.write(prepare)
        if ready is None:
            return 0
        reply, error = None, ""
        try:
            reply = await self._say(library, sealed, us, said(ready, us, device.code))
            error = "" if reply.agreed else f"HTTP {reply.status}"
        except (UnavailableError, InvalidError, OSError) as failed:
            error = str(failed)[:200]
        await self._database.write(lambda tx: self._after(tx, library, ready, reply, error))
        return None if reply is None else int(not error)

    def _after(self, tx: Tx, library: Lower, sent: Order, reply: Reply | None, error: str) -> None:
        now = self._clock.now_us()
        known = store.order(tx, sent.id)
        if known is None:
            return
        cancelled = sent.state is not OrderState.ACTIVE
        gone = cancelled and reply is not None and (reply.unwanted or reply.status in _GONE)
        given_up = cancelled and reply is not None and sent.tries >= GIVE_UP
        if known.state is not sent.state:  # it ended while it was said: that is to be said next
            store.save_order(tx, replace(known, placed_at=now if not error else known.placed_at))
        elif not error or gone or given_up:
            if given_up and not gone and error:
                logger.warning("lower library keeps what was withdrawn order=%s why=%s", sent.id, error)
            store.save_order(tx, replace(
                known, tries=0, due_at=None if cancelled else now + AGAIN_US, last_error="" if gone else error,
                placed_at=known.placed_at if cancelled else now,
            ))  # fmt: skip
        else:
            due_at = now + round(pause(sent.tries - 1) * SECOND_US)
            store.save_order(tx, replace(known, due_at=due_at, last_error=error))
            if reply is None:
                store.put_off(tx, library.device, due_at)
        _heard(tx, library, reply, error, now)

    async def _say(self, library: Lower, sealed: bytes | None, us: Ourselves, request: Request) -> Reply:
        url = replace(library.address, target=request.target)
        xml = library.form == "xml"
        body = write_form(request.body) if xml else write_json(request.body)
        headers = {"User-Identify": us.code, "Content-Type": XML_TYPE if xml else CONTENT_TYPE}
        reply = await self._ask(request.method, url, body, headers)
        password = self._vault.open(sealed, library.id) if reply.status == 401 and sealed else ""
        if not password:
            return reply
        known = proof(reply, library.username or us.code, password, request.method, request.target)
        return await self._ask(request.method, url, body, {**headers, "Authorization": known})


def _heard(tx: Tx, library: Lower, reply: Reply | None, error: str, now: int) -> None:
    """How the library is, once it became so; when it was heard, at most once a minute."""
    found = store.find(tx, library.device)
    if found is None:
        return
    old = found[0]
    recent = old.heard_at is not None and now - old.heard_at < 60 * SECOND_US
    heard_at = old.heard_at if reply is None or (recent and old.last_error == error) else now
    if (old.last_error, old.heard_at) == (error, heard_at):
        return
    store.save(tx, replace(old, last_error=error, heard_at=heard_at))
    if error and not old.last_error:
        logger.warning("lower library does not take what is asked for device=%s why=%s", old.device, error)
    elif old.last_error and not error:
        logger.info("lower library takes what is asked for again device=%s", old.device)


def _expire(tx: Tx, now: int) -> None:
    for one in store.over(tx, now):
        store.save_order(tx, ended(one, OrderState.OVER, by="", why="", now=now))


def _forget(tx: Tx, one: Lower, now: int, *, gone: bool) -> None:
    """A library that is not wanted any more, once nothing is left to say to it; or whose device is gone."""
    found = store.find(tx, one.device)
    if found is None:
        return
    leaving = found[0].leaving
    waits = any(order.due_at is not None for order in store.orders_of(tx, one.device))
    if gone or (leaving is not None and (not waits or leaving + DAY_US <= now)):
        store.forget(tx, one.device)
