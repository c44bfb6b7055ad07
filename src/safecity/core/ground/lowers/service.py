"""Libraries below us for people: where they are, what is subscribed to there. Each step is in the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.access.api import Action, Actor, Vault
from safecity.core.ground.audit.api import note
from safecity.core.ground.devices.api import Device, DeviceKind, find_device, thing_of
from safecity.core.ground.images.api import Kept, objects_of_kind
from safecity.core.ground.lowers import store
from safecity.core.ground.lowers.decide import (
    DAY_US,
    LEAST_APART_US,
    MAX_INTERVAL,
    MAX_SUBSCRIPTIONS,
    TERM_US,
    Lower,
    Order,
    OrderKind,
    OrderState,
    check_details,
    check_url,
    ended,
    number_of,
    whole_seconds,
)
from safecity.core.ground.lowers.found import MAX_LANES, ToldGate, gates_of
from safecity.core.ground.settings.api import Settings
from safecity.core.ground.tollgates.api import meant as tollgates_meant
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, ExhaustedError, InvalidError, NotFoundError, RefusedError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.resources import BY_NAME

SHOWN: Final = 100
"""Subscriptions of one library that are listed, the newest first."""
KEPT_US: Final = 90 * DAY_US
"""What has ended is listed for so long."""
HEARD_US: Final = 7 * DAY_US
"""Numbers of notifications are remembered for so long. What is sent again later is still known by its objects."""
SWEEP: Final = 500
MOST_GATES: Final = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """A library, what is subscribed to there, and how many watches are to go down to it (`asked`) and did (`placed`).
    `proves`: it has a password of ours."""

    library: Lower
    proves: bool
    subscriptions: list[Order]
    asked: int
    placed: int


class Lowers:
    """`told`: there is something to say."""

    def __init__(
        self, database: Database, vault: Vault, settings: Settings, clock: Clock, told: Callable[[], None]
    ) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._clock = clock
        self._told = told

    async def see(self, who: Actor, device: str) -> Standing:
        """NotFoundError where nobody gave its address."""

        def work(tx: Tx) -> Standing:
            of = find_device(tx, who, Action.SUBSCRIPTION_SEE, device)
            one, sealed = _find(tx, of)
            counts = store.counts(tx, device, OrderKind.DISPOSITION)
            listed = store.orders_of(tx, device, OrderKind.SUBSCRIPTION, limit=SHOWN)
            proves = bool(sealed and self._vault.open(sealed, one.id))
            return Standing(one, proves, listed, counts["all"], counts["placed"])

        return await self._database.read(work)

    async def put(self, who: Actor, device: str, values: dict[str, Any], revision: int | None = None) -> Lower:
        """Where it is, and who we are there: `url`, `username`, `password` (None: as it was), `form`, `watches`.
        RefusedError `lower_not_library` for what does not speak GA/T 1400."""
        wanted: dict[str, Any] = {**values, "url": check_url(values["url"])}
        password: str | None = wanted.pop("password", None)

        def work(tx: Tx) -> Lower:
            of = find_device(tx, who, Action.SUBSCRIPTION_DECIDE, device)
            if of.kind is not DeviceKind.GAT1400:
                raise RefusedError("no library", code="lower_not_library", params={"name": of.name})
            found = store.find(tx, device)
            if revision is not None and revision != (found[0].revision if found else 0):
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            if found is None:
                new = Lower(id=fresh("lw"), device=device, created_at=who.at, **wanted)
                store.add(tx, new, self._vault.seal(password, new.id) if password else None)
            else:
                old = found[0]
                new = replace(old, leaving=None, revision=old.revision + 1, **wanted)
                # The password that is kept belongs to the old address: it is never sent to another.
                given = "" if password is None and new.url != old.url else password
                store.save(tx, new, None if given is None else self._vault.seal(given, new.id))
                store.say_again(tx, device, who.at, who.at)
            note(
                tx, who, Action.SUBSCRIPTION_DECIDE, thing_of(of), of.name, what="library", address=new.url,
                form=new.form, watches=new.watches, password=password is not None,
            )  # fmt: skip
            return new

        new = await self._database.write(work)
        self._told()
        return new

    async def remove(self, who: Actor, device: str) -> None:
        """All that was asked of it is taken back there; it is forgotten once that was said, or nobody heard it for a
        day."""

        def work(tx: Tx) -> None:
            of = find_device(tx, who, Action.SUBSCRIPTION_DECIDE, device)
            one, _ = _find(tx, of)
            for order in store.orders_of(tx, device, active=True):
                store.save_order(tx, ended(order, OrderState.WITHDRAWN, by=who.name, why="", now=who.at))
            leaving = replace(one, watches=False, leaving=one.leaving or who.at, revision=one.revision + 1)
            store.save(tx, leaving)
            note(tx, who, Action.SUBSCRIPTION_DECIDE, thing_of(of), of.name, what="library", removed=one.url)

        await self._database.write(work)
        self._told()

    async def subscribe(
        self, who: Actor, device: str, details: Iterable[int], *, title: str = "", reason: str = "",
        until: int | None = None, interval_seconds: int = 0,
    ) -> Order:  # fmt: skip
        """Ask to be told. `until` None: until somebody withdraws it. ExhaustedError `lower_too_many`."""
        chosen = check_details(details)
        organisation = (await self._settings.read()).code
        if until is not None and until <= who.at:
            raise InvalidError("its time is over", code="lower_until")
        if not 0 <= interval_seconds <= MAX_INTERVAL:
            raise InvalidError("interval", code="lower_until")

        def work(tx: Tx) -> Order:
            of = find_device(tx, who, Action.SUBSCRIPTION_DECIDE, device)
            one, _ = _find(tx, of)
            if one.leaving is not None:
                raise ConflictError("it is being removed", code="lower_leaving")
            if len(store.orders_of(tx, device, OrderKind.SUBSCRIPTION, active=True)) >= MAX_SUBSCRIPTIONS:
                raise ExhaustedError("too many", code="lower_too_many", params={"limit": MAX_SUBSCRIPTIONS})
            name, begin = fresh("lo"), whole_seconds(who.at)
            order = Order(
                id=name, device=device, kind=OrderKind.SUBSCRIPTION,
                number=number_of(OrderKind.SUBSCRIPTION, organisation, name, who.at), title=title or of.name,
                reason=reason, about={"details": chosen, "interval": interval_seconds}, begin=begin,
                end=begin + TERM_US if until is None else whole_seconds(until), until=until, due_at=who.at,
                created_by=who.name, created_at=who.at,
            )  # fmt: skip
            store.add_order(tx, order)
            note(
                tx, who, Action.SUBSCRIPTION_DECIDE, thing_of(of), of.name, reason=reason, what="subscribe",
                number=order.number, details=",".join(map(str, chosen)), address=one.url, until=until,
            )  # fmt: skip
            return order

        order = await self._database.write(work)
        self._told()
        return order

    async def withdraw(self, who: Actor, device: str, order: str, *, reason: str = "") -> Order:
        """From this moment nothing is taken for it; the library is told. ConflictError `lower_ended`."""

        def work(tx: Tx) -> Order:
            of = find_device(tx, who, Action.SUBSCRIPTION_DECIDE, device)
            old = store.order(tx, order)
            if old is None or old.device != device or old.kind is not OrderKind.SUBSCRIPTION:
                raise NotFoundError("no such subscription", code="not_found", params={"kind": "subscription"})
            if old.state is not OrderState.ACTIVE:
                raise ConflictError("it has ended", code="lower_ended")
            new = ended(old, OrderState.WITHDRAWN, by=who.name, why=reason, now=who.at)
            store.save_order(tx, new)
            note(
                tx, who, Action.SUBSCRIPTION_DECIDE, thing_of(of), of.name, reason=reason, what="withdraw",
                number=old.number,
            )  # fmt: skip
            return new

        new = await self._database.write(work)
        self._told()
        return new

    async def checkpoints(self, who: Actor, device: str) -> list[ToldGate]:
        """Those that it told of, at most `MOST_GATES`."""
        now = self._clock.now_us()

        def work(tx: Tx) -> list[ToldGate]:
            of = find_device(tx, who, Action.SUBSCRIPTION_SEE, device)
            _find(tx, of)
            told = [_read(one) for one in objects_of_kind(tx, device, "Tollgate", now, MOST_GATES)]
            lanes = [_read(one) for one in objects_of_kind(tx, device, "Lane", now, MOST_GATES * MAX_LANES)]
            codes = [one.id for one in told]
            known = {gate.code: gate.id for gate in tollgates_meant(tx, device, codes) if gate.code in codes}
            return gates_of(told, lanes, known)

        return await self._database.read(work)

    async def entered(self, device: Device) -> None:
        """It registered: it may have begun anew, and have forgotten what stood there."""
        now = self._clock.now_us()

        def known(tx: Tx) -> bool:
            return store.find(tx, device.id) is not None

        if await self._database.read(known):
            await self._database.write(lambda tx: store.say_again(tx, device.id, now, now - LEAST_APART_US))
            self._told()

    async def sweep(self) -> int:
        """Forget what ended long ago, and numbers of notifications that came long ago; how much."""
        now = self._clock.now_us()

        def work(tx: Tx) -> int:
            ids = store.past(tx, now - KEPT_US, SWEEP)
            store.forget_orders(tx, ids)
            return len(ids) + store.sweep_marks(tx, now - HEARD_US)

        return await self._database.write(work)


def _read(kept: Kept) -> ViidObject:
    return replace(read_object(BY_NAME[kept.kind], kept.body), id=kept.object_id)


def _find(tx: Tx, of: Device) -> tuple[Lower, bytes | None]:
    found = store.find(tx, of.id)
    if found is None:
        raise NotFoundError("no library below us", code="not_found", params={"kind": "library"})
    return found
