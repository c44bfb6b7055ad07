"""Those of one protocol that are in the list by a number and tell of themselves, as ships and vehicle terminals do:
who of them is here, and what is told of that."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from msgspec import Struct

from safecity.drivers.facts import make_event
from safecity.drivers.rows import RowStore
from safecity.drivers.tally import Tally
from safecity.kit.clock import Clock
from safecity.model.facts.envelope import Event, Mode
from safecity.model.facts.signal_calls import AskDevices, DeviceFigure, DeviceFigures, UnknownFigure

logger = logging.getLogger(__name__)

MAX_STRANGERS: Final = 100
MAX_FIGURES: Final = 4000
TICK_SECONDS: Final = 1.0


class Member(Protocol):
    """One of the list. `silent_at`: when it is offline if nothing comes before; `heard_at` 0: not yet. Both in
    monotonic seconds."""

    heard_at: float
    silent_at: float

    @property
    def device(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def is_online(self) -> bool: ...
    @property
    def row(self) -> Any: ...
    def leave(self, at_us: int) -> None:
        """Its row says offline since then."""

    def figure(self, now: float) -> DeviceFigure:
        """For lists."""
        ...


M = TypeVar("M", bound=Member)
R = TypeVar("R", bound=Struct)


class Presence(ABC, Generic[M, R]):
    """All of them, by number. Its driver adds who is wanted, and says who was heard."""

    whom: ClassVar[str]
    """What they are called in the log."""

    def __init__(self, store: RowStore[R], clock: Clock, node: str) -> None:
        self._clock = clock
        self._node = node
        self._platform_code = ""
        self._members: dict[str, M] = {}
        self._strangers: OrderedDict[str, UnknownFigure] = OrderedDict()
        self._ticking: asyncio.Task[None] | None = None
        self.store = store
        self.tally = Tally(self.whom)

    def __len__(self) -> int:
        return len(self._members)

    def _begin(self) -> None:
        """Go on from the own file. Whoever was online has its full patience to be heard again."""
        for row in self.store.load():
            self._recall(row)

    def _go_on(self) -> None:
        """From now on look who is gone: once they can be heard."""
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    @abstractmethod
    def _recall(self, row: R) -> None:
        """A row of before: its member's, or dropped where there is none."""

    async def close(self) -> None:
        """Stop; what has gathered is written where that can be."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        self.store.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                self.tick()
            except Exception:
                logger.exception("tick failed of %s", self.whom)

    def tick(self) -> None:
        """Whoever has not been heard for too long is offline."""
        now = self._clock.monotonic()
        for member in self._members.values():
            if member.is_online and now >= member.silent_at:
                self._went_offline(member, "keepalive")

    # --- facts ------------------------------------------------------------------------------------------------

    def _went_offline(self, member: M, why: str) -> None:
        if not member.is_online:
            return
        # By the clock that nobody sets.
        silent = int(self._clock.monotonic() - member.heard_at) if member.heard_at else None
        member.leave(self._clock.now_us())
        self.store.put(member.row)
        self.tell("device.went_offline", member, {"why": why, "silent_seconds": silent})

    def tell(self, kind: str, member: M, body: dict[str, Any], *, subject: str = "") -> None:
        """A fact of a member, in the transaction of what changed with it. `subject` empty: its device."""
        self.store.add_news(self._event(kind, member, body, subject=subject))

    def _report(self, kind: str, member: M, body: dict[str, Any], *, at: int = 0, mode: Mode = Mode.LIVE) -> str:
        """The id of the fact."""
        event = self._event(kind, member, body, at=at, mode=mode)
        self.store.add_event(event)
        return event.id

    def _event(
        self, kind: str, member: M, body: dict[str, Any], *, at: int = 0, mode: Mode = Mode.LIVE, subject: str = ""
    ) -> Event:
        body = {"device": member.device, "code": member.number, **body}
        origin, now_us = f"{self._platform_code}/{self._node}", self._clock.now_us()
        return make_event(kind, subject or member.device, body, origin=origin, now_us=now_us, at=at, mode=mode)

    # --- lists ------------------------------------------------------------------------------------------------

    def _keep_stranger(self, stranger: UnknownFigure) -> None:
        """As the last that spoke without being in the list."""
        self._strangers.pop(stranger.code, None)
        self._strangers[stranger.code] = stranger
        if len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)

    def figures(self, message: AskDevices) -> DeviceFigures:
        """Presence of those behind `after`, by device id."""
        behind = (one for one in self._members.values() if one.device > message.after)
        ordered = sorted(behind, key=lambda one: one.device)
        limit, now = max(1, min(message.limit, MAX_FIGURES)), self._clock.monotonic()
        shown = tuple(one.figure(now) for one in ordered[:limit])
        after = shown[-1].device if len(ordered) > limit else ""
        return DeviceFigures(devices=shown, unknown=tuple(reversed(self._strangers.values())), next=after)
