"""What another library asks to be watched for: a proposal like any other, in the library's own area. It never comes in
force by itself: somebody here must approve it, and a changed wish must be approved again. With it they approve where
the library is told what it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safecity.core.ground.access.api import Actor
from safecity.core.ground.devices.api import Device
from safecity.core.ground.images.api import answering
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import DAY_US, Watch, WatchState, check_plate
from safecity.core.upper.watches.service import Told, Watches
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.dispositions import Disposition, DispositionStatus

SEATS: Final = frozenset({"role:operator"})
FURTHER: Final = frozenset({"role:supervisor"})
PURPOSE: Final = "security"
MOST_WAITING: Final = 1000
"""Proposals of one library that nobody has decided on yet."""
UNTOLD: Final = "watched for; hits are not told: ReceiveAddr is not accepted"
STANDING: Final = {
    WatchState.PROPOSED: DispositionStatus.NOT_IN_FORCE,
    WatchState.REFUSED: DispositionStatus.NOT_IN_FORCE,
    WatchState.APPROVED: DispositionStatus.IN_FORCE,
    WatchState.WITHDRAWN: DispositionStatus.WITHDRAWN,
    WatchState.EXPIRED: DispositionStatus.EXPIRED,
}
_OPEN: Final = (WatchState.PROPOSED, WatchState.APPROVED)


class Asked:
    """For the door that other libraries come in by."""

    def __init__(self, database: Database, clock: Clock, watches: Watches, told: Told = lambda _: None) -> None:
        self._database = database
        self._clock = clock
        self._watches = watches
        self._told = told

    async def take(self, sender: Device, wishes: Sequence[Disposition]) -> dict[str, str]:
        """By identifier, why a wish is no proposal here; empty text: it is one, or was withdrawn as asked."""

        def work(tx: Tx) -> tuple[dict[str, str], list[str]]:
            said: dict[str, str] = {}
            touched: list[str] = []
            for wish in wishes:
                said[wish.id] = self._one(tx, sender, wish, touched)
            return said, touched

        said, touched = await self._database.write(work)
        self._told(touched)
        return said

    async def withdraw(self, sender: Device, ids: Sequence[str]) -> None:
        """The library takes its wishes back; what is not there is no error."""

        def work(tx: Tx) -> list[str]:
            touched: list[str] = []
            for name in ids:
                self._end(tx, sender, store.of_origin(tx, _origin(sender, name)), "", touched)
            return touched

        self._told(await self._database.write(work))

    async def standing(self, sender: Device, ids: Sequence[str]) -> dict[str, DispositionStatus]:
        """What became of wishes of the library, by identifier; nothing of those that are no watch here."""

        def work(tx: Tx) -> dict[str, DispositionStatus]:
            found = {name: store.of_origin(tx, _origin(sender, name)) for name in ids}
            return {name: STANDING[watch.state] for name, watch in found.items() if watch is not None}

        return await self._database.read(work)

    def _one(self, tx: Tx, sender: Device, wish: Disposition, touched: list[str]) -> str:
        known = store.of_origin(tx, _origin(sender, wish.id))
        if wish.withdraws:
            self._end(tx, sender, known, wish.removal, touched)
            return ""
        if not wish.plate:
            return "kept; only plates are watched for"
        watch = self._watch(tx, sender, wish)
        fine = UNTOLD if wish.receive_addr and not answering.told_at(wish) else ""
        if known is not None and _same(known, watch) and not answering.asks_else(tx, known.id, wish):
            return fine
        if store.waiting_of(tx, sender.id) >= MOST_WAITING:
            return "kept; too many proposals wait"
        if known is not None:
            self._end(tx, sender, known, "", touched)
            ended = store.find(tx, known.id)
            assert ended is not None
            store.save(tx, replace(ended, origin=f"{ended.origin}#{ended.id}"))
        try:
            self._watches.add(tx, self._actor(sender), watch)
        except SafecityError as error:
            return f"kept; no watch: {error.code}"
        answering.ask(tx, sender, watch.id, wish, watch.proposed_at)
        return fine

    def _watch(self, tx: Tx, sender: Device, wish: Disposition) -> Watch:
        now = self._clock.now_us()
        begin = max(wish.begin, now)
        return Watch(
            id=fresh("wa"), plate=_readable(wish.plate), reason=wish.reason or wish.title or wish.id,
            case_number=wish.case_number, purpose=PURPOSE, priority=wish.priority, valid_from=begin,
            valid_until=min(wish.end, begin + self._watches.settings.longest_days * DAY_US), area=sender.area,
            area_path=sender.area_path, organisation=sender.organisation, organisation_path=sender.organisation_path,
            seats=SEATS, further=FURTHER, proposed_by=sender.id,
            proposed_name=f"{sender.name} {wish.applicant}".strip()[:200],
            proposed_at=now, origin=_origin(sender, wish.id), changed=store.next_change(tx),
        )  # fmt: skip

    def _end(self, tx: Tx, sender: Device, known: Watch | None, words: str, touched: list[str]) -> None:
        if known is not None and known.state in _OPEN:
            touched += self._watches.end(tx, self._actor(sender), known, words)[1]

    def _actor(self, sender: Device) -> Actor:
        return Actor(sender.id, sender.name, "", (), self._clock.now_us(), sender.address)


def _origin(sender: Device, name: str) -> str:
    return f"{sender.id}/{name}"


def _readable(plate: str) -> str:
    try:
        return check_plate(plate).text
    except SafecityError:
        return plate  # refused where it is added, with its reason


def _same(known: Watch, wish: Watch) -> bool:
    """Whether it asks for what was asked for before. One that lasts too long is cut anew each time it is sent."""
    until = known.valid_until == wish.valid_until or (
        known.valid_until - known.valid_from == wish.valid_until - wish.valid_from
    )
    return until and (known.plate, known.reason, known.priority) == (wish.plate, wish.reason, wish.priority)
