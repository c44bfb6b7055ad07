"""A trunk road and a street, and what terminals on them say."""

from __future__ import annotations

from pathlib import Path

from tests.contract.traffic_city import itself, open_own

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.traffic.city import City
from safecity.core.upper.traffic.following import Following
from safecity.core.upper.traffic.incidents import Incident, State
from safecity.core.upper.traffic.sums import Sum
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.model.facts.envelope import Event
from safecity.roads.network.arrays import RoadClass, RoadNetwork
from safecity.roads.network.build import build_network
from safecity.roads.network.draft import Draft
from safecity.roads.network.versions import put_version

METRE = 1 / 111_195.08
"""Degrees of latitude."""
NOW = 1_790_000_100
TRUNK, STREET = 18.0, 18.01


def roads() -> RoadNetwork:
    """A trunk road and a street, 570 m apart, both to the north, with a crossing each kilometre."""
    draft = Draft()
    for n in range(5):
        for side, longitude in enumerate((TRUNK, STREET)):
            draft.add_node(10 * side + n, longitude, 59.3 + 1_000 * n * METRE)
    for n in range(4):
        draft.add_row(100 + n, n, n + 1, road_class=RoadClass.TRUNK, limit=80)
        draft.add_row(200 + n, 10 + n, 11 + n, road_class=RoadClass.SECONDARY, limit=50)
    for n in range(5):
        draft.add_row(300 + n, n, 10 + n, backward=True, road_class=RoadClass.RESIDENTIAL, limit=30)
    return build_network(draft, label="trunk").network


class Road:
    """What terminals say, and what comes of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(NOW * SECOND_US)
        self.bus = EmbeddedBus(open_file, folder / "bus.db")
        self.database: SqlDatabase = open_own(folder)
        self.version = put_version(folder / "roads", roads(), dropped={}, sources=(), at_us=1)
        self.following: Following = None  # pyright: ignore[reportAttributeAccessIssue]
        self._number = 0

    async def begin(self) -> None:
        """A life of the duty."""
        self.following = Following(self.database, self.bus, self.clock, City(roads(), self.version), itself)
        await self.following.start()

    async def say(
        self, vehicle: str, second: float, metres: float, *, on: float = TRUNK, speed: float | None = None
    ) -> None:
        """A position, so many seconds from the beginning, so far along a road."""
        self._number += 1
        body = {"device": vehicle, "longitude": on, "latitude": 59.3 + metres * METRE, "speed": speed}
        at = round((NOW + second) * SECOND_US)
        await self.bus.publish(
            [Event(kind="position.received", subject=vehicle, at=at, seen=at, id=f"ev_{self._number}", body=body)]
        )

    async def stop(
        self,
        vehicle: str,
        metres: float,
        *,
        on: float = TRUNK,
        start: float = 0,
        stands: float = 150,
        every: float = 30,
    ) -> None:
        """It drives half a kilometre to a place in 25 s, and stands there."""
        for n in range(5):
            await self.say(vehicle, start + 5 * n, metres - 500 + 100 * n, on=on, speed=20)
        at = start + 25
        while at <= start + 25 + stands:
            await self.say(vehicle, at, metres, on=on, speed=0)
            at += every

    async def look(self, second: float) -> list[Incident]:
        """What is known at that moment of those that nobody dismissed."""
        self.clock.advance(NOW + second - self.clock.now_us() / SECOND_US)
        while await self.following.step():
            pass
        await self.following.refresh()
        return [one for one in self.following.incidents if one.state is not State.DISMISSED]

    def creep(self, key: int, kmh: float, *, second: float, vehicles: int = 4) -> None:
        """Others on an edge, so slow."""
        city, minute = self.following.city, 60 * SECOND_US
        edge = city.network.arrays.edge_key.tolist().index(key)
        micros = round(vehicles * 1_000 / (kmh / 3.6) * 1e6)
        begin = round(NOW + second) * SECOND_US // minute * minute
        city.live.take([Sum(begin, edge, vehicles * 1_000_000, micros, 0, vehicles, 2**vehicles - 1)])

    async def told(self) -> list[Event]:
        """Of incidents, not of the jams they make."""
        every = [event for _, event in await self.bus.pull("judge", ["traffic.*"], 100)]
        return [event for event in every if event.kind.startswith("traffic.incident_")]
