"""The platform's traffic duty on simulated days: positions go in over its bus, its clock is that of the simulation, and
what it learns, measures and advises is what it would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import insert

from benchmarks.simulation_run import Moment
from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.traffic import sums
from safecity.core.upper.traffic.city import City
from safecity.core.upper.traffic.following import Following
from safecity.core.upper.traffic.slot import HOUSE_SECONDS
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import NotFoundError
from safecity.model.facts.envelope import Event
from safecity.roads.network.arrays import RoadNetwork
from safecity.roads.network.versions import put_version
from safecity.roads.routing.advice import advised
from safecity.roads.routing.router import Place, Route

MONDAY_US: Final = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * SECOND_US
"""Midnight, where the simulated city lies; its clock is that of UTC."""
DAY_SECONDS: Final = 86_400
NOISE_METRES: Final = 5.0
"""Standard deviation of a receiver's error, east and north."""
TURN_SECONDS: Final = 20
"""Between two turns of the flow, and two looks at what is measured."""


async def _itself(work: Callable[[], Any]) -> Any:
    """What the city's thread would do, here and now."""
    return work()


class Product:
    """On a folder that keeps what it learns. Days and their moments come in the order of time."""

    def __init__(self, network: RoadNetwork, folder: Path, to_degrees: Callable[..., Any]) -> None:
        self._network, self._folder, self._to_degrees = network, folder, to_degrees
        self.clock = FakeClock(MONDAY_US)
        self._house = 0.0
        self._events: list[Event] = []
        self.positions = 0

    async def start(self, day: int) -> None:
        """As of the beginning of that day."""
        self.clock.advance((MONDAY_US - self.clock.now_us()) / SECOND_US + day * DAY_SECONDS)
        told = put_version(self._folder / "roads", self._network, dropped={}, sources=(), at_us=1)
        self._database = open_database(f"sqlite:///{self._folder}/traffic.db", migrate=False)
        self._bus = EmbeddedBus(open_file, self._folder / "bus.db")
        await self._database.write(sums.make_tables)
        await self._database.write(self._same_salt)
        self.city = City(self._network, told)
        self.following = Following(self._database, self._bus, self.clock, self.city, _itself)
        await self.following.start()

    async def close(self) -> None:
        """What it learnt stays in its folder."""
        await self._bus.close()
        await self._database.close()

    def _same_salt(self, tx: Any) -> None:
        """Else every run would tell vehicles apart in another way."""
        if not tx.rows(sums.notes.select().where(sums.notes.c.name == "salt")):
            tx.run(insert(sums.notes).values(name="salt", value="00" * 16))

    async def hear(self, day: int, moment: Moment) -> None:
        """The positions of a moment, and every so often what follows from them."""
        at = MONDAY_US + (day * DAY_SECONDS + moment.at) * SECOND_US
        self.clock.advance((at - self.clock.now_us()) / SECOND_US)
        dice = np.random.default_rng((day, moment.at))
        error = dice.normal(0, NOISE_METRES, (2, len(moment.names)))
        lon, lat = self._to_degrees(moment.x + error[0], moment.y + error[1])
        for name, x, y in zip(moment.names, lon.tolist(), lat.tolist(), strict=True):
            subject = f"dv_{day}_{name}"
            body = {"device": subject, "longitude": x, "latitude": y}
            self._events.append(
                Event(
                    kind="position.received", subject=subject, at=at, seen=at, id=f"ev_{day}_{moment.at}_{name}",
                    body=body,
                )
            )  # fmt: skip
        if moment.at % TURN_SECONDS == 0:
            await self._turn()

    async def _turn(self) -> None:
        events, self._events = self._events, []
        self.positions += len(events)
        if events:
            await self._bus.publish(events)
            while await self.following.step():
                pass
        await self.following.refresh()
        if self.clock.monotonic() - self._house >= HOUSE_SECONDS:
            self._house = self.clock.monotonic()
            await self.following.keep_house()

    async def end_of_day(self) -> None:
        """Nobody drives any more; the night passes in one step."""
        self.clock.advance(3 * 3_600)
        await self._turn()
        await self._bus.sweep(self.clock.now_us())

    def advice(self, way: Sequence[int], chance: float) -> Route | None:
        """For who would drive that way: one of the alternatives, drawn as the product spreads drivers over them. None
        where no other way is worth it, and where it says to turn round first, which SUMO's cars cannot do everywhere:
        they keep their way."""
        length = float(self._network.arrays.edge_length[way[-1]])
        start, end = [Place(int(way[0]), 0.0)], [Place(int(way[-1]), length)]
        try:
            found = self.city.router.alternatives(start, end, self.clock.now_us(), count=3)
        except NotFoundError:
            return None
        sent = advised(self.city.router.along(way, self.clock.now_us()), found, self.city.router.gain)
        if not sent.any():
            return None
        route = found[min(int(np.searchsorted(np.cumsum(sent), chance, "right")), len(found) - 1)]
        turns = self._network.arrays.edge_twin[route.edges[:-1]] == route.edges[1:]
        return None if turns.any() else route
