"""Who asked for a watch is told what it meets: only where a person allowed it with the watch, and only there.

In the transactions of those who keep watches and hits; the `Notifier` sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from safecity.core.ground.devices.api import Device
from safecity.core.ground.images import outbox, subscribers
from safecity.core.ground.images.addresses import read_address
from safecity.core.ground.images.store import Kept
from safecity.core.ground.images.subscribers import ALLOWED, Subscribed, SubscriptionState
from safecity.core.ground.images.wishes import read_wish, within
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.ports.database import Tx
from safecity.protocols.gat1400.dispositions import Disposition, write_wish

_KIND: Final = "Disposition"
_WHEN: Final = "EndTime"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answering:
    """How it goes. `receive_addr`: where the library wants to be told; `allowed`: a person agreed. Hits that `arrived`,
    that wait, and that were `lost`, as of a subscription; those that were told, are none, and were taken back there
    (`recalled`), or could not be (`not_recalled`)."""

    receive_addr: str
    allowed: bool
    delivered: int
    waiting: int
    lost: int
    last_error: str
    recalled: int = 0
    not_recalled: int = 0


def told_at(wish: Disposition) -> str:
    """Where a library may be told at all, if somebody agrees; empty: it gave no address, or none to send to."""
    try:
        read_address(wish.receive_addr)
    except InvalidError:
        return ""
    return wish.receive_addr


def ask(tx: Tx, library: Device, watch: str, wish: Disposition, now: int) -> None:
    """Keep with a proposed watch where its library wants to be told; nothing is before `allow`."""
    subscribers.add(tx, Subscribed(
        id=fresh("su"), device=library.id, subscribe_id=watch, state=SubscriptionState.PENDING, body=_body(wish),
        address="", area_path=library.area_path, organisation_path=library.organisation_path, created_at=now,
        watch=watch,
    ))  # fmt: skip


def asks_else(tx: Tx, watch: str, wish: Disposition) -> bool:
    """Whether a library wants to be told elsewhere, or more, than when the watch was proposed. A watch from before
    libraries were told goes on as it is, and untold."""
    one = subscribers.of_watches(tx, [watch]).get(watch)
    return one is not None and _timeless(one.body) != _timeless(_body(wish))


def allow(tx: Tx, watch: str, by: str) -> str:
    """With the approval of the watch; host and port that are allowed, empty where nobody is to be told."""
    one = subscribers.of_watches(tx, [watch]).get(watch)
    if one is None or not one.body["ReceiveAddr"]:
        return ""
    address = read_address(one.body["ReceiveAddr"]).place
    _move(tx, one, SubscriptionState.ACTIVE, address=address, decided_by=by)
    return address


def refuse(tx: Tx, watch: str, by: str) -> None:
    """With the refusal of the watch."""
    one = subscribers.of_watches(tx, [watch]).get(watch)
    if one is not None:
        _move(tx, one, SubscriptionState.REFUSED, decided_by=by)


def stop(tx: Tx, watch: str, *, over: bool) -> None:
    """The watch has ended; what waits is dropped. `over`: by its time, and what waits counts as lost."""
    one = subscribers.of_watches(tx, [watch]).get(watch)
    if one is not None:
        dropped = outbox.drop_untold(tx, one.id)
        _move(tx, one, SubscriptionState.CANCELLED, lost=one.lost + (dropped if over else 0))


def tell(tx: Tx, watch: str, met: Kept, now: int) -> None:
    """Queue a hit for the library that asked, once: not what it said itself, nor what lies outside its areas. One that
    was told before, or may have been, is first to be untold."""
    one = subscribers.of_watches(tx, [watch]).get(watch)
    if one is None or one.state is not SubscriptionState.ACTIVE or met.device == one.device or not within(one, met):
        return
    outbox.enqueue(tx, [{
        "id": fresh("no"), "subscription": one.id, "object": None, "hit": met.id, "kind": _KIND, "notification": "",
        "due_at": now, "tries": 0,
    }])  # fmt: skip


def untell(tx: Tx, hit: str, now: int) -> None:
    """It is none, and never was. Who was told of it before is asked to delete the notification."""
    outbox.recall_hit(tx, hit, now)


def silence(tx: Tx, hit: str) -> None:
    """Nobody is to be told of it any more; who was told keeps what was true."""
    outbox.drop_hit(tx, hit)


def answering(tx: Tx, watches: Sequence[str]) -> dict[str, Answering]:
    """By watch, of those whose library wants to be told."""
    found = subscribers.of_watches(tx, watches)
    waits = outbox.waiting(tx, [one.id for one in found.values()])
    return {
        watch: Answering(
            receive_addr=read_wish(one).receive_addr, allowed=bool(one.address), delivered=one.delivered,
            waiting=waits.get(one.id, 0), lost=one.lost, last_error=one.last_error,
            recalled=one.recalled, not_recalled=one.not_recalled,
        )
        for watch, one in found.items()
        if one.body["ReceiveAddr"]
    }  # fmt: skip


def forget(tx: Tx, watches: Sequence[str]) -> None:
    """With the watches."""
    outbox.forget_subscriptions(tx, [one.id for one in subscribers.of_watches(tx, watches).values()])


def _move(tx: Tx, one: Subscribed, state: SubscriptionState, **more: Any) -> None:
    if state in ALLOWED[one.state]:
        subscribers.save(tx, replace(one, state=state, revision=one.revision + 1, **more))


def _body(wish: Disposition) -> dict[str, Any]:
    return write_wish(replace(wish, receive_addr=told_at(wish)))


def _timeless(body: dict[str, Any]) -> dict[str, Any]:
    """Until when is the watch's own to compare: it may not last as long as was asked."""
    return {name: value for name, value in body.items() if name != _WHEN}
