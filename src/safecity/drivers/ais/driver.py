"""What receivers of ships hear, made into facts: who is here, where it is, and who is not in the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from safecity.drivers.ais.roll import TWO_PLACES, Ship, ShipRow, ShipStore
from safecity.drivers.ais.translate import described_fact, mmsi_text, position_fact, said_of, version_of
from safecity.drivers.presence import Presence
from safecity.kit.clock import Clock
from safecity.model.facts.signal_calls import ApplySignal, UnknownFigure
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.ais.checks import judge
from safecity.protocols.ais.messages import UNKNOWN, AnyMessage, Position
from safecity.protocols.ais.sentences import Malformed
from safecity.protocols.ais.stream import Heard
from safecity.protocols.gb28181.limits import Buckets

SILENT_SECONDS: Final = 900.0
"""At anchor a ship tells its place each three minutes, and not every one is heard."""
NEW_STRANGERS_A_SECOND: Final = 1.0
STRANGERS_AT_ONCE: Final = 100.0
"""New numbers a second from one sender, and at once: who makes them up does not drive those out that are there."""
FLOOD: Final = "ais_flood"
NO_ROOM: Final = "ais_no_room"


class ShipListener(Presence[Ship, ShipRow]):
    """One per process. `configure` with what control wants; `take` gets what a feed says."""

    whom = "ships"

    def __init__(self, file: SqlFile, outbox: Outbox, clock: Clock, *, node: str = "") -> None:
        super().__init__(ShipStore(file, outbox), clock, node)
        self._positions = Buckets(rate=1.0, burst=20.0, max_keys=100_000)
        self._doubtful = Buckets(rate=0.1, burst=5.0, max_keys=100_000)
        self._new = Buckets(rate=NEW_STRANGERS_A_SECOND, burst=STRANGERS_AT_ONCE)

    async def start(self) -> None:
        """Go on from the own file."""
        self._begin()
        self._go_on()

    def _recall(self, row: ShipRow) -> None:
        ship = self._members.get(row.mmsi)
        if ship is None or row.device != ship.device:
            self.store.drop(row.mmsi)
        else:
            ship.row, ship.silent_at = row, self._clock.monotonic() + SILENT_SECONDS

    def configure(self, parts: Sequence[ApplySignal]) -> None:
        """The whole list of ships."""
        if not parts:
            return
        self._platform_code = parts[0].identity.code
        wanted = {one.mmsi: one for part in parts for one in part.ships}
        for mmsi, ship in list(self._members.items()):
            if mmsi not in wanted or wanted[mmsi].device != ship.device:
                del self._members[mmsi]
                self.store.drop(mmsi)
        for mmsi, config in wanted.items():
            ship = self._members.get(mmsi)
            if ship is None:
                self._members[mmsi] = Ship(config, ShipRow(mmsi, device=config.device))
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
            ship = self._members.get(mmsi)
            if ship is None:
                self._stranger(mmsi, one.message, peer, transport)
            elif self.store.full:
                self.tally.note(NO_ROOM, mmsi)
            elif ship.config.enabled:
                self._heard(ship, one.message, peer, transport)

    def _stranger(self, mmsi: str, message: AnyMessage, peer: str, transport: str) -> None:
        old = self._strangers.get(mmsi)
        if old is None and not self._new.take(peer.rpartition(":")[0], self._clock.monotonic()):
            self.tally.note("ais_many_strangers", peer)
            return
        self._keep_stranger(UnknownFigure(
            code=mmsi, address=peer, transport=transport,
            user_agent=said_of(message).get("name") or (old.user_agent if old else ""),
            last_seen=self._clock.now_us(), attempts=old.attempts + 1 if old else 1, kind="ais",
        ))  # fmt: skip

    def _heard(self, ship: Ship, message: AnyMessage, peer: str, transport: str) -> None:
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        ship.heard_at, ship.heard_us, ship.silent_at = now, now_us, now + SILENT_SECONDS
        if not ship.is_online:
            ship.row = replace(
                ship.row, state="online", since=now_us, address=peer, transport=transport, version=version_of(message)
            )
            self.store.put(ship.row)
            self.tell("device.went_online", ship, ship.facts())
        told = {field: text for field, text in said_of(message).items() if getattr(ship.row, field) != text}
        if told:
            if not self._doubtful.take((ship.row.mmsi, "said"), now):
                self.tally.note(FLOOD, ship.row.mmsi)
            else:
                ship.row = replace(ship.row, **told)
                self.store.put(ship.row)
                said = described_fact(ship.row.name, ship.row.call_sign, ship.row.imo)
                self.tell("device.described", ship, said)
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
        self._report("position.received", ship, fact, at=judged.at_us)
