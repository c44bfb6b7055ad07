"""A hit that was told and is none: its notification is taken back where it was sent to.

The standard has no notification that takes another one back. What it has is `DELETE` on the collection of
notifications (GA/T 1400.4, 7.2.19), by their numbers: sent to the address that took them, until it is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from safecity.core.ground.access.api import Action, Actor, Thing
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device
from safecity.core.ground.devices.api import find as find_device
from safecity.core.ground.images import store
from safecity.core.ground.images.addresses import Address, read_address
from safecity.core.ground.images.delivery import pause, understood
from safecity.core.ground.images.store import Due, Subscribed
from safecity.core.ground.images.wishes import read_wish, still_within
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
_NEVER: Final = frozenset({404, 405, 501})
"""It offers no such thing, or has nothing of that number."""

Delete = Callable[[Address, dict[str, str]], Awaitable[tuple[int, bytes]]]
"""Asks exactly that address to delete; UnavailableError when it cannot."""


async def cannot(_address: Address, _headers: dict[str, str]) -> tuple[int, bytes]:
    """Where nothing is ever taken back."""
    raise UnavailableError("no way to take anything back", code="http_unreachable")


class Recalling:
    """One notification at a time, in the order of the outbox."""

    def __init__(self, database: Database, clock: Clock, delete: Delete) -> None:
        self._database = database
        self._clock = clock
        self._delete = delete

    async def one(self, subscription: str, number: str, us: str) -> bool:
        """Whether it is over: answered, or nobody to be told any more. `us`: the platform's own code."""
        now = self._clock.now_us()

        def prepare(tx: Tx) -> tuple[Subscribed, Due] | None:
            of, one = store.subscription(tx, subscription), store.under_way(tx, subscription, number)
            if one is None:
                return None
            library = find_device(tx, of.device) if of is not None else None
            if of is None or library is None or not _may_be_told(library, of):
                store.told(tx, one)
                if of is not None:
                    store.save_subscription(tx, replace(of, not_recalled=of.not_recalled + 1))
                return None
            if one.tries == 0:  # before it leaves, and once, however often it is tried
                _written_down(tx, of, library.name, one, now)
            return of, one

        prepared = await self._database.write(prepare)
        return prepared is not None and await self._send(*prepared, us)

    async def _send(self, of: Subscribed, one: Due, us: str) -> bool:
        error, heard, never = "", False, False
        try:
            address = read_address(read_wish(of).receive_addr)
            if address.place != of.address:
                raise UnavailableError("the address is not the one that was allowed", code="receive_addr")
            status, answer = await self._delete(_named(address, one.notification), {"User-Identify": us})
            heard, (done, unwanted) = True, understood(status, answer)
            never = unwanted or status in _NEVER
            error = "" if done else f"HTTP {status}"
        except (UnavailableError, InvalidError, OSError) as failed:
            error = str(failed)[:200]
        now = self._clock.now_us()

        def after(tx: Tx) -> None:
            known = store.subscription(tx, of.id)
            if known is None:
                return
            if not error:
                store.told(tx, one)
                store.save_subscription(tx, replace(known, recalled=known.recalled + 1, last_error=""))
            elif never:
                store.told(tx, one)
                store.save_subscription(tx, replace(known, not_recalled=known.not_recalled + 1, last_error=error))
            else:
                due_at = now + round(pause(one.tries) * SECOND_US)
                store.put_off(tx, one, due_at)
                if not heard:
                    store.put_off_beside(tx, of, due_at)
                store.save_subscription(tx, replace(known, last_error=error))

        await self._database.write(after)
        if never:
            logger.warning("library keeps what was taken back subscription=%s why=%s", of.id, error)
        return never or not error


def _may_be_told(library: Device, of: Subscribed) -> bool:
    """Also after the watch has ended: what is wrong stays wrong."""
    return bool(of.address) and library.enabled and still_within(library, of)


def _named(address: Address, number: str) -> Address:
    mark = "&" if "?" in address.target else "?"
    return replace(address, target=f"{address.target}{mark}IDList={quote(number)}")


def _written_down(tx: Tx, of: Subscribed, library: str, one: Due, now: int) -> None:
    who = Actor(of.device, library, "", (), now, of.address)
    about = Thing("hit", of.area_path, id=one.objects[0], organisation=of.organisation_path)
    note(tx, who, Action.WATCH_SEE, about, watch=of.watch, recalled=one.notification, told=of.address)
