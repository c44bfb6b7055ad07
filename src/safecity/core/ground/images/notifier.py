"""Tells subscribers what came, and who asked for a watch what it met, until they have it: from a durable outbox, in
batches that keep their number."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, Thing
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import find as find_device
from safecity.core.ground.images import outbox, store, subscribers
from safecity.core.ground.images.addresses import Address, read_address
from safecity.core.ground.images.decide import packed
from safecity.core.ground.images.delivery import pause, understood
from safecity.core.ground.images.outbox import RECALL, RECALLS, Due
from safecity.core.ground.images.recalling import Delete, Recalling, cannot
from safecity.core.ground.images.store import Kept
from safecity.core.ground.images.subscribers import Subscribed, SubscriptionState
from safecity.core.ground.images.wishes import Wish, read_wish, still_within, within
from safecity.core.ground.settings.api import Settings
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError, NotFoundError, SafecityError, UnavailableError
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.codes import public_id
from safecity.protocols.gat1400.dispositions import write_hit
from safecity.protocols.gat1400.envelope import CONTENT_TYPE, write_json, write_list
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.subscriptions import strip_images, write_notification

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0
MAX_OBJECTS: Final = 50
"""Objects in one notification."""
MAX_BYTES: Final = 8 << 20
"""Of one notification, as far as it has more than one object: with pictures fifty of them would be more than a library
like ours takes, and it would be refused for ever."""
GIVE_UP: Final = 10
"""Tries after which an object is given up that a library says it does not take; an hour and more."""
AT_ONCE: Final = 4
MOVED: Final = "the library was moved out of the area that was accepted; it has to ask again"

Post = Callable[[Address, bytes, dict[str, str]], Awaitable[tuple[int, bytes]]]
"""Sends to exactly that address; UnavailableError when it cannot."""

Met = Callable[[Tx, Sequence[str], int], list[Kept]]
"""Hits that are still some, as the vehicles that were met; a vehicle has the id of its hit."""


def _nothing_met(_tx: Tx, _hits: Sequence[str], _now: int) -> list[Kept]:
    return []


class Notifier:
    """A subscriber that does not answer waits longer each time and holds up nobody else."""

    def __init__(
        self, database: Database, blobs: Blobs, clock: Clock, settings: Settings, post: Post, met: Met = _nothing_met,
        delete: Delete = cannot,
    ) -> None:  # fmt: skip
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._settings = settings
        self._post = post
        self._met = met
        self._recalling = Recalling(database, clock, delete)
        self._serial = clock.now_us() % 100_000
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except SafecityError as error:
                logger.warning("subscribers wait code=%s why=%s", error.code, error)
            except Exception:
                # What cannot be said to one of them must not keep the others waiting for ever.
                logger.exception("subscribers wait")
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> int:
        """Tell what is due now; how many notifications arrived."""
        now = self._clock.now_us()
        due = await self._database.read(lambda tx: outbox.due(tx, now))
        queues: dict[str, list[tuple[str, str, str]]] = {}
        for queue, *notice in due:
            queues.setdefault(queue, []).append((notice[0], notice[1], notice[2]))
        return sum(await asyncio.gather(*(self._in_order(one) for one in queues.values())))

    async def _in_order(self, notices: list[tuple[str, str, str]]) -> int:
        """What came first arrives first: what says a thing anew must not be overtaken by what it corrects."""
        for arrived, (subscription, kind, notification) in enumerate(notices):
            if not await self._one(subscription, kind, notification):
                return arrived
        return len(notices)

    async def _one(self, subscription: str, kind: str, notification: str) -> bool:
        async with self._turn:
            now = self._clock.now_us()
            platform = await self._settings.read()
            if kind in RECALLS:
                return await self._recalling.one(subscription, notification, platform.code)
            fresh_number = self._number(platform.code, now)

            def prepare(tx: Tx) -> tuple[Subscribed, Due, list[Kept]] | None:
                of = subscribers.subscription(tx, subscription)
                library = None if of is None else find_device(tx, of.device)
                if of is None or of.state is not SubscriptionState.ACTIVE:
                    outbox.drop_untold(tx, subscription)
                    return None
                if library is None or not library.enabled:
                    lost = outbox.drop_untold(tx, subscription)
                    subscribers.save(tx, replace(of, lost=of.lost + lost))
                    return None
                if not still_within(library, of):  # who was moved elsewhere is told nothing of where they were
                    lost = outbox.drop_untold(tx, subscription)
                    subscribers.save(tx, replace(of, lost=of.lost + lost, last_error=MOVED))
                    return None
                one = (
                    outbox.under_way(tx, subscription, notification)
                    if notification
                    else outbox.claim(tx, subscription, kind, fresh_number, now, 1 if of.watch else MAX_OBJECTS)
                )
                if one is None or one.kind in RECALLS:  # taken back since it was chosen
                    return None
                if read_wish(of).end <= now:
                    lost = outbox.drop_untold(tx, subscription)
                    subscribers.save(tx, replace(of, lost=of.lost + lost))
                    return None
                if of.watch is None:
                    return of, one, store.find(tx, one.objects)
                met = [each for each in self._met(tx, one.objects, now) if within(of, each)]
                if not met:  # forgotten meanwhile, or not for the library any more
                    subscribers.save(tx, replace(of, lost=of.lost + outbox.drop(tx, one)))
                    return None
                if not notification:  # before it leaves, and once, however often it is tried
                    _written_down(tx, of, library.name, one, met[0], now)
                return of, one, met

            prepared = await self._database.write(prepare)
            return prepared is not None and await self._send(*prepared, platform.code)

    async def _send(self, of: Subscribed, one: Due, objects: list[Kept], us: str) -> bool:
        wish = read_wish(of)
        told, later = list[dict[str, Any]](), list[str]()
        error, unwanted = "", False
        try:
            told, later = await self._fitting(wish, objects)
            address = read_address(wish.receive_addr)
            if address.place != of.address:
                raise UnavailableError("the address is not the one that was allowed", code="receive_addr")
            headers = {"Content-Type": CONTENT_TYPE, "User-Identify": us}
            body = self._answer(wish, one, told[0], objects[0].seen) if of.watch else self._body(wish, one, told)
            status, answer = await self._post(address, body, headers)
            arrived, unwanted = understood(status, answer)
            error = "" if arrived else f"HTTP {status}"
        except (UnavailableError, InvalidError, OSError) as failed:
            error = str(failed)[:200]
        now = self._clock.now_us()
        if unwanted and len(told) > 1:
            # One of them is what it does not take: found by halves, so that the others are not kept from it.
            later = [each.id for each in objects[(len(told) + 1) // 2 :]]

        def after(tx: Tx) -> None:
            known = subscribers.subscription(tx, of.id)
            if known is None:
                return
            meanwhile = outbox.under_way(tx, one.subscription, one.notification)
            if meanwhile is not None and meanwhile.kind in RECALLS:  # it may have arrived all the same
                if not error:
                    outbox.is_known(tx, one, RECALL)
                    subscribers.save(tx, replace(known, delivered=known.delivered + len(one.objects)))
                return
            outbox.release(tx, one, later)
            if not error:
                if of.watch:
                    outbox.remember_told(tx, one, now)
                count = outbox.told(tx, one)
                subscribers.save(tx, replace(known, delivered=known.delivered + count, last_error=""))
            elif unwanted and len(told) == 1 and one.tries >= GIVE_UP:
                logger.warning("subscriber refuses an object for good subscription=%s why=%s", of.id, error)
                count = outbox.told(tx, one)
                subscribers.save(tx, replace(known, lost=known.lost + count, last_error=error))
            else:
                due_at = now + round(pause(one.tries) * SECOND_US)
                outbox.put_off(tx, one, due_at)
                if of.watch and not unwanted:
                    outbox.put_off_beside(tx, of, due_at)
                subscribers.save(tx, replace(known, last_error=error))

        await self._database.write(after)
        if bool(error) != bool(of.last_error):
            if error:
                logger.warning("subscriber not reachable subscription=%s why=%s", of.id, error)
            else:
                logger.info("subscriber reachable again subscription=%s", of.id)
        return not error

    async def _fitting(self, wish: Wish, objects: list[Kept]) -> tuple[list[dict[str, Any]], list[str]]:
        """Objects with their pictures as far as one notification has room, and the ids of those that have to wait."""
        told: list[dict[str, Any]] = []
        room = MAX_BYTES
        for number, kept in enumerate(objects):
            whole = await self._whole(wish, kept)
            room -= len(write_json(whole))
            if told and room < 0:
                return told, [one.id for one in objects[number:]]
            told.append(whole)
        return told, []

    async def _whole(self, wish: Wish, kept: Kept) -> dict[str, Any]:
        places: dict[int, str] = {}
        for picture in kept.pictures:
            if picture["place"] < 0 or (wish.images is not None and picture["kind"] not in wish.images):
                continue
            try:
                data = b"".join([piece async for piece in self._blobs.read(picture["key"])])
            except NotFoundError:
                continue
            places[picture["place"]] = base64.b64encode(data).decode()
        return strip_images(packed(kept.body, places), wish.images)

    @staticmethod
    def _answer(wish: Wish, one: Due, vehicle: dict[str, Any], at: int) -> bytes:
        notice = write_hit(
            identity=one.notification, disposition=wish.id, title=wish.title or wish.id, vehicle=vehicle, at=at
        )
        return write_json(write_list(BY_NAME["DispositionNotification"], [notice]))

    def _body(self, wish: Wish, one: Due, told: list[dict[str, Any]]) -> bytes:
        notice = write_notification(
            identity=one.notification, subscription=wish.id, title=wish.title or wish.id, kind=one.kind, objects=told,
            now=self._clock.now_us(),
        )  # fmt: skip
        return write_json(write_list(BY_NAME["SubscribeNotification"], [notice]))

    def _number(self, platform: str, now: int) -> str:
        self._serial += 1
        return public_id(platform, "notification", now, self._serial)


def _written_down(tx: Tx, of: Subscribed, library: str, one: Due, met: Kept, now: int) -> None:
    who = Actor(of.device, library, "", (), now, of.address)
    about = Thing("hit", met.area_path, id=met.id, organisation=met.organisation_path)
    note(tx, who, Action.WATCH_SEE, about, met.plate, watch=of.watch, notification=one.notification, told=of.address)
