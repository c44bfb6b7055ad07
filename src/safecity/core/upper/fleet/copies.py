"""Which terminal has which fence written down: what each is to have is compared with what it has, and made so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select

from safecity.core.ground.access.api import Action, Actor, scope
from safecity.core.ground.audit.api import Record, append
from safecity.core.ground.devices.api import Device, DeviceKind, DeviceState, everything, find_many, thing_of
from safecity.core.upper.fleet import store
from safecity.core.upper.fleet.fences import Fence
from safecity.core.upper.fleet.service import find_fence
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import RefusedError, SafecityError
from safecity.model.facts.vehicle_calls import EraseFence, WriteFence
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
ADDRESS: Final = "signal"
TIMEOUT: Final = 20.0
LOOK_SECONDS: Final = 30.0
AGAIN_US: Final = 600 * SECOND_US
"""After a failure it is tried again so much later."""
AT_ONCE: Final = 16
_WRITE: Final = "fence.write"
_ERASE: Final = "fence.erase"
_NEVER_HAD: Final = (
    "terminal_failed", "terminal_misunderstood", "terminal_unsupported", "fence_not_for_terminals",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """What a terminal has: the fence by its `number`, as it was at `revision`. `code`: why it has it not, or empty."""

    fence: str
    device: str
    revision: int
    number: int
    kind: str
    code: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be said to a terminal: `fence` None erases `old`."""

    device: Device
    fence: Fence | None
    old: Copy | None


def due(fences: Sequence[Fence], devices: Sequence[Device], copies: Sequence[Copy], now: int) -> list[Work]:
    """What is to be said now to terminals that are online. `fences`: those that terminals are to have. Pure."""
    known = {(copy.fence, copy.device): copy for copy in copies}
    here = {device.id: device for device in devices}
    found: list[Work] = []
    for fence in fences:
        for device in devices:
            if not fence.is_for(device.id, device.area_path, device.organisation_path):
                continue
            copy = known.pop((fence.id, device.id), None)
            is_there = copy is not None and copy.revision == fence.revision
            if copy is not None and is_there and (not copy.code or now - copy.at < AGAIN_US):
                continue
            if device.state is DeviceState.ONLINE:
                found.append(Work(device, fence, copy))
    for (_, name), copy in known.items():
        device = here.get(name)
        if device is not None and device.state is DeviceState.ONLINE and (not copy.code or now - copy.at >= AGAIN_US):
            found.append(Work(device, None, copy))
    return found


