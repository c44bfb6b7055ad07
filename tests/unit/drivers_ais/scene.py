"""A listener to ships without a network, and what ships say."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from safecity.backends.outbox import SqlOutbox
from safecity.backends.sqlitefile import open_file
from safecity.drivers.ais.driver import ShipListener
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import AisShip, ApplySignal, PlatformIdentity
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.ais.messages import AnyMessage, ClassAPosition
from safecity.protocols.ais.sentences import Malformed
from safecity.protocols.ais.stream import Feed, Heard, Teller

MMSI = 412345678
US = PlatformIdentity(code="34020000002000000001", domain="3402000000", public_host="10.0.0.1")
SHIP = AisShip("dv_1", str(MMSI))
RECEIVER = "10.1.1.1:40000"


@dataclasses.dataclass
class Scene:
    """A listener on a file, its clock turned by hand."""

    ships: ShipListener
    file: SqlFile
    outbox: SqlOutbox
    clock: FakeClock

    def say(self, *messages: AnyMessage, peer: str = RECEIVER) -> None:
        data = b"".join(Teller().write(one) for one in messages)
        self.hand_on(Feed().feed(data, 0.0), peer)

    def hand_on(self, found: list[Heard | Malformed], peer: str = RECEIVER) -> None:
        self.ships.take(found, peer, "tcp")

    def fix(self, longitude: float = 118.3, latitude: float = 31.3, **more: Any) -> ClassAPosition:
        """A position of this second."""
        told: dict[str, Any] = {"mmsi": MMSI, "speed": 10.0, "course": 90.0, "status": 0}
        told["second"] = self.clock.now_us() // SECOND_US % 60
        return ClassAPosition(longitude=longitude, latitude=latitude, **{**told, **more})

    def events(self, kind: str = "") -> list[Event]:
        """What has been told so far."""
        self.ships.store.flush()
        return [event for _, event in self.outbox.pending(10_000) if kind in ("", event.kind)]

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.ships.tick()


async def open_scene(path: Path, clock: FakeClock, ships: tuple[AisShip, ...] = (SHIP,)) -> Scene:
    file = open_file(path / "signal.db")
    outbox = SqlOutbox(file)
    listener = ShipListener(file, outbox, clock, node="signal")
    listener.configure([ApplySignal(1, US, (), (), ships=ships)])
    await listener.start()
    return Scene(listener, file, outbox, clock)
