"""The view library for its clients: what they may read, change and take back, and what they subscribe to."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from safecity.core.ground.access.api import Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device
from safecity.core.ground.devices.api import find_many as find_devices
from safecity.core.ground.images import outbox, store, subscribers
from safecity.core.ground.images.addresses import read_address
from safecity.core.ground.images.decide import is_library, packed
from safecity.core.ground.images.store import Kept
from safecity.core.ground.images.subscribers import ALLOWED, Subscribed, SubscriptionState
from safecity.core.ground.images.taking import FOLDER, Outcome, Taking, shown_by_passages, taken_back
from safecity.core.ground.loose.api import Loose, named, unnamed
from safecity.core.ground.passages.api import picture_key
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.blobs import Blobs
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.envelope import Refused, StatusCode
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.pictures import check_picture
from safecity.protocols.gat1400.queries import Query
from safecity.protocols.gat1400.resources import BY_NAME, Resource
from safecity.protocols.gat1400.subscriptions import read_subscription

SWEEP = 500
MAX_SUBSCRIPTIONS = 100
"""Of one library."""


def thing_of(one: Subscribed) -> Thing:
    """A subscription lies where the library lay that made it."""
    return Thing("subscription", one.area_path, id=one.id, organisation=one.organisation_path)


def _end(one: Subscribed) -> int:
    return read_subscription(read_object(BY_NAME["Subscribe"], one.body)).end


class Images:
    """Every call names the sender that its session proved; nothing in a body changes who that is."""

    def __init__(
        self, database: Database, blobs: Blobs, loose: Loose, clock: Clock, told: Callable[[], None] = lambda: None
    ) -> None:
        """`told`: something lies in the outbox."""
        self._database = database
        self._blobs = blobs
        self._loose = loose
        self._clock = clock
        self._told = told
        self.taking = Taking(database, loose, clock, told)

    async def take(self, sender: Device, objects: Sequence[ViidObject | Refused]) -> list[Outcome]:
        """Objects of any kind that is only kept."""
        return await self.taking.take(sender, objects)

    async def find(self, sender: Device, resource: Resource, query: Query) -> tuple[list[dict[str, Any]], int]:
        """Without pictures: those come one object at a time. With how many there are in all, counted to a hundred
        thousand."""
        found, total = await self._search(sender, resource, query, counted=True)
        return [packed(one.body, {}) for one in found], total

    async def see(self, sender: Device, resource: Resource, identity: str) -> dict[str, Any]:
        """Whole, with its pictures, as far as those are still kept; NotFoundError for what is not there or not for this
        one."""
        kept = await self._one(sender, resource, identity)
        places: dict[int, str] = {}
        for one in kept.pictures:
            if one["place"] >= 0:
                # Those of a vehicle go with its passage, which may have begun before this was said.
                with suppress(NotFoundError):
                    places[one["place"]] = base64.b64encode(await self._bytes(one["key"])).decode()
        return packed(kept.body, places)

    async def data(self, sender: Device, resource: Resource, identity: str) -> bytes:
        """What was uploaded beside an image, a file or a video slice."""
        kept = await self._one(sender, resource, identity)
        found = next((one for one in kept.pictures if one["place"] < 0), None)
        if found is None:
            raise NotFoundError("no data", code="not_found", params={"kind": resource.name})
        return await self._bytes(found["key"])

    async def put_data(self, sender: Device, resource: Resource, identity: str, data: bytes) -> None:
        """The second step of an upload. InvalidError `viid_picture` where an image is none."""
        if resource.name == "Image":
            check_picture(data)
        now = self._clock.now_us()
        key = picture_key(FOLDER, now, "")
        await self._own(sender, resource, identity)

        def work(tx: Tx) -> None:
            kept = store.known(tx, sender.id, resource.name, [identity]).get(identity)
            if kept is None:  # taken back meanwhile
                return
            pictures = [one for one in kept.pictures if one["place"] >= 0]
            pictures.append({"key": key, "place": -1, "kind": "", "format": "", "width": 0, "height": 0})
            store.put(tx, replace(kept, pictures=pictures), new=False)
            named(tx, [key])
            unnamed(tx, [one["key"] for one in kept.pictures if one["place"] < 0], now)

        async with self._loose.bringing([(key, data)]):
            await self._database.write(work)
        await self._loose.sweep()

    async def remove_data(self, sender: Device, resource: Resource, identity: str) -> None:
        """What was uploaded is taken back, the words stay; that there was none is no error."""
        now = self._clock.now_us()
        await self._own(sender, resource, identity)

        def work(tx: Tx) -> None:
            kept = store.known(tx, sender.id, resource.name, [identity]).get(identity)
            if kept is None:
                return
            # Without its digest, so that the same words with the same data bring it back.
            pictures = [one for one in kept.pictures if one["place"] >= 0]
            store.put(tx, replace(kept, pictures=pictures, digest=""), new=False)
            unnamed(tx, [one["key"] for one in kept.pictures if one["place"] < 0], now)

        await self._database.write(work)
        await self._loose.sweep()

    async def remove(self, sender: Device, resource: Resource, ids: Sequence[str]) -> list[Outcome]:
        """What the sender itself sent; what is not there is no error."""
        now = self._clock.now_us()
        await self._database.write(lambda tx: taken_back(tx, sender, resource.name, ids, now))
        self._told()
        await self._loose.sweep()
        return [Outcome(identity) for identity in ids]

    def _readable(self, sender: Device, resource: Resource) -> Any:
        if is_library(sender) and not resource.personal:
            return store.lying_under(sender.area_path, sender.organisation_path)
        return store.own(sender.id)

    async def _search(
        self, sender: Device, resource: Resource, query: Query, *, counted: bool = False
    ) -> tuple[list[Kept], int]:
        """A camera reads back what it sent; another library's questions are written down like a person's."""
        now = self._clock.now_us()
        readable = self._readable(sender, resource)

        def look(tx: Tx) -> tuple[list[Kept], int]:
            part = store.search(tx, readable, resource.name, query, now)
            all_there = query.start == 0 and len(part) < query.count
            if not counted or all_there:
                return part, len(part)
            return part, store.count(tx, readable, resource.name, query, now)

        found, total = await self._database.read(look)
        if not is_library(sender):
            return found, total
        who = Actor(user=sender.id, name=sender.name, session="", grants=(), at=now, address=sender.address)
        about = Thing("device", sender.area_path, id=sender.id, organisation=sender.organisation_path)

        def noted(tx: Tx) -> None:
            note(
                tx, who, Action.PASSAGE_SEE, about, sender.name, what=resource.name, found=len(found),
                ids=",".join(query.ids)[:200], device=query.device, tollgate=query.tollgate, plate=query.plate,
            )  # fmt: skip

        # Before it is shown, but not in the transaction that looks: that must not hold up those who file.
        await self._database.write(noted)
        return found, total

    async def _one(self, sender: Device, resource: Resource, identity: str) -> Kept:
        found, _ = await self._search(sender, resource, Query(ids=(identity,), count=1))
        if not found:
            raise NotFoundError("no such object", code="not_found", params={"kind": resource.name})
        return found[0]

    async def _own(self, sender: Device, resource: Resource, identity: str) -> Kept:
        found = await self._database.read(lambda tx: store.known(tx, sender.id, resource.name, [identity]))
        if identity not in found:
            raise NotFoundError("no such object", code="not_found", params={"kind": resource.name})
        return found[identity]

    async def _bytes(self, key: str) -> bytes:
        return b"".join([piece async for piece in self._blobs.read(key)])

    async def sweep(self) -> int:
        """Forget what is past its time, with its pictures; how many objects."""
        now, gone = self._clock.now_us(), 0

        def work(tx: Tx) -> int:
            found = store.expired(tx, now, SWEEP)
            senders = find_devices(tx, list({one.device for one in found}))
            kept = shown_by_passages(tx, found, {name: device.code for name, device in senders.items()})
            outbox.lose(tx, [one.id for one in found])
            store.remove(tx, [one.id for one in found])
            unnamed(tx, {picture["key"] for one in found for picture in one.pictures} - kept, now)
            return len(found)

        while some := await self._database.write(work):
            gone += some
        await self._loose.sweep()
        return gone

    # --- subscriptions ---------------------------------------------------------------------------------------------

    async def subscribe(self, sender: Device, objects: Sequence[ViidObject | Refused]) -> list[Outcome]:
        """Wishes to be told; each waits for somebody to agree. `OperateType` 1 cancels."""
        return [await self._subscribe(sender, one) for one in objects]

    async def _subscribe(self, sender: Device, one: ViidObject | Refused) -> Outcome:
        if isinstance(one, Refused):
            return Outcome(one.id, StatusCode.JSON_CONTENT, f"{one.field} is missing or wrong")
        try:
            wish = read_subscription(one)
            if not wish.cancels:
                read_address(wish.receive_addr)
        except InvalidError as error:
            return Outcome(
                one.id, StatusCode.JSON_CONTENT, f"{error.params.get('field', 'ReceiveAddr')} is not accepted"
            )

        def work(tx: Tx) -> Outcome:
            old = subscribers.subscription_of(tx, sender.id, one.id)
            if wish.cancels:
                return self._cancelled(tx, one.id, old, dict(one.fields))
            if old is not None and old.state is not SubscriptionState.CANCELLED and old.body == dict(one.fields):
                return Outcome(one.id)
            if old is None and not self._room(tx, sender):
                return Outcome(one.id, StatusCode.OTHER, "too many subscriptions")
            new = Subscribed(
                id=old.id if old else fresh("su"), device=sender.id, subscribe_id=one.id,
                state=SubscriptionState.PENDING, body=dict(one.fields), address="", area_path=sender.area_path,
                organisation_path=sender.organisation_path, created_at=self._clock.now_us(),
                delivered=old.delivered if old else 0, lost=old.lost if old else 0,
                revision=old.revision + 1 if old else 1,
            )  # fmt: skip
            # A changed wish needs a new yes: it may ask for more, or for another address.
            (subscribers.save if old else subscribers.add)(tx, new)
            return Outcome(one.id)

        return await self._database.write(work)

    def _room(self, tx: Tx, sender: Device) -> bool:
        """Whether there is room for one more. Some libraries subscribe anew each day: what is over makes room."""
        own, now = subscribers.subscriptions_of(tx, sender.id), self._clock.now_us()
        if len(own) < MAX_SUBSCRIPTIONS:
            return True
        over = [one.id for one in own if one.state is SubscriptionState.CANCELLED or _end(one) <= now]
        outbox.forget_subscriptions(tx, over)
        return bool(over)

    async def unsubscribe(self, sender: Device, ids: Sequence[str]) -> list[Outcome]:
        """Its subscriptions of these numbers are over, as by `OperateType` 1; what is not there is no error."""

        def work(tx: Tx) -> None:
            for identity in ids:
                old = subscribers.subscription_of(tx, sender.id, identity)
                if old is not None:
                    self._cancelled(tx, identity, old, {})

        await self._database.write(work)
        return [Outcome(identity) for identity in ids]

    @staticmethod
    def _cancelled(tx: Tx, identity: str, old: Subscribed | None, fields: dict[str, Any]) -> Outcome:
        if old is None:
            return Outcome(identity, StatusCode.INVALID_OPERATION, "no such subscription")
        if old.state is not SubscriptionState.CANCELLED:
            body = {**old.body, **fields, "SubscribeStatus": 1}
            subscribers.save(tx, replace(old, state=SubscriptionState.CANCELLED, body=body, revision=old.revision + 1))
            outbox.drop_untold(tx, old.id)
        return Outcome(identity)

    async def subscriptions_of(self, sender: Device) -> list[dict[str, Any]]:
        """A library's own, with what became of them in `SubscribeStatus` (0 in force, 1 cancelled, 2 past its end, 9
        none of these)."""
        found = await self._database.read(lambda tx: subscribers.subscriptions_of(tx, sender.id))
        said, now = {SubscriptionState.ACTIVE: 0, SubscriptionState.CANCELLED: 1}, self._clock.now_us()
        return [
            {**one.body, "SubscribeStatus": 2 if state == 0 and _end(one) <= now else state}
            for one in found
            for state in (said.get(one.state, 9),)
        ]

    async def page(self, who: Actor, *, before: str, limit: int) -> list[Subscribed]:
        """Newest first."""
        allowed = scope(who, Action.SUBSCRIPTION_SEE)
        return await self._database.read(lambda tx: subscribers.page(tx, allowed, before=before, limit=limit))

    async def decide(
        self, who: Actor, subscription: str, *, accept: bool, reason: str = "", revision: int | None = None
    ) -> Subscribed:
        """Agree that a library is told, at exactly the address it gave; or stop it. ConflictError `changed_meanwhile`
        where the library wishes something else than at that `revision`."""

        def work(tx: Tx) -> Subscribed:
            old = subscribers.subscription(tx, subscription)
            # Where hits of a watch are told is allowed with the watch, and by nobody here.
            if old is None or old.watch or not scope(who, Action.SUBSCRIPTION_SEE).allows(thing_of(old)):
                raise NotFoundError("no such subscription", code="not_found", params={"kind": "subscription"})
            authorize(who, Action.SUBSCRIPTION_DECIDE, thing_of(old))
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            state = SubscriptionState.ACTIVE if accept else SubscriptionState.REFUSED
            if state not in ALLOWED[old.state]:
                raise ConflictError("not in that state", code="subscription_state", params={"state": str(old.state)})
            address = read_address(str(old.body.get("ReceiveAddr", ""))).place if accept else ""
            new = replace(old, state=state, address=address, decided_by=who.name, revision=old.revision + 1)
            subscribers.save(tx, new)
            if not accept:
                outbox.drop_untold(tx, old.id)
            note(
                tx, who, Action.SUBSCRIPTION_DECIDE, thing_of(new), str(old.body.get("Title", "")), reason=reason,
                accepted=accept, address=address,
            )  # fmt: skip
            return new

        return await self._database.write(work)
