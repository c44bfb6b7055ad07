"""Watches that go down, for the part that keeps watches: placed, taken back, and what comes up for them. In the
transactions of whoever calls."""

from __future__ import annotations

from dataclasses import dataclass, replace

from safecity.core.ground.devices.api import Device, find_many
from safecity.core.ground.lowers import store
from safecity.core.ground.lowers.decide import (
    Lower,
    Order,
    OrderKind,
    OrderState,
    ended,
    number_of,
    refusal,
    whole_seconds,
)
from safecity.kit.clock import SECOND_US
from safecity.kit.ids import fresh
from safecity.ports.database import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a library is to look for; times in microseconds UTC. `by`: who wants it."""

    watch: str
    plate: str
    priority: int
    reason: str
    case_number: str
    begin: int
    end: int
    by: str


def watching(tx: Tx) -> list[tuple[Lower, Device]]:
    """Libraries that watches go down to."""
    found = [one for one, _ in store.everything(tx) if one.watches and one.leaving is None]
    devices = find_many(tx, [one.device for one in found])
    return [(one, devices[one.device]) for one in found if one.device in devices]


def sent_down(tx: Tx) -> dict[tuple[str, str], Order]:
    """Dispositions in force, by library and watch."""
    return {(one.device, one.watch): one for one in store.in_force(tx, OrderKind.DISPOSITION) if one.watch is not None}


def place(tx: Tx, device: str, wanted: Wanted, organisation: str, now: int) -> str:
    """Ask a library to watch; it is told from here on. The number of the Disposition."""
    name, until = fresh("lo"), -(-wanted.end // SECOND_US) * SECOND_US
    number = number_of(OrderKind.DISPOSITION, organisation, name, now)
    store.add_order(tx, Order(
        id=name, device=device, kind=OrderKind.DISPOSITION,
        number=number, watch=wanted.watch, title=wanted.plate,
        reason=wanted.reason,
        about={"plate": wanted.plate, "priority": wanted.priority, "case": wanted.case_number},
        begin=whole_seconds(wanted.begin), end=until, until=until, due_at=now, created_by=wanted.by, created_at=now,
    ))  # fmt: skip
    return number


def take_back(tx: Tx, one: Order, *, by: str, why: str, now: int) -> None:
    """Ask it to watch no more."""
    store.save_order(tx, ended(one, OrderState.WITHDRAWN, by=by, why=why, now=now))


def asked_by(tx: Tx, device: str, number: str, now: int) -> tuple[Order | None, str]:
    """The order that a notification of a library answers, and why it is not taken; empty: it is."""
    one = store.numbered(tx, device, OrderKind.DISPOSITION, number)
    return one, refusal(one, now, ours=one is not None or store.is_ours(tx, OrderKind.DISPOSITION, number))


def answered(tx: Tx, order: str, notification: str, brought: bool, now: int) -> None:
    """A hit came up; counted once. `brought`: its vehicle was not known before."""
    current = store.order(tx, order)
    if current is None:
        return
    if store.marks(tx, order, notification) is None:
        store.put_marks(tx, order, notification, frozenset({"brought"} if brought else ()), now)
        store.save_order(tx, replace(current, received=current.received + 1, heard_at=now))


def brought_by(tx: Tx, order: str, notification: str) -> bool:
    """Whether the vehicle of a hit came with it, and only so."""
    return "brought" in (store.marks(tx, order, notification) or ())
