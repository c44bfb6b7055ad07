"""A hit that was told and is none: its notification is taken back where it was sent to.

The standard has no notification that takes another one back. What it has is `DELETE` on the collection of
notifications (GA/T 1400.4, 7.2.19), by their numbers: sent to the address that took them, until it is answered, or
was refused for an hour and more.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from safecity.core.ground.access.api import Action, Actor, Thing
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device
from safecity.core.ground.devices.api import find as find_device
from safecity.core.ground.images import outbox, subscribers
from safecity.core.ground.images.addresses import Address, read_address
from safecity.core.ground.images.delivery import pause, understood
from safecity.core.ground.images.outbox import RECALL_LEFT, Due
from safecity.core.ground.images.subscribers import Subscribed
from safecity.core.ground.images.wishes import read_wish, still_within
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.envelope import StatusCode, read_json, read_statuses

logger = logging.getLogger(__name__)
_NEVER: Final = frozenset({404, 405, 501})
"""It offers no such thing, or has nothing of that number."""
_NOTHING: Final = 404
_LATER: Final = frozenset({408, 425, 429, 502, 503, 504})
_LATER_CODES: Final = frozenset({StatusCode.BUSY, StatusCode.REBOOTING})
"""As good as away."""
AWAY: Final = 8
"""No more tries than that are counted of those that came to nobody: by then they are a quarter of an hour apart."""
GIVE_UP: Final = 13
"""Tries after which one that goes on to refuse is asked no more: an hour and more, however long it was away before."""

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
            of, one = subscribers.subscription(tx, subscription), outbox.under_way(tx, subscription, number)
            if one is None:
                return None
            library = find_device(tx, of.device) if of is not None else None
            if of is None or library is None or not _may_be_told(library, of):
                outbox.told(tx, one)
                if of is not None:
                    subscribers.save(tx, replace(of, not_recalled=of.not_recalled + 1))
                return None
            if one.tries == 0:  # before it leaves, and once, however often it is tried
                _written_down(tx, of, library.name, one, now)
            outbox.leaves(tx, one)
            return of, one

        prepared = await self._database.write(prepare)
        return prepared is not None and await self._send(*prepared, us)

    async def _send(self, of: Subscribed, one: Due, us: str) -> bool:
        try:
            address = read_address(read_wish(of).receive_addr)
            if address.place != of.address:
                raise UnavailableError("the address is not the one that was allowed", code="receive_addr")
            word = _heard(one, *await self._delete(_named(address, one.notification), {"User-Identify": us}))
        except (UnavailableError, InvalidError, OSError) as failed:
            left = isinstance(failed, UnavailableError) and bool(failed.params.get("sent"))
            word = _Word(str(failed)[:200], silent=True, left=left)
        now = self._clock.now_us()

        def after(tx: Tx) -> None:
            known = subscribers.subscription(tx, of.id)
            if known is None:
                return
            if not word.error:
                outbox.told(tx, one)
                subscribers.save(tx, replace(known, recalled=known.recalled + 1, last_error=""))
            elif word.never:
                outbox.told(tx, one)
                subscribers.save(tx, replace(known, not_recalled=known.not_recalled + 1, last_error=word.error))
            else:
                tries = min(one.tries, AWAY) if word.silent or word.later else one.tries
                due_at = now + round(pause(tries) * SECOND_US)
                outbox.put_off(tx, replace(one, tries=tries), due_at)
                if not word.left:
                    outbox.is_known(tx, one, one.kind)
                if word.silent:
                    outbox.put_off_beside(tx, of, due_at)
                subscribers.save(tx, replace(known, last_error=word.error))

        await self._database.write(after)
        if word.never:
            logger.warning("library keeps what was taken back subscription=%s why=%s", of.id, word.error)
        return word.never or not word.error


@dataclass(frozen=True, slots=True)
class _Word:
    """What came of asking. No `error`: it is taken back. `never`: nor will it be; `later`: it cannot now; `silent`: no
    answer, though where the request `left` it may have been done."""

    error: str
    never: bool = False
    later: bool = False
    silent: bool = False
    left: bool = False


def _heard(one: Due, status: int, answer: bytes) -> _Word:
    done, unwanted = understood(status, answer)
    if done or (status == _NOTHING and one.kind == RECALL_LEFT):  # or never was, or it was done and nobody heard
        return _Word("")
    later = _later(status, answer)
    never = unwanted or status in _NEVER or (not later and one.tries >= GIVE_UP)
    return _Word(f"HTTP {status}", never=never, later=later)


def _later(status: int, answer: bytes) -> bool:
    """Whether it says no more than that it cannot now."""
    if not 200 <= status < 300:
        return status in _LATER
    try:
        return bool({code for _, code in read_statuses(read_json(answer))} & _LATER_CODES)
    except InvalidError:
        return False


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
