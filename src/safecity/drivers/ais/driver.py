"""What receivers of ships hear, made into facts: who is here, where it is, and who is not in the list."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from safecity.drivers.ais.roll import TWO_PLACES, Ship, ShipRow, ShipStore
from safecity.drivers.ais.translate import described_fact, mmsi_text, position_fact, said_of, version_of
from safecity.drivers.facts import make_event
from safecity.drivers.tally import Tally
from safecity.kit.clock import Clock
from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import ApplySignal, AskDevices, DeviceFigures, UnknownFigure
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.ais.checks import judge
from safecity.protocols.ais.messages import UNKNOWN, AnyMessage, Position
from safecity.protocols.ais.sentences import Malformed
from safecity.protocols.ais.stream import Heard
from safecity.protocols.gb28181.limits import Buckets

logger = logging.getLogger(__name__)

SILENT_SECONDS: Final = 900.0
"""At anchor a ship tells its place each three minutes, and not every one is heard."""
MAX_STRANGERS: Final = 100
NEW_STRANGERS_A_SECOND: Final = 1.0
STRANGERS_AT_ONCE: Final = 100.0
"""New numbers a second from one sender, and at once: who makes them up does not drive those out that are there."""
FLUSH_SECONDS: Final = 0.05
TICK_SECONDS: Final = 1.0
FLOOD: Final = "ais_flood"
NO_ROOM: Final = "ais_no_room"


class ShipListener:
    """One per process. `configure` with what control wants; `take` gets what a feed says."""

    def __init__(self, file: SqlFile, outbox: Outbox, clock: Clock, *, node: str = "") -> None:
        self._clock = clock
        self._node = node
        self._platform_code = ""
        self._ships: dict[str, Ship] = {}
        self._strangers: OrderedDict[str, UnknownFigure] = OrderedDict()
        self._store = ShipStore(file, outbox, self._schedule_flush)
        self._flush_timer: asyncio.TimerHandle | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._positions = Buckets(rate=1.0, burst=20.0, max_keys=100_000)
        self._doubtful = Buckets(rate=0.1, burst=5.0, max_keys=100_000)
        self._new = Buckets(rate=NEW_STRANGERS_A_SECOND, burst=STRANGERS_AT_ONCE)
        self.tally = Tally("ships")

    def __len__(self) -> int:
        return len(self._ships)

    async def start(self) -> None:
        """Go on from the own file. Whoever was online has its full patience to be heard again."""
        now = self._clock.monotonic()
        for row in self._store.load():
            ship = self._ships.get(row.mmsi)
            if ship is None or row.device != ship.config.device:
                self._store.drop(row.mmsi)
            else:
                ship.row, ship.silent_at = row, now + SILENT_SECONDS
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def close(self) -> None:
        """Stop."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        try:
            self._store.flush()
        except Exception:
            logger.exception("ships not written at the end")

    def configure(self, parts: Sequence[ApplySignal]) -> None:
        """The whole list of ships."""
        if not parts:
            return
        self._platform_code = parts[0].identity.code
        wanted = {one.mmsi: one for part in parts for one in part.ships}
        for mmsi, ship in list(self._ships.items()):
            if mmsi not in wanted or wanted[mmsi].device != ship.config.device:
                del self._ships[mmsi]
                self._store.drop(mmsi)
        for mmsi, config in wanted.items():
            ship = self._ships.get(mmsi)
            if ship is None:
                self._ships[mmsi] = Ship(config, ShipRow(mmsi, device=config.device))
                self._strangers.pop(mmsi, None)
                continue
            ship.config = config
            if not config.enabled:
                self._went_offline(ship, "offline")

    # --- what feeds say ---------------------------------------------------------------------------------------

    def take(self, found: Sequence[Heard | Malformed], peer: str, transport: str) -> None:
        """`peer`: who handed it on. What cannot be kept now is lost: nobody tells it again."""
        for one in found:
            if isinstance(one, Malformed):
                if one.reason != UNKNOWN:
                    self.tally.note(one.reason, peer)
                continue
            mmsi = mmsi_text(one.message.mmsi)
            ship = self._ships.get(mmsi)
            if ship is None:
                self._stranger(mmsi, one.message, peer, transport)
            elif self._store.full:
                self.tally.note(NO_ROOM, mmsi)
            elif ship.config.enabled:
                self._heard(ship, one.message, peer, transport)

    def _stranger(self, mmsi: str, message: AnyMessage, peer: str, transport: str) -> None:
        old = self._strangers.pop(mmsi, None)
        if old is None and not self._new.take(peer.rpartition(":")[0], self._clock.monotonic()):
            self.tally.note("ais_many_strangers", peer)
            return
        self._strangers[mmsi] = UnknownFigure(
            code=mmsi, address=peer, transport=transport,
            user_agent=said_of(message).get("name") or (old.user_agent if old else ""),
            last_seen=self._clock.now_us(), attempts=old.attempts + 1 if old else 1, kind="ais",
        )  # fmt: skip
        if len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)

    def _heard(self, ship: Ship, message: AnyMessage, peer: str, transport: str) -> None:
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        ship.heard_at, ship.heard_us, ship.silent_at = now, now_us, now + SILENT_SECONDS
        if not ship.is_online:
            ship.row = replace(
                ship.row, state="online", since=now_us, address=peer, transport=transport, version=version_of(message)
            )
            self._store.put(ship.row)
            self._store.add_news(self._event("device.went_online", ship, ship.facts()))
        told = {field: text for field, text in said_of(message).items() if getattr(ship.row, field) != text}
        if told:
            if not self._doubtful.take((ship.row.mmsi, "said"), now):
                self.tally.note(FLOOD, ship.row.mmsi)
            else:
                ship.row = replace(ship.row, **told)
                self._store.put(ship.row)
                said = described_fact(ship.row.name, ship.row.call_sign, ship.row.imo)
                self._store.add_news(self._event("device.described", ship, said))
        if isinstance(message, Position):
            self._position(ship, message, now, now_us)

    def _position(self, ship: Ship, message: Position, now: float, now_us: int) -> None:
        judged = judge(message, now_us)
        reasons = list(judged.reasons)
        moves = judged.moves
        if moves and message.longitude is not None and message.latitude is not None:
            place = message.longitude, message.latitude
            if ship.known(place, judged.at_us):
                return
            if not self._positions.take(ship.row.mmsi, now):
                self.tally.note(FLOOD, ship.row.mmsi)
                return
            moves = ship.goes_to(place, judged.at_us, now)
            if not moves:
                reasons.append(TWO_PLACES)
                self.tally.note(TWO_PLACES, ship.row.mmsi)
        # What moves nobody is told now and then, so that it is seen: never as often as it comes.
        if not moves and not self._doubtful.take(ship.row.mmsi, now):
            return
        fact = position_fact(ship.row.mmsi, message, judged, moves=moves, reasons=reasons)
        self._store.add_event(self._event("position.received", ship, fact, judged.at_us))

    # --- facts ------------------------------------------------------------------------------------------------

    def _event(self, kind: str, ship: Ship, body: dict[str, Any], at: int = 0) -> Event:
        device = ship.config.device
        body = {"device": device, "code": ship.row.mmsi, **body}
        origin = f"{self._platform_code}/{self._node}"
        return make_event(kind, device, body, origin=origin, now_us=self._clock.now_us(), at=at)

    def _went_offline(self, ship: Ship, why: str) -> None:
        if not ship.is_online:
            return
        silent = int(self._clock.monotonic() - ship.heard_at) if ship.heard_at else None
        ship.row = replace(ship.row, state="offline", since=self._clock.now_us())
        self._store.put(ship.row)
        self._store.add_news(self._event("device.went_offline", ship, {"why": why, "silent_seconds": silent}))

    def sweep(self) -> None:
        """Who has not been heard for a quarter of an hour is offline."""
        now = self._clock.monotonic()
        for ship in self._ships.values():
            if ship.is_online and now >= ship.silent_at:
                self._went_offline(ship, "keepalive")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.sweep()

    def _schedule_flush(self) -> None:
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what has gathered."""
        self._flush_timer = None
        try:
            self._store.flush()
        except Exception:
            logger.exception("ships not written, will try again")
            self._flush_timer = asyncio.get_running_loop().call_later(1.0, self.flush)

    def figures(self, message: AskDevices) -> DeviceFigures:
        """Presence of the ships behind `after`, by device id."""
        ordered = sorted(
            (one for one in self._ships.values() if one.config.device > message.after),
            key=lambda one: one.config.device,
        )
        limit = max(1, min(message.limit, 4000))
        shown = tuple(one.figure(self._clock.monotonic()) for one in ordered[:limit])
        after = shown[-1].device if len(ordered) > limit else ""
        return DeviceFigures(devices=shown, unknown=tuple(reversed(self._strangers.values())), next=after)