class FenceWriter:
    """The only one who writes fences down. A terminal that is not here is told when it is."""

    def __init__(self, database: Database, calls: Calls, clock: Clock) -> None:
        self._database = database
        self._calls = calls
        self._clock = clock
        self._bell = asyncio.Event()
        self._turn = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        """Fences changed."""
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.clear()
            try:
                await self.step()
            except SafecityError as error:
                logger.warning("fences are written down later code=%s why=%s", error.code, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()

    async def step(self) -> int:
        """Say what is due; how much that was."""
        now = self._clock.now_us()
        works = await self._database.read(lambda tx: _due(tx, now))
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(self._in_turn(work))
        return len(works)

    async def sweep(self) -> int:
        """Forget what removed devices had."""

        def work(tx: Tx) -> int:
            named = {copy.device for copy in _every(tx)}
            gone = named - find_many(tx, list(named)).keys()
            return tx.run(delete(store.copies).where(store.copies.c.device.in_(list(gone)))) if gone else 0

        return await self._database.write(work)

    async def see(self, who: Actor, fence: str) -> list[tuple[Device, Copy | None]]:
        """Of each vehicle that the reader may see and that is to have it: what it has."""

        def work(tx: Tx) -> list[tuple[Device, Copy | None]]:
            found = find_fence(tx, who, Action.FENCE_SEE, fence)
            if not found.to_terminals:
                return []
            may = scope(who, Action.DEVICE_SEE)
            known = {copy.device: copy for copy in _of_fence(tx, fence)}
            return [
                (device, known.get(device.id))
                for device in _terminals(tx)
                if found.is_for(device.id, device.area_path, device.organisation_path)
                and may.allows(thing_of(device))
            ]  # fmt: skip

        return await self._database.read(work)

    async def _in_turn(self, work: Work) -> None:
        async with self._turn:
            await self._say(work)

    async def _say(self, work: Work) -> None:
        code, kept = "", work.old
        try:
            if work.old is not None:
                await self._erase(work.device, work.old)
                kept = None
            if work.fence is not None:
                await self._calls.call(ADDRESS, order_of(work.device.id, work.fence), timeout=TIMEOUT)
        except SafecityError as error:
            code = error.code
            if work.fence is None:  # it may still have it
                return
        at = self._clock.now_us()

        def keep(tx: Tx) -> None:
            device, fence = work.device, work.fence
            name = fence.id if fence is not None else work.old.fence if work.old is not None else ""
            tx.run(delete(store.copies).where(store.copies.c.fence == name, store.copies.c.device == device.id))
            if fence is not None:
                # Where the old one may still be there, it is that one that has to be erased next time.
                copy = Copy(
                    fence=fence.id, device=device.id, revision=fence.revision, number=fence.number,
                    kind=kept.kind if kept is not None else str(fence.kind), code=code, at=at,
                )  # fmt: skip
                tx.run(insert(store.copies).values(**{field: getattr(copy, field) for field in _FIELDS}))
            thing = thing_of(device)
            append(tx, Record(
                at=at, actor="", actor_name="", action=_WRITE if fence is not None else _ERASE,
                kind=thing.kind, thing=device.id, thing_name=device.name, area=thing.area,
                organisation=thing.organisation, outcome="failed" if code else "done", reason=code,
                details={"fence": name, "revision": fence.revision if fence is not None else 0},
            ))  # fmt: skip

        try:
            await self._database.write(keep)
        except SafecityError as error:  # one that is not written down is said again, which changes nothing
            logger.warning("a fence in a terminal is not written down code=%s why=%s", error.code, error)

    async def _erase(self, device: Device, old: Copy) -> None:
        if old.code in _NEVER_HAD:
            return
        with contextlib.suppress(RefusedError):  # a terminal that does not know it any more says so
            await self._calls.call(ADDRESS, EraseFence(device.id, old.number, old.kind), timeout=TIMEOUT)


def order_of(device: str, fence: Fence) -> WriteFence:
    """What is said; a terminal has hours, but no days of the week and no first and last day."""
    hours = fence.from_minute != fence.until_minute
    return WriteFence(
        device, fence.number, str(fence.kind), fence.points, fence.metres, fence.on_enter, fence.on_leave,
        fence.speed_kmh, fence.speed_seconds, _time(fence.from_minute) if hours else "",
        _time(fence.until_minute) if hours else "", fence.name,
    )  # fmt: skip


def _time(minute: int) -> str:
    return "235959" if minute == 24 * 60 else f"{minute // 60:02d}{minute % 60:02d}00"


_FIELDS: Final = tuple(Copy.__dataclass_fields__)


def _due(tx: Tx, now: int) -> list[Work]:
    fences = [fence for fence in store.everything(tx) if fence.to_terminals]
    copies = _every(tx)
    return due(fences, _terminals(tx), copies, now) if fences or copies else []


def _terminals(tx: Tx) -> list[Device]:
    return [device for device, _ in everything(tx, DeviceKind.JT808) if device.enabled]


def _every(tx: Tx) -> list[Copy]:
    return [_copy(row) for row in tx.rows(select(store.copies))]


def _of_fence(tx: Tx, fence: str) -> list[Copy]:
    return [_copy(row) for row in tx.rows(select(store.copies).where(store.copies.c.fence == fence))]


def _copy(row: Any) -> Copy:
    return Copy(**{name: row[name] for name in _FIELDS})
