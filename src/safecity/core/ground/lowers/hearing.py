"""Notifications: what they carry is taken as if the library had posted it.

Who sends was proved by its session, and nothing in a notification changes that: what is kept is kept as that
library's, in its areas. Many libraries push by their own settings alone, under numbers of their own: those are heard
like objects that are posted. Under a number of ours only what we subscribed to is, and only while we do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safecity.core.ground.devices.api import Device, DeviceKind, find_by_code
from safecity.core.ground.images.api import Images, Outcome, is_library, known_objects
from safecity.core.ground.lowers import store
from safecity.core.ground.lowers.decide import Order, OrderKind, asked_for, mark, refusal
from safecity.kit.clock import Clock
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.envelope import Refused, StatusCode
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.subscriptions import Operation, read_notified


class Hearing:
    """What libraries below us tell. One outcome for each notification, in their order."""

    def __init__(self, database: Database, images: Images, clock: Clock) -> None:
        self._database = database
        self._images = images
        self._clock = clock

    async def notified(self, sender: Device, notices: Sequence[ViidObject | Refused]) -> list[Outcome]:
        """What is told under the number of a subscription of ours that is over, or was not subscribed to, is refused.
        The same object under the same number of a notification counts once."""
        return [await self._one(sender, notice) for notice in notices]

    async def _one(self, sender: Device, notice: ViidObject | Refused) -> Outcome:
        if isinstance(notice, Refused):
            return Outcome(notice.id, StatusCode.JSON_CONTENT, f"{notice.field} is missing or wrong")
        number, now = clean_id(notice.fields.get("SubscribeID")), self._clock.now_us()
        kind = OrderKind.SUBSCRIPTION
        order, ours = await self._database.read(
            lambda tx: (store.numbered(tx, sender.id, kind, number), store.is_ours(tx, kind, number))
        )
        if why := refusal(order, now, ours=ours):
            return Outcome(notice.id, StatusCode.INVALID_OPERATION, why)
        operation, told, lost = read_notified(notice)
        wanted = [one for one in told if order is None or asked_for(order, one)]
        if told and not wanted:
            return Outcome(notice.id, StatusCode.INVALID_OPERATION, "not subscribed to")
        by_mark = {mark(operation, one): one for one in wanted}

        def look(tx: Tx) -> tuple[frozenset[str], set[str]]:
            came = frozenset[str]() if order is None else store.marks(tx, order.id, notice.id) or frozenset[str]()
            new = [one for name, one in by_mark.items() if name not in came]
            return came, _born_here(tx, sender, new)

        came, born_here = await self._database.read(look)
        new = {name: one for name, one in by_mark.items() if name not in came and one.id not in born_here}
        await self._take(sender, operation, list(new.values()))
        if new and order is not None:
            await self._database.write(lambda tx: _count(tx, order, notice.id, frozenset(new), now))
        said = [
            f"{what}: {count}"
            for what, count in (
                ("not understood", lost), ("not subscribed to", len(told) - len(wanted)),
                ("came from here", len(born_here)),
            )
            if count
        ]  # fmt: skip
        return Outcome(notice.id, text=", ".join(["OK", *said]))

    async def _take(self, sender: Device, operation: Operation, objects: list[ViidObject]) -> None:
        if operation is not Operation.DELETE:
            await self._images.take(sender, objects)
            return
        for one in objects:
            await self._images.remove(sender, one.resource, [one.id])


def _born_here(tx: Tx, sender: Device, objects: Sequence[ViidObject]) -> set[str]:
    """Of these objects, those that a camera of our own sent us: they went round, and came back by another library."""
    found: set[str] = set()
    for one in objects:
        code = one.device()
        if not code or code == sender.code:
            continue
        camera = find_by_code(tx, code, DeviceKind.GAT1400)
        if camera is not None and camera.id != sender.id and not is_library(camera):
            found |= set(known_objects(tx, camera.id, one.resource.name, [one.id]))
    return found


def _count(tx: Tx, order: Order, notification: str, new: frozenset[str], now: int) -> None:
    """Once, also where the same notification came twice at the same time."""
    current, came = store.order(tx, order.id), store.marks(tx, order.id, notification) or frozenset[str]()
    if current is None:
        return
    store.put_marks(tx, order.id, notification, came | new, now)
    store.save_order(tx, replace(current, received=current.received + len(new - came), heard_at=now))
